// Tensors of one value, and ranges.

import { InvalidArgumentError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { DType, FloatDType } from '../tensor/dtype.ts';
import { allocate } from '../tensor/dtype.ts';
import { anything, dtype as dtypeKind, finite, number, sizes, text, wholeNumber } from '../tensor/kinds.ts';
import { mostElements, type Shape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { constant, filled } from './constant.ts';
import { type AnyTensor, apply, defineOp, type Named, tensor } from './define.ts';

const zerosForm = signature('tf.zeros', { shape: sizes }, { dtype: dtypeKind, name: text }, ['dtype', 'name']);
/** A tensor of zeros (false for bool). */
export function zeros<const S extends Shape, T extends DType = 'float32'>(
  shape: S,
  options: { readonly dtype?: T; readonly name?: string },
): Tensor<NoInfer<T>, [...S]>;
export function zeros<const S extends Shape, T extends DType = 'float32'>(
  shape: S,
  dtype?: T,
  name?: Named,
): Tensor<NoInfer<T>, [...S]>;
export function zeros(...given: unknown[]): AnyTensor {
  const { shape, dtype = 'float32', name } = zerosForm.take(given);
  return filled('zeros', shape, 0, dtype, name);
}

const onesForm = signature('tf.ones', { shape: sizes }, { dtype: dtypeKind, name: text }, ['dtype', 'name']);
/** A tensor of ones (true for bool). */
export function ones<const S extends Shape, T extends DType = 'float32'>(
  shape: S,
  options: { readonly dtype?: T; readonly name?: string },
): Tensor<NoInfer<T>, [...S]>;
export function ones<const S extends Shape, T extends DType = 'float32'>(
  shape: S,
  dtype?: T,
  name?: Named,
): Tensor<NoInfer<T>, [...S]>;
export function ones(...given: unknown[]): AnyTensor {
  const { shape, dtype = 'float32', name } = onesForm.take(given);
  return filled('ones', shape, 1, dtype, name);
}

const fillForm = signature(
  'tf.fill',
  { shape: sizes, value: anything<number>('a number') },
  { dtype: dtypeKind, name: text },
  ['dtype'],
);
/** A tensor filled with one value. */
export function fill<const S extends Shape, T extends DType = 'float32'>(
  shape: S,
  value: number,
  options: { readonly dtype?: T; readonly name?: string },
): Tensor<NoInfer<T>, [...S]>;
export function fill<const S extends Shape, T extends DType = 'float32'>(
  shape: S,
  value: number,
  dtype?: T,
  options?: { readonly name?: string },
): Tensor<NoInfer<T>, [...S]>;
export function fill(...given: unknown[]): AnyTensor {
  const { shape, value, dtype = 'float32', name } = fillForm.take(given);
  return filled('fill', shape, value, dtype, name);
}

const FillLike = defineOp<{ value: number }>({
  name: 'FillLike',
  infer: ([like]) => like,
  gradient: () => [null],
  lower: ([like], { attributes: { value } }) => {
    const data = allocate(like.node.dtype, 1);
    data[0] = value;
    return p.constant(data, like.node.dtype, like.shape);
  },
});

const zerosLikeForm = signature('tf.zerosLike', { x: tensor }, { name: text });
/** Zeros of the dtype and shape of another tensor. */
export function zerosLike<T extends DType = any, S extends Shape = any>(
  x: Tensor<T, S>,
  options?: { readonly name?: string },
): Tensor<T, S>;
export function zerosLike(...given: unknown[]): AnyTensor {
  const { x, name = 'zerosLike' } = zerosLikeForm.take(given);
  return apply(FillLike, [x], { value: 0 }, name);
}

const onesLikeForm = signature('tf.onesLike', { x: tensor }, { name: text });
/** Ones of the dtype and shape of another tensor. */
export function onesLike<T extends DType = any, S extends Shape = any>(
  x: Tensor<T, S>,
  options?: { readonly name?: string },
): Tensor<T, S>;
export function onesLike(...given: unknown[]): AnyTensor {
  const { x, name = 'onesLike' } = onesLikeForm.take(given);
  return apply(FillLike, [x], { value: 1 }, name);
}

const rangeForm = signature('tf.range', { start: number }, { limit: number, delta: number, name: text }, [
  'limit',
  'delta',
]);
/**
 * start, start + delta, … below limit (above it for a negative delta); `range(n)` counts from 0. int32 when all
 * arguments are whole numbers, else float32.
 *
 * @throws InvalidArgumentError for a delta of 0, and for more than 10⁸ numbers.
 */
export function range(
  start: number,
  limit?: number | { readonly limit?: number; readonly delta?: number; readonly name?: string },
  delta?: number | { readonly delta?: number; readonly name?: string },
  options?: { readonly name?: string },
): Tensor<'int32' | 'float32', [number]>;
export function range(...given: unknown[]): AnyTensor {
  const { start, limit, delta = 1, name = 'range' } = rangeForm.take(given);
  const [from, to] = limit === undefined ? [0, start] : [start, limit];
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
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = from + i * delta;
  const dtype = [from, to, delta].every(Number.isInteger) ? 'int32' : 'float32';
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
