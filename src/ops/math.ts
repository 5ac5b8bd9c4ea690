// Elementwise functions.
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { FloatDType, NumericDType } from '../tensor/dtype.ts';
import { add, type BinaryFunction, binaryFunction, defineBinary, div, mul, neg, sub } from './arithmetic.ts';
import { equal, greater, greaterEqual, lessEqual } from './comparison.ts';
import {
  type AnyTensor,
  apply,
  type DTypes,
  defineOp,
  dtypesOf,
  floats,
  functionName,
  numeric,
  type OpDefinition,
  requireDType,
  type UnaryFunction,
  unaryFunction,
} from './define.ts';
import { zerosLike } from './fill.ts';
import { logicalNot, where } from './logic.ts';

/** @internal An elementwise op of one operand; `gradient` gets x, y and dy. */
export function defineUnary(
  name: string,
  allowed: DTypes,
  body: (x: s.Scalar) => s.Scalar,
  gradient?: (x: AnyTensor, y: AnyTensor, dy: AnyTensor) => AnyTensor | null,
): OpDefinition {
  const op = functionName(name);
  return defineOp({
    name,
    infer: ([x]) => ({ ...x, dtype: requireDType(op, x, allowed) }),
    ...(gradient && { gradient: ({ inputs: [x], outputs: [y] }, [dy]) => [dy && gradient(x, y, dy)] }),
    lower: ([x]) => p.map([x], body),
  });
}

// d|x| = sign x · dx
const AbsOp = defineUnary('Abs', numeric, s.abs, (x, _, dy) => mul(dy, sign(x)));
/** |x|. Of the smallest int32 it is that itself, because integers wrap. */
export const abs: UnaryFunction<NumericDType> = unaryFunction(AbsOp);

const SignOp = defineUnary('Sign', numeric, s.sign, (x) => zerosLike(x));
/** −1, 0 or 1; NaN for NaN, and a zero keeps its sign. Its gradient is 0. */
export const sign: UnaryFunction<NumericDType> = unaryFunction(SignOp);

// d(x²) = 2x · dx
const SquareOp = defineUnary(
  'Square',
  numeric,
  (x) => s.mul(x, x),
  (x, _, dy) => mul(mul(dy, x), 2),
);
/** x². */
export const square: UnaryFunction<NumericDType> = unaryFunction(SquareOp);

// Whole numbers do not change with x: no gradient flows through them.
const whole = dtypesOf(floats, 'integers are whole already');
const FloorOp = defineUnary('Floor', whole, s.floor);
/** ⌊x⌋, the largest whole number of at most x; a zero keeps its sign. It has no gradient. */
export const floor: UnaryFunction<FloatDType> = unaryFunction(FloorOp);

const CeilOp = defineUnary('Ceil', whole, (x) => s.neg(s.floor(s.neg(x))));
/** ⌈x⌉, the smallest whole number of at least x; −0 for what is between −1 and 0. It has no gradient. */
export const ceil: UnaryFunction<FloatDType> = unaryFunction(CeilOp);

const RoundOp = defineUnary('Round', numeric, (x) => (floats.includes(x.dtype) ? s.round(x) : x));
/**
 * The nearest whole number, halves to the even one: 2 for 2.5, 4 for 3.5. The sign stays, −0 for −0.4; integers are as
 * they were. It has no gradient.
 */
export const round: UnaryFunction<NumericDType> = unaryFunction(RoundOp);

// d sin x = cos x · dx
const SinOp = defineUnary('Sin', floats, s.sin, (x, _, dy) => mul(dy, cos(x)));
/** sin x, of an angle in radians of any size; NaN for infinities. */
export const sin: UnaryFunction<FloatDType> = unaryFunction(SinOp);

// d cos x = −sin x · dx
const CosOp = defineUnary('Cos', floats, s.cos, (x, _, dy) => neg(mul(dy, sin(x))));
/** cos x, of an angle in radians of any size; NaN for infinities. */
export const cos: UnaryFunction<FloatDType> = unaryFunction(CosOp);

// d√x = dx / 2√x
const SqrtOp = defineUnary('Sqrt', floats, s.sqrt, (_, y, dy) => div(mul(dy, 0.5), y));
/** √x; NaN below 0, and −0 for −0. */
export const sqrt: UnaryFunction<FloatDType> = unaryFunction(SqrtOp);

// d(1/√x) = −½ y³ · dx
const RsqrtOp = defineUnary(
  'Rsqrt',
  floats,
  (x) => s.div(1, s.sqrt(x)),
  (_, y, dy) => mul(mul(dy, mul(y, square(y))), -0.5),
);
/** 1 / √x; ±∞ for ±0. */
export const rsqrt: UnaryFunction<FloatDType> = unaryFunction(RsqrtOp);

// d(eˣ) = eˣ · dx
const ExpOp = defineUnary('Exp', floats, s.exp, (_, y, dy) => mul(dy, y));
/** eˣ. What would be below the smallest normal number (2⁻¹²⁶, float64: 2⁻¹⁰²²) is 0, for speed. */
export const exp: UnaryFunction<FloatDType> = unaryFunction(ExpOp);

// d(eˣ − 1) = (y + 1) · dx
const Expm1Op = defineUnary('Expm1', floats, s.expm1, (_, y, dy) => mul(dy, add(y, 1)));
/** eˣ − 1, exact for small x too, where `exp(x) - 1` loses its digits. */
export const expm1: UnaryFunction<FloatDType> = unaryFunction(Expm1Op);

