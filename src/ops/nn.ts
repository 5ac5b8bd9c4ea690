// tf.nn: what neural networks are made of.

import { InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { FloatDType, NumericDType } from '../tensor/dtype.ts';
import { elements, isKnown, type Shape, showShape } from '../tensor/shape.ts';
import type { Broadcast, BroadcastError } from '../tensor/shape-rules.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { add, div, mul } from './arithmetic.ts';
import { less } from './comparison.ts';
import { toTensor } from './constant.ts';
import { type AnyTensor, apply, defineOp, floats, requireDType } from './define.ts';
import { zerosLike } from './fill.ts';
import { where } from './logic.ts';
import { square } from './math.ts';
import { uniformLike } from './random.ts';
import { reduceSum } from './reduce.ts';

export { conv2d } from './convolution.ts';
export { relu, sigmoid, tanh } from './math.ts';
export { avgPool, maxPool, type PoolOptions } from './pooling.ts';
export { logSoftmax, softmax, softmaxCrossEntropyWithLogits, sparseSoftmaxCrossEntropyWithLogits } from './softmax.ts';

/** x + b, the bias b along the last axis of x. */
export function biasAdd<T extends NumericDType, A extends Shape, B extends Shape>(
  x: Tensor<T, A>,
  bias: Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'biasAdd'>>,
  name?: string,
): Tensor<T, Broadcast<A, B>> {
  if (bias.shape && bias.shape.length !== 1) {
    throw new ShapeMismatchError(`biasAdd: the bias must have one axis, but its shape is ${showShape(bias.shape)}.`);
  }
  return add(x as AnyTensor, bias as AnyTensor, name) as Tensor<T, any>;
}

/** Σ x² / 2: the usual weight penalty. */
export function l2Loss<T extends FloatDType, S extends Shape>(x: Tensor<T, S>): Tensor<T, []> {
  return mul(reduceSum(square(x as AnyTensor)), 0.5) as Tensor<T, any>;
}

/** keepProb as a scalar, refused when it is not in (0, 1]. */
const KeepProbabilityOp = defineOp({
  name: 'KeepProbability',
  infer: ([x]) => {
    requireDType('dropout keepProb', x, floats);
    if (isKnown(x.shape) && elements(x.shape) !== 1) {
      throw new ShapeMismatchError(`dropout: keepProb must be one number, but its shape is ${showShape(x.shape)}.`);
    }
    return { dtype: x.dtype, shape: [] };
  },
  gradient: () => [null],
  lower: ([x], { require }) => {
    const inRange = (v: s.Scalar) => s.and(s.less(s.constant(0, v.dtype), v), s.lessEqual(v, 1));
    require(p.check([x], inRange, 'dropout: keepProb must be above 0 and at most 1, but {value} was given.'));
    return p.reshape(x, []);
  },
});

/**
 * Keeps each element with probability `keepProb`, scaled by 1 / keepProb, and sets the others to 0. The choice is made
 * anew in each run; gradients flow through what was kept. With keepProb 1 the result is x, bit for bit.
 *
 * @param keepProb a number in (0, 1], or a placeholder that is fed one.
 * @throws InvalidArgumentError for a number out of range; when a fed one is, the run fails.
 *
 * ```ts
 * const keepProb = tf.placeholder('float32');
 * const h = tf.nn.dropout(x, keepProb);         // feed 0.5 to train, 1 to test
 * ```
 *
 * Source: Srivastava et al., "Dropout", JMLR 15, 2014.
 */
export function dropout<T extends FloatDType, S extends Shape>(
  x: Tensor<T, S>,
  keepProb: Tensor<NoInfer<T>, any> | number,
  options: { seed?: number; name?: string } = {},
): Tensor<T, S> {
  if (typeof keepProb === 'number' && !(keepProb > 0 && keepProb <= 1)) {
    throw new InvalidArgumentError(`dropout: keepProb must be above 0 and at most 1, but ${keepProb} was given.`);
  }
  const keep: AnyTensor = apply(KeepProbabilityOp, [toTensor('dropout', keepProb, x.dtype)], {});
  const input = x as AnyTensor;
  const kept = less(uniformLike(input, options.name ?? 'dropout', options.seed), keep);
  return where(kept, div(input, keep), zerosLike(input)) as Tensor<T, any>;
}
