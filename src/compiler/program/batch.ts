// Batch: chains of tasks that treat each item of a batch by itself are run for some items at a time, so that a
// large evaluation needs the memory of a small one.

import { addTo } from '../../base/multimap.ts';
import type { Sliced } from '../../base/turns.ts';
import type { Batching, Machine } from '../../loops/machine.ts';
import { type Contract, isStored, type Primitive, type Reduce, type View } from '../../primitives/primitives.ts';
import { walk } from '../../primitives/scalar.ts';
import type { Output, Root, Task } from '../../primitives/task.ts';
import { sizeOf } from '../../tensor/dtype.ts';
import { elements } from '../../tensor/shape.ts';
import type { Fused } from '../tasks/fuse.ts';
import { type Structure, structureOf } from '../tasks/structure.ts';
import { readsOf, type Schedule } from './schedule.ts';
import { offersFor } from './select.ts';

/** Tasks [first, end) that are run once for each block of items; the last block may overlap the one before it. */
export interface Repeat {
  readonly first: number;
  readonly end: number;
  readonly items: number;
  readonly block: number;
  /** Are the blocks in parallel, each on one thread, and so short that what lies between tasks stays in its cache? */
  readonly parallel: boolean;
}

export interface Batched {
  readonly tasks: readonly Task[];
  readonly repeats: readonly Repeat[];
  /** Stands in the tasks of a repeat for the block of an array that is there for all items; and elements of an item. */
  readonly windows: ReadonlyMap<Primitive, { readonly of: Primitive; readonly item: number }>;
  /** Arrays that are there for a block only. */
  readonly within: ReadonlySet<Primitive>;
}

export function* batch(
  { tasks, checks, inPlace }: Pick<Schedule, 'tasks' | 'checks' | 'inPlace'>,
  { fetches, updates }: Pick<Fused, 'fetches' | 'updates'>,
  machine: Machine,
): Sliced<Batched> {
  // What is needed when all tasks are done.
  const kept = new Set([...fetches, ...updates.map((u) => u.value)].map((v) => v.node));
  const { blockBytes, blockMultiple, enoughBytes, mostTasks } = machine.batching;
  const readers = new Map<Primitive, number[]>();
  const writers = new Map<Primitive, number[]>();
  for (const [i, task] of tasks.entries()) {
    for (const { node } of readsOf(task)) addTo(readers, node, i);
    for (const { node } of task.outputs) addTo(writers, node, i);
    yield;
  }
  const result = [...tasks];
  const repeats: Repeat[] = [];
  const windows = new Map<Primitive, { of: Primitive; item: number }>();
  const within = new Set<Primitive>();
  const costs = new Map<string, number>();
  const open = yield* chains(tasks, checks, inPlace, machine.batching);
  for (const [first, end] of open) {
    const inside = (uses: readonly number[] | undefined) => (uses ?? []).every((i) => i >= first && i < end);
    const produced = new Set(tasks.slice(first, end).flatMap((t) => t.outputs.map((o) => o.node)));
    const internal = new Set(
      [...produced].filter((n) => !kept.has(n) && inside(readers.get(n)) && inside(writers.get(n))),
    );
    const bytes = [...internal].reduce((sum, n) => sum + elements(n.shape) * sizeOf(n.dtype), 0);
    const items = tasks[first].shape[0];
    const wanted = Math.floor(blockBytes / (bytes / items) / blockMultiple) * blockMultiple;
    const large = Math.max(blockMultiple, wanted);
    // Without contractions nothing is gained by many items at once.
    const products = tasks.slice(first, end).some((t) => t.root?.kind === 'contract');
    const parallel = bytes < enoughBytes || large * 2 > items || !products;
    if (parallel && end - first > mostTasks) {
      for (let from = first; from < end; from += mostTasks) open.push([from, Math.min(from + mostTasks, end)]);
      continue;
    }
    const worth = parallel ? yield* blocksWorth(tasks.slice(first, end), machine, costs) : 1;
    const block = parallel
      ? smallBlock(items, worth, machine.batching.cachedBytes / Math.max(1, bytes / items))
      : large;
    repeats.push({ first, end, items, block, parallel });
    // Loops over items can become one, but not those over all elements of all items.
    const rows = parallel && tasks.slice(first, end).some(reducesRows);
    const change = new Shortening({ items, block, internal, rows }, windows, within);
    for (let i = first; i < end; i++) {
      result[i] = change.task(tasks[i]);
      yield;
    }
  }
  return { tasks: result, repeats, windows, within };
}

/** Does the task make one number of each item? */
const reducesRows = ({ root }: Task): boolean => root?.kind === 'reduce' && elements(root.shape.slice(1)) === 1;

/**
 * Into how many blocks, at most as many as there should be, the work of some tasks can be cut. `costs` are known costs
 * of structures.
 */
function* blocksWorth(tasks: readonly Task[], machine: Machine, costs: Map<string, number>): Sliced<number> {
  const { leastBlocks, leastCost } = machine.batching;
  let cost = 0;
  for (const task of tasks) {
    const { text } = structureOf(task) as Structure;
    const known = costs.get(text) ?? offersFor(task, machine)[0].cost;
    costs.set(text, known);
    cost += known;
    if (cost >= leastBlocks * leastCost) return leastBlocks;
    yield;
  }
  return Math.max(1, Math.floor(cost / leastCost));
}

