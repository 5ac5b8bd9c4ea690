// The passes after lowering in their order: primitives → a program fitted to a machine.

import { atOnce, type Sliced } from '../base/turns.ts';
import type { Kernel } from '../loops/ir.ts';
import type { Machine } from '../loops/machine.ts';
import { hoist } from '../loops/passes/hoist.ts';
import type { Port, Program } from '../loops/program.ts';
import type { Lowered, Primitive, View } from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { Task } from '../primitives/task.ts';
import { elements, rowMajor } from '../tensor/shape.ts';
import { batch, type Repeat } from './program/batch.ts';
import { Buffers, type Placement } from './program/buffers.ts';
import { Builder, type Offered, type Unit } from './program/build.ts';
import { schedule } from './program/schedule.ts';
import { parametrize } from './tasks/constants-to-arrays.ts';
import { fuse } from './tasks/fuse.ts';
import { unique } from './tasks/unique.ts';

/** A task as it was planned; its place in the list is the step at which it runs. */
export interface PlannedTask {
  readonly task: Task;
  readonly offers: Offered;
  /** Its kernels in the program: from the first to before the second number. */
  readonly kernels: readonly [from: number, to: number];
}

/** A program with what the compiler knew when it made it, for `explain`. */
export interface Plan extends Program, Placement {
  readonly tasks: readonly PlannedTask[];
}

/** Without sharing, every task's kernels are built anew, and its constants stay in it. */
interface PlanOptions {
  readonly share: boolean;
}

/** Fuses, selects, schedules and plans memory. */
export const plan = (lowered: Lowered, machine: Machine, options?: PlanOptions): Plan =>
  atOnce(planning(lowered, machine, options));

/** The same, step by step. */
export function* planning(given: Lowered, machine: Machine, { share }: PlanOptions = { share: true }): Sliced<Plan> {
  const lowered = yield* unique(given);
  const fused = yield* fuse(lowered);
  const scheduled = yield* schedule(share ? { ...fused, tasks: yield* parametrize(fused.tasks) } : fused);
  const { checks, inPlace, commits } = scheduled;
  const kept = new Set([...fused.fetches, ...fused.updates.map((u) => u.value)].map((v) => v.node));
  const batched = yield* batch(scheduled, kept, machine);
  const { tasks, repeats } = batched;
  const buffers = new Buffers(inPlace, batched);
  const committed = commits.map(({ from, key }) => commitTask(from, key, lowered, buffers));
  const kernels: Kernel[] = [];
  const planned: PlannedTask[] = [];
  let checkKernels = 0;
  const numbers = new Map<Primitive, number>(lowered.checks.map((c, i) => [c, i + 1]));
  const builder = new Builder(machine, buffers, numbers, share);
  for (const unit of unitsOf([...tasks, ...committed], repeats)) {
    const from = kernels.length;
    const built = yield* builder.build(unit);
    kernels.push(...built.kernels);
    const last = unit.tasks.length - 1;
    for (const [i, task] of unit.tasks.entries()) {
      // The kernels of a chain belong to the last of its tasks.
      const range = [from, i === last ? kernels.length : from] as const;
      planned.push({ task, offers: built.offers[i], kernels: range });
    }
    if (unit.first < checks) checkKernels = kernels.length;
    yield;
  }
  const last = tasks.length + committed.length;
  for (const v of fused.fetches) buffers.use(v.node, last);
  if (lowered.checks.length > 0) buffers.status();
  const placement = yield* buffers.place(last);
  const port = (v: View): Port => ({ buffer: buffers.of(v.node), dtype: v.node.dtype, shape: v.shape });
  const used = new Set(buffers.nodes());
  return {
    kernels: yield* hoist(kernels, machine),
    checks: checkKernels,
    repeats: repeats
      .filter((r) => !r.parallel)
      .map((r) => ({ ...r, first: planned[r.first].kernels[0], end: planned[r.end - 1].kernels[1] })),
    ...placement,
    feeds: lowered.feeds.map((node) =>
      used.has(node) ? { buffer: buffers.of(node), dtype: node.dtype, shape: node.shape } : undefined,
    ),
    fetches: fused.fetches.map((v, i) => ({ ...port(v), shape: lowered.fetches[i].shape })),
    counters: buffers.nodes().flatMap((n) => (n.kind === 'counter' ? [{ name: n.name, buffer: buffers.of(n) }] : [])),
    status: buffers.hasStatus() ? buffers.status() : undefined,
    messages: lowered.checks.map((c) => c.message),
    variables: buffers.variables(lowered),
    tasks: planned,
  };
}

/** The tasks in order, those of a chain together. */
function unitsOf(tasks: readonly Task[], repeats: readonly Repeat[]): Unit[] {
  const units: Unit[] = [];
  const ordered = [...repeats].sort((a, b) => a.first - b.first);
  let next = 0;
  for (let first = 0; first < tasks.length; ) {
    while (next < ordered.length && ordered[next].end <= first) next++;
    const around = next < ordered.length && ordered[next].first <= first ? ordered[next] : undefined;
    const end = around?.parallel ? around.end : first + 1;
    units.push({ tasks: tasks.slice(first, end), first, repeat: around });
    first = end;
  }
  return units;
}

/** A copy of a result into the variable that could not be overwritten earlier. */
function commitTask(from: View, key: number, lowered: Lowered, buffers: Buffers): Task {
  const update = lowered.updates.find((u) => u.variable.key === key)!;
  const target = {
    kind: 'read' as const,
    id: -1,
    variable: update.variable,
    dtype: update.variable.dtype,
    shape: update.variable.shape,
  };
  const node = buffers.known(key) ?? target;
  const shape = [elements(from.node.shape)];
  return {
    shape,
    root: undefined,
    operands: [],
    operandBody: undefined,
    inputs: [{ node: from.node, shape, strides: [1], offset: 0 }],
    outputs: [{ node, body: s.input(0, from.node.dtype), strides: rowMajor(shape), offset: 0, fill: undefined }],
  };
}
