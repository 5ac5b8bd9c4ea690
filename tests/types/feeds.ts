import type { NDArray, Tensor } from 'millrace';
import * as tf from 'millrace';

const x = tf.placeholder('float32', [null, 784]),
  y = tf.placeholder('int32', [null]),
  k = tf.placeholder('float32', []),
  u = tf.placeholder('float32', [] as number[]),
  m = tf.placeholder('float32', [null, 2]);
declare const step: tf.Operation;
declare const img: NDArray<'float32', [number, 784]>,
  lab: NDArray<'int32', [number]>,
  any: NDArray<'float32', number[]>,
  big: NDArray<'float32', [32, 784]>;
await step.run([
  [x, img],
  [y, lab],
  [k, 0.5],
]);
await step.run([[x, any]]);
await step.run([[x, big]]);
await step.run([
  [x, new Float32Array(784)],
  [y, new Int32Array(1)],
  [u, img],
  [u, 3],
  [u, [[1]]],
]);
await step.run([
  [
    m,
    [
      [1, 2],
      [3, 4],
    ],
  ],
]);
await step.run();
await step.run([]);
await step.run([[tf.add(x, 1), img]]); // any tensor may be fed
const pixels = tf.placeholder('uint8', [null]),
  mask = tf.placeholder('bool', [null]);
await step.run([
  [pixels, new Uint8ClampedArray(4)],
  [mask, new Uint8ClampedArray(4)],
]);
await step.run([[pixels, new Uint8Array(4)]]);
export const clamped: NDArray<'uint8', [number]> = tf.array(new Uint8ClampedArray(4));
export const square: NDArray<'uint8', [2, 2]> = tf.array(new Uint8ClampedArray(4), [2, 2]);
export const fixed: Tensor<'uint8', [number]> = tf.constant(new Uint8ClampedArray(4));
export const same: NDArray<'float32', [number, 784]> = tf.array(img);
export const turned: NDArray<'int32', [784, 1]> = tf.array(img, [784, 1], 'int32');
await step.run([[x, new Uint8ClampedArray(784)]]);
// @ts-expect-error
await step.run([[x, new Float64Array(784)]]);
// @ts-expect-error
await step.run([[y, new BigInt64Array(4)]]);
// @ts-expect-error
await step.run([[x, Promise.resolve(img)]]);
// @ts-expect-error
await step.run([[y, img]]);
// @ts-expect-error
await step.run([[x, lab]]);
// @ts-expect-error
await step.run([[x, new Int32Array(3)]]);
// @ts-expect-error
await step.run([[m, [1, 2]]]);
// @ts-expect-error
await step.run([[k, [0.5]]]);
// @ts-expect-error
await step.run([[k, '0.5']]);
const s = new tf.Session();
export const q = await s.run({ a: x, b: [k, y], c: { d: k } }, [[x, img]]);
export const t = await s.run([k, x, tf.equal(k, 1)]);
declare const list: Tensor<'float32', []>[];
export const t2 = await s.run(list);

// A narrower type is fed as it is.
declare const bytes: NDArray<'uint8', [number]>, doubles: NDArray<'float64', [number]>;
const wide = tf.placeholder('float64', [null]);
await step.run([[y, bytes]]);
await step.run([[y, new Uint8Array(3)]]);
await step.run([[wide, lab]]);
await step.run([[wide, new Float32Array(3)]]);
await step.run([[wide, doubles]]);
// @ts-expect-error
await step.run([[y, doubles]]);
// @ts-expect-error
await step.run([[y, new Float32Array(3)]]);
