// Sine and cosine, from arithmetic as in math.ts: right for arguments of any size, in vectors too. A large argument times
// 2/π is taken exactly, in words of 32 bits, without what is a multiple of 4 (Payne and Hanek, "Radian reduction for
// trigonometric functions", SIGNUM 1983): its whole part is the quadrant, and its fraction the angle in it.

import type { Expression } from '../../loops/ir.ts';
import * as ir from '../../loops/ir.ts';
import { int, like, polynomial } from './math.ts';

const { binary: op, compare, select, bitcast, convert, unary } = ir;

/** The bits of 2/π behind the point. */
const twoOverPi = [
  0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561, 0xb7246e3a,
  0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e, 0xe88235f5, 0x2ebb4484, 0xe99c7026, 0xb45f7e41,
  0x3991d639, 0x835339f4, 0x9c845f8b, 0xbdf9283b, 0x1ff897ff, 0xde05980f, 0xef2f118b, 0x5a0a6d1f, 0x6d367ecf,
  0x27cb09b7, 0x4f463f66, 0x9e5fea2d, 0x7527bac7, 0xebe5f17b, 0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1, 0x1f8d5d08,
  0x56033046, 0xfc7b6bab,
];

/** 32 bits of 2/π from one of them on; those before the point are 0. */
function bitsFrom(position: number): number {
  const word = Math.floor(position / 32);
  const shift = position - 32 * word;
  const [high, low] = [twoOverPi[word] ?? 0, twoOverPi[word + 1] ?? 0];
  return shift === 0 ? high | 0 : (high << shift) | (low >>> (32 - shift));
}

/** What differs between the types. */
interface Format {
  /** Bits of the mantissa behind the point; the bias of the exponent. */
  readonly digits: number;
  readonly bias: number;
  /** How many words of the product with 2/π are kept, and by how many of 32 bits its words can lie apart (2ⁿ). */
  readonly columns: number;
  readonly stages: number;
  /** π/2: `high` are its first bits. */
  readonly halfPi: { readonly high: number; readonly low: number };
  /** (sin x / x − 1) / x² and (cos x − 1 + x²/2) / x⁴ in x², for |x| ≤ 1: minimax polynomials. */
  readonly sine: readonly number[];
  readonly cosine: readonly number[];
}
const single: Format = {
  digits: 23,
  bias: 127,
  columns: 2,
  stages: 2,
  halfPi: { high: 1.5703125, low: 0.0004838267923332751 },
  sine: [-0.1666666716337204, 0.008333316072821617, -0.00019836115825455636, 2.694810063985642e-6],
  cosine: [0.04166657477617264, -0.0013884674990549684, 2.4200300686061382e-5],
};
const double: Format = {
  digits: 52,
  bias: 1023,
  columns: 4,
  stages: 5,
  halfPi: { high: 1.570796012878418, low: 3.139164786504813e-7 },
  sine: [
    -0.16666666666666666, 0.008333333333333134, -0.0001984126984109974, 2.755731915503723e-6, -2.5052093410677103e-8,
    1.6057253409705054e-10, -7.535983515140159e-13,
  ],
  cosine: [
    0.041666666666665235, -0.0013888888888702819, 2.4801587210548387e-5, -2.7557297238920926e-7, 2.0873945498188913e-9,
    -1.1287948810398658e-11,
  ],
};

export const sin = (x: Expression): Expression => ofAngle(x, false);
export const cos = (x: Expression): Expression => ofAngle(x, true);

