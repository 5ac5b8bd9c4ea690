// Host arrays: what is fed and what a fetch returns.

import { DTypeError, ShapeMismatchError } from '../base/errors.ts';
import { allocate, type DType, dtypeOfArray, type Elem, type TypedArray, type TypedArrays } from './dtype.ts';
import { elements, type Shape, showShape } from './shape.ts';
import type { DTypeOfValue, Nested, Shaped, ShapeOfValue } from './shape-types.ts';

/**
 * A dense array in the memory of JavaScript, row-major. What a fetch returns is the caller's own copy.
 *
 * ```ts
 * const a = tf.array([[1, 2], [3, 4]]);
 * a.shape;        // [2, 2]
 * a.data[3];      // 4
 * a.toArray();    // [[1, 2], [3, 4]]
 * ```
 */
export interface NDArray<T extends DType = DType, S extends Shape = Shape> extends Shaped<S> {
  readonly dtype: T;
  readonly shape: readonly number[];
  readonly data: TypedArrays[T];
  /** The elements as nested JavaScript arrays (a plain value for a scalar). */
  toArray(): Nested<T, S>;
}

class HostArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;

  constructor(dtype: DType, shape: readonly number[], data: TypedArray) {
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
  }

  toArray(): unknown {
    const { data, dtype, shape } = this;
    let at = 0;
    const build = (axis: number): unknown => {
      if (axis === shape.length) return dtype === 'bool' ? data[at++] !== 0 : data[at++];
      return Array.from({ length: shape[axis] }, () => build(axis + 1));
    };
    return build(0);
  }

  toString(): string {
    return `NDArray(${this.dtype}, ${showShape(this.shape)}) ${summary(this)}`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** The first and last elements, nested, with `…` where there are many: what the console shows. */
function summary(array: HostArray): string {
  const edge = 3;
  const { data, dtype, shape } = array;
  const show = (v: number) =>
    dtype === 'bool' ? String(v !== 0) : String(Number.isInteger(v) ? v : +v.toPrecision(6));
  const build = (axis: number, offset: number, stride: number): string => {
    if (axis === shape.length) return show(data[offset]);
    const step = stride / shape[axis];
    const parts: string[] = [];
    for (let i = 0; i < shape[axis]; i++) {
      if (shape[axis] > 2 * edge + 1 && i === edge) {
        parts.push('…');
        i = shape[axis] - edge - 1;
      } else parts.push(build(axis + 1, offset + i * step, step));
    }
    return `[${parts.join(', ')}]`;
  };
  return build(0, 0, data.length);
}

/** An array over existing data, not copied and not checked. */
export function hostArray<T extends DType, S extends Shape>(
  dtype: T,
  shape: readonly number[],
  data: TypedArrays[T],
): NDArray<T, S> {
  return new HostArray(dtype, shape, data) as unknown as NDArray<T, S>;
}

export const isNDArray = (value: unknown): value is NDArray => value instanceof HostArray;

/** Nested numbers or booleans flattened; undefined where the nesting is ragged or holds something else. */
export function flatten(value: unknown): { shape: number[]; values: (number | boolean)[] } | undefined {
  const shape: number[] = [];
  for (let v = value; Array.isArray(v); v = v[0]) shape.push(v.length);
  const values: (number | boolean)[] = [];
  const walk = (v: unknown, axis: number): boolean => {
    if (axis < shape.length) return Array.isArray(v) && v.length === shape[axis] && v.every((e) => walk(e, axis + 1));
    if (typeof v !== 'number' && typeof v !== 'boolean') return false;
    values.push(v);
    return true;
  };
  return walk(value, 0) ? { shape, values } : undefined;
}

/** Are all of these representable in that element type? Says the first that is not. */
function misfit(values: ArrayLike<number | boolean>, dtype: DType): number | boolean | undefined {
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (dtype === 'bool' ? typeof v !== 'boolean' : typeof v !== 'number') return v;
    if (dtype === 'int32' && ((v as number) | 0) !== v) return v;
    if (dtype === 'uint8' && ((v as number) & 255) !== v) return v;
  }
  return undefined;
}

