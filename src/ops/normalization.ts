// Normalizations: by means and variances, by length, by neighbouring channels.
import { ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { anything, finite, kind, needed, text, wholeNumber } from '../tensor/kinds.ts';
import { isKnown, type Shape, sameShape, showShape } from '../tensor/shape.ts';
import type { BroadcastError } from '../tensor/shape-rules.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import { add, div, mul, neg, sub } from './arithmetic.ts';
import {
  type AnyTensor,
  type Axes,
  apply,
  broadcastShapes,
  defineOp,
  floats,
  type Named,
  type OpDefinition,
  requireDType,
  sameDType,
  tensor,
} from './define.ts';
import { reshapeLike, sumLike } from './like.ts';
import { maximum, pow, rsqrt, square } from './math.ts';
import { reduceSum } from './reduce.ts';
import { centredProduct } from './statistics.ts';

interface BatchNormalizationAttributes {
  readonly epsilon: number;
  readonly hasOffset: boolean;
  readonly hasScale: boolean;
}
/** The inputs after x, mean and variance. */
const affineOf = <V>(rest: readonly V[], { hasOffset, hasScale }: BatchNormalizationAttributes) => ({
  offset: hasOffset ? rest[0] : undefined,
  scale: hasScale ? rest[hasOffset ? 1 : 0] : undefined,
});

/**
 * Inputs: x, mean, variance, offset, scale, of which all but x have the same elements. Two sums over dy are all that
 * their gradients need.
 */
const BatchNormalizationOp: OpDefinition<BatchNormalizationAttributes> = defineOp({
  name: 'BatchNormalization',
  infer: (inputs) => {
    const dtype = sameDType('batchNormalization', inputs);
    requireDType('batchNormalization', inputs[0], floats);
    return { dtype, shape: broadcastShapes('batchNormalization', inputs[0], inputs[1]) };
  },
  gradient: ({ inputs, attributes }, [dy]) => {
    if (!dy) return inputs.map(() => null);
    const [x, mean, variance, ...rest] = inputs;
    const { offset, scale } = affineOf(rest, attributes);
    const inverse = rsqrt(add(variance, attributes.epsilon));
    const factor = scale ? mul(inverse, reshapeLike(scale, inverse)) : inverse;
    const sum = sumLike(dy, mean);
    const product = sumLike(centredProduct(dy, x, mean), mean);
    return [
      sumLike(mul(dy, factor), x),
      neg(mul(sum, factor)),
      mul(mul(product, mul(factor, square(inverse))), -0.5),
      ...(offset ? [reshapeLike(sum, offset)] : []),
      ...(scale ? [reshapeLike(mul(product, inverse), scale)] : []),
    ];
  },
  lower: ([x, mean, variance, ...rest], { attributes }) => {
    const { offset, scale } = affineOf(rest, attributes);
    // As the gradient has it, so that both are one.
    const epsilon = x.node.dtype === 'float32' ? Math.fround(attributes.epsilon) : attributes.epsilon;
    const inverse = (v: s.Scalar) => s.div(1, s.sqrt(s.add(v, epsilon)));
    const factor = scale
      ? p.map([variance, p.reshape(scale, variance.shape)], (v, g) => s.mul(inverse(v), g))
      : p.map([variance], inverse);
    const scaled = (v: s.Scalar, m: s.Scalar, f: s.Scalar) => s.mul(s.sub(v, m), f);
    return offset
      ? p.map([x, mean, factor, offset], (v, m, f, b) => s.add(scaled(v, m, f), b))
      : p.map([x, mean, factor], scaled);
  },
});

/** One number for each channel, and for the same channels? */
function agree(given: readonly AnyTensor[]): boolean {
  const shapes = given.map(({ shape }) => (isKnown(shape) ? shape.slice(shape.findIndex((d) => d !== 1)) : undefined));
  return shapes.every((shape) => shape !== undefined && sameShape(shape, shapes[0] as readonly number[]));
}

const tensorOrNull = kind<AnyTensor | null>('a tensor or null', (v) => v === null || tensor.fits(v));
const batchForm = signature(
  'tf.nn.batchNormalization',
  { x: tensor },
  {
    mean: needed(tensor),
    variance: needed(tensor),
    offset: tensorOrNull,
    scale: tensorOrNull,
    varianceEpsilon: finite,
    name: text,
  },
  ['mean', 'variance', 'offset', 'scale', 'varianceEpsilon', 'name'],
);
/** The statistics and parameters of a batch normalization. They broadcast to x, usually one number for each channel. */
export interface BatchNormalizationOptions<T extends FloatDType, A extends Shape, M extends Shape> {
  readonly mean: Tensor<NoInfer<T>, M> & ShapeError<BroadcastError<A, M, 'batchNormalization'>>;
  readonly variance: Tensor<NoInfer<T>, any>;
  /** β, which is added; by default, and for null, 0. */
  readonly offset?: Tensor<NoInfer<T>, any> | null;
  /** γ, a factor; by default, and for null, 1. */
  readonly scale?: Tensor<NoInfer<T>, any> | null;
  /** What keeps the root from 0 (default 0.001). */
  readonly varianceEpsilon?: number;
  readonly name?: string;
}
/** `tf.nn.batchNormalization`, with options or in TensorFlow's order. */
export interface BatchNormalizationFunction {
  <T extends FloatDType = any, A extends Shape = any, M extends Shape = any>(
    x: Tensor<T, A>,
    mean: Tensor<NoInfer<T>, M> & ShapeError<BroadcastError<A, M, 'batchNormalization'>>,
    variance: Tensor<NoInfer<T>, any>,
    offset?: Tensor<NoInfer<T>, any> | null,
    scale?: Tensor<NoInfer<T>, any> | null,
    varianceEpsilon?: number,
    name?: Named,
  ): Tensor<T, A>;
  <T extends FloatDType = any, A extends Shape = any, M extends Shape = any>(
    x: Tensor<T, A>,
    options: BatchNormalizationOptions<T, A, M>,
  ): Tensor<T, A>;
}
function normalizeBatch(...given: unknown[]): AnyTensor {
  const { x, mean, variance, offset, scale, varianceEpsilon = 0.001, name } = batchForm.take(given);
  const op = 'batchNormalization';
  const parameters = [mean, variance, ...[offset, scale].filter((t) => t !== null && t !== undefined)];
  if (x.shape) {
    for (const { shape } of parameters) {
      if (shape && shape.length > x.shape.length)
        throw new ShapeMismatchError(`${op}: ${showShape(shape)} does not broadcast to x, ${showShape(x.shape)}.`);
    }
  }
  if (agree(parameters)) {
    const attributes = { epsilon: varianceEpsilon, hasOffset: !!offset, hasScale: !!scale };
    return apply(BatchNormalizationOp, [x, ...parameters], attributes, name ?? 'batchNormalization');
  }
  const inverse = rsqrt(add(variance, varianceEpsilon));
  const scaled = mul(sub(x, mean), scale ? mul(inverse, scale) : inverse, offset ? undefined : name);
  return offset ? add(scaled, offset, name) : scaled;
}
/**
 * (x − mean) / √(variance + ε) · γ + β: with the moments of a batch to train, with moving averages of them to predict.
 *
 * @throws ShapeMismatchError when the statistics do not broadcast to x; DTypeError when dtypes differ.
 *
 * ```ts
 * const [mean, variance] = tf.nn.moments(x, [0, 1, 2]);
 * const y = tf.nn.batchNormalization(x, mean, variance, beta, gamma, 1e-3);
 * tf.nn.batchNormalization(x, { mean, variance, offset: beta, scale: gamma });
 * ```
 *
 * Source: Ioffe and Szegedy, "Batch Normalization", ICML 2015.
 */
export const batchNormalization: BatchNormalizationFunction = normalizeBatch as BatchNormalizationFunction;

const l2Form = signature(
  'tf.nn.l2Normalize',
  { x: tensor },
  { axis: anything<Axes>('an axis, or an array of them'), epsilon: finite, name: text },
  ['axis', 'epsilon', 'name'],
);
/**
 * x / √max(Σ x², ε) over the given axes, or all of them: of length 1.
 *
 * @param epsilon the least sum of squares (default 10⁻¹²): what is 0 stays 0.
 */
export function l2Normalize<T extends FloatDType = any, A extends Shape = any>(
  x: Tensor<T, A>,
  axis?:
    | number
    | readonly number[]
    | { readonly axis?: number | readonly number[]; readonly epsilon?: number; readonly name?: string },
  epsilon?: number | { readonly epsilon?: number; readonly name?: string },
  name?: Named,
): Tensor<T, A>;
export function l2Normalize(...given: unknown[]): AnyTensor {
  const { x, axis, epsilon = 1e-12, name } = l2Form.take(given);
  requireDType('l2Normalize', x, floats);
  const squares = reduceSum(square(x), axis, { keepDims: true }) as AnyTensor;
  return mul(x, rsqrt(maximum(squares, epsilon)), name);
}

/** out[…, c] = Σ x[…, k] over |k − c| ≤ radius along the last axis. It is its own adjoint. */
const NeighbourSumOp: OpDefinition<{ radius: number }> = defineOp({
  name: 'NeighbourSum',
  infer: ([x]) => x,
  gradient: ({ attributes }, [dy]) => [dy && apply(NeighbourSumOp, [dy], attributes)],
  lower: ([x], { attributes: { radius } }) => {
    const last = x.shape.length - 1;
    const around = x.shape.map((_, i) => (i === last ? radius : 0));
    const padded = p.pad(x, around, around);
    const windows = p.strided(padded, [...x.shape, 2 * radius + 1], [...padded.strides, padded.strides[last]]);
    return p.reduce('sum', windows, [last + 1]);
  },
});
const lrnForm = signature(
  'tf.nn.lrn',
  { x: tensor },
  { depthRadius: wholeNumber, bias: finite, alpha: finite, beta: finite, name: text },
  ['depthRadius', 'bias', 'alpha', 'beta', 'name'],
);
/** How `tf.nn.lrn` weighs the neighbouring channels. */
export interface LrnOptions {
  /** So many channels on either side count (default 5). */
  readonly depthRadius?: number;
  /** (default 1) */
  readonly bias?: number;
  /** (default 1) */
  readonly alpha?: number;
  /** (default 0.5) */
  readonly beta?: number;
  readonly name?: string;
}
/** `tf.nn.lrn`, with options or in TensorFlow's order. */
export interface LrnFunction {
  <T extends FloatDType = any, A extends Shape = any>(
    x: Tensor<T, A>,
    depthRadius: number,
    bias?: number,
    alpha?: number,
    beta?: number,
    name?: Named,
  ): Tensor<T, A>;
  <T extends FloatDType = any, A extends Shape = any>(x: Tensor<T, A>, options?: LrnOptions): Tensor<T, A>;
}
/**
 * Local response normalization: x / (bias + α·Σ x²)^β, summed over the channels (the last axis) at a distance of at most
 * `depthRadius`.
 *
 * Source: Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks", NIPS 2012.
 */
export const lrn: LrnFunction = (...given: unknown[]): AnyTensor => {
  const { x, depthRadius = 5, bias = 1, alpha = 1, beta = 0.5, name } = lrnForm.take(given);
  requireDType('lrn', x, floats);
  if (x.shape?.length === 0 || depthRadius < 0) {
    throw new ShapeMismatchError(
      `lrn: needs an axis of channels and a depthRadius of at least 0, but the shape is ${showShape(x.shape)} and the radius ${depthRadius}.`,
    );
  }
  const sums = apply(NeighbourSumOp, [square(x)], { radius: depthRadius }) as AnyTensor;
  const size = add(mul(sums, alpha), bias);
  return beta === 0.5 ? mul(x, rsqrt(size), name) : div(x, pow(size, beta), name);
};
