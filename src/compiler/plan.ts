// The passes after lowering in their order: primitives → a program fitted to a machine.
import type { Storage } from '../kernels/offer.ts';
import type { Buffer, Kernel } from '../loops/ir.ts';
import type { Machine } from '../loops/machine.ts';
import type { LastingPlace, Place, Port, Program } from '../loops/program.ts';
import type { Constant, Lowered, Primitive, View } from '../program/primitives.ts';
import * as s from '../program/scalar.ts';
import type { Task } from '../program/task.ts';
import { allocate, sizeOf, type TypedArray } from '../tensor/dtype.ts';
import { elements, rowMajor } from '../tensor/shape.ts';
import { atOnce, type Steps } from '../tensor/turns.ts';
import { type Batched, batch, type Repeat } from './batch.ts';
import { fuse } from './fuse.ts';
import { type Lifetime, type MemoryPlan, planMemory } from './memory.ts';
import { type ChainBuffers, mergeKernels } from './merge.ts';
import { readsOf, schedule } from './schedule.ts';
import { offersFor } from './select.ts';

/** A task as it was planned; its place in the list is the step at which it runs. */
export interface PlannedTask {
  readonly task: Task;
  /** What the kernels offered, the cheapest, which was taken, first. */
  readonly offers: readonly { readonly name: string; readonly cost: number }[];
  /** Its kernels in the program: from the first to before the second number. */
  readonly kernels: readonly [from: number, to: number];
}

/** A program with what the compiler knew when it made it, for `explain`. */
export interface Plan extends Program {
  readonly tasks: readonly PlannedTask[];
  /** The steps in which each buffer of the run's own is needed: −1 is before the first task, the last one after all. */
  readonly lifetimes: readonly Lifetime[];
  /** The bytes of the arena that are needed at one time: with this schedule it cannot be smaller. */
  readonly lowerBound: number;
}

/** Fuses, selects, schedules and plans memory. */
export const plan = (lowered: Lowered, machine: Machine): Plan => atOnce(planning(lowered, machine));

