// Activations beside relu, sigmoid and tanh, which are in math.ts.
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { finite, text, trueOrFalse } from '../tensor/kinds.ts';
import type { Shape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { add, mul } from './arithmetic.ts';
import { less } from './comparison.ts';
import {
  type AnyTensor,
  apply,
  defineOp,
  floats,
  type Named,
  type OpDefinition,
  requireDType,
  tensor,
  type UnaryFunction,
  unaryFunction,
} from './define.ts';
import { where } from './logic.ts';
import { defineUnary, erf, exp, minimum, sigmoid, square, tanh } from './math.ts';

// d elu x = (min(y, 0) + 1) · dx
const EluOp = defineUnary(
  'Elu',
  floats,
  (x) => s.select(s.less(x, 0), s.expm1(x), x),
  (_, y, dy) => mul(dy, add(minimum(y, 0), 1)),
);
/**
 * x where x ≥ 0, else eˣ − 1.
 *
 * Source: Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units", 2015.
 */
export const elu: UnaryFunction<FloatDType> = unaryFunction(EluOp, 'tf.nn.elu');

const seluScale = 1.0507009873554805;
const seluAlpha = 1.6732632423543772;
// d selu x = λ · dx, or (y + λα) · dx below 0
const SeluOp = defineUnary(
  'Selu',
  floats,
  (x) => s.select(s.less(x, 0), s.mul(s.expm1(x), seluScale * seluAlpha), s.mul(x, seluScale)),
  (_, y, dy) => mul(dy, where(less(y, 0), add(y, seluScale * seluAlpha), seluScale)),
);
/**
 * λx where x ≥ 0, else λα(eˣ − 1), with λ = 1.0507… and α = 1.6732…, which keep mean 0 and variance 1.
 *
 * Source: Klambauer et al., "Self-Normalizing Neural Networks", 2017.
 */
export const selu: UnaryFunction<FloatDType> = unaryFunction(SeluOp, 'tf.nn.selu');

// d softplus x = sigmoid x · dx
const SoftplusOp = defineUnary(
  'Softplus',
  floats,
  (x) => s.add(s.max(x, 0), s.log1p(s.exp(s.neg(s.abs(x))))),
  (x, _, dy) => mul(dy, sigmoid(x)),
);
/** ln(1 + eˣ), for x of any size: it never overflows. */
export const softplus: UnaryFunction<FloatDType> = unaryFunction(SoftplusOp, 'tf.nn.softplus');

interface Slope {
  readonly alpha: number;
}
/** Inputs: v, x. v where x > 0, else α·v: linear in v. */
const LeakyReluGradOp: OpDefinition<Slope> = defineOp({
  name: 'LeakyReluGrad',
  infer: ([v]) => v,
  gradient: ({ inputs: [, x], attributes }, [dz]) => [dz && apply(LeakyReluGradOp, [dz, x], attributes), null],
  lower: ([v, x], { attributes: { alpha } }) =>
    p.map([v, x], (d, e) => s.select(s.less(s.constant(0, e.dtype), e), d, s.mul(d, alpha))),
});
const LeakyReluOp = defineOp<Slope>({
  name: 'LeakyRelu',
  infer: ([x]) => ({ ...x, dtype: requireDType('leakyRelu', x, floats) }),
  gradient: ({ inputs: [x], attributes }, [dy]) => [dy && apply(LeakyReluGradOp, [dy, x], attributes)],
  lower: ([x], { attributes: { alpha } }) =>
    p.map([x], (v) => s.select(s.less(s.constant(0, v.dtype), v), v, s.mul(v, alpha))),
});
const leakyForm = signature('tf.nn.leakyRelu', { x: tensor }, { alpha: finite, name: text }, ['alpha', 'name']);
/**
 * x where x > 0, else αx. The gradient at 0 is α.
 *
 * @param alpha the slope below 0 (default 0.2).
 *
 * Source: Maas et al., "Rectifier Nonlinearities Improve Neural Network Acoustic Models", ICML 2013.
 */
export function leakyRelu<T extends FloatDType = any, S extends Shape = any>(
  x: Tensor<T, S>,
  alpha?: number | { readonly alpha?: number; readonly name?: string },
  name?: Named,
): Tensor<T, S>;
export function leakyRelu(...given: unknown[]): AnyTensor {
  const { x, alpha = 0.2, name } = leakyForm.take(given);
  return apply(LeakyReluOp, [x], { alpha }, name);
}

// d gelu x = (Φ(x) + x·φ(x)) · dx
const GeluOp = defineUnary(
  'Gelu',
  floats,
  (x) => s.mul(s.mul(x, 0.5), s.add(s.erf(s.mul(x, Math.SQRT1_2)), 1)),
  (x, _, dy) => {
    const distribution = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
    const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return mul(dy, add(distribution, mul(x, density)));
  },
);
const geluForm = signature('tf.nn.gelu', { x: tensor }, { approximate: trueOrFalse, name: text }, [
  'approximate',
  'name',
]);
/**
 * x·Φ(x), where Φ is the normal distribution function: ½x(1 + erf(x / √2)).
 *
 * @param approximate takes ½x(1 + tanh(√(2/π)(x + 0.044715x³))) instead, as GPT-2 does.
 *
 * Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
 */
export function gelu<T extends FloatDType = any, S extends Shape = any>(
  x: Tensor<T, S>,
  approximate?: boolean | { readonly approximate?: boolean; readonly name?: string },
  name?: Named,
): Tensor<T, S>;
export function gelu(...given: unknown[]): AnyTensor {
  const { x, approximate = false, name = 'Gelu' } = geluForm.take(given);
  if (!approximate) return apply(GeluOp, [x], {}, name);
  const inner = mul(add(x, mul(mul(square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return mul(mul(x, 0.5), add(tanh(inner), 1), name);
}
