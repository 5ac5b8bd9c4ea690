// TensorFlow 1's order of arguments, and options: both forms have the same types. A test sees to it that each function
// that takes such an order is called here.
import type { Tensor } from 'millrace';
import * as tf from 'millrace';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Of exactly that type. */
const is =
  <E>() =>
  <A>(_: A, __: Same<A, E>): void => {};
type F32<S extends tf.Shape> = Tensor<'float32', S>;

const x = tf.placeholder('float32', [null, 3]);
const image = tf.placeholder('float32', [null, 28, 28, 1]);
const w = tf.zeros([5, 5, 1, 32]);
const indices = tf.zeros([7], 'int32');

is<F32<[2, 3]>>()(tf.randomNormal([2, 3], 0, 0.1), true);
is<F32<[2, 3]>>()(tf.randomNormal([2, 3], 0, 0.1, { seed: 1 }), true);
is<Tensor<'float64', [2]>>()(tf.randomNormal([2], 0, 1, 'float64', 7, 'n'), true);
is<F32<[2]>>()(tf.truncatedNormal([2], 0, 0.1), true);
is<F32<[4]>>()(tf.randomUniform([4], -1, 1), true);
is<Tensor<'int32', [4]>>()(tf.randomUniform([4], 0, 9, 'int32'), true);

is<F32<[null, 1]>>()(tf.reduceSum(x, 1, true), true);
is<F32<[null, 1]>>()(tf.reduceSum(x, { axis: 1, keepDims: true }), true);
is<F32<[1, 1]>>()(tf.reduceSum(x, { keepDims: true, name: 'n' }), true);
is<F32<[]>>()(tf.reduceSum(x, { name: 'n' }), true);
is<F32<[null]>>()(tf.reduceMean(x, [1], false, 'n'), true);
is<F32<[null, 1]>>()(x.reduceSum(1, true), true);
is<F32<[null, 1]>>()(x.reduceMean(1, { keepDims: true, name: 'n' }), true);
is<F32<[1, 1]>>()(tf.reduceMax(x, [0, 1], true), true);
is<F32<[1, 1]>>()(tf.reduceMin(x, [0, 1], true), true);
is<F32<[1, 1]>>()(tf.reduceProd(x, [0, 1], true), true);
is<Tensor<'bool', [null, 1]>>()(tf.reduceAny(tf.equal(x, 0), 1, true), true);
is<Tensor<'bool', [null, 1]>>()(tf.reduceAll(tf.equal(x, 0), 1, true), true);
is<Tensor<'int32', [null]>>()(tf.argmax(x, 1, 'n'), true);
is<Tensor<'int32', [null]>>()(tf.argmax(x, { axis: 1 }), true);
is<Tensor<'int32', [3]>>()(tf.argmin(x, { name: 'n' }), true);
is<Tensor<'int32', [null]>>()(tf.argmin(x, 1), true);
is<F32<[null, 3]>>()(tf.nn.softmax(x, 0, 'n'), true);
is<F32<[null, 3]>>()(tf.nn.softmax(x, { axis: 0 }), true);
is<F32<[null, 3]>>()(tf.nn.logSoftmax(x, 0), true);

