// Plants mistakes in a folder of src, one at a time, and tells which of them no test notices: npm run soak -- mutants.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Stryker } from '@stryker-mutator/core';
import { Instrumenter } from '@stryker-mutator/instrumenter';
import { describe, numberOf } from './draw.mjs';
import { judgesOf, never } from './folders.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const seed = process.env.MILLRACE_SEED;

function fail(message) {
  console.error(`millrace: ${message}\nnpm run soak -- mutants FOLDER [HOW MANY], such as: mutants session 40,
where FOLDER is one of src, or a path, with lines or without: src/session, src/session/queue.ts:20-30`);
  process.exit(1);
}

/** What is to be mutated: the files, and from which line to which. */
function chosen(where) {
  const [, name, from, to] = where.match(/^(.*?)(?::(\d+)(?:-(\d+))?)?$/);
  const path = existsSync(join(root, name)) ? name.replace(/\/$/, '') : `src/${name}`;
  if (!existsSync(join(root, path))) fail(`there is no ${name}`);
  const files = path.endsWith('.ts')
    ? [path]
    : readdirSync(join(root, path), { recursive: true })
        .map((file) => join(path, file))
        .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
  return { path, files, from: Number(from ?? 1), to: Number(to ?? from ?? Infinity) };
}

// Texts are left as they are: what an error says is held by a few tests of their own.
const excludedMutations = ['StringLiteral'];

/** All mutants of the files. */
async function mutantsOf({ files, from, to }) {
  const silent = { debug: () => {}, info: () => {}, isDebugEnabled: () => false, warn: console.warn };
  const read = (name) => ({ name: join(root, name), mutate: true, content: readFileSync(join(root, name), 'utf8') });
  const { mutants } = await new Instrumenter(silent).instrument(files.map(read), {
    ignorers: [],
    plugins: null,
    excludedMutations,
  });
  return mutants.filter((mutant) => {
    const { line } = describe(mutant);
    return mutant.status !== 'Ignored' && from <= line && line <= to;
  });
}

/** What a mutant changes, in a line. */
function story(mutant) {
  const { file, line, replacement } = describe(mutant);
  const { start, end } = mutant.location;
  const lines = readFileSync(join(root, file), 'utf8')
    .split('\n')
    .slice(start.line, end.line + 1);
  lines[lines.length - 1] = lines.at(-1).slice(0, end.column);
  lines[0] = lines[0].slice(start.column);
  const short = (text) => text.replace(/\s+/g, ' ').replace(/^(.{100}).{3,}$/, '$1 …');
  return `${file}:${line}  ${short(lines.join('\n'))}  →  ${short(replacement)}`;
}

const [where = fail('no folder is named'), count = 'all'] = process.argv.slice(2);
if (count !== 'all' && !/^[1-9]\d*$/.test(count)) fail(`${count} is no number of mutants`);
const place = chosen(where);
const numbered = (await mutantsOf(place)).map((mutant) => ({ mutant, number: numberOf(seed, mutant) }));
const drawn = numbered.sort((a, b) => (a.number < b.number ? -1 : 1)).slice(0, count === 'all' ? Infinity : count);
console.log(`millrace: ${drawn.length} of ${numbered.length} mutants of ${where}:`);
for (const { mutant } of drawn) console.log(`  ${story(mutant)}`);

Object.assign(process.env, {
  MILLRACE_MUTANTS: JSON.stringify(drawn.map(({ number }) => number)),
  MILLRACE_MUTANTS_TESTS: JSON.stringify({ include: judgesOf(place.path), exclude: never }),
  CC: 'none: mutants are judged without the native backend',
});
const temporary = `.mutants-${process.pid}`;
const ranges = drawn.map(({ mutant }) => {
  const { file, place } = describe(mutant);
  return `${file}:${place}`;
});
process.chdir(root);
const results = await new Stryker({
  mutate: ranges,
  mutator: { excludedMutations },
  plugins: [
    fileURLToPath(import.meta.resolve('@stryker-mutator/vitest-runner')),
    fileURLToPath(new URL('drawn.mjs', import.meta.url)),
  ],
  testRunner: 'vitest',
  vitest: { configFile: 'soak/vitest.config.ts', related: true },
  checkers: ['drawn'],
  coverageAnalysis: 'perTest',
  concurrency: 1,
  timeoutMS: 20_000,
  dryRunTimeoutMinutes: 30,
  reporters: ['progress-append-only'],
  tsconfigFile: 'none.json',
  tempDirName: temporary,
  ignorePatterns: ['/.mutants-*', '/biome.json', '/dist', '/examples', '/bench', '/docs', '/.ci'],
  allowConsoleColors: false,
}).runMutationTest();
rmSync(temporary, { recursive: true, force: true });

// Its reports count lines and columns from 1.
const back = ({ line, column }) => ({ line: line - 1, column: column - 1 });
const those = (...wanted) =>
  results
    .filter(({ status }) => wanted.includes(status))
    .map((mutant) => ({ ...mutant, location: { start: back(mutant.location.start), end: back(mutant.location.end) } }));
const noticed = those('Killed', 'Timeout').length;
const survivors = those('Survived', 'NoCoverage');
console.log(`\nmillrace: not noticed by ${judgesOf(place.path).join(' ')}:`);
for (const mutant of survivors) console.log(`  ${story(mutant)}  (${mutant.mutatorName}, ${mutant.status})`);
// A busy machine makes many: they are worth a look, or another run.
for (const mutant of those('Timeout')) console.log(`  did not end: ${story(mutant)}`);
for (const mutant of those('RuntimeError')) console.log(`  failed: ${story(mutant)}: ${mutant.statusReason}`);
console.log(
  `millrace: ${where}: ${drawn.length} mutants, ${noticed} noticed (${those('Timeout').length} by not ending), ` +
    `${survivors.length} not: ${((100 * noticed) / (noticed + survivors.length)).toFixed(1)} %`,
);
