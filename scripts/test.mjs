// The whole suite: types, lint, unit and integration tests. Ends with the slowest files and one line that counts all tests.
// What stands behind `--` is for vitest: `npm test -- tests/ops` runs the tests of ops only.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const node = (script, ...args) => [process.execPath, [join(root, 'node_modules', script), ...args]];
let passed = 0;
let failed = 0;
let skipped = 0;

/** Runs a command, and says how long it took; its output is not mixed with that of others. */
async function step(what, [command, args]) {
  const begin = performance.now();
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const [status] = await once(child, 'close');
  console.log(`${output}millrace: ${what} … ${seconds(begin)}`);
  if (status === 0) passed++;
  else failed++;
}
const seconds = (begin) => `${((performance.now() - begin) / 1000).toFixed(1)} s`;

const tsc = (project) => node('typescript/bin/tsc', '-p', join(project, 'tsconfig.json'));
console.log('millrace: types, lint and format …');
// TypeScript 5.9 has its say in tests/types.
await Promise.all([
  step('lint and format', node('@biomejs/biome/bin/biome', 'check', '.')),
  step('types of src, tests and examples', tsc('.')),
  step('types of the playground', tsc('examples/playground')),
]);

const report = join(tmpdir(), `millrace-tests-${process.pid}.json`);
console.log('millrace: unit and integration tests …');
const [command, args] = node(
  'vitest/vitest.mjs',
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...process.argv.slice(2),
);

/** The files in which most time goes by, and how much. */
function slowest(results) {
  const times = results.map(({ name, startTime, endTime }) => [(endTime - startTime) / 1000, relative(root, name)]);
  const most = times.sort(([a], [b]) => b - a).slice(0, 10);
  return most.map(([time, name]) => `${time.toFixed(1).padStart(7)} s  ${name}`).join('\n');
}

const begin = performance.now();
const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
console.log(`millrace: … ${seconds(begin)}`);
try {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    readFileSync(report, 'utf8'),
  );
  passed += numPassedTests;
  failed += numFailedTests;
  skipped += numPendingTests + numTodoTests;
  console.log(`millrace: the slowest files\n${slowest(testResults)}`);
} catch {
  failed++;
}
if (status !== 0 && failed === 0) failed++;
rmSync(report, { force: true });
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);
