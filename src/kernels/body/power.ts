// Powers, from arithmetic as in math.ts.

import type { Expression } from '../../loops/ir.ts';
import * as ir from '../../loops/ir.ts';
import { exp, int, like, log, polynomial, scale } from './math.ts';

const { binary: op, compare, select, convert, unary } = ir;

/** x^y for scalars, with the sign and the special cases of IEEE 754's pow (C99, F.9.4.4). */
export function pow(x: Expression, y: Expression): Expression {
  if (x.type.dtype === 'int32') return integerPower(x, y);
  const single = x.type.dtype === 'float32';
  const base = convert(x, 'float64');
  const power = convert(y, 'float64');
  const size = unary('abs', base);
  const general = single ? exp(op('mul', power, log(size))) : powerOfSize(size, power);
  // Then it is 1, whatever the other is.
  const isUnit = op('or', compare('equal', power, like(power, 0)), compare('equal', size, like(size, 1)));
  const result = select(isUnit, like(size, 1), general);
  const whole = compare('equal', unary('floor', power), power);
  const halved = op('mul', power, like(power, 0.5));
  const odd = op('and', whole, compare('notEqual', unary('floor', halved), halved));
  // −0 is negative too.
  const signBit = compare('less', single ? ir.bitcast(x, 'int32') : ir.half(base, true), int(0, 1));
  const signed = select(op('and', signBit, odd), unary('neg', result), result);
  const isNegative = op('and', compare('less', base, like(base, 0)), compare('less', size, like(size, Infinity)));
  return convert(select(op('and', isNegative, unary('not', whole)), like(base, NaN), signed), x.type.dtype);
}

/** The nearest number of at most that size; NaN stays. */
const within = (x: Expression, size: number): Expression =>
  op('maxFast', op('minFast', x, like(x, size)), like(x, -size));

/** The upper 21 bits of a float64: a product of two such numbers is exact. */
const upper = (x: Expression): Expression => ir.join(int(0, 1), ir.half(x, true));

/**
 * x^y of float64 for x ≥ 0, as 2^(y·log₂ x), the logarithm in two parts: together they have the 11 bits more that the
 * exponent of the result takes. Method and coefficients: fdlibm (Sun).
 */
function powerOfSize(x: Expression, exponent: Expression): Expression {
  // Any larger exponent gives 0 or infinity like this one, and infinity has no parts.
  const y = within(exponent, 2 ** 200);
  const [high, low] = logarithmInParts(x);
  const yHigh = upper(y);
  const large = op('mul', yHigh, high);
  const small = op('add', op('mul', op('sub', y, yHigh), high), op('mul', y, low));
  const sum = op('add', large, small);
  // Far outside, where the parts mean nothing, any number of that size will do.
  const inside = compare('less', unary('abs', sum), like(x, 1100));
  const result = powerOfTwoInParts(select(inside, large, within(sum, 1100)), select(inside, small, like(x, 0)));
  // The logarithms of 0 and infinity are infinite.
  const infinite = compare('equal', x, like(x, Infinity));
  const grows = op('xor', compare('less', y, like(x, 0)), infinite);
  const isNumber = op('and', compare('equal', x, x), compare('equal', y, y));
  const limit = select(isNumber, select(grows, like(x, Infinity), like(x, 0)), like(x, NaN));
  const ordinary = op('and', compare('less', like(x, 0), x), compare('less', x, like(x, Infinity)));
  return select(ordinary, result, limit);
}

