// Rates are numbers, or scalars that the graph computes.
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { optimizers } from './all-optimizers.ts';

type Any = tf.Tensor<any, any>;

describe('rates that are tensors', () => {
  /** Both variables after three steps. 0.125 and 0.5 are exact in all floats, so that all forms mean the same numbers. */
  const train = async (make: (rate: any, more: any) => tf.train.Optimizer, asTensors: boolean) => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend: 'wasm' });
    const { vars, step, init, rate } = graph.asDefault(() => {
      const a = tf.variable([4, -3, 0.25]);
      const b = tf.variable(tf.constant([1, 2], 'float64'));
      const rate = tf.placeholder('float32', []);
      const more = tf.variable(0.5, { trainable: false });
      const made = asTensors ? make(rate, more) : make(0.125, 0.5);
      const loss = tf.reduceSum(tf.square(a)).add(tf.cast(tf.reduceSum(tf.square(b)), 'float32'));
      return { vars: [a, b] as const, step: made.minimize(loss), init: tf.initializeAllVariables(), rate };
    });
    await session.run(init);
    for (let i = 0; i < 3; i++) await session.run(step, (asTensors ? [[rate, 0.125]] : []) as any);
    return (await session.run(vars)).map((v) => v.toArray());
  };
  test.each(optimizers)(
    '%s: a fed float32 scalar and a variable, for float32 and float64 variables',
    async (_, make) => {
      const numbers = await train(make, false);
      const tensors = await train(make, true);
      for (const [i, wanted] of numbers.entries()) {
        for (const [j, x] of (wanted as number[]).entries()) expect((tensors[i] as number[])[j]).toBeCloseTo(x, 5);
      }
      expect(numbers[0]).not.toEqual([4, -3, 0.25]);
    },
  );

  test('the rate may change from run to run, and with the count of steps', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph });
    const { w, rate, fed, counted, globalStep, init } = graph.asDefault(() => {
      const w = tf.variable(1);
      const globalStep = tf.variable(tf.constant(0, 'int32'), { trainable: false });
      const rate = tf.placeholder('float32', []);
      const fed = new tf.train.GradientDescentOptimizer(rate).minimize(w);
      const falling = tf.div(tf.constant(1), tf.cast(globalStep, 'float32').add(1));
      const counted = new tf.train.GradientDescentOptimizer(falling).minimize(w, { globalStep });
      return { w, rate, fed, counted, globalStep, init: tf.initializeAllVariables() };
    });
    await session.run(init);
    await session.run(fed, [[rate, 0.5]]);
    await session.run(fed, [[rate, 0.25]]);
    expect(await session.run(w)).toBe(0.25);
    // The rate is that of the count before the step: 1, then 1/2.
    await session.run(counted);
    expect(await session.run([w, globalStep])).toEqual([-0.75, 1]);
    await session.run(counted);
    expect(await session.run([w, globalStep])).toEqual([-1.25, 2]);
  });

  const message = (build: () => unknown): [string, string] => {
    try {
      new tf.Graph().asDefault(build);
    } catch (error) {
      return [(error as Error).constructor.name, (error as Error).message];
    }
    return ['', 'nothing was thrown'];
  };
  const wrong = (rate: () => any, dtype: tf.FloatDType = 'float32') =>
    message(() => new tf.train.AdamOptimizer(rate()).minimize(tf.reduceSum(tf.variable(tf.ones([2], dtype)) as Any)));
  test.each<[string, () => [string, string], string, RegExp]>([
    [
      'of rank 1',
      () => wrong(() => tf.ones([3], { name: 'r' })),
      'InvalidArgumentError',
      /learningRate must be a finite number of at least 0 or a scalar tensor, .*: r:0 has dtype float32 and shape \[3\]; tf\.reshape\(x, \[\]\)/,
    ],
    [
      'of unknown rank',
      () => wrong(() => tf.placeholder('float32')),
      'InvalidArgumentError',
      /has dtype float32 and shape .*tf\.reshape/,
    ],
    ['bool', () => wrong(() => tf.constant(true)), 'InvalidArgumentError', /has dtype bool .*tf\.cast\(x, 'float32'\)/],
    [
      'float64 for float32',
      () => wrong(() => tf.constant(0.1, 'float64')),
      'DTypeError',
      /learningRate has dtype float64, a variable float32; use tf\.cast\(x, 'float32'\)/,
    ],
    [
      'int32 for float32',
      () => wrong(() => tf.constant(1, 'int32')),
      'DTypeError',
      /learningRate has dtype int32, a variable float32/,
    ],
    [
      'of another graph',
      () => {
        const other = new tf.Graph().asDefault(() => tf.constant(0.1));
        return wrong(() => other);
      },
      'GraphError',
      /AdamOptimizer: learningRate belongs to another graph/,
    ],
    [
      'negative',
      () => wrong(() => -1),
      'InvalidArgumentError',
      /learningRate must be a finite number of at least 0 or a scalar tensor, but -1 came/,
    ],
    [
      'an accumulator of 0',
      () => message(() => new tf.train.AdagradOptimizer(1, { initialAccumulatorValue: 0 })),
      'InvalidArgumentError',
      /initialAccumulatorValue must be a finite number above 0, but 0 came/,
    ],
    [
      'a power above 0',
      () => message(() => new tf.train.FtrlOptimizer(1, { learningRatePower: 0.5 })),
      'InvalidArgumentError',
      /learningRatePower must be a finite number of at most 0/,
    ],
  ])('refused: %s', (_, make, name, text) => {
    const [kind, found] = make();
    expect(found).toMatch(text);
    expect(kind).toBe(name);
  });
  test('what fits is taken: int32 for float64, and the base is no optimizer', () => {
    expect(wrong(() => tf.constant(1, 'int32'), 'float64')[1]).toBe('nothing was thrown');
    expect(message(() => new (tf.train.Optimizer as any)('Mine'))[1]).toMatch(/write new tf\.train\.AdamOptimizer/);
  });
});
