// TensorFlow 1's models/tutorials/image/cifar10 in one file: input, network, training, evaluation with averaged weights.
// `npm run gallery -- cifar10 300 64`: steps, and images in each. It reads cifar10_data/cifar-10-batches-bin, the unpacked
// files of http://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz; where they are not, MNIST's digits in files of that
// format, of which it then knows 89.1 %.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as tf from 'millrace';
import { readDataSets } from 'millrace/mnist';
import { savePicture } from './picture.ts';

const maxSteps = Number(process.argv[2] ?? 300);
const BATCH_SIZE = Number(process.argv[3] ?? 64);
const TRAIN_DIR = 'cifar10_train';
const IMAGE_SIZE = 24;
const NUM_CLASSES = 10;
const MOVING_AVERAGE_DECAY = 0.9999;
const NUM_EPOCHS_PER_DECAY = 350;
const LEARNING_RATE_DECAY_FACTOR = 0.1;
const INITIAL_LEARNING_RATE = 0.1;

// A record is a label, and the red, green and blue planes of an image of 32 × 32.
const RECORD_BYTES = 1 + 3 * 32 * 32;
type Records = tf.Tensor<'uint8', [null, 3073]>;
type Images = tf.Tensor<'float32', [null, 24, 24, 3]>;

/** The folder of CIFAR-10, or one of MNIST's digits in its format. */
async function maybeMakeFiles(): Promise<string> {
  const [real, made] = ['cifar10_data/cifar-10-batches-bin', 'cifar10_data/mnist-batches-bin'];
  if (existsSync(real)) return real;
  console.log(`${real} is not there: MNIST's digits are taken, 32 × 32 and grey, from ${made}`);
  if (existsSync(`${made}/test_batch.bin`)) return made;
  const mnist = await readDataSets('MNIST_data', { validationSize: 0 });
  mkdirSync(made, { recursive: true });
  const write = (name: string, { images, labels }: typeof mnist.test, begin: number, end: number) => {
    const records = Buffer.alloc((end - begin) * RECORD_BYTES);
    for (let i = begin; i < end; i++) {
      const record = records.subarray((i - begin) * RECORD_BYTES);
      record[0] = labels.data[i];
      for (let p = 0; p < 784; p++) {
        const at = 1 + (Math.floor(p / 28) + 2) * 32 + (p % 28) + 2;
        for (const plane of [0, 1024, 2048]) record[at + plane] = 255 * images.data[i * 784 + p];
      }
    }
    writeFileSync(`${made}/${name}.bin`, records);
  };
  const { train, test } = mnist;
  const part = Math.floor(train.numExamples / 5);
  for (let i = 0; i < 5; i++) write(`data_batch_${i + 1}`, train, i * part, (i + 1) * part);
  write('test_batch', test, 0, test.numExamples);
  return made;
}

function readCifar10(records: Records) {
  const label = tf.cast(tf.slice(records, [0, 0], [-1, 1]), 'int32').reshape([-1]);
  const depthMajor = tf.slice(records, [0, 1], [-1, 3072]).reshape([-1, 3, 32, 32]);
  return { label, uint8image: tf.transpose(depthMajor, [0, 2, 3, 1]) };
}

function perImageStandardization(images: Images): Images {
  const mean = tf.reduceMean(images, [1, 2, 3], true);
  const deviation = tf.reduceStd(images, [1, 2, 3], true);
  return images.sub(mean).div(tf.maximum(deviation, 1 / Math.sqrt(IMAGE_SIZE * IMAGE_SIZE * 3)));
}

