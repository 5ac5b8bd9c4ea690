// A generative adversarial network in the scopes of TensorFlow 1: two networks, two optimizers, and one set of weights for
// the discriminator's two uses. It learns to draw numbers around 4, as the real ones are, in a narrower range than theirs.
// `npm run gallery -- gan 2000`.
//
// Source: Goodfellow et al., "Generative adversarial nets", NIPS 2014.
import * as tf from 'millrace';

type Points = tf.Tensor<'float32', [128, 1]>;

const generator = (z: Points) =>
  tf.variableScope('generator', () => {
    const hidden = tf.layers.dense(z, 16, { activation: tf.tanh });
    return tf.layers.dense(hidden, 1);
  });
const discriminator = (x: Points) =>
  tf.variableScope('discriminator', { reuse: tf.AUTO_REUSE }, () => {
    const hidden1 = tf.layers.dense(x, 32, { activation: tf.nn.relu });
    const hidden2 = tf.layers.dense(hidden1, 32, { activation: tf.nn.relu });
    return tf.layers.dense(hidden2, 1);
  });

const steps = Number(process.argv[2] ?? 2000);
tf.setRandomSeed(1);
const real = tf.randomNormal([128, 1], { mean: 4, stddev: 0.5 });
const fake = generator(tf.randomNormal([128, 1]));
const realLogits = discriminator(real);
const fakeLogits = discriminator(fake);

const realLoss = tf.losses.sigmoidCrossEntropy(tf.onesLike(realLogits), realLogits);
const fakeLoss = tf.losses.sigmoidCrossEntropy(tf.zerosLike(fakeLogits), fakeLogits);
const dLoss = tf.add(realLoss, fakeLoss);
const gLoss = tf.losses.sigmoidCrossEntropy(tf.onesLike(fakeLogits), fakeLogits);

const dVars = tf.trainableVariables('discriminator/');
const gVars = tf.trainableVariables('generator/');
const dStep = new tf.train.AdamOptimizer(1e-3, 0.5).minimize(dLoss, { varList: dVars });
const gStep = new tf.train.AdamOptimizer(1e-3, 0.5).minimize(gLoss, { varList: gVars });
const mean = tf.reduceMean(fake);
const deviation = tf.sqrt(tf.reduceMean(tf.square(fake.sub(mean))));

const sess = new tf.Session();
await sess.run(tf.globalVariablesInitializer());
for (let i = 0; i < steps; i++) {
  const [d] = await sess.run([dLoss, dStep]);
  const [g] = await sess.run([gLoss, gStep]);
  if (i % 500 === 0) console.log(`step ${i}, losses ${d.toPrecision(3)} and ${g.toPrecision(3)}`);
}
const drawn = await sess.run({ mean, deviation });
console.log(`drawn: mean ${drawn.mean.toFixed(2)}, deviation ${drawn.deviation.toFixed(2)}`);
await sess.close();
