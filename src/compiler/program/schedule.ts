// Schedule: an order for the tasks, and which variables may be overwritten where they lie. Checks come first,
// with what they need; whatever reads a variable's old value comes before the task that overwrites it.

import { InternalError } from '../../base/errors.ts';
import { addTo } from '../../base/multimap.ts';
import type { Sliced } from '../../base/turns.ts';
import {
  isDense,
  operands as operandsOf,
  type Primitive,
  type VariableState,
  type View,
} from '../../primitives/primitives.ts';
import { input } from '../../primitives/scalar.ts';
import type { Task } from '../../primitives/task.ts';
import { elements, rowMajor } from '../../tensor/shape.ts';
import type { Fused } from '../tasks/fuse.ts';

export interface Schedule {
  readonly tasks: readonly Task[];
  /** How many of the tasks come before any variable may be written. */
  readonly checks: number;
  /** Nodes that are computed into a variable's own storage, by its key. */
  readonly inPlace: ReadonlyMap<Primitive, number>;
  /** Copies into variables that could not be written in place: they come after all tasks. */
  readonly commits: readonly Task[];
}

/** The arrays that a task reads. */
export const readsOf = (task: Task): readonly View[] => [
  ...task.operands,
  ...task.inputs,
  ...(task.root && task.operands.length === 0 ? operandsOf(task.root) : []),
];

export function* schedule({ tasks, updates }: Fused): Sliced<Schedule> {
  const uses = yield* usesOf(tasks);
  const follows = new Order(tasks.length);
  yield* follow(tasks, uses, follows);
  const checks = tasks.flatMap((t, i) => (t.root?.kind === 'check' ? [i] : []));
  const early = closure(follows.before, checks);

  const inPlace = new Map<Primitive, number>();
  const commits: Task[] = [];
  for (const { variable, value } of updates) {
    const { node } = value;
    const writers = uses.producers.get(node) ?? [];
    const [writer] = writers;
    const others = (uses.readers.get(variable.key) ?? []).filter((i) => i !== writer);
    const possible =
      writers.length === 1 &&
      !early.has(writer) &&
      !inPlace.has(node) &&
      mayOverwrite(tasks[writer], node, variable.key);
    // What needs the new value cannot come before it is written.
    const later = possible && closure(follows.after, [writer]);
    if (later && !others.some((reader) => later.has(reader))) {
      for (const reader of others) follows.add(writer, reader);
      inPlace.set(node, variable.key);
    } else commits.push(commitOf(variable, value));
    yield;
  }

  yield* follows.visit([...early].sort((a, b) => a - b));
  const first = follows.order.length;
  const late = yield* lateOnes(tasks, follows.after, inPlace);
  yield* follows.visit([...tasks.keys()].filter((i) => !late.has(i)));
  yield* follows.visit([...late]);
  return { tasks: follows.order.map((i) => tasks[i]), checks: first, inPlace, commits };
}

interface Uses {
  /** The tasks that store an array, or parts of it, in order. */
  readonly producers: ReadonlyMap<Primitive, readonly number[]>;
  /** The tasks that read the old value of a variable. */
  readonly readers: ReadonlyMap<number, readonly number[]>;
}

function* usesOf(tasks: readonly Task[]): Sliced<Uses> {
  const producers = new Map<Primitive, number[]>();
  const readers = new Map<number, number[]>();
  for (const [i, task] of tasks.entries()) {
    for (const { node } of task.outputs) addTo(producers, node, i);
    for (const { node } of readsOf(task)) if (node.kind === 'read') addTo(readers, node.variable.key, i);
    yield;
  }
  return { producers, readers };
}

/** Tasks follow those that produce what they read. */
function* follow(tasks: readonly Task[], { producers }: Uses, follows: Order): Sliced<void> {
  for (const [i, task] of tasks.entries()) {
    for (const { node } of readsOf(task)) for (const k of producers.get(node) ?? []) if (k !== i) follows.add(i, k);
    yield;
  }
  // Parts of one array are written in order, the one that fills it first.
  for (const parts of producers.values()) for (let k = 1; k < parts.length; k++) follows.add(parts[k], parts[k - 1]);
}

