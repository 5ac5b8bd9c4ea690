// Measuring: contenders take turns in one run, so that a busy machine is busy for all.

import { setTimeout as sleep } from 'node:timers/promises';
import { machineTime } from './process.mjs';

/** Long enough for the threads of who had the last turn to stop spinning. */
const pause = 50;

export const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
export const median = (numbers) => sorted(numbers)[numbers.length >> 1];

/** One turn: its times in ms. With `fresh` in a new process, which ends with it. */
async function turn(entry, steps, fresh) {
  await sleep(pause);
  const begin = performance.now();
  const [machineBefore, before] = [machineTime(), entry.process?.time() ?? 0];
  entry.process ??= entry.start();
  const times = await entry.process.run(steps);
  const all = performance.now() - begin;
  entry.wall += all;
  entry.others += machineTime() - machineBefore - (entry.process.time() - before);
  Object.assign(entry.facts, entry.process.facts);
  entry.warnings = entry.process.warnings();
  entry.peak = Math.max(entry.peak ?? 0, entry.process.peakMegabytes() ?? 0);
  if (entry.family === 'PyTorch') entry.facts.libraries = entry.process.libraries(/\/lib(open)?blas[^/]*$|mkl|blis/);
  if (fresh) await end(entry);
  return fresh === 'process' ? [all] : times;
}

async function end(entry) {
  await entry.process?.close();
  entry.process = undefined;
}

/** Who fails is out, with the reason; the others go on. */
async function attempt(entry, task) {
  if (entry.skipped) return;
  try {
    await task();
  } catch (error) {
    entry.skipped = error.message;
    await end(entry);
  }
}

/**
 * Lets the contenders alternate; a contender may bring `steps` and `warmup` of its own. A `plain` contender whose
 * session runs as the one before it does is left out: it would measure the same thing twice.
 */
export async function alternate(contenders, { steps, rounds, warmup = steps, fresh }) {
  const entries = contenders.map((c) => ({ ...c, facts: {}, times: [] }));
  for (const [i, entry] of entries.entries()) {
    const first = entry.warmup ?? (fresh === 'step' ? 0 : warmup);
    if (first > 0) await attempt(entry, () => turn(entry, first, fresh));
    if (entry.plain && !entry.skipped && entry.facts.session === entries[i - 1].facts.session) {
      entry.skipped = 'the session runs in the same way without it';
      await end(entry);
    }
    Object.assign(entry, { wall: 0, others: 0 });
  }
  for (let round = 0; round < rounds; round++) {
    for (const entry of entries) {
      await attempt(entry, async () => entry.times.push(await turn(entry, entry.steps ?? steps, fresh)));
    }
  }
  for (const entry of entries) await end(entry);
  return entries.map(summary);
}

function summary(entry) {
  const { name, ours = false, plain, family, backend, skipped } = entry;
  if (skipped) return { name, ours, family, backend, skipped };
  const { facts, warnings, peak, times, others, wall } = entry;
  const all = times.flat();
  const [middle, minimum] = [median(all), Math.min(...all)];
  const row = { name, ours, plain, family, backend, median: middle, minimum, times, facts, warnings };
  if (peak) row.peakMegabytes = peak;
  // How many cores other processes kept busy meanwhile, where the system says.
  if (Number.isFinite(others)) row.others = others / wall;
  if (facts.flops) row.rate = `${(facts.flops / row.median / 1e6).toFixed(1)} GF/s`;
  if (facts.bytes) row.rate = `${(facts.bytes / row.median / 1e6).toFixed(1)} GB/s`;
  return row;
}

/** How many times as fast ours is: the ratio of the medians, and of the middle half of the rounds taken one by one. */
export function compare(ours, peer) {
  const amount = ({ facts }) => facts.flops ?? facts.bytes ?? 1;
  const work = amount(ours) / amount(peer);
  const rounds = sorted(ours.times.map((times, i) => (median(peer.times[i]) / median(times)) * work));
  return {
    ours: ours.name,
    peer: peer.name,
    ratio: (peer.median / ours.median) * work,
    minima: (peer.minimum / ours.minimum) * work,
    low: rounds[rounds.length >> 2],
    high: rounds[(rounds.length * 3) >> 2],
    memory: ours.peakMegabytes && peer.peakMegabytes && ours.peakMegabytes / peer.peakMegabytes,
  };
}
