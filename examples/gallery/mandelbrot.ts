// TensorFlow 1's tutorial "Mandelbrot Set": a graph that is no network, run over and over on variables. A complex number
// is two variables here. `npm run gallery -- mandelbrot 200` writes mandelbrot.png, and finds an area of 1.525.
import * as tf from 'millrace';
import { savePicture } from './picture.ts';

async function displayFractal(a: tf.Tensor<'float32', [520, 600]>) {
  const aCyclic = a.mul(6.28 / 20);
  const [red, blue] = [tf.cos(aCyclic).mul(20).add(10), tf.cos(aCyclic).mul(-80).add(155)];
  const img = tf.stack([red, tf.sin(aCyclic).mul(50).add(30), blue], 2);
  const inside = tf.expandDims(tf.equal(a, tf.reduceMax(a)), 2);
  const shown = tf.clipByValue(tf.where(inside, tf.zerosLike(img), img), 0, 255);
  savePicture('mandelbrot.png', await tf.cast(shown, 'uint8').eval());
}

const steps = Number(process.argv[2] ?? 200);
const sess = new tf.InteractiveSession();

const Y = tf.reshape(tf.linspace(-1.3, 1.295, 520), [520, 1]);
const X = tf.linspace(-2, 0.995, 600);
const zero = tf.zeros([520, 600]);
const [re, im] = [tf.variable(X.add(zero)), tf.variable(Y.add(zero))];
const ns = tf.variable(zero);
await tf.globalVariablesInitializer().run();

const [re_, im_] = [re.mul(re).sub(im.mul(im)).add(X), re.mul(im).mul(2).add(Y)];
const notDiverged = tf.sqrt(re_.mul(re_).add(im_.mul(im_))).less(4);
const step = tf.group(re.assign(re_), im.assign(im_), ns.assignAdd(tf.cast(notDiverged, 'float32')));
for (let i = 0; i < steps; i++) await step.run();
await displayFractal(ns);

const area = tf.reduceSum(tf.cast(tf.equal(ns, steps), 'float32')).mul(0.005 * 0.005);
console.log(`area ${(await area.eval()).toFixed(3)}`);
await sess.close();
