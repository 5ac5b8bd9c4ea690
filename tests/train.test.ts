// Optimizers taken apart: computeGradients, gradients changed by the user, applyGradients; which variables are trained.
import { expect, test } from 'vitest';
import * as tf from '../src/index.ts';

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
