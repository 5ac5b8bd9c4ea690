import type { Dim, NDArray, Shape, Tensor } from 'millrace';
import * as tf from 'millrace';
import { accuracy, h1, logits, p2, x, xImage, y } from './mnist.ts';

declare const labels: NDArray<'float32', [number, 10]>;
declare const ints: NDArray<'int32', [number, 784]>;
declare const step: tf.Operation;
// 1 matmul inner dims
tf.matmul(x, tf.zeros([783, 10]));
// 2 add does not broadcast
logits.add(tf.zeros([11]));
tf.add(logits, tf.zeros([11]));
// 3 reshape
tf.reshape(x, [-1, 28, 27, 1]);
tf.reshape(tf.zeros([784, 10]), [28, 28]);
// 4 conv channels
tf.nn.conv2d(xImage, tf.zeros([5, 5, 3, 32]), { strides: [1, 1, 1, 1], padding: 'SAME' });
// 5 feed labels for images
await step.run([[x, labels]]);
// 6 feed wrong dtype
await step.run([[x, ints]]);
// 7 dtype mix
tf.add(y, tf.argmax(y, 1));
tf.matmul(y, tf.zeros([10, 10], 'int32'));
// 8 axis out of range
tf.reduceSum(y, 2);
tf.argmax(y, 3);
// 9 padding typo
tf.nn.maxPool(h1, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'same' });
// 10 non-scalar loss
new tf.train.AdamOptimizer(1e-4).minimize(tf.reduceSum(y, 1));
// 11 pool of rank 2
tf.nn.maxPool(x, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' });
// 12 user helper with a concrete type
const dense = <N extends number, M extends number>(
  x: Tensor<'float32', [null, N]>,
  w: Tensor<'float32', [N, M]>,
  b: Tensor<'float32', [M]>,
) => tf.matmul(x, w).add(b);
dense(x, tf.zeros([783, 10]), tf.zeros([10]));
// 13 forgot to reduce: scalar plus string
y.add('1');
// 14 xent mismatch
tf.nn.softmaxCrossEntropyWithLogits({ labels: tf.zeros([100, 9]), logits });
// 15 concat
tf.concat([tf.zeros([2, 3]), tf.zeros([2, 4])], 0);
// 16 scalar feed for image
await step.run([[x, 0.5]]);
