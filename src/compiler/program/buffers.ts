// Buffers: the array of each node and what kernels ask for beside them: when it is needed, and where it lies.

import { InternalError } from '../../base/errors.ts';
import type { Sliced } from '../../base/turns.ts';
import type { Buffer } from '../../loops/ir.ts';
import type { LastingPlace, Place } from '../../loops/program.ts';
import type { Constant, Lowered, Primitive, View } from '../../primitives/primitives.ts';
import { allocate, isOwnClass, sizeOf, type TypedArray } from '../../tensor/dtype.ts';
import { elements } from '../../tensor/shape.ts';
import type { Batched, Chain } from './batch.ts';
import { type Lifetime, type MemoryPlan, planMemory } from './memory.ts';
import type { ChainBuffers } from './merge.ts';

/** Where the buffers of a run lie. */
export interface Placement {
  readonly places: ReadonlyMap<Buffer, Place>;
  readonly arenaBytes: number;
  /** Space that every thread needs for itself. */
  readonly threadBytes: number;
  /** The steps in which each buffer of the run's own is needed: −1 is before the first task, the last one after all. */
  readonly lifetimes: readonly Lifetime[];
  /** The bytes of the arena that are needed at one time: with this schedule it cannot be smaller. */
  readonly lowerBound: number;
}

/** Space that a kernel asks for; each thread has one of its own, or they share it. */
export interface Scratch {
  readonly name: string;
  readonly dtype: Buffer['dtype'];
  readonly length: number;
  readonly own: boolean;
}

/** A constant's data as an array of its own element type. */
function typed({ data, dtype }: Constant): TypedArray {
  if (isOwnClass(dtype, data)) return data;
  const own = allocate(dtype, data.length);
  own.set(data);
  return own;
}

export class Buffers {
  readonly #inPlace: ReadonlyMap<Primitive, number>;
  readonly #ofNode = new Map<Primitive, Buffer>();
  readonly #nodes = new Map<Buffer, Primitive>();
  readonly #ofVariable = new Map<number, Buffer>();
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

  of(node: Primitive): Buffer {
    let buffer = this.#ofNode.get(node);
    if (buffer) return buffer;
    const key = node.kind === 'read' ? node.variable.key : this.#inPlace.get(node);
    const shared = key === undefined ? undefined : this.#ofVariable.get(key);
    buffer = shared ?? {
      name: `${node.kind}${node.id}`,
      dtype: node.dtype,
      length: node.kind === 'constant' ? node.data.length : elements(node.shape),
    };
    this.#ofNode.set(node, buffer);
    this.#nodes.set(buffer, node);
    if (key !== undefined && !shared) {
      this.#ofVariable.set(key, buffer);
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

  /** What kernels of a chain see in an array beside its elements: a block of another, or of the chain's own. */
  role(node: Primitive): { readonly window: Buffer | undefined; readonly within: boolean } {
    const window = this.#batched.windows.get(node);
    return { window: window && this.of(window.of), within: this.#batched.within.has(node) };
  }

  /** Puts other buffers, or nothing, in the place of some. */
  replace(replaced: ReadonlyMap<Buffer, Buffer | undefined>): void {
    for (const [old, fresh] of replaced) {
      const uses = this.#uses.get(old);
      this.#uses.delete(old);
      if (uses && fresh) this.#uses.set(fresh, uses);
    }
  }

  /** Notes that a step uses the array. What is there for all blocks of a chain is used from its first step to its last. */
  use(node: Primitive, step: number, chain?: Chain): void {
    const window = this.#batched.windows.get(node);
    if (window) this.of(node);
    const whole = window?.of ?? node;
    const lasting = chain && (chain.parallel || !this.#batched.within.has(node));
    const [begin, end] = lasting ? [chain.first, chain.end - 1] : [step, step];
    // What the caller fills must be in place before the first step.
    this.#extend(this.of(whole), whole.kind === 'feed' || whole.kind === 'counter' ? -1 : begin, end);
  }

  /** Space beside the arrays. What is asked for in a chain whose blocks are in parallel is there for all of it. */
  scratch({ name, dtype, length, own }: Scratch, step: number, chain?: Chain): Buffer {
    const buffer: Buffer = { name: `${name}${step}`, dtype, length, ...(own && { private: true }) };
    const whole = chain?.parallel ? chain : undefined;
    this.#extend(buffer, whole?.first ?? step, whole ? whole.end - 1 : step);
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
      if (!this.#ofVariable.has(variable.key)) throw new InternalError(`variable ${variable.name} has no storage`);
    }
    return [...this.#variables].map(([{ dtype, length }, key]) => ({ key, dtype, length }));
  }

  /** Finds a place for everything, when all tasks have been built; what is fetched is needed after the last of them. */
  *place(fetches: readonly View[], last: number): Sliced<Placement> {
    for (const { node } of fetches) this.use(node, last);
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
    const space = function* (kind: 'arena' | 'thread'): Sliced<MemoryPlan> {
      const plan = yield* planMemory(
        lifetimes.filter(({ buffer }) => (buffer.private ?? false) === (kind === 'thread')),
      );
      for (const [buffer, offset] of plan.offsets) {
        places.set(buffer, { kind, offset });
        yield;
      }
      return plan;
    };
    const arena = yield* space('arena');
    const thread = yield* space('thread');
    for (const [window, whole, itemBytes] of windows) {
      places.set(window, { kind: 'window', of: places.get(whole) as LastingPlace, itemBytes });
      yield;
    }
    return { places, arenaBytes: arena.bytes, threadBytes: thread.bytes, lifetimes, lowerBound: arena.lowerBound };
  }
}
