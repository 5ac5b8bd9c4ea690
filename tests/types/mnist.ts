import type { NDArray, Shape, Tensor } from 'millrace';
import * as tf from 'millrace';

declare const mnist: {
  train: {
    nextBatch(n: number): { images: NDArray<'float32', [number, 784]>; labels: NDArray<'float32', [number, 10]> };
  };
  test: { images: NDArray<'float32', [number, 784]>; labels: NDArray<'float32', [number, 10]> };
};

// softmax model
const x = tf.placeholder('float32', [null, 784]);
const W = tf.variable(tf.zeros([784, 10]));
const b = tf.variable(tf.zeros([10]));
const y = tf.nn.softmax(tf.matmul(x, W).add(b));
const y_ = tf.placeholder('float32', [null, 10]);
const crossEntropy = tf.reduceMean(tf.neg(tf.reduceSum(y_.mul(tf.log(y)), 1)));
const trainStep = new tf.train.GradientDescentOptimizer(0.5).minimize(crossEntropy);
const batch = mnist.train.nextBatch(100);
await trainStep.run([
  [x, batch.images],
  [y_, batch.labels],
]);

// deep model
const weightVariable = <const S extends Shape>(shape: S) => tf.variable(tf.truncatedNormal(shape, { stddev: 0.1 }));
const biasVariable = <const S extends Shape>(shape: S) => tf.variable(tf.fill(shape, 0.1));
const conv2d = <A extends Shape, B extends Shape>(x: Tensor<'float32', A>, W: Tensor<'float32', B>) =>
  tf.nn.conv2d(x, W, { strides: [1, 1, 1, 1], padding: 'SAME' });
const maxPool2x2 = <A extends Shape>(x: Tensor<'float32', A>) =>
  tf.nn.maxPool(x, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' });

const xImage = tf.reshape(x, [-1, 28, 28, 1]);
const Wc1 = weightVariable([5, 5, 1, 32]);
const bc1 = biasVariable([32]);
const h1 = tf.nn.relu(conv2d(xImage, Wc1).add(bc1));
const p1 = maxPool2x2(h1);
const Wc2 = weightVariable([5, 5, 32, 64]);
const bc2 = biasVariable([64]);
const h2 = tf.nn.relu(conv2d(p1, Wc2).add(bc2));
const p2 = maxPool2x2(h2);
const Wf1 = weightVariable([3136, 1024]);
const bf1 = biasVariable([1024]);
const flat = tf.reshape(p2, [-1, 3136]);
const hf1 = tf.nn.relu(tf.matmul(flat, Wf1).add(bf1));
const keepProb = tf.placeholder('float32', []);
const drop = tf.nn.dropout(hf1, keepProb);
const Wf2 = weightVariable([1024, 10]);
const bf2 = biasVariable([10]);
const logits = tf.matmul(drop, Wf2).add(bf2);
const loss = tf.reduceMean(tf.nn.softmaxCrossEntropyWithLogits({ labels: y_, logits }));
const step = new tf.train.AdamOptimizer(1e-4).minimize(loss);
const correct = tf.equal(tf.argmax(logits, 1), tf.argmax(y_, 1));
const accuracy = tf.reduceMean(tf.cast(correct, 'float32'));
const session = new tf.Session();
await step.run([
  [x, batch.images],
  [y_, batch.labels],
  [keepProb, 0.5],
]);
const r = await session.run({ loss, accuracy }, [
  [x, batch.images],
  [y_, batch.labels],
  [keepProb, 1],
]);
const [l, p] = await session.run(
  [loss, y],
  [
    [x, batch.images],
    [y_, batch.labels],
  ],
);
const one = await session.run(accuracy);

export { accuracy, correct, flat, h1, h2, hf1, l, logits, loss, one, p, p1, p2, r, W, Wc1, x, xImage, y };
