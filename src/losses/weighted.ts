// Losses of elements made one number: weighted, and summed or averaged.
import { ShapeMismatchError } from '../base/errors.ts';
import { GraphKeys } from '../graph/graph-keys.ts';
import { Tensor } from '../graph/tensor.ts';
import { div, mul } from '../ops/arithmetic.ts';
import { equal, notEqual } from '../ops/comparison.ts';
import { toTensor } from '../ops/constant.ts';
import { type AnyTensor, floats, operand, requireDType, tensor } from '../ops/define.ts';
import { onesLike } from '../ops/fill.ts';
import { cast, where } from '../ops/logic.ts';
import { reduceSum } from '../ops/reduce.ts';
import type { DType, FloatDType, NumericDType } from '../tensor/dtype.ts';
import { kind, oneOf, text } from '../tensor/kinds.ts';
import { compatible, type Shape, showShape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';

/**
 * How the losses of elements become one number: `tf.losses.Reduction`.
 *
 * Reference: tf.losses.Reduction of TensorFlow 1.
 */
export const Reduction = {
  /** They stay as they are, weighted. */
  NONE: 'none',
  /** Their weighted sum. */
  SUM: 'weighted_sum',
  /** The weighted sum divided by the sum of the weights. */
  MEAN: 'weighted_mean',
  /** The weighted sum divided by the number of elements. */
  SUM_OVER_BATCH_SIZE: 'weighted_sum_over_batch_size',
  /** The weighted sum divided by the number of weights that are not 0: what losses do unless told otherwise. */
  SUM_BY_NONZERO_WEIGHTS: 'weighted_sum_by_nonzero_weights',
} as const;
/** One of `tf.losses.Reduction`. */
export type Reduction = (typeof Reduction)[keyof typeof Reduction];
/** A loss as it was reduced: a scalar, or, with `Reduction.NONE`, one for each element. */
export type Reduced<R, S extends Shape> = [R] extends ['none'] ? S : [];

/** What losses take besides labels and predictions. */
export interface LossOptions<R extends Reduction> {
  /**
   * A number, or a tensor of the rank of the losses whose sizes are theirs or 1: what each loss counts. 0 takes it out.
   * Default 1.
   */
  readonly weights?: number | Tensor<NumericDType | 'bool', any> | undefined;
  /** The scope of its operations. */
  readonly scope?: string | undefined;
  /** The collection to which the loss is added; null for none; default `tf.GraphKeys.LOSSES`. */
  readonly lossCollection?: string | null | undefined;
  /** Default `tf.losses.Reduction.SUM_BY_NONZERO_WEIGHTS`. */
  readonly reduction?: R | undefined;
}
export const lossKinds = {
  weights: operand,
  scope: text,
  lossCollection: kind<string | null>('a text or null', (v) => v === null || text.fits(v)),
  reduction: oneOf(Object.values(Reduction)),
};
/** The options, in the order of TensorFlow. */
export const lossOrder = ['weights', 'scope', 'lossCollection', 'reduction'] as const;
export interface LossTaken extends Omit<LossOptions<Reduction>, 'weights'> {
  readonly weights?: AnyTensor | number | boolean | undefined;
}

/** a / b; 0 where b is 0. */
const safelyDivided = (a: AnyTensor, b: AnyTensor): AnyTensor => {
  const isNothing = equal(b, 0);
  return where(isNothing, 0, div(a, where(isNothing, 1, b) as AnyTensor) as AnyTensor) as AnyTensor;
};

/** Weights must be a scalar, or have the rank of the losses and in each place their size or 1. */
function checkWeights(op: string, { shape: given }: AnyTensor, { shape: wanted }: AnyTensor): void {
  if (!given || !wanted || given.length === 0) return;
  const fits =
    given.length === wanted.length &&
    given.every((size, i) => size === 1 || size === null || wanted[i] === null || size === wanted[i]);
  if (fits) return;
  throw new ShapeMismatchError(
    `${op}: weights must be a number, or have in each place the size of the losses or 1, but their shape is ${showShape(given)}, that of the losses ${showShape(wanted)}.`,
  );
}

/** Builds a loss in a scope, weights and reduces it, and adds it to its collection. */
export function lossOf(
  op: string,
  base: string,
  inputs: readonly AnyTensor[],
  { build, options }: { readonly build: () => AnyTensor; readonly options: LossTaken },
): AnyTensor {
  const {
    weights = 1,
    scope = base,
    lossCollection = GraphKeys.LOSSES,
    reduction = Reduction.SUM_BY_NONZERO_WEIGHTS,
  } = options;
  const { graph } = inputs[0];
  requireDType(op, inputs[0], floats, 'losses are fractions');
  const loss = graph.asDefault(() => graph.withScope(scope, () => reduced(op, build(), weights, reduction)));
  if (lossCollection !== null) graph.collect(op, [lossCollection], loss);
  return loss;
}

function reduced(
  op: string,
  losses: AnyTensor,
  weights: AnyTensor | number | boolean,
  reduction: Reduction,
): AnyTensor {
  const { dtype } = losses;
  const given = toTensor(op, weights, weights instanceof Tensor ? weights.dtype : dtype) as AnyTensor;
  const w = (given.dtype === dtype ? given : cast(given, dtype)) as AnyTensor;
  checkWeights(op, w, losses);
  const weighted = (weights === 1 ? losses : mul(losses, w, { name: 'Mul' })) as AnyTensor;
  if (reduction === 'none') return weighted;
  const total = reduceSum(weighted, { name: 'Sum' }) as AnyTensor;
  if (reduction === 'weighted_sum') return total;
  const all = onesLike(losses) as AnyTensor;
  if (reduction === 'weighted_sum_over_batch_size') return safelyDivided(total, reduceSum(all) as AnyTensor);
  const counted = reduction === 'weighted_mean' ? w : cast(notEqual(w, 0), dtype);
  const each = weights === 1 ? all : mul(all, counted as AnyTensor);
  return safelyDivided(total, reduceSum(each as AnyTensor) as AnyTensor);
}

/** Labels and predictions must have one shape: broadcasting would pair each with all. */
export function sameShape(op: string, what: readonly [string, string], a: AnyTensor, b: AnyTensor): void {
  if (compatible(a.shape, b.shape)) return;
  throw new ShapeMismatchError(
    `${op}: ${what[0]} and ${what[1]} must have the same shape, but have ${showShape(a.shape)} and ${showShape(b.shape)}; use tf.reshape, tf.squeeze or tf.expandDims.`,
  );
}

const weightedForm = signature('tf.losses.computeWeightedLoss', { losses: tensor }, lossKinds, lossOrder);
/**
 * Losses of elements, weighted and reduced, and added to the collection of losses: the end of every loss of `tf.losses`,
 * for one of your own.
 *
 * @throws ShapeMismatchError for weights that have another rank, or a size that is neither 1 nor that of the losses.
 *
 * ```ts
 * const loss = tf.losses.computeWeightedLoss(tf.abs(error), { weights: mask });
 * ```
 *
 * Reference: tf.losses.compute_weighted_loss of TensorFlow 1.
 */
export function computeWeightedLoss<
  T extends FloatDType = any,
  S extends Shape = any,
  const R extends Reduction = 'weighted_sum_by_nonzero_weights',
>(
  losses: Tensor<T, S>,
  weights: number | Tensor<DType, any>,
  scope?: string,
  lossCollection?: string | null,
  reduction?: R,
): Tensor<T, Reduced<R, S>>;
export function computeWeightedLoss<
  T extends FloatDType = any,
  S extends Shape = any,
  const R extends Reduction = 'weighted_sum_by_nonzero_weights',
>(losses: Tensor<T, S>, options?: LossOptions<R>): Tensor<T, Reduced<R, S>>;
export function computeWeightedLoss(...given: unknown[]): AnyTensor {
  const { losses, ...options } = weightedForm.take(given);
  return lossOf('computeWeightedLoss', 'weighted_loss', [losses], { build: () => losses, options });
}
