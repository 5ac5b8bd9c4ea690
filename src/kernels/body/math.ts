// Elementary functions from arithmetic: polynomials and bit tricks that every backend computes with the same bits.
// Coefficients: Cephes (Moshier) for float32, fdlibm (Sun) for float64. Accuracy is asserted in tests/numbers.

import type { Expression, ValueType } from '../../loops/ir.ts';
import * as ir from '../../loops/ir.ts';

const { binary: op, compare, select, bitcast, convert, unary } = ir;

/** A constant of the type of another expression. */
export const like = (e: Expression, value: number): Expression => ir.constant(value, e.type);
/** An int32 constant. */
export const int = (value: number, lanes: number): Expression => ir.constant(value, { dtype: 'int32', lanes });

/** c₀ + x·(c₁ + x·(c₂ + …)). */
export function polynomial(x: Expression, coefficients: readonly number[]): Expression {
  let sum = like(x, coefficients[coefficients.length - 1]);
  for (let i = coefficients.length - 2; i >= 0; i--) sum = ir.multiplyAdd(sum, x, like(x, coefficients[i]));
  return sum;
}

/** 2^n for an int32 n in the exponent's range, as a float of that type. */
function powerOfTwo(n: Expression, dtype: 'float32' | 'float64'): Expression {
  if (dtype === 'float32') return bitcast(op('shiftLeft', op('add', n, like(n, 127)), int(23, 1)), 'float32');
  return ir.join(int(0, 1), op('shiftLeft', op('add', n, like(n, 1023)), int(20, 1)));
}

/** x · 2^n in two steps, so that results too large become infinite and results too small lose digits gradually. */
export function scale(x: Expression, n: Expression): Expression {
  const dtype = x.type.dtype as 'float32' | 'float64';
  const first = op('shiftRight', n, int(1, 1));
  return op('mul', op('mul', x, powerOfTwo(first, dtype)), powerOfTwo(op('sub', n, first), dtype));
}

/**
 * e^x. x = n·ln 2 + r with |r| ≤ ln 2 / 2, then a polynomial (float32) or a rational function (float64) in r. What would
 * be below the smallest normal number is 0, as in TensorFlow: some processors take a hundred times as long for numbers
 * so small, and a softmax would make many of them.
 */
export function exp(x: Expression): Expression {
  const least = like(x, x.type.dtype === 'float32' ? Math.fround(-87.33654) : -708.3964185322641);
  const bounded = op('min', op('max', x, least), like(x, x.type.dtype === 'float32' ? 89 : 710));
  const { n, power } = reduced(bounded);
  return select(compare('less', x, least), like(x, 0), scale(power, n));
}

/** e^x − 1: of what is left of x after its multiple of ln 2 nothing is lost beside 1. */
export function expm1(x: Expression): Expression {
  const single = x.type.dtype === 'float32';
  const least = like(x, single ? -20 : -40);
  // Beyond it the 1 is less than half a unit of the last place.
  const most = like(x, 60);
  const { n, less } = reduced(op('min', op('max', x, least), most));
  const factor = powerOfTwo(n, single ? 'float32' : 'float64');
  const near = ir.multiplyAdd(factor, less, op('sub', factor, like(x, 1)));
  const tiny = compare('less', unary('abs', x), like(x, single ? 2 ** -26 : 2 ** -55));
  return select(tiny, x, select(compare('less', most, x), exp(x), near));
}

