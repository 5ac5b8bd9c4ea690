// Copies of large arrays, in slices. Both are millrace's own: nobody changes them meanwhile.
import type { Sliced } from '../base/turns.ts';
import { allocate, copyOf, type DType, type TypedArray } from './dtype.ts';
import { checkLength } from './typed-array.ts';

/** Bytes that are copied before others get a turn: some 100 µs, a few times that where the memory is new. */
const copiedAtOnce = 2 ** 19;
/** What a byte takes where the memory is new, in milliseconds. */
const msOfByte = 1e-6;

/** How long it takes to copy so many bytes at once. */
export const copyMs = (bytes: number): number => bytes * msOfByte;

/** Copies all elements. @throws FeedError if there are not as many as there is space for. */
export function* copyingInto(to: TypedArray, from: TypedArray): Sliced<void> {
  checkLength(from, to.length);
  const count = copiedAtOnce / from.BYTES_PER_ELEMENT;
  for (let begin = 0; begin < from.length; begin += count) {
    to.set(from.subarray(begin, begin + count), begin);
    yield;
  }
}

/** The elements as a new array. @throws ResourceExhaustedError */
export function* copying(dtype: DType, from: TypedArray): Sliced<TypedArray> {
  if (from.byteLength <= copiedAtOnce) return copyOf(dtype, from);
  const to = allocate(dtype, from.length);
  yield* copyingInto(to, from);
  return to;
}
