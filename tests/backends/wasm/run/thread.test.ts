// Threads from a file, dist/thread.js, instead of from the string that the bundles hold. In Chromium, under a content
// security policy: tests/browser/train.test.ts.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { threadSource } from '../../../../src/backends/wasm/run/thread.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** In a process of its own, whose threads have not been started yet. */
function run(workerUrl: string, says = /^$/, flags: readonly string[] = []): string {
  const program = `import * as tf from 'millrace';
    const sess = new tf.Session({ backend: 'wasm', threads: 2, workerUrl: ${workerUrl} });
    const a = tf.fill([400, 400], 0.5);
    const sums = tf.reduceSum(tf.matmul(a, a), 1);
    console.log(await sess.run(tf.reduceMax(sums)).catch((error) => error.name + ': ' + error.message));
    console.log((await sess.explain(tf.reduceMax(sums))).includes('runs on the threads of the pool'));`;
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '--input-type=module', '-e', program], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(stderr).toMatch(says);
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

/** What is said where no threads can be started: once, and this thread computes. */
const alone = (why: string) =>
  new RegExp(`^millrace: no threads can be started here \\(${why}\\), so one computes, the one that calls\\.\n$`);

test('an address at which there is no file, or that is none, is told of, and the calling thread computes', () => {
  const absent = run(
    `import.meta.resolve('millrace/thread').replace('thread.js', 'absent.js')`,
    alone('Cannot find module .*'),
  );
  expect(absent).toBe('40000\nfalse\n');
  expect(run(`'absent.js'`, alone('Invalid URL'))).toBe('40000\nfalse\n');
});

test('where a process may start no threads the calling thread computes', () => {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const flag = major > 22 || (major === 22 && minor >= 13) ? '--permission' : '--experimental-permission';
  const out = run('undefined', /no threads can be started here \(.*--allow-worker is missing\)/, [
    flag,
    '--allow-fs-read=*',
  ]);
  expect(out).toBe('40000\nfalse\n');
});