/**
 * A host array from nested JavaScript arrays, a flat list with a shape, or a typed array with a shape.
 *
 * Numbers become float32, booleans bool; typed arrays keep their element type (and are used as they are, without a
 * copy), unless `dtype` says otherwise.
 *
 * @throws ShapeMismatchError when the nesting is ragged or the number of elements does not fit the shape.
 * @throws DTypeError when a value does not fit the element type (a fraction in an int32).
 *
 * ```ts
 * tf.array([[1, 2], [3, 4]]);                        // float32 [2, 2]
 * tf.array(new Float32Array(50 * 784), [50, 784]);
 * tf.array([3, 1, 2], [3], 'int32');
 * ```
 */
export function array<
  const V,
  const S extends readonly number[] = V extends TypedArray ? [number] : Extract<ShapeOfValue<V>, readonly number[]>,
  T extends DType = V extends Float32Array
    ? 'float32'
    : V extends Float64Array
      ? 'float64'
      : V extends Int32Array
        ? 'int32'
        : V extends Uint8Array
          ? 'uint8'
          : DTypeOfValue<V>,
>(data: V, shape?: S, dtype?: T): NDArray<NoInfer<T>, [...S]> {
  const own = dtypeOfArray(data);
  if (own !== undefined && ArrayBuffer.isView(data)) {
    const typed = data as unknown as TypedArray;
    const target = dtype ?? own;
    const sizes = shape ?? [typed.length];
    checkCount(typed.length, sizes);
    const values =
      target === own ? typed : target === 'bool' && own === 'uint8' ? booleans(typed) : convert(typed, target);
    return hostArray<DType, [...S]>(target, [...sizes], values) as NDArray<T, [...S]>;
  }
  const flat = flatten(data);
  if (flat === undefined) {
    throw new ShapeMismatchError(
      'array: expected a number, a boolean, a typed array, or nested arrays of them in which all rows have the same length.',
    );
  }
  const target = dtype ?? (typeof flat.values[0] === 'boolean' ? 'bool' : 'float32');
  const sizes = shape ?? flat.shape;
  checkCount(flat.values.length, sizes);
  return hostArray<DType, [...S]>(target, [...sizes], convert(flat.values, target)) as NDArray<T, [...S]>;
}

function checkCount(count: number, shape: readonly number[]): void {
  if (shape.some((d) => !Number.isInteger(d) || d < 0)) {
    throw new ShapeMismatchError(
      `array: shape ${showShape(shape)} has a size that is not a whole number of at least 0.`,
    );
  }
  if (elements(shape) !== count) {
    throw new ShapeMismatchError(
      `array: ${count} elements do not fill shape ${showShape(shape)}, which has ${elements(shape)}.`,
    );
  }
}

/** Booleans as they are stored, 0 and 1: the array itself if it holds nothing else. */
export const booleans = (data: TypedArray): TypedArray =>
  data.every((v) => v <= 1) ? data : Uint8Array.from(data, (v) => Number(v !== 0));

/** Values as a typed array of an element type. */
export function convert(values: ArrayLike<number | boolean>, dtype: DType): TypedArray {
  const bad = misfit(values, dtype);
  if (bad !== undefined) {
    const hint = typeof bad === 'number' ? 'use a float dtype, or round it first' : 'booleans need dtype bool';
    throw new DTypeError(`array: ${bad} does not fit dtype ${dtype}; ${hint}.`);
  }
  const out = allocate(dtype, values.length);
  for (let i = 0; i < values.length; i++) out[i] = Number(values[i]);
  return out;
}

/** What may be given for a tensor of this type: a host array, a typed array, nested arrays, or a plain value. */
export type FeedValue<T extends DType, S extends Shape> = NDArray<T, S> | TypedArrays[T] | Nested<T, S>;
/** What a fetch of it returns: a plain value for a scalar, else a host array. */
export type FetchedValue<T extends DType, S extends Shape> = S extends readonly [] ? Elem<T> : NDArray<T, S>;
