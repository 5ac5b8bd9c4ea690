// Gradients against central differences in float64 graphs, second derivatives included.
import { describe, expect, test } from 'vitest';
import * as tf from '../src/index.ts';
import { elements } from '../src/tensor/shape.ts';
import { backends } from './backends.ts';

type Any = tf.Tensor<any, any>;
const nn = tf.nn as any;
const api = tf as any;

/** Numbers without pattern, away from 0 and from each other. */
function numbers(count: number, seed: number): Float64Array {
  let state = seed * 2654435761;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state >>> 0) / 2 ** 32) * 3.2 - 1.6 + 0.037;
  });
}

interface Check {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly f: (...xs: Any[]) => Any;
  /** Makes the inputs suitable, such as positive. */
  readonly prepare?: (v: number) => number;
  /** Does it need sizes when the graph is built? */
  readonly sized?: boolean;
}
const conv = { strides: [1, 2, 1, 1], padding: 'SAME' };
const window = { ksize: [1, 2, 3, 1], strides: [1, 2, 1, 1], padding: 'SAME' };
const positive = (v: number) => Math.abs(v) + 0.3;
const checks: Check[] = [
  ...['add', 'sub', 'mul', 'maximum', 'minimum'].map((op) => ({ name: op, shapes: [[2, 3], [3]], f: api[op] })),
  { name: 'div', shapes: [[2, 3], [3]], f: api.div, prepare: positive },
  { name: 'pow', shapes: [[2, 3], [3]], f: api.pow, prepare: positive },
  { name: 'mod', shapes: [[2, 3], [3]], f: (a, b) => api.mod(a, api.add(api.abs(b), 5)) },
  ...['neg', 'abs', 'square', 'exp', 'expm1', 'erf', 'tanh', 'sigmoid', 'sin', 'cos'].map((op) => ({
    name: op,
    shapes: [[7]],
    f: api[op],
  })),
  ...['sqrt', 'rsqrt', 'log', 'log1p'].map((op) => ({ name: op, shapes: [[7]], f: api[op], prepare: positive })),
  ...['relu', 'elu', 'selu', 'softplus', 'leakyRelu', 'gelu'].map((op) => ({ name: op, shapes: [[9]], f: nn[op] })),
  { name: 'gelu, approximate', shapes: [[9]], f: (x) => nn.gelu(x, true) },
  ...['squaredDifference', 'multiply', 'subtract'].map((op) => ({ name: op, shapes: [[2, 3], [3]], f: api[op] })),
  { name: 'divide', shapes: [[2, 3], [3]], f: api.divide, prepare: positive },
  {
    name: 'sigmoid cross-entropy',
    shapes: [[6], [6]],
    f: (labels, logits) => nn.sigmoidCrossEntropyWithLogits({ labels, logits }),
  },
  {
    name: 'weighted cross-entropy',
    shapes: [[6], [6]],
    f: (labels, logits) => nn.weightedCrossEntropyWithLogits({ labels, logits, posWeight: 2.5 }),
  },
  ...['reduceVariance', 'reduceStd', 'reduceLogsumexp'].flatMap((op) => [
    { name: op, shapes: [[3, 4]], f: (x: Any) => api[op](x, 0) },
    { name: `${op} of all`, shapes: [[3, 4]], f: api[op] },
  ]),
  { name: 'moments', shapes: [[2, 3, 4]], f: (x) => api.mul(...(nn.moments(x, [0, 1]) as [Any, Any])) },
  {
    name: 'batchNormalization',
    shapes: [[3, 2, 4], [4], [4]],
    f: (x, beta, gamma) => {
      const [mean, variance] = nn.moments(x, [0, 1]);
      return nn.batchNormalization(x, mean, variance, beta, gamma, 0.01);
    },
  },
  {
    name: 'batchNormalization with statistics that are kept',
    shapes: [[3, 2, 4], [1, 1, 4], [1, 1, 4], [4]],
    f: (x, mean, variance, gamma) => nn.batchNormalization(x, mean, api.exp(variance), null, gamma),
  },
  {
    name: 'layer normalization',
    shapes: [[3, 4], [4], [4]],
    f: (x, beta, gamma) => {
      const [mean, variance] = nn.moments(x, [1], { keepDims: true });
      return nn.batchNormalization(x, mean, variance, beta, gamma, 0.01);
    },
  },
  { name: 'l2Normalize', shapes: [[3, 4]], f: (x) => api.mul(nn.l2Normalize(x, 1), x) },
  { name: 'lrn', shapes: [[2, 6]], f: (x) => nn.lrn(x, 2, 2, 0.5, 0.75) },
  {
    name: 'split',
    shapes: [[2, 5]],
    f: (x) => api.mul(...(api.split(x, [2, 1, 2], 1) as [Any, Any]).filter((_, i) => i !== 1)),
  },
  { name: 'embeddingLookup', shapes: [[4, 3]], f: (x) => nn.embeddingLookup(x, tf.constant([3, 0, 3], 'int32')) },
  { name: 'placeholderWithDefault', shapes: [[3]], f: (x) => api.placeholderWithDefault(x, [null]) },
  { name: 'addN', shapes: [[3], [3], [3]], f: (...xs) => api.addN(xs) },
  { name: 'where', shapes: [[4], [4]], f: (a, b) => api.where(api.less(a, 0), a, api.square(b)) },
  {
    name: 'matmul',
    shapes: [
      [3, 4],
      [4, 2],
    ],
    f: api.matmul,
  },
  {
    name: 'matmul transposed',
    shapes: [
      [4, 3],
      [2, 4],
    ],
    f: (a, b) => api.matmul(a, b, { transposeA: true, transposeB: true }),
  },
  {
    name: 'matmul of a batch and a matrix',
    shapes: [
      [2, 3, 4],
      [4, 2],
    ],
    f: api.matmul,
  },
  {
    name: 'matmul of batches that broadcast, transposed',
    shapes: [
      [2, 1, 3, 2],
      [3, 2, 3],
    ],
    f: (a, b) => api.matmul(a, b, { transposeA: true, transposeB: true }),
  },
  { name: 'reduceMean', shapes: [[3, 4]], f: (x) => api.reduceMean(x, 0) },
  { name: 'reduceSum, kept', shapes: [[3, 4]], f: (x) => api.reduceSum(x, 1, { keepDims: true }) },
  { name: 'reduceMax', shapes: [[3, 4]], f: (x) => api.reduceMax(x, 1) },
  { name: 'reduceMin', shapes: [[3, 4]], f: (x) => api.reduceMin(x, 0) },
  { name: 'reduceProd', shapes: [[3, 4]], f: (x) => api.reduceProd(x, [0, 1]) },
  { name: 'reshape', shapes: [[2, 6]], f: (x) => api.reshape(x, [3, -1]) },
  { name: 'expandDims', shapes: [[2, 3]], f: (x) => api.expandDims(x, 1) },
  { name: 'squeeze', shapes: [[2, 1, 3]], f: (x) => api.squeeze(x, [1]) },
  { name: 'biasAdd', shapes: [[2, 3], [3]], f: nn.biasAdd },
  { name: 'transpose', shapes: [[2, 3, 4]], f: (x) => api.transpose(x, [2, 0, 1]) },
  {
    name: 'concat',
    shapes: [
      [2, 3],
      [2, 2],
    ],
    f: (a, b) => api.concat([a, b], 1),
  },
  { name: 'slice', shapes: [[4, 5]], f: (x) => api.slice(x, [1, 0], [2, -1]) },
  {
    name: 'pad',
    shapes: [[2, 3]],
    f: (x) =>
      api.pad(x, [
        [1, 0],
        [2, 1],
      ]),
  },
  { name: 'pad, reflected', shapes: [[4]], f: (x) => api.pad(x, [[2, 3]], 'REFLECT') },
  {
    name: 'pad, symmetric',
    shapes: [[2, 3]],
    f: (x) =>
      api.pad(
        x,
        [
          [1, 2],
          [3, 0],
        ],
        'SYMMETRIC',
      ),
  },
  { name: 'stridedSlice', shapes: [[5, 4]], f: (x) => api.stridedSlice(x, [4, 1], [0, 4], [-2, 2]) },
  {
    name: 'stridedSlice with masks',
    shapes: [[3, 4]],
    f: (x) => api.stridedSlice(x, [0, -1], [0, 0], { beginMask: 1, endMask: 1, shrinkAxisMask: 2 }),
  },
  { name: 'cumsum', shapes: [[3, 4]], f: (x) => api.cumsum(x, 1) },
  { name: 'cumsum in blocks', shapes: [[50]], f: (x) => api.cumsum(x, 0, true, true) },
  { name: 'broadcastTo', shapes: [[3, 1]], f: (x) => api.broadcastTo(x, [2, 3, 4]) },
  { name: 'topK', shapes: [[3, 5]], f: (x) => nn.topK(x, 2)[0] },
  {
    name: 'gatherNd',
    shapes: [[3, 2]],
    f: (x) =>
      api.gatherNd(
        x,
        tf.constant(
          [
            [2, 1],
            [0, 0],
            [2, 1],
          ],
          'int32',
        ),
      ),
  },
  {
    name: 'unsortedSegmentSum',
    shapes: [[4, 2]],
    f: (x) => api.unsortedSegmentSum(x, tf.constant([1, 0, 1, -1], 'int32'), 3),
  },
  { name: 'checkNumerics', shapes: [[3]], f: (x) => api.checkNumerics(x, 'x') },
  { name: 'tile', shapes: [[2, 3]], f: (x) => api.tile(x, [2, 3]) },
  {
    name: 'stack',
    shapes: [
      [2, 3],
      [2, 3],
    ],
    f: (a, b) => api.stack([a, b], 1),
  },
  {
    name: 'unstack',
    shapes: [[3, 2]],
    f: (x) => api.mul(...(api.unstack(x).slice(0, 2) as [Any, Any])),
    sized: true,
  },
  { name: 'gather', shapes: [[4, 3]], f: (x) => api.gather(x, tf.constant([3, 0, 3], { dtype: 'int32' })) },
  { name: 'softmax', shapes: [[3, 4]], f: nn.softmax },
  { name: 'logSoftmax', shapes: [[3, 4]], f: nn.logSoftmax },
  { name: 'log of softmax', shapes: [[3, 4]], f: (x) => api.log(nn.softmax(x)) },
  {
    name: 'log of softmax, scaled and added',
    shapes: [[3, 4]],
    f: (x) => {
      const y = nn.softmax(x);
      return api.add(api.mul(api.log(y), 3), api.neg(api.div(api.log(y), 2)));
    },
  },
  {
    name: 'cross-entropy',
    shapes: [
      [3, 4],
      [3, 4],
    ],
    f: (labels, logits) => nn.softmaxCrossEntropyWithLogits({ labels, logits }),
  },
  {
    name: 'conv2d',
    shapes: [
      [2, 5, 4, 2],
      [3, 2, 2, 3],
    ],
    f: (x, w) => nn.conv2d(x, w, conv),
  },
  {
    name: 'conv2d, dilated, with margins',
    shapes: [
      [1, 5, 4, 2],
      [2, 2, 2, 3],
    ],
    f: (x, w) =>
      nn.conv2d(x, w, {
        strides: [1, 1, 2, 1],
        padding: [
          [0, 0],
          [1, 0],
          [0, 2],
          [0, 0],
        ],
        dilations: [1, 2, 1, 1],
      }),
  },
  {
    name: 'conv2d in groups, channels second',
    shapes: [
      [1, 4, 4, 3],
      [2, 2, 2, 4],
    ],
    f: (x, w) => nn.conv2d(x, w, { strides: [1, 1, 1, 1], padding: 'SAME', groups: 2, dataFormat: 'NCHW' }),
  },
  {
    name: 'depthwiseConv2d',
    shapes: [
      [1, 5, 4, 2],
      [2, 3, 2, 2],
    ],
    f: (x, w) => nn.depthwiseConv2d(x, w, { strides: [1, 2, 1, 1], padding: 'SAME', rate: [1, 2] }),
  },
  {
    name: 'separableConv2d',
    shapes: [
      [1, 3, 3, 2],
      [2, 2, 2, 1],
      [1, 1, 2, 2],
    ],
    f: (x, w, q) => nn.separableConv2d(x, w, q, [1, 1, 1, 1], 'VALID'),
  },
  {
    name: 'conv2dTranspose',
    shapes: [
      [1, 2, 3, 2],
      [3, 2, 2, 2],
    ],
    f: (x, w) => nn.conv2dTranspose(x, w, [null, 4, 3, 2], [1, 2, 1, 1], 'SAME'),
  },
  {
    name: 'conv1d',
    shapes: [
      [2, 5, 2],
      [3, 2, 2],
    ],
    f: (x, w) => nn.conv1d(x, w, 2, 'SAME'),
  },
  { name: 'maxPool', shapes: [[1, 5, 4, 2]], f: (x) => nn.maxPool(x, window) },
  { name: 'avgPool', shapes: [[1, 5, 4, 2]], f: (x) => nn.avgPool(x, window) },
  { name: 'l2Loss', shapes: [[5]], f: nn.l2Loss },
];

