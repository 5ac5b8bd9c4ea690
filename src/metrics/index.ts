// tf.metrics: what is counted over many batches, in local variables.
export { type AucOptions, auc, precision, recall } from './binary.ts';
export { accuracy, type MetricFunction, mean, meanSquaredError } from './means.ts';
export type { Metric, MetricOptions } from './streaming.ts';
