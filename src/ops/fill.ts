// Tensors of one value, and ranges.

import { InvalidArgumentError } from '../base/errors.ts';
import { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { DType, FloatDType } from '../tensor/dtype.ts';
import { allocate, type TypedArray } from '../tensor/dtype.ts';
import { anything, dtype as dtypeKind, finite, kind, text, wholeNumber } from '../tensor/kinds.ts';
import { isKnown, mostElements, type Shape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { constant, filled, oneOf } from './constant.ts';
import { type AnyTensor, apply, defineOp, floats, type Named, requireDType, tensor } from './define.ts';
import {
  type GivenSizes,
  hasTensor,
  knownShape,
  knownSizes,
  type ShapeOfSizes,
  type Sizes,
  type SizeTensor,
  sizeList,
  takeShapeTensors,
  takeSizeTensors,
} from './sizes.ts';

const FillOp = defineOp<{ sizes: GivenSizes; dtype: DType; data: TypedArray }>({
  name: 'Fill',
  takesSizes: true,
  infer: (tensors, { sizes, dtype }) => ({ dtype, shape: knownShape(sizes, tensors) }),
  gradient: ({ inputs }) => inputs.map(() => null),
  lower: (_, { attributes: { data }, outputs: [{ dtype, shape }] }) => p.constant(data, dtype, shape),
});

/** A constant, or, with sizes that the graph computes, what is one in each run. */
function filledTo(
  op: string,
  shape: Sizes,
  value: number,
  { dtype, name = op }: { dtype: DType; name: string | undefined },
): AnyTensor {
  const { sizes, inputs } = takeShapeTensors(op, shape);
  if (sizes && inputs.length === 0) return filled(op, sizes, value, dtype, name);
  return apply(FillOp, inputs, { sizes, dtype, data: oneOf(op, value, dtype) }, name);
}

const zerosForm = signature('tf.zeros', { shape: sizeList }, { dtype: dtypeKind, name: text }, ['dtype', 'name']);
/** A tensor of zeros (false for bool). */
export function zeros<const S extends Sizes, T extends DType = 'float32'>(
  shape: S,
  options: { readonly dtype?: T; readonly name?: string },
): Tensor<NoInfer<T>, ShapeOfSizes<S>>;
export function zeros<const S extends Sizes, T extends DType = 'float32'>(
  shape: S,
  dtype?: T,
  name?: Named,
): Tensor<NoInfer<T>, ShapeOfSizes<S>>;
export function zeros(...given: unknown[]): AnyTensor {
  const { shape, dtype = 'float32', name } = zerosForm.take(given);
  return filledTo('zeros', shape, 0, { dtype, name });
}

const onesForm = signature('tf.ones', { shape: sizeList }, { dtype: dtypeKind, name: text }, ['dtype', 'name']);
/** A tensor of ones (true for bool). */
export function ones<const S extends Sizes, T extends DType = 'float32'>(
  shape: S,
  options: { readonly dtype?: T; readonly name?: string },
): Tensor<NoInfer<T>, ShapeOfSizes<S>>;
export function ones<const S extends Sizes, T extends DType = 'float32'>(
  shape: S,
  dtype?: T,
  name?: Named,
): Tensor<NoInfer<T>, ShapeOfSizes<S>>;
export function ones(...given: unknown[]): AnyTensor {
  const { shape, dtype = 'float32', name } = onesForm.take(given);
  return filledTo('ones', shape, 1, { dtype, name });
}

const fillForm = signature(
  'tf.fill',
  { shape: sizeList, value: anything<number>('a number') },
  { dtype: dtypeKind, name: text },
  ['dtype'],
);
/** A tensor filled with one value. */
export function fill<const S extends Sizes, T extends DType = 'float32'>(
  shape: S,
  value: number,
  options: { readonly dtype?: T; readonly name?: string },
): Tensor<NoInfer<T>, ShapeOfSizes<S>>;
export function fill<const S extends Sizes, T extends DType = 'float32'>(
  shape: S,
  value: number,
  dtype?: T,
  options?: { readonly name?: string },
): Tensor<NoInfer<T>, ShapeOfSizes<S>>;
export function fill(...given: unknown[]): AnyTensor {
  const { shape, value, dtype = 'float32', name } = fillForm.take(given);
  return filledTo('fill', shape, value, { dtype, name });
}

const FillLike = defineOp<{ value: number; dtype: DType }>({
  name: 'FillLike',
  infer: ([{ shape }], { dtype }) => ({ dtype, shape }),
  gradient: () => [null],
  lower: ([like], { attributes: { value, dtype } }) => {
    const data = allocate(dtype, 1);
    data[0] = value;
    return p.constant(data, dtype, like.shape);
  },
});

const zerosLikeForm = signature('tf.zerosLike', { x: tensor }, { dtype: dtypeKind, name: text }, ['dtype', 'name']);
/** Zeros of the shape of another tensor, and of its dtype unless another one is named. */
export function zerosLike<T extends DType = any, S extends Shape = any, U extends DType = T>(
  x: Tensor<T, S>,
  options?: { readonly dtype?: U; readonly name?: string },
): Tensor<NoInfer<U>, S>;
export function zerosLike<T extends DType = any, S extends Shape = any, U extends DType = T>(
  x: Tensor<T, S>,
  dtype: U,
  name?: Named,
): Tensor<NoInfer<U>, S>;
export function zerosLike(...given: unknown[]): AnyTensor {
  const { x, dtype = x.dtype, name = 'zerosLike' } = zerosLikeForm.take(given);
  return apply(FillLike, [x], { value: 0, dtype }, name);
}

const onesLikeForm = signature('tf.onesLike', { x: tensor }, { dtype: dtypeKind, name: text }, ['dtype', 'name']);
/** Ones of the shape of another tensor, and of its dtype unless another one is named. */
export function onesLike<T extends DType = any, S extends Shape = any, U extends DType = T>(
  x: Tensor<T, S>,
  options?: { readonly dtype?: U; readonly name?: string },
): Tensor<NoInfer<U>, S>;
export function onesLike<T extends DType = any, S extends Shape = any, U extends DType = T>(
  x: Tensor<T, S>,
  dtype: U,
  name?: Named,
): Tensor<NoInfer<U>, S>;
export function onesLike(...given: unknown[]): AnyTensor {
  const { x, dtype = x.dtype, name = 'onesLike' } = onesLikeForm.take(given);
  return apply(FillLike, [x], { value: 1, dtype }, name);
}

/** How many numbers a range has. */
function countOf(from: number, to: number, delta: number): number {
  if (delta === 0 || [from, to, delta].some((v) => !Number.isFinite(v))) {
    throw new InvalidArgumentError(
      `range: start ${from}, limit ${to} and delta ${delta} must be finite, and delta not 0.`,
    );
  }
  const count = Math.max(0, Math.ceil((to - from) / delta));
  if (count > mostElements) {
    throw new InvalidArgumentError(
      `range: from ${from} to ${to} by ${delta} there are ${count} numbers, but at most ${mostElements} are made.`,
    );
  }
  return count;
}

/** A range of which the graph computes the start, the limit or the step. */
const RangeOp = defineOp<{ bounds: GivenSizes }>({
  name: 'Range',
  takesSizes: true,
  infer: (tensors, { bounds }) => {
    const known = knownSizes(bounds, tensors);
    return { dtype: 'int32', shape: [isKnown(known) ? countOf(known[0], known[1], known[2]) : null] };
  },
  gradient: ({ inputs }) => inputs.map(() => null),
  lower: (inputs, { attributes: { bounds }, outputs: [{ shape }], value }) => {
    const given = inputs.map((_, i) => value(i)[0]);
    const [start, , delta] = (bounds as Shape).map((d) => d ?? (given.shift() as number));
    return p.map([], () => s.add(s.mul(s.index(0), delta), start), shape);
  },
});

/** Of whole numbers a range is int32, else float32; of a `number` it may be either. */
export type RangeDType<N extends number> = number extends N
  ? 'int32' | 'float32'
  : `${N}` extends `${bigint}`
    ? 'int32'
    : 'float32';
/** As many numbers as are below a whole one. */
export type RangeShape<L extends number> = number extends L
  ? [number]
  : `${L}` extends `-${string}`
    ? [0]
    : `${L}` extends `${bigint}`
      ? [L]
      : [number];
const bound = kind<number | SizeTensor>(
  'a number or an int32 scalar',
  (v) => typeof v === 'number' || v instanceof Tensor,
);
const rangeForm = signature('tf.range', { start: bound }, { limit: bound, delta: bound, name: text }, [
  'limit',
  'delta',
]);
/**
 * start, start + delta, … below limit (above it for a negative delta); `range(n)` counts from 0. int32 when all
 * arguments are whole numbers or int32 scalars that the graph computes (of shapes, or fed), else float32.
 *
 * @throws InvalidArgumentError for a delta of 0, for more than 10⁸ numbers, and for a fraction beside a tensor.
 */
export function range<const L extends number>(
  limit: L,
  options?: { readonly name?: string },
): Tensor<RangeDType<L>, RangeShape<L>>;
export function range<const A extends number, const B extends number, const D extends number = 1>(
  start: A,
  limit: B,
  delta?: D | { readonly delta?: D; readonly name?: string },
  options?: { readonly name?: string },
): Tensor<RangeDType<A | B | D>, [number]>;
export function range(
  start: number,
  limit?: number | { readonly limit?: number; readonly delta?: number; readonly name?: string },
  delta?: number | { readonly delta?: number; readonly name?: string },
  options?: { readonly name?: string },
): Tensor<'int32' | 'float32', [number]>;
export function range(
  start: number | SizeTensor,
  limit?: number | SizeTensor | { readonly name?: string },
  delta?: number | SizeTensor | { readonly name?: string },
  options?: { readonly name?: string },
): Tensor<'int32', [null]>;
export function range(...given: unknown[]): AnyTensor {
  const { start, limit, delta = 1, name = 'range' } = rangeForm.take(given);
  const bounds = limit === undefined ? [0, start, delta] : [start, limit, delta];
  if (hasTensor(bounds)) {
    const { sizes, inputs } = takeSizeTensors('range', 'start, limit and delta', bounds);
    return apply(RangeOp, inputs, { bounds: sizes }, name);
  }
  const [from, to, step] = bounds as number[];
  const values = new Float64Array(countOf(from, to, step));
  for (let i = 0; i < values.length; i++) values[i] = from + i * step;
  const dtype = [from, to, step].every(Number.isInteger) ? 'int32' : 'float32';
  return constant(values, { dtype, name });
}

const linspaceForm = signature(
  'tf.linspace',
  { start: finite, stop: finite, num: wholeNumber },
  { dtype: dtypeKind, name: text },
  ['name'],
);
/**
 * So many numbers at equal distances, from start to stop, which are the first and the last of them.
 *
 * @throws InvalidArgumentError for less than one number, and for more than 10⁸.
 *
 * ```ts
 * tf.linspace(0, 1, 5);      // [0, 0.25, 0.5, 0.75, 1]
 * ```
 */
export function linspace<const N extends number, T extends FloatDType = 'float32'>(
  start: number,
  stop: number,
  num: N,
  options?: string | { readonly dtype?: T; readonly name?: string },
): Tensor<NoInfer<T>, [N]>;
export function linspace(...given: unknown[]): AnyTensor {
  const { start, stop, num, dtype = 'float32', name = 'linspace' } = linspaceForm.take(given);
  requireDType('linspace', { dtype, shape: undefined }, floats);
  if (num < 1 || num > mostElements) {
    throw new InvalidArgumentError(`linspace: there must be 1 to ${mostElements} numbers, but ${num} were asked for.`);
  }
  const values = new Float64Array(num);
  for (let i = 0; i < num; i++)
    values[i] = i === num - 1 && i > 0 ? stop : start + ((stop - start) * i) / (num - 1 || 1);
  return constant(values, { dtype, name });
}

const EyeOp = defineOp<{ shape: readonly [number, number]; dtype: DType }>({
  name: 'Eye',
  infer: (_, { shape, dtype }) => ({ shape, dtype }),
  gradient: () => [],
  lower: (_, { attributes: { shape, dtype } }) =>
    p.map([], () => s.select(s.equal(s.index(0), s.index(1)), s.constant(1, dtype), 0), shape),
});
const eyeForm = signature(
  'tf.eye',
  { numRows: wholeNumber },
  { numColumns: wholeNumber, dtype: dtypeKind, name: text },
  ['numColumns'],
);
/** The identity matrix: 1 on the diagonal, 0 elsewhere; of numColumns columns, by default as many as rows. */
export function eye<const N extends number, T extends DType = 'float32', const M extends number = N>(
  numRows: N,
  options: { readonly numColumns?: M; readonly dtype?: T; readonly name?: string },
): Tensor<NoInfer<T>, [N, M]>;
export function eye<const N extends number, const M extends number = N>(
  numRows: N,
  numColumns?: M,
): Tensor<'float32', [N, M]>;
export function eye(...given: unknown[]): AnyTensor {
  const { numRows, numColumns = numRows, dtype = 'float32', name } = eyeForm.take(given);
  if (numRows < 0 || numColumns < 0)
    throw new InvalidArgumentError(`eye: sizes must be at least 0, but ${numRows} and ${numColumns} came.`);
  return apply(EyeOp, [], { shape: [numRows, numColumns], dtype }, name);
}
