// The second model of the tutorial: a convolutional network. Reaches about 99.2 % on the test images in 20,000 steps.
import * as tf from 'millrace';
import { readDataSets } from 'millrace/mnist';
import { checkpoints } from './checkpoints.ts';
import { options } from './options.ts';
import { note, percent, status, steps } from './run.ts';

const { backend, batch: size, data, seed, threads } = options;
const mnist = await readDataSets(data, { oneHot: true, seed });
const sess = new tf.InteractiveSession({ backend, seed, threads });
console.log(`backend: ${sess.backend.description}`);
status('compiling');

const weightVariable = <const S extends readonly number[]>(shape: S) =>
  tf.variable(tf.truncatedNormal(shape, { stddev: 0.1 }));
const biasVariable = <const S extends readonly number[]>(shape: S) => tf.variable(tf.constant(0.1, { shape }));

const conv2d = <A extends tf.Shape, B extends tf.Shape>(x: tf.Tensor<'float32', A>, W: tf.Tensor<'float32', B>) =>
  tf.nn.conv2d(x, W, { strides: [1, 1, 1, 1], padding: 'SAME' });
const maxPool2x2 = <A extends tf.Shape>(x: tf.Tensor<'float32', A>) =>
  tf.nn.maxPool(x, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' });

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
const trainStep = new tf.train.AdamOptimizer(1e-4).minimize(crossEntropy);
const correctPrediction = tf.equal(tf.argmax(yConv, 1), tf.argmax(y_, 1));
const accuracy = tf.reduceMean(tf.cast(correctPrediction, 'float32'));
await sess.run(tf.initializeAllVariables());

const { from, save } = await checkpoints('cnn', sess, mnist.train);
let done = from;
for (const i of steps(20000, from)) {
  const batch = mnist.train.nextBatch(size);
  if (i % 100 === 0) {
    const trainAccuracy = await accuracy.eval([
      [x, batch.images],
      [y_, batch.labels],
      [keepProb, 1],
    ]);
    console.log(`step ${i}, training accuracy ${percent(trainAccuracy)}`);
    note(`accuracy ${percent(trainAccuracy)}`);
  }
  await trainStep.run([
    [x, batch.images],
    [y_, batch.labels],
    [keepProb, 0.5],
  ]);
  await save((done = i + 1));
}
await save(done, true);

status('compiling and running the test');
const testAccuracy = await accuracy.eval([
  [x, mnist.test.images],
  [y_, mnist.test.labels],
  [keepProb, 1],
]);
console.log(`test accuracy ${percent(testAccuracy)}`);
await sess.close();
