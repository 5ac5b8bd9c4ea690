// TensorFlow's long names of arithmetic.
import type { Tensor } from '../graph/tensor.ts';
import type { DType, NumericDType } from '../tensor/dtype.ts';
import { text } from '../tensor/kinds.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Broadcast, BroadcastError } from '../tensor/shape-rules.ts';
import type { Given, ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import { type BinaryFunction, binaryFunction, div, MulOp, SubOp } from './arithmetic.ts';
import { type AnyTensor, type Named, type Operand, operand } from './define.ts';
import { cast } from './logic.ts';

/** a · b, elementwise with broadcasting: `mul` by its long name. Integers wrap. */
export const multiply: BinaryFunction<'multiply'> = binaryFunction(MulOp, 'multiply');
/** a − b, elementwise with broadcasting: `sub` by its long name. Integers wrap. */
export const subtract: BinaryFunction<'subtract'> = binaryFunction(SubOp, 'subtract');

/** The dtype of a quotient that is no integer. */
export type Quotient<T extends DType> = T extends 'int32' ? 'float64' : T extends 'uint8' ? 'float32' : T;
const floatOf = { int32: 'float64', uint8: 'float32' } as const;

const divideForm = signature('tf.divide', { a: operand, b: operand }, { name: text }, ['name']);
/**
 * a / b, elementwise with broadcasting, as Python divides: integers become floats first, int32 float64 and uint8 float32,
 * so 1 / 2 is 0.5. `div` keeps integers.
 *
 * ```ts
 * tf.divide(tf.constant([1, 2], 'int32'), 4);      // [0.25, 0.5] of float64
 * ```
 */
export function divide<T extends NumericDType = any, B extends Shape = any, N extends number = number>(
  a: N,
  b: Tensor<T, B>,
  name?: Named,
): Tensor<Quotient<T>, Given<N, B>>;
export function divide<
  T extends NumericDType = any,
  A extends Shape = any,
  B extends Shape = [],
  N extends number = number,
>(
  a: Tensor<T, A>,
  b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'divide'>>) | N,
  name?: Named,
): Tensor<Quotient<T>, Given<N, Broadcast<A, B>>>;
export function divide(...given: unknown[]): AnyTensor {
  const { a, b, name } = divideForm.take(given);
  const wide = (x: Operand): Operand =>
    typeof x === 'object' && x.dtype in floatOf ? cast(x, floatOf[x.dtype as 'int32']) : x;
  const quotient = div as (x: Operand, y: Operand, name?: Named) => AnyTensor;
  return quotient(wide(a), wide(b), name);
}
