// The whole suite: types, lint, unit and integration tests. Ends with one line that counts them. What stands behind `--`
// is for vitest: `npm test -- tests/ops` runs the tests of ops only.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const node = (script, ...args) => [process.execPath, [join(root, 'node_modules', script), ...args]];
let passed = 0;
let failed = 0;
let skipped = 0;

function step(what, [command, args]) {
  console.log(`millrace: ${what}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) passed++;
  else failed++;
}

step('types of src, tests and examples …', node('typescript/bin/tsc', '-p', 'tsconfig.json'));
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
const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
try {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, 'utf8'));
  passed += numPassedTests;
  failed += numFailedTests;
  skipped += numPendingTests + numTodoTests;
} catch {
  failed++;
}
if (status !== 0 && failed === 0) failed++;
rmSync(report, { force: true });
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);
