// Elementwise functions.
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { DType, FloatDType, NumericDType } from '../tensor/dtype.ts';
import type { Shape } from '../tensor/shape.ts';
import { add, type BinaryFunction, binaryFunction, defineBinary, div, mul, neg, sub } from './arithmetic.ts';
import { equal, greater, greaterEqual, lessEqual } from './comparison.ts';
import {
  type AnyTensor,
  apply,
  defineOp,
  floats,
  functionName,
  numeric,
  type OpDefinition,
  requireDType,
} from './define.ts';
import { zerosLike } from './fill.ts';
import { logicalNot, where } from './logic.ts';

/** An elementwise op of one operand; `gradient` gets x, y and dy. */
function defineUnary(
  name: string,
  allowed: readonly DType[],
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
export function abs<T extends NumericDType, S extends Shape>(x: Tensor<T, S>, name?: string): Tensor<T, S> {
  return apply(AbsOp, [x], {}, name);
}

const SignOp = defineUnary('Sign', numeric, s.sign, (x) => zerosLike(x));
/** −1, 0 or 1; NaN for NaN, and a zero keeps its sign. Its gradient is 0. */
export function sign<T extends NumericDType, S extends Shape>(x: Tensor<T, S>, name?: string): Tensor<T, S> {
  return apply(SignOp, [x], {}, name);
}

// d(x²) = 2x · dx
const SquareOp = defineUnary(
  'Square',
  numeric,
  (x) => s.mul(x, x),
  (x, _, dy) => mul(mul(dy, x), 2),
);
/** x². */
export function square<T extends NumericDType, S extends Shape>(x: Tensor<T, S>, name?: string): Tensor<T, S> {
  return apply(SquareOp, [x], {}, name);
}

// d√x = dx / 2√x
const SqrtOp = defineUnary('Sqrt', floats, s.sqrt, (_, y, dy) => div(mul(dy, 0.5), y));
/** √x; NaN below 0, and −0 for −0. */
export function sqrt<T extends FloatDType, S extends Shape>(x: Tensor<T, S>, name?: string): Tensor<T, S> {
  return apply(SqrtOp, [x], {}, name);
}

// d(1/√x) = −½ y³ · dx
const RsqrtOp = defineUnary(
  'Rsqrt',
  floats,
  (x) => s.div(1, s.sqrt(x)),
  (_, y, dy) => mul(mul(dy, mul(y, square(y))), -0.5),
);
/** 1 / √x; ±∞ for ±0. */
export function rsqrt<T extends FloatDType, S extends Shape>(x: Tensor<T, S>, name?: string): Tensor<T, S> {
  return apply(RsqrtOp, [x], {}, name);
}

// d(eˣ) = eˣ · dx
const ExpOp = defineUnary('Exp', floats, s.exp, (_, y, dy) => mul(dy, y));
/** eˣ. What would be below the smallest normal number (2⁻¹²⁶, float64: 2⁻¹⁰²²) is 0, for speed. */
export function exp<T extends FloatDType, S extends Shape>(x: Tensor<T, S>, name?: string): Tensor<T, S> {
  return apply(ExpOp, [x], {}, name);
}

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
export function log<T extends FloatDType, S extends Shape>(x: Tensor<T, S>, name?: string): Tensor<T, S> {
  return apply(LogOp, [x], {}, name);
}

// d tanh x = (1 − y²) · dx
const TanhOp = defineUnary('Tanh', floats, s.tanh, (_, y, dy) => mul(dy, sub(1, square(y))));
/** (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ). */
export function tanh<T extends FloatDType, S extends Shape>(x: Tensor<T, S>, name?: string): Tensor<T, S> {
  return apply(TanhOp, [x], {}, name);
}

// d sigmoid x = y (1 − y) · dx
const SigmoidOp = defineUnary(
  'Sigmoid',
  floats,
  (x) => s.div(1, s.add(s.exp(s.neg(x)), 1)),
  (_, y, dy) => mul(dy, mul(y, sub(1, y))),
);
/** 1 / (1 + e⁻ˣ). */
export function sigmoid<T extends FloatDType, S extends Shape>(x: Tensor<T, S>, name?: string): Tensor<T, S> {
  return apply(SigmoidOp, [x], {}, name);
}

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
export function relu<T extends NumericDType, S extends Shape>(x: Tensor<T, S>, name?: string): Tensor<T, S> {
  return apply(ReluOp, [x], {}, name);
}

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
