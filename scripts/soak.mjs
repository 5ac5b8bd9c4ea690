// What the suite does a little, done much more often, by hand: `npm run soak -- NAME`. Takes minutes.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const seed = process.env.MILLRACE_SEED ?? String(Date.now() % 1e6);
const soaks = {
  calls: {
    about: 'calls of everything public with arguments of all kinds (MILLRACE_CALLS, MILLRACE_SEED)',
    file: 'tests/integration/calls.test.ts',
    env: { MILLRACE_CALLS: process.env.MILLRACE_CALLS ?? '100000', MILLRACE_SEED: seed },
  },
};

const [name] = process.argv.slice(2);
if (!Object.hasOwn(soaks, name ?? '')) {
  const list = Object.entries(soaks).map(([n, { about }]) => `  ${n}: ${about}`);
  console.error(
    `${name === undefined ? 'Which one?' : `There is no ${name}.`} npm run soak -- NAME, of these:\n${list.join('\n')}`,
  );
  process.exit(1);
}
const { file, env } = soaks[name];
console.log(`millrace: ${name}: ${JSON.stringify(env)}`);
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', file], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, ...env },
});
process.exit(status ?? 1);
