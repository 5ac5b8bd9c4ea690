// A variational autoencoder with transposed convolutions, as kvfrans/variational-autoencoder has it in TensorFlow 1: it
// learns to write a digit in 20 numbers, and to draw it from them. `npm run gallery -- vae 2000` comes to a loss of
// 84.7 + 23.7, and writes vae-base.png, digits of MNIST, and vae.png, the same ones as it draws them.
//
// Source: Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014.
import * as tf from 'millrace';
import { readDataSets } from 'millrace/mnist';
import { savePicture } from './picture.ts';

const steps = Number(process.argv[2] ?? 2000);
const [nZ, batchsize] = [20, 100] as const;
const mnist = await readDataSets('MNIST_data', { oneHot: true, seed: 1 });
type Maps = tf.Tensor<'float32', [100, number, number, number]>;
type Digits = tf.Tensor<'float32', [100, 28, 28, 1]>;

const zeros = tf.initializers.constant(0);
const truncated = tf.initializers.truncatedNormal({ stddev: 0.02 });

const conv2d = (x: Maps, inputFeatures: number, outputFeatures: number, name: string): Maps =>
  tf.variableScope(name, () => {
    const w = tf.getVariable('w', [5, 5, inputFeatures, outputFeatures], { initializer: truncated });
    const b = tf.getVariable('b', [outputFeatures], { initializer: zeros });
    return tf.nn.conv2d(x, w, { strides: [1, 2, 2, 1], padding: 'SAME' }).add(b);
  });

const convTranspose = <const S extends readonly [100, number, number, number]>(x: Maps, outputShape: S, name: string) =>
  tf.variableScope(name, () => {
    const w = tf.getVariable('w', [5, 5, outputShape[3], x.dim(3)], { initializer: truncated });
    const b = tf.getVariable('b', [outputShape[3]], { initializer: zeros });
    return tf.nn.conv2dTranspose(x, w, outputShape, [1, 2, 2, 1], 'SAME').add(b);
  });

const dense = <const O extends number>(x: tf.Tensor<'float32', [100, number]>, outputFeatures: O, scope: string) =>
  tf.variableScope(scope, () => {
    const initializer = tf.initializers.randomNormal({ stddev: 0.02 });
    const matrix = tf.getVariable('Matrix', [x.dim(1), outputFeatures], { initializer });
    const bias = tf.getVariable('bias', [outputFeatures], { initializer: zeros });
    return tf.matmul(x, matrix).add(bias);
  });

// The encoder.
const recognition = (inputImages: Digits) =>
  tf.variableScope('recognition', () => {
    const h1 = tf.nn.leakyRelu(conv2d(inputImages, 1, 16, 'd_h1'), 0.2); // 28 × 28 × 1 → 14 × 14 × 16
    const h2 = tf.nn.leakyRelu(conv2d(h1, 16, 32, 'd_h2'), 0.2); // 14 × 14 × 16 → 7 × 7 × 32
    const h2Flat = tf.reshape(h2, [batchsize, 7 * 7 * 32]);
    return [dense(h2Flat, nZ, 'w_mean'), dense(h2Flat, nZ, 'w_stddev')] as const;
  });

// The decoder.
const generation = (z: tf.Tensor<'float32', [100, 20]>) =>
  tf.variableScope('generation', { reuse: tf.AUTO_REUSE }, () => {
    const zDevelop = dense(z, 7 * 7 * 32, 'z_matrix');
    const zMatrix = tf.nn.relu(tf.reshape(zDevelop, [batchsize, 7, 7, 32]));
    const h1 = tf.nn.relu(convTranspose(zMatrix, [batchsize, 14, 14, 16], 'g_h1'));
    return tf.nn.sigmoid(convTranspose(h1, [batchsize, 28, 28, 1], 'g_h2'));
  });

const images = tf.placeholder('float32', [batchsize, 784]);
const [zMean, zStddev] = recognition(tf.reshape(images, [-1, 28, 28, 1]));
const samples = tf.randomNormal([batchsize, nZ], 0, 1);
const guessedZ = zMean.add(zStddev.mul(samples));
const generatedImages = generation(guessedZ);
const generatedFlat = tf.reshape(generatedImages, [batchsize, 28 * 28]);

const drawn = images.mul(tf.log(generatedFlat.add(1e-8)));
const left = tf.sub(1, images).mul(tf.log(tf.sub(1 + 1e-8, generatedFlat)));
const generationLoss = tf.reduceSum(drawn.add(left), 1).neg();
const distance = tf
  .square(zMean)
  .add(tf.square(zStddev))
  .sub(tf.log(tf.square(zStddev)))
  .sub(1);
const latentLoss = tf.reduceSum(distance, 1).mul(0.5);
const cost = tf.reduceMean(generationLoss.add(latentLoss));
const optimizer = new tf.train.AdamOptimizer(0.001).minimize(cost);

/** The first 64 as one picture. */
function merge(digits: Digits) {
  const rows = tf.slice(digits, [0, 0, 0, 0], [64, 28, 28, 1]).reshape([8, 8, 28, 28]);
  return tf.cast(
    tf
      .transpose(rows, [0, 2, 1, 3])
      .reshape([8 * 28, 8 * 28])
      .mul(255),
    'uint8',
  );
}
const [base, results] = [merge(tf.reshape(images, [-1, 28, 28, 1])), merge(generatedImages)];

const sess = new tf.Session();
await sess.run(tf.globalVariablesInitializer());
const visualization = mnist.train.nextBatch(batchsize).images;
savePicture('vae-base.png', await sess.run(base, [[images, visualization]]));
for (let i = 0; i < steps; i++) {
  const batch = mnist.train.nextBatch(batchsize).images;
  const [genLoss, latLoss] = await sess.run([generationLoss, latentLoss, optimizer], [[images, batch]]);
  if (i % 100 > 0 && i < steps - 1) continue;
  const [gen, lat] = [genLoss, latLoss].map(({ data }) => data.reduce((sum, v) => sum + v, 0) / batchsize);
  console.log(`step ${i}: genloss ${gen.toFixed(2)}, latloss ${lat.toFixed(2)}`);
}
savePicture('vae.png', await sess.run(results, [[images, visualization]]));
await sess.close();
