// What is read soon, and foreseen by no processor, is fetched ahead.
import type { Affine, Buffer, Statement } from '../../../loops/ir.ts';
import type { Machine } from '../../../loops/machine.ts';
import { sizeOf } from '../../../tensor/dtype.ts';

/** Fetches a run of elements, if the array is in no cache, and the machine can. `at` is the index of an element. */
export function prefetching(
  buffer: Buffer,
  count: number,
  at: (element: number) => Affine,
  machine: Machine,
): Statement[] {
  const size = sizeOf(buffer.dtype);
  if (!machine.prefetches || buffer.length * size <= machine.cache[1]) return [];
  const line = machine.lineBytes / size;
  return Array.from({ length: Math.ceil(count / line) }, (_, i) => ({ kind: 'prefetch', buffer, index: at(i * line) }));
}
