// The primitives: the small closed set of computations that every op is lowered to. Operands are strided views, so
// reshape, transpose, slice, broadcast and sliding windows are index arithmetic here, not computations.

import { InternalError } from '../base/errors.ts';
import { type DType, isFloat, type TypedArray } from '../tensor/dtype.ts';
import { elements, rowMajor, sameShape } from '../tensor/shape.ts';
import type { Scalar } from './scalar.ts';
import * as s from './scalar.ts';

/** A primitive's result, read at `offset + Σ index·stride` elements of its dense row-major array. */
export interface View {
  readonly node: Primitive;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** A variable as the compiler sees it: `key` identifies its storage in a session. */
export interface VariableState {
  readonly key: number;
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

interface Base {
  readonly id: number;
  readonly dtype: DType;
  readonly shape: readonly number[];
}
/** The value fed for the tensor number `feed` of the run. */
export interface Feed extends Base {
  readonly kind: 'feed';
  readonly feed: number;
}
/** A value known when compiling. One element broadcasts to the whole shape. */
export interface Constant extends Base {
  readonly kind: 'constant';
  readonly data: TypedArray;
}
/** The value that a variable has when the run starts. */
export interface Read extends Base {
  readonly kind: 'read';
  readonly variable: VariableState;
}
/** Which run of the random op `name` in the session this is: an int32 scalar that is different for each. */
export interface Counter extends Base {
  readonly kind: 'counter';
  readonly name: string;
}
/** out[i] = body(inputs[i]): every input has the map's shape. */
export interface MapPrimitive extends Base {
  readonly kind: 'map';
  readonly inputs: readonly View[];
  readonly body: Scalar;
}
export type ReduceOp = 'sum' | 'prod' | 'max' | 'min' | 'any' | 'all';
/** out[o] = op over r of x[o, r]: the view's trailing axes, beyond the rank of `shape`, are reduced. */
export interface Reduce extends Base {
  readonly kind: 'reduce';
  readonly op: ReduceOp;
  readonly x: View;
}
/** Flat index over the reduced (trailing) axes of the first largest or smallest element; NaN counts as either. */
export interface ArgReduce extends Base {
  readonly kind: 'argReduce';
  readonly op: 'max' | 'min';
  readonly x: View;
}
/** out[o] = Σ_r a[o, r] · b[o, r]: both views have the shape [...out, ...summed]. Matmuls and convolutions. */
export interface Contract extends Base {
  readonly kind: 'contract';
  readonly a: View;
  readonly b: View;
}
/** out[i] = x[(i − low) / step] where that is whole and in range, else `value`. */
export interface Pad extends Base {
  readonly kind: 'pad';
  readonly x: View;
  readonly low: readonly number[];
  readonly step: readonly number[];
  readonly value: number;
}
export interface Concat extends Base {
  readonly kind: 'concat';
  readonly inputs: readonly View[];
  readonly axis: number;
}
/** out[h, i, t] = x[h, indices[i], t]: `indices` (int32, checked before) index axis `axis` of x. */
export interface Gather extends Base {
  readonly kind: 'gather';
  readonly x: View;
  readonly indices: View;
  readonly axis: number;
}
/** out = 0; out[h, indices[i], t] += x[h, i, t]: the adjoint of gather, summed in order of i. */
export interface Scatter extends Base {
  readonly kind: 'scatter';
  readonly x: View;
  readonly indices: View;
  readonly axis: number;
}
/**
 * Refuses the run before any variable changes when `body(inputs)` is false for an element. No result.
 * In the message, {value} becomes the first input's value at the first such element.
 */
export interface Check extends Base {
  readonly kind: 'check';
  readonly inputs: readonly View[];
  readonly body: Scalar;
  readonly message: string;
}
export type Primitive =
  | Feed
  | Constant
  | Read
  | Counter
  | MapPrimitive
  | Reduce
  | ArgReduce
  | Contract
  | Pad
  | Concat
  | Gather
  | Scatter
  | Check;

/** What a run computes, after lowering: values to fetch, new values of variables, checks; nodes in order of use. */
export interface Lowered {
  readonly nodes: readonly Primitive[];
  readonly feeds: readonly Feed[];
  readonly fetches: readonly View[];
  readonly updates: readonly { readonly variable: VariableState; readonly value: View }[];
  readonly checks: readonly Check[];
}

/** The views that a primitive reads. */
export function operands(p: Primitive): readonly View[] {
  switch (p.kind) {
    case 'map':
    case 'concat':
    case 'check':
      return p.inputs;
    case 'contract':
      return [p.a, p.b];
    case 'reduce':
    case 'argReduce':
    case 'pad':
      return [p.x];
    case 'gather':
    case 'scatter':
      return [p.x, p.indices];
    default:
      return [];
  }
}

/** The primitive that reads other views; itself, if none is another one. */
export function withOperands(p: Primitive, change: (v: View) => View): Primitive {
  switch (p.kind) {
    case 'map':
    case 'concat':
    case 'check': {
      const inputs = p.inputs.map(change);
      return inputs.every((v, i) => v === p.inputs[i]) ? p : { ...p, inputs };
    }
    case 'contract': {
      const [a, b] = [change(p.a), change(p.b)];
      return a === p.a && b === p.b ? p : { ...p, a, b };
    }
    case 'reduce':
    case 'argReduce':
    case 'pad': {
      const x = change(p.x);
      return x === p.x ? p : { ...p, x };
    }
    case 'gather':
    case 'scatter': {
      const [x, indices] = [change(p.x), change(p.indices)];
      return x === p.x && indices === p.indices ? p : { ...p, x, indices };
    }
    default:
      return p;
  }
}

let nextId = 0;
type Fields<P> = P extends Primitive ? Omit<P, 'id'> : never;
/** A new primitive, and all of it as a view. */
function make(fields: Fields<Primitive>): View {
  return whole({ ...fields, id: nextId++ } as Primitive);
}

// ---------------------------------------------------------------- views
/** A primitive's result as it lies. */
export const whole = (node: Primitive): View => ({ node, shape: node.shape, strides: rowMajor(node.shape), offset: 0 });

/** Does the view read consecutive elements, in order? */
export function isDense(v: View): boolean {
  let n = 1;
  for (let i = v.shape.length - 1; i >= 0; i--) {
    if (v.shape[i] !== 1 && v.strides[i] !== n) return false;
    n *= v.shape[i];
  }
  return true;
}

/** Another shape for the same elements in the same order; copies when the strides do not allow it. */
export function reshape(v: View, shape: readonly number[]): View {
  if (sameShape(v.shape, shape)) return v;
  const strides = reshapedStrides(v, shape);
  return strides
    ? { ...v, shape, strides }
    : reshape(
        map([v], (x) => x),
        shape,
      );
}

/** The strides that read a view in another shape, if there are any. */
export function reshapedStrides(v: View, shape: readonly number[]): number[] | undefined {
  if (elements(shape) === 0) return rowMajor(shape);
  // The view's axes merged where they are contiguous, then cut anew.
  const merged: { size: number; stride: number }[] = [];
  v.shape.forEach((size, i) => {
    if (size === 1) return;
    const last = merged.at(-1);
    if (last && last.stride === size * v.strides[i]) {
      last.size *= size;
      last.stride = v.strides[i];
    } else merged.push({ size, stride: v.strides[i] });
  });
  const strides = new Array<number>(shape.length).fill(0);
  let axis = shape.length - 1;
  for (const run of merged.reverse()) {
    let size = 1;
    while (size < run.size) {
      if (axis < 0 || run.size % (size * shape[axis]) !== 0) return undefined;
      strides[axis] = size * run.stride;
      size *= shape[axis--];
    }
  }
  return strides;
}

/** Axis i of the result is axis `perm[i]` of the view. */
export const transpose = (v: View, perm: readonly number[]): View => ({
  ...v,
  shape: perm.map((p) => v.shape[p]),
  strides: perm.map((p) => v.strides[p]),
});

/** Repeats axes of size 1, and adds leading ones, up to `shape`. */
export function broadcastTo(v: View, shape: readonly number[]): View {
  const lead = shape.length - v.shape.length;
  const strides = shape.map((size, i) =>
    i < lead || (v.shape[i - lead] === 1 && size !== 1) ? 0 : v.strides[i - lead],
  );
  return { ...v, shape, strides };
}

/** The part of `size` elements from `begin` on, every `step`-th, along each axis. */
export const slice = (v: View, begin: readonly number[], size: readonly number[], step?: readonly number[]): View => ({
  ...v,
  shape: size,
  strides: v.strides.map((n, i) => n * (step?.[i] ?? 1)),
  offset: v.offset + begin.reduce((sum, b, i) => sum + b * v.strides[i], 0),
});

/** The elements of some axes in the opposite order. */
export function reverse(v: View, axes: readonly number[]): View {
  const strides = v.strides.map((n, i) => (axes.includes(i) ? -n : n));
  const offset = axes.reduce((sum, a) => sum + Math.max(0, v.shape[a] - 1) * v.strides[a], v.offset);
  return { ...v, strides, offset };
}

/** Any axes, each with its size and its stride in elements of this view's node: sliding windows, diagonals. */
export const strided = (v: View, shape: readonly number[], strides: readonly number[], offset = v.offset): View => ({
  node: v.node,
  shape,
  strides,
  offset,
});

// ---------------------------------------------------------------- primitives
export const feed = (number: number, dtype: DType, shape: readonly number[]): View =>
  make({ kind: 'feed', feed: number, dtype, shape });

/** `data` has one element, which is repeated, or as many as the shape. */
export const constant = (data: TypedArray, dtype: DType, shape: readonly number[]): View =>
  make({ kind: 'constant', data, dtype, shape });

export const read = (variable: VariableState): View =>
  make({ kind: 'read', variable, dtype: variable.dtype, shape: variable.shape });

export const counter = (name: string): View => make({ kind: 'counter', name, dtype: 'int32', shape: [] });

/** Elementwise: the inputs are broadcast to their common shape (or `shape`), `body` is called with one scalar each. */
export function map(inputs: readonly View[], body: (...xs: Scalar[]) => Scalar, shape?: readonly number[]): View {
  const out = shape ?? common(inputs);
  const expression = body(...inputs.map((v, i) => s.input(i, v.node.dtype)));
  const views = inputs.map((v) => broadcastTo(v, out));
  return make({ kind: 'map', inputs: views, body: expression, dtype: expression.dtype, shape: out });
}

/** The shape that known shapes broadcast to. */
function common(views: readonly View[]): readonly number[] {
  const rank = Math.max(...views.map((v) => v.shape.length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = views.map((v) => v.shape[i - rank + v.shape.length] ?? 1);
    const size = sizes.find((d) => d !== 1) ?? 1;
    if (sizes.some((d) => d !== 1 && d !== size))
      throw new InternalError(`map: sizes ${sizes.join(', ')} do not broadcast`);
    return size;
  });
}

/** A view with the axes to reduce moved to the end. */
function reducedLast(x: View, axes: readonly number[]): { view: View; shape: number[] } {
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const view = transpose(x, [...kept, ...axes]);
  return { view, shape: kept.map((i) => x.shape[i]) };
}

/** Reduces the given axes away. */
export function reduce(op: ReduceOp, x: View, axes: readonly number[]): View {
  const { view, shape } = reducedLast(x, axes);
  return make({ kind: 'reduce', op, x: view, dtype: x.node.dtype, shape });
}

/** Index (int32) of the first extreme element over the given axes, counted row-major over them. */
export function argReduce(op: 'max' | 'min', x: View, axes: readonly number[]): View {
  const { view, shape } = reducedLast(x, axes);
  return make({ kind: 'argReduce', op, x: view, dtype: 'int32', shape });
}

/** Σ over the axes of `a` and `b` (same shape, both views over all axes) beyond the first `rank`. */
export function contract(a: View, b: View, rank: number): View {
  if (!sameShape(a.shape, b.shape)) throw new InternalError(`contract: ${a.shape} and ${b.shape} differ`);
  return make({ kind: 'contract', a, b, dtype: a.node.dtype, shape: a.shape.slice(0, rank) });
}

/** Surrounds with `value`; with `step` n, puts n − 1 of them between elements as well. */
export function pad(
  x: View,
  low: readonly number[],
  high: readonly number[],
  value = 0,
  step: readonly number[] = x.shape.map(() => 1),
): View {
  if ([...low, ...high].every((n) => n === 0) && step.every((n) => n === 1)) return x;
  const shape = x.shape.map((d, i) => low[i] + (d === 0 ? 0 : (d - 1) * step[i] + 1) + high[i]);
  return make({ kind: 'pad', x, low, step, value, dtype: x.node.dtype, shape });
}

export function concat(inputs: readonly View[], axis: number): View {
  if (inputs.length === 1) return inputs[0];
  const shape = inputs[0].shape.map((d, i) => (i === axis ? inputs.reduce((sum, v) => sum + v.shape[i], 0) : d));
  return make({ kind: 'concat', inputs, axis, dtype: inputs[0].node.dtype, shape });
}

export function gather(x: View, indices: View, axis: number): View {
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  return make({ kind: 'gather', x, indices, axis, dtype: x.node.dtype, shape });
}

/** `size` is the size of the axis that the indices point into. */
export function scatter(x: View, indices: View, axis: number, size: number): View {
  const shape = [...x.shape.slice(0, axis), size, ...x.shape.slice(axis + indices.shape.length)];
  return make({ kind: 'scatter', x, indices, axis, dtype: x.node.dtype, shape });
}

export function check(inputs: readonly View[], body: (...xs: Scalar[]) => Scalar, message: string): Check {
  const shape = common(inputs);
  const views = inputs.map((v) => broadcastTo(v, shape));
  const expression = body(...inputs.map((v, i) => s.input(i, v.node.dtype)));
  return { kind: 'check', id: nextId++, inputs: views, body: expression, message, dtype: 'bool', shape };
}

/** Is it computed by the run, and so has an array of its own? */
export const isStored = (n: Primitive): boolean =>
  n.kind !== 'feed' && n.kind !== 'read' && n.kind !== 'constant' && n.kind !== 'counter';

/** Where nothing is summed or compared: the value of a reduction over no elements. */
export function identityOf(op: ReduceOp, dtype: DType): number {
  if (op === 'sum' || op === 'any') return 0;
  if (op === 'prod' || op === 'all') return 1;
  if (isFloat(dtype)) return op === 'max' ? -Infinity : Infinity;
  if (dtype === 'uint8') return op === 'max' ? 0 : 255;
  return op === 'max' ? -(2 ** 31) : 2 ** 31 - 1;
}
