// The oracle: evaluates primitives one after another, directly, slowly and obviously, in float64 and wrapped integers.
// Values are rounded to their element type only where they leave: at fetches, variables, and casts to float32.

import { InvalidArgumentError } from '../../base/errors.ts';
import { allocate, type DType, isFloat, type TypedArray } from '../../tensor/dtype.ts';
import { elements, rowMajor } from '../../tensor/shape.ts';
import {
  type ArgReduce,
  type Concat,
  type Contract,
  type Gather,
  identityOf,
  type Lowered,
  type MapPrimitive,
  type Pad,
  type Primitive,
  type Reduce,
  type ReduceOp,
  type Scatter,
  type View,
} from '../primitives.ts';
import type { Scalar } from '../scalar.ts';
import { scalarFunction, wrap } from './scalar.ts';

type Values = Float64Array;
type Results = Map<Primitive, Values>;

/** What the evaluation is given, and what it gives back. */
export interface Given {
  readonly feeds: readonly ArrayLike<number>[];
  readonly variable: (key: number) => ArrayLike<number>;
  readonly counter: (name: string) => number;
}
export interface Evaluated {
  readonly fetches: readonly TypedArray[];
  readonly updates: readonly { readonly key: number; readonly dtype: DType; readonly data: TypedArray }[];
}

/** @throws InvalidArgumentError when a check fails. */
export function evaluate(lowered: Lowered, given: Given): Evaluated {
  const results: Results = new Map();
  for (const node of lowered.nodes) if (node.kind !== 'check') results.set(node, compute(node, results, given));
  for (const check of lowered.checks) {
    const inputs = check.inputs.map((v) => gatherView(v, results));
    eachValue(check, inputs, (holds, flat) => {
      if (!holds) throw new InvalidArgumentError(check.message.replace('{value}', String(inputs[0][flat])));
    });
  }
  const rounded = (v: View): TypedArray => {
    const out = allocate(v.node.dtype, elements(v.shape));
    out.set(gatherView(v, results));
    return out;
  };
  return {
    fetches: lowered.fetches.map(rounded),
    updates: lowered.updates.map(({ variable, value }) => ({
      key: variable.key,
      dtype: variable.dtype,
      data: rounded(value),
    })),
  };
}

