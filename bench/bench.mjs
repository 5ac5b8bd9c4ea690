// npm run bench: millrace beside its peers, alternated in one run. Medians, minima and ratios.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { cases } from './cases.mjs';
import { millrace } from './contenders.mjs';
import { alternate, compare } from './measure.mjs';
import { machine, machineLine, print, write } from './report.mjs';

const usage = `usage: npm run bench -- [options]
  --case NAMES     of ${Object.keys(cases).join(', ')}; default: all
  --backend NAMES  millrace's backends; default: wasm
  --threads LIST   in place of the cases' own
  --rounds N       in place of the cases' own
  --json FILE      writes everything that was measured
  --write          puts the table of results into bench/README.md; all cases only
Several names are separated by commas.`;

function fail(message) {
  console.error(`${message}\n${usage}`);
  process.exit(2);
}

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
  const names = given.case?.split(',') ?? Object.keys(cases);
  for (const name of names) if (!Object.hasOwn(cases, name)) fail(`there is no case ${name}`);
  if (given.write && (given.case ?? given.backend ?? given.threads) !== undefined) {
    fail('--write makes a table of one whole run: it goes without --case, --backend and --threads');
  }
  return {
    ...given,
    names,
    backends: (given.backend ?? 'wasm').split(','),
    threads: given.threads?.split(',').map((value) => count('threads', value)),
    rounds: given.rounds && count('rounds', given.rounds),
  };
}

/** Each of ours against the fastest of each family of peers; the goal is set by the first family. */
function comparisons(rows, goal) {
  const measured = rows.filter((row) => !row.skipped);
  const peers = measured.filter((row) => !row.ours);
  const families = [...new Set(rows.filter((row) => !row.ours).map((row) => row.family))];
  return measured
    .filter((row) => row.ours)
    .flatMap((ours) =>
      families.flatMap((family, i) => {
        const pairs = peers.filter((peer) => peer.family === family).map((peer) => compare(ours, peer));
        if (pairs.length === 0) return [];
        const closest = pairs.reduce((a, b) => (b.ratio < a.ratio ? b : a));
        return [{ ...closest, goal: i === 0 ? goal(ours.plain) : undefined }];
      }),
    );
}

async function measure(name, variant, threads, { backends, rounds }) {
  const spec = cases[name];
  const contenders = [
    ...backends.flatMap((backend) => millrace(variant, backend, threads)),
    ...spec.peers.flatMap((peer) => peer(variant, threads)),
  ];
  const steps = variant.steps ?? spec.steps;
  const rows = await alternate(contenders, { ...spec, steps, rounds: rounds ?? spec.rounds });
  return {
    case: name,
    what: variant.what,
    threads,
    fresh: spec.fresh,
    rows,
    comparisons: comparisons(rows, (plain) => spec.goal({ ...variant, threads, plain })),
    goal: spec.goalInWords,
  };
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
      results.push(await measure(name, variant, threads, options));
      print(results.at(-1));
    }
  }
}
const stand = machine(results, options.rounds);
console.log(`\n${machineLine(stand)}`);
if (options.json) writeFileSync(options.json, JSON.stringify({ machine: stand, results }, null, 2));
if (options.write) write(results, machineLine(stand));
