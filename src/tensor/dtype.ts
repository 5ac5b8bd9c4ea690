// The element types of tensors, and what each means for storage and for JavaScript values.
import { ResourceExhaustedError } from '../base/errors.ts';

/** The element type of a tensor. */
export type DType = 'float32' | 'float64' | 'int32' | 'uint8' | 'bool';
/** Element types that arithmetic works on. */
export type NumericDType = 'float32' | 'float64' | 'int32' | 'uint8';
/** Element types that gradients flow through. */
export type FloatDType = 'float32' | 'float64';

/** 32-bit IEEE 754 numbers: the default for JavaScript numbers. */
export const float32 = 'float32';
/** 64-bit IEEE 754 numbers. */
export const float64 = 'float64';
/** 32-bit two's complement integers; arithmetic wraps. */
export const int32 = 'int32';
/** 8-bit unsigned integers; arithmetic wraps. */
export const uint8 = 'uint8';
/** Booleans, stored as one byte: 0 or 1. */
export const bool = 'bool';

/** Element types whose every value is one of that type too. */
export type Narrower<T extends DType> = T extends 'float64'
  ? 'float64' | 'float32' | 'int32' | 'uint8'
  : T extends 'float32' | 'int32'
    ? T | 'uint8'
    : T;

/** The typed array that holds each element type. */
export interface TypedArrays {
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}
export type TypedArray = TypedArrays[DType];

/** The typed arrays that may be given for each element type. */
export interface GivenArrays extends Pick<TypedArrays, 'float32' | 'float64' | 'int32'> {
  uint8: Uint8Array | Uint8ClampedArray;
  bool: Uint8Array | Uint8ClampedArray;
}
/** The element type that a typed array has by itself. */
export type DTypeOfArray<V> = V extends Float32Array
  ? 'float32'
  : V extends Float64Array
    ? 'float64'
    : V extends Int32Array
      ? 'int32'
      : V extends Uint8Array | Uint8ClampedArray
        ? 'uint8'
        : never;

/** The JavaScript value of one element. */
export type Elem<T extends DType> = T extends 'bool' ? boolean : number;

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

export const dtypes: readonly DType[] = ['float32', 'float64', 'int32', 'uint8', 'bool'];
export const isDType = (value: unknown): value is DType => dtypes.includes(value as DType);
export const isFloat = (dtype: DType): dtype is FloatDType => dtype === 'float32' || dtype === 'float64';
const widerThan: Readonly<Record<DType, readonly DType[]>> = {
  float32: ['float64'],
  float64: [],
  int32: ['float64'],
  uint8: ['int32', 'float32', 'float64'],
  bool: [],
};
/** Is every value of the one type a value of the other? */
export const widens = (from: DType, to: DType): boolean => from === to || widerThan[from].includes(to);
/** Bytes of one element. */
export const sizeOf = (dtype: DType): number => arrays[dtype].BYTES_PER_ELEMENT;

/** A new zeroed array for `length` elements. @throws ResourceExhaustedError */
export function allocate<T extends DType>(dtype: T, length: number): TypedArrays[T] {
  return made(dtype, length, () => new arrays[dtype](length)) as TypedArrays[T];
}

/** The elements of an array as a new one. @throws ResourceExhaustedError */
export function copyOf<T extends DType>(dtype: T, source: TypedArray): TypedArrays[T] {
  // A constructor asks nothing of a typed array, as `slice` would.
  return made(dtype, undefined, () => new arrays[dtype](source)) as TypedArrays[T];
}

function made(dtype: DType, length: number | undefined, make: () => TypedArray): TypedArray {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const size = length === undefined ? 'a copy' : `${length.toLocaleString('en')} elements`;
    throw new ResourceExhaustedError(`There is no memory for ${size} of dtype ${dtype}: ${error.message}.`);
  }
}

/** A view of `length` elements of a buffer. */
export function viewOf(dtype: DType, buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray {
  return new arrays[dtype](buffer as ArrayBuffer, byteOffset, length);
}

/** Is this the class that holds the element type itself, not one derived from it or of another realm? */
export const isOwnClass = (dtype: DType, data: TypedArray): boolean =>
  Object.getPrototypeOf(data) === arrays[dtype].prototype;