/** Items of a block that stay in the cache of a thread: a divisor, so that all blocks are equal. */
function smallBlock(items: number, blocks: number, mostItems: number): number {
  let block = Math.max(1, Math.min(Math.floor(items / blocks), Math.floor(mostItems)));
  while (items % block !== 0) block--;
  return block;
}

/** Runs of neighbouring tasks that treat each item by itself. */
function* chains(
  tasks: readonly Task[],
  checks: number,
  inPlace: ReadonlyMap<Primitive, number>,
  batching: Batching,
): Sliced<(readonly [first: number, end: number])[]> {
  const found: (readonly [number, number])[] = [];
  let first = 0;
  let produced = new Set<Primitive>();
  for (let i = 0; i <= tasks.length; i++) {
    const task = tasks[i] as Task | undefined;
    const suits = (from: ReadonlySet<Primitive>) =>
      task !== undefined && itemByItem(task, from, batching) && !task.outputs.some((o) => inPlace.has(o.node));
    const joins = i > first && i !== checks && task?.shape[0] === tasks[first].shape[0] && suits(produced);
    if (!joins) {
      if (i - first > 1) found.push([first, i]);
      produced = new Set();
      first = suits(produced) ? i : i + 1;
    }
    for (const o of task?.outputs ?? []) produced.add(o.node);
    yield;
  }
  return found;
}

/** Does the task compute each item of its first axis from the same item of what it reads, or from what all items share? */
function itemByItem(task: Task, produced: ReadonlySet<Primitive>, { leastBlocks, mostShared }: Batching): boolean {
  const [items] = task.shape;
  const { root } = task;
  if (items === undefined || items < leastBlocks) return false;
  if (root && root.kind !== 'contract' && root.kind !== 'reduce' && root.kind !== 'argReduce') return false;
  const shared = (v: View) =>
    v.strides[0] === 0 && !produced.has(v.node) && elements(v.node.shape) * sizeOf(v.node.dtype) <= mostShared;
  if (!readsOf(task).every((v) => shared(v) || (isArray(v.node) && byItem(v, items)))) return false;
  return task.outputs.every((o) => byItem({ ...o, shape: task.shape }, items)) && !knowsItem(task);
}

/** Does anything depend on the number of the item? */
function knowsItem(task: Task): boolean {
  let found = false;
  const bodies = [...task.outputs.map((o) => o.body), ...(task.operandBody ? [task.operandBody] : [])];
  for (const body of bodies) {
    walk(body, (e) => {
      found ||= e.op === 'index' && e.value === 0;
    });
  }
  return found;
}

const isArray = (n: Primitive): boolean => isStored(n) || n.kind === 'feed';

/** Does a step along the first axis lead to the same place in the next item of the array? */
function byItem(
  v: { node: Primitive; shape: readonly number[]; strides: readonly number[]; offset: number },
  items: number,
): boolean {
  const item = elements(v.node.shape) / items;
  if (!Number.isInteger(item) || v.shape[0] !== items || v.strides[0] !== item) return false;
  let low = v.offset;
  let high = v.offset;
  for (const [i, stride] of v.strides.entries()) {
    if (i === 0) continue;
    const reach = stride * (v.shape[i] - 1);
    if (reach < 0) low += reach;
    else high += reach;
  }
  return low >= 0 && high < item;
}

interface ShortChain {
  readonly items: number;
  readonly block: number;
  readonly internal: ReadonlySet<Primitive>;
  /** Are its loops over items to be alike? */
  readonly rows: boolean;
}

/** Makes tasks shorter: the same for the items of a block. */
class Shortening {
  readonly #chain: ShortChain;
  readonly #windows: Map<Primitive, { of: Primitive; item: number }>;
  readonly #within: Set<Primitive>;
  readonly #nodes = new Map<Primitive, Primitive>();

  constructor(chain: ShortChain, windows: Map<Primitive, { of: Primitive; item: number }>, within: Set<Primitive>) {
    this.#chain = chain;
    this.#windows = windows;
    this.#within = within;
  }

  task(task: Task): Task {
    const operands = task.operands.map((v) => this.#view(v));
    return {
      ...task,
      ...(this.#chain.rows && task.root?.kind !== 'contract' && { byItem: true }),
      shape: this.#shape(task.shape),
      root: task.root && this.#root(task.root, operands),
      operands,
      inputs: task.inputs.map((v) => this.#view(v)),
      outputs: task.outputs.map((o): Output => ({ ...o, node: this.#node(o.node) })),
    };
  }

  #shape = (shape: readonly number[]): readonly number[] => [this.#chain.block, ...shape.slice(1)];

  #view(v: View): View {
    return { ...v, node: v.strides[0] === 0 ? v.node : this.#node(v.node), shape: this.#shape(v.shape) };
  }

  /** The root itself is looked at only for its kind and sizes. */
  #root(root: Root, operands: readonly View[]): Root {
    const shape = this.#shape(root.shape);
    if (root.kind === 'contract') return { ...root, shape, a: operands[0], b: operands[1] } satisfies Contract;
    const { x } = root as Reduce;
    return { ...(root as Reduce), shape, x: { ...x, shape: this.#shape(x.shape) } };
  }

  #node(node: Primitive): Primitive {
    let short = this.#nodes.get(node);
    if (!short) {
      const item = elements(node.shape) / this.#chain.items;
      short = { ...node, shape: [this.#chain.block, item] };
      this.#nodes.set(node, short);
      if (this.#chain.internal.has(node)) this.#within.add(short);
      else this.#windows.set(short, { of: node, item });
    }
    return short;
  }
}
