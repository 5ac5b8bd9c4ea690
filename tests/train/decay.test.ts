// Learning rates that change with the step, against NumPy in float64: at the ends of periods, and far beyond.
import { beforeAll, describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';
import { fixture } from './schedules.ts';

const train = tf.train as unknown as Record<string, (...given: unknown[]) => tf.Tensor<any, []>>;
const { steps, schedules, piecewise } = fixture;

/** All rates at all steps, of an int32 step and rates of the dtype: a row for each schedule. */
async function ratesOf(backend: tf.BackendName, dtype: tf.FloatDType): Promise<number[][]> {
  const graph = new tf.Graph();
  await using session = new tf.Session({ graph, backend });
  const [step, rates] = graph.asDefault(() => {
    const step = tf.placeholder('int32', []);
    const rate = tf.constant(0.1, dtype);
    const all = schedules.map(({ call, args, options }) => train[call](rate, step, ...args, options));
    const values = piecewise.values.map((v) => tf.constant(v, dtype));
    all.push(tf.train.piecewiseConstant(step, piecewise.boundaries, values));
    return [step, all];
  });
  for (const rate of rates) expect([rate.dtype, rate.shape]).toEqual([dtype, []]);
  const found: number[][] = rates.map(() => []);
  for (const s of steps) {
    const values = (await session.run(rates, [[step, s]] as any)) as unknown as number[];
    for (const [i, v] of values.entries()) found[i].push(v);
  }
  return found;
}

/** The largest distance, as a part of the largest rate. */
const farthest = (found: readonly number[], wanted: readonly number[]) =>
  Math.max(...found.map((v, i) => Math.abs(v - wanted[i]))) / Math.max(...wanted);

describe.each(backends)('on %s', (backend) => {
  describe.each([
    ['float32', 1e-6],
    ['float64', 1e-14],
  ] as const)('%s', (dtype, size) => {
    let found: number[][];
    beforeAll(async () => {
      found = await ratesOf(backend, dtype);
    });
    test.each(schedules.map((s, i) => [`${s.call}(${s.args}) ${JSON.stringify(s.options)}`, s, i] as const))(
      '%s',
      (_, { rates }, i) => {
        expect(farthest(found[i], rates)).toBeLessThan(size);
      },
    );
    test('piecewiseConstant: a boundary belongs to what is before it', () => {
      expect(found.at(-1)).toEqual(piecewise.rates);
    });
  });

  test('every argument may be a tensor, which is read in the run', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const { fed, rates } = graph.asDefault(() => {
      const fed = Array.from({ length: 6 }, () => tf.placeholder('float32', []));
      const [rate, step, every, a, b, c] = fed;
      const t = tf.train;
      const rates = [
        t.exponentialDecay(rate, step, every, a, true),
        t.polynomialDecay(rate, step, every, a, b, true),
        t.cosineDecayRestarts(rate, step, every, b, a, c),
        t.linearCosineDecay(rate, step, every, a, b, c),
        t.piecewiseConstant(step, [every, tf.mul(every, 2)], [a, b, c]),
        t.linearWarmup(t.cosineDecay(rate, step, every, a), step, every),
      ];
      return { fed, rates };
    });
    const values = [0.1, 25, 10, 0.5, 1, 0.25];
    const read = async (given: readonly number[]) =>
      (await session.run(rates, fed.map((p, i) => [p, given[i]]) as any)) as unknown as number[];
    const found = await read(values);
    const expected = [0.025, 0.5 - 0.4 * (1 / 6), 0, 0.1 * (2 * 0.5 + 0.25) * 0, 0.25, 0.05];
    expected[2] = 0.1 * (0.75 * (0.25 * 0.5) + 0.25);
    // p = 1: (b + 0) · ½ (1 + cos π) + c
    expected[3] = 0.1 * (1 * 0 + 0.25);
    expected[1] = (0.1 - 0.5) * (1 - 25 / 30) + 0.5;
    for (const [i, v] of found.entries()) expect(v, `number ${i}`).toBeCloseTo(expected[i], 6);
    // A factor of 1 that is fed: periods of equal length.
    expect((await read([0.1, 25, 10, 0.5, 1, 0]))[2]).toBeCloseTo(0.1 * 0.25 * 0.5, 6);
    // One of 2: the third step of the second period.
    expect((await read([0.1, 12.5, 5, 1, 2, 0]))[2]).toBeCloseTo(0.1 * 0.5 * (1 + Math.cos(Math.PI * 0.75)), 6);
  });

  test('a restart is at its step, wherever the logarithm is rounded to', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    for (const factor of [1.5, 2, 3]) {
      const [step, rate] = graph.asDefault(() => {
        const step = tf.placeholder('int32', []);
        return [step, tf.train.cosineDecayRestarts(1, step, 16, { tMul: factor })] as const;
      });
      let begin = 0;
      for (let n = 0; n < 4; n++) {
        expect(await session.run(rate, [[step, begin]])).toBeCloseTo(1, 5);
        begin += 16 * factor ** n;
        expect(await session.run(rate, [[step, begin - 1]])).toBeLessThan(0.01);
      }
    }
  });
});