/** x = n·ln 2 + r for an x whose exponential is a normal number: n, `power` e^r and `less` e^r − 1. */
function reduced(bounded: Expression): { n: Expression; power: Expression; less: Expression } {
  const x = bounded;
  const single = x.type.dtype === 'float32';
  const n = unary('nearest', op('mul', bounded, like(x, Math.LOG2E)));
  if (single) {
    const r = op('sub', op('sub', bounded, op('mul', n, like(x, 0.693359375))), op('mul', n, like(x, -2.1219444e-4)));
    const c = [5.0000001201e-1, 1.6666665459e-1, 4.1665795894e-2, 8.3334519073e-3, 1.3981999507e-3, 1.98756915e-4];
    const less = ir.multiplyAdd(op('mul', r, r), polynomial(r, c), r);
    return { n: convert(n, 'int32'), power: op('add', less, like(x, 1)), less };
  }
  const high = op('sub', bounded, op('mul', n, like(x, 6.9314718036912381649e-1)));
  const low = op('mul', n, like(x, 1.90821492927058770002e-10));
  const r = op('sub', high, low);
  const t = op('mul', r, r);
  const p = polynomial(
    t,
    [
      1.66666666666666019037e-1, -2.77777777770155933842e-3, 6.61375632143793436117e-5, -1.6533902205465251539e-6,
      4.13813679705723846039e-8,
    ],
  );
  const c = op('sub', r, op('mul', t, p));
  const tail = op('sub', low, op('div', op('mul', r, c), op('sub', like(x, 2), c)));
  const rest = op('sub', tail, high);
  return { n: convert(n, 'int32'), power: op('sub', like(x, 1), rest), less: unary('neg', rest) };
}

/** ln x. x = m·2^k with √½ ≤ m < √2, then a polynomial in m − 1. */
export function log(x: Expression): Expression {
  const single = x.type.dtype === 'float32';
  const lanes = x.type.lanes;
  // Numbers too small for a normal exponent are scaled up first.
  const smallest = single ? 2 ** -126 : 2 ** -1022;
  const tiny = compare('less', x, like(x, smallest));
  const lift = single ? 23 : 54;
  const lifted = select(tiny, op('mul', x, like(x, 2 ** lift)), x);
  let m: Expression;
  let k: Expression;
  if (single) {
    const bits = bitcast(lifted, 'int32');
    // Subtracting the bits of √½ makes the exponent change at √½ instead of at 1.
    const rootHalf = int(0x3f3504f3, lanes);
    const moved = op('sub', bits, rootHalf);
    k = op('shiftRight', moved, int(23, 1));
    m = bitcast(op('add', op('and', moved, int(0x7fffff, lanes)), rootHalf), 'float32');
  } else {
    const high = ir.half(lifted, true);
    const rootHalf = int(0x3fe6a09e, 1);
    const moved = op('sub', high, rootHalf);
    k = op('shiftRight', moved, int(20, 1));
    m = ir.join(ir.half(lifted, false), op('add', op('and', moved, int(0xfffff, 1)), rootHalf));
  }
  const exponent = convert(op('sub', k, select(tiny, int(lift, lanes), int(0, lanes))), x.type.dtype);
  const f = op('sub', m, like(x, 1));
  const result = single ? logSingle(f, exponent) : logDouble(f, exponent);
  const special = select(compare('equal', x, like(x, 0)), like(x, -Infinity), like(x, NaN));
  const positive = select(compare('less', x, like(x, Infinity)), result, x);
  return select(compare('less', like(x, 0), x), positive, special);
}

/** ln(1 + x): what 1 + x is rounded away by is put right with the derivative, 1 / (1 + x). */
export function log1p(x: Expression): Expression {
  const sum = op('add', x, like(x, 1));
  const lost = op('sub', x, op('sub', sum, like(x, 1)));
  const whole = log(sum);
  const right = op('add', whole, op('div', lost, sum));
  const finite = op('and', compare('less', like(x, 0), sum), compare('less', sum, like(x, Infinity)));
  return select(compare('equal', sum, like(x, 1)), x, select(finite, right, whole));
}

function logSingle(f: Expression, k: Expression): Expression {
  const z = op('mul', f, f);
  const p = polynomial(
    f,
    [
      3.3333331174e-1, -2.4999993993e-1, 2.0000714765e-1, -1.6668057665e-1, 1.4249322787e-1, -1.2420140846e-1,
      1.167699874e-1, -1.151461031e-1, 7.0376836292e-2,
    ],
  );
  const y = op('add', op('mul', op('mul', f, z), p), op('mul', k, like(f, -2.1219444e-4)));
  const sum = op('add', f, op('sub', y, op('mul', z, like(f, 0.5))));
  return op('add', sum, op('mul', k, like(f, 0.693359375)));
}

