// The values of variables read and written between runs: in the order of the queue, all of one moment, all or none.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

type Any = tf.Tensor<any, any>;
type AnyVariable = tf.Variable<any, any>;

const places = backends.flatMap((backend) =>
  (backend === 'reference' ? [1] : [1, 3]).map((threads) => [backend, threads] as const),
);

/** A graph with a variable of each element type, a large one, a scalar and an empty one. */
function everyKind() {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const variables: AnyVariable[] = [
      tf.variable(tf.constant([0.5, -0, Number.NaN]), { name: 'float32' }),
      tf.variable(tf.constant([1 / 3, 1e300], { dtype: 'float64' }), { name: 'float64' }),
      tf.variable(tf.constant([-(2 ** 31), 7], { dtype: 'int32' }), { name: 'int32' }),
      tf.variable(tf.constant([0, 255], { dtype: 'uint8' }), { name: 'uint8' }),
      tf.variable(tf.constant([true, false]), { name: 'bool' }),
      tf.variable(3, { name: 'scalar' }),
      tf.variable(tf.zeros([300, 1000]), { name: 'large' }),
      tf.variable(tf.zeros([0, 3]), { name: 'empty' }),
    ];
    return { graph, variables, init: tf.initializeAllVariables() };
  });
}

const large = (seed: number) => Float32Array.from({ length: 300_000 }, (_, i) => Math.sin(i + seed));
const others = () => [
  new Float32Array([1, 2, 3]),
  new Float64Array([0.1, -0]),
  new Int32Array([5, 2 ** 31 - 1]),
  new Uint8Array([1, 2]),
  // Any byte but 0 is true.
  new Uint8Array([0, 7]),
  4,
  large(1),
  new Float32Array(0),
];

/** Numbers to compare; of many a hash of their bits. */
const shown = (data: tf.NDArray['data']): readonly (number | string)[] =>
  data.length < 100 ? [...data] : [createHash('md5').update(data).digest('hex')];

