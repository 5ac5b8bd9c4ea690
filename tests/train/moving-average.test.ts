// Moving averages, against NumPy in float64; their variables, and how a checkpoint's averages become a model's weights.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';
import { fixture } from './schedules.ts';

const { ExponentialMovingAverage } = tf.train;
const inGraph = <R>(build: () => R): R => new tf.Graph().asDefault(build);

describe.each(backends)('on %s', (backend) => {
  test.each(Object.entries(fixture.averages))('%s: 50 updates after steps', async (name, wanted) => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const { averages, update, init } = graph.asDefault(() => {
      const v = tf.variable([1, -2], { dtype: 'float64' });
      const count = tf.variable(0, { dtype: 'int32', trainable: false });
      const numUpdates = name.startsWith('byStep') ? count : undefined;
      const ema = new ExponentialMovingAverage(0.9, { numUpdates, zeroDebias: name.endsWith('Debiased') });
      const step = tf.assign(v, v.mul(0.75).add(0.5));
      const total = tf.controlDependencies([step], () => tf.reduceSum(tf.square(v.add(0))));
      const apply = tf.controlDependencies([step], () => ema.apply([v, total]));
      const update = tf.controlDependencies([apply], () => tf.assignAdd(count, 1));
      const averages = [ema.average(v), ema.average(total)] as tf.Variable<any, any>[];
      return { averages, update, init: tf.globalVariablesInitializer() };
    });
    await session.run(init);
    const first = (await session.run(averages)) as any;
    expect([first[0].toArray(), first[1]]).toEqual([[1, -2], 0]);
    for (const row of wanted) {
      await session.run(update);
      const [v, total] = (await session.run(averages)) as any;
      for (const [i, found] of [...v.data, total].entries()) expect(found).toBeCloseTo(row[i], 12);
    }
  });
});

test('the averages have their names, whatever is around, and are global, untrained and made once', () => {
  inGraph(() => {
    const w = tf.nameScope('layer', () => tf.variable(tf.zeros([2]), { name: 'W' }));
    const fixed = tf.variable(1, { trainable: false, name: 'fixed' });
    const steps = tf.variable(1, { dtype: 'int32', name: 'steps' });
    const ema = new ExponentialMovingAverage(0.9);
    expect([ema.average(w), ema.averageName(w)]).toEqual([null, 'layer/W/ExponentialMovingAverage']);
    tf.nameScope('training', () => ema.apply());
    const average = ema.average(w);
    expect(average?.operation.name).toBe('layer/W/ExponentialMovingAverage');
    expect(ema.averageName(w)).toBe('layer/W/ExponentialMovingAverage');
    expect([average?.trainable, average?.shape, average?.dtype]).toEqual([false, [2], 'float32']);
    expect(tf.globalVariables()).toEqual([w, fixed, steps, average]);
    expect(tf.getCollection('moving_average_variables')).toEqual([w]);
    expect(ema.average(fixed)).toBe(null);
    ema.apply([w, fixed]);
    expect(ema.average(w)).toBe(average);
    // The name of an average is that of the variable whose value it shall be.
    expect(ema.variablesToRestore()).toEqual({
      steps,
      'layer/W/ExponentialMovingAverage': w,
      'fixed/ExponentialMovingAverage': fixed,
    });
    const other = new ExponentialMovingAverage({ decay: 0.5, name: 'slow' });
    other.apply([w]);
    expect(other.average(w)?.operation.name).toBe('layer/W/slow');
  });
});

test('without anything to average it says so, whether nothing was named or there is nothing', () => {
  const refusal = /^apply: there is nothing to average; make parameters with tf\.variable/;
  inGraph(() => {
    const ema = new ExponentialMovingAverage(0.9);
    expect(() => ema.apply()).toThrow(refusal);
    expect(() => ema.apply([])).toThrow(refusal);
    tf.variable(1, { trainable: false });
    expect(() => ema.apply()).toThrow(refusal);
    tf.variable(1);
    expect(() => ema.apply([])).toThrow(refusal);
    expect(ema.apply()).toBeInstanceOf(tf.Operation);
  });
});

test('a program that evaluates has the averages of a training checkpoint as its weights', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-average-'));
  const training = new tf.Graph();
  const model = () => tf.variable([1, 2], { name: 'W' });
  try {
    await using session = new tf.Session({ graph: training, backend: 'reference' });
    const { step, init } = training.asDefault(() => {
      const w = model();
      const step = new tf.train.GradientDescentOptimizer(1).minimize(tf.reduceSum(w));
      const ema = new ExponentialMovingAverage(0.5);
      return {
        step: tf.controlDependencies([step], () => ema.apply()),
        init: tf.globalVariablesInitializer(),
      };
    });
    await session.run(init);
    await session.run(step);
    await session.run(step);
    const path = await new tf.train.Saver().save(session, join(folder, 'model'));
    const graph = new tf.Graph();
    await using other = new tf.Session({ graph, backend: 'reference' });
    const { w, saver } = graph.asDefault(() => {
      const w = model();
      return { w, saver: new tf.train.Saver({ varList: new ExponentialMovingAverage(0.5).variablesToRestore() }) };
    });
    await saver.restore(other, path);
    // 1, 0, −1 are averaged to 1, ½, −¼.
    expect((await other.run(w)).toArray()).toEqual([-0.25, 0.75]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the average of a restored variable can begin with its value', async () => {
  const graph = new tf.Graph();
  await using session = new tf.Session({ graph, backend: 'reference' });
  const { w, average, start } = graph.asDefault(() => {
    const w = tf.variable(tf.randomNormal([3]));
    const ema = new ExponentialMovingAverage(0.9);
    ema.apply();
    const average = ema.average(w) as tf.Variable<'float32', [3]>;
    return { w, average, start: tf.variablesInitializer([average]) };
  });
  await w.load([7, 8, 9], session);
  await session.run(start);
  expect((await session.run(average)).toArray()).toEqual([7, 8, 9]);
  await session.run(graph.asDefault(() => tf.globalVariablesInitializer()));
  const [value, begin] = await session.run([w, average]);
  expect(begin.toArray()).toEqual(value.toArray());
});

test.each<[string, () => unknown, typeof tf.MillraceError, string]>([
  ['no decay', () => new ExponentialMovingAverage({} as never), tf.InvalidArgumentError, 'decay is missing'],
  [
    'a decay above 1',
    () => new ExponentialMovingAverage(1.5),
    tf.InvalidArgumentError,
    'decay must be a number from 0 to 1 or a scalar tensor, but 1.5 came',
  ],
  [
    'nothing to average',
    () => new ExponentialMovingAverage(0.9).apply(),
    tf.InvalidArgumentError,
    'apply: there is nothing to average',
  ],
  [
    'integers',
    () => new ExponentialMovingAverage(0.9).apply([tf.variable(1, { dtype: 'int32' }) as never]),
    tf.DTypeError,
    'has dtype int32, but only floats have averages',
  ],
  [
    'a tensor of unknown size',
    () => new ExponentialMovingAverage(0.9).apply([tf.placeholder('float32', [null])]),
    tf.InvalidArgumentError,
    'but that of an average must be known',
  ],
  [
    'no list',
    () => new ExponentialMovingAverage(0.9).apply(5 as never),
    tf.InvalidArgumentError,
    'apply: expected an array of variables, but the number 5 came.',
  ],
])('wrong: %s', (_, attempt, error, message) => {
  inGraph(() => {
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(message);
  });
});
