// Random programs with every kind of operation, for property tests: variables, a training step, random numbers and
// checks among them. What decides between two branches (a comparison, an argmax, a cast to integers) looks at what was
// fed, so that rounding never decides it.
import fc from 'fast-check';
import * as tf from '../../src/index.ts';
import type { Feeds } from '../models.ts';

type Any = tf.Tensor<any, any>;
const api = tf as any;
const nn = tf.nn as any;

/** What a step may use: earlier results, fed values, and three numbers. */
interface Hand {
  /** An earlier result. */
  readonly pick: (n: number) => Any;
  /** An earlier result of two dimensions, and of four. */
  readonly matrix: (n: number) => Any;
  readonly image: (n: number) => Any;
  /** A fed value, exactly as it was fed; index is a fed int32 scalar, 0 or 1. */
  readonly raw: (n: number) => Any;
  readonly index: Any;
  /** A new trainable variable. */
  readonly weight: (shape: number[]) => Any;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const sizes = (t: Any) => t.shape as number[];
const count = (shape: readonly number[]) => shape.reduce((p, d) => p * d, 1);
const axisOf = (t: Any, n: number) => n % Math.max(1, sizes(t).length);
/** The other operand, made to fit by taking a mean where its shape does not. */
function fitting(x: Any, y: Any): Any {
  const [s, t] = [sizes(x), sizes(y)];
  const fits = t.every((d, i) => d === 1 || d === s[s.length - t.length + i]) && t.length <= s.length;
  return fits ? y : (api.reduceMean(y) as Any);
}
const positive = (x: Any): Any => api.add(api.abs(x), 0.5);
/** About as large as 1, whatever it was. */
const tamed = (x: Any): Any => api.div(x, api.add(api.reduceMax(api.abs(x)), 1));
const wave = (shape: readonly number[], phase = 0) =>
  Float32Array.from({ length: count(shape) }, (_, i) => Math.cos(i * 1.3 + phase) * 0.7 + (i % 3) * 0.1);

export const steps: Record<string, (hand: Hand) => Any> = {
  add: ({ pick, a, b }) => api.add(pick(a), fitting(pick(a), pick(b))),
  sub: ({ pick, a, b }) => api.sub(pick(a), fitting(pick(a), pick(b))),
  mul: ({ pick, a, b }) => api.mul(pick(a), fitting(pick(a), tamed(pick(b)))),
  div: ({ pick, a, b }) => api.div(pick(a), positive(fitting(pick(a), pick(b)))),
  maximum: ({ pick, a, b }) => api.maximum(pick(a), fitting(pick(a), pick(b))),
  minimum: ({ pick, a, b }) => api.minimum(pick(a), fitting(pick(a), pick(b))),
  pow: ({ pick, a }) => api.pow(positive(tamed(pick(a))), 1.5),
  addN: ({ pick, a }) => api.addN([pick(a), tamed(pick(a)), pick(a)]),
  neg: ({ pick, a }) => api.neg(pick(a)),
  exp: ({ pick, a }) => api.exp(tamed(pick(a))),
  log: ({ pick, a }) => api.log(positive(pick(a))),
  sqrt: ({ pick, a }) => api.sqrt(positive(pick(a))),
  rsqrt: ({ pick, a }) => api.rsqrt(positive(pick(a))),
  square: ({ pick, a }) => api.square(tamed(pick(a))),
  tanh: ({ pick, a }) => api.tanh(pick(a)),
  sigmoid: ({ pick, a }) => api.sigmoid(pick(a)),
  relu: ({ pick, a }) => nn.relu(pick(a)),
  expm1: ({ pick, a }) => api.expm1(tamed(pick(a))),
  log1p: ({ pick, a }) => api.log1p(api.abs(pick(a))),
  erf: ({ pick, a }) => api.erf(pick(a)),
  activations: ({ pick, a }) =>
    api.addN(['elu', 'selu', 'softplus', 'leakyRelu', 'gelu'].map((op) => nn[op](tamed(pick(a))))),
  squaredDifference: ({ pick, a, b }) => api.squaredDifference(tamed(pick(a)), fitting(pick(a), tamed(pick(b)))),
  longNames: ({ pick, a, b }) =>
    api.subtract(pick(a), api.divide(api.multiply(tamed(pick(a)), 3), positive(fitting(pick(a), pick(b))))),
  sign: ({ raw, a }) => api.sign(raw(a)),
  rounded: ({ raw, a }) => {
    const x = api.mul(raw(a), 3);
    return api.addN([api.floor(x), api.ceil(x), api.round(x)]);
  },
  sin: ({ pick, a }) => api.sin(tamed(pick(a))),
  cos: ({ pick, a }) => api.cos(api.mul(tamed(pick(a)), 3)),
  floorDiv: ({ raw, a }) => api.floorDiv(raw(a), 0.3),
  mod: ({ raw, a }) => api.mod(api.cast(api.mul(raw(a), 8), 'int32'), 3),
  compare: ({ raw, pick, a, b, c }) => {
    const x = raw(a);
    const kind = ['less', 'lessEqual', 'greater', 'greaterEqual', 'equal', 'notEqual'][c % 6];
    return api.where(api[kind](x, 0.1), x, fitting(x, pick(b)));
  },
  logical: ({ raw, a }) => {
    const x = raw(a);
    const both = api.logicalAnd(api.less(x, 0.5), api.logicalNot(api.less(x, -0.5)));
    return api.cast(api.logicalOr(both, api.greater(x, 0.8)), 'float32');
  },
  anyAll: ({ raw, a, b }) => {
    const x = raw(a);
    const axis = axisOf(x, b);
    const some = api.reduceAny(api.greater(x, 0.9), axis);
    return api.cast(api.logicalOr(some, api.reduceAll(api.less(x, 0.4), axis)), 'float32');
  },
  cast: ({ raw, a }) => api.cast(api.cast(api.mul(raw(a), 9), 'int32'), 'float32'),
  castBytes: ({ raw, a }) => api.cast(api.cast(api.abs(api.mul(raw(a), 9)), 'uint8'), 'float32'),
  float64: ({ pick, a }) => api.cast(api.mul(api.cast(pick(a), 'float64'), 0.7), 'float32'),
  reduceSum: ({ pick, a, b, c }) => api.reduceSum(pick(a), axisOf(pick(a), b), { keepDims: c % 2 === 0 }),
  reduceMean: ({ pick, a, b, c }) => api.reduceMean(pick(a), axisOf(pick(a), b), { keepDims: c % 2 === 0 }),
  reduceMax: ({ pick, a, b, c }) => api.reduceMax(pick(a), axisOf(pick(a), b), { keepDims: c % 2 === 0 }),
  reduceMin: ({ pick, a, b, c }) => api.reduceMin(pick(a), axisOf(pick(a), b), { keepDims: c % 2 === 0 }),
  reduceProd: ({ pick, a, b }) => api.reduceProd(api.add(api.mul(tamed(pick(a)), 0.2), 1), axisOf(pick(a), b)),
  sumOfAll: ({ pick, a, b }) => api.mul(pick(a), api.reduceMean(pick(b))),
  reduceVariance: ({ pick, a, b, c }) => api.reduceVariance(pick(a), axisOf(pick(a), b), { keepDims: c % 2 === 0 }),
  reduceLogsumexp: ({ pick, a, b, c }) => api.reduceLogsumexp(pick(a), axisOf(pick(a), b), { keepDims: c % 2 === 0 }),
  batchNormalization: ({ pick, weight, a, b }) => {
    const x = tamed(pick(a));
    const axes = sizes(x).map((_, i) => i);
    const [mean, variance] = nn.moments(x, axes.slice(0, -1), { keepDims: b % 2 === 0 });
    const parameters = [weight(sizes(mean)), weight(sizes(mean))];
    return nn.relu(nn.batchNormalization(x, mean, variance, ...parameters, 0.1));
  },
  layerNormalization: ({ matrix, weight, a }) => {
    const x = tamed(matrix(a));
    const [mean, variance] = nn.moments(x, [1], { keepDims: true });
    return nn.batchNormalization(x, mean, variance, weight([sizes(x)[1]]), weight([sizes(x)[1]]), 0.1);
  },
  l2Normalize: ({ pick, a, b }) => nn.l2Normalize(api.add(tamed(pick(a)), 0.5), axisOf(pick(a), b)),
  lrn: ({ image, a, b }) => nn.lrn(tamed(image(a)), b % 4),
  argmax: ({ raw, a, b }) => api.cast(api.argmax(raw(a), axisOf(raw(a), b)), 'float32'),
  argmin: ({ raw, a, b }) => api.cast(api.argmin(raw(a), axisOf(raw(a), b)), 'float32'),
  oneHot: ({ raw, a }) => api.oneHot(api.argmax(raw(a), sizes(raw(a)).length - 1), 5),
  softmax: ({ pick, a }) => nn.softmax(pick(a)),
  logSoftmax: ({ pick, a }) => nn.logSoftmax(pick(a)),
  crossEntropy: ({ matrix, a, b }) => {
    const logits = matrix(a);
    return nn.softmaxCrossEntropyWithLogits({ labels: nn.softmax(fitting(logits, matrix(b))), logits });
  },
  sparseCrossEntropy: ({ raw, a }) => {
    const x = raw(a);
    return nn.sparseSoftmaxCrossEntropyWithLogits({ labels: api.argmax(x, sizes(x).length - 1), logits: x });
  },
  sigmoidCrossEntropy: ({ pick, a, c }) => {
    const options = { labels: api.sigmoid(pick(a)), logits: pick(a), posWeight: 2 };
    const { posWeight: _, ...plain } = options;
    return c % 2 ? nn.sigmoidCrossEntropyWithLogits(plain) : nn.weightedCrossEntropyWithLogits(options);
  },
  l2Loss: ({ pick, a, b }) => api.add(pick(a), nn.l2Loss(tamed(pick(b)))),
  matmul: ({ matrix, weight, a, b, c }) => {
    const x = matrix(a);
    const [rows, columns] = [sizes(x)[c % 2], 1 + (b % 37)];
    const w = weight(b % 2 === 0 ? [rows, columns] : [columns, rows]);
    return api.matmul(tamed(x), w, { transposeA: c % 2 === 0, transposeB: b % 2 === 1 });
  },
  rows: ({ image, weight, a, b }) => {
    const x = tamed(image(a));
    return api.matmul(x, weight([sizes(x)[3], 1 + (b % 9)]));
  },
  products: ({ image, a }) => {
    const x = tamed(image(a));
    return api.matmul(x, x, { transposeB: true });
  },
  gram: ({ matrix, a }) => api.matmul(tamed(matrix(a)), tamed(matrix(a)), { transposeA: true }),
  dense: ({ matrix, weight, a, b }) => {
    const x = matrix(a);
    const columns = 4 * (1 + (b % 6));
    return nn.relu(nn.biasAdd(api.matmul(tamed(x), weight([sizes(x)[1], columns])), weight([columns])));
  },
  conv2d: ({ image, weight, a, b, c }) => {
    const x = tamed(image(a));
    const filter = weight([1 + (b % 5), 1 + (c % 5), sizes(x)[3], 1 + (a % 7)]);
    return nn.conv2d(x, filter, { strides: [1, 1 + (c % 2), 1 + (b % 2), 1], padding: b % 3 === 0 ? 'SAME' : 'VALID' });
  },
  dilated: ({ image, weight, a, b, c }) => {
    const x = tamed(image(a));
    const filter = weight([2, 1 + (c % 3), sizes(x)[3], 1 + (a % 7)]);
    const dilations = [1, 1 + (b % 2), 1 + (c % 2), 1];
    return nn.conv2d(x, filter, { strides: [1, 1, 1, 1], padding: 'SAME', dilations });
  },
  grouped: ({ image, weight, a, b }) => {
    const x = tamed(image(a));
    const both = api.concat([x, x], 3);
    const margins = [
      [0, 0],
      [b % 3, 1],
      [1, b % 2],
      [0, 0],
    ];
    return nn.conv2d(both, weight([2, 2, sizes(x)[3], 4]), { strides: [1, 1, 1, 1], padding: margins, groups: 2 });
  },
  depthwise: ({ image, weight, a, b, c }) => {
    const x = tamed(image(a));
    const filter = weight([1 + (b % 3), 1 + (c % 3), sizes(x)[3], 1 + (a % 2)]);
    return nn.depthwiseConv2d(x, filter, { strides: [1, 1 + (c % 2), 1, 1], padding: b % 2 ? 'SAME' : 'VALID' });
  },
  separable: ({ image, weight, a }) => {
    const x = tamed(image(a));
    return nn.separableConv2d(x, weight([3, 3, sizes(x)[3], 1]), weight([1, 1, sizes(x)[3], 4]), [1, 1, 1, 1], 'SAME');
  },
  transposed: ({ image, weight, a, b }) => {
    const x = tamed(image(a));
    const [, h, w, c] = sizes(x);
    const step = 1 + (b % 2);
    const filter = weight([3, 3, 4, c]);
    return nn.conv2dTranspose(x, filter, [null, h * step, w * step, 4], [1, step, step, 1], 'SAME');
  },
  conv1d: ({ image, weight, a, b }) => {
    const x = tamed(image(a));
    const [n, h, w, c] = sizes(x);
    const rows = api.reshape(x, [n * h, w, c]);
    return nn.conv1d(rows, weight([3, c, 4]), 1 + (b % 2), 'SAME');
  },
  convolutions: ({ image, weight, a, b, c }) => {
    // Four channels and step 1: what Winograd's algorithm takes.
    const options = (padding: string) => ({ strides: [1, 1, 1, 1], padding });
    const x = tamed(image(a));
    const first = nn.relu(nn.conv2d(x, weight([1, 1, sizes(x)[3], 8]), options('SAME')));
    const side = [2, 3, 3, 5][b % 4];
    return nn.conv2d(first, weight([side, side, 8, 4 + 4 * (c % 2)]), options(c % 3 === 0 ? 'VALID' : 'SAME'));
  },
  maxPool: ({ image, a, b, c }) => nn.maxPool(image(a), windows(b, c)),
  avgPool: ({ image, a, b, c }) => nn.avgPool(image(a), windows(b, c)),
  pooled: ({ image, weight, a, c }) => {
    const x = tamed(image(a));
    const ksize = [1, 2, 2, 1];
    const y = nn.conv2d(x, weight([3, 3, sizes(x)[3], 4]), { strides: [1, 1, 1, 1], padding: 'SAME' });
    return nn.maxPool(nn.relu(y), { ksize, strides: ksize, padding: c % 2 ? 'SAME' : 'VALID' });
  },
  reshape: ({ pick, a, b }) => {
    const x = pick(a);
    const all = count(sizes(x));
    const first = [2, 3, 4, 5, 6, 7, 8].find((d, i) => all % d === 0 && i >= b % 7) ?? 1;
    return api.reshape(x, [first, -1]);
  },
  transpose: ({ pick, a, b }) => {
    const axes = sizes(pick(a)).map((_, i) => i);
    return api.transpose(
      pick(a),
      axes.map((i) => (i + b) % axes.length),
    );
  },
  slice: ({ pick, a, b }) => {
    const x = pick(a);
    return api.slice(
      x,
      sizes(x).map((d, i) => (d > 2 && i === axisOf(x, b) ? 1 : 0)),
      sizes(x).map(() => -1),
    );
  },
  pad: ({ pick, a, b, c }) =>
    api.pad(
      pick(a),
      sizes(pick(a)).map((_, i) => (i === axisOf(pick(a), b) ? [1, c % 3] : [0, 0])),
    ),
  reflected: ({ pick, a, b, c }) => {
    const axis = axisOf(pick(a), b);
    const most = Math.max(0, sizes(pick(a))[axis] - 1);
    const paddings = sizes(pick(a)).map((_, i) => (i === axis ? [Math.min(2, most), Math.min(1, most)] : [0, 0]));
    return api.pad(pick(a), paddings, c % 2 ? 'REFLECT' : 'SYMMETRIC');
  },
  topK: ({ raw, a, b }) =>
    api.add(...nn.topK(raw(a), 1 + (b % sizes(raw(a)).at(-1)!)).map((t: Any) => api.cast(t, 'float32'))),
  inTopK: ({ raw, b }) => api.cast(nn.inTopK(raw(0), api.argmin(raw(0), 1), 1 + (b % 4)), 'float32'),
  gatherNd: ({ pick, a }) => {
    const last = sizes(pick(a)).map((d) => d - 1);
    return api.gatherNd(pick(a), tf.constant([last.map(() => 0), last, last], 'int32'));
  },
  segments: ({ pick, a }) => {
    const ids = Array.from({ length: sizes(pick(a))[0] ?? 1 }, (_, i) => (i % 4) - 1);
    return api.unsortedSegmentSum(tamed(pick(a)), tf.constant(ids, 'int32'), 3);
  },
  randomShuffle: ({ pick, a, c }) => api.randomShuffle(pick(a), c),
  multinomial: ({ raw, c }) => api.cast(api.multinomial(api.mul(raw(0), 0), 3, c), 'float32'),
  stridedSlice: ({ pick, a, c }) => api.stridedSlice(pick(a), [-1], [0], { strides: [-1 - (c % 2)], endMask: 1 }),
  cumsum: ({ pick, a, b, c }) => api.cumsum(tamed(pick(a)), axisOf(pick(a), b), c % 2 === 0, c % 3 === 0),
  broadcastTo: ({ pick, a, c }) => api.broadcastTo(pick(a), [1 + (c % 2), ...sizes(pick(a))]),
  eye: ({ matrix, a }) => api.matmul(tamed(matrix(a)), api.eye(sizes(matrix(a))[1], 3 + sizes(matrix(a))[1])),
  linspace: ({ pick, a }) => api.add(pick(a), api.reduceMean(api.linspace(0, 1, 7))),
  checkNumerics: ({ pick, a }) => api.checkNumerics(pick(a), 'a step'),
  printed: ({ pick, a, b }) => tf.Print(pick(a), [pick(b)], 'a step'),
  asserted: ({ pick, index, a }) =>
    tf.controlDependencies([tf.assert(tf.less(index, 2) as any)], () => api.identity(pick(a))),
  concat: ({ pick, a, b }) => api.concat([pick(a), tamed(pick(a)), pick(a)], axisOf(pick(a), b)),
  tile: ({ pick, a, b }) =>
    api.tile(
      pick(a),
      sizes(pick(a)).map((_, i) => (i === axisOf(pick(a), b) ? 2 : 1)),
    ),
  stack: ({ pick, a }) => api.stack([pick(a), tamed(pick(a))], 0),
  unstack: ({ pick, a, b }) => {
    const parts = api.unstack(pick(a), axisOf(pick(a), b));
    return api.sub(parts[0], parts.at(-1));
  },
  split: ({ pick, a, b, c }) => {
    const axis = axisOf(pick(a), b);
    const parts = api.split(pick(a), c % 2 ? [1, -1] : sizes(pick(a))[axis], axis);
    return api.sub(parts[0], api.reduceMean(parts.at(-1)));
  },
  embeddingLookup: ({ pick, a }) => nn.embeddingLookup(pick(a), tf.constant([[0], [0]], { dtype: 'int32' })),
  placeholderWithDefault: ({ pick, a }) => api.placeholderWithDefault(pick(a), sizes(pick(a))),
  gather: ({ pick, a, b }) =>
    api.gather(pick(a), tf.constant([0, 0], { dtype: 'int32' }), { axis: axisOf(pick(a), b) }),
  gatherChecked: ({ pick, index, a }) => api.gather(pick(a), index),
  // Sizes that the graph computes: the same shapes by another way.
  computedSizes: ({ pick, a, b, c }) => {
    const x = pick(a);
    const dims = api.unstack(api.shape(x));
    const axis = axisOf(x, b);
    const part = api.slice(
      x,
      sizes(x).map((_, i) => (i === axis ? api.floorDiv(dims[i], 2) : 0)),
      sizes(x).map((d, i) => (i === axis ? api.sub(dims[i], api.floorDiv(dims[i], 2)) : d)),
    );
    const flat = api.reshape(api.concat([part, part], axis), [-1]);
    const numbers = api.mul(api.cast(api.range(api.size(flat)), 'float32'), 0.001);
    const noise = api.randomUniform(api.shape(flat), { seed: c });
    const rows = api.tile(api.expandDims(api.add(flat, api.add(numbers, noise)), 0), [api.rank(x), 1]);
    const padded = api.concat([api.reshape(rows, [-1]), api.zeros([api.size(x)])], 0);
    return api.reshape(api.slice(padded, [0], [api.size(x)]), sizes(x));
  },
  expandDims: ({ pick, a }) => api.squeeze(api.expandDims(pick(a), 0), [0]),
  like: ({ pick, a }) => api.add(api.onesLike(pick(a)), api.zerosLike(pick(a))),
  identity: ({ pick, a }) => api.add(api.identity(pick(a)), api.stopGradient(pick(a))),
  dropout: ({ pick, a, c }) => nn.dropout(pick(a), 0.5 + (c % 3) / 4, { seed: c }),
  randomNormal: ({ pick, a, c }) => api.add(pick(a), api.randomNormal(sizes(pick(a)), { stddev: 0.1, seed: c })),
  truncatedNormal: ({ pick, a, c }) => api.mul(pick(a), api.truncatedNormal(sizes(pick(a)), { seed: c })),
  randomUniform: ({ pick, a, c }) => api.add(pick(a), api.randomUniform(sizes(pick(a)), { seed: c })),
};

const windows = (b: number, c: number) => ({
  ksize: [1, 1 + (b % 3), 1 + (c % 3), 1],
  strides: [1, 1 + (c % 2), 1 + (b % 3), 1],
  padding: c % 2 ? 'SAME' : 'VALID',
});

const optimizers = [
  () => new tf.train.GradientDescentOptimizer(0.05),
  () => new tf.train.MomentumOptimizer(0.05, 0.9),
  () => new tf.train.AdamOptimizer(0.01),
];

export interface Recipe {
  readonly matrix: readonly number[];
  readonly image: readonly number[];
  readonly steps: readonly (readonly [name: string, a: number, b: number, c: number])[];
  readonly optimizer: number;
  /** Are gradients of gradients fetched too? */
  readonly twice: boolean;
}

const nat = fc.nat(1000);
const names = Object.keys(steps);
/** Some small sizes, some that fill tiles and threads. */
const size = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 40 }));
export const recipes: fc.Arbitrary<Recipe> = fc.record({
  matrix: fc.tuple(size, size),
  image: fc.tuple(
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 3, max: 12 }),
    fc.integer({ min: 3, max: 12 }),
    fc.integer({ min: 1, max: 8 }),
  ),
  steps: fc.array(fc.tuple(fc.constantFrom(...names), nat, nat, nat), { minLength: 3, maxLength: 12 }),
  optimizer: fc.nat(2),
  twice: fc.boolean(),
});

