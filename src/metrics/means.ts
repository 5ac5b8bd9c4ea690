// Metrics that are means: of values, of what is right, of squared errors.
import { DTypeError } from '../base/errors.ts';
import { keysOf } from '../graph/graph-keys.ts';
import type { Tensor } from '../graph/tensor.ts';
import { sub } from '../ops/arithmetic.ts';
import { equal } from '../ops/comparison.ts';
import { type AnyTensor, tensor } from '../ops/define.ts';
import { cast } from '../ops/logic.ts';
import { square } from '../ops/math.ts';
import type { DType, NumericDType } from '../tensor/dtype.ts';
import type { Shape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import {
  floated,
  type Metric,
  type MetricOptions,
  type MetricTaken,
  metricKinds,
  metricOf,
  metricOrder,
  paired,
  runningMean,
  weightsOf,
} from './streaming.ts';

type Weights = number | Tensor<DType, any>;
/** A metric of predictions beside labels. */
export interface MetricFunction<D extends DType> {
  (
    labels: Tensor<D, Shape>,
    predictions: Tensor<D, Shape>,
    weights: Weights,
    options?: Omit<MetricOptions, 'weights'>,
  ): Metric;
  (labels: Tensor<D, Shape>, predictions: Tensor<D, Shape>, options?: MetricOptions): Metric;
}

/** Names of collections are checked before anything is made. */
export const checkedOptions = (op: string, options: MetricTaken): MetricTaken => ({
  ...options,
  metricsCollections: keysOf(op, options.metricsCollections ?? []),
  updatesCollections: keysOf(op, options.updatesCollections ?? []),
});

const meanForm = signature('tf.metrics.mean', { values: tensor }, metricKinds, metricOrder);
/**
 * The weighted mean of all values so far: Σ weights·values / Σ weights; 0 as long as there are none.
 *
 * As all metrics it gives two tensors: the value, and an update, which takes the values of the run in and is the value
 * after them. Variables: `mean/total` and `mean/count`, in the collections `LOCAL_VARIABLES` and `METRIC_VARIABLES`.
 *
 * ```ts
 * const [value, update] = tf.metrics.mean(losses);
 * await sess.run(tf.localVariablesInitializer());
 * for (const feeds of batches) await sess.run(update, feeds);
 * console.log(await sess.run(value));
 * ```
 *
 * Reference: tf.metrics.mean of TensorFlow 1.
 */
export function mean(
  values: Tensor<DType, Shape>,
  weights: Weights,
  metricsCollections?: readonly string[],
  updatesCollections?: readonly string[],
  name?: string,
): Metric;
export function mean(values: Tensor<DType, Shape>, options?: MetricOptions): Metric;
export function mean(...given: unknown[]): Metric {
  const { values, ...taken } = meanForm.take(given);
  const options = checkedOptions('mean', taken);
  const build = () => runningMean(floated(values), weightsOf('mean', options.weights, values));
  return metricOf('mean', 'mean', values, { build, options });
}

/** A metric that is the mean of something of each label and prediction. */
function meanMetric<D extends DType>(
  op: string,
  base: string,
  each: (labels: AnyTensor, predictions: AnyTensor) => AnyTensor,
): MetricFunction<D> {
  const form = signature(`tf.metrics.${op}`, { labels: tensor, predictions: tensor }, metricKinds, ['weights']);
  return (...given: unknown[]): Metric => {
    const { labels, predictions, ...taken } = form.take(given);
    const options = checkedOptions(op, taken);
    const build = () => {
      const values = each(...paired(op, labels, predictions));
      return runningMean(values, weightsOf(op, options.weights, values));
    };
    return metricOf(op, base, predictions, { build, options });
  };
}

/**
 * Which part of the predictions is equal to the labels. Variables: `accuracy/total` and `accuracy/count`. As
 * `tf.metrics.mean`.
 *
 * @throws ShapeMismatchError when labels and predictions differ in shape, but for a last axis of size 1. DTypeError for
 * bool beside numbers.
 *
 * ```ts
 * const [accuracy, update] = tf.metrics.accuracy(labels, tf.argmax(logits, 1));
 * ```
 */
export const accuracy: MetricFunction<DType> = meanMetric('accuracy', 'accuracy', (labels, predictions) => {
  if ((labels.dtype === 'bool') !== (predictions.dtype === 'bool')) {
    throw new DTypeError(
      `accuracy: labels of dtype ${labels.dtype} and predictions of ${predictions.dtype} cannot be equal; use tf.cast.`,
    );
  }
  const asLabels = predictions.dtype === labels.dtype ? predictions : (cast(predictions, labels.dtype) as AnyTensor);
  return cast(equal(labels, asLabels), 'float32') as AnyTensor;
});

/** The mean of (labels − predictions)². Variables: `mean_squared_error/total` and `count`. As `tf.metrics.mean`. */
export const meanSquaredError: MetricFunction<NumericDType> = meanMetric(
  'meanSquaredError',
  'mean_squared_error',
  (labels, predictions) => square(sub(floated(predictions), floated(labels)) as AnyTensor) as AnyTensor,
);
