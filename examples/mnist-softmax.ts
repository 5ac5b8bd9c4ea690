// The first model of the tutorial: softmax regression. Reaches about 91 % on the test images.
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

const x = tf.placeholder('float32', [null, 784]);
const y_ = tf.placeholder('float32', [null, 10]);

const W = tf.variable(tf.zeros([784, 10]));
const b = tf.variable(tf.zeros([10]));
await sess.run(tf.initializeAllVariables());

const y = tf.nn.softmax(tf.matmul(x, W).add(b));
const crossEntropy = tf.reduceSum(y_.mul(tf.log(y))).neg();
const trainStep = new tf.train.GradientDescentOptimizer(0.01).minimize(crossEntropy);

const { from, save } = await checkpoints('softmax', sess, mnist.train);
let done = from;
for (const i of steps(1000, from)) {
  const batch = mnist.train.nextBatch(size);
  const feeds = tf.feeds([x, batch.images], [y_, batch.labels]);
  const [loss] = await sess.run([crossEntropy, trainStep], feeds);
  note(`loss ${loss.toPrecision(3)}`);
  await save((done = i + 1));
}
await save(done, true);

status('compiling and running the test');
const correctPrediction = tf.equal(tf.argmax(y, 1), tf.argmax(y_, 1));
const accuracy = tf.reduceMean(tf.cast(correctPrediction, 'float32'));
const testAccuracy = await accuracy.eval([
  [x, mnist.test.images],
  [y_, mnist.test.labels],
]);
console.log(`test accuracy ${percent(testAccuracy)}`);
await sess.close();
