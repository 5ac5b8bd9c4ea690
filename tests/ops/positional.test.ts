// TensorFlow 1's order of arguments: the same graph as with options. What is in neither form is refused.
import { afterAll, describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';

const graph = new tf.Graph();
const session = new tf.Session({ graph, backend: 'reference' });
afterAll(() => session.close());
const api = tf as any;
const x = graph.asDefault(
  () =>
    tf.constant([
      [1, 2, 4],
      [3, 5, 9],
    ]) as any,
);
const image = graph.asDefault(() => tf.reshape(tf.cast(tf.range(16), 'float32'), [1, 4, 4, 1]) as any);
const filter = graph.asDefault(() => tf.ones([2, 2, 1, 1]) as any);
const square = [1, 2, 2, 1];

const flat = (value: any): unknown => (typeof value === 'object' ? [value.dtype, value.shape, [...value.data]] : value);

/** By place, by name, and what it should not be equal to. */
const pairs: Record<string, [() => any, () => any, () => any]> = {
  randomNormal: [
    () => api.randomNormal([3], 5, 0.1, 'float64', 7, 'same'),
    () => api.randomNormal([3], { mean: 5, stddev: 0.1, dtype: 'float64', seed: 7 }),
    () => api.randomNormal([3], { dtype: 'float64', seed: 7 }),
  ],
  truncatedNormal: [
    () => api.truncatedNormal([3], 0, 0.1, { seed: 7 }),
    () => api.truncatedNormal([3], { stddev: 0.1, seed: 7 }),
    () => api.truncatedNormal([3], { seed: 7 }),
  ],
  randomUniform: [
    () => api.randomUniform([3], -4, 4, 'int32', 7),
    () => api.randomUniform([3], { minval: -4, maxval: 4, dtype: 'int32', seed: 7 }),
    () => api.randomUniform([3], { seed: 7 }),
  ],
  reduceSum: [
    () => api.reduceSum(x, 1, true, 'n'),
    () => api.reduceSum(x, { axis: 1, keepDims: true }),
    () => api.reduceSum(x, 1),
  ],
  'x.reduceMean': [() => x.reduceMean(1, true), () => x.reduceMean(1, { keepDims: true }), () => x.reduceMean(1)],
  argmax: [() => api.argmax(x, 1, 'n'), () => api.argmax(x, { axis: 1 }), () => api.argmax(x)],
  softmax: [() => api.nn.softmax(x, 0), () => api.nn.softmax(x, { axis: 0, name: 'n' }), () => api.nn.softmax(x)],
  logSoftmax: [() => api.nn.logSoftmax(x, 0), () => api.nn.logSoftmax(x, { axis: 0 }), () => api.nn.logSoftmax(x)],
  oneHot: [
    () => api.oneHot(tf.constant([1], 'int32'), 3, 5, -1, { dtype: 'int32' }),
    () => api.oneHot(tf.constant([1], 'int32'), 3, { onValue: 5, offValue: -1, dtype: 'int32' }),
    () => api.oneHot(tf.constant([1], 'int32'), 3),
  ],
  conv2d: [
    () => api.nn.conv2d(image, filter, square, 'VALID'),
    () => api.nn.conv2d(image, filter, { strides: square, padding: 'VALID' }),
    () => api.nn.conv2d(image, filter, { strides: [1, 1, 1, 1], padding: 'VALID' }),
  ],
  maxPool: [
    () => api.nn.maxPool(image, square, square, 'SAME'),
    () => api.nn.maxPool(image, { ksize: square, strides: square, padding: 'SAME' }),
    () => api.nn.maxPool(image, { ksize: square, strides: [1, 1, 1, 1], padding: 'SAME' }),
  ],
  avgPool: [
    () => api.nn.avgPool(image, square, square, 'SAME', { name: 'n' }),
    () => api.nn.avgPool(image, { ksize: square, strides: square, padding: 'SAME' }),
    () => api.nn.avgPool(image, { ksize: square, strides: [1, 1, 1, 1], padding: 'SAME' }),
  ],
  matmul: [
    () => api.matmul(x, x, false, true),
    () => api.matmul(x, x, { transposeB: true }),
    () => api.matmul(x, x, true, false),
  ],
  constant: [
    () => api.constant(3, 'int32', [2], 'n'),
    () => api.constant(3, { dtype: 'int32', shape: [2] }),
    () => api.constant(3),
  ],
  zeros: [() => api.zeros([2], 'bool', 'n'), () => api.zeros([2], { dtype: 'bool' }), () => api.zeros([2])],
  transpose: [() => api.transpose(x, [0, 1]), () => api.transpose(x, { perm: [0, 1] }), () => api.transpose(x)],
};

test.each(Object.entries(pairs))('%s', async (_, made) => {
  const [byPlace, byName, other] = await session.run(graph.asDefault(() => made.map((make) => make())));
  expect(flat(byPlace)).toEqual(flat(byName));
  expect(flat(byPlace)).not.toEqual(flat(other));
});

/** One step from 1 with gradient 2. */
async function step(make: () => tf.train.Optimizer): Promise<unknown> {
  const g = new tf.Graph();
  const [v, train, init] = g.asDefault(() => {
    const w = tf.variable(1);
    const minimize = make().minimize(tf.square(w));
    return [w, minimize, tf.initializeAllVariables()] as const;
  });
  await using s = new tf.Session({ graph: g, backend: 'reference' });
  await s.run(init);
  for (let i = 0; i < 3; i++) await s.run(train);
  return s.run(v);
}

test.each<[string, any[], object, any[]]>([
  ['GradientDescentOptimizer', [0.25], { learningRate: 0.25 }, [0.5]],
  [
    'MomentumOptimizer',
    [0.1, 0.5, { useNesterov: true }],
    { learningRate: 0.1, momentum: 0.5, useNesterov: true },
    [0.1, 0],
  ],
  ['AdamOptimizer', [0.1, 0.5, 0.9, 0.01], { learningRate: 0.1, beta1: 0.5, beta2: 0.9, epsilon: 0.01 }, [0.1]],
  [
    'AdamWOptimizer',
    [0.1, 0.2, 0.5, 0.9, 0.01],
    { learningRate: 0.1, weightDecay: 0.2, beta1: 0.5, beta2: 0.9, epsilon: 0.01 },
    [0.1],
  ],
  ['LionOptimizer', [0.1, 0.5, 0.9, 0.2], { learningRate: 0.1, beta1: 0.5, beta2: 0.9, weightDecay: 0.2 }, [0.1]],
  ['AdagradOptimizer', [0.1, 0.5], { learningRate: 0.1, initialAccumulatorValue: 0.5 }, [0.1]],
  ['AdadeltaOptimizer', [1, 0.5, 0.01], { learningRate: 1, rho: 0.5, epsilon: 0.01 }, [1]],
  ['RMSPropOptimizer', [0.1, 0.5, 0.2, 0.1], { learningRate: 0.1, decay: 0.5, momentum: 0.2, epsilon: 0.1 }, [0.1]],
  [
    'FtrlOptimizer',
    [0.1, -0.7, 0.2, 0.3, 0.4],
    {
      learningRate: 0.1,
      learningRatePower: -0.7,
      initialAccumulatorValue: 0.2,
      l1RegularizationStrength: 0.3,
      l2RegularizationStrength: 0.4,
    },
    [0.1],
  ],
  [
    'ProximalGradientDescentOptimizer',
    [0.1, 0.2, 0.3],
    { learningRate: 0.1, l1RegularizationStrength: 0.2, l2RegularizationStrength: 0.3 },
    [0.1],
  ],
  [
    'ProximalAdagradOptimizer',
    [0.1, 0.5, 0.2, 0.3],
    {
      learningRate: 0.1,
      initialAccumulatorValue: 0.5,
      l1RegularizationStrength: 0.2,
      l2RegularizationStrength: 0.3,
    },
    [0.1],
  ],
])('%s', async (name, places, options, others) => {
  const byPlace = await step(() => new api.train[name](...places));
  expect(byPlace).toBe(await step(() => new api.train[name](options)));
  expect(byPlace).not.toBe(await step(() => new api.train[name](...others)));
});

describe('what is in neither form is refused, and the right one is named', () => {
  const strides = [1, 1, 1, 1];
  test.each<[string, () => unknown, RegExp]>([
    [
      'an option that conv2d has not',
      () => api.nn.conv2d(image, filter, { strides, padding: 'SAME', useCudnnOnGpu: true }),
      /^conv2d: there is no option useCudnnOnGpu\. Write tf\.nn\.conv2d\(x, filter, \{ strides, padding, dilations, groups, dataFormat, name \}\) or/,
    ],
    [
      'a global step that is no variable',
      () => new tf.train.AdamOptimizer().minimize(x, { globalStep: x } as any),
      /^minimize: globalStep must be a scalar variable of numbers, but an object of class Tensor came: make it with tf\.variable\(0, \{ trainable: false \}\)\. Write optimizer\.minimize\(loss, \{ globalStep, /,
    ],
    ['the shape of a variable', () => tf.variable(3, { shape: [2] } as any), /^variable: there is no option shape\./],
    [
      'thread',
      () => new tf.Session({ thread: 1 } as any),
      /^Session: there is no option thread; did you mean threads\?/,
    ],
    ['keep_dims', () => api.reduceSum(x, 1, { keep_dims: true }), /no option keep_dims; did you mean keepDims\?/],
    ['std', () => api.randomNormal([2], { std: 2 }), /no option std; did you mean stddev\?/],
    [
      'what map gives',
      () => [x].map(api.square as any),
      /^square: the options must be a plain object, but an array came\. Write tf\.square\(x, \{ name \}\)/,
    ],
    [
      'null as options',
      () => new tf.Session(null as any),
      /^Session: the options must be a plain object, but null came/,
    ],
    ['more than all', () => api.add(x, x, 'n', 1), /^add: 4 arguments came, but it takes at most 3 and the options/],
    ['an argument for none', () => (graph as any).finalize(true), /^finalize: 1 argument came, but it takes none/],
    ['a wrong dtype', () => api.zeros([2], 'float'), /^zeros: there is no dtype the text "float"/],
    [
      'a number and an array',
      () => api.mul(0.5, [1, 2, 3]),
      /^mul: b must be a tensor or a number, but an array came: make it/,
    ],
    ['a symbol as a name', () => api.noOp(Symbol('n')), /^noOp: name must be a text, but the symbol Symbol\(n\) came/],
  ])('%s', (_, call, message) => {
    let error: unknown;
    try {
      graph.asDefault(call);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(tf.MillraceError);
    expect((error as Error).message).toMatch(message);
  });
});

test('the name of what is joined may come by place, as in TensorFlow', () => {
  graph.asDefault(() => {
    const parts = [tf.zeros([1]), tf.ones([2])];
    expect(api.concat(parts, 0, 'byPlace').operation.name).toBe('byPlace');
    expect(api.concat(parts, 0, { name: 'byOption' }).operation.name).toBe('byOption');
  });
});
