// The peers: each says why it is not measured, or gives contenders.
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('pytorch.py', import.meta.url));
const pythons = ['/usr/bin/python3', 'python3', 'python'];

/** PyTorch at its best: both layouts are run, and the faster one counts. */
export function pytorch(model, batch, threads) {
  const python = pythons.find((p) => spawnSync(p, ['-c', 'import torch']).status === 0);
  if (!python) return { skipped: 'PyTorch is not installed for python3 (Debian: python3-torch, libopenblas0-openmp)' };
  const variants = model === 'softmax' ? [[]] : [[], ['--channels-last']];
  return variants.map((extra) => {
    const args = [
      script,
      '--model',
      model,
      '--mode',
      'train',
      '--batch',
      String(batch),
      '--threads',
      String(threads),
      ...extra,
    ];
    const child = spawn(python, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return {
      name: `PyTorch${extra.length > 0 ? ' channels_last' : ''}`,
      async run(n) {
        child.stdin.write(`${n}\n`);
        return JSON.parse((await lines.next()).value);
      },
      close: () => child.stdin.end(),
    };
  });
}

/** tfjs on its CPU backend: the first model only, a step of the second takes it more than 20 s. */
export async function tfjs(model, batch) {
  if (model !== 'softmax')
    return { skipped: 'tfjs cpu needs more than 20 s for a step of this model, and its wasm backend cannot train it' };
  let tf;
  try {
    tf = await import('@tensorflow/tfjs');
  } catch {
    return { skipped: 'tfjs is not installed (npm install in bench/)' };
  }
  await tf.setBackend('cpu');
  const x = tf.randomUniform([batch, 784]);
  const labels = tf.oneHot(
    tf.tensor1d(
      Array.from({ length: batch }, (_, i) => i % 10),
      'int32',
    ),
    10,
  );
  const W = tf.variable(tf.zeros([784, 10]));
  const b = tf.variable(tf.zeros([10]));
  const optimizer = tf.train.sgd(0.01);
  const step = () =>
    optimizer.minimize(() => tf.losses.softmaxCrossEntropy(labels, tf.add(tf.matMul(x, W), b)).mul(batch));
  const run = async (n) =>
    Array.from({ length: n }, () => {
      const begin = performance.now();
      tf.tidy(step);
      return performance.now() - begin;
    });
  return [{ name: 'tfjs cpu', run, close: () => {} }];
}
