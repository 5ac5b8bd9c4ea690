// Typed arrays as the engine has them. A given one may be of a subclass or from another realm, and have a length, a
// slice or a constructor of its own: nothing of the object is asked or called here, only the engine's own getters.

import { FeedError } from '../base/errors.ts';
import { type DType, isOwnClass, type TypedArray, viewOf } from './dtype.ts';

/** A getter as a function of the object, which nobody can replace later. */
function getter<R>(prototype: object, name: PropertyKey): (of: unknown) => R {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get as () => R;
  return Function.prototype.call.bind(get);
}

const typed = Object.getPrototypeOf(Uint8Array.prototype) as { set: (source: ArrayLike<number>) => void };
const bufferOf = getter<ArrayBufferLike>(typed, 'buffer');
const byteOffsetOf = getter<number>(typed, 'byteOffset');
const isResizable = getter<boolean>(ArrayBuffer.prototype, 'resizable');
const set = Function.prototype.call.bind(typed.set) as (target: TypedArray, source: TypedArray) => void;

/** `Float32Array` for such an array, whatever its class and realm; undefined for what is no typed array. */
export const kindOf = getter<string | undefined>(typed, Symbol.toStringTag);
/** The number of elements that are there now: 0 where a buffer was detached. */
export const lengthOf = getter<number>(typed, 'length') as (data: TypedArray) => number;

const dtypeOfKind: Readonly<Record<string, DType>> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Int32Array: 'int32',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
};

/** The element type that a typed array has by itself (`Uint8Array` is uint8), or undefined for other values. */
export function dtypeOfArray(value: unknown): DType | undefined {
  const kind = kindOf(value);
  return kind === undefined ? undefined : dtypeOfKind[kind];
}

/** Has the memory gone: was it transferred, did a WebAssembly memory grow, or a buffer shrink to before the array? */
export function isGone(data: TypedArray): boolean {
  if (lengthOf(data) > 0) return false;
  try {
    new Uint8Array(data);
    return false;
  } catch {
    return true;
  }
}

/** Is its memory of fixed length, and written to by this thread only? */
export function staysPut(data: TypedArray): boolean {
  const buffer = bufferOf(data);
  if (!(buffer instanceof ArrayBuffer)) return false;
  try {
    return !isResizable(buffer);
  } catch {
    // Shared memory with another prototype.
    return false;
  }
}

/** The same elements as an array of the class that holds the element type. */
export const plainView = (dtype: DType, data: TypedArray): TypedArray =>
  isOwnClass(dtype, data) ? data : viewOf(dtype, bufferOf(data), byteOffsetOf(data), lengthOf(data));

/** @throws FeedError if a feed has another length than when it was checked: memory may shrink at any time. */
export function checkLength(feed: TypedArray, wanted: number): void {
  const there = lengthOf(feed);
  if (there === wanted) return;
  throw new FeedError(
    `An array was fed with ${wanted} elements and has ${there} now: its buffer was resized or detached while run was called.`,
  );
}

/** Copies all elements of a feed. */
export function copyInto(target: TypedArray, feed: TypedArray): void {
  checkLength(feed, lengthOf(target));
  set(target, feed);
}

/** Booleans as they are stored, 0 and 1. */
export function booleans(data: TypedArray): Uint8Array {
  const out = new Uint8Array(lengthOf(data));
  for (let i = 0; i < out.length; i++) out[i] = data[i] === 0 ? 0 : 1;
  return out;
}