/** log₂ x as a sum of two numbers, the first of at most 21 bits. x = m·2^n with √¾ ≤ m < √3; m is near 1 or near 1.5. */
function logarithmInParts(x: Expression): [Expression, Expression] {
  const number = (value: number) => like(x, value);
  const tiny = compare('less', x, number(2 ** -1022));
  const lifted = select(tiny, op('mul', x, number(2 ** 53)), x);
  const bits = ir.half(lifted, true);
  const fraction = op('and', bits, int(0xfffff, 1));
  const exponent = op('sub', op('shiftRight', bits, int(20, 1)), select(tiny, int(1023 + 53, 1), int(1023, 1)));
  const nearOne = compare('less', fraction, int(0x3988f, 1));
  const nearTwo = compare('less', int(0xbb679, 1), fraction);
  const n = convert(op('add', exponent, select(nearTwo, int(1, 1), int(0, 1))), 'float64');
  const m = ir.join(
    ir.half(lifted, false),
    op('or', fraction, select(nearTwo, int(0x3fe00000, 1), int(0x3ff00000, 1))),
  );
  const atOne = op('or', nearOne, nearTwo);
  const c = select(atOne, number(1), number(1.5));
  // s = (m − c) / (m + c), as sHigh + sLow
  const difference = op('sub', m, c);
  const inverse = op('div', number(1), op('add', m, c));
  const s = op('mul', difference, inverse);
  const sHigh = upper(s);
  const sumHigh = upper(op('add', m, c));
  const sumLow = op('sub', m, op('sub', sumHigh, c));
  const exact = op('sub', op('sub', difference, op('mul', sHigh, sumHigh)), op('mul', sHigh, sumLow));
  const sLow = op('mul', inverse, exact);
  // ln(m/c) = 2s + 2s³/3 + s⁵·…
  const z = op('mul', s, s);
  const series = polynomial(
    z,
    [
      5.99999999999994648725e-1, 4.28571428578550184252e-1, 3.33333329818377432918e-1, 2.72728123808534006489e-1,
      2.30660745775561754067e-1, 2.06975017800338417784e-1,
    ],
  );
  const rest = op('add', op('mul', op('mul', z, z), series), op('mul', sLow, op('add', sHigh, s)));
  const square = op('mul', sHigh, sHigh);
  const factor = upper(op('add', op('add', number(3), square), rest));
  const factorLow = op('sub', rest, op('sub', op('sub', factor, number(3)), square));
  const u = op('mul', sHigh, factor);
  const v = op('add', op('mul', sLow, factor), op('mul', factorLow, s));
  const high = upper(op('add', u, v));
  const low = op('sub', v, op('sub', high, u));
  // times 2 / (3 ln 2); log₂ c is added
  const zHigh = op('mul', number(9.61796700954437255859e-1), high);
  const cHigh = select(atOne, number(0), number(5.84962487220764160156e-1));
  const cLow = select(atOne, number(0), number(1.35003920212974897128e-8));
  const zLow = op(
    'add',
    op('add', op('mul', number(-7.02846165095275826516e-9), high), op('mul', low, number(9.61796693925975554329e-1))),
    cLow,
  );
  const first = upper(op('add', op('add', op('add', zHigh, zLow), cHigh), n));
  return [first, op('sub', zLow, op('sub', op('sub', op('sub', first, n), cHigh), zHigh))];
}

/** 2^(large + small) for |large| ≤ 1100 and a much smaller `small`. */
function powerOfTwoInParts(large: Expression, small: Expression): Expression {
  const number = (value: number) => like(large, value);
  const n = unary('nearest', op('add', large, small));
  const rest = op('sub', large, n);
  const t = upper(op('add', small, rest));
  const u = op('mul', t, number(6.93147182464599609375e-1));
  const v = op(
    'add',
    op('mul', op('sub', small, op('sub', t, rest)), number(6.93147180559945286227e-1)),
    op('mul', t, number(-1.90465429995776804525e-9)),
  );
  const z = op('add', u, v);
  const w = op('sub', v, op('sub', z, u));
  const square = op('mul', z, z);
  const p = polynomial(
    square,
    [
      1.66666666666666019037e-1, -2.77777777770155933842e-3, 6.61375632143793436117e-5, -1.6533902205465251539e-6,
      4.13813679705723846039e-8,
    ],
  );
  const c = op('sub', z, op('mul', square, p));
  const r = op('sub', op('div', op('mul', z, c), op('sub', c, number(2))), op('add', w, op('mul', z, w)));
  return scale(op('sub', number(1), op('sub', r, z)), convert(n, 'int32'));
}

/** Repeated squaring, wrapping; a negative exponent gives the truncated quotient: 0, or ±1 for a base of ±1. */
function integerPower(x: Expression, y: Expression): Expression {
  const one = like(x, 1);
  let result = one;
  let square = x;
  for (let bit = 0; bit < 31; bit++) {
    const set = compare('notEqual', op('and', y, like(y, 2 ** bit)), like(y, 0));
    result = select(set, op('mul', result, square), result);
    square = op('mul', square, square);
  }
  const isOdd = compare('notEqual', op('and', y, one), like(y, 0));
  const minusOne = select(isOdd, like(x, -1), one);
  const inverse = select(compare('equal', x, one), one, select(compare('equal', x, like(x, -1)), minusOne, like(x, 0)));
  return select(compare('less', y, like(y, 0)), inverse, result);
}