is<F32<[null, 1]>>()(tf.reduceVariance(x, 1, true), true);
is<F32<[null, 1]>>()(tf.reduceStd(x, 1, true), true);
is<F32<[3]>>()(tf.reduceLogsumexp(x, 0, false, 'n'), true);
is<F32<[null, 3]>>()(tf.nn.leakyRelu(x, 0.1, 'n'), true);
is<F32<[null, 3]>>()(tf.nn.gelu(x, true), true);
is<F32<[null, 3]>>()(tf.nn.l2Normalize(x, 1, 1e-6), true);
is<F32<[null, 28, 28, 1]>>()(tf.nn.lrn(image, 4, 1, 0.1, 0.75), true);
const [mean, variance] = tf.nn.moments(x, [0]);
is<F32<[3]>>()(mean, true);
is<F32<[null, 3]>>()(tf.nn.batchNormalization(x, mean, variance, null, null, 1e-3), true);
is<F32<[null, 3]>>()(tf.nn.batchNormalization(x, { mean, variance }), true);
is<[F32<[null, 1]>, F32<[null, 1]>, F32<[null, 1]>]>()(tf.split(x, 3, 1), true);
is<[F32<[null, 2]>, F32<[null, 1]>]>()(tf.split(x, [2, 1], { axis: 1 }), true);
is<[F32<[null, 2]>, F32<[null, tf.Dim]>]>()(tf.split(x, [2, -1], -1), true);
is<[F32<[null]>, F32<[null]>, F32<[null]>]>()(tf.unstack(x, 1), true);
is<F32<[null, 2, 3]>>()(tf.stack([x, x], 1), true);
is<F32<[null, 3, 2]>>()(tf.stack([x, x], { axis: -1 }), true);
is<Tensor<'float64', [7]>>()(tf.divide(indices, 2), true);
is<F32<[null, 3]>>()(tf.divide(x, mean), true);
is<F32<[null, 5]>>()(
  tf.pad(
    x,
    [
      [0, 0],
      [1, 1],
    ],
    'REFLECT',
  ),
  true,
);
const pixels = tf.placeholder('float32', [null, 28, 20, 3]);
is<F32<[null, 2]>>()(tf.stridedSlice(x, [0, 0], [4, 4], [2, 2]), true);
is<F32<[null, 14, 17, 3]>>()(tf.stridedSlice(pixels, [0, 0, -17], [9, 28, 99], [1, 2, 1]), true);
is<F32<[null, 7, 20, 3]>>()(
  tf.stridedSlice(pixels, [0, 0, -1], [0, 0, 0], { strides: [1, 4, -1], beginMask: 3, endMask: 7 }),
  true,
);
is<F32<[null, 10, 3]>>()(
  tf.stridedSlice(pixels, [0, 5, -1], [0, 0, 0], [1, 1, -2], { beginMask: 1, endMask: 5, shrinkAxisMask: 2 }),
  true,
);
is<F32<[null, 1, 4, 20, 3]>>()(
  tf.stridedSlice(pixels, [0, 0, 5], [0, 0, 9], { beginMask: 1, endMask: 1, newAxisMask: 2 }),
  true,
);
is<F32<[null, 0, 20, 3]>>()(tf.stridedSlice(pixels, [0, 5], [1, 2]), true);
is<F32<[null, 3, 20, 3]>>()(tf.stridedSlice(pixels, [0, 20], [1, 2], [1, -7]), true);
is<F32<[null, 28, 20, 1]>>()(tf.stridedSlice(pixels, [0, 0], [0, 1], { ellipsisMask: 1 }), true);
is<F32<[5, 28, 20, 1, 2]>>()(
  tf.stridedSlice(tf.zeros([9, 28, 20, 3]), [4, 0, 0, 1], [9, 0, 0, 3], { ellipsisMask: 2, newAxisMask: 4 }),
  true,
);
declare const some: number[];
is<F32<(number | null)[]>>()(tf.stridedSlice(pixels, some, [0, 1]), true);
is<F32<[5, 20, 3]>>()(tf.gatherNd(pixels, tf.zeros([5, 2], 'int32')), true);
is<F32<[null, 4]>>()(tf.gatherNd(pixels, tf.placeholder('int32', [null, 4, 4])), true);
is<F32<[7, 20, 3]>>()(tf.unsortedSegmentSum(pixels, tf.zeros([9, 28], 'int32'), 7), true);
is<F32<[null, 28, 6, 5, 3]>>()(tf.gather(pixels, tf.zeros([6, 5], 'int32'), { axis: 2 }), true);
is<F32<[null, 28, 20]>>()(tf.gather(pixels, tf.constant(1, 'int32'), { axis: -1 }), true);
const planes = tf.placeholder('float32', [null, 3, 28, 20]);
const ksize = [1, 1, 2, 2] as const;
is<F32<[null, 3, 14, 10]>>()(
  tf.nn.maxPool(planes, { ksize, strides: ksize, padding: 'SAME', dataFormat: 'NCHW' }),
  true,
);
is<F32<[null, 3, 28, 20]>>()(tf.nn.biasAdd(planes, tf.zeros([3]), { dataFormat: 'NCHW' }), true);
is<F32<[null, 28, 20, 3]>>()(tf.nn.biasAdd(pixels, tf.zeros([3])), true);
is<F32<[null, 28, 20, 5, 3]>>()(tf.squeeze(tf.placeholder('float32', [null, 28, 1, 20, 5, 3, null]), [2, -1]), true);
is<F32<[4, 23, 2, 3]>>()(tf.slice(pixels, [0, 5, 1, 0], [4, -1, 2, -1]), true);
is<F32<[null, 56, 60, 3]>>()(tf.tile(pixels, [1, 2, 3, 1]), true);
is<F32<[null, 56, null, 3]>>()(tf.tile(pixels, [1, 2, tf.rank(x), 1]), true);
is<F32<[null, 33, 20, 4]>>()(
  tf.pad(pixels, [
    [1, 1],
    [2, 3],
    [0, 0],
    [0, 1],
  ]),
  true,
);
is<F32<[null, 22, 12, 8]>>()(
  tf.nn.conv2d(pixels, tf.zeros([4, 3, 3, 8]), { strides: [1, 1, 1, 1], padding: 'VALID', dilations: [1, 2, 4, 1] }),
  true,
);
is<F32<[2, 5, 3, 6]>>()(tf.matmul(tf.zeros([2, 1, 3, 4]), tf.zeros([5, 4, 6])), true);
is<[F32<[null, 28, 20, 1]>, F32<[null, 28, 20, 2]>]>()(tf.split(pixels, [1, 2], 3), true);
is<F32<[null, 2, 28, 20, 3]>>()(tf.stack([pixels, pixels], 1), true);
is<[F32<[null, 28, 20]>, F32<[null, 28, 20]>, F32<[null, 28, 20]>]>()(tf.unstack(pixels, -1), true);
is<F32<[null, 3]>>()(tf.randomShuffle(x, 7, 'n'), true);
is<Tensor<'int32', [null, 5]>>()(tf.multinomial(x, 5, 7, 'n'), true);
is<[F32<[null, 2]>, Tensor<'int32', [null, 2]>]>()(tf.nn.topK(x, 2, 'n'), true);
is<F32<[null, 3]>>()(tf.cumsum(x, 1, true, true, 'n'), true);
is<F32<[5, 3]>>()(tf.broadcastTo(mean, [5, 3]), true);
is<F32<[7]>>()(tf.linspace(0, 1, 7, 'n'), true);
is<F32<[2, 3]>>()(tf.eye(2, 3), true);
is<Tensor<'int32', [4, 4]>>()(tf.eye(4, { dtype: 'int32' }), true);
is<F32<[null, 3]>>()(tf.checkNumerics(x, 'x'), true);
is<F32<[null, 3]>>()(tf.Print(x, [x, tf.shape(x)], 'x: ', 5, -1), true);
is<F32<[null, 3]>>()(tf.Print(x, [x], { message: 'x: ', name: 'show' }), true);
is<tf.Operation>()(tf.print('x', x, 3, { summarize: -1 }), true);
is<tf.Operation>()(tf.assert(tf.less(x, 1), 'small', 'n'), true);
is<F32<[2, 7, 3]>>()(tf.nn.embeddingLookup(tf.zeros([9, 3]), tf.zeros([2, 7], 'int32')), true);

