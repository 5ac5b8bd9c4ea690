// The benchmark's models in millrace, as the peers have them: a step with its feeds.
import * as tf from '../dist/index.js';

/** Fixed numbers from 0 to 1, and fixed one-hot labels: only time is measured. */
const pixels = (count) => Float32Array.from({ length: count }, (_, i) => Math.abs(Math.sin(i * 12.9898)) % 1);
const labels = (count) =>
  Float32Array.from({ length: count * 10 }, (_, i) => Number(i % 10 === (Math.floor(i / 10) * 7) % 10));

function softmax(batch) {
  const x = tf.placeholder('float32', [null, 784]);
  const y_ = tf.placeholder('float32', [null, 10]);
  const W = tf.variable(tf.zeros([784, 10]));
  const b = tf.variable(tf.zeros([10]));
  const y = tf.nn.softmax(tf.matmul(x, W).add(b));
  const step = new tf.train.GradientDescentOptimizer(0.01).minimize(tf.reduceSum(y_.mul(tf.log(y))).neg());
  return {
    step,
    feeds: [
      [x, tf.array(pixels(batch * 784), [batch, 784])],
      [y_, tf.array(labels(batch), [batch, 10])],
    ],
  };
}

function cnn(batch) {
  const weight = (shape) => tf.variable(tf.truncatedNormal(shape, { stddev: 0.1 }));
  const bias = (shape) => tf.variable(tf.constant(0.1, { shape }));
  const conv = (image, filter) => tf.nn.conv2d(image, filter, { strides: [1, 1, 1, 1], padding: 'SAME' });
  const pool = (image) => tf.nn.maxPool(image, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' });
  const x = tf.placeholder('float32', [null, 784]);
  const y_ = tf.placeholder('float32', [null, 10]);
  const keepProb = tf.placeholder('float32');
  const h1 = pool(tf.nn.relu(conv(tf.reshape(x, [-1, 28, 28, 1]), weight([5, 5, 1, 32])).add(bias([32]))));
  const h2 = pool(tf.nn.relu(conv(h1, weight([5, 5, 32, 64])).add(bias([64]))));
  const h3 = tf.nn.relu(tf.matmul(tf.reshape(h2, [-1, 3136]), weight([3136, 1024])).add(bias([1024])));
  const y = tf.nn.softmax(tf.matmul(tf.nn.dropout(h3, keepProb), weight([1024, 10])).add(bias([10])));
  const step = new tf.train.AdamOptimizer(1e-4).minimize(tf.reduceSum(y_.mul(tf.log(y))).neg());
  const feeds = [
    [x, tf.array(pixels(batch * 784), [batch, 784])],
    [y_, tf.array(labels(batch), [batch, 10])],
    [keepProb, 0.5],
  ];
  return { step, feeds };
}

const models = { softmax, cnn };

/** A contender: `run(n)` takes n steps and gives their times in ms. Feeds and promise are part of a step. */
export async function millrace(model, batch) {
  const graph = new tf.Graph();
  const sess = new tf.Session({ graph });
  const { step, feeds, init } = graph.asDefault(() => ({ ...models[model](batch), init: tf.initializeAllVariables() }));
  await sess.run(init);
  return {
    name: 'millrace wasm',
    async run(n) {
      const times = [];
      for (let i = 0; i < n; i++) {
        const begin = performance.now();
        await sess.run(step, feeds);
        times.push(performance.now() - begin);
      }
      return times;
    },
    close: () => sess.close(),
  };
}
