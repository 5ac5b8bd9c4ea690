// TensorFlow 1's models/official/resnet for CIFAR-10: residual blocks that normalize before each convolution (v2), with a
// flag that is fed: normalized by the batch in training, by moving averages in the test. On MNIST, padded to 32 × 32.
// `npm run gallery -- resnet 500 8 32`: steps, layers (6n + 2), images in a step; 97.0 % of the test images.
//
// Source: He et al., "Identity mappings in deep residual networks", ECCV 2016.
import * as tf from 'millrace';
import { readDataSets } from 'millrace/mnist';

const BATCH_NORM_DECAY = 0.9; // 0.997 in the original, which trains for longer
const BATCH_NORM_EPSILON = 1e-5;
type Images = tf.Tensor<'float32', [null, number, number, number]>;
type Flag = tf.Tensor<'bool', []>;

function batchNormRelu(inputs: Images, isTraining: Flag): Images {
  const options = { momentum: BATCH_NORM_DECAY, epsilon: BATCH_NORM_EPSILON, training: isTraining };
  return tf.nn.relu(tf.layers.batchNormalization(inputs, options));
}

function fixedPadding(inputs: Images, kernelSize: number): Images {
  const padTotal = kernelSize - 1;
  const padBeg = Math.floor(padTotal / 2);
  const padEnd = padTotal - padBeg;
  return tf.pad(inputs, [
    [0, 0],
    [padBeg, padEnd],
    [padBeg, padEnd],
    [0, 0],
  ]);
}

/** Padded by the size of the kernel alone, whatever the size of the images. */
function conv2dFixedPadding(inputs: Images, filters: number, kernelSize: number, strides: number): Images {
  const padded = strides > 1 ? fixedPadding(inputs, kernelSize) : inputs;
  return tf.layers.conv2d(padded, filters, kernelSize, {
    strides,
    padding: strides === 1 ? 'same' : 'valid',
    useBias: false,
    kernelInitializer: tf.initializers.varianceScaling(),
  });
}

type Projection = (inputs: Images) => Images;
function buildingBlock(x: Images, filters: number, isTraining: Flag, strides: number, projection?: Projection): Images {
  const inputs = batchNormRelu(x, isTraining);
  // The projection comes after the first normalization, since it is a convolution.
  const shortcut = projection ? projection(inputs) : x;
  const conv1 = conv2dFixedPadding(inputs, filters, 3, strides);
  const conv2 = conv2dFixedPadding(batchNormRelu(conv1, isTraining), filters, 3, 1);
  return conv2.add(shortcut);
}

function blockLayer(x: Images, filters: number, blocks: number, strides: number, isTraining: Flag): Images {
  const projectionShortcut = (inputs: Images) => conv2dFixedPadding(inputs, filters, 1, strides);
  let inputs = buildingBlock(x, filters, isTraining, strides, projectionShortcut);
  for (let i = 1; i < blocks; i++) inputs = buildingBlock(inputs, filters, isTraining, 1);
  return inputs;
}

function cifar10ResnetV2(resnetSize: number, numClasses: number) {
  if (resnetSize % 6 !== 2) throw new Error(`resnetSize must be 6n + 2, but is ${resnetSize}`);
  const numBlocks = (resnetSize - 2) / 6;
  return (images: Images, isTraining: Flag) => {
    const initialConv = conv2dFixedPadding(images, 16, 3, 1);
    const blockLayer1 = blockLayer(initialConv, 16, numBlocks, 1, isTraining);
    const blockLayer2 = blockLayer(blockLayer1, 32, numBlocks, 2, isTraining);
    const blockLayer3 = blockLayer(blockLayer2, 64, numBlocks, 2, isTraining);
    const inputs = batchNormRelu(blockLayer3, isTraining);
    const finalAvgPool = tf.layers.averagePooling2d(inputs, 8, 1, { padding: 'valid' });
    return tf.layers.dense(tf.reshape(finalAvgPool, [-1, 64]), numClasses, { name: 'final_dense' });
  };
}

const [steps, resnetSize, batchSize] = [500, 8, 32].map((value, i) => Number(process.argv[2 + i] ?? value));
const mnist = await readDataSets('MNIST_data', { reshape: false, seed: 1 });

const features = tf.placeholder('float32', [null, 28, 28, 1]);
const labels = tf.placeholder('int32', [null]);
const isTraining = tf.placeholder('bool', []);
const network = cifar10ResnetV2(resnetSize, 10);
const logits = network(fixedPadding(features, 5), isTraining);

const crossEntropy = tf.losses.sparseSoftmaxCrossEntropy(labels, logits);
const weightDecay = tf.addN(tf.trainableVariables().map((v) => tf.nn.l2Loss(v))).mul(2e-4);
const loss = crossEntropy.add(weightDecay);
const globalStep = tf.train.getOrCreateGlobalStep();
const boundaries = [0.5, 0.75, 0.9].map((part) => Math.round(part * steps));
const learningRate = tf.train.piecewiseConstant(globalStep, boundaries, [0.1, 0.01, 0.001, 0.0001]);
const optimizer = new tf.train.MomentumOptimizer(learningRate, 0.9);
// The moving averages of mean and variance change with the step.
const updateOps = tf.getCollection(tf.GraphKeys.UPDATE_OPS);
const trainOp = tf.controlDependencies(updateOps, () => optimizer.minimize(loss, { globalStep }));
const [accuracy, updateAccuracy] = tf.metrics.accuracy(labels, tf.argmax(logits, 1));

const sess = new tf.Session();
await sess.run([tf.globalVariablesInitializer(), tf.localVariablesInitializer()]);
for (let i = 0; i < steps; i++) {
  const batch = mnist.train.nextBatch(batchSize);
  const feeds = tf.feeds([features, batch.images], [labels, batch.labels], [isTraining, true]);
  const [value] = await sess.run([crossEntropy, trainOp], feeds);
  if (i % 20 === 0 || i === steps - 1) console.log(`step ${i}, cross entropy ${value.toFixed(3)}`);
}
for (let i = 0; i < mnist.test.numExamples; i += 100) {
  const batch = mnist.test.nextBatch(100);
  await sess.run(updateAccuracy, tf.feeds([features, batch.images], [labels, batch.labels], [isTraining, false]));
}
console.log(`test accuracy ${(await sess.run(accuracy)).toFixed(4)}`);
await sess.close();
