// The JavaScript peers' side: training steps of the second model, batch 50, in Node.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { serve } from './serve.mjs';

const batch = 50;
const labels = Array.from({ length: batch }, (_, i) => i % 10);
const shapes = [[5, 5, 1, 32], [32], [5, 5, 32, 64], [64], [3136, 1024], [1024], [1024, 10], [10]];

async function tfjs(backend) {
  const tf = await import('@tensorflow/tfjs');
  if (backend === 'wasm') {
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
    setWasmPaths(join(dirname(entry), '/'));
  }
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs cannot start its backend '${backend}' here`);
  const [w1, b1, w2, b2, w3, b3, w4, b4] = shapes.map((shape) =>
    tf.variable(shape.length > 1 ? tf.truncatedNormal(shape, 0, 0.1) : tf.fill(shape, 0.1)),
  );
  const x = tf.randomUniform([batch, 28, 28, 1]);
  const y = tf.oneHot(tf.tensor1d(labels, 'int32'), 10);
  const optimizer = tf.train.adam(1e-4);
  const loss = () => {
    const h1 = tf.maxPool(tf.relu(tf.add(tf.conv2d(x, w1, 1, 'same'), b1)), 2, 2, 'same');
    const h2 = tf.maxPool(tf.relu(tf.add(tf.conv2d(h1, w2, 1, 'same'), b2)), 2, 2, 'same');
    const h3 = tf.dropout(tf.relu(tf.add(tf.matMul(h2.reshape([batch, 3136]), w3), b3)), 0.5);
    return tf.losses.softmaxCrossEntropy(y, tf.add(tf.matMul(h3, w4), b4)).mul(batch);
  };
  return async () => {
    const value = optimizer.minimize(loss, true);
    await value.data();
    value.dispose();
  };
}

/** jax-js counts references: `.ref` where a value is used again. It has channels before height and width. */
async function jaxjs(device) {
  const {
    init,
    defaultDevice,
    numpy: np,
    lax,
    nn,
    random,
    jit,
    valueAndGrad,
    tree,
    blockUntilReady,
  } = await import('@jax-js/jax');
  if (!(await init(device)).includes(device)) throw new Error(`jax-js cannot start its device '${device}' here`);
  defaultDevice(device);
  const weight = (shape, i) => random.normal(random.key(i), shape).mul(0.1);
  const order = (shape) => (shape.length === 4 ? [shape[3], shape[2], shape[0], shape[1]] : shape);
  let weights = shapes.map((shape, i) => (shape.length > 1 ? weight(order(shape), i) : np.full(shape, 0.1)));
  let m = weights.map((w) => np.zeros(w.shape));
  let v = weights.map((w) => np.zeros(w.shape));
  const x = random.uniform(random.key(100), [batch, 1, 28, 28]);
  const y = nn.oneHot(np.array(labels, { dtype: np.int32 }), 10);

  const layer = (image, w, b) => {
    const z = lax.convGeneralDilated(image, w, [1, 1], 'SAME').add(b.reshape([1, -1, 1, 1]));
    return lax.reduceWindow(nn.relu(z), np.max, [2, 2], [2, 2]);
  };
  const loss = ([w1, b1, w2, b2, w3, b3, w4, b4], x, y, kept) => {
    const h2 = layer(layer(x, w1, b1), w2, b2).reshape([batch, 3136]);
    const h3 = nn.relu(np.matmul(h2, w3).add(b3)).mul(kept);
    return np.sum(nn.logSoftmax(np.matmul(h3, w4).add(b4)).mul(y)).mul(-1);
  };
  const step = jit((weights, m, v, x, y, key, rate) => {
    const kept = random.bernoulli(key, 0.5, [batch, 1024]).astype(np.float32).mul(2);
    const [value, gradients] = valueAndGrad(loss)(tree.ref(weights), x, y, kept);
    const m1 = m.map((old, i) => old.mul(0.9).add(gradients[i].ref.mul(0.1)));
    const v1 = v.map((old, i) => old.mul(0.999).add(np.square(gradients[i]).mul(0.001)));
    const change = (i) => m1[i].ref.mul(rate.ref).div(np.sqrt(v1[i].ref).add(1e-8));
    const next = weights.map((w, i) => w.sub(change(i)));
    rate.dispose();
    return [value, next, m1, v1];
  });
  let t = 0;
  return async () => {
    t += 1;
    const rate = np.array((1e-4 * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t));
    const result = step(weights, m, v, x.ref, y.ref, random.key(1000 + t), rate);
    await blockUntilReady(result);
    [, weights, m, v] = result;
    const value = await result[0].data();
    if (!Number.isFinite(value[0])) throw new Error(`the loss is ${value[0]}`);
  };
}

const { values: options } = parseArgs({ options: { library: { type: 'string' }, device: { type: 'string' } } });
await serve(await (options.library === 'tfjs' ? tfjs : jaxjs)(options.device));