is<F32<[7, 3]>>()(tf.oneHot(indices, 3, 5, -1), true);
is<Tensor<'int32', [7, 3]>>()(tf.oneHot(indices, 3, 5, -1, { dtype: 'int32' }), true);
is<F32<[null, 28, 28, 32]>>()(tf.nn.conv2d(image, w, [1, 1, 1, 1], 'SAME'), true);
is<F32<[null, 28, 28, 32]>>()(tf.nn.conv2d(image, w, [1, 1, 1, 1], 'SAME', { name: 'n' }), true);
const dilated = tf.nn.conv2d(image, w, { strides: [1, 1, 1, 1], padding: 'VALID', dilations: [1, 2, 3, 1] });
is<F32<[null, 20, 16, 32]>>()(dilated, true);
const margins = [
  [0, 0],
  [2, 1],
  [0, 3],
  [0, 0],
] as const;
is<F32<[null, 27, 27, 32]>>()(tf.nn.conv2d(image, w, [1, 1, 1, 1], margins), true);
const second = tf.placeholder('float32', [null, 8, 28, 14]);
const grouped = tf.nn.conv2d(second, tf.zeros([3, 3, 4, 6]), {
  strides: [1, 1, 2, 2],
  padding: 'SAME',
  groups: 2,
  dataFormat: 'NCHW',
});
is<F32<[null, 6, 14, 7]>>()(grouped, true);
const up = tf.placeholder('float32', [null, 7, 7, 64]);
const larger = tf.nn.conv2dTranspose(up, tf.zeros([5, 5, 32, 64]), [null, 14, 14, 32], [1, 2, 2, 1], 'SAME');
is<F32<[null, 14, 14, 32]>>()(larger, true);
is<F32<[null, 7, 7, 128]>>()(tf.nn.depthwiseConv2d(up, tf.zeros([3, 3, 64, 2]), [1, 1, 1, 1], 'SAME'), true);
is<F32<[null, 3, 3, 64]>>()(tf.nn.depthwiseConv2d(up, tf.zeros([3, 3, 64, 1]), [1, 1, 1, 1], 'VALID', [2, 2]), true);
const deep = tf.nn.separableConv2d(up, tf.zeros([3, 3, 64, 2]), tf.zeros([1, 1, 128, 10]), [1, 1, 1, 1], 'VALID');
is<F32<[null, 5, 5, 10]>>()(deep, true);
const words = tf.placeholder('float32', [null, 100, 8]);
is<F32<[null, 48, 16]>>()(tf.nn.conv1d(words, tf.zeros([5, 8, 16]), 2, 'VALID'), true);
is<F32<[null, 100, 16]>>()(
  tf.nn.conv1d(words, tf.zeros([5, 8, 16]), { stride: 1, padding: 'SAME', dilations: 2 }),
  true,
);
is<F32<[null, 14, 14, 1]>>()(tf.nn.maxPool(image, [1, 2, 2, 1], [1, 2, 2, 1], 'SAME'), true);
is<F32<[null, 14, 14, 1]>>()(tf.nn.avgPool(image, [1, 2, 2, 1], [1, 2, 2, 1], 'VALID'), true);
is<F32<[3, 3]>>()(tf.matmul(x, x, true), true);
const heads = tf.placeholder('float32', [null, 4, 64, 32]);
is<F32<[null, 4, 64, 64]>>()(tf.matmul(heads, heads, false, true), true);
is<F32<[null, 4, 64, 10]>>()(tf.matmul(heads, tf.zeros([32, 10])), true);
is<F32<[5, 4, 64, 10]>>()(tf.matmul(heads, tf.zeros([5, 1, 32, 10])), true);
is<F32<[null, null]>>()(tf.matmul(x, x, false, true), true);
is<F32<[null, null]>>()(tf.matmul(x, x, { transposeB: true, name: 'n' }), true);