test('a rate that decays trains: the optimizer reads it in every step, from before the step is counted', async () => {
  const graph = new tf.Graph();
  await using session = new tf.Session({ graph, backend: 'reference' });
  const { w, globalStep, step, init } = graph.asDefault(() => {
    const globalStep = tf.train.getOrCreateGlobalStep();
    const w = tf.variable(8);
    const rate = tf.train.piecewiseConstant(globalStep, [0, 1], [0.5, 0.25, 0.125]);
    const step = new tf.train.GradientDescentOptimizer(rate).minimize(w, { globalStep });
    return { w, globalStep, step, init: tf.globalVariablesInitializer() };
  });
  await session.run(init);
  const seen: unknown[] = [];
  for (let i = 0; i < 4; i++) {
    await session.run(step);
    seen.push(await session.run([w, globalStep]));
  }
  expect(seen).toEqual([
    [7.5, 1],
    [7.25, 2],
    [7.125, 3],
    [7, 4],
  ]);
});

test.each<[string, () => unknown, string]>([
  [
    'no steps',
    () => tf.train.exponentialDecay(0.1, 0, 0, 0.5),
    'exponentialDecay: decaySteps must be a finite number above 0 or a scalar tensor, but 0 came',
  ],
  [
    'a vector',
    () => tf.train.cosineDecay(tf.zeros([2]) as never, 0, 10),
    'cosineDecay: learningRate must be a finite number or a scalar tensor, but an object of class Tensor came: zeros:0 has dtype float32 and shape [2]; tf.reshape(x, []) makes a scalar',
  ],
  [
    'factors below 1',
    () => tf.train.cosineDecayRestarts(0.1, 0, 10, 0.5),
    'cosineDecayRestarts: tMul must be a finite number of at least 1 or a scalar tensor, but 0.5 came',
  ],
  [
    'too few values',
    () => tf.train.piecewiseConstant(0, [1, 2], [1, 2]),
    'piecewiseConstant: there must be one value more than there are boundaries, but 2 values and 2 boundaries came.',
  ],
  [
    'boundaries that do not increase',
    () => tf.train.piecewiseConstant(0, [2, 2], [1, 2, 3]),
    'piecewiseConstant: boundaries must increase, but 2 comes after 2.',
  ],
  [
    'no array',
    () => tf.train.piecewiseConstant(0, 5 as never, [1, 2]),
    'piecewiseConstant: boundaries must be an array of numbers and scalar tensors, but the number 5 came.',
  ],
])('wrong: %s', (_, attempt, message) => {
  new tf.Graph().asDefault(() => {
    expect(attempt).toThrow(tf.InvalidArgumentError);
    expect(attempt).toThrow(message.replace('zeros:0', 'zeros_1:0'));
  });
});
