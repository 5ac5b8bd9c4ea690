import type { Dim, Shape, Tensor } from 'millrace';
import * as tf from 'millrace';

declare const anyShape: number[];
declare const n: number;
const u = tf.zeros(anyShape); // unknown rank
const v = tf.placeholder('float32', [null, n, 10]); // number + null
const k = tf.zeros([3, 10]);
const w = tf.zeros([n, 10]);
export const a1 = tf.matmul(u, k),
  a2 = tf.matmul(k, u),
  a3 = tf.matmul(w, tf.zeros([10, n])),
  a4 = tf.matmul(w, tf.zeros([n, 7])),
  a5 = u.add(k),
  a6 = k.add(u),
  a7 = v.mul(k),
  a8 = w.add(tf.zeros([10])),
  a9 = v.add(1);
export const b1 = tf.reshape(u, [-1, 10]),
  b2 = tf.reshape(v, [-1, 10]),
  b3 = tf.reshape(k, anyShape),
  b4 = tf.reshape(k, [n, n]),
  b5 = tf.reshape(k, [-1]),
  b6 = tf.reshape(k, [5, -1]),
  b7 = tf.reshape(w, [-1]);
export const c1 = tf.nn.conv2d(u, tf.zeros([5, 5, 1, 32]), { strides: [1, 1, 1, 1], padding: 'SAME' }),
  c2 = tf.nn.conv2d(tf.zeros([n, 28, n, 1]), tf.zeros([5, 5, n, 32]), { strides: [1, 2, 2, 1], padding: 'VALID' }),
  c3 = tf.nn.maxPool(tf.zeros([1, 28, 27, 3]), { ksize: [1, 3, 3, 1], strides: [1, 2, 2, 1], padding: 'VALID' });
export const c4 = tf.nn.conv2d(tf.zeros([8, 224, 224, 3]), tf.zeros([7, 7, 3, 64]), {
  strides: [1, 2, 2, 1],
  padding: 'SAME',
});
export const d1 = tf.reduceSum(u, 1),
  d2 = tf.reduceSum(v, -1),
  d3 = tf.reduceSum(v, n),
  d4 = tf.reduceSum(v, [0, 2]),
  d5 = tf.reduceMean(v, 1, { keepDims: true }),
  d6 = tf.reduceMean(v, [0, -1], { keepDims: true }),
  d7 = tf.reduceMean(v);
export const e1 = tf.transpose(v, [2, 0, 1]),
  e2 = tf.transpose(k),
  e3 = tf.expandDims(k, 0),
  e4 = tf.expandDims(k, -1),
  e5 = tf.expandDims(k, 1),
  e6 = tf.squeeze(tf.zeros([1, 3, 1, null])),
  e7 = tf.transpose(u),
  e8 = tf.expandDims(k, 2);
export const f1 = tf.concat([k, k], 0),
  f2 = tf.concat([k, tf.zeros([3, 5])], 1),
  f3 = tf.concat([k, tf.zeros([n, 10]), k], 0),
  f4 = tf.concat([k, u], 0),
  f5 = tf.concat([v, v], -1),
  f6 = tf.concat([k, tf.zeros([null, 10])], 0);
export const g1 = tf.gather(k, tf.zeros([4, 2], 'int32')),
  g2 = tf.slice(v, [0], [1]);
export const h1 = tf.placeholder('float32', [null, 1]).add(tf.zeros([1, 10])),
  h2 = tf.placeholder('float32', [null, 10]).add(tf.placeholder('float32', [null, 10])),
  h3 = k.add(tf.constant(2)),
  h4 = tf.constant([
    [1, 2],
    [3, 4],
  ]),
  h5 = tf.add(1, k),
  h6 = tf.constant(3),
  h7 = tf.equal(k, 3),
  h8 = tf.constant([true, false]);
// user-written helpers
export const dense = <N extends number, M extends number>(
  x: Tensor<'float32', [null, N]>,
  w: Tensor<'float32', [N, M]>,
  b: Tensor<'float32', [M]>,
) => tf.nn.relu(tf.matmul(x, w).add(b));
export const layer = <B extends Dim, N extends number, const M extends number>(
  x: Tensor<'float32', [B, N]>,
  units: M,
) => {
  const w = tf.variable(tf.truncatedNormal([x.dim(1), units]));
  const b = tf.variable(tf.zeros([units]));
  return tf.matmul(x, w).add(b);
};
export const residual = <S extends Shape>(
  x: Tensor<'float32', S>,
  f: (x: Tensor<'float32', S>) => Tensor<'float32', S>,
) => x.add(f(x)).mul(0.5);
export const norm = <S extends Shape>(x: Tensor<'float32', S>) =>
  x.sub(tf.reduceMean(x)).div(tf.sqrt(tf.reduceMean(tf.square(x))));
const x = tf.placeholder('float32', [null, 784]);
export const r1 = dense(x, tf.zeros([784, 10]), tf.zeros([10])),
  r2 = dense(tf.zeros([32, 784]), tf.zeros([784, 10]), tf.zeros([10])),
  r3 = dense(u, k, u),
  r4 = dense(w, tf.zeros([10, 5]), tf.zeros([n])),
  r5 = dense(tf.zeros([n, n]), tf.zeros([784, 10]), tf.zeros([10]));
export const s1 = layer(x, 10),
  s2 = layer(layer(tf.zeros([32, 784]), 128), 10),
  s3 = layer(w, n),
  s4 = residual(x, tf.nn.relu),
  s5 = norm(x);
// concrete user signatures accept unknowns, and more-known
const model = (x: Tensor<'float32', [null, 784]>): Tensor<'float32', [null, 10]> => tf.matmul(x, tf.zeros([784, 10]));
export const t1 = model(u),
  t2 = model(tf.zeros([n, n])),
  t3 = model(tf.zeros([32, 784])),
  t4 = model(x),
  t5: Tensor = x,
  t6: Tensor<'float32'> = x,
  t7: Tensor<'float32', [32, 10]> = model(x),
  t8: Tensor<'float32', Dim[]> = tf.variable(x),
  t9: Tensor<'float32', [Dim, 784]> = x;
// negatives
// @ts-expect-error
model(tf.zeros([32, 783]));
// @ts-expect-error
model(tf.zeros([784]));
// @ts-expect-error
dense(x, tf.zeros([783, 10]), tf.zeros([10]));
// @ts-expect-error
dense(x, tf.zeros([784, 10]), tf.zeros([11]));
// @ts-expect-error
const bad: Tensor<'int32'> = x;
// @ts-expect-error
tf.concat([tf.zeros([2, 3]), tf.zeros([2, 4])], 0);
// @ts-expect-error
residual(x, (q: Tensor<'float32', [null, 3]>) => q);
// @ts-expect-error
tf.add(x, tf.zeros([784], 'int32'));
// @ts-expect-error
tf.variable(tf.zeros([3])).assign(tf.zeros([4]));
