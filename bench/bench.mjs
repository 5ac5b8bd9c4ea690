// npm run bench: millrace beside its peers, alternated in one run. Medians, minima and ratios.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { cases } from './cases.mjs';
import { millrace } from './contenders.mjs';
import { alternate, compare } from './measure.mjs';
import { neighbours } from './process.mjs';
import { machine, machineLine, print, tables, write } from './report.mjs';

const known = ['native', 'wasm', 'reference'];
/** Words in lines that end before column 80, below each other where the meanings of the options are. */
const indented = (words) => words.replace(/(.{1,60})(?: |$)/g, `$1\n${' '.repeat(19)}`).trimEnd();
const usage = `usage: npm run bench -- [options]
  --case NAMES     ${indented(`of ${Object.keys(cases).join(', ')}; default: all of the backend's`)}
  --backend NAMES  of ${known.join(', ')}; default: wasm
  --threads LIST   in place of the cases' own
  --rounds N       in place of the cases' own
  --json FILE      writes everything that was measured
  --write          ${indented("puts the backend's table of results into bench/README.md; all cases only")}
Several names are separated by commas.`;

function fail(message) {
  console.error(`${message}\n${usage}`);
  process.exit(2);
}

/** Those of the backends that a variant is for, or a case when it is not asked for by name. */
const those = (backends, spec) => backends.filter((backend) => spec.backends?.includes(backend) ?? true);

function readOptions() {
  const text = { type: 'string' };
  const flag = { type: 'boolean' };
  const options = { case: text, backend: text, threads: text, rounds: text, json: text, write: flag, help: flag };
  let given;
  try {
    given = parseArgs({ options }).values;
  } catch (error) {
    fail(error.message);
  }
  const count = (name, value) =>
    /^[1-9]\d*$/.test(value) ? Number(value) : fail(`--${name} takes numbers of at least 1`);
  const backends = (given.backend ?? 'wasm').split(',');
  for (const name of backends) if (!known.includes(name)) fail(`there is no backend ${name}`);
  const usual = Object.keys(cases).filter((name) => those(backends, cases[name]).length > 0);
  const names = given.case?.split(',') ?? usual;
  for (const name of names) if (!Object.hasOwn(cases, name)) fail(`there is no case ${name}`);
  if (given.write && ((given.case ?? given.threads) !== undefined || !tables.includes(given.backend ?? 'wasm'))) {
    fail(`--write makes a table of a whole run: without --case and --threads, of one backend: ${tables.join(' or ')}`);
  }
  return {
    ...given,
    names,
    backends,
    threads: given.threads?.split(',').map((value) => count('threads', value)),
    rounds: given.rounds && count('rounds', given.rounds),
  };
}

/** Each of ours against the fastest of each family of its backend's peers; the goal is set by the first family. */
function comparisons(rows) {
  return rows
    .filter((row) => row.ours && !row.skipped)
    .flatMap((ours) => {
      const peers = rows.filter((row) => !row.ours && (row.backend ?? ours.backend) === ours.backend);
      const families = [...new Set(peers.map((peer) => peer.family))];
      return families.flatMap((family, i) => {
        const present = peers.filter((peer) => peer.family === family && !peer.skipped);
        if (present.length === 0) return [];
        const closest = present.map((peer) => compare(ours, peer)).reduce((a, b) => (b.ratio < a.ratio ? b : a));
        return [{ ...closest, goal: i === 0 ? ours.goal : undefined }];
      });
    });
}

/** Where ours is to get to: it depends on the backend, and on how wide the vectors are that it says it has. */
function goalOf({ goal }, variant, { plain, backend, facts }) {
  const bits = Number(facts.session?.match(/(\d+)-bit vectors/)?.[1]);
  return goal?.[backend]?.({ ...variant, plain, bits });
}

async function measure(name, variant, threads, { backends, rounds }) {
  const spec = cases[name];
  const wanted = those(backends, variant);
  const peers = Array.isArray(spec.peers) ? spec.peers : wanted.flatMap((backend) => spec.peers[backend] ?? []);
  const contenders = [
    ...wanted.flatMap((backend) => millrace(variant, backend, threads)),
    ...peers.flatMap((peer) => peer(variant, threads)),
  ];
  const steps = variant.steps ?? spec.steps;
  const leave = neighbours(variant.neighbours ?? 0);
  const rows = await alternate(contenders, { ...spec, steps, rounds: rounds ?? spec.rounds });
  leave();
  for (const row of rows.filter((row) => !row.skipped)) {
    // They are what is measured, and no reason to repeat it.
    if (row.others !== undefined) row.others -= variant.neighbours ?? 0;
    if (row.ours) row.goal = goalOf(spec, { ...variant, threads }, row);
    if (spec.perSecond) row.rate = `${((1000 * variant.batch) / row.median).toFixed(0)} images/s`;
  }
  return {
    case: name,
    what: variant.what,
    threads,
    fresh: spec.fresh,
    rows,
    comparisons: comparisons(rows),
  };
}

/** On a terminal, what is being done now, in place of what was said before. Drawn once: it must not take time from those measured. */
function say(text) {
  const { isTTY, columns } = process.stderr;
  if (isTTY) process.stderr.write(`\r\x1b[K${text.slice(0, (columns || 80) - 1)}`);
}

const options = readOptions();
if (options.help) {
  console.log(usage);
  process.exit(0);
}
const results = [];
for (const name of options.names) {
  for (const threads of options.threads ?? cases[name].threads) {
    for (const variant of cases[name].variants) {
      if (those(options.backends, variant).length === 0) continue;
      say(`measuring ${name}: ${variant.what} …`);
      results.push(await measure(name, variant, threads, options));
      say('');
      print(results.at(-1));
    }
  }
}
const stand = machine(results, options.rounds);
console.log(`\n${machineLine(stand)}`);
if (options.json) writeFileSync(options.json, JSON.stringify({ machine: stand, results }, null, 2));
if (options.write) write(results, machineLine(stand), options.backends[0]);
