// Feeds that a short run reads where they lie: wherever that is, they are read anew each time and never written to.
import { expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

const size = 3000;
const numbers = (seed: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(i + seed));

test.each(backends)('on %s: parts of buffers, shared memory, small and large feeds', async (backend) => {
  const graph = new tf.Graph();
  const { x, y, both } = graph.asDefault(() => {
    const a = tf.placeholder('float32', [size]);
    const b = tf.placeholder('float32', [1]);
    return { x: a, y: b, both: [a, tf.add(tf.mul(a, 2), b)] as const };
  });
  const session = new tf.Session({ graph, backend, threads: 1 });
  const check = async (fed: Float32Array, small: number) => {
    const before = fed.slice();
    const feeds = [
      [x, fed],
      [y, new Float32Array([small])],
    ] as never;
    const [copy, result] = (await session.run([...both] as never, feeds)) as unknown as { data: Float32Array }[];
    expect(fed).toEqual(before);
    expect(copy.data).toEqual(before);
    expect(result.data).toEqual(before.map((v) => Math.fround(v * 2 + small)));
    // What was fetched is the caller's, and so is what was fed.
    fed.fill(0);
    expect(copy.data).toEqual(before);
  };
  for (let run = 0; run < 3; run++) {
    await check(numbers(run), run);
    const shifted = new Float32Array(size + 4).subarray(1 + run, 1 + run + size);
    shifted.set(numbers(run + 10));
    await check(shifted, 1);
    const shared = new Float32Array(new SharedArrayBuffer(4 * size));
    shared.set(numbers(run + 20));
    await check(shared, 2);
  }
  await session.close();
});

test.each(backends)('on %s: runs that wait read what they were fed when they were asked for', async (backend) => {
  const long = 2 ** 18;
  const graph = new tf.Graph();
  const x = graph.asDefault(() => tf.placeholder('float32', [null]));
  const y = graph.asDefault(() => tf.exp(tf.mul(x, 0)).add(x));
  const session = new tf.Session({ graph, backend, threads: 2 });
  const fed = new Float32Array(long);
  const ask = (k: number) => {
    fed.fill(k);
    return session.run(y, [[x, fed]]);
  };
  // The first is compiled meanwhile; nobody but the runs has their copies.
  const runs = Array.from({ length: 6 }, (_, k) => ask(k));
  fed.fill(-1);
  structuredClone(fed, { transfer: [fed.buffer] });
  for (const [k, run] of runs.entries()) {
    const { data } = await run;
    expect(data.length).toBe(long);
    expect(data.every((v) => v === k + 1)).toBe(true);
  }
  await session.close();
});
