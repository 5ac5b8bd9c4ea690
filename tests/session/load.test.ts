// variable.load: a value for a variable in a session, without an operation for it.
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

const model = () => {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const v = tf.variable(tf.zeros([2, 2]), { name: 'v' });
    const n = tf.variable(0, { dtype: 'int32', name: 'n' });
    return { graph, v, n, add: v.assignAdd(tf.ones([2, 2])), init: tf.globalVariablesInitializer() };
  });
};

describe.each(backends)('on %s', (backend) => {
  test('the variable has the value after the runs before, and is initialized', async () => {
    const { graph, v, n, add } = model();
    graph.finalize();
    await using session = new tf.Session({ graph, backend });
    const value = Float32Array.of(1, 2, 3, 4);
    const done = [
      v.load(value, session),
      session.run(add),
      v.load(
        tf.array([
          [5, 6],
          [7, 8],
        ]),
        session,
      ),
    ];
    value.fill(9);
    const between = session.run(v);
    done.push(
      n.load(7, session),
      n.load(new Uint8Array([3]) as never, session).catch(() => undefined),
    );
    await Promise.all(done);
    expect((await done[1])?.toString()).toContain('[[2, 3], [4, 5]]');
    expect((await between).toArray()).toEqual([
      [5, 6],
      [7, 8],
    ]);
    expect(graph.operations.filter(({ type }) => type === 'Assign')).toHaveLength(2);
  });

  test('what does not fit is a named error, and changes nothing', async () => {
    const { graph, v, n, init } = model();
    await using session = new tf.Session({ graph, backend });
    await session.run(init);
    const other = new tf.Graph();
    await using elsewhere = new tf.Session({ graph: other, backend });
    const attempts: [Promise<void>, string, string][] = [
      [v.load([1, 2] as never, session), 'FeedError', 'v:0 (float32, [2, 2]), made at '],
      [v.load(new Float64Array(4) as never, session), 'FeedError', 'was fed values of dtype float64'],
      [n.load(0.5, session), 'FeedError', '0.5 does not fit dtype int32'],
      [
        n.load(undefined as never, session),
        'InvalidArgumentError',
        'load: value is missing. Write variable.load(value, { session })',
      ],
      [
        n.load(1, graph as never),
        'InvalidArgumentError',
        'load: session must be a session, but an object of class Graph came',
      ],
      [n.load(1, elsewhere), 'FetchError', 'n:0 belongs to another graph than the session'],
      [n.load(1), 'FailedPreconditionError', 'n:0.load() needs a default session'],
    ];
    for (const [attempt, name, message] of attempts) {
      const error = await attempt.then(
        () => undefined,
        (e) => e,
      );
      expect([error?.name, error?.message]).toEqual([name, expect.stringContaining(message)]);
    }
    expect([(await session.run(v)).toArray(), await session.run(n)]).toEqual([
      [
        [0, 0],
        [0, 0],
      ],
      0,
    ]);
    await session.close();
    await expect(n.load(1, session)).rejects.toThrow(tf.FailedPreconditionError);
  });
});

test('the default session is that of an InteractiveSession', async () => {
  const { graph, n } = model();
  const session = new tf.InteractiveSession({ graph });
  await n.load(4);
  expect(await n.eval()).toBe(4);
  await session.close();
});
