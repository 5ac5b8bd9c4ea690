// Rates: what a step is scaled by, numbers or scalars that the graph computes; and what other numbers optimizers take.
import { DTypeError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import { add, div, mul, sub } from '../ops/arithmetic.ts';
import { cast } from '../ops/logic.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { kind } from '../tensor/kinds.ts';
import type { Kind } from '../tensor/signature.ts';
import { scalarOf } from './scalar.ts';

/**
 * A learning rate, momentum, decay or other factor of an optimizer: a number of at least 0, or a scalar tensor, whose
 * value each run computes, is fed or stands in a variable.
 */
export type Rate = number | Tensor<FloatDType, []>;
/** A rate in the dtype of the variable that it is for. */
export type Scalar = number | Tensor<'float32', []>;

type RateKind = Kind<Rate> & { readonly isRate: true };
const rateOf = (what: string, fits: (v: number) => boolean): RateKind => ({
  ...(scalarOf(`a finite number ${what}`, fits) as Kind<Rate>),
  isRate: true,
});
/** Tensors that come as one are brought to the dtype of the variable. */
export const rate: RateKind = rateOf('of at least 0', (v) => v >= 0);
/** One that something is divided by. */
export const rateAbove0: RateKind = rateOf('above 0', (v) => v > 0);

const finite = (what: string, fits: (v: number) => boolean) =>
  kind<number>(`a finite number ${what}`, (v) => Number.isFinite(v) && fits(v as number));
/** What accumulators begin with, where 0 would divide by 0. */
export const above0 = finite('above 0', (v) => v > 0);
export const from0 = finite('of at least 0', (v) => v >= 0);
export const upTo0 = finite('of at most 0', (v) => v <= 0);

/** @throws DTypeError when not every value of the tensor's dtype is one of the variable's. */
export function inDType(op: string, name: string, value: Tensor, dtype: FloatDType): Tensor<'float32', []> {
  if (value.dtype !== dtype && value.dtype !== 'uint8' && dtype !== 'float64') {
    throw new DTypeError(`${op}: ${name} has dtype ${value.dtype}, a variable ${dtype}; use tf.cast(x, '${dtype}').`);
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