is<Tensor<'int32', [2]>>()(tf.constant([1, 2], 'int32'), true);
is<F32<[32]>>()(tf.constant(0.1, 'float32', [32], 'n'), true);
is<Tensor<'bool', [2]>>()(tf.zeros([2], 'bool', 'n'), true);
is<Tensor<'bool', [2]>>()(tf.zeros([2], { dtype: 'bool' }), true);
is<F32<[2]>>()(tf.ones([2], { name: 'n' }), true);
is<Tensor<'int32', [2]>>()(tf.ones([2], 'int32'), true);
is<Tensor<'int32', [2]>>()(tf.fill([2], 3, 'int32', { name: 'n' }), true);
is<tf.Placeholder<'float32', [null, 3]>>()(tf.placeholder('float32', [null, 3], 'n'), true);
is<tf.Placeholder<'float32', [null, 3]>>()(tf.placeholder('float32', { shape: [null, 3] }), true);
is<F32<[3, null]>>()(tf.transpose(x, { perm: [1, 0] }), true);
is<F32<[3, null]>>()(tf.transpose(x, [1, 0], 'n'), true);
is<F32<[null]>>()(tf.squeeze(x, [1]), true);
tf.stack([x, x], 1, 'n');
tf.unstack(x, 1, 'n');
tf.range(0, 10, 2, { name: 'n' });
is<F32<[null, 3]>>()(tf.zerosLike(x), true);
is<tf.Tensor<'int32', [null, 3]>>()(tf.zerosLike(x, 'int32', 'n'), true);
is<tf.Tensor<'bool', [null, 3]>>()(tf.onesLike(x, 'bool'), true);
is<tf.Tensor<'float64', [null, 3]>>()(tf.onesLike(x, { dtype: 'float64', name: 'n' }), true);
tf.array([1, 2, 3, 4], [2, 2], 'int32');

