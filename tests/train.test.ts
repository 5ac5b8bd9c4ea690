// Optimizers taken apart: computeGradients, gradients changed by the user, applyGradients; which variables are trained.
import { describe, expect, test } from 'vitest';
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

describe('rates that are tensors', () => {
  const makers: readonly [string, (rate: any, more: any) => tf.train.Optimizer][] = [
    ['GradientDescent', (learningRate) => new tf.train.GradientDescentOptimizer({ learningRate })],
    ['Momentum', (learningRate, momentum) => new tf.train.MomentumOptimizer({ learningRate, momentum })],
    ['Adam', (learningRate, beta1) => new tf.train.AdamOptimizer({ learningRate, beta1 })],
    ['AdamW', (learningRate, weightDecay) => new tf.train.AdamWOptimizer({ learningRate, weightDecay })],
    ['Lion', (learningRate, beta2) => new tf.train.LionOptimizer({ learningRate, beta2 })],
    ['Adagrad', (learningRate) => new tf.train.AdagradOptimizer({ learningRate })],
    ['Adadelta', (learningRate, rho) => new tf.train.AdadeltaOptimizer({ learningRate, rho })],
    ['RMSProp', (learningRate, momentum) => new tf.train.RMSPropOptimizer({ learningRate, momentum, centered: true })],
    [
      'Ftrl',
      (learningRate, l1) =>
        new tf.train.FtrlOptimizer({
          learningRate,
          l1RegularizationStrength: l1,
          l2RegularizationStrength: l1,
          l2ShrinkageRegularizationStrength: l1,
        }),
    ],
    [
      'AdagradDA',
      (learningRate, l1) =>
        new tf.train.AdagradDAOptimizer({
          learningRate,
          globalStep: tf.variable(0, { trainable: false }),
          l1RegularizationStrength: l1,
          l2RegularizationStrength: l1,
        }),
    ],
    [
      'ProximalGradientDescent',
      (learningRate, l1) =>
        new tf.train.ProximalGradientDescentOptimizer({
          learningRate,
          l1RegularizationStrength: l1,
          l2RegularizationStrength: l1,
        }),
    ],
    [
      'ProximalAdagrad',
      (learningRate, l1) =>
        new tf.train.ProximalAdagradOptimizer({
          learningRate,
          l1RegularizationStrength: l1,
          l2RegularizationStrength: l1,
        }),
    ],
  ];
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
  test.each(makers)('%s: a fed float32 scalar and a variable, for float32 and float64 variables', async (_, make) => {
    const numbers = await train(make, false);
    const tensors = await train(make, true);
    for (const [i, wanted] of numbers.entries()) {
      for (const [j, x] of (wanted as number[]).entries()) expect((tensors[i] as number[])[j]).toBeCloseTo(x, 5);
    }
    expect(numbers[0]).not.toEqual([4, -3, 0.25]);
  });

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
      'ShapeMismatchError',
      /AdamOptimizer: a rate is .* but r:0 has shape \[3\]; .*tf\.reshape\(x, \[\]\)/,
    ],
    ['of unknown rank', () => wrong(() => tf.placeholder('float32')), 'ShapeMismatchError', /has shape .*tf\.reshape/],
    ['bool', () => wrong(() => tf.constant(true)), 'DTypeError', /has dtype bool; use tf\.cast\(x, 'float32'\)/],
    [
      'float64 for float32',
      () => wrong(() => tf.constant(0.1, 'float64')),
      'DTypeError',
      /learningRate is Const.*:0 of dtype float64, for variables of dtype float32; use tf\.cast\(x, 'float32'\)/,
    ],
    [
      'int32 for float32',
      () => wrong(() => tf.constant(1, 'int32')),
      'DTypeError',
      /of dtype int32, for variables of dtype float32/,
    ],
    [
      'of another graph',
      () => {
        const other = new tf.Graph().asDefault(() => tf.constant(0.1));
        return wrong(() => other);
      },
      'GraphError',
      /AdamOptimizer: learningRate, Const:0, belongs to another graph/,
    ],
    [
      'negative',
      () => wrong(() => -1),
      'InvalidArgumentError',
      /learningRate must be a finite number of at least 0, or a scalar tensor, but -1 came/,
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
    expect(message(() => new (tf.train.Optimizer as any)('Mine'))[1]).toMatch(
      /make one, such as new tf\.train\.AdamOptimizer/,
    );
  });
});