/** Small ones, for what is evaluated number by number. */
export const smallRecipes: fc.Arbitrary<Recipe> = fc.record({
  matrix: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })),
  image: fc.tuple(
    fc.integer({ min: 1, max: 2 }),
    fc.integer({ min: 3, max: 5 }),
    fc.integer({ min: 3, max: 5 }),
    fc.integer({ min: 1, max: 3 }),
  ),
  steps: fc.array(fc.tuple(fc.constantFrom(...names), nat, nat, nat), { minLength: 2, maxLength: 6 }),
  optimizer: fc.nat(2),
  twice: fc.boolean(),
});

/** Programs in which together every step occurs; the last one has a convolution that Winograd's algorithm computes. */
export const everyStep: readonly Recipe[] = [
  ...Array.from(
    { length: Math.ceil(names.length / 6) },
    (_, k): Recipe => ({
      matrix: [5 + k, 4 + (k % 3) * 4],
      image: [1 + (k % 5), 6 + (k % 4), 7, 1 + (k % 4)],
      steps: names.slice(6 * k, 6 * k + 6).map((name, i) => [name, i, k, k + i] as const),
      optimizer: k % 3,
      twice: true,
    }),
  ),
  { matrix: [4, 4], image: [9, 12, 12, 4], steps: [['convolutions', 0, 3, 3]], optimizer: 2, twice: false },
];

