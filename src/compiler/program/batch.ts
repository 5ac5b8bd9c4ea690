// Batch: chains of tasks that treat each item of a batch by itself are run for some items at a time, so that a large
// evaluation needs the memory of a small one. Chains are found, measured, cut where they are too long, and given blocks;
// then their tasks are made shorter: the same for the items of a block.

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

/** Neighbouring tasks: from the first to before the second number. */
type Range = readonly [first: number, end: number];

/** Tasks [first, end) that are run once for each block of items; the last block may overlap the one before it. */
export interface Chain {
  readonly first: number;
  readonly end: number;
  readonly items: number;
  readonly block: number;
  /** Are the blocks in parallel, each on one thread, and so short that what lies between tasks stays in its cache? */
  readonly parallel: boolean;
}

export interface Batched {
  readonly tasks: readonly Task[];
  readonly chains: readonly Chain[];
  /** Stands in the tasks of a chain for the block of an array that is there for all items; and elements of an item. */
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
  const found = yield* itemByItemRanges(tasks, checks, inPlace, machine.batching);
  const measuring = new Measuring(tasks, kept, machine);
  const result = [...tasks];
  const chains: Chain[] = [];
  const windows = new Map<Primitive, { of: Primitive; item: number }>();
  const within = new Set<Primitive>();
  for (const measured of yield* measuring.chains(found)) {
    const chain = yield* measuring.blocks(measured);
    chains.push(chain);
    // Loops over items can become one, but not those over all elements of all items.
    const rows = chain.parallel && measured.tasks.some(reducesRows);
    const change = new Shortening({ ...chain, internal: measured.internal, rows }, windows, within);
    for (const [i, task] of measured.tasks.entries()) {
      result[chain.first + i] = change.task(task);
      yield;
    }
  }
  return { tasks: result, chains, windows, within };
}

/** A chain, and what decides how it is run. */
interface Measured {
  readonly range: Range;
  readonly tasks: readonly Task[];
  readonly items: number;
  /** Arrays that nothing outside it reads or writes, and their bytes. */
  readonly internal: ReadonlySet<Primitive>;
  readonly bytes: number;
  /** Items of a block whose arrays take about what they should; for blocks that are not in parallel. */
  readonly large: number;
  readonly parallel: boolean;
}

class Measuring {
  readonly #tasks: readonly Task[];
  readonly #kept: ReadonlySet<Primitive>;
  readonly #machine: Machine;
  /** The tasks that read or write an array. */
  readonly #users = new Map<Primitive, number[]>();
  /** Known costs of structures. */
  readonly #costs = new Map<string, number>();

  constructor(tasks: readonly Task[], kept: ReadonlySet<Primitive>, machine: Machine) {
    this.#tasks = tasks;
    this.#kept = kept;
    this.#machine = machine;
  }

  /** The chains of these ranges. Of long ones that would be in parallel, the pieces; they come after all others. */
  *chains(ranges: readonly Range[]): Sliced<Measured[]> {
    const { mostTasks } = this.#machine.batching;
    for (const [i, task] of this.#tasks.entries()) {
      for (const { node } of [...readsOf(task), ...task.outputs]) addTo(this.#users, node, i);
      yield;
    }
    const fitting: Measured[] = [];
    const pieces: Measured[] = [];
    for (const [first, end] of ranges) {
      const measured = this.#measure([first, end]);
      if (!measured.parallel || end - first <= mostTasks) fitting.push(measured);
      else {
        for (let from = first; from < end; from += mostTasks) {
          pieces.push(this.#measure([from, Math.min(from + mostTasks, end)]));
          yield;
        }
      }
      yield;
    }
    return [...fitting, ...pieces];
  }

  #measure(range: Range): Measured {
    const [first, end] = range;
    const { blockBytes, blockMultiple, enoughBytes } = this.#machine.batching;
    const tasks = this.#tasks.slice(first, end);
    const produced = new Set(tasks.flatMap((t) => t.outputs.map((o) => o.node)));
    const isInside = (n: Primitive) => (this.#users.get(n) ?? []).every((i) => i >= first && i < end);
    const internal = new Set([...produced].filter((n) => !this.#kept.has(n) && isInside(n)));
    const bytes = [...internal].reduce((sum, n) => sum + elements(n.shape) * sizeOf(n.dtype), 0);
    const items = tasks[0].shape[0];
    const wanted = Math.floor(blockBytes / (bytes / items) / blockMultiple) * blockMultiple;
    const large = Math.max(blockMultiple, wanted);
    // Without contractions nothing is gained by many items at once.
    const products = tasks.some((t) => t.root?.kind === 'contract');
    return {
      range,
      tasks,
      items,
      internal,
      bytes,
      large,
      parallel: bytes < enoughBytes || large * 2 > items || !products,
    };
  }

  /** The chain with the items of a block. */
  *blocks({ range: [first, end], tasks, items, bytes, large, parallel }: Measured): Sliced<Chain> {
    if (!parallel) return { first, end, items, block: large, parallel };
    const worth = yield* this.#blocksWorth(tasks);
    const block = smallBlock(items, worth, this.#machine.batching.cachedBytes / Math.max(1, bytes / items));
    return { first, end, items, block, parallel };
  }

  /** Into how many blocks, at most as many as there should be, the work of some tasks can be cut. */
  *#blocksWorth(tasks: readonly Task[]): Sliced<number> {
    const { leastBlocks, leastCost } = this.#machine.batching;
    let cost = 0;
    for (const task of tasks) {
      const { text } = structureOf(task) as Structure;
      const known = this.#costs.get(text) ?? (yield* offersFor(task, this.#machine))[0].cost;
      this.#costs.set(text, known);
      cost += known;
      if (cost >= leastBlocks * leastCost) return leastBlocks;
      yield;
    }
    return Math.max(1, Math.floor(cost / leastCost));
  }
}

/** Does the task make one number of each item? */
const reducesRows = ({ root }: Task): boolean => root?.kind === 'reduce' && elements(root.shape.slice(1)) === 1;

/** Items of a block that stay in the cache of a thread: a divisor, so that all blocks are equal. */
function smallBlock(items: number, blocks: number, mostItems: number): number {
  let block = Math.max(1, Math.min(Math.floor(items / blocks), Math.floor(mostItems)));
  while (items % block !== 0) block--;
  return block;
}

/** Neighbouring tasks that treat each item by itself, two or more. */
function* itemByItemRanges(
  tasks: readonly Task[],
  checks: number,
  inPlace: ReadonlyMap<Primitive, number>,
  batching: Batching,
): Sliced<Range[]> {
  const found: Range[] = [];
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

interface ShortChain extends Pick<Chain, 'items' | 'block'> {
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