/** Which tasks follow which, and an order in which they do. */
class Order {
  readonly before: readonly number[][];
  readonly after: readonly number[][];
  readonly order: number[] = [];
  readonly #done = new Set<number>();

  constructor(count: number) {
    this.before = Array.from({ length: count }, () => []);
    this.after = Array.from({ length: count }, () => []);
  }

  add(i: number, earlier: number): void {
    this.before[i].push(earlier);
    this.after[earlier].push(i);
  }

  /** Puts some tasks in order, those first that come before them. */
  *visit(tasks: readonly number[]): Sliced<void> {
    for (const start of tasks) {
      const open = [start];
      const waiting = new Set(open);
      while (open.length > 0) {
        const i = open[open.length - 1];
        const next = this.#done.has(i) ? undefined : this.before[i].find((k) => !this.#done.has(k));
        if (next !== undefined) {
          if (waiting.has(next)) throw new InternalError(`tasks ${[...waiting].join(', ')} wait for each other`);
          open.push(next);
          waiting.add(next);
        } else {
          open.pop();
          waiting.delete(i);
          if (!this.#done.has(i)) this.order.push(i);
          this.#done.add(i);
        }
        yield;
      }
    }
  }
}

/** So many elements may be kept for a task that is done late. */
const mostKept = 2 ** 14;

/**
 * Tasks of one number that no update waits for, as the mean of a loss: they are done at last, so that they are not between
 * tasks that belong together.
 */
function* lateOnes(
  tasks: readonly Task[],
  after: readonly (readonly number[])[],
  inPlace: ReadonlyMap<Primitive, number>,
): Sliced<ReadonlySet<number>> {
  const late = new Set<number>();
  for (let i = tasks.length - 1; i >= 0; i--) {
    const kept = readsOf(tasks[i]).reduce((sum, v) => sum + elements(v.node.shape), 0);
    const updates = tasks[i].outputs.some((o) => inPlace.has(o.node));
    const single = elements(tasks[i].shape) === 1;
    if (single && kept <= mostKept && !updates && after[i].every((k) => late.has(k))) late.add(i);
    yield;
  }
  return new Set([...late].reverse());
}

/** Some tasks, and all to which a path leads from them. */
function closure(edges: readonly (readonly number[])[], from: readonly number[]): Set<number> {
  const found = new Set(from);
  for (const i of found) for (const k of edges[i]) found.add(k);
  return found;
}

/** May the task's result replace the variable's old value while the task runs? Only where each element is read where it is written. */
function mayOverwrite(task: Task, node: Primitive, key: number): boolean {
  const output = task.outputs.find((o) => o.node === node);
  const isOld = (v: View) => v.node.kind === 'read' && v.node.variable.key === key;
  if (!output || output.fill !== undefined || elements(task.shape) !== elements(node.shape)) return false;
  const dense = rowMajor(task.shape);
  if (output.offset !== 0 || output.strides.some((n, i) => task.shape[i] !== 1 && n !== dense[i])) return false;
  if (task.operands.some(isOld)) return false;
  return task.inputs.every((v) => !isOld(v) || (v.offset === 0 && isDense(v)));
}

/** A copy of a result into a variable that could not be overwritten earlier. */
function commitOf(variable: VariableState, from: View): Task {
  const { dtype, shape } = variable;
  const node = { kind: 'read' as const, id: -1, variable, dtype, shape };
  const size = [elements(from.node.shape)];
  return {
    shape: size,
    root: undefined,
    operands: [],
    operandBody: undefined,
    inputs: [{ node: from.node, shape: size, strides: [1], offset: 0 }],
    outputs: [{ node, body: input(0, from.node.dtype), strides: rowMajor(size), offset: 0, fill: undefined }],
  };
}
