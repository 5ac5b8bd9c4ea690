// The whole suite: types, lint, unit and integration tests. Ends with the slowest files and one line that counts all tests.
// What stands behind `--` is for vitest: `npm test -- tests/ops` runs the tests of ops only.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const node = (script, ...args) => [process.execPath, [join(root, 'node_modules', script), ...args]];
let passed = 0;
let failed = 0;
let skipped = 0;

function step(what, [command, args]) {
  console.log(`millrace: ${what}`);
  const status = timed(command, args);
  if (status === 0) passed++;
  else failed++;
}

/** Runs a command, and says how long it took. */
function timed(command, args) {
  const begin = performance.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  console.log(`millrace: … ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  return status;
}

step('types of src, tests and examples …', node('typescript/bin/tsc', '-p', 'tsconfig.json'));
step('types of the playground …', node('typescript/bin/tsc', '-p', 'examples/playground/tsconfig.json'));
step('types under TypeScript 5.9 …', node('ts59/bin/tsc', '-p', 'tests/types/tsconfig.json'));
step('lint and format …', node('@biomejs/biome/bin/biome', 'check', '.'));

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
  return most.map(([seconds, name]) => `${seconds.toFixed(1).padStart(7)} s  ${name}`).join('\n');
}

const status = timed(command, args);
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
