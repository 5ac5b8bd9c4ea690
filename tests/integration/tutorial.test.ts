// Every listing of the tutorial "Deep MNIST for Experts", in its order, in one graph and one session. The names of the
// second model end in 2 where the first has them already, and the last loop trains in every step.
import { expect, test } from 'vitest';
import { readDataSets } from '../../src/data/mnist.ts';
import * as tf from '../../src/index.ts';

test('the tutorial, listing by listing', async () => {
  tf.resetDefaultGraph();
  // Load MNIST Data
  const mnist = await readDataSets('MNIST_data', { oneHot: true, seed: 3, log: () => {} });
  // Start TensorFlow InteractiveSession
  const sess = new tf.InteractiveSession();

  // Placeholders
  const x = tf.placeholder(tf.float32, [null, 784]);
  const y_ = tf.placeholder(tf.float32, [null, 10]);
  // Variables
  const W = tf.variable(tf.zeros([784, 10]));
  const b = tf.variable(tf.zeros([10]));
  await sess.run(tf.initializeAllVariables());
  // Predicted Class and Cost Function
  const y = tf.nn.softmax(tf.matmul(x, W).add(b));
  const crossEntropy = tf.reduceSum(y_.mul(tf.log(y))).neg();
  // Train the Model
  const trainStep = new tf.train.GradientDescentOptimizer(0.01).minimize(crossEntropy);
  for (let i = 0; i < 1000; i++) {
    const batch = mnist.train.nextBatch(50);
    await trainStep.run([
      [x, batch.images],
      [y_, batch.labels],
    ]);
  }
  // Evaluate the Model
  const correctPrediction = tf.equal(tf.argmax(y, 1), tf.argmax(y_, 1));
  const accuracy = tf.reduceMean(tf.cast(correctPrediction, tf.float32));
  const reached = await accuracy.eval([
    [x, mnist.test.images],
    [y_, mnist.test.labels],
  ]);
  expect(reached).toBeGreaterThan(0.905);
  expect(reached).toBeLessThan(0.935);

  // Weight Initialization
  const weightVariable = <const S extends readonly number[]>(shape: S) => {
    const initial = tf.truncatedNormal(shape, { stddev: 0.1 });
    return tf.variable(initial);
  };
  const biasVariable = <const S extends readonly number[]>(shape: S) => {
    const initial = tf.constant(0.1, { shape });
    return tf.variable(initial);
  };
  // Convolution and Pooling
  const conv2d = <A extends tf.Shape, B extends tf.Shape>(
    image: tf.Tensor<'float32', A>,
    filter: tf.Tensor<'float32', B>,
  ) => tf.nn.conv2d(image, filter, { strides: [1, 1, 1, 1], padding: 'SAME' });
  const maxPool2x2 = <A extends tf.Shape>(image: tf.Tensor<'float32', A>) =>
    tf.nn.maxPool(image, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' });
  // First Convolutional Layer
  const WConv1 = weightVariable([5, 5, 1, 32]);
  const bConv1 = biasVariable([32]);
  const xImage = tf.reshape(x, [-1, 28, 28, 1]);
  const hConv1 = tf.nn.relu(conv2d(xImage, WConv1).add(bConv1));
  const hPool1 = maxPool2x2(hConv1);
  // Second Convolutional Layer
  const WConv2 = weightVariable([5, 5, 32, 64]);
  const bConv2 = biasVariable([64]);
  const hConv2 = tf.nn.relu(conv2d(hPool1, WConv2).add(bConv2));
  const hPool2 = maxPool2x2(hConv2);
  // Densely Connected Layer
  const WFc1 = weightVariable([7 * 7 * 64, 1024]);
  const bFc1 = biasVariable([1024]);
  const hPool2Flat = tf.reshape(hPool2, [-1, 7 * 7 * 64]);
  const hFc1 = tf.nn.relu(tf.matmul(hPool2Flat, WFc1).add(bFc1));
  // Dropout
  const keepProb = tf.placeholder(tf.float32);
  const hFc1Drop = tf.nn.dropout(hFc1, keepProb);
  // Readout Layer
  const WFc2 = weightVariable([1024, 10]);
  const bFc2 = biasVariable([10]);
  const yConv = tf.nn.softmax(tf.matmul(hFc1Drop, WFc2).add(bFc2));
  expect(yConv.shape).toEqual([null, 10]);
  // Train and Evaluate the Model
  const crossEntropy2 = tf.reduceSum(y_.mul(tf.log(yConv))).neg();
  const trainStep2 = new tf.train.AdamOptimizer(1e-4).minimize(crossEntropy2);
  const correctPrediction2 = tf.equal(tf.argmax(yConv, 1), tf.argmax(y_, 1));
  const accuracy2 = tf.reduceMean(tf.cast(correctPrediction2, tf.float32));
  await sess.run(tf.initializeAllVariables());
  for (let i = 0; i < 100; i++) {
    const batch = mnist.train.nextBatch(50);
    if (i % 50 === 0) {
      const trainAccuracy = await accuracy2.eval([
        [x, batch.images],
        [y_, batch.labels],
        [keepProb, 1.0],
      ]);
      expect(trainAccuracy).toBeGreaterThanOrEqual(0);
    }
    await trainStep2.run([
      [x, batch.images],
      [y_, batch.labels],
      [keepProb, 0.5],
    ]);
  }
  const some = mnist.test.nextBatch(1000);
  expect(
    await accuracy2.eval([
      [x, some.images],
      [y_, some.labels],
      [keepProb, 1.0],
    ]),
  ).toBeGreaterThan(0.75);
  await sess.close();
});

test('the same seed gives the same bits in all variables, and evaluations in between change none', async () => {
  const hash = async (evaluate: boolean): Promise<string> => {
    const { createHash } = await import('node:crypto');
    const graph = new tf.Graph();
    const { tutorialModel } = await import('../tutorial-model.ts');
    const sess = new tf.Session({ graph, seed: 1 });
    const { model, init } = graph.asDefault(() => ({ model: tutorialModel(tf), init: tf.initializeAllVariables() }));
    const { x, y_, keepProb, step, y } = model;
    const mnist = await readDataSets('MNIST_data', { oneHot: true, seed: 1, log: () => {} });
    await sess.run(init);
    for (let i = 0; i < 4; i++) {
      const batch = mnist.train.nextBatch(20);
      await sess.run(step, [
        [x, batch.images],
        [y_, batch.labels],
        [keepProb, 0.5],
      ] as any);
      if (evaluate)
        await sess.run(y, [
          [x, batch.images],
          [keepProb, 0.7],
        ] as any);
    }
    const digest = createHash('md5');
    for (const v of (await sess.run([...graph.variables])) as any[])
      digest.update(typeof v === 'object' ? v.data : String(v));
    await sess.close();
    return digest.digest('hex');
  };
  const first = await hash(false);
  expect(await hash(false)).toBe(first);
  expect(await hash(true)).toBe(first);
});
