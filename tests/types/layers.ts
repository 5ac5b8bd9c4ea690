// Layers, losses and metrics as a program has them: what each gives is checked to the letter.
import type { Shape, Tensor, Variable } from 'millrace';
import * as tf from 'millrace';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is =
  <E>() =>
  <A>(_: A, __: Same<A, E>): void => {};
type F32<S extends Shape> = Tensor<'float32', S>;

// The second model of the tutorial.
const x = tf.placeholder('float32', [null, 784]);
const labels = tf.placeholder('int32', [null]);
const training = tf.placeholder('bool', []);
const image = tf.reshape(x, [-1, 28, 28, 1]);
const conv1 = tf.layers.conv2d(image, 32, 5, { padding: 'same', activation: tf.nn.relu });
const pool1 = tf.layers.maxPooling2d(conv1, 2, 2);
const conv2 = tf.layers.conv2d(pool1, 64, [5, 5], { padding: 'SAME', activation: tf.nn.relu });
const pool2 = tf.layers.averagePooling2d(conv2, [2, 2], 2, { padding: 'same' });
const flat = tf.layers.flatten(pool2);
const normal = tf.layers.batchNormalization(flat, { training, momentum: 0.9 });
const hidden = tf.layers.dense(normal, 1024, { activation: (h) => tf.maximum(h.mul(0.2), h), name: 'hidden' });
const dropped = tf.layers.dropout(hidden, { rate: 0.4, training });
const logits = tf.layers.dense(dropped, 10, { kernelRegularizer: tf.layers.l2Regularizer(1e-4) });
const loss = tf.losses.sparseSoftmaxCrossEntropy(labels, logits);
const [accuracy, update] = tf.metrics.accuracy(labels, tf.argmax(logits, 1));
is<F32<[null, 28, 28, 32]>>()(conv1, true);
is<F32<[null, 14, 14, 32]>>()(pool1, true);
is<F32<[null, 14, 14, 64]>>()(conv2, true);
is<F32<[null, 7, 7, 64]>>()(pool2, true);
is<F32<[null, 3136]>>()(flat, true);
is<F32<[null, 3136]>>()(normal, true);
is<F32<[null, 1024]>>()(hidden, true);
is<F32<[null, 1024]>>()(dropped, true);
is<F32<[null, 10]>>()(logits, true);
is<F32<[]>>()(loss, true);
is<F32<[]>>()(accuracy, true);
is<F32<[]>>()(update, true);

// Other ranks, steps and paddings.
const sequence = tf.placeholder('float32', [null, 20, 50]);
is<F32<[null, 20, 7]>>()(tf.layers.dense(sequence, 7), true);
is<F32<[2, 3, 4, 7]>>()(tf.layers.dense(tf.zeros([2, 3, 4, 5]), 7, { useBias: false }), true);
is<Tensor<'float64', [2, 7]>>()(tf.layers.dense(tf.zeros([2, 5], 'float64'), 7), true);
is<F32<[null, 18, 7]>>()(tf.layers.conv1d(sequence, 7, 3), true);
is<F32<[null, 10, 7]>>()(tf.layers.conv1d(sequence, 7, 3, { strides: 2, padding: 'same' }), true);
is<F32<[null, 24, 24, 8]>>()(tf.layers.conv2d(image, 8, 5), true);
is<F32<[null, 14, 10, 8]>>()(tf.layers.conv2d(image, 8, [3, 3], { strides: [2, 3], padding: 'same' }), true);
is<F32<[null, 13, 9, 1]>>()(tf.layers.maxPooling2d(image, 3, [2, 3]), true);
is<F32<[null, 20, 50]>>()(tf.layers.layerNormalization(sequence), true);
is<F32<[null, 1000]>>()(tf.layers.flatten(sequence), true);
is<F32<[3, null]>>()(tf.layers.flatten(tf.placeholder('float32', [3, null, 2])), true);
is<F32<[null, 64]>>()(tf.layers.embedding(labels, 1000, 64), true);
is<Tensor<'float64', [4, 5, 8]>>()(tf.layers.embedding(tf.zeros([4, 5], 'int32'), 10, 8, { dtype: 'float64' }), true);