/** @internal dy / x, named so that the compiler can see it meet a softmax. */
export const LogGradOp: OpDefinition = defineOp({
  name: 'LogGrad',
  infer: ([x]) => x,
  // d(dy/x) = ddy/x − dy/x²·dx
  gradient: ({ inputs: [x], outputs: [z] }, [dz]) => [dz && neg(div(mul(dz, z), x)), dz && div(dz, x)],
  lower: ([x, dy]) => p.map([x, dy], (v, d) => s.div(d, v)),
});
/** @internal d(ln x) = dx / x */
export const LogOp = defineUnary('Log', floats, s.log, (x, _, dy) => apply(LogGradOp, [x, dy], {}));
/**
 * ln x: −∞ at 0, NaN below. `log` of a `softmax` is computed as one function, so it is finite where a probability
 * is too small for a float.
 */
export const log: UnaryFunction<FloatDType> = unaryFunction(LogOp);

// d ln(1 + x) = dx / (1 + x)
const Log1pOp = defineUnary('Log1p', floats, s.log1p, (x, _, dy) => div(dy, add(x, 1)));
/** ln(1 + x), exact for small x too, where `log(1 + x)` loses its digits: −∞ at −1, NaN below. */
export const log1p: UnaryFunction<FloatDType> = unaryFunction(Log1pOp);

// d erf x = 2/√π · e^(−x²) · dx
const ErfOp = defineUnary('Erf', floats, s.erf, (x, _, dy) =>
  mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
);
/** The error function, 2/√π · ∫ e^(−t²) dt from 0 to x. */
export const erf: UnaryFunction<FloatDType> = unaryFunction(ErfOp);

// d tanh x = (1 − y²) · dx
const TanhOp = defineUnary('Tanh', floats, s.tanh, (_, y, dy) => mul(dy, sub(1, square(y))));
/** (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ). */
export const tanh: UnaryFunction<FloatDType> = unaryFunction(TanhOp);

// d sigmoid x = y (1 − y) · dx
const SigmoidOp = defineUnary(
  'Sigmoid',
  floats,
  (x) => s.div(1, s.add(s.exp(s.neg(x)), 1)),
  (_, y, dy) => mul(dy, mul(y, sub(1, y))),
);
/** 1 / (1 + e⁻ˣ). */
export const sigmoid: UnaryFunction<FloatDType> = unaryFunction(SigmoidOp);

const ReluGradOp: OpDefinition = defineOp({
  name: 'ReluGrad',
  infer: ([dy]) => dy,
  gradient: ({ inputs: [, y] }, [dz]) => [dz && apply(ReluGradOp, [dz, y], {}), null],
  lower: ([dy, y]) => p.map([dy, y], (d, v) => s.select(s.less(s.constant(0, v.dtype), v), d, 0)),
});
// d max(x, 0) = dx where the result is above 0
const ReluOp = defineUnary(
  'Relu',
  numeric,
  (x) => s.max(x, 0),
  (_, y, dy) => apply(ReluGradOp, [dy, y], {}),
);
/** max(x, 0): NaN stays NaN, −0 becomes 0. The gradient at 0 is 0. */
export const relu: UnaryFunction<NumericDType> = unaryFunction(ReluOp, 'tf.nn.relu');

// d(xʸ) = y·xʸ⁻¹·dx + ln(x)·xʸ·dy, the second only where x > 0 (as TensorFlow has it)
const PowOp = defineBinary('Pow', s.pow, (x, y, dz, z) => {
  const positive = greater(x, zerosLike(x));
  const safe = where(positive, x, add(zerosLike(x), 1));
  const flat = logicalNot(equal(y, zerosLike(y)));
  const dx = where(flat, mul(mul(dz, y), pow(x, sub(y, 1))), zerosLike(z));
  return [dx, mul(mul(dz, z), where(positive, log(safe), zerosLike(x)))];
});
/**
 * aᵇ, elementwise with broadcasting. A negative base has a power only for whole exponents, else NaN; zeros, infinities
 * and NaN are as in IEEE 754 (C99 F.9.4.4): `pow(1, y)` and `pow(x, 0)` are 1. Integers are multiplied out, wrapping; a
 * negative integer exponent gives the truncated quotient (0, or ±1 for a base of ±1).
 */
export const pow: BinaryFunction<'pow'> = binaryFunction(PowOp);

// the gradient goes to the larger operand, to the first of equals
const MaximumOp = defineBinary('Maximum', s.max, (x, y, dz) => {
  const first = greaterEqual(x, y);
  return [where(first, dz, zerosLike(dz)), where(first, zerosLike(dz), dz)];
});
/** The larger of a and b, elementwise with broadcasting; NaN if either is NaN. −0 is less than 0. */
export const maximum: BinaryFunction<'maximum'> = binaryFunction(MaximumOp);

const MinimumOp = defineBinary('Minimum', s.min, (x, y, dz) => {
  const first = lessEqual(x, y);
  return [where(first, dz, zerosLike(dz)), where(first, zerosLike(dz), dz)];
});
/** The smaller of a and b, elementwise with broadcasting; NaN if either is NaN. −0 is less than 0. */
export const minimum: BinaryFunction<'minimum'> = binaryFunction(MinimumOp);