/** Each image is cropped somewhere, mirrored or not, and made brighter or darker, with more or less contrast. */
function distortedInputs(records: Records) {
  const { label, uint8image } = readCifar10(records);
  const zero = tf.zeros([BATCH_SIZE, IMAGE_SIZE, IMAGE_SIZE], 'int32');
  const random = (limit: number) => tf.randomUniform([BATCH_SIZE, 1, 1], 0, limit, 'int32');
  const across = tf.range(IMAGE_SIZE);
  const mirrored = across.add(random(2).mul(tf.sub(IMAGE_SIZE - 1, across.mul(2))));
  const b = zero.add(tf.cast(tf.range(BATCH_SIZE), 'int32').reshape([BATCH_SIZE, 1, 1]));
  const y = zero.add(random(9)).add(tf.expandDims(across, 1));
  const x = zero.add(random(9)).add(mirrored);
  const distorted = tf.cast(tf.gatherNd(uint8image, tf.stack([b, y, x], 3)), 'float32');
  const brighter = distorted.add(tf.randomUniform([BATCH_SIZE, 1, 1, 1], -63, 63));
  const mean = tf.reduceMean(brighter, [1, 2], true);
  const contrast = brighter
    .sub(mean)
    .mul(tf.randomUniform([BATCH_SIZE, 1, 1, 1], 0.2, 1.8))
    .add(mean);
  return { images: perImageStandardization(contrast), labels: label };
}

function inputs(records: Records) {
  const { label, uint8image } = readCifar10(records);
  const cropped = tf.slice(uint8image, [0, 4, 4, 0], [-1, IMAGE_SIZE, IMAGE_SIZE, 3]);
  return { images: perImageStandardization(tf.cast(cropped, 'float32')), labels: label, uint8image };
}

function variableWithWeightDecay<const S extends readonly number[]>(
  name: string,
  shape: S,
  stddev: number,
  wd: number,
) {
  const v = tf.getVariable(name, shape, { initializer: tf.initializers.truncatedNormal({ stddev }) });
  tf.addToCollection('losses', tf.mul(tf.nn.l2Loss(v), wd, 'weight_loss'));
  return v;
}
const biasesOf = <N extends number>(size: N, value: number) =>
  tf.getVariable('biases', [size], { initializer: tf.initializers.constant(value) });

function inference(images: Images) {
  const conv1 = tf.variableScope('conv1', () => {
    const kernel = variableWithWeightDecay('weights', [5, 5, 3, 64], 5e-2, 0);
    const conv = tf.nn.conv2d(images, kernel, [1, 1, 1, 1], 'SAME');
    return tf.nn.relu(tf.nn.biasAdd(conv, biasesOf(64, 0)));
  });
  const pool1 = tf.nn.maxPool(conv1, [1, 3, 3, 1], [1, 2, 2, 1], 'SAME', { name: 'pool1' });
  const norm1 = tf.nn.lrn(pool1, 4, 1, 0.001 / 9, 0.75, 'norm1');

  const conv2 = tf.variableScope('conv2', () => {
    const kernel = variableWithWeightDecay('weights', [5, 5, 64, 64], 5e-2, 0);
    const conv = tf.nn.conv2d(norm1, kernel, [1, 1, 1, 1], 'SAME');
    return tf.nn.relu(tf.nn.biasAdd(conv, biasesOf(64, 0.1)));
  });
  const norm2 = tf.nn.lrn(conv2, 4, 1, 0.001 / 9, 0.75, 'norm2');
  const pool2 = tf.nn.maxPool(norm2, [1, 3, 3, 1], [1, 2, 2, 1], 'SAME', { name: 'pool2' });

  const local3 = tf.variableScope('local3', () => {
    const reshape = tf.reshape(pool2, [-1, 6 * 6 * 64]);
    const weights = variableWithWeightDecay('weights', [2304, 384], 0.04, 0.004);
    return tf.nn.relu(tf.matmul(reshape, weights).add(biasesOf(384, 0.1)));
  });
  const local4 = tf.variableScope('local4', () => {
    const weights = variableWithWeightDecay('weights', [384, 192], 0.04, 0.004);
    return tf.nn.relu(tf.matmul(local3, weights).add(biasesOf(192, 0.1)));
  });
  return tf.variableScope('softmax_linear', () => {
    const weights = variableWithWeightDecay('weights', [192, NUM_CLASSES], 1 / 192, 0);
    return tf.add(tf.matmul(local4, weights), biasesOf(NUM_CLASSES, 0));
  });
}

function lossOf(logits: tf.Tensor<'float32', [null, 10]>, labels: tf.Tensor<'int32', [null]>) {
  const crossEntropy = tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits });
  tf.addToCollection('losses', tf.reduceMean(crossEntropy, { name: 'cross_entropy' }));
  return tf.addN(tf.getCollection<tf.Tensor<'float32', []>>('losses'), 'total_loss');
}