export interface RandomProgram {
  readonly graph: tf.Graph;
  readonly init: tf.Operation;
  /** Values to fetch with a training step, and the step. */
  readonly fetches: readonly Any[];
  readonly step: tf.Operation;
  readonly feeds: Feeds;
  readonly shapes: readonly (readonly [Any, readonly number[]])[];
}

/** More elements than this are not worth the time. */
const most = 6000;

export function buildProgram(recipe: Recipe): RandomProgram {
  const graph = new tf.Graph();
  return graph.asDefault((): RandomProgram => {
    const shapes = [recipe.matrix, recipe.image];
    const given = shapes.map((shape) => tf.placeholder('float32', shape) as Any);
    const index = tf.placeholder('int32', []) as Any;
    const made: Any[] = [...given];
    const weights: Any[] = [];
    const weight = (shape: number[]): Any => {
      const v = tf.variable(tf.constant(wave(shape, weights.length), { shape }) as Any) as Any;
      weights.push(v);
      return v;
    };
    const pick = (n: number) => made[made.length - 1 - (n % made.length)];
    const ofRank = (rank: number) => (n: number) => {
      const fit = made.filter((t) => sizes(t).length === rank);
      return fit[fit.length - 1 - (n % fit.length)];
    };
    for (const [name, a, b, c] of recipe.steps) {
      try {
        const hand = {
          pick,
          matrix: ofRank(2),
          image: ofRank(4),
          raw: (n: number) => given[n % 2],
          index,
          weight,
          a,
          b,
          c,
        };
        let y = steps[name](hand);
        if (y.dtype !== 'float32') y = api.cast(y, 'float32');
        const all = count(sizes(y));
        if (all > 0 && all <= most && sizes(y).length <= 4) made.push(y);
      } catch (error) {
        // A step that does not fit, such as a window larger than the image.
        if (!(error instanceof tf.MillraceError)) throw error;
      }
    }
    weight([1]);
    const last = [...new Set(made.slice(-6))];
    const terms = last.map((y) => api.reduceMean(api.tanh(y)));
    const loss = api.addN([...terms, api.reduceSum(weights.at(-1))]) as Any;
    const gradients = tf.gradients(loss, given).filter((g) => g !== null) as Any[];
    const second =
      recipe.twice && gradients.length > 0 ? tf.gradients(api.reduceSum(api.tanh(gradients[0])), given) : [];
    gradients.push(...(second.filter((g) => g !== null) as Any[]));
    const counter = tf.variable(0, { trainable: false });
    const counted = tf.assignAdd(counter, 1) as Any;
    const step = optimizers[recipe.optimizer]().minimize(loss);
    const values = [index, ...given].map((t, k) => [
      t,
      k === 0 ? 0 : tf.array(wave(shapes[k - 1], k), shapes[k - 1] as any),
    ]);
    return {
      graph,
      init: tf.initializeAllVariables(),
      fetches: [...new Set([loss, counted, ...last, ...gradients])],
      step,
      feeds: values as unknown as Feeds,
      shapes: [[index, []], ...given.map((t, k) => [t, shapes[k]] as const)],
    };
  });
}
