// The largest elements of rows, and whether a label is among them.
import { InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { DType, FloatDType, NumericDType } from '../tensor/dtype.ts';
import { isFloat } from '../tensor/dtype.ts';
import { text, wholeNumber } from '../tensor/kinds.ts';
import type { LastAxis, TopKError } from '../tensor/part-rules.ts';
import { compatible, elements, type Shape, showShape } from '../tensor/shape.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import {
  type AnyTensor,
  apply,
  applyAll,
  defineOp,
  floats,
  indexTypes,
  type Named,
  numeric,
  type OpDefinition,
  requireDType,
  type TensorType,
  tensor,
} from './define.ts';
import { wideIndices } from './gather.ts';

const isNaN = (v: s.Scalar) => s.not(s.equal(v, v));
/** Are a and b the same in the order? */
const isSame = (a: s.Scalar, b: s.Scalar): s.Scalar =>
  isFloat(a.dtype) ? s.or(s.equal(a, b), s.and(isNaN(a), isNaN(b))) : s.equal(a, b);
/** Does a come before b: larger ones do, NaN as the largest, and of the same those with a lower index. */
function comesBefore(a: s.Scalar, b: s.Scalar, isEarlier: s.Scalar): s.Scalar {
  const larger = isFloat(a.dtype) ? s.or(s.less(b, a), s.and(isNaN(a), s.not(isNaN(b)))) : s.less(b, a);
  return s.or(larger, s.and(isSame(a, b), isEarlier));
}

/** @internal For each element of rows [rows, n] how many come before it: larger ones, and equal ones with a lower index. */
export function ranksOf(x: p.View): p.View {
  const [rows, n] = x.shape;
  const others = p.strided(x, [rows, n, n], [x.strides[0], 0, x.strides[1]]);
  const own = p.strided(x, [rows, n, n], [x.strides[0], x.strides[1], 0]);
  const before = p.map([others, own], (a, b) => count(comesBefore(a, b, s.less(s.index(2), s.index(1)))));
  return p.reduce('sum', before, [2]);
}
const count = (condition: s.Scalar): s.Scalar => s.cast(condition, 'int32');

/** @internal Where the elements of rows [rows, n] lie that have the first ranks, as places in all rows together. */
export function placesOf(ranks: p.View, k: number): p.View {
  const [rows, n] = ranks.shape;
  const at = p.map([ranks], (rank) => s.add(rank, s.mul(s.index(0), n)));
  const places = p.map([], () => s.add(s.index(1), s.mul(s.index(0), n)), [rows, n]);
  const sorted = p.scatter(p.reshape(places, [rows * n]), p.reshape(at, [rows * n]), 0, rows * n);
  return p.slice(p.reshape(sorted, [rows, n]), [0, 0], [rows, k]);
}

/** Less than every other number, or the least. */
const least = (dtype: DType): number => (isFloat(dtype) ? -Infinity : dtype === 'int32' ? -(2 ** 31) : 0);

/** The indices of the first k of rows [rows, n], by the ranks of all. */
function firstOf(x: p.View, k: number): p.View {
  const n = x.shape[1];
  return p.map([placesOf(ranksOf(x), k)], (at) => s.sub(at, s.mul(s.index(0), n)));
}
/** The elements of rows [rows, n] at indices in each of them. */
function pick(x: p.View, indices: p.View): p.View {
  const [rows, n] = x.shape;
  const places = p.map([indices], (i) => s.add(i, s.mul(s.index(0), n)));
  return p.gather(p.reshape(x, [rows * n]), places, 0);
}

/**
 * The same of long rows: the first k of each block of m elements, and of all these the first k. That is n·m + (k·n/m)²
 * comparisons instead of n². Equal ones keep their order: those of a block are sorted, and blocks lie one after another.
 */