/** Pairs of shapes of which one is repeated along axes of the other. */
const broadcasts = [
  [[3], [1]],
  [[1], [3]],
  [
    [2, 3],
    [2, 1],
  ],
  [
    [1, 3],
    [2, 1],
  ],
  [[1], [2, 3]],
  [
    [2, 3],
    [1, 1],
  ],
];
const broadcasting: Check[] = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'pow', 'mod'].flatMap((op) =>
  broadcasts.map((shapes) => ({
    name: `${op} of ${JSON.stringify(shapes)}`,
    shapes,
    f: (a: Any, b: Any) => api[op](a, op === 'mod' ? api.add(b, 5) : b),
    prepare: positive,
  })),
);

/** A number made of f, one of its gradients, and the gradients of both. */
function graphOf({ f, shapes }: Check, sizes: 'known' | 'unknown') {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const xs = shapes.map(
      (shape) => tf.placeholder('float64', sizes === 'known' ? shape : shape.map(() => null)) as Any,
    );
    const y = f(...xs);
    const loss = tf.reduceSum(api.mul(api.mul(y, y), 0.75)) as Any;
    const first = tf.gradients(loss, xs) as (Any | null)[];
    const squares = first.flatMap((g) => (g ? [tf.reduceSum(api.square(g)) as Any] : []));
    const penalty = squares.length > 0 ? (api.addN(squares) as Any) : loss;
    return { graph, xs, numbers: [loss, penalty], gradients: [first, tf.gradients(penalty, xs) as (Any | null)[]] };
  });
}