/** sin x, or sin (x + π/2). */
function ofAngle(x: Expression, isCosine: boolean): Expression {
  const { lanes, dtype } = x.type;
  const format = dtype === 'float32' ? single : double;
  const i = (value: number) => int(value, lanes);
  const size = unary('abs', x);
  const reduced = reduce(size, format);
  // What is below 1 is its own angle.
  const direct = compare('less', size, like(x, 1));
  const angle = select(direct, size, reduced.angle);
  const rest = select(direct, like(x, 0), reduced.rest);
  const whole = select(direct, i(0), reduced.quadrant);
  const quadrant = isCosine ? op('add', whole, i(1)) : whole;
  const odd = compare('notEqual', op('and', quadrant, i(1)), i(0));
  const result = select(odd, cosineOf(angle, rest, format), sineOf(angle, rest, format));
  const flipped = op('shiftLeft', op('and', quadrant, i(2)), int(30, 1));
  const signed = withSign(result, isCosine ? flipped : op('xor', flipped, op('and', topBits(x), i(-(2 ** 31)))));
  return select(compare('less', size, like(x, Infinity)), signed, like(x, NaN));
}

/** sin (x + rest) for a rest far below x. */
function sineOf(x: Expression, rest: Expression, { sine }: Format): Expression {
  const z = op('mul', x, x);
  return op('add', x, op('add', rest, op('mul', x, op('mul', z, polynomial(z, sine)))));
}

/** cos (x + rest); what rounding 1 − x²/2 leaves is made good. */
function cosineOf(x: Expression, rest: Expression, { cosine }: Format): Expression {
  const z = op('mul', x, x);
  const half = op('mul', z, like(x, 0.5));
  const first = op('sub', like(x, 1), half);
  const left = op('sub', op('sub', like(x, 1), first), half);
  const tail = op('sub', op('mul', op('mul', z, z), polynomial(z, cosine)), op('mul', x, rest));
  return op('add', first, op('add', left, tail));
}

/** The bits of a float that have its sign. */
const topBits = (x: Expression): Expression => (x.type.dtype === 'float32' ? bitcast(x, 'int32') : ir.half(x, true));

/** With its sign changed where the highest bit says so. */
function withSign(x: Expression, bit: Expression): Expression {
  if (x.type.dtype === 'float32') return bitcast(op('xor', bitcast(x, 'int32'), bit), 'float32');
  return ir.join(ir.half(x, false), op('xor', ir.half(x, true), bit));
}

/** The angle of a number from 1 on, between −π/4 and π/4, in two parts, and the number of its quadrant modulo 4. */
function reduce(size: Expression, format: Format): { angle: Expression; rest: Expression; quadrant: Expression } {
  const { digits, bias, columns } = format;
  const { lanes } = size.type;
  const top = topBits(size);
  const high = digits % 32;
  const exponent = op('sub', op('shiftRightUnsigned', top, int(high, 1)), int(bias, lanes));
  const leading = op('or', op('and', top, int(2 ** high - 1, lanes)), int(2 ** high, lanes));
  const mantissa = digits < 32 ? [leading] : [ir.half(size, false), leading];
  const product = productOf(mantissa, windowOf(exponent, columns + mantissa.length, format), columns);
  const quadrant = op('shiftRightUnsigned', op('add', product[0], int(2 ** 29, lanes)), int(30, 1));
  // Behind the two bits of the quadrant: a fraction from −1/2 on, where its first word has a sign.
  const fraction = product.map((word, i) => {
    const shifted = op('shiftLeft', word, int(2, 1));
    return i + 1 < columns ? op('or', shifted, op('shiftRightUnsigned', product[i + 1], int(30, 1))) : shifted;
  });
  const parts = digits < 32 ? partsOfSingle(fraction) : partsOfDouble(fraction);
  const [large, small] = timesHalfPi(parts, format.halfPi);
  const angle = op('add', large, small);
  return { angle, rest: op('sub', small, op('sub', angle, large)), quadrant };
}

/**
 * So many words of 2/π, of those that an integer of the mantissa's length times 2 to the exponent makes no multiples of 4
 * of: from the bit on whose product is 2.
 */
