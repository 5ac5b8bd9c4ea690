// Host arrays: what is fed and what a fetch returns.

import { FailedPreconditionError, ResourceExhaustedError } from '../base/errors.ts';
import type { DType, DTypeOfArray, Elem, GivenArrays, TypedArray, TypedArrays } from './dtype.ts';
import { elements, mostElements, type Shape, showShape } from './shape.ts';
import type { DTypeOfValue, Nested, Shaped, ShapeOfValue } from './shape-types.ts';
import { lengthOf } from './typed-array.ts';

/**
 * A dense array in the memory of JavaScript, row-major. What a fetch returns is the caller's own copy. Its elements may
 * be changed, the array and its shape are frozen.
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

/** @internal */
export class HostArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
  /** How many elements the shape has; and what no other object has. */
  readonly #count: number;

  /** The shape becomes its own. */
  constructor(dtype: DType, shape: readonly number[], data: TypedArray) {
    this.dtype = dtype;
    this.shape = Object.freeze(shape);
    this.data = data;
    this.#count = elements(shape);
    Object.freeze(this);
  }

  /** Not for proxies of one, nor for what only has its prototype. */
  static is(value: unknown): value is HostArray {
    return typeof value === 'object' && value !== null && #count in value;
  }

  /** Are there as many elements as the shape says? The buffer may have been resized or detached. */
  get isWhole(): boolean {
    return lengthOf(this.data) === this.#count;
  }

  toArray(): unknown {
    const { data, dtype, shape } = this;
    if (!this.isWhole) {
      throw new FailedPreconditionError(
        `The buffer of this array of shape ${showShape(shape)} was resized or transferred: ${lengthOf(data)} elements are left.`,
      );
    }
    if (Math.max(this.#count, elements(shape.slice(0, -1))) > mostElements) {
      throw new ResourceExhaustedError(
        `toArray: shape ${showShape(shape)} has more than ${mostElements} elements or rows; read them from \`data\`.`,
      );
    }
    let at = 0;
    const build = (axis: number): unknown => {
      if (axis === shape.length) return dtype === 'bool' ? data[at++] !== 0 : data[at++];
      return Array.from({ length: shape[axis] }, () => build(axis + 1));
    };
    return build(0);
  }

  toString(): string {
    const text = this.isWhole ? summary(this) : '(its buffer was resized or transferred)';
    return `NDArray(${this.dtype}, ${showShape(this.shape)}) ${text}`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** The first and last elements, nested, with `…` where there are many: what the console shows. */
function summary(array: HostArray): string {
  const edge = 3;
  const { data, dtype, shape } = array;
  if (elements(shape) === 0) return '[]';
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
  return build(0, 0, elements(shape));
}

/** An array over existing data, not copied and not checked. The shape is frozen: it must be its own. */
export function hostArray<T extends DType, S extends Shape>(
  dtype: T,
  shape: readonly number[],
  data: TypedArrays[T],
): NDArray<T, S> {
  return new HostArray(dtype, shape, data) as unknown as NDArray<T, S>;
}

/** The shape of what is given for a tensor that is yet to be: a host array, a typed array, nested arrays, or a value. */
export type ShapeOfGiven<V> = 0 extends 1 & V
  ? any
  : V extends GivenArrays[DType]
    ? [number]
    : V extends NDArray<any, infer S>
      ? S
      : ShapeOfValue<V>;
/** The element type of the same. */
export type DTypeOfGiven<V> = 0 extends 1 & V
  ? any
  : V extends GivenArrays[DType]
    ? DTypeOfArray<V>
    : V extends NDArray<infer T, any>
      ? T
      : DTypeOfValue<V>;

/** What may be given for a tensor of this type: a host array, a typed array, nested arrays, or a plain value. */
export type FeedValue<T extends DType, S extends Shape> = NDArray<T, S> | GivenArrays[T] | Nested<T, S>;
/** What a fetch of it returns: a plain value for a scalar, else a host array. */
export type FetchedValue<T extends DType, S extends Shape> = S extends readonly [] ? Elem<T> : NDArray<T, S>;
