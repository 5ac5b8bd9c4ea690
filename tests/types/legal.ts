// Programs that are right, which types must not refuse: what each gives is checked to the letter.
import type { NDArray, Shape, Tensor, Variable } from 'millrace';
import * as tf from 'millrace';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

declare const n: number;
declare const a: any;
const x = tf.placeholder('float32', [null, 3]);
const c = tf.placeholder('bool', [null, 3]);
const i = tf.placeholder('int32', [3]);

// variables and constants of what one has
const weights = tf.variable(tf.array(new Float32Array(4), [2, 2]));
const sum = weights.add(1);
same<typeof weights, Variable<'float32', [2, 2]>>(true);
same<typeof sum, Tensor<'float32', [2, 2]>>(true);
const flat = tf.variable(new Int32Array(4));
const list = tf.variable(tf.array([1, 2], [2], 'int32'));
const given = tf.constant(tf.array([1, 2], [2], 'int32'));
const shaped = tf.constant(new Float64Array(4), { shape: [2, 2] });
same<typeof flat, Variable<'int32', [number]>>(true);
same<typeof list, Variable<'int32', [2]>>(true);
same<typeof given, Tensor<'int32', [2]>>(true);
same<typeof shaped, Tensor<'float64', [2, 2]>>(true);

// a number first, second, and both
const [w1, w2, w3, w4, w5, w6] = [
  tf.where(c, x, 0),
  tf.where(c, 0, x),
  tf.where(c, 1, n),
  tf.where(c, true, false),
  tf.where(c, i, 0),
  tf.where(c, false, c),
];
same<typeof w1, Tensor<'float32', [null, 3]>>(true);
same<typeof w2, Tensor<'float32', [null, 3]>>(true);
same<typeof w3, Tensor<'float32', [null, 3]>>(true);
same<typeof w4, Tensor<'bool', [null, 3]>>(true);
same<typeof w5, Tensor<'int32', [null, 3]>>(true);
same<typeof w6, Tensor<'bool', [null, 3]>>(true);
for (const compare of [tf.equal, tf.notEqual, tf.less, tf.lessEqual, tf.greater, tf.greaterEqual]) {
  const first = compare(0, x);
  const second = compare(x, n);
  same<typeof first, Tensor<'bool', [null, 3]>>(true);
  same<typeof second, Tensor<'bool', [null, 3]>>(true);
}
for (const arithmetic of [tf.add, tf.sub, tf.mul, tf.div, tf.floorDiv, tf.mod, tf.pow, tf.maximum, tf.minimum]) {
  const first = arithmetic(0, x);
  const second = arithmetic(x, n);
  same<typeof first, Tensor<'float32', [null, 3]>>(true);
  same<typeof second, Tensor<'float32', [null, 3]>>(true);
}
for (const logical of [tf.logicalAnd, tf.logicalOr, tf.logicalXor, tf.equal, tf.notEqual]) {
  const first = logical(true, c);
  const second = logical(c, false);
  same<typeof first, Tensor<'bool', [null, 3]>>(true);
  same<typeof second, Tensor<'bool', [null, 3]>>(true);
}
const [less, greater, equal] = [x.less(1), x.greater(n), x.equal(0)];
same<typeof less | typeof greater | typeof equal, Tensor<'bool', [null, 3]>>(true);