new tf.train.GradientDescentOptimizer(0.1);
new tf.train.GradientDescentOptimizer({ learningRate: 0.1 });
new tf.train.MomentumOptimizer(0.1, 0.9, { useNesterov: true });
new tf.train.AdamOptimizer(0.1, 0.5, 0.999, 1e-8);
new tf.train.AdamOptimizer({ learningRate: 0.1, epsilon: 1e-4 });
new tf.train.AdamWOptimizer(0.1, 0.01, 0.5, 0.999, 1e-8);
new tf.train.LionOptimizer(0.1, 0.9, 0.99, 0.01);
new tf.train.AdagradOptimizer(0.1, 0.5);
new tf.train.AdagradDAOptimizer(0.1, tf.variable(0), 0.5, 0.01, 0.01);
new tf.train.AdadeltaOptimizer(1, 0.95, 1e-6);
new tf.train.RMSPropOptimizer(0.1, 0.9, 0.5, 1e-8, { centered: true });
new tf.train.FtrlOptimizer(0.1, -0.5, 0.1, 0.01, 0.01);
new tf.train.ProximalGradientDescentOptimizer(0.1, 0.01, 0.01);
new tf.train.ProximalAdagradOptimizer(0.1, 0.5, 0.01, 0.01);

// The name is a text in its place, or an option, everywhere.
is<F32<[null, 3]>>()(tf.add(x, 1, 'n'), true);
is<F32<[null, 3]>>()(tf.add(x, 1, { name: 'n' }), true);
is<F32<[null, 3]>>()(x.add(1, { name: 'n' }), true);
is<F32<[null, 3]>>()(tf.square(x, { name: 'n' }), true);
tf.group(tf.noOp('a'), tf.noOp({ name: 'b' }), { name: 'both' });

is<tf.Variable<any, any>[]>()(tf.getCollection('variables', 'layer1/'), true);
is<(tf.Operation | Tensor<any, any>)[]>()(tf.getCollection(tf.GraphKeys.UPDATE_OPS, 'a'), true);
is<tf.Variable<any, any>[]>()(tf.globalVariables('layer1/'), true);
is<tf.Variable<any, any>[]>()(tf.localVariables('layer1/'), true);
is<tf.Variable<any, any>[]>()(tf.trainableVariables('layer1/'), true);

const v = tf.placeholder('float32', [null, 3]);
is<[F32<[null, 3]> | null]>()(tf.gradients(tf.square(x), [x], [v], 'n'), true);
is<[F32<[null, 3]> | null]>()(tf.gradients(tf.square(x), [x], v), true);
is<[F32<[null, 3]> | null]>()(tf.gradients([tf.square(x)], [x], { gradYs: [null], stopGradients: v }), true);

