// Losses of predictions beside labels of the same shape.
import type { Tensor } from '../graph/tensor.ts';
import { add, mul, sub } from '../ops/arithmetic.ts';
import { type AnyTensor, tensor } from '../ops/define.ts';
import { cast } from '../ops/logic.ts';
import { abs, log, maximum, minimum, square } from '../ops/math.ts';
import { reduceSum } from '../ops/reduce.ts';
import type { Reduce } from '../tensor/axis-rules.ts';
import type { DType, FloatDType } from '../tensor/dtype.ts';
import { kind, needed, wholeNumber } from '../tensor/kinds.ts';
import type { Shape } from '../tensor/shape.ts';
import type { SameShapeError } from '../tensor/shape-rules.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import { type LossOptions, lossKinds, lossOf, lossOrder, type Reduced, type Reduction, sameShape } from './weighted.ts';

type ByDefault = 'weighted_sum_by_nonzero_weights';
/** A loss of predictions beside labels of the same shape; O are options of its own. */
export interface LossFunction<Op extends string, O = {}> {
  <T extends FloatDType = any, A extends Shape = any, B extends Shape = any, const R extends Reduction = ByDefault>(
    labels: Tensor<DType, A>,
    predictions: Tensor<T, B> & ShapeError<SameShapeError<A, B, Op, 'labels', 'predictions'>>,
    weights: number | Tensor<DType, any>,
    options?: Omit<LossOptions<R>, 'weights'> & O,
  ): Tensor<T, Reduced<R, B>>;
  <T extends FloatDType = any, A extends Shape = any, B extends Shape = any, const R extends Reduction = ByDefault>(
    labels: Tensor<DType, A>,
    predictions: Tensor<T, B> & ShapeError<SameShapeError<A, B, Op, 'labels', 'predictions'>>,
    options?: LossOptions<R> & O,
  ): Tensor<T, Reduced<R, B>>;
}

type Operands = readonly [labels: AnyTensor, predictions: AnyTensor];
interface Rule<K extends object> {
  readonly op: string;
  /** What its operations are called after. */
  readonly base: string;
  /** How the second argument is called. */
  readonly predictions: 'predictions' | 'logits';
  /** Options of its own, each a number. */
  readonly own: K;
  readonly each: (operands: Operands, values: { readonly [N in keyof K]: number | undefined }) => AnyTensor;
}
function lossFunction<F, const K extends Readonly<Record<string, typeof positive>>>({
  op,
  base,
  predictions: second,
  own,
  each,
}: Rule<K>): F {
  const form = signature(`tf.losses.${op}`, { labels: tensor, [second]: tensor }, { ...own, ...lossKinds }, [
    'weights',
  ]);
  const call = (...given: unknown[]): AnyTensor => {
    const { labels, [second]: predictions, ...options } = form.take(given) as Record<string, any>;
    sameShape(op, ['labels', second], labels, predictions);
    const build = () =>
      each(
        [labels.dtype === predictions.dtype ? labels : cast(labels, predictions.dtype), predictions],
        options as { readonly [N in keyof K]: number | undefined },
      );
    return lossOf(op, base, [predictions], { build, options });
  };
  return call as F;
}

const positive = kind<number>('a finite number above 0', (v) => Number.isFinite(v) && (v as number) > 0);

/**
 * (labels − predictions)².
 *
 * The result is the mean over all elements whose weight is not 0, unless `reduction` says otherwise, and is added to the
 * collection `tf.GraphKeys.LOSSES`.
 *
 * @throws ShapeMismatchError when labels and predictions differ in shape.
 *
 * ```ts
 * const loss = tf.losses.meanSquaredError(labels, predictions);
 * ```
 *
 * Reference: tf.losses.mean_squared_error of TensorFlow 1.
 */
export const meanSquaredError: LossFunction<'meanSquaredError'> = lossFunction({
  op: 'meanSquaredError',
  base: 'mean_squared_error',
  predictions: 'predictions',
  own: {},
  each: ([labels, predictions]) => square(sub(predictions, labels) as AnyTensor) as AnyTensor,
});

/** |labels − predictions|. As `tf.losses.meanSquaredError`. */
export const absoluteDifference: LossFunction<'absoluteDifference'> = lossFunction({
  op: 'absoluteDifference',
  base: 'absolute_difference',
  predictions: 'predictions',
  own: {},
  each: ([labels, predictions]) => abs(sub(predictions, labels) as AnyTensor) as AnyTensor,
});

