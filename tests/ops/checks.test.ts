// checkNumerics and assert: what they refuse, and that nothing has changed then.
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

describe.each(backends)('on %s', (backend) => {
  test('a run with NaN or an infinity fails with the message, and changes no variable', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const { x, v, update } = graph.asDefault(() => {
      const x = tf.placeholder('float32', [2]);
      const v = tf.variable(tf.zeros([2]));
      return { x, v, update: tf.assign(v, tf.checkNumerics(x, 'the loss')) };
    });
    await session.run(v.initializer);
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      const run = session.run(update, [[x, [1, bad]]]);
      await expect(run).rejects.toThrow(new RegExp(`checkNumerics: the loss: ${bad} came`));
    }
    expect(Array.from((await session.run(v)).data)).toEqual([0, 0]);
    await session.run(update, [[x, [1, 3e38]]]);
    expect((await session.run(v)).data[0]).toBe(1);
  });

  test('an assertion holds for what runs after it', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const { x, root, plain, holds } = graph.asDefault(() => {
      const x = tf.placeholder('float32', [null]);
      const holds = tf.assert(tf.greaterEqual(x, 0), 'there is no root of what is below {value}');
      return { x, holds, root: tf.controlDependencies([holds], () => tf.sqrt(x)), plain: tf.sqrt(x) };
    });
    expect((await session.run(root, [[x, [4, 9]]])).toArray()).toEqual([2, 3]);
    await expect(session.run(root, [[x, [4, -9]]])).rejects.toThrow('there is no root of what is below (value)');
    await expect(session.run(holds, [[x, [-1]]])).rejects.toThrow(tf.InvalidArgumentError);
    expect((await session.run(plain, [[x, [-9]]])).data[0]).toBeNaN();
  });
});

test('what lies elsewhere is not looked at by a running sum', async () => {
  await using session = new tf.Session({ graph: new tf.Graph() });
  const x = session.graph.asDefault(() => tf.constant([1, 2, Number.NaN, 3, Infinity]));
  const [up, down] = session.graph.asDefault(() => [tf.cumsum(x), tf.cumsum(x, { reverse: true })]);
  expect((await session.run(up)).toArray()).toEqual([1, 3, NaN, NaN, NaN]);
  expect((await session.run(down)).toArray()).toEqual([NaN, NaN, NaN, Infinity, Infinity]);
});

test('a placeholder with a default takes what is fed, of another size too', async () => {
  await using session = new tf.Session({ graph: new tf.Graph() });
  const { x, y } = session.graph.asDefault(() => {
    const x = tf.placeholderWithDefault([1, 2], [null]);
    return { x, y: tf.mul(x, 10) };
  });
  expect((await session.run(y)).toArray()).toEqual([10, 20]);
  expect((await session.run(y, [[x, [3, 4, 5]]])).toArray()).toEqual([30, 40, 50]);
  expect(() => session.graph.asDefault(() => tf.placeholderWithDefault([1, 2], [3]))).toThrow(
    'the default has the shape [2], which is not [3]',
  );
});
