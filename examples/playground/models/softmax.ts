// The first model of the tutorial. The page shows this function's own text.
import * as tf from 'millrace';
import type { Model } from './model.ts';

export function softmax(optimizer: tf.train.Optimizer): Model {
  const x = tf.placeholder('float32', [null, 784]);
  const y_ = tf.placeholder('float32', [null, 10]);

  const W = tf.variable(tf.zeros([784, 10]));
  const b = tf.variable(tf.zeros([10]));

  const y = tf.nn.softmax(tf.matmul(x, W).add(b));
  const crossEntropy = tf.reduceSum(y_.mul(tf.log(y))).neg();
  const trainStep = optimizer.minimize(crossEntropy);

  const correctPrediction = tf.equal(tf.argmax(y, 1), tf.argmax(y_, 1));
  const accuracy = tf.reduceMean(tf.cast(correctPrediction, 'float32'));

  const layers = [
    { name: 'x', what: 'image', output: x, variables: [] },
    { name: 'y', what: 'weights for each digit, softmax', output: y, variables: [W, b] },
  ];
  return { x, y_, y, crossEntropy, trainStep, accuracy, layers, filters: W };
}
