// Two arrays of the same bytes are equal: millions of numbers are not compared one by one. What differs is compared, and
// shown, as always.
import { expect } from 'vitest';

const bytesOf = (a: unknown) =>
  ArrayBuffer.isView(a) && !(a instanceof DataView) ? Buffer.from(a.buffer, a.byteOffset, a.byteLength) : undefined;

expect.addEqualityTesters([
  (a: unknown, b: unknown) => {
    const [x, y] = [bytesOf(a), bytesOf(b)];
    return x && y && (a as object).constructor === (b as object).constructor && x.equals(y) ? true : undefined;
  },
]);
