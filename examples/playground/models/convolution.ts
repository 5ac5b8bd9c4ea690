// The second model of the tutorial. The page shows this function's own text.
import * as tf from 'millrace';
import type { Model } from './model.ts';

export function convolution(optimizer: tf.train.Optimizer): Model {
  const x = tf.placeholder('float32', [null, 784]);
  const y_ = tf.placeholder('float32', [null, 10]);

  const WConv1 = weightVariable([5, 5, 1, 32]);
  const bConv1 = biasVariable([32]);
  const xImage = tf.reshape(x, [-1, 28, 28, 1]);
  const hConv1 = tf.nn.relu(conv2d(xImage, WConv1).add(bConv1));
  const hPool1 = maxPool2x2(hConv1);

  const WConv2 = weightVariable([5, 5, 32, 64]);
  const bConv2 = biasVariable([64]);
  const hConv2 = tf.nn.relu(conv2d(hPool1, WConv2).add(bConv2));
  const hPool2 = maxPool2x2(hConv2);

  const WFc1 = weightVariable([3136, 1024]);
  const bFc1 = biasVariable([1024]);
  const hPool2Flat = tf.reshape(hPool2, [-1, 3136]);
  const hFc1 = tf.nn.relu(tf.matmul(hPool2Flat, WFc1).add(bFc1));

  const keepProb = tf.placeholder('float32');
  const hFc1Drop = tf.nn.dropout(hFc1, keepProb);

  const WFc2 = weightVariable([1024, 10]);
  const bFc2 = biasVariable([10]);
  const yConv = tf.nn.softmax(tf.matmul(hFc1Drop, WFc2).add(bFc2));

  const crossEntropy = tf.reduceSum(y_.mul(tf.log(yConv))).neg();
  const trainStep = optimizer.minimize(crossEntropy);

  const correctPrediction = tf.equal(tf.argmax(yConv, 1), tf.argmax(y_, 1));
  const accuracy = tf.reduceMean(tf.cast(correctPrediction, 'float32'));

  const layers = [
    { name: 'xImage', what: 'image', output: xImage, variables: [] },
    { name: 'hConv1', what: '5 × 5 convolution, relu', output: hConv1, variables: [WConv1, bConv1] },
    { name: 'hPool1', what: '2 × 2 max pooling', output: hPool1, variables: [] },
    { name: 'hConv2', what: '5 × 5 convolution, relu', output: hConv2, variables: [WConv2, bConv2] },
    { name: 'hPool2', what: '2 × 2 max pooling', output: hPool2, variables: [] },
    { name: 'hFc1', what: 'dense, relu', output: hFc1, variables: [WFc1, bFc1] },
    { name: 'hFc1Drop', what: 'dropout', output: hFc1Drop, variables: [] },
    { name: 'yConv', what: 'dense, softmax', output: yConv, variables: [WFc2, bFc2] },
  ];
  return { x, y_, y: yConv, keepProb, crossEntropy, trainStep, accuracy, layers, filters: WConv1 };
}

const weightVariable = <const S extends readonly number[]>(shape: S) =>
  tf.variable(tf.truncatedNormal(shape, { stddev: 0.1 }));
const biasVariable = <const S extends readonly number[]>(shape: S) => tf.variable(tf.constant(0.1, { shape }));
const conv2d = <A extends tf.Shape, B extends tf.Shape>(x: tf.Tensor<'float32', A>, W: tf.Tensor<'float32', B>) =>
  tf.nn.conv2d(x, W, { strides: [1, 1, 1, 1], padding: 'SAME' });
const maxPool2x2 = <A extends tf.Shape>(x: tf.Tensor<'float32', A>) =>
  tf.nn.maxPool(x, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' });
