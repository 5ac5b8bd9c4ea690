// x^y of float64 by whole numbers of any size: JavaScript's own ** may be hundreds of units of the last place off.
import type { DType } from '../../tensor/dtype.ts';

/** Numbers are whole multiples of 2^−160. */
const digits = 160n;
const one = 1n << digits;
const times = (a: bigint, b: bigint): bigint => (a * b) >> digits;

/** A finite float as m·2^e with a whole m. */
function parts(x: number): [bigint, number] {
  let m = x;
  let e = 0;
  while (!Number.isInteger(m)) {
    m *= 2;
    e--;
  }
  return [BigInt(m), e];
}

/** 2·artanh(a / b) = ln((b + a) / (b − a)), by its series: best for small quotients. */
function logarithmOfRatio(a: bigint, b: bigint): bigint {
  const s = (a << digits) / b;
  const square = times(s, s);
  let sum = 0n;
  for (let power = s, n = 1n; power !== 0n && power !== -1n; power = times(power, square), n += 2n) sum += power / n;
  return 2n * sum;
}
const ln2 = logarithmOfRatio(1n, 3n);

function naturalLogarithm(x: number): bigint {
  const [m, e] = parts(x);
  // m·2^−bits is from 1 to 2; of more than 1.5 half is taken.
  const bits = BigInt(m.toString(2).length - 1);
  const half = 2n * m > 3n * (1n << bits) ? 1n : 0n;
  const unit = 1n << (bits + half);
  return logarithmOfRatio(m - unit, m + unit) + (BigInt(e) + bits + half) * ln2;
}

/** e^z as the nearest float. */
function exponential(z: bigint): number {
  const n = z / ln2;
  const rest = z - n * ln2;
  let sum = 0n;
  for (let term = one, k = 1n; term !== 0n && term !== -1n; term = times(term, rest) / k, k++) sum += term;
  // Subnormal numbers are multiples of 2^−1074.
  const beyond = digits - n - 1074n;
  if (n <= -1022n) return Number((sum + (1n << (beyond - 1n))) >> beyond) * 2 ** -1074;
  // A power of two at a time that floats have.
  const first = Math.trunc(Number(n) / 2);
  return Number(sum) * 2 ** -Number(digits) * 2 ** first * 2 ** (Number(n) - first);
}

function powerOfSize(x: number, y: number): number {
  if (x === 1) return 1;
  // Nothing nearer to 1 than a float can be has a power of that size that is a number.
  if (Math.abs(y) > 2 ** 64) return x > 1 === y > 0 ? Infinity : 0;
  const [m, e] = parts(y);
  const exponent = naturalLogarithm(x) * m;
  const z = e < 0 ? exponent >> BigInt(-e) : exponent << BigInt(e);
  const limit = 1200n * ln2;
  return z > limit ? Infinity : z < -limit ? 0 : exponential(z);
}

/** IEEE 754's pow. For float32 JavaScript's has digits enough. */
export function power(x: number, y: number, dtype: DType): number {
  if (y === 0 || x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1;
  const size = Math.abs(x);
  // JavaScript's is right where the result is no number, infinite or 0 by rule.
  const byRule = !(size > 0 && size < Infinity && Math.abs(y) < Infinity) || (x < 0 && !Number.isInteger(y));
  if (dtype === 'float32' || byRule) return x ** y;
  const result = powerOfSize(size, y);
  return x < 0 && Math.abs(y % 2) === 1 ? -result : result;
}
