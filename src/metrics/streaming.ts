// What metrics share: counts that are kept from run to run, in local variables.
import { ShapeMismatchError } from '../base/errors.ts';
import { controlDependencies } from '../graph/graph.ts';
import { GraphKeys } from '../graph/graph-keys.ts';
import { Tensor, type Variable } from '../graph/tensor.ts';
import { div, mul } from '../ops/arithmetic.ts';
import { equal } from '../ops/comparison.ts';
import { toTensor } from '../ops/constant.ts';
import { type AnyTensor, operand } from '../ops/define.ts';
import { fill, onesLike } from '../ops/fill.ts';
import { cast, where } from '../ops/logic.ts';
import { reduceSum } from '../ops/reduce.ts';
import { reshape } from '../ops/shape.ts';
import { assignAdd, variable } from '../ops/variable.ts';
import type { DType } from '../tensor/dtype.ts';
import { anything, text } from '../tensor/kinds.ts';
import { compatible, type Shape, showShape } from '../tensor/shape.ts';

/** A metric of all batches so far, and the same after this batch: run the second with each batch, the first at the end. */
export type Metric = [value: Tensor<'float32', []>, updateOp: Tensor<'float32', []>];
/** What metrics take. */
export interface MetricOptions {
  /** What each element counts; a number, or a tensor that broadcasts to the elements; 0 takes one out. Default 1. */
  readonly weights?: number | Tensor<DType, any> | undefined;
  /** Collections to which the value is added. */
  readonly metricsCollections?: readonly string[] | undefined;
  /** Collections to which the update is added. */
  readonly updatesCollections?: readonly string[] | undefined;
  /** The scope of its operations and variables. */
  readonly name?: string | undefined;
}
const keys = anything<readonly string[]>('an array of texts');
export const metricKinds = { weights: operand, metricsCollections: keys, updatesCollections: keys, name: text };
/** The options, in the order of TensorFlow. */
export const metricOrder = ['weights', 'metricsCollections', 'updatesCollections', 'name'] as const;
export interface MetricTaken extends Omit<MetricOptions, 'weights'> {
  readonly weights?: AnyTensor | number | boolean | undefined;
}

/** A count that is neither trained nor saved. */
export const counter = (name: string, shape: Shape = []): Variable<any, any> =>
  controlDependencies(null, () =>
    variable(fill(shape as readonly number[], 0), {
      name,
      trainable: false,
      collections: [GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES],
    }),
  ) as Variable<any, any>;

/** A count before and after the batch. */
export interface Count {
  readonly before: AnyTensor;
  readonly after: AnyTensor;
}
export function counted(name: string, more: AnyTensor, shape?: Shape): Count {
  const before = counter(name, shape);
  return { before, after: assignAdd(before, more) as AnyTensor };
}

/** a / b; 0 where b is 0. */
export const safelyDivided = (a: AnyTensor, b: AnyTensor): AnyTensor => {
  const isNothing = equal(b, 0);
  return where(isNothing, 0, div(a, where(isNothing, 1, b) as AnyTensor) as AnyTensor) as AnyTensor;
};

/** A float32 of whatever comes. */
export const floated = (x: AnyTensor): AnyTensor => (x.dtype === 'float32' ? x : (cast(x, 'float32') as AnyTensor));

/** The weight of each element, in the shape of the elements; undefined where all count 1. */
export function weightsOf(
  op: string,
  weights: MetricTaken['weights'],
  { shape: wanted }: AnyTensor,
): AnyTensor | undefined {
  if (weights === undefined || weights === 1) return undefined;
  const w = floated(toTensor(op, weights, weights instanceof Tensor ? weights.dtype : 'float32') as AnyTensor);
  const { shape } = w;
  const fits =
    !shape ||
    !wanted ||
    shape.length === 0 ||
    (shape.length === wanted.length &&
      shape.every((d, i) => d === 1 || d === null || wanted[i] === null || d === wanted[i]));
  if (fits) return w;
  throw new ShapeMismatchError(
    `${op}: weights must be a number, or have in each place the size of the elements or 1, but their shape is ${showShape(shape)}, that of the elements ${showShape(wanted)}.`,
  );
}
export const weighed = (values: AnyTensor, weights: AnyTensor | undefined): AnyTensor =>
  weights ? (mul(values, weights) as AnyTensor) : values;

/** The sum of weights, as float32. */
const sumOf = (values: AnyTensor, weights: AnyTensor | undefined): AnyTensor =>
  reduceSum(weighed(onesLike(values) as AnyTensor, weights)) as AnyTensor;

/** The weighted mean of all elements so far. */
export function runningMean(values: AnyTensor, weights: AnyTensor | undefined): Count {
  const total = counted('total', reduceSum(weighed(values, weights)) as AnyTensor);
  const count = counted('count', sumOf(values, weights));
  return { before: safelyDivided(total.before, count.before), after: safelyDivided(total.after, count.after) };
}

/** Labels and predictions must have one shape; an axis of size 1 at the end of one of them is left out. */
export function paired(
  op: string,
  labels: AnyTensor,
  predictions: AnyTensor,
): [labels: AnyTensor, predictions: AnyTensor] {
  const [a, b] = [labels.shape, predictions.shape];
  const without = (x: AnyTensor, shape: Shape) =>
    reshape(
      x,
      shape.slice(0, -1).map((d) => d ?? -1),
    ) as AnyTensor;
  if (a && b && a.length === b.length + 1 && a.at(-1) === 1) return paired(op, without(labels, a), predictions);
  if (a && b && b.length === a.length + 1 && b.at(-1) === 1) return paired(op, labels, without(predictions, b));
  if (compatible(a, b)) return [labels, predictions];
  throw new ShapeMismatchError(
    `${op}: labels and predictions must have the same shape, but have ${showShape(a)} and ${showShape(b)}.`,
  );
}

/** Builds a metric in a scope of its own, and adds it to the collections. */
export function metricOf(
  op: string,
  base: string,
  input: AnyTensor,
  { build, options }: { build: () => Count; options: MetricTaken },
): Metric {
  const { graph } = input;
  const { name = base, metricsCollections = [], updatesCollections = [] } = options;
  const { before, after } = graph.asDefault(() => graph.withScope(name, build));
  graph.collect(op, metricsCollections, before);
  graph.collect(op, updatesCollections, after);
  return [before, after] as unknown as Metric;
}