/** Calls `visit` with each index of a shape, in row-major order. */
function everyIndex(shape: readonly number[], visit: (index: readonly number[], flat: number) => void): void {
  const index = shape.map(() => 0);
  const count = elements(shape);
  for (let flat = 0; flat < count; flat++) {
    visit(index, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

/** Computes a body for every index of a shape, in row-major order. */
function eachValue(
  { shape, body }: Pick<MapPrimitive, 'shape' | 'body'>,
  inputs: readonly Values[],
  take: (value: number, flat: number) => void,
): void {
  const value = scalarFunction(body);
  let [at, place]: [readonly number[], number] = [[], 0];
  const leaves = { input: (s: Scalar) => inputs[s.value][place], index: (s: Scalar) => at[s.value] };
  everyIndex(shape, (index, flat) => {
    [at, place] = [index, flat];
    take(value(leaves), flat);
  });
}

function dot(index: readonly number[], strides: readonly number[]): number {
  let sum = 0;
  for (let axis = 0; axis < index.length; axis++) sum += index[axis] * strides[axis];
  return sum;
}

/** The elements of a view, dense. */
function gatherView({ node, shape, strides, offset }: View, results: Results): Values {
  const source = results.get(node) as Values;
  const out = allocate('float64', elements(shape));
  // A scalar has an axis too.
  const sizes = [1, ...shape];
  const steps = [0, ...strides];
  let flat = 0;
  const take = (axis: number, begin: number): void => {
    const step = steps[axis];
    if (axis === shape.length) for (let i = 0; i < sizes[axis]; i++) out[flat++] = source[begin + i * step];
    else for (let i = 0; i < sizes[axis]; i++) take(axis + 1, begin + i * step);
  };
  take(0, offset);
  return out;
}

function compute(node: Primitive, results: Results, given: Given): Values {
  const out = allocate('float64', elements(node.shape));
  switch (node.kind) {
    case 'feed':
      out.set(given.feeds[node.feed]);
      break;
    case 'constant':
      if (node.data.length === 1) out.fill(node.data[0]);
      else out.set(node.data);
      break;
    case 'read':
      out.set(given.variable(node.variable.key));
      break;
    case 'counter':
      out.fill(given.counter(node.name));
      break;
    case 'map':
      map(node, results, out);
      break;
    case 'reduce':
      reduce(node, results, out);
      break;
    case 'argReduce':
      argReduce(node, results, out);
      break;
    case 'contract':
      contract(node, results, out);
      break;
    case 'pad':
      pad(node, results, out);
      break;
    case 'concat':
      concat(node, results, out);
      break;
    case 'gather':
      gather(node, results, out);
      break;
    case 'scatter':
      scatter(node, results, out);
      break;
    case 'check':
      break;
  }
  return out;
}

function map(node: MapPrimitive, results: Results, out: Values): void {
  const inputs = node.inputs.map((v) => gatherView(v, results));
  eachValue(node, inputs, (value, flat) => {
    out[flat] = value;
  });
}

function reduce(node: Reduce, results: Results, out: Values): void {
  const x = gatherView(node.x, results);
  const group = x.length / Math.max(1, out.length);
  for (let i = 0; i < out.length; i++) {
    let total = identityOf(node.op, node.dtype);
    for (let k = 0; k < group; k++) total = combine(node.op, total, x[i * group + k], node.dtype);
    out[i] = total;
  }
}

function argReduce(node: ArgReduce, results: Results, out: Values): void {
  const x = gatherView(node.x, results);
  const group = x.length / Math.max(1, out.length);
  for (let i = 0; i < out.length; i++) {
    let best = 0;
    for (let k = 1; k < group; k++) {
      const [a, b] = [x[i * group + best], x[i * group + k]];
      const better = node.op === 'max' ? b > a : b < a;
      if (better || (Number.isNaN(b) && !Number.isNaN(a))) best = k;
    }
    out[i] = best;
  }
}

function contract(node: Contract, results: Results, out: Values): void {
  const a = gatherView(node.a, results);
  const b = gatherView(node.b, results);
  const group = a.length / Math.max(1, out.length);
  const float = isFloat(node.dtype);
  for (let i = 0; i < out.length; i++) {
    let total = 0;
    for (let k = i * group; k < (i + 1) * group; k++) {
      if (float) total += a[k] * b[k];
      else total = wrap(total + Math.imul(a[k], b[k]), node.dtype);
    }
    out[i] = total;
  }
}

function pad(node: Pad, results: Results, out: Values): void {
  const strides = rowMajor(node.shape);
  const x = gatherView(node.x, results);
  out.fill(node.value);
  everyIndex(node.x.shape, (index, flat) => {
    const to = index.map((i, axis) => node.low[axis] + i * node.step[axis]);
    out[dot(to, strides)] = x[flat];
  });
}

function concat(node: Concat, results: Results, out: Values): void {
  const strides = rowMajor(node.shape);
  let begin = 0;
  for (const v of node.inputs) {
    const x = gatherView(v, results);
    everyIndex(v.shape, (index, flat) => {
      out[begin * strides[node.axis] + dot(index, strides)] = x[flat];
    });
    begin += v.shape[node.axis];
  }
}

function gather(node: Gather, results: Results, out: Values): void {
  const source = results.get(node.x.node) as Values;
  const place = placeBy(node, results);
  everyIndex(node.shape, (index, flat) => {
    out[flat] = source[node.x.offset + dot(place(index), node.x.strides)];
  });
}

function scatter(node: Scatter, results: Results, out: Values): void {
  const x = gatherView(node.x, results);
  const place = placeBy(node, results);
  const strides = rowMajor(node.shape);
  everyIndex(node.x.shape, (index, flat) => {
    const to = dot(place(index), strides);
    out[to] = wrap(out[to] + x[flat], node.dtype);
  });
}

/** Puts the index that is looked up in the place of the axes by which it is looked up. */
function placeBy({ indices: view, axis }: Gather | Scatter, results: Results): (index: readonly number[]) => number[] {
  const indices = gatherView(view, results);
  const end = axis + view.shape.length;
  const strides = rowMajor(view.shape);
  return (index) => [...index.slice(0, axis), indices[dot(index.slice(axis, end), strides)], ...index.slice(end)];
}

function combine(op: ReduceOp, a: number, b: number, dtype: DType): number {
  switch (op) {
    case 'sum':
      return wrap(a + b, dtype);
    case 'prod':
      return isFloat(dtype) ? a * b : wrap(Math.imul(a, b), dtype);
    case 'max':
      return Math.max(a, b);
    case 'min':
      return Math.min(a, b);
    case 'any':
      return a || b;
    case 'all':
      return a && b;
  }
}