function logDouble(f: Expression, k: Expression): Expression {
  const s = op('div', f, op('add', like(f, 2), f));
  const z = op('mul', s, s);
  const r = op(
    'mul',
    z,
    polynomial(
      z,
      [
        6.66666666666673513e-1, 3.999999999940941908e-1, 2.857142874366239149e-1, 2.222219843214978396e-1,
        1.818357216161805012e-1, 1.531383769920937332e-1, 1.479819860511658591e-1,
      ],
    ),
  );
  const half = op('mul', op('mul', f, f), like(f, 0.5));
  const low = op('add', op('mul', s, op('add', half, r)), op('mul', k, like(f, 1.90821492927058770002e-10)));
  return op('sub', op('mul', k, like(f, 6.9314718036912381649e-1)), op('sub', op('sub', half, low), f));
}

/** tanh x: a polynomial (float32) or rational function (float64) near 0, else 1 − 2 / (e^2x + 1). */
export function tanh(x: Expression): Expression {
  const z = op('mul', x, x);
  const p =
    x.type.dtype === 'float32'
      ? polynomial(z, [-3.33332819422e-1, 1.33314422036e-1, -5.37397155531e-2, 2.06390887954e-2, -5.70498872745e-3])
      : op(
          'div',
          polynomial(z, [-1.61468768441708447952e3, -9.92877231001918586564e1, -9.64399179425052238628e-1]),
          polynomial(z, [4.84406305325125486048e3, 2.23548839060100448583e3, 1.12811678491632931402e2, 1]),
        );
  // A product has the sign of x, also where it is 0.
  const near = op('mul', x, ir.multiplyAdd(z, p, like(x, 1)));
  const size = unary('abs', x);
  const grown = exp(op('add', size, size));
  const far = op('sub', like(x, 1), op('div', like(x, 2), op('add', grown, like(x, 1))));
  const signed = select(compare('less', x, like(x, 0)), unary('neg', far), far);
  return select(compare('less', size, like(x, 0.625)), near, signed);
}

/** a − ⌊a / b⌋·b, rounded once. A result of 0 has the sign of b too. */
export function modulo(a: Expression, b: Expression): Expression {
  const zero = like(b, 0);
  const rest = op('remainder', a, b);
  const below = compare('less', b, zero);
  const nothing = select(below, like(b, -0), zero);
  const apart = op('xor', compare('less', rest, zero), below);
  return select(compare('equal', rest, zero), nothing, select(apart, op('add', rest, b), rest));
}

/**
 * ⌊a / b⌋ of the exact quotient, as long as that is no larger than the whole numbers are dense. Where a quotient below
 * a whole number was rounded up to it, more than half of b remains.
 */
export function floorDivide(a: Expression, b: Expression): Expression {
  const quotient = op('div', a, b);
  const whole = unary('floor', quotient);
  const rest = unary('abs', modulo(a, b));
  const most = compare('less', op('sub', unary('abs', b), rest), rest);
  const dense = compare('lessEqual', unary('abs', whole), like(b, b.type.dtype === 'float32' ? 2 ** 24 : 2 ** 53));
  const roundedUp = op('and', compare('equal', whole, quotient), op('and', most, dense));
  return select(roundedUp, op('sub', whole, like(b, 1)), whole);
}

/** The first word of Philox-4x32-10 (Salmon et al., 2011) for the counter (element, draw, run, 0). */
export function philox(
  element: Expression,
  draw: Expression,
  run: Expression,
  key: readonly [number, number],
): Expression {
  const type: ValueType = element.type;
  const word = (value: number) => ir.constant(value | 0, type);
  let c: Expression[] = [element, draw, run, word(0)];
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const m0 = word(0xd2511f53);
    const m1 = word(0xcd9e8d57);
    c = [
      op('xor', op('xor', op('mulHigh', c[2], m1), c[1]), word(k0)),
      op('mul', c[2], m1),
      op('xor', op('xor', op('mulHigh', c[0], m0), c[3]), word(k1)),
      op('mul', c[0], m0),
    ];
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  return c[0];
}
