// Tensors of one value, and ranges.

import { InvalidArgumentError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import type { DType } from '../tensor/dtype.ts';
import { allocate } from '../tensor/dtype.ts';
import { mostElements, type Shape } from '../tensor/shape.ts';
import { constant, filled } from './constant.ts';
import { apply, defineOp } from './define.ts';

/** A tensor of zeros (false for bool). */
export function zeros<const S extends Shape, T extends DType = 'float32'>(
  shape: S,
  dtype: T = 'float32' as T,
): Tensor<NoInfer<T>, [...S]> {
  return filled('zeros', shape, 0, dtype);
}

/** A tensor of ones (true for bool). */
export function ones<const S extends Shape, T extends DType = 'float32'>(
  shape: S,
  dtype: T = 'float32' as T,
): Tensor<NoInfer<T>, [...S]> {
  return filled('ones', shape, 1, dtype);
}

/** A tensor filled with one value. */
export function fill<const S extends Shape, T extends DType = 'float32'>(
  shape: S,
  value: number,
  dtype: T = 'float32' as T,
): Tensor<NoInfer<T>, [...S]> {
  return filled('fill', shape, value, dtype);
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

/** Zeros of the dtype and shape of another tensor. */
export function zerosLike<T extends DType, S extends Shape>(x: Tensor<T, S>, name = 'zerosLike'): Tensor<T, S> {
  return apply(FillLike, [x], { value: 0 }, name);
}

/** Ones of the dtype and shape of another tensor. */
export function onesLike<T extends DType, S extends Shape>(x: Tensor<T, S>, name = 'onesLike'): Tensor<T, S> {
  return apply(FillLike, [x], { value: 1 }, name);
}

/**
 * start, start + delta, … below limit (above it for a negative delta); `range(n)` counts from 0. int32 when all
 * arguments are whole numbers, else float32.
 *
 * @throws InvalidArgumentError for a delta of 0, and for more than 10⁸ numbers.
 */
export function range(start: number, limit?: number, delta = 1): Tensor<'int32' | 'float32', [number]> {
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
  return constant(values, { dtype, name: 'range' });
}