function firstOfBlocks(x: p.View, k: number): p.View {
  const [rows, n] = x.shape;
  const m = blockSize(n, k);
  const blocks = Math.ceil(n / m);
  if (k === 0 || n * m + (blocks * k) ** 2 > (n * n) / 2) return firstOf(x, k);
  // What fills the last block is last of all.
  const whole = p.pad(x, [0, 0], [0, blocks * m - n], least(x.node.dtype));
  const each = p.reshape(firstOf(p.reshape(whole, [rows * blocks, m]), k), [rows, blocks, k]);
  const candidates = p.reshape(
    p.map([each], (i) => s.add(i, s.mul(s.index(1), m))),
    [rows, blocks * k],
  );
  return pick(candidates, firstOf(pick(whole, candidates), k));
}
/** The m with the fewest comparisons, in whole vectors. It is at least k. */
const blockSize = (n: number, k: number): number => 16 * Math.ceil(Math.cbrt(2 * n * k * k) / 16);

interface TopKAttributes {
  readonly k: number;
}
const rowsOf = (shape: readonly number[]): [number, number] => [elements(shape.slice(0, -1)), shape.at(-1) as number];

const TopKOp: OpDefinition<TopKAttributes> = defineOp({
  name: 'TopK',
  infer: ([x], { k }): TensorType[] => {
    requireDType('topK', x, numeric, 'truth values have no order');
    const size = x.shape?.at(-1);
    if (x.shape?.length === 0 || (typeof size === 'number' && size < k)) {
      throw new ShapeMismatchError(
        `topK: the last axis of ${showShape(x.shape)} must have at least k = ${k} elements; choose a smaller k.`,
      );
    }
    const shape = x.shape && [...x.shape.slice(0, -1), k];
    return [
      { dtype: x.dtype, shape },
      { dtype: 'int32', shape },
    ];
  },
  gradient: ({ inputs: [x], outputs: [, indices] }, [dy]) => [dy && apply(AlongRowsGradOp, [dy, indices, x], {})],
  lower: ([x], { attributes: { k }, outputs: [{ shape }] }) => {
    const [rows, n] = rowsOf(x.shape);
    const flat = p.reshape(x, [rows, n]);
    const indices = firstOfBlocks(flat, k);
    const values = pick(flat, indices);
    return [p.reshape(values, shape), p.reshape(indices, shape)];
  },
});

/** Places in rows as places in all of them together. */
function flatPlaces(indices: p.View, n: number): p.View {
  const [rows, k] = rowsOf(indices.shape);
  return p.map([p.reshape(indices, [rows, k])], (i) => s.add(i, s.mul(s.index(0), n)));
}
/** Inputs: x, indices. The elements of each row at its indices. */
const AlongRowsOp: OpDefinition = defineOp({
  name: 'AlongRows',
  infer: ([x, indices]) => ({ dtype: x.dtype, shape: indices.shape }),
  gradient: ({ inputs: [x, indices] }, [dy]) => [dy && apply(AlongRowsGradOp, [dy, indices, x], {}), null],
  lower: ([x, indices]) => {
    const places = flatPlaces(indices, x.shape.at(-1) as number);
    return p.reshape(p.gather(p.reshape(x, [elements(x.shape)]), places, 0), indices.shape);
  },
});
/** Inputs: dy, indices, and x for its shape. */
const AlongRowsGradOp: OpDefinition = defineOp({
  name: 'AlongRowsGrad',
  infer: ([dy, , x]) => ({ dtype: dy.dtype, shape: x.shape }),
  gradient: ({ inputs: [, indices] }, [dz]) => [dz && apply(AlongRowsOp, [dz, indices], {}), null, null],
  lower: ([dy, indices, x]) => {
    const places = flatPlaces(indices, x.shape.at(-1) as number);
    const all = elements(x.shape);
    const flat = [elements(dy.shape)];
    return p.reshape(p.scatter(p.reshape(dy, flat), p.reshape(places, flat), 0, all), x.shape);
  },
});

