// tf.nn: what neural networks are made of.

import { InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { FloatDType, NumericDType } from '../tensor/dtype.ts';
import { text, wholeNumber } from '../tensor/kinds.ts';
import { compatible, elements, isKnown, type Shape, showShape } from '../tensor/shape.ts';
import type { Broadcast, BroadcastError } from '../tensor/shape-rules.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import type { ChannelSecond, DataFormat } from '../tensor/window-rules.ts';
import { add, div, mul } from './arithmetic.ts';
import { less } from './comparison.ts';
import { toTensor } from './constant.ts';
import { dataFormatKind } from './convolution/window.ts';
import {
  type AnyTensor,
  apply,
  defineOp,
  floats,
  type Named,
  numeric,
  operand,
  requireDType,
  tensor,
} from './define.ts';
import { zerosLike } from './fill.ts';
import { where } from './logic.ts';
import { square } from './math.ts';
import { uniformLike } from './random.ts';
import { reduceSum } from './reduce.ts';
import { reshape } from './shape.ts';

export { elu, gelu, leakyRelu, selu, softplus } from './activations.ts';
export { conv1d } from './convolution/conv1d.ts';
export { type Conv2DOptions, conv2d } from './convolution/conv2d.ts';
export { depthwiseConv2d, separableConv2d } from './convolution/depthwise.ts';
export { conv2dTranspose } from './convolution/transposed.ts';
export { embeddingLookup } from './gather.ts';
export { relu, sigmoid, tanh } from './math.ts';
export {
  type BatchNormalizationFunction,
  type BatchNormalizationOptions,
  batchNormalization,
  type LrnFunction,
  type LrnOptions,
  l2Normalize,
  lrn,
} from './normalization.ts';
export { avgPool, maxPool, type PoolFunction, type PoolOptions } from './pooling.ts';
export { sigmoidCrossEntropyWithLogits, weightedCrossEntropyWithLogits } from './sigmoid-cross-entropy.ts';
export {
  logSoftmax,
  type RowFunction,
  softmax,
  softmaxCrossEntropyWithLogits,
  sparseSoftmaxCrossEntropyWithLogits,
} from './softmax.ts';
export { moments } from './statistics.ts';
export { inTopK, topK } from './top-k.ts';

const biasAddForm = signature('tf.nn.biasAdd', { x: tensor, bias: tensor }, { dataFormat: dataFormatKind, name: text });
/** x + b, the bias b along the last axis of x, with dataFormat 'NCHW' along the second. */
export function biasAdd<
  T extends NumericDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const F extends DataFormat = 'NHWC',
>(
  x: Tensor<T, A>,
  bias: Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<F extends 'NCHW' ? ChannelSecond<A> : A, B, 'biasAdd'>>,
  options?: { readonly dataFormat?: F; readonly name?: string },
): Tensor<T, F extends 'NCHW' ? A : Broadcast<A, B>>;
export function biasAdd(...given: unknown[]): AnyTensor {
  const { x, bias, dataFormat = 'NHWC', name } = biasAddForm.take(given);
  requireDType('biasAdd', x, numeric);
  if (bias.shape && bias.shape.length !== 1) {
    throw new ShapeMismatchError(`biasAdd: the bias must have one axis, but its shape is ${showShape(bias.shape)}.`);
  }
  if (dataFormat === 'NHWC') return add(x, bias, name);
  const [channels, size] = [x.shape?.[1], bias.shape?.[0]];
  if (!x.shape || channels === undefined || !compatible([channels], [size ?? null])) {
    throw new ShapeMismatchError(
      `biasAdd: the bias must have a number for each channel of [batch, channels, …], but their shapes are ${showShape(bias.shape)} and ${showShape(x.shape)}.`,
    );
  }
  return add(x, reshape(bias, [size ?? -1, ...x.shape.slice(2).map(() => 1)]), name);
}

const l2LossForm = signature('tf.nn.l2Loss', { x: tensor }, { name: text }, ['name']);
/**
 * Σ x² / 2: the usual weight penalty.
 *
 * ```ts
 * const decay = tf.addN([W1, W2].map((W) => tf.nn.l2Loss(W)));      // whatever their shapes
 * ```
 */
export function l2Loss<T extends FloatDType = any>(x: Tensor<T, any>, name?: Named): Tensor<T, []>;
export function l2Loss(...given: unknown[]): AnyTensor {
  const { x, name } = l2LossForm.take(given);
  requireDType('l2Loss', x, floats);
  return mul(reduceSum(square(x)), 0.5, name);
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

const dropoutForm = signature('tf.nn.dropout', { x: tensor, keepProb: operand }, { seed: wholeNumber, name: text });
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
export function dropout<T extends FloatDType = any, S extends Shape = any>(
  x: Tensor<T, S>,
  keepProb: Tensor<NoInfer<T>, any> | number,
  options?: { readonly seed?: number; readonly name?: string },
): Tensor<T, S>;
export function dropout(...given: unknown[]): AnyTensor {
  const { x, keepProb, seed, name = 'dropout' } = dropoutForm.take(given);
  requireDType('dropout', x, floats);
  if (typeof keepProb === 'number' && !(keepProb > 0 && keepProb <= 1)) {
    throw new InvalidArgumentError(`dropout: keepProb must be above 0 and at most 1, but ${keepProb} was given.`);
  }
  const keep: AnyTensor = apply(KeepProbabilityOp, [toTensor('dropout', keepProb, x.dtype)], {});
  const kept = less(uniformLike(x, name, seed), keep);
  return where(kept, div(x, keep), zerosLike(x));
}