// any stays any: nothing is claimed of what is computed from it
const [a1, a2, a3, a4, a5] = [x.add(a), tf.mul(a, x), tf.less(x, a), tf.add(a, 1), tf.where(a, x, x)];
same<typeof a1, Tensor<'float32', any>>(true);
same<typeof a2, Tensor<'float32', any>>(true);
same<typeof a3, Tensor<'bool', any>>(true);
same<typeof a4, Tensor<any, any>>(true);
same<typeof a5, Tensor<'float32', any>>(true);
const [b1, b2, b3] = [tf.where(c, x, a), x.add(1).add(a1), tf.variable(a)];
same<typeof b1, Tensor<any, any>>(true);
same<typeof b2, Tensor<'float32', any>>(true);
same<typeof b3, Variable<any, any>>(true);
tf.matmul(x.mul(a), tf.zeros([10, 4])).add(tf.zeros([4]));
const [c1, c2, c3, c4, c5] = [tf.neg(a), tf.nn.relu(a), tf.matmul(x, a), tf.reduceSum(a, 1), tf.cast(a, 'float32')];
same<typeof c1 | typeof c2, Tensor<any, any>>(true);
same<typeof c3, Tensor<'float32', any>>(true);
const scalar: Tensor<'float32', []> = tf.reduceMean(a);
const convolved = tf.nn.conv2d(a, a, { strides: [1, 1, 1, 1], padding: 'SAME' });
const pooled = tf.nn.maxPool(a, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' });
const model = (t: Tensor<'float32', [null, 784]>): Tensor<'float32', [null, 784]> => t;
export const passed = [c1, c2, c3, c4, c5, tf.transpose(a), tf.squeeze(a), tf.exp(a), tf.nn.softmax(a)].map(model);
export const reshaped = [tf.reshape(convolved, [-1, 784]), tf.reshape(pooled, [-1, 784]), tf.reshape(a, [-1, 784])].map(
  (t) => model(t).add(scalar),
);
const masked = <S extends Shape>(t: Tensor<'float32', S>, mask: any): Tensor<'float32', S> => t.mul(mask);
masked(x, a);

// a variable of another element type, in collections
const step = tf.variable(0, { dtype: 'int32', trainable: false });
const wide = tf.variable(new Float32Array(4), { dtype: 'float64', collections: [tf.GraphKeys.LOCAL_VARIABLES] });
const bytes = tf.variable([[0, 1]], { dtype: 'uint8', name: 'bytes' });
const plain = tf.variable(tf.zeros([2]), { dtype: 'float32' });
same<typeof step, tf.Variable<'int32', []>>(true);
same<typeof wide, tf.Variable<'float64', [number]>>(true);
same<typeof bytes, tf.Variable<'uint8', [1, 2]>>(true);
same<typeof plain, tf.Variable<'float32', [2]>>(true);
// @ts-expect-error
tf.variable(tf.zeros([2]), { dtype: 'int32' });
// @ts-expect-error
tf.variable(0, { dtype: 'int' });

// collections know what they hold
const updates = tf.getCollection(tf.GraphKeys.UPDATE_OPS);
same<typeof updates, (tf.Operation | Tensor<any, any>)[]>(true);
tf.controlDependencies(updates, () => tf.noOp());
const mine = tf.getCollection('mine');
same<typeof mine, unknown[]>(true);
const tensors = tf.getDefaultGraph().getCollection<Tensor<'float32', [2]>>('tensors', 'layer1/');
same<typeof tensors, Tensor<'float32', [2]>[]>(true);
tf.addToCollection('mine', 5);
tf.addToCollections([tf.GraphKeys.LOSSES, tf.GraphKeys.REGULARIZATION_LOSSES], tf.zeros([]));
// @ts-expect-error
tf.addToCollection(tf.GraphKeys.LOSSES, 5);

// a variable is given what may be fed for it
const v = tf.variable([1, 2, 3]);
const flags = tf.variable([true, false]);
const numbers: NDArray<'float32', [3]> = tf.array([1, 2, 3]);
const assigned = [v.assign([4, 5, 6]), v.assignAdd([1, 2, 3]), tf.assign(v, new Float32Array(3)), v.assign(numbers)];
same<(typeof assigned)[number], Tensor<'float32', [3]>>(true);
const switched = [flags.assign([true, true]), flags.assign(true), tf.assign(flags, new Uint8Array(2))];
same<(typeof switched)[number], Tensor<'bool', [2]>>(true);
weights.assign([
  [1, 2],
  [3, 4],
]);
tf.variable(1).assign(2);
const sess = new tf.Session();
const loaded: Promise<void>[] = [v.load([4, 5, 6], sess), v.load(new Float32Array(3)), flags.load([true, false])];
loaded.push(tf.variable(0, { dtype: 'int32' }).load(5, sess));
// @ts-expect-error
v.load([[4, 5, 6]], sess);
// @ts-expect-error
v.load(new Int32Array(3), sess);
tf.assignSub(v, v.mul(0.5));
// @ts-expect-error
v.assign(['4', '5', '6']);
// @ts-expect-error
v.assign([[4, 5, 6]]);
// @ts-expect-error
v.assign(new Int32Array(3));
// @ts-expect-error
flags.assign(1);
// @ts-expect-error
tf.where(c, 1, true);
// @ts-expect-error
tf.equal(true, x);

// helpers generic in the shape of their argument
type F<S extends Shape> = Tensor<'float32', S>;
const layerNorm = <S extends Shape>(t: F<S>): F<S> => {
  const centered = t.sub(tf.reduceMean(t, -1, { keepDims: true }));
  const variance = tf.reduceMean(tf.square(centered), -1, { keepDims: true });
  return centered.div(tf.sqrt(variance.add(1e-5)));
};
const batchNorm = <S extends Shape>(t: F<S>): F<S> => {
  const mean = tf.reduceMean(t, [0, 1], { keepDims: true });
  const variance = tf.reduceMean(tf.square(t.sub(mean)), [0, 1], { keepDims: true });
  return tf.mul(t.sub(mean), tf.rsqrt(tf.add(variance, 1e-3)));
};
const standardized = <S extends Shape>(t: F<S>): F<S> =>
  t.sub(tf.reduceMean(t)).div(tf.sqrt(tf.reduceMean(tf.square(t))));
const unit = <S extends Shape>(t: F<S>): F<S> => {
  const squares = tf.reduceSum(tf.square(t), undefined, { keepDims: true });
  return t.mul(tf.rsqrt(tf.maximum(squares, 1e-12)));
};
const softmax = <S extends Shape>(t: F<S>): F<S> => {
  const e = tf.exp(t.sub(tf.reduceMax(t, 1, { keepDims: true })));
  return e.div(e.reduceSum(1, { keepDims: true }));
};
const gelu = <S extends Shape>(t: F<S>): F<S> =>
  tf.mul(0.5, t).mul(tf.add(1, tf.tanh(t.add(tf.pow(t, 3).mul(0.044715)).mul(0.797))));
const leaky = <S extends Shape>(t: F<S>): F<S> => tf.where(tf.greater(t, 0), t, t.mul(0.1));
const positive = <S extends Shape>(t: F<S>): F<S> => tf.where(t.less(0), 0, t);
const clipped = <S extends Shape>(t: F<S>): F<S> => tf.maximum(-1, tf.minimum(t, 1));
const chained = layerNorm(batchNorm(standardized(unit(softmax(gelu(leaky(positive(clipped(tf.zeros([2, 5, 4]))))))))));
same<typeof chained, Tensor<'float32', [2, 5, 4]>>(true);
// What loses an axis is not of the shape of the argument.
// @ts-expect-error
export const wrong = <S extends Shape>(t: F<S>): F<S> => tf.reduceSum(t, -1);

// keepDims, of known shapes
const [k1, k2, k3, k4] = [
  tf.reduceSum(tf.zeros([2, 3, 4]), -2, { keepDims: true }),
  tf.reduceSum(tf.zeros([2, 3, 4]), [0, -1], { keepDims: true }),
  tf.reduceSum(x, undefined, { keepDims: true }),
  tf.zeros([n, 4]).add(tf.zeros([5, 4])),
];
same<typeof k1, Tensor<'float32', [2, 1, 4]>>(true);
same<typeof k2, Tensor<'float32', [1, 3, 1]>>(true);
same<typeof k3, Tensor<'float32', [1, 1]>>(true);
same<typeof k4, Tensor<'float32', [5, 4]>>(true);

// sizes that the graph computes are null
const [rows, columns] = tf.unstack(tf.shape(x));
const computed = [
  tf.zeros([rows, 10]),
  tf.reshape(x, [rows, 3]),
  tf.reshape(x, [rows, -1]),
  tf.randomNormal([rows, 10], 0, 0.1),
  tf.fill([rows, 10], 2),
  x.reshape([rows, 3]),
] as const;
const whole = tf.ones(tf.shape(x));
const counted = tf.range(columns);
const part = tf.slice(x, [1, 0], [rows, 2]);
same<(typeof computed)[0], Tensor<'float32', [null, 10]>>(true);
same<(typeof computed)[1], Tensor<'float32', [null, 3]>>(true);
same<(typeof computed)[2], Tensor<'float32', [null, null]>>(true);
same<(typeof computed)[3], Tensor<'float32', [null, 10]>>(true);
same<(typeof computed)[4], Tensor<'float32', [null, 10]>>(true);
same<(typeof computed)[5], Tensor<'float32', [null, 3]>>(true);
same<typeof whole, Tensor<'float32', (number | null)[]>>(true);
same<typeof counted, Tensor<'int32', [null]>>(true);
same<typeof part, Tensor<'float32', [null, 2]>>(true);

// a range of whole numbers is int32, of fractions float32; of a number it may be either
declare const anyNumber: number;
const ranges = [
  tf.range(24),
  tf.range(0.5),
  tf.range(-1),
  tf.range(0, 10, 2),
  tf.range(0, 1, 0.1),
  tf.range(0, 10, { delta: 2 }),
  tf.range(anyNumber),
  tf.range(0, anyNumber),
] as const;
same<(typeof ranges)[0], Tensor<'int32', [24]>>(true);
same<(typeof ranges)[1], Tensor<'float32', [number]>>(true);
same<(typeof ranges)[2], Tensor<'int32', [0]>>(true);
same<(typeof ranges)[3], Tensor<'int32', [number]>>(true);
same<(typeof ranges)[4], Tensor<'float32', [number]>>(true);
same<(typeof ranges)[5], Tensor<'int32', [number]>>(true);
same<(typeof ranges)[6], Tensor<'int32' | 'float32', [number]>>(true);
same<(typeof ranges)[7], Tensor<'int32' | 'float32', [number]>>(true);

// the penalties of weights of several shapes
const [kernel, shift] = [tf.variable(tf.zeros([3, 2])), tf.variable(tf.zeros([2]))];
same<tf.Tensor<'float32', []>[], ReturnType<typeof penalties>>(true);
function penalties() {
  return [kernel, shift].map((v) => tf.nn.l2Loss(v));
}