const topKForm = signature('tf.nn.topK', { x: tensor }, { k: wholeNumber, name: text }, ['k', 'name']);
/**
 * The k largest elements along the last axis, the largest first, and their indices (int32): of equal ones the first.
 * NaN counts as the largest, as for `argmax`. Elements are compared in blocks: the time grows with the row's length n as
 * n^(4/3) where k is small, and as n² where it is near n.
 *
 * @param k how many (default 1).
 * @throws ShapeMismatchError where there are less.
 *
 * ```ts
 * const [values, indices] = tf.nn.topK(tf.constant([1, 5, 3]), 2);       // [5, 3], [1, 2]
 * ```
 */
export function topK<T extends NumericDType = any, A extends Shape = any, const K extends number = 1>(
  x: Tensor<T, A> & ShapeError<TopKError<A, K>>,
  k?: K | { readonly k?: K; readonly name?: string },
  name?: Named,
): [values: Tensor<T, LastAxis<A, K>>, indices: Tensor<'int32', LastAxis<A, K>>];
export function topK(...given: unknown[]): [AnyTensor, AnyTensor] {
  const { x, k = 1, name } = topKForm.take(given);
  if (k < 0) throw new InvalidArgumentError(`topK: k must be at least 0, but ${k} came.`);
  const [values, indices] = applyAll(TopKOp, [x], { k }, { name });
  return [values, indices];
}

const InTopKOp = defineOp<TopKAttributes>({
  name: 'InTopK',
  infer: ([predictions, targets]) => {
    requireDType('inTopK', predictions, floats, 'predictions are probabilities or logits');
    requireDType('inTopK targets', targets, indexTypes);
    if (
      (predictions.shape && predictions.shape.length !== 2) ||
      (targets.shape && targets.shape.length !== 1) ||
      (predictions.shape && targets.shape && !compatible([predictions.shape[0]], targets.shape))
    ) {
      throw new ShapeMismatchError(
        `inTopK: predictions must be [batch, classes] and targets [batch], but their shapes are ${showShape(predictions.shape)} and ${showShape(targets.shape)}.`,
      );
    }
    return { dtype: 'bool', shape: targets.shape ?? predictions.shape?.slice(0, 1) };
  },
  gradient: () => [null, null],
  lower: ([x, targets], { attributes: { k } }) => {
    const column = p.reshape(targets, [...targets.shape, 1]);
    const isTarget = (t: s.Scalar) => s.equal(s.index(1), t);
    const own = p.reduce(
      'sum',
      p.map([x, column], (v, t) => s.select(isTarget(t), v, 0)),
      [1],
    );
    const hits = p.reduce(
      'sum',
      p.map([column], (t) => count(isTarget(t)), x.shape),
      [1],
    );
    const larger = p.reduce(
      'sum',
      p.map([x, p.reshape(own, [...own.shape, 1])], (v, o) => count(s.less(o, v))),
      [1],
    );
    // A label that is no class, or whose prediction is not finite, is not among them.
    return p.map([own, hits, larger], (o, found, n) =>
      s.and(s.and(s.equal(s.sub(o, o), 0), s.equal(found, 1)), s.less(n, k)),
    );
  },
});
const inTopKForm = signature('tf.nn.inTopK', { predictions: tensor, targets: tensor, k: wholeNumber }, { name: text }, [
  'name',
]);
/**
 * Is the prediction for the target class (int32 or uint8) of each row among its k largest? Classes that are as large as
 * the k-th all count. A target that is no class, or has no finite prediction, is not among them.
 *
 * ```ts
 * const accuracy = tf.reduceMean(tf.cast(tf.nn.inTopK(logits, labels, 5), 'float32'));
 * ```
 */
export function inTopK<T extends FloatDType = any, A extends Shape = any, B extends Shape = any>(
  predictions: Tensor<T, A>,
  targets: Tensor<'int32' | 'uint8', B>,
  k: number,
  name?: Named,
): Tensor<'bool', B>;
export function inTopK(...given: unknown[]): AnyTensor {
  const { predictions, targets, k, name } = inTopKForm.take(given);
  return apply(InTopKOp, [predictions, wideIndices(targets)], { k }, name);
}
