// TensorFlow 1's models/tutorials/image/mnist/convolutional.py: a LeNet whose rate decays, with clipped gradients, moving
// averages of the weights, and checkpoints besides. `npm run gallery -- mnist-convolutional 1500` reaches an error of
// 1.5 %, with averaged weights 1.3 %; stopped, it goes on from its newest checkpoint.
import { mkdirSync } from 'node:fs';
import * as tf from 'millrace';
import { readDataSets } from 'millrace/mnist';

const BATCH_SIZE = 64;
const EVAL_BATCH_SIZE = 100;
const EVAL_FREQUENCY = 100;
const CHECKPOINTS = 'mnist-convolutional-run';
const steps = Number(process.argv[2] ?? 1500);

type Images = tf.Tensor<'float32', [number | null, 784]>;
const mnist = await readDataSets('MNIST_data', { seed: 66478 });
const trainSize = mnist.train.numExamples;

const trainDataNode = tf.placeholder('float32', [BATCH_SIZE, 784]);
const trainLabelsNode = tf.placeholder('int32', [BATCH_SIZE]);
const evalData = tf.placeholder('float32', [null, 784]);

const conv1Weights = tf.variable(tf.truncatedNormal([5, 5, 1, 32], { stddev: 0.1 }));
const conv1Biases = tf.variable(tf.zeros([32]));
const conv2Weights = tf.variable(tf.truncatedNormal([5, 5, 32, 64], { stddev: 0.1 }));
const conv2Biases = tf.variable(tf.constant(0.1, { shape: [64] }));
const fc1Weights = tf.variable(tf.truncatedNormal([3136, 512], { stddev: 0.1 }));
const fc1Biases = tf.variable(tf.constant(0.1, { shape: [512] }));
const fc2Weights = tf.variable(tf.truncatedNormal([512, 10], { stddev: 0.1 }));
const fc2Biases = tf.variable(tf.constant(0.1, { shape: [10] }));

// The subgraphs of training and evaluation share the parameters.
function model(data: Images, train = false) {
  const images = tf.reshape(data, [-1, 28, 28, 1]).sub(0.5);
  const conv1 = tf.nn.conv2d(images, conv1Weights, { strides: [1, 1, 1, 1], padding: 'SAME' });
  const relu1 = tf.nn.relu(tf.nn.biasAdd(conv1, conv1Biases));
  const pool1 = tf.nn.maxPool(relu1, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' });
  const conv2 = tf.nn.conv2d(pool1, conv2Weights, { strides: [1, 1, 1, 1], padding: 'SAME' });
  const relu2 = tf.nn.relu(tf.nn.biasAdd(conv2, conv2Biases));
  const pool2 = tf.nn.maxPool(relu2, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' });
  const reshape = tf.reshape(pool2, [-1, 3136]);
  const hidden = tf.nn.relu(tf.matmul(reshape, fc1Weights).add(fc1Biases));
  return tf.matmul(train ? tf.nn.dropout(hidden, 0.5) : hidden, fc2Weights).add(fc2Biases);
}

const logits = model(trainDataNode, true);
const crossEntropy = tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels: trainLabelsNode, logits });
const regularizers = tf.addN([fc1Weights, fc1Biases, fc2Weights, fc2Biases].map((v) => tf.nn.l2Loss(v)));
const loss = tf.reduceMean(crossEntropy).add(regularizers.mul(5e-4));

// Decays once per epoch.
const batch = tf.variable(0, { dtype: 'int32', trainable: false });
const learningRate = tf.train.exponentialDecay(0.01, batch.mul(BATCH_SIZE), trainSize, 0.95, { staircase: true });
const optimizer = new tf.train.MomentumOptimizer(learningRate, 0.9);
const params = tf.trainableVariables();
const [grads] = tf.clipByGlobalNorm(tf.gradients(loss, params), 5);
const applied = optimizer.applyGradients(
  params.map((v, i) => [grads[i], v]),
  { globalStep: batch },
);
const averages = new tf.train.ExponentialMovingAverage(0.99, { numUpdates: batch });
const trainOp = tf.controlDependencies([applied], () => averages.apply(params));

const trainPrediction = tf.argmax(logits, 1);
const evalPrediction = tf.argmax(model(evalData), 1);

/** Of a hundred digits. */
const errorRate = (predictions: ArrayLike<number>, labels: Uint8Array) =>
  (100 * labels.filter((label, i) => label !== predictions[i]).length) / labels.length;

async function evalInBatches(data: typeof mnist.test) {
  let sum = 0;
  for (let begin = 0; begin < data.numExamples; begin += EVAL_BATCH_SIZE) {
    const { images, labels } = data.nextBatch(EVAL_BATCH_SIZE);
    sum += EVAL_BATCH_SIZE * errorRate((await sess.run(evalPrediction, [[evalData, images]])).data, labels.data);
  }
  return (sum / data.numExamples).toFixed(2);
}

const sess = new tf.Session();
const saver = new tf.train.Saver();
mkdirSync(CHECKPOINTS, { recursive: true });
const latest = await tf.train.latestCheckpoint(CHECKPOINTS);
await sess.run(tf.globalVariablesInitializer());
const { step: first = 0 } = latest ? await saver.restore(sess, latest, { data: mnist.train }) : {};
console.log(`begins at step ${first}`);
for (let step = first + 1; step <= steps; step++) {
  const { images, labels } = mnist.train.nextBatch(BATCH_SIZE);
  const feeds = tf.feeds([trainDataNode, images], [trainLabelsNode, labels]);
  await sess.run(trainOp, feeds);
  if (step % EVAL_FREQUENCY === 0) {
    const [l, lr, predictions] = await sess.run([loss, learningRate, trainPrediction], feeds);
    console.log(`step ${step}: loss ${l.toFixed(3)}, learning rate ${lr.toFixed(6)}`);
    console.log(`minibatch error ${errorRate(predictions.data, labels.data).toFixed(1)} %`);
    console.log(`validation error ${await evalInBatches(mnist.validation)} %`);
  }
  const options = { globalStep: batch, data: mnist.train };
  if (step % EVAL_FREQUENCY === 0 || step === steps) await saver.save(sess, `${CHECKPOINTS}/model`, options);
}

const testError = await evalInBatches(mnist.test);
const newest = await tf.train.latestCheckpoint(CHECKPOINTS);
const averaged = new tf.train.Saver({ varList: averages.variablesToRestore(params) });
await averaged.restore(sess, newest as string, { strict: false });
console.log(`test error ${testError} %, with averaged weights ${await evalInBatches(mnist.test)} %`);
await sess.close();
