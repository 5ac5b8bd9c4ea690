// Constants: values known when the graph is built.

import { DTypeError, InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import { allocate, type DType, dtypeOfArray, isDType, type TypedArray } from '../tensor/dtype.ts';
import type { NDArray } from '../tensor/ndarray.ts';
import { convert, flatten, isNDArray } from '../tensor/ndarray.ts';
import { elements, type Shape, showShape } from '../tensor/shape.ts';
import type { DTypeOfValue, ShapeOfValue } from '../tensor/shape-types.ts';
import { apply, defineOp, describe } from './define.ts';

/** `data` has one element, repeated to the shape, or as many as the shape. */
const Const = defineOp<{ dtype: DType; shape: readonly number[]; data: TypedArray }>({
  name: 'Const',
  infer: (_, { dtype, shape }) => ({ dtype, shape }),
  gradient: () => [],
  lower: (_, { attributes: { data, dtype, shape } }) => p.constant(data, dtype, shape),
});

/** Sizes given by the user, checked. */
export function checkSizes(op: string, shape: readonly unknown[]): readonly number[] {
  if (!Array.isArray(shape) || shape.some((d) => !Number.isInteger(d) || (d as number) < 0)) {
    throw new ShapeMismatchError(
      `${op}: every size must be a whole number of at least 0, but the shape is ${Array.isArray(shape) ? showShape(shape) : describe(shape)}.`,
    );
  }
  return [...(shape as number[])];
}

/** A constant of one repeated value. */
export function filled<T extends DType, S extends Shape>(
  op: string,
  shape: Shape,
  value: number,
  dtype: T,
): Tensor<T, S> {
  const sizes = checkSizes(op, shape);
  return apply(Const, [], { dtype, shape: sizes, data: convertOne(value, dtype) }, op);
}

function convertOne(value: number | boolean, dtype: DType): TypedArray {
  return convert([dtype === 'bool' ? value !== 0 && value !== false : value], dtype);
}

/**
 * A tensor with a value that never changes: a number, a boolean, nested arrays of them, a typed array, or a host array.
 * Numbers become float32, booleans bool; typed arrays keep their element type.
 *
 * @param options.dtype another element type.
 * @param options.shape the shape; a single value fills it, other values must have as many elements.
 * @throws ShapeMismatchError for ragged nesting, or when the elements do not fit the shape.
 * @throws DTypeError when a value does not fit the element type.
 *
 * ```ts
 * tf.constant([[1, 2], [3, 4]]);               // float32 [2, 2]
 * tf.constant(0.1, { shape: [32] });           // 32 times 0.1
 * tf.constant([1, 2, 3], { dtype: 'int32' });
 * ```
 */
export function constant<T extends DType, S extends Shape>(
  value: NDArray<T, S>,
  options?: { name?: string },
): Tensor<T, S>;
export function constant<
  const V,
  const S extends Shape = V extends TypedArray ? [number] : ShapeOfValue<V>,
  T extends DType = V extends Float64Array
    ? 'float64'
    : V extends Int32Array
      ? 'int32'
      : V extends Uint8Array
        ? 'uint8'
        : V extends Float32Array
          ? 'float32'
          : DTypeOfValue<V>,
>(value: V, options?: { dtype?: T; shape?: S; name?: string }): Tensor<NoInfer<T>, [...S]>;
export function constant(value: unknown, options: { dtype?: DType; shape?: Shape; name?: string } = {}): Tensor {
  if (options.dtype !== undefined && !isDType(options.dtype)) {
    throw new DTypeError(
      `constant: there is no dtype ${describe(options.dtype)}; use 'float32', 'float64', 'int32', 'uint8' or 'bool'.`,
    );
  }
  const shape = options.shape && checkSizes('constant', options.shape);
  const { data, dtype, own } = literal(value, options.dtype);
  if (shape && data.length !== 1 && elements(shape) !== data.length) {
    throw new ShapeMismatchError(
      `constant: ${data.length} elements do not fill shape ${showShape(shape)}, which has ${elements(shape)}; give as many, or a single value.`,
    );
  }
  return apply(Const, [], { dtype, shape: shape ?? own, data }, options.name);
}

/** A JavaScript value as data of an element type. */
function literal(value: unknown, wanted?: DType): { data: TypedArray; dtype: DType; own: readonly number[] } {
  if (isNDArray(value)) {
    const dtype = wanted ?? value.dtype;
    const data = dtype === value.dtype ? value.data.slice() : convert(value.data, dtype);
    return { data, dtype, own: value.shape };
  }
  const typed = dtypeOfArray(value);
  if (typed !== undefined) {
    const array = value as TypedArray;
    const dtype = wanted ?? typed;
    return { data: dtype === typed ? array.slice() : convert(array, dtype), dtype, own: [array.length] };
  }
  const flat = flatten(value);
  if (flat === undefined) {
    throw new InvalidArgumentError(
      `constant: expected a number, a boolean, a typed array, or nested arrays with rows of one length, but ${Array.isArray(value) ? 'a ragged or mixed array' : describe(value)} came.`,
    );
  }
  const dtype = wanted ?? (typeof flat.values[0] === 'boolean' ? 'bool' : 'float32');
  const values = flat.values.length === 0 ? allocate(dtype, 0) : convert(flat.values, dtype);
  return { data: values, dtype, own: flat.shape };
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
    return apply(Const, [], { dtype, shape: [], data: convert([value], dtype) });
  }
  if (isTensor(value)) return value;
  throw new InvalidArgumentError(`${op}: expected a tensor or a number, but ${describe(value)} came.`);
}

const isTensor = (value: unknown): value is Tensor =>
  typeof value === 'object' && value !== null && 'operation' in value && 'dtype' in value;
