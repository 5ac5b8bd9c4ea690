// Sine and cosine for angles of all sizes: how exact they are is in tests/numbers; here, that all backends compute the same
// bits, in vectors of any width and one by one.
import { expect, test } from 'vitest';
import * as tf from '../../../src/index.ts';
import { nativeMissing } from '../../backends.ts';
import { describeUnless } from '../../skipped.ts';

type Any = tf.Tensor<any, any>;

/** Of all sizes, and beside multiples of π/2. */
const angles = [
  ...Array.from({ length: 2000 }, (_, i) => (i % 2 === 0 ? 1 : -1) * 2 ** (-30 + i * 0.079) * (1 + (i % 7) / 7)),
  ...Array.from({ length: 1003 }, (_, i) => (i * i * Math.PI) / 2),
];

async function computed(backend: tf.BackendName, dtype: 'float32' | 'float64', count: number) {
  const graph = new tf.Graph();
  await using session = new tf.Session({ graph, backend, portable: true, threads: 1 });
  const [x, results] = graph.asDefault(() => {
    const x = tf.placeholder(dtype, [count]) as Any;
    return [x, [tf.sin(x), tf.cos(x)]];
  });
  const found = (await session.run(results, [[x, angles.slice(0, count)]] as any)) as any[];
  return found.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

describeUnless(nativeMissing, 'sin and cos on native', () => {
  test.each(['float32', 'float64'] as const)('have the bits of wasm, of %s', async (dtype) => {
    expect(await computed('native', dtype, angles.length)).toEqual(await computed('wasm', dtype, angles.length));
  });
});

test.each(['float32', 'float64'] as const)('a vector of %s has the bits of its elements', async (dtype) => {
  const [sin, cos] = await computed('wasm', dtype, angles.length);
  // What is left of a row is computed one by one.
  const [sin3, cos3] = await computed('wasm', dtype, 3);
  expect([sin3, cos3]).toEqual([sin.slice(0, sin3.length), cos.slice(0, cos3.length)]);
});
