// Optimizers taken apart: computeGradients, gradients changed by the user, applyGradients; which variables are trained, and
// the count of steps.
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';

type Any = tf.Tensor<any, any>;

test('gradients can be changed between computing and applying them', async () => {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph });
  const { w, step, init } = graph.asDefault(() => {
    const weights = tf.variable(tf.constant([1, -2, 3]));
    const optimizer = new tf.train.GradientDescentOptimizer(0.5);
    const pairs = optimizer.computeGradients(tf.reduceSum(tf.square(weights)));
    const clipped = pairs.map(
      ([g, v]) => [g && tf.maximum(tf.minimum(g as Any, 1 as any) as Any, -1 as any), v] as const,
    );
    return { w: weights, step: optimizer.applyGradients(clipped as any), init: tf.initializeAllVariables() };
  });
  await session.run(init);
  await session.run(step);
  expect((await session.run(w)).toArray()).toEqual([0.5, -1.5, 2.5]);
  await session.close();
});

test('only trainable variables that the loss depends on change, or those that are named', async () => {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph });
  const { all, both, one, init } = graph.asDefault(() => {
    const a = tf.variable(1);
    const b = tf.variable(2);
    const fixed = tf.variable(3, { trainable: false });
    const unused = tf.variable(4);
    const loss = a.mul(b).mul(fixed);
    const optimizer = new tf.train.GradientDescentOptimizer(1);
    return {
      all: [a, b, fixed, unused] as const,
      both: optimizer.minimize(loss),
      one: optimizer.minimize(loss, { varList: [b] }),
      init: tf.initializeAllVariables(),
    };
  });
  await session.run(init);
  await session.run(both);
  // Both gradients are of the values from before the step.
  expect(await session.run(all)).toEqual([-5, -1, 3, 4]);
  await session.run(one);
  expect(await session.run(all)).toEqual([-5, 14, 3, 4]);
  await session.close();
});

test('fetching the loss with the step gives the loss before the step', async () => {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph });
  const { loss, step, init } = graph.asDefault(() => {
    const v = tf.variable(4);
    const l = tf.square(v);
    return {
      loss: l,
      step: new tf.train.GradientDescentOptimizer(0.25).minimize(l),
      init: tf.initializeAllVariables(),
    };
  });
  await session.run(init);
  const seen: unknown[] = [];
  for (let i = 0; i < 3; i++) seen.push((await session.run({ loss, step })).loss);
  expect(seen).toEqual([16, 4, 1]);
  await session.close();
});

test('a scalar loss is not required: others are summed', async () => {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph });
  const { v, step, init } = graph.asDefault(() => {
    const weights = tf.variable(tf.constant([1, 2]));
    return {
      v: weights,
      step: new tf.train.GradientDescentOptimizer(0.5).minimize(tf.square(weights)),
      init: tf.initializeAllVariables(),
    };
  });
  await session.run(init);
  await session.run(step);
  expect((await session.run(v)).toArray()).toEqual([0, 0]);
  await session.close();
});

test.each([
  ['gradient descent', () => new tf.train.GradientDescentOptimizer(0.25)],
  ['momentum', () => new tf.train.MomentumOptimizer(0.25, 0.5)],
  ['Adam', () => new tf.train.AdamOptimizer(0.25)],
])('%s under control dependencies: initializing runs no update, each step runs it once', async (_, make) => {
  const train = async (after: boolean) => {
    const graph = new tf.Graph();
    const session = new tf.Session({ graph, backend: 'wasm' });
    const { w, mean, step, init } = graph.asDefault(() => {
      const w = tf.variable([4, -3]);
      const loss = tf.reduceSum(tf.square(w));
      const mean = tf.variable(1, { trainable: false });
      const update = mean.assign(mean.mul(2));
      const minimize = () => make().minimize(loss);
      const step = after ? tf.controlDependencies([update], minimize) : minimize();
      return { w, mean, step, init: tf.initializeAllVariables() };
    });
    await session.run(init);
    const before = await session.run(mean);
    for (let i = 0; i < 3; i++) await session.run(step);
    const result = { before, mean: await session.run(mean), w: (await session.run(w)).toArray() };
    await session.close();
    return result;
  };
  const { w } = await train(false);
  expect(await train(true)).toEqual({ before: 1, mean: 8, w });
});

