// Kernels of one kind by themselves: runs in primitives are fused to tasks, the kernels of each are verified and
// interpreted, and what they compute is compared with the reference. No session, no emitted code.
import fc from 'fast-check';
import { expect } from 'vitest';
import { machineFor } from '../../src/backends/wasm/machine.ts';
import { atOnce } from '../../src/base/turns.ts';
import { offersFor } from '../../src/compiler/program/select.ts';
import { fuse } from '../../src/compiler/tasks/fuse.ts';
import type { Offer, OfferFor, TaskBuffers } from '../../src/kernels/offer.ts';
import { verifyKernel } from '../../src/loops/check/verify.ts';
import type { Buffer, Kernel } from '../../src/loops/ir.ts';
import type { Machine } from '../../src/loops/machine.ts';
import { evaluate } from '../../src/primitives/evaluate/evaluate.ts';
import type { Primitive, View } from '../../src/primitives/primitives.ts';
import * as p from '../../src/primitives/primitives.ts';
import type { Task } from '../../src/primitives/task.ts';
import { verifyTask } from '../../src/primitives/verify-task.ts';
import { allocate, type DType, type TypedArray } from '../../src/tensor/dtype.ts';
import { elements, rowMajor } from '../../src/tensor/shape.ts';
import { interpret } from '../loops/interpret.ts';
import { lowered, type Wanted } from '../primitives/lowered.ts';

const wasm = machineFor(false);
const many = { registers: 32, sums: { free: 27, most: 27 }, partialVectors: true, prefetches: true };
/** One lane, four as WebAssembly has, and more registers with lanes that loads and stores may leave out; and tiny caches. */
export const machines: readonly Machine[] = [
  { ...wasm, name: 'scalar', vectorBytes: 4 },
  wasm,
  { ...wasm, name: 'parts', vectorBytes: 32, ...many },
  { ...wasm, name: 'tiny, parts', ...many, cache: [128, 1024] },
  { ...wasm, name: 'tiny', vectorBytes: 32, cache: [128, 1024] },
];
export const anyMachine = fc.constantFrom(...machines);

/** What is fed to a run, and views of it. */
export class Inputs {
  readonly data: TypedArray[] = [];

  /** A view of that shape of a new feed, which holds the values in the order in which they lie in memory. */
  view(dtype: DType, shape: readonly number[], values: (i: number) => number, lies: Lies = plain(shape)): View {
    const { order, kinds, lead } = lies;
    // How much room the axes take in memory.
    const sizes = shape.map((size, i) => (kinds[i] === 'repeated' ? 1 : kinds[i] === 'every second' ? 2 * size : size));
    const inMemory = order.map((axis) => sizes[axis]);
    const memory = rowMajor(inMemory);
    const strides = shape.map((_, axis) => memory[order.indexOf(axis)]);
    const array = allocate(dtype, lead + elements(inMemory));
    for (const i of array.keys()) array[i] = values(i);
    const feed = p.feed(this.data.length, dtype, [array.length]);
    this.data.push(array);
    const step = { plain: 1, reversed: -1, repeated: 0, 'every second': 2 } as const;
    const begin = shape.reduce(
      (sum, n, i) => sum + (kinds[i] === 'reversed' ? Math.max(0, n - 1) * strides[i] : 0),
      lead,
    );
    const moved = strides.map((n, i) => n * step[kinds[i]]);
    return p.strided(feed, shape, moved, begin);
  }
}

/** How an array lies in memory: its axes from the outermost in, how each is read, and where it begins. */
export interface Lies {
  readonly order: readonly number[];
  readonly kinds: readonly ('plain' | 'reversed' | 'repeated' | 'every second')[];
  readonly lead: number;
}
const plain = (shape: readonly number[]): Lies => ({
  order: shape.map((_, i) => i),
  kinds: shape.map(() => 'plain'),
  lead: 0,
});

/** Any way for an array of that rank to lie, mostly as it comes. */
export const lies = (rank: number): fc.Arbitrary<Lies> =>
  fc.record({
    order: fc.oneof(
      fc.constant(Array.from({ length: rank }, (_, i) => i)),
      fc.shuffledSubarray(
        Array.from({ length: rank }, (_, i) => i),
        { minLength: rank },
      ),
    ),
    kinds: fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.constant('plain' as const) },
        { weight: 1, arbitrary: fc.constantFrom('reversed' as const, 'repeated' as const, 'every second' as const) },
      ),
      { minLength: rank, maxLength: rank },
    ),
    lead: fc.constantFrom(0, 0, 1, 4),
  });

/** Sizes with which vectors are full, or not, or of which there are several side by side, or none. */
export const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 9 }) },
  { weight: 2, arbitrary: fc.constantFrom(16, 17, 33, 45) },
);
/** An array of more elements takes long, and shows no more. */
const mostElements = 400;

/** Shapes of a rank, of which some have no elements. */
export const shapes = (rank: number): fc.Arbitrary<number[]> =>
  fc.oneof(
    {
      weight: 20,
      arbitrary: fc
        .tuple(fc.array(size, { minLength: rank, maxLength: rank }), fc.nat())
        .map(([sizes, first]) => bounded(sizes, first)),
    },
    { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: rank, maxLength: rank }) },
  );