// Rates keep their dtype; numbers make float32.
const step = tf.train.getOrCreateGlobalStep(tf.getDefaultGraph());
const wide = tf.zeros([], 'float64');
is<tf.Variable<'int32', []>>()(step, true);
is<tf.Variable<'int32', []>>()(tf.train.createGlobalStep(tf.getDefaultGraph()), true);
is<tf.Variable<'int32', []> | null>()(tf.train.getGlobalStep(tf.getDefaultGraph()), true);
is<F32<[]>>()(tf.train.exponentialDecay(0.1, step, 1000, 0.96, true, 'n'), true);
is<F32<[]>>()(tf.train.exponentialDecay(0.1, step, 1000, 0.96, { staircase: true }), true);
is<Tensor<'float64', []>>()(tf.train.naturalExpDecay(wide, step, 1000, 0.96, true), true);
is<F32<[]>>()(tf.train.inverseTimeDecay(0.1, 5, 1000, 0.96, false), true);
is<F32<[]>>()(tf.train.polynomialDecay(0.1, step, 1000, 0.01, 0.5, true, 'n'), true);
is<F32<[]>>()(tf.train.polynomialDecay(0.1, step, 1000, { power: 2 }), true);
is<F32<[]>>()(tf.train.piecewiseConstant(step, [1000], [0.1, 0.01], 'n'), true);
is<F32<[]>>()(tf.train.cosineDecay(0.1, step, 1000, 0.01, 'n'), true);
is<F32<[]>>()(tf.train.cosineDecayRestarts(0.1, step, 1000, 2, 1, 0, 'n'), true);
is<F32<[]>>()(tf.train.linearCosineDecay(0.1, step, 1000, 0.5, 0, 0.001, 'n'), true);
is<F32<[]>>()(tf.train.linearWarmup(tf.train.cosineDecay(0.1, step, 1000), step, 100, 'n'), true);
new tf.train.ExponentialMovingAverage(0.99, step, true, 'n');
const ema = new tf.train.ExponentialMovingAverage(0.99, { numUpdates: step });
new tf.train.ExponentialMovingAverage({ decay: 0.99 });
const weights = tf.variable(tf.zeros([2, 3]));
is<tf.Operation>()(ema.apply([weights, tf.reduceMean(x)]), true);
is<tf.Variable<'float32', [2, 3]> | null>()(ema.average(weights), true);
is<Record<string, tf.Variable<any, any>>>()(ema.variablesToRestore([weights]), true);
new tf.train.Saver({ varList: ema.variablesToRestore() });
// @ts-expect-error
ema.apply([step]);

is<F32<[null, 3]>>()(tf.clipByValue(x, -1, 1, 'n'), true);
is<F32<[null, 3]>>()(tf.clipByNorm(x, 5, 1, 'n'), true);
is<F32<[null, 3]>>()(tf.clipByNorm(x, 5, { axes: [1] }), true);
is<F32<[]>>()(tf.globalNorm([x, null, weights], 'n'), true);
is<[clipped: [F32<[null, 3]>, null], norm: F32<[]>]>()(tf.clipByGlobalNorm([x, null], 5, tf.zeros([]), 'n'), true);
const pairs = new tf.train.GradientDescentOptimizer(0.1).computeGradients(tf.reduceSum(tf.square(weights)));
const [clipped, norm] = tf.clipByGlobalNorm(
  pairs.map(([gradient]) => gradient),
  5,
);
is<Tensor<tf.FloatDType, []>>()(norm, true);
new tf.train.GradientDescentOptimizer(0.1).applyGradients(pairs.map(([, v], i) => [clipped[i] ?? null, v] as const));

// Variables by name, and what they begin with.
const W = tf.getVariable('W', [784, 10]);
is<tf.Variable<'float32', [784, 10]>>()(W, true);
is<tf.Variable<'float64', [2]>>()(tf.getVariable('wide', [2], 'float64', { trainable: false }), true);
is<tf.Variable<'int32', [2]>>()(tf.getVariable('count', [2], { dtype: 'int32' }), true);
is<tf.Variable<'float32', [null, 3]>>()(tf.getVariable('given', { initializer: x }), true);
is<tf.Variable<'float32', []>>()(tf.getVariable('scale', { initializer: 0.5 }), true);
is<tf.Variable<'int32', [3]>>()(tf.getVariable('list', { initializer: [1, 2, 3], dtype: 'int32' }), true);
const initial = [
  tf.initializers.randomUniform(-1, 1, 5),
  tf.initializers.randomNormal(0, 0.1, { seed: 5 }),
  tf.initializers.truncatedNormal(0, 0.1),
  tf.initializers.varianceScaling(2, 'fan_in', 'uniform', 5),
  tf.initializers.orthogonal(1, 5),
  tf.initializers.identity(2),
  tf.initializers.glorotUniform(5),
  tf.initializers.glorotNormal(5),
  tf.initializers.heUniform(5),
  tf.initializers.heNormal({ seed: 5 }),
  tf.initializers.lecunUniform(5),
  tf.initializers.lecunNormal(5),
  tf.truncatedNormalInitializer({ stddev: 0.1 }),
  tf.constantInitializer([1, 2]),
];
for (const initializer of initial)
  is<tf.Variable<'float32', [3, 2]>>()(tf.getVariable('v', [3, 2], { initializer }), true);