function windowOf(exponent: Expression, count: number, { digits, stages }: Format): Expression[] {
  const { lanes } = exponent.type;
  const by = op('and', exponent, int(31, lanes));
  let words = Array.from({ length: count + 2 ** stages }, (_, i) => int(bitsFrom(32 * i - digits - 2), lanes));
  for (let stage = stages - 1; stage >= 0; stage--) {
    const step = 2 ** stage;
    const moves = compare('notEqual', op('and', exponent, int(32 * step, lanes)), int(0, lanes));
    words = words.slice(0, count + step).map((word, i) => select(moves, words[i + step], word));
  }
  // Shifts take one amount for all lanes; a product takes 2 to a power for each.
  const power = convert(bitcast(op('shiftLeft', op('add', by, int(127, lanes)), int(23, 1)), 'float32'), 'int32');
  const factor = select(compare('equal', by, int(31, lanes)), int(-(2 ** 31), lanes), power);
  return words.slice(0, count).map((word, i) => op('or', op('mul', word, factor), op('mulHigh', words[i + 1], factor)));
}

/** The highest words of a product, modulo their number; the integer begins with its lowest word, the window with its highest. */
function productOf(integer: readonly Expression[], window: readonly Expression[], columns: number): Expression[] {
  const product: Expression[] = [];
  let carried: Expression | undefined;
  for (let column = columns - 1; column >= 0; column--) {
    const parts = integer.flatMap((word, i) => [
      op('mul', word, window[column + i]),
      op('mulHigh', word, window[column + i + 1]),
    ]);
    if (carried) parts.push(carried);
    let sum = parts[0];
    let carry: Expression = int(0, sum.type.lanes);
    for (const part of parts.slice(1)) {
      sum = op('add', sum, part);
      carry = op('add', carry, carryOf(sum, part));
    }
    product.unshift(sum);
    carried = carry;
  }
  return product;
}

/** 1 where a sum is less than one of its parts, both unsigned. */
function carryOf(sum: Expression, part: Expression): Expression {
  const lanes = sum.type.lanes;
  const order = (e: Expression) => op('xor', e, int(-(2 ** 31), lanes));
  return select(compare('less', order(sum), order(part)), int(1, lanes), int(0, lanes));
}

/** Three parts of a fraction: whole numbers of halves of words times powers of two, and the rest. */
interface Parts {
  readonly first: Expression;
  readonly second: Expression;
  readonly rest: Expression;
}

/** The fraction in words, rounded word by word, so that each part is at most half of the last bit of the one before. */
function partsOfSingle([first, second]: readonly Expression[]): Parts {
  const lanes = first.type.lanes;
  const upper = op('shiftRight', op('add', op('shiftRight', first, int(1, 1)), int(2 ** 14, lanes)), int(15, 1));
  const lower = op('sub', first, op('shiftLeft', upper, int(16, 1)));
  const scaled = (e: Expression, factor: number) => times(convert(e, 'float32'), factor);
  const rest = scaled(op('shiftRightUnsigned', second, int(8, 1)), 2 ** -56);
  return { first: scaled(upper, 2 ** -16), second: scaled(lower, 2 ** -32), rest };
}

function partsOfDouble([first, second, third, fourth]: readonly Expression[]): Parts {
  const float = (e: Expression) => convert(e, 'float64');
  const isNegative = (e: Expression) => compare('less', e, int(0, 1));
  const more = (value: Expression, if_: Expression, by: number) =>
    select(if_, op('add', value, like(value, by)), value);
  const unsigned = (e: Expression) => more(float(e), isNegative(e), 2 ** 32);
  return {
    first: times(more(float(first), isNegative(second), 1), 2 ** -32),
    second: times(float(second), 2 ** -64),
    rest: op('add', times(unsigned(third), 2 ** -96), times(unsigned(fourth), 2 ** -128)),
  };
}

const times = (e: Expression, factor: number): Expression => op('mul', e, like(e, factor));

/** The fraction times π/2, in two parts: the first two have so few bits that their products with `high` are exact. */
function timesHalfPi({ first, second, rest }: Parts, { high, low }: Format['halfPi']): [Expression, Expression] {
  const small = op('add', times(op('add', first, second), low), times(rest, high + low));
  return [times(first, high), op('add', times(second, high), small)];
}