/** Some axis keeps its size, and the others as much as there is room for. */
function bounded(sizes: readonly number[], first: number): number[] {
  const shape = [...sizes];
  let room = mostElements;
  for (const i of shape.keys()) {
    const axis = (first + i) % shape.length;
    shape[axis] = Math.min(shape[axis], room);
    room = Math.floor(room / shape[axis]);
  }
  return shape;
}

/** Quarters from −4 to 4, without a pattern: sums of thousands of them, and of their products, are exact in float32. */
export const quarters = (seed: number) => (i: number) =>
  ((Math.imul(i + 1, 2654435761) ^ Math.imul(seed + 1, 40503)) % 17) / 4;
/** The same for every type of element. */
export const valuesOf = (dtype: DType, seed: number) => {
  const number = quarters(seed);
  if (dtype === 'float32' || dtype === 'float64') return number;
  if (dtype === 'bool') return (i: number) => Number(number(i) > 0);
  return (i: number) => (dtype === 'uint8' ? Math.abs(number(i) * 50) & 255 : number(i) * 4000);
};

export interface Computed {
  readonly values: readonly TypedArray[];
  /** The names of the offers that were taken of the kind that was asked for. */
  readonly taken: readonly string[];
  readonly kernels: readonly Kernel[];
  /** What a check noted: its number, from 1, the element and the value; no number if none failed. */
  readonly status: Float64Array;
}

/** What kernels of that kind, and the cheapest where it offers none, compute. Each is verified before. */
export function compute(wanted: Wanted, { data }: Inputs, machine: Machine, kind: OfferFor): Computed {
  const run = lowered(wanted);
  const { tasks, fetches } = atOnce(fuse(run));
  const memory = new Map<Buffer, TypedArray>();
  const ofNode = new Map<Primitive, Buffer>();
  const add = (buffer: Buffer): Buffer => {
    // What was in memory before must not matter.
    memory.set(buffer, allocate(buffer.dtype, buffer.length).fill(buffer.dtype === 'bool' ? 1 : 77));
    return buffer;
  };
  const of = (node: Primitive): Buffer => {
    let buffer = ofNode.get(node);
    if (buffer) return buffer;
    const length = node.kind === 'constant' ? node.data.length : elements(node.shape);
    buffer = add({ name: `${node.kind}${node.id}`, dtype: node.dtype, length });
    ofNode.set(node, buffer);
    if (node.kind === 'feed') memory.get(buffer)?.set(data[node.feed]);
    if (node.kind === 'constant') memory.get(buffer)?.set(node.data);
    return buffer;
  };
  const status = add({ name: 'status', dtype: 'float64', length: 3 });
  memory.get(status)?.fill(0);
  const buffers: TaskBuffers = {
    of,
    scratch: (name, dtype, length) => add({ name, dtype, length }),
    own: (name, dtype, length) => add({ name, dtype, length, private: true }),
    status: () => status,
    checkNumber: (node) => run.checks.findIndex(({ id }) => id === node.id) + 1,
  };
  const taken: string[] = [];
  const kernels: Kernel[] = [];
  for (const task of inOrder(tasks)) {
    verifyTask(task);
    const offer: Offer = kind(task, machine) ?? atOnce(offersFor(task, machine))[0];
    if (kind(task, machine)) taken.push(offer.name);
    for (const kernel of offer.build(buffers)) {
      verifyKernel(kernel, machine);
      interpret(kernel, memory);
      kernels.push(kernel);
    }
  }
  return {
    values: fetches.map((v) => memory.get(of(v.node)) as TypedArray),
    taken,
    kernels,
    status: memory.get(status) as Float64Array,
  };
}

/** Tasks after those that they read. */
function inOrder(tasks: readonly Task[]): Task[] {
  const left = new Set(tasks);
  const ordered: Task[] = [];
  const waits = (task: Task) =>
    [...task.operands, ...task.inputs].some((v) =>
      [...left].some((other) => other !== task && other.outputs.some((o) => o.node === v.node)),
    );
  while (left.size > 0) {
    for (const task of left) {
      if (waits(task)) continue;
      left.delete(task);
      ordered.push(task);
    }
  }
  return ordered;
}

/** What the reference computes. */
export const expected = (wanted: Wanted, { data }: Inputs): readonly TypedArray[] => {
  const none = (): never => {
    throw new Error('a kernel test has no variables');
  };
  return evaluate(lowered(wanted), { feeds: data, variable: none, counter: none }).fetches;
};

/** Expects the very numbers of the reference, from kernels of that kind where it offers some. */
export function expectEqual(wanted: Wanted, inputs: Inputs, machine: Machine, kind: OfferFor): Computed {
  const found = compute(wanted, inputs, machine, kind);
  for (const [i, values] of expected(wanted, inputs).entries()) {
    expect(Array.from(found.values[i])).toEqual(Array.from(values));
  }
  return found;
}

/** The same of a kind that has to offer some. */
export function expectExact(wanted: Wanted, inputs: Inputs, machine: Machine, kind: OfferFor): Computed {
  const found = expectEqual(wanted, inputs, machine, kind);
  expect(found.taken.length).toBeGreaterThan(0);
  return found;
}

/** A property that is tried with the same examples in every run. */
export const check = <T extends [unknown, ...unknown[]]>(property: fc.IProperty<T>, numRuns = 100): void =>
  fc.assert(property, { numRuns });
