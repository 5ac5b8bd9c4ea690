// Constants: values known when the graph is built.

import { DTypeError, InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import type { DType, TypedArray } from '../tensor/dtype.ts';
import { anything, dtype as dtypeKind, sizes, text } from '../tensor/kinds.ts';
import type { DTypeOfGiven, ShapeOfGiven } from '../tensor/ndarray.ts';
import { refusalOf } from '../tensor/problem.ts';
import { elements, mostAxes, type Shape, showShape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { takeSizes } from '../tensor/sizes.ts';
import { ownData, take } from '../tensor/values.ts';
import { apply, defineOp, describe, type Named } from './define.ts';

/** `data` has one element, repeated to the shape, or as many as the shape. */
const Const = defineOp<{ dtype: DType; shape: readonly number[]; data: TypedArray }>({
  name: 'Const',
  infer: (_, { dtype, shape }) => ({ dtype, shape }),
  value: (_, { dtype, shape, data }) =>
    dtype === 'int32' && elements(shape) <= mostAxes
      ? Array.from({ length: elements(shape) }, (_, i) => data[data.length === 1 ? 0 : i])
      : undefined,
  gradient: () => [],
  lower: (_, { attributes: { data, dtype, shape } }) => p.constant(data, dtype, shape),
});

/** A constant of data that are its own. */
export const constantOf = (dtype: DType, shape: readonly number[], data: TypedArray): Tensor =>
  apply(Const, [], { dtype, shape, data });

/** A constant of one repeated value. */
export function filled<T extends DType = any, S extends Shape = any>(
  op: string,
  shape: Shape,
  value: number,
  dtype: T,
  name: string = op,
): Tensor<T, S> {
  return apply(Const, [], { dtype, shape: takeSizes(op, shape), data: oneOf(op, value, dtype) }, name);
}

/** One element, of a number; for bool whether it is not 0. */
export function oneOf(op: string, value: number, dtype: DType): TypedArray {
  return scalar(op, dtype === 'bool' && typeof value === 'number' ? value !== 0 : value, dtype);
}

/** One element. */
function scalar(op: string, value: unknown, dtype: DType): TypedArray {
  const { data, shape } = take(value, refusalOf(op), dtype);
  if (shape.length === 0) return data;
  throw new InvalidArgumentError(`${op}: expected one number, but ${describe(value)} came.`);
}

const form = signature(
  'tf.constant',
  { value: anything('a number, a typed array or nested arrays') },
  { dtype: dtypeKind, shape: sizes, name: text },
  ['dtype', 'shape', 'name'],
);
/**
 * A tensor with a value that never changes: a number, a boolean, nested arrays of them, a typed array, or a host array.
 * Numbers become float32, booleans bool; typed arrays keep their element type. What is given is copied.
 *
 * @param options.dtype another element type.
 * @param options.shape the shape; a single value fills it, other values must have as many elements.
 * @throws ShapeMismatchError for ragged nesting, or when the elements do not fit the shape.
 * @throws DTypeError when a value does not fit the element type.
 * @throws InvalidArgumentError for what is no number, or no array of numbers.
 *
 * ```ts
 * tf.constant([[1, 2], [3, 4]]);               // float32 [2, 2]
 * tf.constant(0.1, { shape: [32] });           // 32 times 0.1
 * tf.constant([1, 2, 3], { dtype: 'int32' }); // or tf.constant([1, 2, 3], 'int32'), as in TensorFlow
 * ```
 */
export function constant<const V, const S extends Shape = ShapeOfGiven<V>, T extends DType = DTypeOfGiven<V>>(
  value: V,
  dtype: T,
  shape?: S,
  name?: Named,
): Tensor<NoInfer<T>, [...S]>;
export function constant<const V, const S extends Shape = ShapeOfGiven<V>, T extends DType = DTypeOfGiven<V>>(
  value: V,
  options?: { readonly dtype?: T; readonly shape?: S; readonly name?: string },
): Tensor<NoInfer<T>, [...S]>;
export function constant(...given: unknown[]): Tensor {
  const { value, dtype: wanted, shape: asked, name } = form.take(given);
  const shape = asked === undefined ? undefined : takeSizes('constant', asked);
  const refuse = refusalOf('constant');
  const taken = take(value, refuse, wanted);
  const dtype = wanted ?? taken.dtype;
  const data = ownData(taken, dtype, refuse);
  if (shape && data.length !== 1 && elements(shape) !== data.length) {
    throw new ShapeMismatchError(
      `constant: ${data.length} elements do not fill shape ${showShape(shape)}, which has ${elements(shape)}; give as many, or a single value.`,
    );
  }
  return apply(Const, [], { dtype, shape: shape ?? taken.shape, data }, name);
}

/**
 * The value beside a tensor in an operation: tensors stay, numbers and booleans become constants of the tensor's
 * element type.
 *
 * @throws DTypeError for a fraction beside an integer tensor, a number beside a bool one.
 */
export function toTensor(op: string, value: unknown, dtype: DType): Tensor {
  if (typeof value === 'number' || typeof value === 'boolean') {
    if (dtype === 'bool' ? typeof value !== 'boolean' : typeof value !== 'number') {
      throw new DTypeError(
        `${op}: ${describe(value)} cannot stand beside a tensor of dtype ${dtype}; use tf.cast or tf.constant.`,
      );
    }
    if ((dtype === 'int32' || dtype === 'uint8') && !Number.isInteger(value)) {
      throw new DTypeError(
        `${op}: the fraction ${value} cannot stand beside a tensor of dtype ${dtype}; cast the tensor to a float with tf.cast(x, 'float32') first.`,
      );
    }
    return apply(Const, [], { dtype, shape: [], data: scalar(op, value, dtype) });
  }
  if (isTensor(value)) return value;
  throw new InvalidArgumentError(`${op}: expected a tensor or a number, but ${describe(value)} came.`);
}

const isTensor = (value: unknown): value is Tensor =>
  typeof value === 'object' && value !== null && 'operation' in value && 'dtype' in value;