/** The same, step by step. */
export function* planning(lowered: Lowered, machine: Machine): Steps<Plan> {
  const fused = yield* fuse(lowered);
  const scheduled = yield* schedule(fused);
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
  const repeatOf = new Map<number, Repeat>();
  for (const r of repeats) for (let i = r.first; i < r.end; i++) repeatOf.set(i, r);
  for (const [i, task] of [...tasks, ...committed].entries()) {
    const repeat = repeatOf.get(i);
    const together = repeat?.parallel ? repeat : undefined;
    const storage: Storage = {
      bufferOf: (node) => buffers.of(node),
      scratch: (name, dtype, length) => buffers.scratch(name, dtype, length, i, false, together),
      own: (name, dtype, length) => buffers.scratch(name, dtype, length, i, true, together),
      status: () => buffers.status(),
      checkNumber: (node) => numbers.get(node) as number,
    };
    for (const v of readsOf(task)) buffers.use(v.node, i, repeat);
    for (const o of task.outputs) if (o.node.kind !== 'check') buffers.use(o.node, i, repeat);
    const from = kernels.length;
    const offers = offersFor(task, machine);
    kernels.push(...offers[0].build(storage));
    planned.push({
      task,
      offers: offers.map(({ name, cost }) => ({ name, cost })),
      kernels: [from, kernels.length],
    });
    if (together && i === together.end - 1) {
      // The kernels of all these tasks become one, and belong to the last of them.
      const begin = planned[together.first].kernels[0];
      const merged = mergeKernels(kernels.splice(begin), together.items / together.block, buffers.chain());
      kernels.push(...merged.kernels);
      buffers.replace(merged.replaced);
      for (let k = together.first; k < i; k++) planned[k] = { ...planned[k], kernels: [begin, begin] };
      planned[i] = { ...planned[i], kernels: [begin, kernels.length] };
    }
    if (i < checks) checkKernels = kernels.length;
    yield;
  }
  const last = tasks.length + committed.length;
  for (const v of fused.fetches) buffers.use(v.node, last);
  if (lowered.checks.length > 0) buffers.status();
  const { places, arenaBytes, threadBytes, lifetimes, lowerBound } = yield* buffers.place(last);
  const port = (v: View): Port => ({ buffer: buffers.of(v.node), dtype: v.node.dtype, shape: v.shape });
  const used = new Set(buffers.nodes());
  return {
    kernels,
    checks: checkKernels,
    repeats: repeats
      .filter((r) => !r.parallel)
      .map((r) => ({ ...r, first: planned[r.first].kernels[0], end: planned[r.end - 1].kernels[1] })),
    places,
    arenaBytes,
    threadBytes,
    feeds: lowered.feeds.map((node) =>
      used.has(node) ? { buffer: buffers.of(node), dtype: node.dtype, shape: node.shape } : undefined,
    ),
    fetches: fused.fetches.map((v, i) => ({ ...port(v), shape: lowered.fetches[i].shape })),
    counters: buffers.nodes().flatMap((n) => (n.kind === 'counter' ? [{ name: n.name, buffer: buffers.of(n) }] : [])),
    status: buffers.hasStatus() ? buffers.status() : undefined,
    messages: lowered.checks.map((c) => c.message),
    variables: buffers.variables(lowered),
    tasks: planned,
    lifetimes,
    lowerBound,
  };
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

/** A constant's data as an array of its own element type. */
function typed({ data, dtype }: Constant): TypedArray {
  const own = allocate(dtype, data.length);
  own.set(data);
  return own;
}

/** The array of each node, when it is needed, and where it lies. */
class Buffers {
  readonly #inPlace: ReadonlyMap<Primitive, number>;
  readonly #ofNode = new Map<Primitive, Buffer>();
  readonly #nodes = new Map<Buffer, Primitive>();
  readonly #ofVariable = new Map<number, { buffer: Buffer; node: Primitive }>();
  readonly #uses = new Map<Buffer, { begin: number; end: number }>();
  readonly #variables = new Map<Buffer, number>();
  readonly #constants = new Map<Buffer, Constant>();
  readonly #batched: Batched;
  readonly #scratch = new Set<Buffer>();
  #status: Buffer | undefined;

  constructor(inPlace: ReadonlyMap<Primitive, number>, batched: Batched) {
    this.#inPlace = inPlace;
    this.#batched = batched;
  }

  nodes(): Primitive[] {
    return [...this.#ofNode.keys()];
  }

  /** The node through which a variable's storage is known. */
  known(key: number): Primitive | undefined {
    return this.#ofVariable.get(key)?.node;
  }

  of(node: Primitive): Buffer {
    let buffer = this.#ofNode.get(node);
    if (buffer) return buffer;
    const key = node.kind === 'read' ? node.variable.key : this.#inPlace.get(node);
    const shared = key === undefined ? undefined : this.#ofVariable.get(key);
    buffer = shared?.buffer ?? {
      name: `${node.kind}${node.id}`,
      dtype: node.dtype,
      length: node.kind === 'constant' ? node.data.length : elements(node.shape),
    };
    this.#ofNode.set(node, buffer);
    this.#nodes.set(buffer, node);
    if (key !== undefined && !shared) {
      this.#ofVariable.set(key, { buffer, node });
      this.#variables.set(buffer, key);
    }
    if (node.kind === 'constant') this.#constants.set(buffer, node);
    return buffer;
  }

  /** What the buffers of a chain are. */
  chain(): ChainBuffers {
    return {
      windowOf: (b) => {
        const node = this.#nodes.get(b);
        const window = node && this.#batched.windows.get(node);
        return window && { whole: this.of(window.of), step: elements(node.shape) };
      },
      isWithin: (b) => {
        const node = this.#nodes.get(b);
        return node !== undefined && this.#batched.within.has(node);
      },
      isScratch: (b) => this.#scratch.has(b),
    };
  }

  /** Puts other buffers in the place of some. */
  replace(replaced: ReadonlyMap<Buffer, Buffer>): void {
    for (const [old, fresh] of replaced) {
      const uses = this.#uses.get(old);
      this.#uses.delete(old);
      if (uses) this.#uses.set(fresh, uses);
    }
  }

  /** Notes that a step uses the array. What is there for all blocks of a repeat is used from its first step to its last. */
  use(node: Primitive, step: number, repeat?: Repeat): void {
    const window = this.#batched.windows.get(node);
    if (window) this.of(node);
    const whole = window?.of ?? node;
    const lasting = repeat && (repeat.parallel || !this.#batched.within.has(node));
    const [begin, end] = lasting ? [repeat.first, repeat.end - 1] : [step, step];
    // What the caller fills must be in place before the first step.
    this.#extend(this.of(whole), whole.kind === 'feed' || whole.kind === 'counter' ? -1 : begin, end);
  }

  scratch(name: string, dtype: Buffer['dtype'], length: number, step: number, own: boolean, chain?: Repeat): Buffer {
    const buffer: Buffer = { name: `${name}${step}`, dtype, length, ...(own && { private: true }) };
    this.#extend(buffer, chain?.first ?? step, chain ? chain.end - 1 : step);
    this.#scratch.add(buffer);
    return buffer;
  }

  status(): Buffer {
    this.#status ??= { name: 'status', dtype: 'float64', length: 3 };
    return this.#status;
  }

  hasStatus(): boolean {
    return this.#status !== undefined;
  }

  #extend(buffer: Buffer, begin: number, end: number): void {
    const known = this.#uses.get(buffer);
    if (!known) this.#uses.set(buffer, { begin, end });
    else {
      known.begin = Math.min(known.begin, begin);
      known.end = Math.max(known.end, end);
    }
  }

  variables(lowered: Lowered): { key: number; dtype: Buffer['dtype']; length: number }[] {
    for (const { variable } of lowered.updates) {
      if (!this.#ofVariable.has(variable.key)) throw new Error(`variable ${variable.name} has no storage`);
    }
    return [...this.#variables].map(([{ dtype, length }, key]) => ({ key, dtype, length }));
  }

  *place(last: number): Steps<Pick<Plan, 'places' | 'arenaBytes' | 'threadBytes' | 'lifetimes' | 'lowerBound'>> {
    const places = new Map<Buffer, Place>();
    const lifetimes: Lifetime[] = [];
    if (this.#status) this.#extend(this.#status, -1, last);
    for (const [buffer, { begin, end }] of this.#uses) {
      const key = this.#variables.get(buffer);
      const constant = this.#constants.get(buffer);
      if (key !== undefined) places.set(buffer, { kind: 'variable', key });
      else if (constant) places.set(buffer, { kind: 'constant', data: typed(constant) });
      else lifetimes.push({ buffer, begin, end });
      yield;
    }
    const windows: [Buffer, Buffer, number][] = [];
    for (const [node, { of, item }] of this.#batched.windows) {
      windows.push([this.of(node), this.of(of), item * sizeOf(node.dtype)]);
    }
    const space = function* (kind: 'arena' | 'thread'): Steps<MemoryPlan> {
      const plan = yield* planMemory(
        lifetimes.filter(({ buffer }) => (buffer.private ?? false) === (kind === 'thread')),
      );
      for (const [buffer, offset] of plan.offsets) places.set(buffer, { kind, offset });
      return plan;
    };
    const arena = yield* space('arena');
    const thread = yield* space('thread');
    for (const [window, whole, itemBytes] of windows) {
      places.set(window, { kind: 'window', of: places.get(whole) as LastingPlace, itemBytes });
    }
    return { places, arenaBytes: arena.bytes, threadBytes: thread.bytes, lifetimes, lowerBound: arena.lowerBound };
  }
}