const valuesOf = ({ shapes, prepare = (v) => v }: Check) =>
  shapes.map((shape, i) => numbers(elements(shape), i + 1).map(prepare));
const feedsOf = ({ shapes }: Check, xs: readonly Any[], values: readonly Float64Array[]) =>
  xs.map((x, i) => [x, tf.array(values[i], shapes[i] as number[])]) as any;

/** What a gradient should be, and how far rounding may have moved it. */
interface Difference {
  readonly wanted: readonly number[];
  readonly tolerance: number;
}

/** Central differences of both numbers by each input: of one backend, for all. */
async function differencesOf(check: Check): Promise<readonly (readonly Difference[])[]> {
  const { graph, xs, numbers: both } = graphOf(check, 'known');
  const session = new tf.Session({ graph, backend: 'wasm' });
  const values = valuesOf(check);
  const step = 1e-5;
  const at = async (input: number, element: number, by: number) => {
    const moved = values.map((v) => v.slice());
    moved[input][element] += by;
    return (await session.run(both, feedsOf(check, xs, moved))) as number[];
  };
  const size = ((await session.run(both, feedsOf(check, xs, values))) as number[]).map(Math.abs);
  const all: Difference[][] = both.map(() => []);
  for (const [input, data] of values.entries()) {
    const wanted: number[][] = both.map(() => []);
    for (const element of data.keys()) {
      const [up, down] = [await at(input, element, step), await at(input, element, -step)];
      for (const n of both.keys()) wanted[n].push((up[n] - down[n]) / (2 * step));
    }
    for (const n of both.keys()) {
      // A millionth of the largest, and what is left of rounding when it is divided by the step.
      const largest = wanted[n].reduce((most, v) => Math.max(most, Math.abs(v)), 0);
      all[n].push({ wanted: wanted[n], tolerance: 1e-6 * largest + 1e-10 * size[n] });
    }
  }
  await session.close();
  return all;
}