is<string>()(
  tf.variableScope('net', { reuse: tf.AUTO_REUSE, initializer: tf.zerosInitializer() }, (scope) => scope.name),
  true,
);
is<number>()(
  tf.variableScope(tf.getVariableScope(), () => 1),
  true,
);

// Layers, losses and metrics in TensorFlow's order.
const truth = tf.placeholder('int32', [null]);
is<F32<[null, 7]>>()(tf.layers.dense(x, 7, tf.nn.relu, false, { name: 'fc' }), true);
is<F32<[null, 14, 14, 1]>>()(tf.layers.maxPooling2d(image, 2, 2, 'same'), true);
is<F32<[null, 13, 14, 1]>>()(tf.layers.averagePooling2d(image, [3, 2], [2, 2], 'valid'), true);
is<F32<[null, 3]>>()(tf.layers.batchNormalization(x, -1, 0.9, 1e-5, { training: true }), true);
is<F32<[null, 3]>>()(tf.layers.dropout(x, 0.4, { training: true }), true);
is<F32<[null, 3]>>()(tf.layers.flatten(x, { name: 'n' }), true);
tf.losses.addLoss(tf.zeros([]), 'mine');
tf.losses.getLosses('layer1/', 'mine');
tf.losses.getRegularizationLosses('layer1/');
is<Tensor<tf.FloatDType, []>>()(tf.losses.getRegularizationLoss('layer1/', 'n'), true);
is<Tensor<tf.FloatDType, []>>()(tf.losses.getTotalLoss(true, 'n', 'layer1/'), true);
is<F32<[]>>()(tf.losses.meanSquaredError(v, x, 2), true);
is<F32<[]>>()(tf.losses.absoluteDifference(v, x, tf.zeros([1, 3])), true);
is<F32<[]>>()(tf.losses.huberLoss(v, x, 1, { delta: 2 }), true);
is<F32<[]>>()(tf.losses.logLoss(v, x, 1), true);
is<F32<[]>>()(tf.losses.hingeLoss(v, x, 1), true);
is<F32<[null, 1]>>()(tf.losses.cosineDistance(v, x, 1, 2, { reduction: tf.losses.Reduction.NONE }), true);
is<F32<[]>>()(tf.losses.sigmoidCrossEntropy(v, x, 1, { labelSmoothing: 0.1 }), true);
is<F32<[]>>()(tf.losses.softmaxCrossEntropy(v, x, 1), true);
is<F32<[null]>>()(tf.losses.sparseSoftmaxCrossEntropy(truth, x, 1, { reduction: 'none' }), true);
is<F32<[]>>()(tf.losses.computeWeightedLoss(x, 2, 'n', null), true);
is<tf.types.Metric>()(tf.metrics.mean(x, 1, ['values'], ['updates'], 'n'), true);
is<tf.types.Metric>()(tf.metrics.accuracy(truth, tf.argmax(x, 1), 1), true);
is<tf.types.Metric>()(tf.metrics.meanSquaredError(v, x, 1), true);
is<tf.types.Metric>()(tf.metrics.precision(truth, tf.argmax(x, 1), 1), true);
is<tf.types.Metric>()(tf.metrics.recall(truth, tf.argmax(x, 1), 1), true);
is<tf.types.Metric>()(tf.metrics.auc(truth, tf.reduceMax(x, 1), 1, { curve: 'PR' }), true);
is<Tensor<'int32', [3, 3]>>()(tf.confusionMatrix(truth, tf.argmax(x, 1), 3), true);
is<F32<[3, 3]>>()(tf.confusionMatrix(truth, tf.argmax(x, 1), 3, 'float32', { weights: 2 }), true);
