// How long a run will take, by what its loop nests do: only where it runs depends on it, never what it computes.
import type { Sliced } from '../../base/turns.ts';
import { children, type Expression, expressionsOf, iterations, type Statement } from '../../loops/ir.ts';
import { isDivided, sharedBody } from '../../loops/patterns.ts';
import type { Program } from '../../loops/program.ts';
import { statementsAtOnce } from '../../loops/touching.ts';
import { sizeOf } from '../../tensor/dtype.ts';

/** What a core does in a second, roughly: operations, on vectors or single numbers, and bytes moved. */
export interface Rates {
  readonly operations: number;
  readonly bytes: number;
}

/** Runs of more seconds than this are long for everybody who asks: how long, nobody needs to know. */
const longRun = 5e-3;
/** Numbers that are computed in one operation at most: a vector's products and sums. */
const mostAtOnce = 32;

/** How many seconds a run takes on so many threads, roughly; of a long one, how many at least. */
export function* secondsOf(program: Program, { operations, bytes }: Rates, threads: number): Sliced<number> {
  const { kernels } = program;
  const secondsFor = (i: number, work: number): number => {
    const seconds = work / operations + kernels[i].bytes / bytes;
    return (timesOf(program, i) * seconds) / (isDivided(kernels[i]) ? threads : 1);
  };
  let atLeast = 0;
  for (const [i, { flops }] of kernels.entries()) {
    atLeast += secondsFor(i, flops / mostAtOnce);
    yield;
  }
  // To look at every statement of a large program takes a while.
  if (atLeast > longRun) return atLeast;
  let sum = 0;
  for (const [i, kernel] of kernels.entries()) {
    sum += secondsFor(i, yield* operationsOf(sharedBody(kernel)));
    yield;
  }
  return sum;
}

/** How often a kernel runs in one run. */
function timesOf({ repeats }: Program, kernel: number): number {
  const repeat = repeats.find((r) => kernel >= r.first && kernel < r.end);
  return repeat ? Math.ceil(repeat.items / repeat.block) : 1;
}

const known = new WeakMap<readonly Statement[], number>();

/** The operations that statements take, those after all conditions included. */
function* operationsOf(statements: readonly Statement[]): Sliced<number> {
  const before = known.get(statements);
  if (before !== undefined) return before;
  let sum = 0;
  for (const [i, s] of statements.entries()) {
    const seen = new Set<Expression>();
    for (const e of expressionsOf(s)) sum += operationsIn(e, seen);
    // What a loop or a condition takes itself, or a store.
    const inside = 1 + (s.kind === 'loop' || s.kind === 'if' ? yield* operationsOf(s.body) : 0);
    sum += s.kind === 'loop' ? iterations(s) * inside : s.kind === 'set' ? 0 : inside;
    if (i % statementsAtOnce === 0) yield;
  }
  known.set(statements, sum);
  return sum;
}

/** The operations of an expression, shared parts counted once. */
function operationsIn(e: Expression, seen: Set<Expression>): number {
  if (seen.has(e)) return 0;
  seen.add(e);
  return children(e).reduce((sum, child) => sum + operationsIn(child, seen), operationsFor(e));
}

function operationsFor(e: Expression): number {
  switch (e.kind) {
    case 'constant':
    case 'index':
    case 'local':
      return 0;
    case 'load':
      return Math.abs(e.laneStride) > 1 ? e.type.lanes + linesOf(e) * newLine : 1;
    case 'unary':
      return e.op === 'sqrt' ? slow : 1;
    case 'binary':
      return e.op === 'div' ? slow : e.op === 'remainder' ? 3 * slow : 1;
    default:
      return 1;
  }
}

/** The lines of the cache that the lanes of a load touch where they are not neighbours. */
const linesOf = ({ buffer, type, laneStride }: Expression & { kind: 'load' }): number =>
  type.lanes * Math.min(1, (Math.abs(laneStride) * sizeOf(buffer.dtype)) / 64);

/** A line that must come from another cache takes as long as this many operations. */
const newLine = 6;

/** Divisions and roots keep their unit busy for as long as this many other operations. */
const slow = 10;