const known = new Map<Check, ReturnType<typeof differencesOf>>();

/** Expects the gradients, and the gradients of the gradients, that differences give. */
async function expectGradients(check: Check, backend: (typeof backends)[number], sizes: 'known' | 'unknown') {
  if (!known.has(check)) known.set(check, differencesOf(check));
  const all = (await known.get(check)) as readonly (readonly Difference[])[];
  const { graph, xs, gradients } = graphOf(check, sizes);
  const session = new tf.Session({ graph, backend });
  const feeds = feedsOf(check, xs, valuesOf(check));
  const there = gradients.flatMap((ofOrder) => ofOrder.filter((g) => g !== null));
  // A C compiler takes longer to start than to compile: there, all gradients are one run.
  const together = backend === 'native' ? ((await session.run(there, feeds)) as unknown[]) : undefined;
  for (const [order, ofOrder] of gradients.entries()) {
    for (const [input, g] of ofOrder.entries()) {
      const { wanted, tolerance } = all[order][input];
      const found = (g && (together ? together[there.indexOf(g)] : await session.run(g, feeds))) as any;
      for (const [element, v] of wanted.entries()) {
        const got = typeof found === 'number' ? found : (found?.data[element] ?? 0);
        const what = `derivative ${order + 1} by element ${element} of input ${input}: ${got}, by differences ${v}`;
        expect(Math.abs(got - v), what).toBeLessThanOrEqual(tolerance);
      }
    }
  }
  await session.close();
}

