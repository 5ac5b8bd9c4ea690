// Feeds of a narrower type, all of whose values are values of the tensor's, are taken; others are refused.
import { afterAll, describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

const api = tf as any;
const given = {
  uint8: new Uint8Array([0, 7, 255]),
  int32: new Int32Array([-(2 ** 31), 7, 2 ** 31 - 1]),
  float32: new Float32Array([Math.fround(0.1), -0, Infinity]),
  float64: new Float64Array([0.1, 1, 2]),
  bool: new Uint8Array([0, 1, 1]),
};
const wider: Readonly<Record<string, readonly string[]>> = {
  uint8: ['uint8', 'int32', 'float32', 'float64', 'bool'],
  int32: ['int32', 'float64'],
  float32: ['float32', 'float64'],
  float64: ['float64'],
};

describe.each(backends)('on %s', (backend) => {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph, backend });
  afterAll(() => session.close());
  const build = <R>(f: () => R): R => graph.asDefault(f);

  test.each(Object.keys(wider))('%s is fed to what holds all its values', async (from) => {
    const data = given[from as 'uint8'];
    for (const to of ['float32', 'float64', 'int32', 'uint8', 'bool'] as const) {
      const x = build(() => tf.placeholder(to, [null])) as any;
      for (const value of [data, tf.array(data as any)]) {
        const run = session.run(x, [[x, value]] as any) as Promise<any>;
        if (wider[from].includes(to)) {
          const wanted = to === 'bool' ? [...data].map((v) => Number(v !== 0)) : [...data];
          const { dtype, data: came } = await run;
          expect([dtype, [...came]]).toEqual([to, wanted]);
        } else await expect(run).rejects.toThrow(`was fed values of dtype ${from}; convert them with tf.array`);
      }
    }
  });

  test('a host array of bool is fed to bool only', async () => {
    const value = tf.array([true, false]);
    const [x, b] = build(() => [tf.placeholder('int32', [null]), tf.placeholder('bool', [null])]);
    await expect(session.run(x, [[x, value]] as any)).rejects.toThrow(tf.FeedError);
    expect((await session.run(b, [[b, value]])).toArray()).toEqual([true, false]);
  });

  test("MNIST's own labels feed an int32 placeholder, and the sparse loss takes them as they are", async () => {
    const bytes = new Uint8Array([1, 2]);
    const [wide, narrow, logits] = build(() => [
      tf.placeholder('int32', [null]),
      tf.placeholder('uint8', [null]),
      tf.constant([
        [0, 1, 2],
        [0, 1, 2],
      ]),
    ]);
    const losses = build(() =>
      [wide, narrow].map((labels) => api.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits })),
    );
    const [a, b] = (await session.run(losses, [
      [wide, tf.array(bytes, [2])],
      [narrow, bytes],
    ])) as any;
    expect(a.toArray()).toEqual(b.toArray());
    expect(a.data[0]).toBeCloseTo(Math.log(1 + Math.E + Math.E ** 2) - 1, 5);
    const rows = build(() => tf.gather(logits, narrow));
    await expect(session.run(rows, [[narrow, bytes]])).rejects.toThrow(/index 2 is out of range/);
    expect((await session.run(rows, [[narrow, new Uint8Array([1])]])).toArray()).toEqual([[0, 1, 2]]);
  });

  test('what is written to the memory after the call changes nothing', async () => {
    const x = build(() => tf.placeholder('float64', [null]));
    const data = new Uint8Array([1, 2]);
    const run = session.run(x, [[x, data]]);
    data.fill(9);
    expect([...(await run).data]).toEqual([1, 2]);
  });
});
