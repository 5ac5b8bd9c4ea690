// A compiled run as text for the user: its tasks, what was offered for them, its kernels, and where its arrays lie.
import type { Buffer } from '../loops/ir.ts';
import { isDivided } from '../loops/patterns.ts';
import type { Lowered } from '../primitives/primitives.ts';
import { printLowered, printTask } from '../primitives/print.ts';
import { sizeOf } from '../tensor/dtype.ts';
import type { Plan, PlannedTask } from './compile.ts';

/** How long the kernels took, in milliseconds: the median of some runs. */
export interface MeasuredKernels {
  readonly runs: number;
  readonly medians: readonly number[];
}

/** A run and how it is run. */
export interface Explained {
  readonly lowered: Lowered;
  /** Undefined for a backend that takes the primitives as they are. */
  readonly plan: Plan | undefined;
  /** Is it run on the calling thread? */
  readonly inline: boolean;
  /** Undefined if no run was measured. */
  readonly measured: MeasuredKernels | undefined;
}

/**
 * Tasks in the order of the schedule, `%id5` being the array called `map5` or the like; then the map of the memory.
 *
 * @example
 * 1 task, 1 kernel, 1,000 FLOP, 4,400 bytes; short: runs on the calling thread
 *
 * task 0: contract [50,10] of %id4[50,10,784]:(784,0,1)+0, %id5[50,10,784]:(0,1,10)+0
 *   %id9:(10,1)+0 = in-1
 *   offers: tiles 4×8, packed, cost 196,000 (taken); sum of products, cost 784,000
 *   kernel 0: contract 4×8, parallel, 784,000 FLOP, 190,160 bytes
 */
export function explain({ lowered, plan, inline, measured }: Explained): string {
  if (!plan) return `This backend evaluates these primitives one after another:\n${printLowered(lowered)}`;
  const kernels = plan.kernels.map((_, k) => printKernel(plan, k, measured));
  return [
    printTotals(plan, inline, measured),
    '',
    ...plan.tasks.map((task, step) => `${printPlanned(task, step, kernels)}\n`),
    printArena(plan),
    '',
    printOwnSpace(plan),
    '',
    printLasting(plan, lowered),
  ].join('\n');
}

/** Of each kernel what a timeline shows. */
export const kernelsOf = (plan: Plan): { name: string; parallel: boolean; args: Record<string, number> }[] =>
  plan.tasks.flatMap(({ kernels: [from, to] }, task) =>
    plan.kernels.slice(from, to).map((kernel, i) => {
      const { name, flops, bytes } = kernel;
      return { name, parallel: isDivided(kernel), args: { kernel: from + i, task, flops, bytes } };
    }),
  );

const rounded = (n: number): string => Math.round(n).toLocaleString('en');
const count = (n: number, what: string): string => `${rounded(n)} ${what}${n === 1 ? '' : 's'}`;
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
const bytesOf = ({ length, dtype }: Buffer): number => length * sizeOf(dtype);

/** How often a kernel is called in a run: once for each block of the items that it treats by themselves. */
function callsOf({ repeats }: Plan, k: number): number {
  const repeat = repeats.find((r) => k >= r.first && k < r.end);
  return repeat ? Math.ceil(repeat.items / repeat.block) : 1;
}

function printTotals(plan: Plan, inline: boolean, measured: MeasuredKernels | undefined): string {
  const { kernels, tasks } = plan;
  const total = (of: 'flops' | 'bytes') => rounded(sum(kernels.map((kernel, k) => kernel[of] * callsOf(plan, k))));
  const work = `${total('flops')} FLOP, ${total('bytes')} bytes`;
  const where = inline ? 'short: runs on the calling thread' : 'long: runs on the threads of the pool';
  const times = measured
    ? `\nkernels took ${milliseconds(sum(measured.medians))} in all; times are medians of the last ${count(measured.runs, 'run')}, of the slowest thread`
    : '';
  return `${count(tasks.length, 'task')}, ${count(kernels.length, 'kernel')}, ${work}; ${where}${times}`;
}

const milliseconds = (ms: number): string => `${ms.toFixed(ms < 10 ? 3 : 1)} ms`;

