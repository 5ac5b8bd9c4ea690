// What the suite does a little, done much more often, by hand: `npm run soak -- NAME`. Takes minutes.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The files that draw examples at random. */
const properties = () =>
  readdirSync(join(root, 'tests'), { recursive: true })
    .map((name) => join('tests', name))
    .filter(
      (name) =>
        name.endsWith('.test.ts') && /'fast-check'|'(\.\.\/)+run\.ts'/.test(readFileSync(join(root, name), 'utf8')),
    );

/** By name: what is done, the files that do it, and the variables that tell them how often; those that are set stay. */
const soaks = {
  calls: {
    about: 'calls of everything public with arguments of all kinds',
    files: ['tests/integration/calls.test.ts'],
    env: { MILLRACE_CALLS: '100000', MILLRACE_SEED: String(randomInt(2 ** 31)) },
  },
  kills: {
    about: 'kill -9 while each step is saved',
    files: ['tests/checkpoint/durable.test.ts'],
    env: { MILLRACE_KILLS: '200' },
  },
  resume: {
    about: 'the second model, killed and resumed, with every optimizer',
    files: ['tests/integration/resume.test.ts'],
    env: { MILLRACE_RESUME: 'whole' },
  },
  seeds: {
    about: 'all property tests, or those in the files that are named behind, with examples that no run has had',
    files: properties(),
    env: { MILLRACE_TEST_SEED: String(randomInt(2 ** 31)) },
  },
  sums: {
    about: 'sums of 100,000,000 terms',
    files: ['tests/integration/sums.test.ts'],
    env: { MILLRACE_TEST_TERMS: '1e8' },
  },
};

const [name, ...chosen] = process.argv.slice(2);
if (!Object.hasOwn(soaks, name ?? '')) {
  const list = Object.entries(soaks).map(([key, { about }]) => `  ${key.padEnd(8)}${about}\n`);
  console.error(`millrace: npm run soak -- NAME, where NAME is one of:\n${list.join('')}`);
  process.exit(1);
}
const { files, env: defaults } = soaks[name];
const env = Object.fromEntries(Object.entries(defaults).map(([key, value]) => [key, process.env[key] ?? value]));
const words = Object.entries(env).map(([key, value]) => `${key}=${value}`);
console.log(
  `millrace: ${name}: to do the same again: ${words.join(' ')} npm run soak -- ${[name, ...chosen].join(' ')}`,
);
const wanted = chosen.length > 0 ? chosen : files;
const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...wanted], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, ...env },
});
process.exit(status ?? 1);
