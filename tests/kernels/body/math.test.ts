// The elementary functions on WebAssembly: the bound on the error is in the name.
import { expect, test } from 'vitest';
import * as tf from '../../../src/index.ts';

type Any = tf.Tensor<any, any>;
/** Distances in units of the last place of the exact result. */
function ulps(found: number, exact: number, dtype: 'float32' | 'float64'): number {
  if (Object.is(found, exact) || found === exact || (Number.isNaN(found) && Number.isNaN(exact))) return 0;
  const bits = dtype === 'float32' ? 23 : 52;
  const least = dtype === 'float32' ? -149 : -1074;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(exact))) - bits, least);
  return Math.abs(found - exact) / 2 ** exponent;
}
async function worst(
  dtype: 'float32' | 'float64',
  f: (x: Any) => Any,
  exact: (v: number) => number,
  values: number[],
): Promise<number> {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph });
  const [x, y] = graph.asDefault(() => {
    const input = tf.placeholder(dtype, [null]) as Any;
    return [input, f(input)];
  });
  const data = dtype === 'float32' ? Float32Array.from(values) : Float64Array.from(values);
  const found = (await session.run(y, [[x, data]] as any)) as any;
  await session.close();
  let most = 0;
  data.forEach((v, i) => {
    const wanted = dtype === 'float32' ? Math.fround(exact(v)) : exact(v);
    const error = ulps(found.data[i], Number.isFinite(wanted) ? exact(v) : wanted, dtype);
    if (error > most || Number.isNaN(error)) most = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  });
  return most;
}
const spread = (low: number, high: number, n = 20_011) =>
  Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));
const special = [0, -0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const tiny = [1e-40, 3e-39, 1.4e-45, 1e-310];

/** e^x, and 0 for what is smaller than any normal number. */
const normalExp = (smallest: number) => (v: number) => (Math.exp(v) < smallest ? 0 : Math.exp(v));

test('float32 exp within 2 ulp, and 0 for what is no normal number', async () => {
  const values = [...spread(-104, 89), ...spread(-87.34, -87.33), ...special];
  expect(await worst('float32', (x) => tf.exp(x), normalExp(2 ** -126), values)).toBeLessThan(2);
});
test('float32 log within 2 ulp, denormal numbers included', async () => {
  const values = [...spread(1e-3, 4), ...spread(4, 3e38), ...spread(0.99, 1.01), ...special, ...tiny.slice(0, 3)];
  expect(await worst('float32', (x) => tf.log(x), Math.log, values)).toBeLessThan(2);
});
test('float32 tanh within 3 ulp', async () => {
  expect(
    await worst('float32', (x) => tf.tanh(x), Math.tanh, [...spread(-12, 12), ...spread(-1e-3, 1e-3), ...special]),
  ).toBeLessThan(3);
});
test('float32 sigmoid within 4 ulp', async () => {
  expect(
    await worst(
      'float32',
      (x) => tf.sigmoid(x),
      (v) => 1 / (1 + Math.exp(-v)),
      [...spread(-80, 80), ...special],
    ),
  ).toBeLessThan(4);
});
test('float64 exp within 1.5 ulp, and 0 for what is no normal number', async () => {
  const values = [...spread(-745, 709.7), ...spread(-708.4, -708.39), ...special];
  expect(await worst('float64', (x) => tf.exp(x), normalExp(2 ** -1022), values)).toBeLessThan(1.5);
});
test('float64 log within 1.5 ulp', async () => {
  expect(
    await worst('float64', (x) => tf.log(x), Math.log, [
      ...spread(1e-3, 4),
      ...spread(0.99, 1.01),
      ...special,
      ...tiny,
    ]),
  ).toBeLessThan(1.5);
});
test('float64 tanh within 3 ulp', async () => {
  expect(await worst('float64', (x) => tf.tanh(x), Math.tanh, [...spread(-20, 20), ...special])).toBeLessThan(3);
});
test('float32 pow within 1 ulp', async () => {
  expect(
    await worst(
      'float32',
      (x) => tf.pow(tf.abs(x), 2.7) as Any,
      (v) => Math.abs(v) ** Math.fround(2.7),
      [...spread(0, 50), ...special],
    ),
  ).toBeLessThan(1);
});