describe.each(backends)(
  'on %s: gradient, and gradient of the gradient, within 1e-6 of central differences',
  (backend) => {
    test.each(checks)('$name', (check) => expectGradients(check, backend, 'known'));
  },
);

describe('of sizes that the graph does not know', () => {
  test.each(checks.filter((check) => !check.sized))('$name', (check) => expectGradients(check, 'wasm', 'unknown'));
  test.each(broadcasting)('$name, one repeated for the other', async (check) => {
    await expectGradients(check, 'wasm', 'unknown');
    await expectGradients(check, 'reference', 'unknown');
  });
});

test('no gradient flows through argmax, comparisons, casts to int, whole numbers and stopGradient', () => {
  const x = tf.placeholder('float32', [3]);
  const through = [
    tf.cast(tf.argmax(x), 'float32'),
    tf.cast(tf.less(x, 1), 'float32'),
    tf.stopGradient(x),
    ...[tf.floor(x), tf.ceil(x), tf.round(x)],
    tf.cast(tf.cast(x, 'int32'), 'float32'),
  ];
  for (const y of through) expect(tf.gradients(y as Any, [x])).toEqual([null]);
});

test.each(backends)(
  'gradients reach tensors whose rank is not known when the graph is built, on %s',
  async (backend) => {
    const graph = new tf.Graph();
    const session = new tf.Session({ graph, backend });
    const { x, gs } = graph.asDefault(() => {
      const input = tf.placeholder('float32') as Any;
      const ys = [
        tf.reduceMean(input, -1),
        tf.reduceMax(input, 0),
        tf.reduceProd(input),
        tf.reduceSum(tf.mul(input, 2), [0, 1], { keepDims: true }),
      ];
      return { x: input, gs: ys.map((y) => tf.gradients(y as Any, [input])[0] as Any) };
    });
    const found = (await session.run(gs, [
      [
        x,
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ] as any)) as any[];
    expect(found.map((g) => g.toArray())).toEqual([
      [
        [0.5, 0.5],
        [0.5, 0.5],
      ],
      [
        [0, 0],
        [1, 1],
      ],
      [
        [24, 12],
        [8, 6],
      ],
      [
        [2, 2],
        [2, 2],
      ],
    ]);
    await session.close();
  },
);
