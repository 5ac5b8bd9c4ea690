// Metrics of two classes: of what was found, and of what was there.
import type { Tensor } from '../graph/tensor.ts';
import { add, div, mul, sub } from '../ops/arithmetic.ts';
import { greater } from '../ops/comparison.ts';
import { constant } from '../ops/constant.ts';
import { type AnyTensor, tensor } from '../ops/define.ts';
import { cast, logicalAnd, logicalNot } from '../ops/logic.ts';
import { reduceSum } from '../ops/reduce.ts';
import { reshape } from '../ops/shape.ts';
import { slice } from '../ops/slice.ts';
import type { DType, NumericDType } from '../tensor/dtype.ts';
import { kind, oneOf } from '../tensor/kinds.ts';
import type { Shape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { checkedOptions, type MetricFunction } from './means.ts';
import {
  type Count,
  counted,
  floated,
  type Metric,
  type MetricOptions,
  metricKinds,
  metricOf,
  paired,
  safelyDivided,
  weighed,
  weightsOf,
} from './streaming.ts';

const boolean = (x: AnyTensor): AnyTensor => (x.dtype === 'bool' ? x : (cast(x, 'bool') as AnyTensor));

/** What was said, beside what is: how often both hold, or one. */
const parts = {
  true_positives: (label: AnyTensor, said: AnyTensor) => logicalAnd(label, said),
  false_positives: (label: AnyTensor, said: AnyTensor) => logicalAnd(logicalNot(label), said),
  false_negatives: (label: AnyTensor, said: AnyTensor) => logicalAnd(label, logicalNot(said)),
};
/** The part of true positives among these and others. */
function rate(op: 'precision' | 'recall', others: 'false_positives' | 'false_negatives'): MetricFunction<DType> {
  const form = signature(`tf.metrics.${op}`, { labels: tensor, predictions: tensor }, metricKinds, ['weights']);
  return (...given: unknown[]): Metric => {
    const { labels, predictions, ...taken } = form.take(given);
    const options = checkedOptions(op, taken);
    const build = (): Count => {
      const [label, said] = paired(op, labels, predictions).map(boolean);
      const weights = weightsOf(op, options.weights, label);
      const count = (part: keyof typeof parts) =>
        label.graph.withScope(part, () =>
          counted(
            'count',
            reduceSum(weighed(cast(parts[part](label, said), 'float32') as AnyTensor, weights)) as AnyTensor,
          ),
        );
      const [right, wrong] = [count('true_positives'), count(others)];
      const part = (when: 'before' | 'after') => safelyDivided(right[when], add(right[when], wrong[when]) as AnyTensor);
      return { before: part('before'), after: part('after') };
    };
    return metricOf(op, op, predictions, { build, options });
  };
}

/**
 * Of what was predicted to hold, which part holds: true positives / (true + false positives); 0 where nothing was.
 * Labels and predictions are bool, or numbers, of which all but 0 are true. Variables:
 * `precision/true_positives/count` and `precision/false_positives/count`. As `tf.metrics.mean`.
 *
 * ```ts
 * const [precision, update] = tf.metrics.precision(labels, tf.greater(probabilities, 0.5));
 * ```
 */
export const precision: MetricFunction<DType> = rate('precision', 'false_positives');
/**
 * Of what holds, which part was predicted to: true positives / (true positives + false negatives). As
 * `tf.metrics.precision`.
 */
export const recall: MetricFunction<DType> = rate('recall', 'false_negatives');

/** What the area under a curve takes. */
export interface AucOptions extends MetricOptions {
  /** How many thresholds make the curve, spread evenly from 0 to 1; default 200. */
  readonly numThresholds?: number | undefined;
  /** `'ROC'` (default): found among what holds, over found among the rest. `'PR'`: precision over recall. */
  readonly curve?: 'ROC' | 'PR' | undefined;
}
/** Beyond 0 and 1, so that the first threshold takes all, and the last none. */
const beyond = 1e-7;
/** Keeps quotients of nothing finite. */
const tiny = 1e-6;

const aucForm = signature(
  'tf.metrics.auc',
  { labels: tensor, predictions: tensor },
  {
    numThresholds: kind<number>('a whole number of at least 2', (v) => Number.isSafeInteger(v) && (v as number) >= 2),
    curve: oneOf(['ROC', 'PR']),
    ...metricKinds,
  },
  ['weights'],
);
/**
 * The area under the curve of a classifier of two classes over all thresholds, by trapezoids: of ROC 1 is perfect, ½ is
 * chance. Variables: `auc/true_positives` and `auc/false_positives` (one number for each threshold), `auc/positives` and
 * `auc/negatives`. As `tf.metrics.mean`.
 *
 * @param labels bool, or numbers, of which all but 0 are true.
 * @param predictions from 0 to 1.
 *
 * Source: Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006. Reference: tf.metrics.auc of
 * TensorFlow 1 with `summation_method='trapezoidal'`.
 */
export function auc(
  labels: Tensor<DType, Shape>,
  predictions: Tensor<NumericDType, Shape>,
  weights: number | Tensor<DType, any>,
  options?: Omit<AucOptions, 'weights'>,
): Metric;
export function auc(
  labels: Tensor<DType, Shape>,
  predictions: Tensor<NumericDType, Shape>,
  options?: AucOptions,
): Metric;
export function auc(...given: unknown[]): Metric {
  const { labels, predictions, numThresholds = 200, curve = 'ROC', ...taken } = aucForm.take(given);
  const options = checkedOptions('auc', taken);
  const build = (): Count => {
    const [label, score] = paired('auc', labels, predictions);
    const weights = weightsOf('auc', options.weights, label);
    const row = (x: AnyTensor) => reshape(x, [1, -1]) as AnyTensor;
    const holds = floated(boolean(label));
    const positives = weighed(holds, weights);
    const negatives = weighed(sub(1, holds) as AnyTensor, weights);
    const thresholds = Array.from({ length: numThresholds }, (_, i) => i / (numThresholds - 1));
    thresholds[0] -= beyond;
    thresholds[numThresholds - 1] += beyond;
    const column = constant(thresholds, { dtype: 'float32', shape: [numThresholds, 1] }) as AnyTensor;
    const above = cast(greater(row(floated(score)), column), 'float32') as AnyTensor;
    const found = (name: string, of: AnyTensor) =>
      counted(name, reduceSum(mul(above, row(of)) as AnyTensor, 1) as AnyTensor, [numThresholds]);
    const all = (name: string, of: AnyTensor) => counted(name, reduceSum(of) as AnyTensor);
    const counts = {
      tp: found('true_positives', positives),
      fp: found('false_positives', negatives),
      p: all('positives', positives),
      n: all('negatives', negatives),
    };
    const area = (when: 'before' | 'after') =>
      areaUnder(
        curve,
        { tp: counts.tp[when], fp: counts.fp[when], p: counts.p[when], n: counts.n[when] },
        numThresholds,
      );
    return { before: area('before'), after: area('after') };
  };
  return metricOf('auc', 'auc', predictions, { build, options });
}

interface Counts {
  readonly tp: AnyTensor;
  readonly fp: AnyTensor;
  readonly p: AnyTensor;
  readonly n: AnyTensor;
}
function areaUnder(curve: 'ROC' | 'PR', { tp, fp, p, n }: Counts, count: number): AnyTensor {
  const more = (x: AnyTensor) => add(x, tiny) as AnyTensor;
  const found = div(more(tp), more(p)) as AnyTensor;
  const [x, y] =
    curve === 'ROC'
      ? [div(fp, more(n)) as AnyTensor, found]
      : [found, div(more(tp), more(add(tp, fp) as AnyTensor)) as AnyTensor];
  const [before, after] = [0, 1].map((begin) => (v: AnyTensor) => slice(v, [begin], [count - 1]) as AnyTensor);
  const steps = sub(before(x), after(x)) as AnyTensor;
  const heights = mul(add(before(y), after(y)) as AnyTensor, 0.5) as AnyTensor;
  return reduceSum(mul(steps, heights) as AnyTensor) as AnyTensor;
}
