// The largest elements of rows, and whether a label is among them.
import { InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { LastAxis } from '../tensor/axis-rules.ts';
import type { FloatDType, NumericDType } from '../tensor/dtype.ts';
import { isFloat } from '../tensor/dtype.ts';
import { text, wholeNumber } from '../tensor/kinds.ts';
import { compatible, elements, type Shape, showShape } from '../tensor/shape.ts';
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

/** @internal For each element of rows [rows, n] how many come before it: larger ones, and equal ones with a lower index. */
export function ranksOf(x: p.View): p.View {
  const [rows, n] = x.shape;
  const others = p.strided(x, [rows, n, n], [x.strides[0], 0, x.strides[1]]);
  const own = p.strided(x, [rows, n, n], [x.strides[0], x.strides[1], 0]);
  const before = p.map([others, own], (a, b) => {
    const isEarlier = s.less(s.index(2), s.index(1));
    if (!isFloat(x.node.dtype)) return count(s.or(s.less(b, a), s.and(s.equal(a, b), isEarlier)));
    // NaN counts as the largest.
    const isNaN = (v: s.Scalar) => s.not(s.equal(v, v));
    const larger = s.or(s.less(b, a), s.and(isNaN(a), s.not(isNaN(b))));
    const equal = s.or(s.equal(a, b), s.and(isNaN(a), isNaN(b)));
    return count(s.or(larger, s.and(equal, isEarlier)));
  });
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
    const places = placesOf(ranksOf(flat), k);
    const values = p.gather(p.reshape(flat, [rows * n]), places, 0);
    const indices = p.map([places], (at) => s.sub(at, s.mul(s.index(0), n)));
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
 * NaN counts as the largest. Every element is compared with every other of its row: rows of a few thousand are fast.
 *
 * @param k how many (default 1).
 * @throws ShapeMismatchError where there are less.
 *
 * ```ts
 * const [values, indices] = tf.nn.topK(tf.constant([1, 5, 3]), 2);       // [5, 3], [1, 2]
 * ```
 */
export function topK<T extends NumericDType = any, A extends Shape = any, const K extends number = 1>(
  x: Tensor<T, A>,
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