describe('names', () => {
  const namesOf = (make: () => tf.train.Optimizer, scope?: string) =>
    new tf.Graph().asDefault(() => {
      const W = tf.variable(tf.ones([2]), { name: 'W' });
      const before = new Set(tf.globalVariables());
      const minimize = () => make().minimize(tf.square(W));
      const step = scope === undefined ? minimize() : tf.nameScope(scope, minimize);
      const made = tf.globalVariables().filter((v) => !before.has(v));
      return [step.name, ...made.map((v) => v.operation.name)];
    });
  const t = tf.train;
  test.each<[() => tf.train.Optimizer, string[]]>([
    [() => new t.GradientDescentOptimizer(1), ['GradientDescent']],
    [() => new t.MomentumOptimizer(1, 0), ['Momentum', 'W/Momentum']],
    [() => new t.AdagradOptimizer(1), ['Adagrad', 'W/Adagrad']],
    [() => new t.AdadeltaOptimizer(1), ['Adadelta', 'W/Adadelta', 'W/Adadelta_1']],
    [() => new t.RMSPropOptimizer(1), ['RMSProp', 'W/RMSProp', 'W/RMSProp_1']],
    [() => new t.RMSPropOptimizer(1, { centered: true }), ['RMSProp', 'W/RMSProp', 'W/RMSProp_1', 'W/RMSProp_2']],
    [() => new t.AdamOptimizer(), ['Adam', 'beta1_power', 'beta2_power', 'W/Adam', 'W/Adam_1']],
    [() => new t.AdamOptimizer({ name: 'Mine' }), ['Mine', 'beta1_power', 'beta2_power', 'W/Mine', 'W/Mine_1']],
    [() => new t.AdamWOptimizer(), ['AdamW', 'beta1_power', 'beta2_power', 'W/AdamW', 'W/AdamW_1']],
    [() => new t.LionOptimizer(), ['Lion', 'W/Lion']],
    [() => new t.FtrlOptimizer(1), ['Ftrl', 'W/Ftrl', 'W/Ftrl_1']],
    [() => new t.ProximalGradientDescentOptimizer(1), ['ProximalGradientDescent']],
    [() => new t.ProximalAdagradOptimizer(1), ['ProximalAdagrad', 'W/ProximalAdagrad']],
  ])('slots are called as in TensorFlow: %#', (make, names) => {
    expect(namesOf(make)).toEqual(names);
  });
  test('the slots of AdagradDA; a scope around is that of scalars and the step, and not of slots', () => {
    const da = () => new t.AdagradDAOptimizer(1, tf.variable(0, { trainable: false, name: 'count' }));
    expect(namesOf(da)).toEqual(['AdagradDA', 'count', 'W/AdagradDA', 'W/AdagradDA_1']);
    expect(namesOf(() => new t.AdamOptimizer(), 'train')).toEqual([
      'train/Adam',
      'train/beta1_power',
      'train/beta2_power',
      'W/Adam',
      'W/Adam_1',
    ]);
  });
  test('a second optimizer has slots of its own, and one that is applied twice keeps its', () => {
    new tf.Graph().asDefault(() => {
      const W = tf.variable(tf.ones([2]), { name: 'W' });
      const b = tf.variable(tf.ones([2]), { name: 'b', trainable: false });
      const adam = new t.AdamOptimizer();
      expect(adam.getSlot(W, 'm')).toBe(null);
      expect([adam.getName(), adam.getSlotNames(), adam.variables()]).toEqual(['Adam', [], []]);
      const steps = [
        adam.minimize(tf.square(W)),
        adam.minimize(tf.square(W).mul(b), { varList: [W, b], name: 'both' }),
      ];
      const other = new t.AdamOptimizer();
      steps.push(other.minimize(tf.square(W)));
      expect(steps.map((s) => s.name)).toEqual(['Adam', 'both', 'Adam_1']);
      const names = (o: tf.train.Optimizer) => o.variables().map((v) => v.operation.name);
      expect(names(adam)).toEqual(['W/Adam', 'W/Adam_1', 'b/Adam', 'b/Adam_1', 'beta1_power', 'beta2_power']);
      expect(names(other)).toEqual(['W/Adam_2', 'W/Adam_3', 'beta1_power_1', 'beta2_power_1']);
      expect(adam.getSlotNames()).toEqual(['m', 'v']);
      expect(adam.getSlot(b, 'v')?.operation.name).toBe('b/Adam_1');
      expect(adam.getSlot(b, 'nothing')).toBe(null);
      expect(new tf.Graph().asDefault(() => adam.variables())).toEqual([]);
    });
  });
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
      /globalStep must be a scalar variable of numbers, but an array came: variables to train are given as \{ varList \}/,
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
      /globalStep s:0 belongs to another graph/,
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
