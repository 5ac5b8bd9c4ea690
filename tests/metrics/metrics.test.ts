// Metrics over batches, against NumPy (tests/fixtures/make-layers.py), which has the elements of all batches at once.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

interface Packed {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
type Any = any;
const fixture = JSON.parse(readFileSync(new URL('../fixtures/layers.json', import.meta.url), 'utf8')).metrics as {
  readonly batches: readonly Readonly<Record<string, Packed>>[];
  readonly values: readonly (Readonly<Record<string, number>> & {
    readonly weighted: boolean;
    readonly batch: number;
  })[];
  readonly confusion: Packed;
};
const names = ['accuracy', 'mean', 'meanSquaredError', 'precision', 'recall', 'auc', 'aucPR'] as const;

/** All metrics of fed batches. */
function build(weighted: boolean) {
  const fed = Object.fromEntries(
    Object.keys(fixture.batches[0]).map((key) => [
      key,
      tf.placeholder(/class|guess/.test(key) ? 'int32' : 'float32', [null]) as Any,
    ]),
  );
  const { labels, scores, values } = fed;
  const said = tf.cast(tf.greater(scores, 0.5), 'float32');
  const options = weighted ? { weights: fed.weights } : {};
  const made: Record<(typeof names)[number], tf.types.Metric> = {
    accuracy: tf.metrics.accuracy(labels, said, options),
    mean: tf.metrics.mean(values, options),
    meanSquaredError: tf.metrics.meanSquaredError(labels, values, options),
    precision: tf.metrics.precision(labels, said, options),
    recall: tf.metrics.recall(tf.cast(labels, 'bool'), tf.cast(said, 'bool'), options),
    auc: tf.metrics.auc(labels, scores, { ...options, numThresholds: 20 }),
    aucPR: tf.metrics.auc(labels, scores, { ...options, numThresholds: 20, curve: 'PR' }),
  };
  const confusion = tf.confusionMatrix(fed.classes, fed.guesses, 3, { dtype: 'float32', weights: fed.weights });
  return { fed, made, confusion, init: tf.localVariablesInitializer() };
}
const feedsOf = (fed: Record<string, Any>, batch: Readonly<Record<string, Packed>>) =>
  Object.entries(fed).map(([key, t]) => [
    t,
    t.dtype === 'int32' ? new Int32Array(batch[key].data) : new Float32Array(batch[key].data),
  ]) as Any;

describe.each(backends)('on %s', (backend) => {
  test.each([false, true])('values after each batch, weighted: %s', async (weighted) => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const { fed, made, init, confusion } = graph.asDefault(() => build(weighted));
    await session.run(init);
    const matrix = new Float64Array(9);
    const [values, updates] = [0, 1].map((i) => names.map((name) => made[name][i])) as Any[];
    expect(await session.run(values)).toEqual(names.map((name) => (name === 'auc' ? 0 : expect.any(Number))));
    for (const [i, batch] of fixture.batches.entries()) {
      const wanted = fixture.values.find((v) => v.weighted === weighted && v.batch === i) as Record<string, number> &
        Any;
      const [updated, counts] = (await session.run([updates, confusion] as Any, feedsOf(fed, batch))) as unknown as [
        number[],
        Any,
      ];
      const after = (await session.run(values)) as unknown as number[];
      // Within a run the reference backend rounds nothing.
      for (const [k, v] of updated.entries())
        expect(Math.abs(after[k] - v)).toBeLessThan(backend === 'reference' ? 1e-6 : 1e-30);
      for (const [k, name] of names.entries())
        expect(Math.abs(after[k] - wanted[name]), `${name} after batch ${i}`).toBeLessThan(2e-6);
      for (const [k, v] of counts.data.entries()) matrix[k] += v;
    }
    expect([...matrix]).toEqual(fixture.confusion.data);
    // Begun anew.
    await session.run(init);
    expect(((await session.run(values)) as unknown as number[]).slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
  });

  test('a class out of range fails the run', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const matrix = graph.asDefault(() =>
      tf.confusionMatrix(tf.constant([0, 3], 'int32'), tf.constant([0, 1], 'int32'), 3),
    );
    await expect(session.run(matrix)).rejects.toThrow(
      /index 3 is out of range in confusion_matrix\/labels: axis 0 of \[3, 3\] has the indices 0 to 2/,
    );
  });
});

const inGraph = <R>(build: () => R): R => new tf.Graph().asDefault(build);
test('variables are local, have the names of TensorFlow, and are neither saved nor trained', () => {
  inGraph(() => {
    build(false);
    tf.metrics.accuracy(tf.zeros([2]), tf.zeros([2]), {
      name: 'mine',
      metricsCollections: ['values'],
      updatesCollections: ['updates'],
    });
    const local = tf.localVariables().map((v) => v.operation.name);
    expect(local).toEqual(tf.getCollection(tf.GraphKeys.METRIC_VARIABLES).map((v) => v.operation.name));
    expect(local).toEqual([
      ...[
        'accuracy/total',
        'accuracy/count',
        'mean/total',
        'mean/count',
        'mean_squared_error/total',
        'mean_squared_error/count',
      ],
      ...[
        'precision/true_positives/count',
        'precision/false_positives/count',
        'recall/true_positives/count',
        'recall/false_negatives/count',
      ],
      ...['auc/true_positives', 'auc/false_positives', 'auc/positives', 'auc/negatives'],
      ...[
        'auc_1/true_positives',
        'auc_1/false_positives',
        'auc_1/positives',
        'auc_1/negatives',
        'mine/total',
        'mine/count',
      ],
    ]);
    expect([tf.globalVariables(), tf.trainableVariables()]).toEqual([[], []]);
    expect([tf.getCollection('values'), tf.getCollection('updates')].map((l) => l.length)).toEqual([1, 1]);
  });
});

test.each<[string, () => unknown, RegExp]>([
  [
    'shapes that differ',
    () => tf.metrics.accuracy(tf.zeros([2]), tf.zeros([3])),
    /^accuracy: labels and predictions must have the same shape, but have \[2\] and \[3\]/,
  ],
  [
    'bool beside numbers',
    () => tf.metrics.accuracy(tf.zeros([2], 'bool') as Any, tf.zeros([2])),
    /^accuracy: labels of dtype bool and predictions of float32/,
  ],
  [
    'weights of another rank',
    () => tf.metrics.mean(tf.zeros([2, 3]), tf.zeros([3])),
    /^mean: weights must be a number.*\[3\], that of the elements \[2, 3\]/,
  ],
  [
    'one threshold',
    () => tf.metrics.auc(tf.zeros([2]), tf.zeros([2]), { numThresholds: 1 }),
    /^auc: numThresholds must be a whole number of at least 2/,
  ],
  [
    'no number of classes',
    () => (tf.confusionMatrix as Any)(tf.zeros([2], 'int32'), tf.zeros([2], 'int32')),
    /^confusionMatrix: numClasses is missing/,
  ],
])('%s: an error', (_, build, text) => {
  expect(() => inGraph(build)).toThrow(text);
});

test('a last axis of size 1 is left out', async () => {
  const graph = new tf.Graph();
  await using session = new tf.Session({ graph, backend: 'reference' });
  const [init, update] = graph.asDefault(() => {
    const [, update] = tf.metrics.accuracy(tf.constant([[1], [0]]), tf.constant([1, 1]));
    return [tf.localVariablesInitializer(), update];
  });
  await session.run(init);
  expect(await session.run(update)).toBe(0.5);
});