/**
 * Of the error e: e² / 2 where |e| ≤ delta, else delta·|e| − delta² / 2. As `tf.losses.meanSquaredError`.
 *
 * @param options.delta default 1.
 *
 * Source: Huber, "Robust estimation of a location parameter", 1964.
 */
export const huberLoss: LossFunction<'huberLoss', { readonly delta?: number | undefined }> = lossFunction({
  op: 'huberLoss',
  base: 'huber_loss',
  predictions: 'predictions',
  own: { delta: positive },
  each: ([labels, predictions], { delta = 1 }) => {
    const error = abs(sub(predictions, labels) as AnyTensor) as AnyTensor;
    const near = minimum(error, delta) as AnyTensor;
    return add(
      mul(square(near) as AnyTensor, 0.5),
      mul(sub(error, near) as AnyTensor, delta) as AnyTensor,
    ) as AnyTensor;
  },
});

/**
 * −labels·ln(predictions + ε) − (1 − labels)·ln(1 − predictions + ε), of probabilities. As `tf.losses.meanSquaredError`.
 *
 * Of logits, `tf.losses.sigmoidCrossEntropy` is safer.
 *
 * @param options.epsilon default 10⁻⁷.
 */
export const logLoss: LossFunction<'logLoss', { readonly epsilon?: number | undefined }> = lossFunction({
  op: 'logLoss',
  base: 'log_loss',
  predictions: 'predictions',
  own: { epsilon: positive },
  each: ([labels, predictions], { epsilon = 1e-7 }) => {
    const ofOne = mul(labels, log(add(predictions, epsilon) as AnyTensor) as AnyTensor) as AnyTensor;
    const ofZero = mul(
      sub(1, labels) as AnyTensor,
      log(add(sub(1, predictions), epsilon) as AnyTensor) as AnyTensor,
    ) as AnyTensor;
    return mul(add(ofOne, ofZero) as AnyTensor, -1) as AnyTensor;
  },
});

/**
 * max(0, 1 − (2·labels − 1)·logits), of labels 0 and 1. As `tf.losses.meanSquaredError`.
 *
 * Source: Cortes and Vapnik, "Support-vector networks", 1995.
 */
export const hingeLoss: LossFunction<'hingeLoss'> = lossFunction({
  op: 'hingeLoss',
  base: 'hinge_loss',
  predictions: 'logits',
  own: {},
  each: ([labels, logits]) => {
    const signs = sub(mul(labels, 2), 1) as AnyTensor;
    return maximum(sub(1, mul(signs, logits) as AnyTensor) as AnyTensor, 0) as AnyTensor;
  },
});

const cosineForm = signature(
  'tf.losses.cosineDistance',
  { labels: tensor, predictions: tensor },
  { axis: needed(wholeNumber), ...lossKinds },
  ['axis', ...lossOrder],
);
/**
 * 1 − Σ labels · predictions along an axis, of vectors that have length 1 already. As `tf.losses.meanSquaredError`.
 *
 * ```ts
 * tf.losses.cosineDistance(labels, predictions, 1);
 * ```
 */
export function cosineDistance<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const Ax extends number = number,
  const R extends Reduction = ByDefault,
>(
  labels: Tensor<DType, A>,
  predictions: Tensor<T, B> & ShapeError<SameShapeError<A, B, 'cosineDistance', 'labels', 'predictions'>>,
  axis: Ax,
  weights?: number | Tensor<DType, any> | LossOptions<R>,
  options?: Omit<LossOptions<R>, 'weights'>,
): Tensor<T, Reduced<R, Reduce<B, Ax, true>>>;
export function cosineDistance<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const Ax extends number = number,
  const R extends Reduction = ByDefault,
>(
  labels: Tensor<DType, A>,
  predictions: Tensor<T, B> & ShapeError<SameShapeError<A, B, 'cosineDistance', 'labels', 'predictions'>>,
  options: LossOptions<R> & { readonly axis: Ax },
): Tensor<T, Reduced<R, Reduce<B, Ax, true>>>;
export function cosineDistance(...given: unknown[]): AnyTensor {
  const { labels, predictions, axis, ...options } = cosineForm.take(given);
  sameShape('cosineDistance', ['labels', 'predictions'], labels, predictions);
  const build = () => {
    const wanted = (labels.dtype === predictions.dtype ? labels : cast(labels, predictions.dtype)) as AnyTensor;
    return sub(1, reduceSum(mul(wanted, predictions) as AnyTensor, axis, { keepDims: true }) as AnyTensor) as AnyTensor;
  };
  return lossOf('cosineDistance', 'cosine_distance_loss', [predictions], { build, options });
}
