// Threads from a file, dist/thread.js, instead of from the string that the bundles hold. In Chromium, under a content
// security policy: tests/browser/train.test.ts.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { threadSource } from '../../../../src/backends/wasm/run/thread.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** In a process of its own, whose threads have not been started yet. */
function run(workerUrl: string): string {
  const program = `import * as tf from 'millrace';
    const sess = new tf.Session({ backend: 'wasm', threads: 2, workerUrl: ${workerUrl} });
    const a = tf.fill([400, 400], 0.5);
    const sums = tf.reduceSum(tf.matmul(a, a), 1);
    console.log(await sess.run(tf.reduceMax(sums)).catch((error) => error.name + ': ' + error.message));
    console.log((await sess.explain(tf.reduceMax(sums))).includes('runs on the threads of the pool'));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout;
}

test('the file is the string', () => {
  for (const file of ['dist/thread.js', 'dist/cjs/thread.js']) {
    const text = readFileSync(`${root}/${file}`, 'utf8');
    const withoutNames = (source: string) =>
      source.slice(source.indexOf('const answer')).replace('export {};', '').trim();
    expect(withoutNames(text)).toBe(withoutNames(threadSource));
  }
});

test('a run on threads that were started from the file', () => {
  expect(run(`import.meta.resolve('millrace/thread')`)).toBe('40000\ntrue\n');
});

test('an address at which there is no file fails the run, by name', () => {
  expect(run(`import.meta.resolve('millrace/thread').replace('thread.js', 'absent.js')`)).toMatch(
    /^WorkerLostError: A worker was lost while it ran \(Cannot find module .*absent\.js/,
  );
});

test('an address that is none fails the run, by name', () => {
  expect(run(`'absent.js'`)).toMatch(/^UnavailableError: No worker could be started for a long run \(Invalid URL\)/);
});