describe('minimize', () => {
  test.each(['int32', 'float32', 'float64'] as const)(
    'adds 1 to a global step of dtype %s after all updates',
    async (dtype) => {
      const graph = new tf.Graph();
      await using session = new tf.Session({ graph });
      const { v, after, step, globalStep, init } = graph.asDefault(() => {
        const v = tf.variable(4);
        const globalStep = tf.variable(tf.constant(7, dtype), { trainable: false });
        const step = new tf.train.AdamOptimizer(1).minimize(tf.square(v), globalStep, [v]);
        const after = tf.controlDependencies([step], () => [v.mul(1), tf.cast(globalStep, 'float32')]);
        return { v, after, step, globalStep, init: tf.initializeAllVariables() };
      });
      await session.run(init);
      await session.run(step);
      expect(await session.run(globalStep)).toBe(8);
      const [seen, count] = await session.run(after);
      expect([seen, count]).toEqual([await session.run(v), 9]);
      expect(step.name).toBe('Adam');
    },
  );

  test('gradLoss is the gradient of what is wanted by the loss', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph });
    const { w, step, pairs, init } = graph.asDefault(() => {
      const w = tf.variable([1, 2]);
      const optimizer = new tf.train.GradientDescentOptimizer(1);
      const gradLoss = tf.constant([10, 100]);
      const pairs = optimizer.computeGradients(tf.square(w), [w], { gradLoss });
      return { w, pairs, step: optimizer.minimize(tf.square(w), { gradLoss }), init: tf.initializeAllVariables() };
    });
    await session.run(init);
    expect(((await session.run(pairs[0][0] as Any)) as any).toArray()).toEqual([20, 400]);
    await session.run(step);
    expect((await session.run(w)).toArray()).toEqual([-19, -398]);
  });

  const refused = (build: (w: tf.Variable<'float32', [2]>) => unknown) => {
    try {
      new tf.Graph().asDefault(() => build(tf.variable([1, 2], { name: 'w' })));
    } catch (error) {
      return (error as Error).message;
    }
    return 'nothing was thrown';
  };
  const descent = () => new tf.train.GradientDescentOptimizer(1);
  test.each<[string, (w: tf.Variable<'float32', [2]>) => unknown, RegExp]>([
    [
      'variables in the place of the global step',
      (w) => descent().minimize(w, [w] as any),
      /globalStep must be a scalar variable of numbers, but an array came: give variables as \{ varList \}/,
    ],
    [
      'a global step that is no scalar',
      (w) => descent().minimize(w, { globalStep: w }),
      /w:0 has dtype float32 and shape \[2\]/,
    ],
    ['a bool', (w) => descent().minimize(w, { globalStep: tf.variable(false) }), /has dtype bool/],
    [
      'a global step of another graph',
      (w) => descent().minimize(w, { globalStep: new tf.Graph().asDefault(() => tf.variable(0, { name: 's' })) }),
      /globalStep belongs to another graph/,
    ],
    [
      'bytes as a global step: 255 steps are few',
      (w) => descent().minimize(w, { globalStep: tf.variable(tf.constant(0, 'uint8'), { trainable: false }) as any }),
      /has dtype uint8/,
    ],
    [
      'a variable alone in place of a list',
      (w) => descent().minimize(w, { varList: w as any }),
      /varList must be an array of variables, but .* came/,
    ],
    ['no variables', (w) => descent().minimize(w, { varList: [] }), /varList must be .*, but an empty one came/],
    [
      'a tensor among the variables',
      (w) => descent().minimize(w, { varList: [w, tf.neg(w)] as any }),
      /varList must be .*, but one with .* came/,
    ],
    ['no pairs', (w) => descent().applyGradients(w as any), /expected pairs \[gradient, variable\]/],
    ['a pair of one', (w) => descent().applyGradients([[w, w], [w]] as any), /something else as number 1 came/],
    ['a gradient that is no tensor', (w) => descent().applyGradients([[3, w]] as any), /something else as number 0/],
    ['a variable that is none', (w) => descent().applyGradients([[w, tf.neg(w)]] as any), /something else as number 0/],
    [
      'an accumulator that begins below 0',
      () => new tf.train.AdagradOptimizer({ learningRate: 1, initialAccumulatorValue: -1 }),
      /initialAccumulatorValue must be a finite number above 0/,
    ],
    [
      'an accumulator that begins nowhere',
      () => new tf.train.AdagradOptimizer({ learningRate: 1, initialAccumulatorValue: Number.NaN }),
      /initialAccumulatorValue must be a finite number above 0/,
    ],
    [
      'two pairs for a variable',
      (w) =>
        descent().applyGradients([
          [w, w],
          [w, w],
        ]),
      /a second one for w came/,
    ],
  ])('refused: %s', (_, build, text) => expect(refused(build)).toMatch(text));
});

test.each<[string, () => tf.train.Optimizer, () => tf.train.Optimizer]>([
  [
    'Adam',
    () => new tf.train.AdamOptimizer(0.5, 0.25, 0.75, 0.125),
    () => new tf.train.AdamOptimizer({ learningRate: 0.5, beta1: 0.25, beta2: 0.75, epsilon: 0.125 }),
  ],
  [
    'Lion',
    () => new tf.train.LionOptimizer(0.5, 0.25, 0.75, 0.125),
    () => new tf.train.LionOptimizer({ learningRate: 0.5, beta1: 0.25, beta2: 0.75, weightDecay: 0.125 }),
  ],
  [
    'Adadelta',
    () => new tf.train.AdadeltaOptimizer(0.5, 0.25, 0.125),
    () => new tf.train.AdadeltaOptimizer({ learningRate: 0.5, rho: 0.25, epsilon: 0.125 }),
  ],
])('%s by places is what it is by names', async (_, byPlaces, byNames) => {
  const train = async (make: () => tf.train.Optimizer) => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph });
    const { w, step, init } = graph.asDefault(() => {
      const w = tf.variable([4, -3]);
      return { w, step: make().minimize(tf.reduceSum(tf.square(w))), init: tf.initializeAllVariables() };
    });
    await session.run(init);
    for (let i = 0; i < 3; i++) await session.run(step);
    return (await session.run(w)).toArray();
  };
  expect(await train(byPlaces)).toEqual(await train(byNames));
});