function printPlanned({ task, offers, kernels: [from, to] }: PlannedTask, step: number, kernels: readonly string[]) {
  const made = offers.map(({ name, cost }, i) => `${name}, cost ${rounded(cost)}${i === 0 ? ' (taken)' : ''}`);
  const own = kernels.slice(from, to);
  const lines = [
    `offers: ${made.join('; ')}`,
    ...(own.length > 0 ? own : [`in kernel ${from}, with the tasks after it`]),
  ];
  return [`task ${step}: ${printTask(task)}`, ...lines.map((line) => `  ${line}`)].join('\n');
}

function printKernel(plan: Plan, k: number, measured: MeasuredKernels | undefined): string {
  const { name, flops, bytes } = plan.kernels[k];
  const calls = callsOf(plan, k);
  const how = `${isDivided(plan.kernels[k]) ? 'parallel' : 'one thread'}${calls > 1 ? `, ${calls} times` : ''}`;
  const line = `kernel ${k}: ${name}, ${how}, ${rounded(flops)} FLOP, ${rounded(bytes)} bytes`;
  if (!measured) return line;
  const time = measured.medians[k];
  const share = (100 * time) / (sum(measured.medians) || 1);
  const rate = flops > 0 && time > 0 ? `, ${((calls * flops) / time / 1e6).toFixed(1)} GFLOP/s` : '';
  return `${line}, ${milliseconds(time)} (${share.toFixed(1)} %)${rate}`;
}

function printArena(plan: Plan): string {
  const { arenaBytes, lowerBound } = plan;
  const ratio = lowerBound > 0 ? `, ${(arenaBytes / lowerBound).toFixed(2)} times` : ';';
  const head = `arena: ${rounded(arenaBytes)} bytes${ratio} the ${rounded(lowerBound)} that this schedule needs at one time`;
  return [head, ...printMap(plan, 'arena'), ...printWindows(plan)].join('\n');
}

function printOwnSpace(plan: Plan): string {
  return [`each thread's own space: ${rounded(plan.threadBytes)} bytes`, ...printMap(plan, 'thread')].join('\n');
}

/** The arrays that stand for the block of another one that is being treated. */
function printWindows({ places }: Plan): string[] {
  const names = new Map([...places].map(([{ name }, place]) => [place, name]));
  return [...places].flatMap(([{ name, length, dtype }, place]) =>
    place.kind === 'window' ? [`  ${name} ${dtype}[${length}] is a block of ${names.get(place.of)}`] : [],
  );
}

/** A line for each buffer of one kind of place, in order of the offsets. */
function printMap({ lifetimes, places, tasks }: Plan, kind: 'arena' | 'thread'): string[] {
  const steps = (step: number) => (step < 0 ? 'before' : step >= tasks.length ? 'after' : `task ${step}`);
  const rows = lifetimes.flatMap(({ buffer, begin, end }) => {
    const place = places.get(buffer);
    return place?.kind === kind ? [{ at: place.offset, buffer, begin, end }] : [];
  });
  rows.sort((a, b) => a.at - b.at || a.begin - b.begin);
  return rows.map(({ at, buffer, begin, end }) => {
    const when = begin === end ? steps(begin) : `${steps(begin)} to ${steps(end)}`;
    return `  at ${rounded(at)}: ${printBuffer(buffer)}, ${when}`;
  });
}

const printBuffer = (b: Buffer): string => `${b.name} ${b.dtype}[${b.length}], ${rounded(bytesOf(b))} bytes`;

/** What outlives the run and lies outside the arena. */
function printLasting({ places }: Plan, { nodes, updates }: Lowered): string {
  const read = nodes.flatMap((n) => (n.kind === 'read' ? [n.variable] : []));
  const names = new Map([...read, ...updates.map((u) => u.variable)].map(({ key, name }) => [key, name]));
  const variables: string[] = [];
  const constants: string[] = [];
  for (const [buffer, place] of places) {
    if (place.kind === 'variable') variables.push(`  ${printBuffer(buffer)}: ${names.get(place.key)}`);
    else if (place.kind === 'constant') constants.push(`  ${printBuffer(buffer)}`);
  }
  const section = (what: string, lines: string[]) => [`${what} (outside the arena): ${lines.length}`, ...lines];
  return [...section('variables', variables), ...section('constants', constants)].join('\n');
}
