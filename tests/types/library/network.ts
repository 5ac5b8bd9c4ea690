// A library whose types are all inferred, with tf imported as a whole.
import type { Dim, FloatDType, Shape, Tensor } from 'millrace';
import * as tf from 'millrace';
import { readDataSets } from 'millrace/mnist';

export const dense = <B extends Dim, N extends number, const M extends number>(
  x: Tensor<'float32', [B, N]>,
  units: M,
) => {
  const w = tf.variable(tf.truncatedNormal([x.dim(1), units], { stddev: 0.1 }));
  const b = tf.variable(tf.zeros([units]));
  return { w, b, y: tf.nn.relu(tf.matmul(x, w).add(b)) };
};

export const convolutionBlock = <A extends Shape, B extends Shape>(x: Tensor<'float32', A>, w: Tensor<'float32', B>) =>
  tf.nn.maxPool(tf.nn.relu(tf.nn.conv2d(x, w, { strides: [1, 1, 1, 1], padding: 'SAME' })), {
    ksize: [1, 2, 2, 1],
    strides: [1, 2, 2, 1],
    padding: 'SAME',
  });

export const layerNorm = <T extends FloatDType, S extends Shape>(x: Tensor<T, S>) => {
  const centred = x.sub(tf.reduceMean(x, -1, { keepDims: true }));
  const variance = tf.reduceMean(tf.square(centred), -1, { keepDims: true });
  return centred.mul(tf.rsqrt(variance.add(1e-5)));
};

export const rows = <S extends Shape>(x: Tensor<'float32', S>) => tf.reshape(x, [-1, 16]);
export const lookup = <S extends Shape, I extends Shape>(x: Tensor<'float32', S>, i: Tensor<'int32', I>) =>
  tf.gather(x, i);
export const joined = <A extends Shape, B extends Shape>(a: Tensor<'float32', A>, b: Tensor<'float32', B>) =>
  tf.concat([a, b] as [typeof a, typeof b], 0);
export const turned = <S extends Shape>(x: Tensor<'float32', S>) => tf.transpose(tf.expandDims(x, 0));
export const longer = <N extends number>(x: Tensor<'float32', [N]>) => tf.concat([x, tf.zeros([2])], 0);
export const constant = <const V>(value: V) => tf.constant(value);

export const optimizer = (rate: number) => new tf.train.AdamOptimizer(rate);
export const training = (loss: Tensor<'float32', []>) => {
  const pairs = optimizer(1e-3).computeGradients(loss);
  return { pairs, step: optimizer(1e-3).applyGradients(pairs) };
};
export class Nesterov extends tf.train.MomentumOptimizer {
  constructor(rate: number) {
    super(rate, 0.9, { useNesterov: true });
  }
}

export const x = tf.placeholder('float32', [null, 784]);
export const feeds = (images: tf.FeedValue<'float32', [null, 784]>) => tf.feeds([x, images]);
export const evaluate = <const F extends tf.Fetches>(session: tf.Session, fetches: F) => session.run(fetches);
export const digits = (folder: string) => readDataSets(folder, { oneHot: true });

export const { add, reduceSum, equal, randomNormal, nn } = tf;
export const plus = x.add;
export const reshaped = x.reshape;
