// Searches that take longer than a test may: `npm run soak -- seeds`, `npm run soak -- sums`.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs test files with such an environment; gives the exit status. */
function test(files, env) {
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...files];
  return (
    spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).status ?? 1
  );
}

/** All property tests, or those of the given files, with examples that no run has had. */
function seeds(...paths) {
  const all = readdirSync(join(root, 'tests'), { recursive: true })
    .map((name) => join('tests', name))
    .filter(
      (name) =>
        name.endsWith('.test.ts') && /'fast-check'|'(\.\.\/)+run\.ts'/.test(readFileSync(join(root, name), 'utf8')),
    );
  const seed = process.env.MILLRACE_TEST_SEED ?? String(randomInt(2 ** 31));
  const files = paths.length > 0 ? paths : all;
  console.log(`millrace: ${files.length} files with the seed ${seed} …`);
  const status = test(files, { MILLRACE_TEST_SEED: seed });
  if (status !== 0)
    console.log(`millrace: to see it again: MILLRACE_TEST_SEED=${seed} npm run soak -- seeds ${paths.join(' ')}`);
  return status;
}

/** Sums of 10⁸ numbers. */
const sums = () => test(['tests/integration/sums.test.ts'], { MILLRACE_TEST_TERMS: '1e8' });

const soaks = { seeds, sums };
const [name, ...rest] = process.argv.slice(2);
if (!Object.hasOwn(soaks, name ?? '')) {
  console.error(`millrace: npm run soak -- NAME, where NAME is one of: ${Object.keys(soaks).join(', ')}`);
  process.exit(1);
}
process.exit(soaks[name](...rest));
