// TensorFlow 1's "A guide to tf.layers: building a convolutional neural network".
// `npm run gallery -- mnist-layers 500` reaches 98.6 % on the test images.
import * as tf from 'millrace';
import { readDataSets } from 'millrace/mnist';

function cnnModel(features: tf.Tensor<'float32', [null, 784]>, training: tf.Tensor<'bool', []>) {
  const inputLayer = tf.reshape(features, [-1, 28, 28, 1]);
  const conv1 = tf.layers.conv2d(inputLayer, 32, [5, 5], { padding: 'same', activation: tf.nn.relu });
  const pool1 = tf.layers.maxPooling2d(conv1, [2, 2], 2);
  const conv2 = tf.layers.conv2d(pool1, 64, [5, 5], { padding: 'same', activation: tf.nn.relu });
  const pool2 = tf.layers.maxPooling2d(conv2, [2, 2], 2);
  const dense = tf.layers.dense(tf.layers.flatten(pool2), 1024, { activation: tf.nn.relu });
  const dropout = tf.layers.dropout(dense, { rate: 0.4, training });
  return tf.layers.dense(dropout, 10, { name: 'logits' });
}

const steps = Number(process.argv[2] ?? 10000);
const mnist = await readDataSets('MNIST_data', { oneHot: false, seed: 1 });

const features = tf.placeholder('float32', [null, 784]);
const labels = tf.placeholder('int32', [null]);
const training = tf.placeholder('bool', []);
const logits = cnnModel(features, training);

const loss = tf.losses.sparseSoftmaxCrossEntropy(labels, logits);
const globalStep = tf.train.getOrCreateGlobalStep();
const trainOp = new tf.train.AdamOptimizer(1e-3).minimize(loss, { globalStep });
const [accuracy, updateAccuracy] = tf.metrics.accuracy(labels, tf.argmax(logits, 1));

const sess = new tf.Session();
await sess.run([tf.globalVariablesInitializer(), tf.localVariablesInitializer()]);
for (let i = 0; i < steps; i++) {
  const batch = mnist.train.nextBatch(100);
  const feeds = tf.feeds([features, batch.images], [labels, batch.labels], [training, true]);
  const [value] = await sess.run([loss, trainOp], feeds);
  if (i % 100 === 0) console.log(`step ${i}, loss ${value.toPrecision(3)}`);
}
for (let i = 0; i < mnist.test.numExamples; i += 100) {
  const batch = mnist.test.nextBatch(100);
  await sess.run(updateAccuracy, tf.feeds([features, batch.images], [labels, batch.labels], [training, false]));
}
console.log(`test accuracy ${(await sess.run(accuracy)).toPrecision(4)}`);
await sess.close();
