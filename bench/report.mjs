// How results are shown: on the console, and as the table in README.md.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { findTorch } from './contenders.mjs';

/** Backends that have a table in README.md, each between its markers. */
export const tables = ['wasm', 'native'];
const markers = {
  wasm: ['<!-- results: npm run bench -- --write -->', '<!-- end of results -->'],
  native: ['<!-- results: npm run bench -- --backend native --write -->', '<!-- end of the native results -->'],
};
const readme = fileURLToPath(new URL('README.md', import.meta.url));

const time = (ms) => {
  if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`;
  if (ms < 1000) return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
  return `${(ms / 1000).toFixed(ms < 10000 ? 2 : 1)} s`;
};
const memory = ({ peakMegabytes }) => (peakMegabytes ? `${peakMegabytes.toFixed(0)} MB` : 'memory unknown');
/** The most that other processes computed in a contender's turns, in cores; above the limit the ratios mean little. */
const others = (rows) => Math.max(0, ...rows.map((row) => row.others ?? 0));
const quiet = 0.2;
const threadCount = (n) => `${n} thread${n === 1 ? '' : 's'}`;

/** What a run of the bench stands on. */
export function machine(results, rounds) {
  const git = (...args) => {
    try {
      return execFileSync('git', args, { cwd: fileURLToPath(new URL('.', import.meta.url)), encoding: 'utf8' }).trim();
    } catch {
      return '';
    }
  };
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
  const rows = results.flatMap((result) => result.rows);
  const libraries = rows.flatMap((row) => row.facts?.libraries ?? []);
  const lanes = rows.find((row) => row.facts?.lanes)?.facts.lanes;
  const peaks = results.flatMap(({ threads, rows }) =>
    rows.filter((row) => row.facts?.lanes).map(({ facts, minimum }) => facts.flops / minimum / threads / 1e6),
  );
  return {
    processor: cpus()[0]?.model,
    cores: cpus().length,
    lanes,
    peak: lanes && Math.max(...peaks),
    node: process.version,
    pytorch: findTorch().version ?? 'not installed',
    blas: [...new Set(libraries.map((path) => path.split('/').slice(-2).join('/')))].join(', ') || 'none seen',
    peers: dependencies,
    commit: `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '../src') ? ' with changes' : ''}`,
    rounds: rounds ?? "each case's own",
    date: new Date().toISOString().slice(0, 10),
  };
}

const vectors = ({ lanes, peak }) =>
  lanes ? `, vectors of ${lanes} float32, at most ${peak.toFixed(0)} GF/s a thread from registers alone` : '';

export const machineLine = (m) =>
  `${m.date}, commit ${m.commit}; ${m.processor}, ${m.cores} cores${vectors(m)}; Node ${m.node}; PyTorch ${m.pytorch} (BLAS: ${m.blas}); ` +
  Object.entries(m.peers)
    .filter(([name]) => name !== 'protobufjs')
    .map(([name, version]) => `${name} ${version}`)
    .join(', ') +
  `; rounds: ${m.rounds}`;

/** A variant's results, for people. */
export function print({ case: name, what, threads, fresh, rows, comparisons }) {
  console.log(`\n${name}: ${what}, ${threadCount(threads)}`);
  const measured = rows.filter((row) => !row.skipped);
  const width = Math.max(0, ...measured.map((row) => row.name.length));
  for (const row of measured) {
    const extra = [
      row.rate,
      fresh === 'step' && `peak ${memory(row)}`,
      fresh === 'process' && row.ours && `${time(row.facts.importToFirstStep)} from import on`,
      row.facts.build &&
        `of the last: built in ${time(row.facts.build)}, compiled and run in ${time(row.facts.first)}, run again in ${time(row.facts.second)}`,
      row.facts.largestDifference !== undefined &&
        `probabilities within ${row.facts.largestDifference.toExponential(0)}`,
    ].filter(Boolean);
    const figures = [`median ${time(row.median).padStart(9)}`, `minimum ${time(row.minimum).padStart(9)}`, ...extra];
    console.log(`  ${row.name.padEnd(width)}  ${figures.join('  ')}`);
  }
  for (const row of measured.filter((row) => row.ours)) console.log(`  ${row.name} runs as: ${row.facts.session}`);
  for (const row of measured.filter((row) => row.ours && row.warnings))
    console.log(`  ${row.name} says: ${row.warnings}`);
  for (const row of rows.filter((row) => row.skipped)) console.log(`  ${row.name} is left out: ${row.skipped}`);
  for (const c of comparisons) {
    const goal = c.goal === undefined ? '' : `; to get to: ${c.goal}`;
    const space = c.memory && fresh === 'step' ? `, ${c.memory.toFixed(2)} × its memory` : '';
    console.log(`  ${c.ours}: ${spread(c)} as fast as ${c.peer}${space}${goal}`);
  }
  for (const row of comparisons.length === 0 ? measured : []) if (row.goal) console.log(`  to get to: ${row.goal}`);
  if (others(rows) > quiet) {
    console.log(
      `  BUSY MACHINE: other processes kept up to ${others(rows).toFixed(1)} cores busy; repeat this when it is quiet`,
    );
  }
}
const spread = ({ ratio, low, high, minima }) =>
  `${ratio.toFixed(2)} × (${low.toFixed(2)}–${high.toFixed(2)}; minima ${minima.toFixed(2)})`;

/** The results' lines in the table: a line for each pair that was compared, and for each peer that is left out. */
function lines({ case: name, what, threads, fresh, rows, comparisons }) {
  const figure = (row) => {
    if (row.rate) return row.rate;
    return `${time(row.median)} (${time(row.minimum)})${fresh === 'step' ? `, ${memory(row)}` : ''}`;
  };
  const named = (wanted) => rows.find((row) => row.name === wanted);
  const busy = others(rows) > quiet ? `, busy machine (${others(rows).toFixed(1)} cores)` : '';
  const label = `\`${name}\` ${what}`;
  const compared = comparisons.map((c) =>
    [label, threads, c.ours, figure(named(c.ours)), c.peer, figure(named(c.peer)), spread(c) + busy, c.goal ?? ''].join(
      ' | ',
    ),
  );
  const left = rows
    .filter((row) => row.skipped)
    .map(({ name, ours, skipped }) => {
      const reason = `left out: ${skipped.replaceAll('|', '/')}`;
      return [label, threads, ...(ours ? [name, reason, '', ''] : ['', '', name, reason]), '', ''].join(' | ');
    });
  const alone =
    rows.length === 1 && !rows[0].skipped
      ? [[label, threads, rows[0].name, figure(rows[0]), '', '', '', rows[0].goal ?? ''].join(' | ')]
      : [];
  return [...compared, ...alone, ...left];
}

/** Puts a backend's results between its markers of README.md, in place of those that were there. */
export function write(results, line, backend) {
  const [first, last] = markers[backend];
  const text = readFileSync(readme, 'utf8');
  const [from, to] = [text.indexOf(first), text.indexOf(last)];
  if (from < 0 || to < from) throw new Error(`bench/README.md must have the lines ${first} and ${last}`);
  const table = [
    'case | threads | ours | median (minimum) | peer | median (minimum) | times as fast (middle half of the rounds; of the minima) | to get to',
    '--- | --- | --- | --- | --- | --- | --- | ---',
    ...results.flatMap(lines),
  ];
  const block = [first, '', `${line}.`, '', ...table.map((row) => `| ${row} |`), '', ''].join('\n');
  writeFileSync(readme, text.slice(0, from) + block + text.slice(to));
}
