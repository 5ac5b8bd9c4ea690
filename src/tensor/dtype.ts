// The element types of tensors, and what each means for storage and for JavaScript values.

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

/** The typed array that holds each element type. */
export interface TypedArrays {
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}
export type TypedArray = TypedArrays[DType];

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
/** Bytes of one element. */
export const sizeOf = (dtype: DType): number => arrays[dtype].BYTES_PER_ELEMENT;

/** A new zeroed array for `length` elements. */
export function allocate<T extends DType>(dtype: T, length: number): TypedArrays[T] {
  return new arrays[dtype](length) as TypedArrays[T];
}

/** A view of `length` elements of a buffer. */
export function viewOf(dtype: DType, buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray {
  return new arrays[dtype](buffer as ArrayBuffer, byteOffset, length);
}

/** The element type that a typed array has by itself (`Uint8Array` is uint8), or undefined for other values. */
export function dtypeOfArray(value: unknown): DType | undefined {
  if (value instanceof Float32Array) return 'float32';
  if (value instanceof Float64Array) return 'float64';
  if (value instanceof Int32Array) return 'int32';
  if (value instanceof Uint8Array) return 'uint8';
  return undefined;
}
