// Constants in C are the numbers that they stand for, to the last bit.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cConstant, cType } from '../../../../src/backends/native/emit/c-types.ts';
import { valueType } from '../../../../src/loops/ir.ts';

/** The number that a C compiler reads. */
const readBack = (text: string): number => Number(text.replace(/^\((.*?)f?\)$/, '$1'));

test('float64: a decimal that only this number is nearest to, never an integer of C', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
      const text = cConstant(valueType('float64', 1), x, 16);
      expect(readBack(text)).toBe(x);
      expect(text).toMatch(/[.e]/);
    }),
    { numRuns: 1000, examples: [[-0], [5e-324], [2 ** 53], [1e21], [1.7976931348623157e308]] },
  );
});

test('float32: the same, and it says that it is one', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => {
      const text = cConstant(valueType('float32', 1), x, 16);
      expect(Math.fround(readBack(text))).toBe(x);
      expect(text).toMatch(/[.e].*f\)$/);
    }),
    { numRuns: 1000, examples: [[-0], [2 ** -149], [16777216], [Math.fround(0.1)]] },
  );
});

test('what has no decimal', () => {
  expect(cConstant(valueType('float32', 1), Number.POSITIVE_INFINITY, 16)).toBe('(__builtin_inff())');
  expect(cConstant(valueType('float64', 1), Number.NEGATIVE_INFINITY, 16)).toBe('(-__builtin_inf())');
  expect(cConstant(valueType('float64', 1), Number.NaN, 16)).toBe('__builtin_nan("")');
  // −2147483648 is no constant of an int in C: it is the negation of one that is too large.
  expect(cConstant(valueType('int32', 1), -(2 ** 31), 16)).toBe('(-2147483647 - 1)');
  expect(cConstant(valueType('int32', 1), 2 ** 31 - 1, 16)).toBe('(2147483647)');
});

test('true is 1, and in a mask all bits; masks are as wide as what they were compared from', () => {
  expect(cConstant(valueType('bool', 1), 1, 32)).toBe('(1)');
  expect(cConstant(valueType('bool', 8), 1, 32)).toBe('splat_vi((-1))');
  expect(cConstant(valueType('bool', 4), 1, 32)).toBe('splat_vl((-1))');
  expect([8, 4].map((lanes) => cType(valueType('bool', lanes), 32))).toEqual(['vi', 'vl']);
});
