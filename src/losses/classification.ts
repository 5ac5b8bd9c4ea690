// Losses of logits: the logarithms of odds, of which a softmax or a sigmoid makes probabilities.
import { ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import { add, mul } from '../ops/arithmetic.ts';
import { type AnyTensor, tensor } from '../ops/define.ts';
import { cast } from '../ops/logic.ts';
import { squeeze } from '../ops/shape.ts';
import { sigmoidCrossEntropyWithLogits } from '../ops/sigmoid-cross-entropy.ts';
import { softmaxCrossEntropyWithLogits, sparseSoftmaxCrossEntropyWithLogits } from '../ops/softmax.ts';
import type { Reduce } from '../tensor/axis-rules.ts';
import type { DType, FloatDType } from '../tensor/dtype.ts';
import { kind } from '../tensor/kinds.ts';
import type { Shape } from '../tensor/shape.ts';
import type { SameShapeError } from '../tensor/shape-rules.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import { type LossOptions, lossKinds, lossOf, type Reduced, type Reduction, sameShape } from './weighted.ts';

type ByDefault = 'weighted_sum_by_nonzero_weights';
/** What losses of probabilities take. */
export interface SmoothedLossOptions<R extends Reduction> extends LossOptions<R> {
  /** How much of each label is spread over all classes: from 0, the default, to 1. */
  readonly labelSmoothing?: number | undefined;
}
const smoothing = {
  labelSmoothing: kind<number>('a number from 0 to 1', (v) => (v as number) >= 0 && (v as number) <= 1),
};
const floated = (labels: AnyTensor, { dtype }: AnyTensor): AnyTensor =>
  labels.dtype === dtype ? labels : (cast(labels, dtype) as AnyTensor);
/** Labels towards what an ignorant would say. */
const smoothed = (labels: AnyTensor, by: number, even: number): AnyTensor =>
  by === 0 ? labels : (add(mul(labels, 1 - by), by * even) as AnyTensor);

const sigmoidForm = signature(
  'tf.losses.sigmoidCrossEntropy',
  { multiClassLabels: tensor, logits: tensor },
  { ...smoothing, ...lossKinds },
  ['weights'],
);
/**
 * −labels·ln σ(logits) − (1 − labels)·ln(1 − σ(logits)): of classes of which several may hold at once. Safe for logits of any
 * size: computed as max(x, 0) − x·labels + ln(1 + e^−|x|). As `tf.losses.meanSquaredError`.
 *
 * @param options.labelSmoothing s makes labels·(1 − s) + s/2 of the labels.
 *
 * ```ts
 * const realLoss = tf.losses.sigmoidCrossEntropy(tf.onesLike(logits), logits);
 * ```
 */
export function sigmoidCrossEntropy<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const R extends Reduction = ByDefault,
>(
  multiClassLabels: Tensor<DType, A>,
  logits: Tensor<T, B> & ShapeError<SameShapeError<A, B, 'sigmoidCrossEntropy', 'labels', 'logits'>>,
  weights: number | Tensor<DType, any>,
  options?: Omit<SmoothedLossOptions<R>, 'weights'>,
): Tensor<T, Reduced<R, B>>;
export function sigmoidCrossEntropy<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const R extends Reduction = ByDefault,
>(
  multiClassLabels: Tensor<DType, A>,
  logits: Tensor<T, B> & ShapeError<SameShapeError<A, B, 'sigmoidCrossEntropy', 'labels', 'logits'>>,
  options?: SmoothedLossOptions<R>,
): Tensor<T, Reduced<R, B>>;
export function sigmoidCrossEntropy(...given: unknown[]): AnyTensor {
  const { multiClassLabels, logits, labelSmoothing = 0, ...options } = sigmoidForm.take(given);
  sameShape('sigmoidCrossEntropy', ['labels', 'logits'], multiClassLabels, logits);
  const build = () => {
    const labels = smoothed(floated(multiClassLabels, logits), labelSmoothing, 1 / 2);
    return sigmoidCrossEntropyWithLogits({ labels, logits }) as AnyTensor;
  };
  return lossOf('sigmoidCrossEntropy', 'sigmoid_cross_entropy_loss', [logits], { build, options });
}

const softmaxForm = signature(
  'tf.losses.softmaxCrossEntropy',
  { onehotLabels: tensor, logits: tensor },
  { ...smoothing, ...lossKinds },
  ['weights'],
);
/**
 * −Σ labels · ln softmax(logits) of each row: of classes of which one holds, as probabilities. As `tf.losses.meanSquaredError`;
 * weights are those of rows.
 *
 * @param options.labelSmoothing s makes labels·(1 − s) + s / classes of the labels.
 *
 * ```ts
 * const loss = tf.losses.softmaxCrossEntropy(tf.oneHot(labels, 10), logits);
 * ```
 */
export function softmaxCrossEntropy<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const R extends Reduction = ByDefault,
>(
  onehotLabels: Tensor<DType, A>,
  logits: Tensor<T, B> & ShapeError<SameShapeError<A, B, 'softmaxCrossEntropy', 'labels', 'logits'>>,
  weights: number | Tensor<DType, any>,
  options?: Omit<SmoothedLossOptions<R>, 'weights'>,
): Tensor<T, Reduced<R, Reduce<B, -1>>>;
export function softmaxCrossEntropy<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const R extends Reduction = ByDefault,
>(
  onehotLabels: Tensor<DType, A>,
  logits: Tensor<T, B> & ShapeError<SameShapeError<A, B, 'softmaxCrossEntropy', 'labels', 'logits'>>,
  options?: SmoothedLossOptions<R>,
): Tensor<T, Reduced<R, Reduce<B, -1>>>;
export function softmaxCrossEntropy(...given: unknown[]): AnyTensor {
  const { onehotLabels, logits, labelSmoothing = 0, ...options } = softmaxForm.take(given);
  sameShape('softmaxCrossEntropy', ['labels', 'logits'], onehotLabels, logits);
  const build = () => {
    const classes = logits.shape?.at(-1) ?? onehotLabels.shape?.at(-1);
    if (labelSmoothing > 0 && typeof classes !== 'number') refuseSmoothing();
    const labels = smoothed(floated(onehotLabels, logits), labelSmoothing, 1 / (classes ?? 1));
    return softmaxCrossEntropyWithLogits({ labels, logits }) as AnyTensor;
  };
  return lossOf('softmaxCrossEntropy', 'softmax_cross_entropy_loss', [logits], { build, options });
}
function refuseSmoothing(): never {
  throw new ShapeMismatchError(
    'softmaxCrossEntropy: labelSmoothing needs to know the number of classes, the last size of the logits; use tf.reshape.',
  );
}

const sparseForm = signature('tf.losses.sparseSoftmaxCrossEntropy', { labels: tensor, logits: tensor }, lossKinds, [
  'weights',
]);
/**
 * −ln softmax(logits)[label] of each row, for labels given as class numbers. As `tf.losses.meanSquaredError`; weights are
 * those of rows. A run with a label out of range fails.
 *
 * @param labels int32 or uint8, of the shape of the logits without their last axis, or with 1 in its place.
 */
export function sparseSoftmaxCrossEntropy<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const R extends Reduction = ByDefault,
>(
  labels: Tensor<'int32' | 'uint8', A>,
  logits: Tensor<T, B>,
  weights: number | Tensor<DType, any>,
  options?: Omit<LossOptions<R>, 'weights'>,
): Tensor<T, Reduced<R, Reduce<B, -1>>>;
export function sparseSoftmaxCrossEntropy<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const R extends Reduction = ByDefault,
>(
  labels: Tensor<'int32' | 'uint8', A>,
  logits: Tensor<T, B>,
  options?: LossOptions<R>,
): Tensor<T, Reduced<R, Reduce<B, -1>>>;
export function sparseSoftmaxCrossEntropy(...given: unknown[]): AnyTensor {
  const { labels, logits, ...options } = sparseForm.take(given);
  const hasColumn =
    labels.shape !== undefined && labels.shape.length === logits.shape?.length && labels.shape.at(-1) === 1;
  const build = () => {
    const classes = hasColumn ? (squeeze(labels, [-1]) as AnyTensor) : labels;
    return sparseSoftmaxCrossEntropyWithLogits({ labels: classes, logits }) as AnyTensor;
  };
  return lossOf('sparseSoftmaxCrossEntropy', 'sparse_softmax_cross_entropy_loss', [logits], { build, options });
}
