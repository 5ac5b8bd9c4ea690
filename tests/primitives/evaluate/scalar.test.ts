// The oracle's scalars do what src/primitives/scalar.ts says, in the corners too.
import { describe, expect, test } from 'vitest';
import { philox, scalarFunction } from '../../../src/primitives/evaluate/scalar.ts';
import type { Scalar } from '../../../src/primitives/scalar.ts';
import * as s from '../../../src/primitives/scalar.ts';
import type { DType } from '../../../src/tensor/dtype.ts';

const none = () => Number.NaN;
const value = (e: Scalar) => scalarFunction(e)({ input: none, index: none });
const of = (dtype: DType) => (x: number) => s.constant(x, dtype);
const [int, byte, bool, double] = [of('int32'), of('uint8'), of('bool'), of('float64')];
const [least, most] = [-(2 ** 31), 2 ** 31 - 1];

test.each([
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [new Array(4).fill(0xffffffff), [0xffffffff, 0xffffffff], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
])('philox: the known answer of Random123 for counter %j, key %j', (counter, key, answer) => {
  expect(philox(counter, key as [number, number]).map((n) => n >>> 0)).toEqual(answer);
});

test('the scalar philox is the first word for the counter (element, draw, run, 0)', () => {
  const words = philox([7, 2, 5, 0], [11, 13]);
  expect(value(s.philox(int(7), 2, int(5), [11, 13]))).toBe(words[0]);
  expect(value(s.philox(int(7), 2, int(6), [11, 13]))).not.toBe(words[0]);
});

test.each<[string, Scalar, number]>([
  ['int32 sums wrap', s.add(int(most), 1), least],
  ['int32 differences wrap', s.sub(int(least), 1), most],
  ['int32 products are exact in their low 32 bits', s.mul(int(123456789), 987654321), -67153019],
  ['the least int32 is its own negative', s.neg(int(least)), least],
  ['and its own absolute value', s.abs(int(least)), least],
  ['uint8 sums wrap', s.add(byte(200), 100), 44],
  ['uint8 differences wrap', s.sub(byte(1), 2), 255],
  ['uint8 products wrap', s.mul(byte(20), 20), 144],
  ['div truncates toward zero', s.div(int(-7), 2), -3],
  ['div by zero gives 0', s.div(int(-7), 0), 0],
  ['div wraps where the quotient does not fit', s.div(int(least), -1), least],
  ['floorDiv rounds down', s.floorDiv(int(-7), 2), -4],
  ['floorDiv by zero gives 0', s.floorDiv(int(7), 0), 0],
  ['mod has the sign of the divisor', s.mod(int(-7), 3), 2],
  ['also when that is negative', s.mod(int(7), -3), -2],
  ['mod by zero gives 0', s.mod(int(7), 0), 0],
  ['powers of int32 wrap', s.pow(int(3), 21), Number(BigInt.asIntN(32, 3n ** 21n))],
  ['a negative exponent truncates', s.pow(int(2), -1), 0],
  ['unless the base is one of the units', s.pow(int(-1), -3), -1],
  ['and is bitwise on int32', s.and(int(0b1100), int(0b1010)), 0b1000],
  ['or is bitwise on int32', s.or(int(0b1100), int(0b1010)), 0b1110],
  ['xor is bitwise on int32', s.xor(int(0b1100), int(0b1010)), 0b0110],
  ['not is bitwise on int32', s.not(int(5)), -6],
  ['not is logical on bool', s.not(bool(1)), 0],
  ['xor is logical on bool', s.xor(bool(1), bool(1)), 0],
  ['shiftRight is unsigned', s.shiftRight(int(-1), 28), 15],
  ['select takes the first where true', s.select(bool(1), int(3), int(4)), 3],
  ['select takes the second where false', s.select(bool(0), int(3), int(4)), 4],
])('integers and booleans: %s', (_, e, wanted) => expect(value(e)).toBe(wanted));

test.each<[string, Scalar, number]>([
  ['div of floats by zero is infinite', s.div(double(-1), 0), -Infinity],
  ['floorDiv rounds down', s.floorDiv(double(-7), 2), -4],
  ['mod has the sign of the divisor', s.mod(double(-7), 3), 2],
  ['min gives NaN when the first is NaN', s.min(double(Number.NaN), 1), Number.NaN],
  ['max gives NaN when the second is NaN', s.max(double(1), Number.NaN), Number.NaN],
  ['NaN equals nothing', s.equal(double(Number.NaN), Number.NaN), 0],
  ['NaN is not less', s.less(double(Number.NaN), 1), 0],
  ['equal counts as lessEqual', s.lessEqual(double(1), 1), 1],
  ['sign of a negative number', s.sign(double(-0.5)), -1],
  ['1 to the power NaN is 1', s.pow(double(1), Number.NaN), 1],
])('floats: %s', (_, e, wanted) => expect(value(e)).toBe(wanted));

describe('cast', () => {
  test.each<[number, DType, DType, number]>([
    [2.9, 'float32', 'int32', 2],
    [-2.9, 'float32', 'int32', -2],
    [3e9, 'float64', 'int32', most],
    [-Infinity, 'float64', 'int32', least],
    [Number.NaN, 'float64', 'int32', 0],
    [300, 'int32', 'uint8', 44],
    [-1, 'int32', 'uint8', 255],
    [200, 'uint8', 'int32', 200],
    [0.25, 'float32', 'bool', 1],
    [0, 'int32', 'bool', 0],
    [Number.NaN, 'float32', 'bool', 1],
    [0.1, 'float64', 'float32', Math.fround(0.1)],
    [16777217, 'int32', 'float32', 16777216],
    [16777217, 'int32', 'float64', 16777217],
  ])('%d: %s → %s gives %d', (x, from, to, wanted) => {
    expect(value(s.cast(s.constant(x, from), to))).toBe(wanted);
  });
});
