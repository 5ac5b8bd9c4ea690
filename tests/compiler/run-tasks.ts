// Evaluates tasks one after another, slowly and obviously, in float64: what the passes on tasks are compared with.
import { expect } from 'vitest';
import type { Batched } from '../../src/compiler/program/batch.ts';
import { evaluate } from '../../src/primitives/evaluate/evaluate.ts';
import { scalarFunction, wrap } from '../../src/primitives/evaluate/scalar.ts';
import { identityOf, type Lowered, type Primitive, type View } from '../../src/primitives/primitives.ts';
import type { Scalar } from '../../src/primitives/scalar.ts';
import type { Task } from '../../src/primitives/task.ts';
import { elements, rowMajor } from '../../src/tensor/shape.ts';

/** What a run is given, as the reference takes it. */
export interface Given {
  readonly feeds: readonly ArrayLike<number>[];
  readonly variable: (key: number) => ArrayLike<number>;
  readonly counter: (name: string) => number;
}

/** Numbers for everything that a run reads, the same ones each time. */
export function givenFor({ feeds, nodes, updates }: Pick<Lowered, 'feeds' | 'nodes' | 'updates'>, seed = 0): Given {
  const read = nodes.flatMap((n) => (n.kind === 'read' ? [n.variable] : []));
  const sizes = new Map([...read, ...updates.map((u) => u.variable)].map((v) => [v.key, elements(v.shape)]));
  const wave = (count: number, phase: number) =>
    Float64Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i * 1.7 + phase + seed)));
  return {
    // What counts is between 0 and 1.
    feeds: feeds.map((f, k) =>
      f.dtype === 'float32' ? wave(elements(f.shape), k) : new Float64Array(elements(f.shape)),
    ),
    variable: (key) => wave(sizes.get(key) ?? 0, key),
    counter: () => 3 + seed,
  };
}

/** What the reference computes for such a run: its fetches, then its updates. */
export function valuesOf(lowered: Lowered, given: Given = givenFor(lowered)): number[][] {
  const { fetches, updates } = evaluate(lowered, given);
  return [...fetches, ...updates.map((u) => u.data)].map((data) => Array.from(data, Number));
}

/** Each number within a part of the largest. What cancels leaves the rounding of what it was made of. */
export function expectClose(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  const scale = Math.max(0.1, ...Array.from(wanted, (v) => (Number.isFinite(v) ? Math.abs(v) : 0)));
  const far = Array.from(wanted).findIndex((w, i) => {
    const f = found[i];
    return !(Object.is(f, w) || f === w || Math.abs(f - w) <= tolerance * scale);
  });
  expect(far < 0 ? 'all' : `element ${far} is ${found[far]}, not ${wanted[far]}`).toBe('all');
  expect(found.length).toBe(wanted.length);
}

/** What tasks must have left behind: the fetches and the new values of variables, as the reference computes them. */
export function expectResults(
  arrays: Arrays,
  { fetches, updates }: Pick<Lowered, 'fetches' | 'updates'>,
  lowered: Lowered,
  given: Given,
): void {
  const wanted = valuesOf(lowered, given);
  const found = [...fetches, ...updates.map((u) => u.value)].map((v) => arrays.of(v.node));
  for (const [i, array] of found.entries()) expectClose(array, wanted[i], 1e-5);
}

type Index = readonly number[];
const dot = (index: Index, strides: Index): number => strides.reduce((sum, n, axis) => sum + index[axis] * n, 0);