function trainOpOf(totalLoss: tf.Tensor<'float32', []>, examples: number) {
  const globalStep = tf.train.getOrCreateGlobalStep();
  const decaySteps = Math.floor((examples / BATCH_SIZE) * NUM_EPOCHS_PER_DECAY);
  const lr = tf.train.exponentialDecay(INITIAL_LEARNING_RATE, globalStep, decaySteps, LEARNING_RATE_DECAY_FACTOR, true);
  const lossAverages = new tf.train.ExponentialMovingAverage(0.9, { name: 'avg' });
  const lossAveragesOp = lossAverages.apply([...tf.getCollection('losses'), totalLoss]);
  const opt = new tf.train.GradientDescentOptimizer(lr);
  const grads = tf.controlDependencies([lossAveragesOp], () => opt.computeGradients(totalLoss));
  const applyGradientOp = opt.applyGradients(grads, { globalStep });
  const variableAverages = new tf.train.ExponentialMovingAverage(MOVING_AVERAGE_DECAY, { numUpdates: globalStep });
  const variablesAveragesOp = tf.controlDependencies([applyGradientOp], () => variableAverages.apply());
  return tf.group(variablesAveragesOp, { name: 'train' });
}

const folder = await maybeMakeFiles();

async function train() {
  const filenames = [1, 2, 3, 4, 5].map((i) => `${folder}/data_batch_${i}.bin`);
  const data = Buffer.concat(filenames.map((name) => readFileSync(name)));
  const examples = data.length / RECORD_BYTES;
  const records = tf.placeholder('uint8', [null, RECORD_BYTES]);
  const { images, labels } = distortedInputs(records);
  const loss = lossOf(inference(images), labels);
  const trainOp = trainOpOf(loss, examples);
  const sess = new tf.Session();
  await sess.run(tf.globalVariablesInitializer());
  for (let step = 0; step < maxSteps; step++) {
    const offset = (step * BATCH_SIZE) % (examples - BATCH_SIZE);
    const batch = data.subarray(offset * RECORD_BYTES, (offset + BATCH_SIZE) * RECORD_BYTES);
    const [lossValue] = await sess.run([loss, trainOp], [[records, tf.array(batch, [BATCH_SIZE, RECORD_BYTES])]]);
    if (Number.isNaN(lossValue)) throw new Error('Model diverged with loss = NaN');
    if (step % 10 === 0) console.log(`step ${step}, loss = ${lossValue.toFixed(2)}`);
  }
  mkdirSync(TRAIN_DIR, { recursive: true });
  await new tf.train.Saver().save(sess, `${TRAIN_DIR}/model`, { globalStep: maxSteps });
  await sess.close();
}

async function evaluate() {
  const data = readFileSync(`${folder}/test_batch.bin`);
  const records = tf.placeholder('uint8', [null, RECORD_BYTES]);
  const { images, labels, uint8image } = inputs(records);
  const topKOp = tf.nn.inTopK(inference(images), labels, 1);
  const shown = tf.transpose(uint8image, [1, 0, 2, 3]).reshape([32, -1, 3]);
  const variableAverages = new tf.train.ExponentialMovingAverage(MOVING_AVERAGE_DECAY);
  const saver = new tf.train.Saver({ varList: variableAverages.variablesToRestore() });
  const sess = new tf.Session();
  await saver.restore(sess, (await tf.train.latestCheckpoint(TRAIN_DIR)) as string, { strict: false });
  let trueCount = 0;
  for (let offset = 0; offset < data.length; offset += 100 * RECORD_BYTES) {
    const batch = data.subarray(offset, offset + 100 * RECORD_BYTES);
    const predictions = await sess.run(topKOp, [
      [records, tf.array(batch, [batch.length / RECORD_BYTES, RECORD_BYTES])],
    ]);
    trueCount += predictions.data.reduce((a, b) => a + b, 0);
  }
  const first = tf.array(data.subarray(0, 8 * RECORD_BYTES), [8, RECORD_BYTES]);
  savePicture('cifar10.png', await sess.run(shown, [[records, first]]));
  console.log(`precision @ 1 = ${((trueCount * RECORD_BYTES) / data.length).toFixed(3)}`);
  await sess.close();
}

await train();
tf.resetDefaultGraph();
await evaluate();
