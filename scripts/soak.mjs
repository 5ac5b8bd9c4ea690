// What the suite does a little, done much more often, by hand: `npm run soak -- NAME`. Takes minutes.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
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
  compilers: {
    about: 'every expression and access in C, with each compiler here, for each machine',
    files: ['tests/backends/native/emit/expression.test.ts', 'tests/backends/native/partial.test.ts'],
    env: { MILLRACE_TEST_COMPILERS: 'all' },
  },
  docs: {
    about: 'the API site, built by TypeDoc without a warning, and its pages opened',
    files: ['tests/integration/site.test.ts'],
    env: { MILLRACE_SITE: '1' },
  },
  dtypes: {
    about: 'each op with each dtype that docs/ops.md says it takes, on every backend',
    files: ['tests/integration/dtypes.test.ts'],
    env: { MILLRACE_DTYPES: 'all' },
  },
  kills: {
    about: 'kill -9 while each step is saved',
    files: ['tests/checkpoint/durable.test.ts'],
    env: { MILLRACE_KILLS: '200' },
  },
  mutants: {
    about: 'mistakes in a folder of src, one at a time, and which of them no test notices: mutants data 40',
    env: { MILLRACE_SEED: String(randomInt(2 ** 31)) },
  },
  package: {
    about: 'the packed package, with both compilers and every way to resolve it',
    files: ['tests/integration/package.test.ts'],
    env: { MILLRACE_TEST_PACKAGE: 'whole' },
  },
  resume: {
    about: 'the second model, killed and resumed, with every optimizer on every backend',
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
  threads: {
    about: 'trainings of 200 steps on many numbers of threads',
    files: ['tests/session/threads.test.ts'],
    env: { MILLRACE_TEST_STEPS: '200' },
  },
};

const [name, ...chosen] = process.argv.slice(2);
if (!Object.hasOwn(soaks, name ?? '')) {
  const list = Object.entries(soaks).map(([key, { about }]) => `  ${key.padEnd(11)}${about}\n`);
  console.error(`millrace: npm run soak -- NAME, where NAME is one of:\n${list.join('')}`);
  process.exit(1);
}
const { files, env: defaults } = soaks[name];
const env = Object.fromEntries(Object.entries(defaults).map(([key, value]) => [key, process.env[key] ?? value]));
const words = Object.entries(env).map(([key, value]) => `${key}=${value}`);
console.log(
  `millrace: ${name}: to do the same again: ${words.join(' ')} npm run soak -- ${[name, ...chosen].join(' ')}`,
);
/** Runs a command here, with the variables and others, and says whether it went well. */
function run(command, args, cwd = root, others = {}) {
  const shell = process.platform === 'win32' && command === 'npm';
  return (
    spawnSync(command, args, { cwd, shell, stdio: 'inherit', env: { ...process.env, ...others, ...env } }).status ?? 1
  );
}
if (name !== 'mutants') {
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...(chosen[0] ? chosen : files)];
  // No test is stopped: that what takes long is done in the end is what a soak is for.
  process.exit(run(process.execPath, args, root, { MILLRACE_TEST_TIMEOUT: '86400000' }));
}
// Stryker is large, and nothing else needs it: it has a folder of its own, and is installed when it is first wanted.
const soak = join(root, 'soak');
const changed = (file) => (existsSync(join(soak, file)) ? statSync(join(soak, file)).mtimeMs : 0);
if (changed('node_modules/.package-lock.json') < changed('package.json')) {
  console.log('millrace: installing StrykerJS in soak/ …');
  if (run('npm', ['install'], soak) !== 0) process.exit(1);
}
process.exit(run(process.execPath, ['soak/mutants.mjs', ...chosen]));
