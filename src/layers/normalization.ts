// Layers that give values mean 0 and variance 1: over the batch, or over the features of each example.
import { ShapeMismatchError } from '../base/errors.ts';
import { GraphKeys } from '../graph/graph-keys.ts';
import type { Tensor } from '../graph/tensor.ts';
import { mul, sub } from '../ops/arithmetic.ts';
import { type AnyTensor, axisOf, floats, requireDType, tensor } from '../ops/define.ts';
import { where } from '../ops/logic.ts';
import { moments, batchNormalization as normalize } from '../ops/nn.ts';
import { reshape } from '../ops/shape.ts';
import { assignSub } from '../ops/variable.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { kind, trueOrFalse, wholeNumber } from '../tensor/kinds.ts';
import { type Shape, showShape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { type Initializer, ones, zeros } from '../variables/initializers.ts';
import type { Regularizer } from '../variables/scope.ts';
import {
  initializerKind,
  inLayer,
  knownSize,
  regularizerKind,
  type TrainableOptions,
  type Training,
  trainableKinds,
  trainingKind,
  trainingOf,
  weight,
} from './layer.ts';

/** What normalizations are made with. */
export interface NormalizationOptions extends TrainableOptions {
  /** The axis of the features; default the last. */
  readonly axis?: number | undefined;
  /** Added to the variance; default 0.001. */
  readonly epsilon?: number | undefined;
  /** Add `beta`? Default true. */
  readonly center?: boolean | undefined;
  /** Multiply by `gamma`? Default true. */
  readonly scale?: boolean | undefined;
  /** Default zeros. */
  readonly betaInitializer?: Initializer | undefined;
  /** Default ones. */
  readonly gammaInitializer?: Initializer | undefined;
  readonly betaRegularizer?: Regularizer | null | undefined;
  readonly gammaRegularizer?: Regularizer | null | undefined;
}
/** What batch normalization is made with. */
export interface BatchNormalizationLayerOptions extends NormalizationOptions {
  /** How much of the moving averages stays in a step; default 0.99. */
  readonly momentum?: number | undefined;
  /** Default zeros. */
  readonly movingMeanInitializer?: Initializer | undefined;
  /** Default ones. */
  readonly movingVarianceInitializer?: Initializer | undefined;
  /** true: by mean and variance of the batch; false (default): by their moving averages. A bool tensor: as each run has it. */
  readonly training?: Training | undefined;
}

const kinds = {
  axis: wholeNumber,
  epsilon: kind<number>('a number above 0', (v) => (v as number) > 0 && Number.isFinite(v)),
  center: trueOrFalse,
  scale: trueOrFalse,
  betaInitializer: initializerKind,
  gammaInitializer: initializerKind,
  betaRegularizer: regularizerKind,
  gammaRegularizer: regularizerKind,
  ...trainableKinds,
};

/** What a normalization is over, and how its variables stand beside the input. */
interface Features {
  readonly axis: number;
  readonly size: number;
  /** A vector of the features as an operand of the input. */
  readonly beside: (vector: AnyTensor) => AnyTensor;
}
function featuresOf(op: string, { dtype, shape }: AnyTensor, axis: number): Features {
  requireDType(op, { dtype, shape }, floats);
  if (!shape || shape.length < 2) {
    throw new ShapeMismatchError(
      `${op}: input must have at least 2 axes, but its shape is ${showShape(shape)}; use tf.reshape.`,
    );
  }
  const i = axisOf(op, axis, shape);
  const size = knownSize(op, shape, i);
  const isLast = i === shape.length - 1;
  const besides = shape.map((_, k) => (k === i ? size : 1));
  return { axis: i, size, beside: (vector) => (isLast ? vector : (reshape(vector, besides) as AnyTensor)) };
}

interface Affine
  extends Pick<
    NormalizationOptions,
    | 'center'
    | 'scale'
    | 'betaInitializer'
    | 'gammaInitializer'
    | 'betaRegularizer'
    | 'gammaRegularizer'
    | 'trainable'
    | 'epsilon'
  > {}
/** (x − mean) / √(variance + ε) · gamma + beta. */
function normalized(x: AnyTensor, { mean, variance }: Moments, { size, beside }: Features, options: Affine): AnyTensor {
  const { center = true, scale = true, epsilon = 1e-3, trainable } = options;
  const { gammaInitializer = ones(), betaInitializer = zeros(), gammaRegularizer, betaRegularizer } = options;
  const { dtype } = x;
  const gamma =
    scale &&
    weight('gamma', [size], { initializer: gammaInitializer, regularizer: gammaRegularizer, trainable, dtype });
  const beta =
    center && weight('beta', [size], { initializer: betaInitializer, regularizer: betaRegularizer, trainable, dtype });
  return normalize(x, {
    mean,
    variance,
    offset: beta ? beside(beta) : null,
    scale: gamma ? beside(gamma) : null,
    varianceEpsilon: epsilon,
  });
}

interface Moments {
  readonly mean: AnyTensor;
  readonly variance: AnyTensor;
}
/** Mean and variance over axes, which stay with size 1. */
function momentsOver(x: AnyTensor, axes: readonly number[]): Moments {
  const [mean, variance] = moments(x, axes, { keepDims: true });
  return { mean, variance };
}

const batchForm = signature(
  'tf.layers.batchNormalization',
  { inputs: tensor },
  {
    ...kinds,
    momentum: kind<number>('a number from 0 to 1', (v) => (v as number) >= 0 && (v as number) <= 1),
    movingMeanInitializer: initializerKind,
    movingVarianceInitializer: initializerKind,
    training: trainingKind,
  },
  ['axis', 'momentum', 'epsilon'],
);
/**
 * (x − mean) / √(variance + ε) · gamma + beta, of each feature: while training with mean and variance over the batch (and
 * over all axes but that of the features), else with their moving averages.
 *
 * Variables: `batch_normalization/gamma`, `beta`, and, not trained, `moving_mean` and `moving_variance`. What changes
 * the averages, moving ← moving − (moving − batch) · (1 − momentum), is in the collection `tf.GraphKeys.UPDATE_OPS`: a
 * training step must depend on it. The variance is that of the batch itself, Σ(x − mean)² / n.
 *
 * @throws ShapeMismatchError for less than 2 axes, or where the number of features is not known.
 *
 * ```ts
 * const training = tf.placeholder('bool', []);
 * const h = tf.layers.batchNormalization(x, { training });
 * const step = tf.controlDependencies(tf.getCollection(tf.GraphKeys.UPDATE_OPS), () => optimizer.minimize(loss));
 * ```
 *
 * Source: Ioffe and Szegedy, "Batch normalization", ICML 2015. Reference: tf.layers.batch_normalization of TensorFlow 1.
 */
export function batchNormalization<T extends FloatDType = any, S extends Shape = any>(
  inputs: Tensor<T, S>,
  axis: number,
  momentum?: number,
  epsilon?: number,
  options?: Omit<BatchNormalizationLayerOptions, 'axis' | 'momentum' | 'epsilon'>,
): Tensor<T, S>;
export function batchNormalization<T extends FloatDType = any, S extends Shape = any>(
  inputs: Tensor<T, S>,
  options?: BatchNormalizationLayerOptions,
): Tensor<T, S>;
export function batchNormalization(...given: unknown[]): AnyTensor {
  const { inputs: x, axis = -1, training = false, ...options } = batchForm.take(given);
  const features = featuresOf('batchNormalization', x, axis);
  return inLayer('batch_normalization', x, options, () => {
    return normalized(x, momentsOfBatch(x, trainingOf(training), features, options), features, options);
  });
}

type BatchTaken = Pick<
  BatchNormalizationLayerOptions,
  'momentum' | 'movingMeanInitializer' | 'movingVarianceInitializer'
>;
/** Those of the batch or the moving ones, in the shape of operands; notes what changes the moving ones. */
function momentsOfBatch(
  x: AnyTensor,
  training: boolean | AnyTensor,
  { axis, size, beside }: Features,
  options: BatchTaken,
): Moments {
  const { momentum = 0.99, movingMeanInitializer = zeros(), movingVarianceInitializer = ones() } = options;
  const own = { dtype: x.dtype as FloatDType, trainable: false, regularizer: null };
  const movingMean = weight('moving_mean', [size], { ...own, initializer: movingMeanInitializer });
  const movingVariance = weight('moving_variance', [size], { ...own, initializer: movingVarianceInitializer });
  const moving = { mean: beside(movingMean), variance: beside(movingVariance) };
  if (training === false) return moving;
  const axes = (x.shape as Shape).map((_, i) => i).filter((i) => i !== axis);
  const batch = momentsOver(x, axes);
  const update = (variable: typeof movingMean, value: AnyTensor) => {
    const change = mul(sub(variable, reshape(value, [size]) as AnyTensor) as AnyTensor, 1 - momentum) as AnyTensor;
    const made = assignSub(variable, (training === true ? change : where(training, change, 0)) as AnyTensor, {
      name: 'AssignMovingAvg',
    });
    x.graph.collect('batchNormalization', [GraphKeys.UPDATE_OPS], made);
  };
  update(movingMean, batch.mean);
  update(movingVariance, batch.variance);
  if (training === true) return batch;
  const chosen = (a: AnyTensor, b: AnyTensor) => where(training, a, b) as AnyTensor;
  return { mean: chosen(batch.mean, moving.mean), variance: chosen(batch.variance, moving.variance) };
}

const layerForm = signature('tf.layers.layerNormalization', { inputs: tensor }, kinds);
/**
 * (x − mean) / √(variance + ε) · gamma + beta, with mean and variance over the features of each example.
 *
 * Variables: `layer_normalization/gamma` and `layer_normalization/beta`.
 *
 * @throws ShapeMismatchError for less than 2 axes, or where the number of features is not known.
 *
 * ```ts
 * const h = tf.layers.layerNormalization(x);      // of each row of the last axis
 * ```
 *
 * Source: Ba, Kiros and Hinton, "Layer normalization", arXiv 1607.06450.
 */
export function layerNormalization<T extends FloatDType = any, S extends Shape = any>(
  inputs: Tensor<T, S>,
  options?: NormalizationOptions,
): Tensor<T, S>;
export function layerNormalization(...given: unknown[]): AnyTensor {
  const { inputs: x, axis = -1, ...options } = layerForm.take(given);
  const features = featuresOf('layerNormalization', x, axis);
  return inLayer('layer_normalization', x, options, () =>
    normalized(x, momentsOver(x, [features.axis]), features, options),
  );
}
