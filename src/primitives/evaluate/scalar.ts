// Scalar expressions in plain JavaScript numbers.

import type { DType } from '../../tensor/dtype.ts';
import type { Scalar } from '../scalar.ts';
import { power } from './power.ts';

/** A result brought back into the range of its element type. Floats stay as they are. */
export function wrap(value: number, dtype: DType): number {
  if (dtype === 'int32') return value | 0;
  if (dtype === 'uint8') return value & 255;
  return value;
}

export interface LeafValues {
  readonly input: (s: Scalar) => number;
  readonly index: (s: Scalar) => number;
}

/** The values of an expression, one after another; booleans are 0 and 1. */
export function scalarFunction(s: Scalar): (leaves: LeafValues) => number {
  const steps: ((values: Float64Array, leaves: LeafValues) => number)[] = [];
  const places = new Map<Scalar, number>();
  const placeOf = (e: Scalar): number => {
    let place = places.get(e);
    if (place === undefined) {
      const [a, b, c] = e.args.map(placeOf);
      const { dtype } = e;
      const operation = operationOf(e);
      place = steps.push((values, leaves) => wrap(operation(values[a], values[b], values[c], leaves), dtype)) - 1;
      places.set(e, place);
    }
    return place;
  };
  const result = placeOf(s);
  const values = new Float64Array(steps.length);
  return (leaves) => {
    for (let i = 0; i < steps.length; i++) values[i] = steps[i](values, leaves);
    return values[result];
  };
}

const bits = {
  and: (a: number, b: number) => a & b,
  or: (a: number, b: number) => a | b,
  xor: (a: number, b: number) => a ^ b,
  shiftRight: (a: number, b: number) => a >>> b,
};

const { abs, sign, floor, sqrt, expm1, log, log1p, tanh, sin, cos } = Math;
const unary = { abs, sign, floor, round, sqrt, expm1, log, log1p, tanh, sin, cos, erf };
const isUnary = (op: string): op is keyof typeof unary => Object.hasOwn(unary, op);

type Operation = (a: number, b: number, c: number, leaves: LeafValues) => number;

function operationOf(s: Scalar): Operation {
  const operand = s.args[0]?.dtype;
  const integer = operand === 'int32' || operand === 'uint8';
  if (isUnary(s.op)) return unary[s.op];
  switch (s.op) {
    case 'constant':
      return () => s.value;
    case 'input':
      return (_a, _b, _c, leaves) => leaves.input(s);
    case 'index':
      return (_a, _b, _c, leaves) => leaves.index(s);
    case 'neg':
      return (a) => -a;
    case 'exp':
      return (a) => exp(a, s.dtype);
    case 'not':
      return operand === 'bool' ? (a) => 1 - a : (a) => ~a;
    case 'add':
      return (a, b) => a + b;
    case 'sub':
      return (a, b) => a - b;
    case 'mul':
      return integer ? Math.imul : (a, b) => a * b;
    case 'div':
      return integer ? (a, b) => (b === 0 ? 0 : Math.trunc(a / b)) : (a, b) => a / b;
    case 'floorDiv':
      return integer ? (a, b) => (b === 0 ? 0 : Math.floor(a / b)) : (a, b) => floorDivide(a, b, s.dtype);
    case 'mod':
      return integer ? (a, b) => (b === 0 ? 0 : modulo(a, b)) : modulo;
    case 'pow':
      return integer ? integerPower : (a, b) => power(a, b, s.dtype);
    case 'min':
      return (a, b) => Math.min(a, b);
    case 'max':
      return (a, b) => Math.max(a, b);
    case 'equal':
      return (a, b) => Number(a === b);
    case 'less':
      return (a, b) => Number(a < b);
    case 'lessEqual':
      return (a, b) => Number(a <= b);
    case 'and':
    case 'or':
    case 'xor':
    case 'shiftRight':
      return bits[s.op];
    case 'select':
      return (a, b, c) => (a ? b : c);
    case 'cast':
      return (a) => cast(a, operand, s.dtype);
    case 'philox': {
      const key = s.key as readonly [number, number];
      return (a, b, c) => philox([a, b, c, 0], key)[0];
    }
  }
}