describe.each(places)('%s, threads: %i', (backend, threads) => {
  let sessions: tf.Session[] = [];
  beforeEach(() => {
    sessions = [];
  });
  afterEach(async () => {
    for (const session of sessions) await session.close();
  });
  const start = (graph: tf.Graph): tf.Session => {
    const session = new tf.Session({ graph, backend, threads });
    sessions.push(session);
    return session;
  };
  /** The data of variables as a run fetches them. */
  const fetched = async (session: tf.Session, variables: readonly AnyVariable[]) =>
    ((await session.run([...variables] as never)) as unknown as (tf.NDArray | number)[]).map((v) =>
      typeof v === 'number' ? [v] : shown(v.data),
    );
  const read = async (session: tf.Session, variables: readonly AnyVariable[]) =>
    (await session.snapshot(variables)).values.map(({ data }) => shown(data));

  test('values of every element type, with their shapes', async () => {
    const { graph, variables, init } = everyKind();
    const session = start(graph);
    await session.run(init);
    const { values: arrays } = await session.snapshot(variables);
    expect(arrays.map(({ dtype, shape }) => [dtype, shape])).toEqual(variables.map((v) => [v.dtype, v.shape]));
    expect(arrays.map(({ data }) => shown(data))).toEqual(await fetched(session, variables));
    // They are the caller's.
    for (const { data } of arrays) data.fill(9);
    expect((await read(session, variables))[0]).toEqual([0.5, -0, Number.NaN]);

    const values = others();
    await session.resume(new Map(variables.map((v, i) => [v, values[i]])));
    const expected = values.map((v) => (typeof v === 'number' ? [v] : shown(v)));
    expected[4] = [0, 1];
    for (const v of values) if (typeof v !== 'number') v.fill(9);
    expect(await read(session, variables)).toEqual(expected);
    expect(await fetched(session, variables)).toEqual(expected);
  });

  test('what was read can be written, into a session that has run nothing, of a finalized graph', async () => {
    const { graph, variables, init } = everyKind();
    graph.finalize();
    const [from, to] = [start(graph), start(graph)];
    await from.run(init);
    const { values } = await from.snapshot(variables);
    await to.resume(new Map(variables.map((v, i) => [v, values[i]])));
    expect(await fetched(to, variables)).toEqual(await fetched(from, variables));
    expect(await read(to, [...variables].reverse())).toEqual((await read(from, variables)).reverse());
  });

  /** Two variables that a step changes together, in place; long steps are not on the calling thread. */
  const pair = (long: boolean) => {
    const graph = new tf.Graph();
    return graph.asDefault(() => {
      const size = !long ? 4 : backend === 'reference' ? 16 : 300;
      const a = tf.variable(tf.zeros([size, size])) as AnyVariable;
      const b = tf.variable(tf.zeros([size, size])) as AnyVariable;
      const x = tf.placeholder('float32', [size, size]) as Any;
      let y = x;
      for (let i = 0; i < (long ? 8 : 1); i++) y = tf.mul(tf.matmul(y, x) as Any, 1 / size) as Any;
      const step = tf.group(tf.assignAdd(a, y), tf.assignAdd(b, tf.mul(y, 2)));
      const ones = new Float32Array(size * size).fill(1);
      return { graph, a, b, step, feeds: [[x, ones]] as never, size, init: tf.initializeAllVariables() };
    });
  };
  const filled = (size: number, value: number) => new Float32Array(size * size).fill(value);

  test.each([
    ['short', false],
    ['long', true],
  ])('%s runs that nobody awaits, reads and writes: each sees what was asked for before it', async (_, long) => {
    const { graph, a, b, step, feeds, size, init } = pair(long);
    const session = start(graph);
    await session.run(init);
    await session.run(step, feeds);
    const command = fc.oneof(
      fc.constant({ kind: 'step' as const }),
      fc.constant({ kind: 'read' as const }),
      fc.constant({ kind: 'fetch' as const }),
      fc.record({ kind: fc.constant('write' as const), value: fc.integer({ min: 0, max: 1000 }) }),
    );
    // Where the pause is no run waits any more: the next short one begins at once.
    const sequences = fc.array(fc.tuple(command, fc.boolean()), { minLength: 4, maxLength: 14 });
    let now = [1, 2];
    await fc.assert(
      fc.asyncProperty(sequences, async (sequence) => {
        const results: Promise<unknown>[] = [];
        const expected: unknown[] = [];
        const corners = (arrays: readonly tf.NDArray[]) => arrays.map(({ data }) => [data[0], data[data.length - 1]]);
        for (const [c, pause] of sequence) {
          if (c.kind === 'step') {
            now = [now[0] + 1, now[1] + 2];
            results.push(session.run(step, feeds));
            expected.push(undefined);
          } else if (c.kind === 'write') {
            now = [c.value, -c.value];
            const values = now.map((v) => filled(size, v));
            results.push(session.resume(new Map([a, b].map((v, i) => [v, values[i]]))));
            expected.push(undefined);
          } else {
            const arrays =
              c.kind === 'read' ? session.snapshot([a, b]).then(({ values }) => values) : session.run([a, b]);
            results.push((arrays as Promise<readonly tf.NDArray[]>).then(corners));
            expected.push(now.map((v) => [v, v]));
          }
          if (pause) await results.at(-1);
        }
        expect(await Promise.all(results)).toEqual(expected);
      }),
      { numRuns: long ? 5 : 20 },
    );
  });

  test('a variable without a value is not read; one that was written has one, and others still have none', async () => {
    const { graph, a, b, size, step, feeds } = pair(false);
    const session = start(graph);
    await expect(session.snapshot([a, b])).rejects.toThrow(tf.FailedPreconditionError);
    await expect(session.snapshot([a, b])).rejects.toThrow(new RegExp(`${b.operation.name}, made at .*variables.test`));
    await session.resume(new Map([[a, filled(size, 5)]]));
    expect((await read(session, [a]))[0]).toEqual([...filled(size, 5)]);
    await expect(session.snapshot([a, b])).rejects.toThrow(tf.FailedPreconditionError);
    await expect(session.run(step, feeds)).rejects.toThrow(tf.FailedPreconditionError);
    await session.resume(new Map([[b, filled(size, 7)]]));
    await session.run(step, feeds);
    expect((await read(session, [a, b])).map(([first]) => first)).toEqual([6, 9]);
  });

  test('all or none: where one value does not fit, no variable changes', async () => {
    const { graph, a, b, size, init } = pair(false);
    const session = start(graph);
    await session.run(init);
    const good = filled(size, 5);
    for (const bad of [new Float32Array(3), new Float64Array(size * size), [[1, 2], [3]], undefined, 1]) {
      const write = session.resume(new Map<AnyVariable, unknown>([[a, good], [b, bad]])); // biome-ignore format: one line
      await expect(write).rejects.toThrow(tf.FeedError);
      await expect(write).rejects.toThrow(new RegExp(b.name));
    }
    expect(await read(session, [a, b])).toEqual([a, b].map(() => [...filled(size, 0)]));
  });

  test('another graph’s variables and a closed session are refused', async () => {
    const [here, there] = [pair(false), pair(false)];
    const session = start(here.graph);
    await session.run(here.init);
    const value = filled(here.size, 1);
    await expect(session.snapshot([here.a, there.a])).rejects.toThrow(tf.FetchError);
    await expect(session.resume(new Map([[there.a, value]]))).rejects.toThrow(/another graph/);
    // What was asked for before is done.
    const last = session.snapshot([here.a]);
    const closing = session.close();
    await expect(session.snapshot([here.a])).rejects.toThrow(/The session is closed/);
    await expect(session.resume(new Map([[here.a, value]]))).rejects.toThrow(tf.FailedPreconditionError);
    expect((await last).values[0].data[0]).toBe(0);
    await closing;
  });
});