/** Every index of a shape in row-major order. */
export function* indices(shape: Index): Generator<Index> {
  const index = shape.map(() => 0);
  for (let left = elements(shape); left > 0; left--) {
    yield index;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

/** Where the results of tasks lie. What has not been computed is NaN. */
export class Arrays {
  readonly #given: Given;
  readonly #inPlace: ReadonlyMap<Primitive, number>;
  readonly #own = new Map<Primitive, Float64Array>();
  readonly #variables = new Map<number, Float64Array>();
  #windows: Batched['windows'] = new Map();
  #start = 0;

  constructor(given: Given, inPlace: ReadonlyMap<Primitive, number> = new Map()) {
    this.#given = given;
    this.#inPlace = inPlace;
  }

  variable(key: number): Float64Array {
    let array = this.#variables.get(key);
    if (!array) this.#variables.set(key, (array = Float64Array.from(this.#given.variable(key))));
    return array;
  }

  of(node: Primitive): Float64Array {
    const window = this.#windows.get(node);
    if (window) return this.of(window.of).subarray(this.#start * window.item);
    if (node.kind === 'constant') {
      const size = elements(node.shape);
      return node.data.length === 1
        ? new Float64Array(Math.max(1, size)).fill(node.data[0])
        : Float64Array.from(node.data);
    }
    if (node.kind === 'feed') return Float64Array.from(this.#given.feeds[node.feed]);
    if (node.kind === 'counter') return Float64Array.of(this.#given.counter(node.name));
    const key = node.kind === 'read' ? node.variable.key : this.#inPlace.get(node);
    if (key !== undefined) return this.variable(key);
    let array = this.#own.get(node);
    if (!array) this.#own.set(node, (array = new Float64Array(elements(node.shape)).fill(NaN)));
    return array;
  }

  /** The elements of a view in order. */
  read({ node, shape, strides, offset }: View): Float64Array {
    const array = this.of(node);
    // A typed array would look at the indices only when it has them all.
    return Float64Array.from(Array.from(indices(shape), (index) => array[offset + dot(index, strides)]));
  }

  run(tasks: readonly Task[]): void {
    for (const task of tasks) runTask(task, this);
  }

  /** The same, those of chains for one block of items after another. */
  runBatched({ tasks, chains, windows }: Batched): void {
    this.#windows = windows;
    for (let i = 0; i < tasks.length; ) {
      const chain = chains.find((c) => c.first === i);
      if (!chain) this.run([tasks[i++]]);
      else {
        const { first, end, items, block } = chain;
        for (let begin = 0; begin < items; begin += block) {
          this.#start = Math.min(begin, items - block);
          this.run(tasks.slice(first, end));
        }
        this.#start = 0;
        i = end;
      }
    }
  }
}

function runTask(task: Task, arrays: Arrays): void {
  const { shape, root, inputs, outputs } = task;
  const rootValue = rootOf(task, arrays);
  if (root?.kind === 'check') return;
  const values = inputs.map((v) => arrays.read(v));
  for (const { node, fill } of outputs) if (fill !== undefined) arrays.of(node).fill(fill);
  const bodies = outputs.map(({ body }) => scalarFunction(body));
  let flat = 0;
  for (const index of indices(shape)) {
    const leaves = {
      input: (s: Scalar) => (s.value < 0 ? rootValue(index) : values[s.value][flat]),
      index: (s: Scalar) => index[s.value],
    };
    const results = bodies.map((value) => value(leaves));
    for (const [k, { node, strides, offset }] of outputs.entries())
      arrays.of(node)[offset + dot(index, strides)] = results[k];
    flat++;
  }
}

/** The root's result at an index of the task's shape. */
function rootOf(task: Task, arrays: Arrays): (index: Index) => number {
  const { root, operands, operandBody, shape } = task;
  if (!root) return () => NaN;
  const read = operands.map((v) => arrays.of(v.node));
  const at = (k: number, index: Index) => read[k][operands[k].offset + dot(index, operands[k].strides)];
  const value = operandBody ? scalarFunction(operandBody) : () => NaN;
  const body = (index: Index) => value({ input: (s) => at(s.value, index), index: (s) => index[s.value] });
  switch (root.kind) {
    case 'reduce':
    case 'argReduce': {
      const reduced = root.x.shape.slice(shape.length);
      return (index) => {
        const values = Array.from(indices(reduced), (k) => body([...index, ...k]));
        return root.kind === 'reduce' ? total(values, root.op, root.dtype) : best(values, root.op);
      };
    }
    case 'contract': {
      const summed = operands[0].shape.slice(shape.length);
      const multiply = root.dtype === 'int32' || root.dtype === 'uint8' ? Math.imul : (a: number, b: number) => a * b;
      return (index) => {
        const products = Array.from(indices(summed), (k) => multiply(at(0, [...index, ...k]), at(1, [...index, ...k])));
        return total(products, 'sum', root.dtype);
      };
    }
    case 'gather': {
      const { axis, indices: places } = root;
      return (index) => {
        const place = at(1, index.slice(axis, axis + places.shape.length));
        return at(0, [...index.slice(0, axis), place, ...index.slice(axis + places.shape.length)]);
      };
    }
    case 'scatter': {
      const { axis, indices: places, x } = root;
      const sums = new Float64Array(elements(shape));
      for (const index of indices(x.shape)) {
        const place = at(1, index.slice(axis, axis + places.shape.length));
        const to = dot([...index.slice(0, axis), place, ...index.slice(axis + places.shape.length)], rowMajor(shape));
        sums[to] = wrap(sums[to] + at(0, index), root.dtype);
      }
      return (index) => sums[dot(index, rowMajor(shape))];
    }
    case 'check':
      for (const index of indices(shape)) if (!body(index)) throw new Error(root.message);
      return () => NaN;
  }
}

function total(values: readonly number[], op: string, dtype: Primitive['dtype']): number {
  return values.reduce(
    (a, b) => {
      if (op === 'sum') return wrap(a + b, dtype);
      if (op === 'prod') return wrap(dtype === 'int32' || dtype === 'uint8' ? Math.imul(a, b) : a * b, dtype);
      if (op === 'max') return Math.max(a, b);
      if (op === 'min') return Math.min(a, b);
      return op === 'any' ? a || b : a && b;
    },
    identityOf(op as 'sum', dtype),
  );
}

function best(values: readonly number[], op: string): number {
  return values.reduce((k, v, i) => {
    const better = op === 'max' ? v > values[k] : v < values[k];
    return better || (Number.isNaN(v) && !Number.isNaN(values[k])) ? i : k;
  }, 0);
}
