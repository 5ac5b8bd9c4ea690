// Searches that take longer than a test may: `npm run soak -- seeds`.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

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
  const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...files], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, MILLRACE_TEST_SEED: seed },
  });
  if (status !== 0)
    console.log(`millrace: to see it again: MILLRACE_TEST_SEED=${seed} npm run soak -- seeds ${paths.join(' ')}`);
  return status ?? 1;
}

const soaks = { seeds };
const [name, ...rest] = process.argv.slice(2);
if (!Object.hasOwn(soaks, name ?? '')) {
  console.error(`millrace: npm run soak -- NAME, where NAME is one of: ${Object.keys(soaks).join(', ')}`);
  process.exit(1);
}
process.exit(soaks[name](...rest));
