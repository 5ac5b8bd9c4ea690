// Rates: what a step is scaled by, numbers or scalars that the graph computes; and what other numbers optimizers take.
import { DTypeError, ShapeMismatchError } from '../base/errors.ts';
import { Tensor } from '../graph/tensor.ts';
import { add, div, mul, sub } from '../ops/arithmetic.ts';
import { cast } from '../ops/logic.ts';
import type { DType, FloatDType } from '../tensor/dtype.ts';
import { kind } from '../tensor/kinds.ts';
import { showShape } from '../tensor/shape.ts';
import type { Kind } from '../tensor/signature.ts';

/**
 * A learning rate, momentum, decay or other factor of an optimizer: a number of at least 0, or a scalar tensor, whose
 * value each run computes, is fed or stands in a variable.
 */
export type Rate = number | Tensor<FloatDType, []>;
/** A rate in the dtype of the variable that it is for. */
export type Scalar = number | Tensor<'float32', []>;

/** Into which dtypes every value of a dtype fits. */
const widenings: Readonly<Record<DType, readonly FloatDType[]>> = {
  float32: ['float32', 'float64'],
  float64: ['float64'],
  int32: ['float64'],
  uint8: ['float32', 'float64'],
  bool: [],
};

/** Tensors that come as one are brought to the dtype of the variable. */
export const rate: Kind<Rate> & { readonly isRate: true } = {
  isRate: true,
  ...kind('a finite number of at least 0, or a scalar tensor', (v) =>
    v instanceof Tensor ? isScalar(v) : Number.isFinite(v) && (v as number) >= 0,
  ),
  refuse: (op, value) => {
    if (value instanceof Tensor) refuseTensor(op, value);
  },
};
/** A rate that something is divided by. */
export const rateAbove0: typeof rate = {
  ...rate,
  is: 'a finite number above 0, or a scalar tensor',
  fits: (v) => v !== 0 && rate.fits(v),
};
const atLeast0 = (v: unknown) => Number.isFinite(v) && (v as number) >= 0;
/** What accumulators begin with, where 0 would divide by 0. */
export const above0 = kind<number>('a finite number above 0', (v) => atLeast0(v) && v !== 0);
export const from0 = kind<number>('a finite number of at least 0', atLeast0);
export const upTo0 = kind<number>('a finite number of at most 0', (v) => Number.isFinite(v) && (v as number) <= 0);

const isScalar = (t: Tensor) => t.shape?.length === 0 && widenings[t.dtype].length > 0;

function refuseTensor(op: string, t: Tensor): never {
  const what = `${op}: a rate is a number or a scalar tensor of floats, but ${t.name} has`;
  if (widenings[t.dtype].length === 0) throw new DTypeError(`${what} dtype ${t.dtype}; use tf.cast(x, 'float32').`);
  throw new ShapeMismatchError(
    `${what} shape ${showShape(t.shape)}; one element becomes a scalar by tf.reshape(x, []).`,
  );
}

/** @throws DTypeError when not every value of the tensor's dtype is one of the variable's. */
export function inDType(op: string, name: string, value: Tensor, dtype: FloatDType): Tensor<'float32', []> {
  if (!widenings[value.dtype].includes(dtype)) {
    throw new DTypeError(
      `${op}: ${name} is ${value.name} of dtype ${value.dtype}, for variables of dtype ${dtype}; use tf.cast(x, '${dtype}').`,
    );
  }
  return (value.dtype === dtype ? value : cast(value, dtype)) as Tensor<'float32', []>;
}

type Onto = (a: Scalar, b: Scalar) => Scalar;
/** Two numbers give a number, and no operation. */
const onScalars =
  (onNumbers: (a: number, b: number) => number, onTensors: (a: any, b: any) => Tensor<'float32', []>): Onto =>
  (a, b) =>
    typeof a === 'number' && typeof b === 'number' ? onNumbers(a, b) : onTensors(a, b);
export const sum: Onto = onScalars((a, b) => a + b, add);
export const difference: Onto = onScalars((a, b) => a - b, sub);
export const product: Onto = onScalars((a, b) => a * b, mul);
export const quotient: Onto = onScalars((a, b) => a / b, div);
