// Sessions that nobody closes and nobody has any more: what they held goes with them.
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { backends } from '../backends.ts';
import { built } from '../built.ts';

/**
 * Makes sessions, each with a variable of a megabyte and a long run, and tells how much memory there is after each 20. Nothing calls
 * the garbage collector: it comes by itself.
 */
const program = `
const [, millrace, backend] = process.argv;
const tf = await import(millrace);
const megabytes = [];
for (let i = 1; i <= 160; i++) {
  const graph = new tf.Graph();
  const { init, sum } = graph.asDefault(() => {
    const v = tf.variable(tf.fill([512, 512], 0.5));
    return { init: tf.globalVariablesInitializer(), sum: tf.reduceSum(tf.matmul(tf.matmul(v, v), v)) };
  });
  const session = new tf.Session({ graph, backend, threads: 2 });
  await session.run(init);
  await session.run(sum);
  if (i % 20 === 0) megabytes.push(Math.round(process.memoryUsage.rss() / 2 ** 20));
}
console.log(JSON.stringify(megabytes));
process.exit();
`;

test.each(backends.filter((name) => name !== 'reference'))(
  '160 of them with a long run each, on %s, take no more than 20, though nobody calls the collector',
  (backend) => {
    const args = ['--input-type=module', '-e', program, built, backend];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stderr).toBe('');
    const megabytes = JSON.parse(stdout) as number[];
    // The threads may keep 64 MB until they are ended; what the collector does not take at once is there a little longer.
    expect(Math.min(...megabytes.slice(-3)), stdout).toBeLessThan(megabytes[0] + 100);
  },
);
