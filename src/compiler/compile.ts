// The compiler: what a run asks of a graph, as one program for a machine. Here are all passes in the order in which they
// run. Each is the file of its name in the folder of its stage; what a pass calls by itself is named beside it. Outside,
// this is called and nothing else of the compiler, but explain.ts.

import { atOnce, type Sliced } from '../base/turns.ts';
import type { Machine } from '../loops/machine.ts';
import { hoist } from '../loops/passes/hoist.ts';
import type { Lowered } from '../primitives/primitives.ts';
import type { Task } from '../primitives/task.ts';
import { lower } from './graph/lower.ts';
import { prune } from './graph/prune.ts';
import type { CompileRequest, LoweredRun } from './graph/request.ts';
import { versions } from './graph/versions.ts';
import { assemble, type Plan } from './program/assemble.ts';
import { batch } from './program/batch.ts';
import { Buffers } from './program/buffers.ts';
import { build } from './program/build.ts';
import { schedule } from './program/schedule.ts';
import { constantsToArrays } from './tasks/constants-to-arrays.ts';
import { fuse } from './tasks/fuse.ts';
import { unique } from './tasks/unique.ts';

export { stateFor } from './graph/lower.ts';
export type { CompileRequest, LoweredRun } from './graph/request.ts';
export type { Plan, PlannedTask } from './program/assemble.ts';

/** A run as backends take it. */
export interface CompiledRun {
  /** In primitives, with what the session has to know of it. */
  readonly run: LoweredRun;
  /** As a program; undefined without a machine: the backend evaluates the primitives. */
  readonly plan: Plan | undefined;
}

/** Is told what some passes made: the session takes the time, tests look at it. */
export interface Watch {
  readonly lower?: (run: LoweredRun) => void;
  readonly unique?: (lowered: Lowered) => void;
  readonly fuse?: (tasks: readonly Task[]) => void;
  readonly batch?: (tasks: readonly Task[]) => void;
}

export interface CompileOptions {
  /**
   * Compute equal operations once? By default only for a machine: without one the run is for the oracle, which shares no
   * work, so that it shares no mistake in doing so.
   */
  readonly shareNodes?: boolean;
  /** Build tasks of one structure once, with numbers in which they differ as arrays? By default yes. */
  readonly shareStructures?: boolean;
  readonly watch?: Watch;
}

/**
 * Compiles a run.
 *
 * @throws FeedError when a placeholder that the run needs is not fed, or a variable is fed and assigned to.
 */
export const compile = (request: CompileRequest, machine?: Machine, options?: CompileOptions): CompiledRun =>
  atOnce(compiling(request, machine, options));

/** The same, in slices. */
export function* compiling(
  request: CompileRequest,
  machine: Machine | undefined,
  { shareNodes = machine !== undefined, shareStructures = true, watch = {} }: CompileOptions = {},
): Sliced<CompiledRun> {
  // -------- graph → primitives
  // prune: the operations that the fetches need, cut at what is fed.
  const operations = yield* prune(request);
  // versions: which assignment of a variable each operation sees.
  const versionOf = yield* versions(operations);
  // lower: operations in primitives; before that, one by one, rewrite: dangerous ones are made safe, equal ones shared;
  // size-values: the numbers of tensors that give sizes.
  const run = yield* lower({ request, operations, versionOf, shareNodes });
  watch.lower?.(run);
  if (!machine) return { run, plan: undefined };

  // -------- primitives → tasks
  // unique: what different operations have in common is one primitive.
  const lowered = yield* unique(run);
  watch.unique?.(lowered);
  // fuse: tasks. inline: which maps are computed where they are read, through views (compose); others join the task of
  // what they read.
  const fused = yield* fuse(lowered);
  watch.fuse?.(fused.tasks);
  // constants-to-arrays: numbers in which tasks of one structure differ are read from memory.
  const tasks = shareStructures ? yield* constantsToArrays(fused.tasks) : fused.tasks;

  // -------- tasks → program
  // schedule: the order, checks first; which variables are overwritten where they lie.
  const scheduled = yield* schedule({ ...fused, tasks });
  // batch: chains of tasks that are done for a block of items at a time.
  const batched = yield* batch(scheduled, fused, machine);
  watch.batch?.(batched.tasks);
  // buffers: the array of each node, and when it is needed.
  const buffers = new Buffers(scheduled.inPlace, batched);
  // build: kernels, once for each structure. select: the cheapest that is offered for a task. merge: those of a chain in
  // one, in which fuse-loops makes neighbouring loops one, and forward keeps in registers what was just stored.
  const built = yield* build({ lowered, scheduled, batched, buffers, machine, shareStructures });
  // hoist: what a loop would load again and again is loaded before it.
  const kernels = yield* hoist(built.kernels, machine);
  // memory: lifetimes → offsets in one arena.
  const placement = yield* buffers.place(fused.fetches, built.tasks.length);
  // assemble: all of it as one program.
  return { run, plan: assemble({ lowered, fused, batched, buffers, built, kernels, placement }) };
}