// Convolutions of other kinds, elements that lie apart, channels that are second, sizes that only the run knows.
const code = tf.placeholder('float32', [null, 7, 7, 64]);
const larger = tf.layers.conv2dTranspose(code, 32, 5, { strides: 2, padding: 'same', activation: tf.nn.relu });
is<F32<[null, 14, 14, 32]>>()(larger, true);
is<F32<[null, 17, 9, 3]>>()(tf.layers.conv2dTranspose(code, 3, [5, 3], { strides: [2, 1] }), true);
is<F32<[null, 21, 14, 3]>>()(tf.layers.conv2dTranspose(code, 3, 2, { strides: [3, 2] }), true);
is<F32<[null, 14, 14, 64]>>()(tf.layers.separableConv2d(larger, 64, 3, { padding: 'same', depthMultiplier: 2 }), true);
is<F32<[null, 10, 6, 64]>>()(tf.layers.separableConv2d(larger, 64, 3, { dilationRate: [2, 4] }), true);
is<F32<[null, 20, 20, 8]>>()(tf.layers.conv2d(image, 8, 5, { dilationRate: 2 }), true);
is<F32<[null, 12, 7]>>()(tf.layers.conv1d(sequence, 7, 3, { dilationRate: 4 }), true);
const second = tf.placeholder('float32', [null, 3, 32, 24]);
const dataFormat = 'channels_first';
is<F32<[null, 8, 28, 20]>>()(tf.layers.conv2d(second, 8, 5, { dataFormat, activation: tf.nn.relu }), true);
is<F32<[null, 8, 64, 48]>>()(
  tf.layers.conv2dTranspose(second, 8, 4, { strides: 2, padding: 'same', dataFormat }),
  true,
);
is<F32<[null, 8, 16, 8]>>()(tf.layers.separableConv2d(second, 8, 1, { strides: [2, 3], dataFormat }), true);
is<F32<[null, 3, 16, 12]>>()(tf.layers.maxPooling2d(second, 2, 2, { dataFormat }), true);
is<F32<[null, 8, 20]>>()(tf.layers.conv1d(tf.placeholder('float32', [null, 2, 22]), 8, 3, { dataFormat }), true);
is<F32<[null, 3, 32, 24]>>()(tf.layers.batchNormalization(second, { axis: 1 }), true);
const anySize = tf.placeholder('float32', [null, null, null, 3]);
is<F32<[null, null, null, 5]>>()(tf.layers.dense(anySize, 5), true);
is<F32<[null, null, null, 5]>>()(tf.layers.conv2dTranspose(anySize, 5, 3, { strides: 2 }), true);
is<F32<[null, null]>>()(tf.layers.flatten(anySize), true);

// Helpers generic in the shape of their argument, and what is of any shape.
const block = <S extends Shape>(t: F32<S>): F32<S> => tf.nn.relu(tf.layers.batchNormalization(t, { training: true }));
is<F32<[null, 784]>>()(block(x), true);
declare const a: any;
const unknown: F32<[null, 10]> = tf.layers.dense(a, 10);
const anyImage = tf.layers.conv2d(a, 8, 3);
export const passed = [unknown, anyImage, tf.layers.flatten(a), tf.losses.meanSquaredError(a, a)];
const mlp = <const U extends readonly number[]>(t: F32<[null, 784]>, units: U) =>
  units.reduce<F32<[null, number]>>((h, n) => tf.layers.dense(h, n, { activation: tf.nn.relu }), t);
is<F32<[null, number]>>()(mlp(x, [100, 50]), true);

// Variables of scopes.
const shared = tf.variableScope('net', { reuse: tf.AUTO_REUSE }, () => tf.getVariable('w', [784, 10]));
is<Variable<'float32', [784, 10]>>()(shared, true);
is<F32<[null, 10]>>()(tf.matmul(x, shared), true);
