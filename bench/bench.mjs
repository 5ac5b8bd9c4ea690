// npm run bench: millrace beside its peers, alternated in one run. Medians, minima and ratios.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { millrace } from './models.mjs';
import { pytorch, tfjs } from './peers.mjs';

const cases = {
  'softmax-train': { model: 'softmax', batch: 50, steps: 300, rounds: 12, goal: 1 },
  'cnn-train': { model: 'cnn', batch: 50, steps: 5, rounds: 10, goal: 2.5 },
};
const usage = `usage: npm run bench -- [--case ${Object.keys(cases).join('|')}] [--rounds N] [--json FILE]`;

let options;
try {
  options = parseArgs({
    options: {
      case: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean' },
    },
  }).values;
  if (options.case !== undefined && !(options.case in cases)) throw new Error(`there is no case ${options.case}`);
} catch (error) {
  console.error(`${error.message}\n${usage}`);
  process.exit(2);
}
if (options.help) {
  console.log(usage);
  process.exit(0);
}

const sorted = (a) => [...a].sort((x, y) => x - y);
const median = (a) => sorted(a)[a.length >> 1];
const show = (ms) => (ms < 1 ? `${(ms * 1000).toFixed(0)} µs` : `${ms.toFixed(1)} ms`);
const results = [];
for (const [name, { model, batch, steps, rounds, goal }] of Object.entries(cases)) {
  if (options.case !== undefined && options.case !== name) continue;
  const contenders = [await millrace(model, batch)];
  console.log(`\n${name}: batch ${batch}, 1 thread, feeds included`);
  for (const peer of [pytorch(model, batch, 1), await tfjs(model, batch)]) {
    if ('skipped' in peer) console.log(`  skipped: ${peer.skipped}`);
    else contenders.push(...peer);
  }
  const times = contenders.map(() => []);
  for (const c of contenders) await c.run(steps);
  for (let round = 0; round < Number(options.rounds ?? rounds); round++) {
    for (const [i, c] of contenders.entries()) times[i].push(...(await c.run(steps)));
  }
  for (const c of contenders) await c.close();
  const rows = contenders.map((c, i) => ({ name: c.name, median: median(times[i]), minimum: sorted(times[i])[0] }));
  for (const row of rows) {
    const ratio = row === rows[0] ? '' : `  millrace takes ${(rows[0].median / row.median).toFixed(2)} × its time`;
    console.log(
      `  ${row.name.padEnd(24)} median ${show(row.median).padStart(9)}  minimum ${show(row.minimum).padStart(9)}${ratio}`,
    );
  }
  const torch = rows.filter((r) => r.name.startsWith('PyTorch')).map((r) => r.median);
  if (torch.length > 0) {
    const ratio = rows[0].median / Math.min(...torch);
    console.log(`  against the better PyTorch: ${ratio.toFixed(2)} (goal: at most ${goal})`);
  }
  results.push({ case: name, batch, threads: 1, rows });
}
const machine = {
  processor: cpus()[0]?.model,
  cores: cpus().length,
  node: process.version,
  date: new Date().toISOString().slice(0, 10),
};
console.log(`\n${machine.processor}, ${machine.cores} cores, Node ${machine.node}, ${machine.date}`);
if (options.json) writeFileSync(options.json, JSON.stringify({ machine, results }, null, 2));
process.exit(0);
