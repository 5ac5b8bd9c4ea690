// A deep convolutional generative adversarial network: Aymeric Damien's TensorFlow-Examples, 3_NeuralNetworks/dcgan.py,
// for TensorFlow 1. Two networks in scopes, two optimizers. `npm run gallery -- dcgan 500 32`: steps, and images in each;
// it writes dcgan.png, what it draws from noise: shapes like digits, as bright as they are.
//
// Source: Radford et al., "Unsupervised representation learning with deep convolutional generative adversarial networks",
// ICLR 2016.
import * as tf from 'millrace';
import { readDataSets } from 'millrace/mnist';
import { savePicture } from './picture.ts';

const [numSteps, batchSize, noiseDim] = [500, 32, 200].map((value, i) => Number(process.argv[2 + i] ?? value));
const mnist = await readDataSets('MNIST_data', { reshape: false, seed: 1 });
type Images = tf.Tensor<'float32', [null, 28, 28, 1]>;

// Noise to images.
const generator = (noise: tf.Tensor<'float32', [null, number]>): Images =>
  tf.variableScope('Generator', () => {
    const dense = tf.nn.tanh(tf.layers.dense(noise, 6 * 6 * 128));
    const x = tf.reshape(dense, [-1, 6, 6, 128]);
    const deconv1 = tf.layers.conv2dTranspose(x, 64, 4, { strides: 2 }); // [null, 14, 14, 64]
    const deconv2 = tf.layers.conv2dTranspose(deconv1, 1, 2, { strides: 2 }); // [null, 28, 28, 1]
    return tf.nn.sigmoid(deconv2);
  });

// Images to two classes: real and fake.
const discriminator = (x: Images, reuse = false) =>
  tf.variableScope('Discriminator', { reuse }, () => {
    const conv1 = tf.nn.tanh(tf.layers.conv2d(x, 64, 5));
    const pool1 = tf.layers.averagePooling2d(conv1, 2, 2);
    const conv2 = tf.nn.tanh(tf.layers.conv2d(pool1, 128, 5));
    const pool2 = tf.layers.averagePooling2d(conv2, 2, 2);
    const dense = tf.nn.tanh(tf.layers.dense(tf.layers.flatten(pool2), 1024));
    return tf.layers.dense(dense, 2);
  });

const noiseInput = tf.placeholder('float32', [null, noiseDim]);
const realImageInput = tf.placeholder('float32', [null, 28, 28, 1]);
const genSample = generator(noiseInput);
const discReal = discriminator(realImageInput);
const discFake = discriminator(genSample, true);
const discConcat = tf.concat([discReal, discFake], 0);
const stackedGan = discriminator(genSample, true);

const discTarget = tf.placeholder('int32', [null]);
const genTarget = tf.placeholder('int32', [null]);
const discLoss = tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ logits: discConcat, labels: discTarget }));
const genLoss = tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ logits: stackedGan, labels: genTarget }));

const optimizerGen = new tf.train.AdamOptimizer(0.001);
const optimizerDisc = new tf.train.AdamOptimizer(0.001);
const genVars = tf.getCollection(tf.GraphKeys.TRAINABLE_VARIABLES, 'Generator');
const discVars = tf.getCollection(tf.GraphKeys.TRAINABLE_VARIABLES, 'Discriminator');
const trainGen = optimizerGen.minimize(genLoss, { varList: genVars });
const trainDisc = optimizerDisc.minimize(discLoss, { varList: discVars });

const z = tf.randomUniform([batchSize, noiseDim], -1, 1);
const sess = new tf.Session();
await sess.run(tf.globalVariablesInitializer());
// Real images are of class 1, fake ones of class 0. The generator is to make fakes that pass for real.
const batchDiscY = Int32Array.from({ length: 2 * batchSize }, (_, i) => (i < batchSize ? 1 : 0));
const batchGenY = new Int32Array(batchSize).fill(1);
for (let i = 1; i <= numSteps; i++) {
  const batchX = mnist.train.nextBatch(batchSize).images;
  const inputs = tf.feeds([realImageInput, batchX], [noiseInput, await sess.run(z)]);
  const feeds = tf.feeds(...inputs, [discTarget, batchDiscY], [genTarget, batchGenY]);
  const [gl, dl] = await sess.run([genLoss, discLoss, trainGen, trainDisc], feeds);
  if (i % 100 === 0 || i === 1 || i === numSteps)
    console.log(`step ${i}: generator loss ${gl.toFixed(3)}, discriminator loss ${dl.toFixed(3)}`);
}

const f = tf.transpose(tf.reshape(genSample, [4, 10, 28, 28]), [0, 2, 1, 3]).reshape([4 * 28, 10 * 28]);
const drawn = tf.feeds([noiseInput, await sess.run(tf.randomUniform([40, noiseDim], -1, 1))]);
savePicture('dcgan.png', await sess.run(tf.cast(f.mul(255), 'uint8'), drawn));
const [fake, real] = [tf.reduceMean(genSample), tf.reduceMean(realImageInput)];
const digits = tf.feeds(...drawn, [realImageInput, mnist.test.nextBatch(500).images]);
const means = await sess.run([fake, real], digits);
console.log(`mean grey ${means[0].toFixed(3)}, of digits ${means[1].toFixed(3)}`);
await sess.close();