/** The nearest whole number, halves to even, and a zero with the sign of the number. */
function round(a: number): number {
  const size = Math.abs(a);
  // Beyond it every number is whole.
  const most = 2 ** 52;
  const nearest = size < most ? size + most - most : size;
  return a < 0 || Object.is(a, -0) ? -nearest : nearest;
}

/** What is below the smallest normal number of the type is 0, as scalar expressions say. */
function exp(a: number, dtype: DType): number {
  const result = Math.exp(a);
  return result < (dtype === 'float32' ? 2 ** -126 : 2 ** -1022) ? 0 : result;
}

/** The error function: its series near 0, else 1 less the continued fraction of what is left. Abramowitz, Stegun, 7.1. */
function erf(a: number): number {
  const x = Math.abs(a);
  if (x > 6) return Math.sign(a);
  if (x > 0.9) {
    let fraction = 0;
    for (let n = 300; n > 0; n--) fraction = n / 2 / (x + fraction);
    return Math.sign(a) * (1 - Math.exp(-x * x) / (Math.sqrt(Math.PI) * (x + fraction)));
  }
  // The smallest terms first.
  let sum = 0;
  for (let n = 40; n > 0; n--) sum = ((sum + 1 / (2 * n + 1)) * -x * x) / n;
  return (2 / Math.sqrt(Math.PI)) * a * (1 + sum);
}

/** The remainder of the flooring division; JavaScript's % is exact, and has the sign of a. */
function modulo(a: number, b: number): number {
  const rest = a % b;
  if (rest === 0) return b < 0 ? -0 : 0;
  return rest < 0 === b < 0 ? rest : rest + b;
}

/** The floor of the exact quotient; of one beyond which whole numbers are not dense, the quotient. */
function floorDivide(a: number, b: number, dtype: DType): number {
  const quotient = a / b;
  if (!(Math.abs(quotient) <= (dtype === 'float32' ? 2 ** 24 : 2 ** 53))) return quotient;
  const whole = Math.floor(quotient);
  const rest = Math.abs(modulo(a, b));
  // Rounded up to a whole number?
  return whole === quotient && rest > Math.abs(b) - rest ? whole - 1 : whole;
}

function cast(a: number, from: DType, to: DType): number {
  if (to === 'bool') return Number(a !== 0);
  if (to === 'float32') return Math.fround(a);
  if (to === 'float64' || (from !== 'float32' && from !== 'float64')) return a;
  return Number.isNaN(a) ? 0 : Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), Math.trunc(a)));
}

function integerPower(base: number, exponent: number): number {
  if (exponent < 0) return base === 1 ? 1 : base === -1 ? (exponent % 2 === 0 ? 1 : -1) : 0;
  let result = 1;
  let square = base;
  for (let e = exponent; e > 0; e = Math.floor(e / 2)) {
    if (e % 2 === 1) result = Math.imul(result, square);
    square = Math.imul(square, square);
  }
  return result;
}

/** Philox-4x32-10 (Salmon et al., 2011) with 64-bit products by BigInt. */
export function philox(counter: readonly number[], key: readonly [number, number]): number[] {
  const mask = 0xffffffffn;
  let c = counter.map((n) => BigInt(n >>> 0));
  let [k0, k1] = key.map((n) => BigInt(n >>> 0));
  for (let round = 0; round < 10; round++) {
    const p0 = c[0] * 0xd2511f53n;
    const p1 = c[2] * 0xcd9e8d57n;
    c = [(p1 >> 32n) ^ c[1] ^ k0, p1 & mask, (p0 >> 32n) ^ c[3] ^ k1, p0 & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return c.map((n) => Number(n) | 0);
}
