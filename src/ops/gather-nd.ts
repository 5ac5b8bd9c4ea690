// By indices of several axes, and sums by segment: gatherNd, unsortedSegmentSum.
import { InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { DType, NumericDType } from '../tensor/dtype.ts';
import { text, wholeNumber } from '../tensor/kinds.ts';
import type { GatheredNd, GatherNdError, SegmentSums } from '../tensor/part-rules.ts';
import { compatible, elements, type Shape, showShape } from '../tensor/shape.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import {
  type AnyTensor,
  apply,
  defineOp,
  indexTypes,
  type Named,
  numeric,
  type OpDefinition,
  requireDType,
  tensor,
} from './define.ts';
import { wideIndices } from './gather.ts';

/** The indices along each axis as one number, the place in x with these axes laid out as one. */
function flatIndices(indices: p.View, shape: readonly number[]): p.View {
  const depth = indices.shape.at(-1) as number;
  const last = indices.shape.length - 1;
  const columns = Array.from({ length: depth }, (_, k) => column(indices, last, k));
  const none = p.map([], () => s.constant(0, 'int32'), indices.shape.slice(0, -1));
  if (depth === 0) return none;
  return p.map(columns, (...parts) => parts.reduce((sum, i, k) => s.add(s.mul(sum, shape[k]), i)));
}
const column = (indices: p.View, last: number, k: number): p.View =>
  p.strided(
    indices,
    indices.shape.slice(0, -1),
    indices.strides.slice(0, -1),
    indices.offset + k * indices.strides[last],
  );

const GatherNdOp: OpDefinition = defineOp({
  name: 'GatherNd',
  infer: ([x, indices]) => {
    requireDType('gatherNd indices', indices, indexTypes);
    const depth = indices.shape?.at(-1);
    if (indices.shape?.length === 0 || depth === null) {
      throw new ShapeMismatchError(
        `gatherNd: the last axis of the indices must have a known size, how many axes they are about; but their shape is ${showShape(indices.shape)}.`,
      );
    }
    if (!x.shape || !indices.shape || depth === undefined) return { dtype: x.dtype, shape: undefined };
    if (depth > x.shape.length) {
      throw new ShapeMismatchError(
        `gatherNd: indices ${showShape(indices.shape)} are about ${depth} axes, but x, ${showShape(x.shape)}, has ${x.shape.length}.`,
      );
    }
    return { dtype: x.dtype, shape: [...indices.shape.slice(0, -1), ...x.shape.slice(depth)] };
  },
  gradient: ({ inputs: [x, indices] }, [dy]) => [dy && apply(GatherNdGradOp, [dy, indices, x], {}), null],
  lower: ([x, indices], { require, name, outputs: [{ shape }] }) => {
    const depth = indices.shape.at(-1) as number;
    for (let k = 0; k < depth; k++) {
      const size = x.shape[k];
      const message = `gatherNd: index {value} is out of range in ${name}: axis ${k} of ${showShape(x.shape)} has ${size} elements.`;
      const inside = (v: s.Scalar) => s.and(s.lessEqual(s.constant(0, 'int32'), v), s.less(v, size));
      require(p.check([column(indices, indices.shape.length - 1, k)], inside, message));
    }
    const rows = elements(x.shape.slice(0, depth));
    const flat = p.reshape(x, [rows, ...x.shape.slice(depth)]);
    return p.reshape(p.gather(flat, flatIndices(indices, x.shape), 0), shape);
  },
});
/** Inputs: dy, indices, and x for its shape. */
const GatherNdGradOp: OpDefinition = defineOp({
  name: 'GatherNdGrad',
  infer: ([dy, , x]) => ({ dtype: dy.dtype, shape: x.shape }),
  gradient: ({ inputs: [, indices] }, [dz]) => [dz && apply(GatherNdOp, [dz, indices], {}), null, null],
  lower: ([dy, indices, x]) => {
    const depth = indices.shape.at(-1) as number;
    const rows = elements(x.shape.slice(0, depth));
    return p.reshape(p.scatter(dy, flatIndices(indices, x.shape), 0, rows), x.shape);
  },
});
const gatherNdForm = signature('tf.gatherNd', { x: tensor, indices: tensor }, { name: text }, ['name']);
/**
 * The parts of x at indices (int32 or uint8) of several axes: out[i, …] = x[indices[i, 0], …, indices[i, d − 1], …]. The
 * last axis of the indices, d long, is one index of the first d axes of x. A run with an index out of range fails with an
 * InvalidArgumentError before anything changes.
 *
 * ```ts
 * tf.gatherNd(tf.constant([[1, 2], [3, 4]]), tf.constant([[0, 0], [1, 0]], 'int32'));      // [1, 3]
 * ```
 */
export function gatherNd<T extends DType = any, A extends Shape = any, I extends Shape = any>(
  x: Tensor<T, A>,
  indices: Tensor<'int32' | 'uint8', I> & ShapeError<GatherNdError<A, I>>,
  name?: Named,
): Tensor<T, GatheredNd<A, I>>;
export function gatherNd(...given: unknown[]): AnyTensor {
  const { x, indices, name } = gatherNdForm.take(given);
  return apply(GatherNdOp, [x, wideIndices(indices)], {}, name);
}

interface SegmentAttributes {
  readonly count: number;
}
const SegmentSumOp: OpDefinition<SegmentAttributes> = defineOp({
  name: 'UnsortedSegmentSum',
  infer: ([x, ids], { count }) => {
    requireDType('unsortedSegmentSum', x, numeric);
    requireDType('unsortedSegmentSum segmentIds', ids, indexTypes);
    if (!x.shape || !ids.shape) return { dtype: x.dtype, shape: undefined };
    if (!compatible(x.shape.slice(0, ids.shape.length), ids.shape)) {
      throw new ShapeMismatchError(
        `unsortedSegmentSum: the shape of segmentIds, ${showShape(ids.shape)}, must be the beginning of that of x, ${showShape(x.shape)}.`,
      );
    }
    return { dtype: x.dtype, shape: [count, ...x.shape.slice(ids.shape.length)] };
  },
  gradient: ({ inputs: [, ids], attributes }, [dy]) => [dy && apply(SegmentPickOp, [dy, ids], attributes), null],
  lower: ([x, ids], { attributes: { count }, require, name, outputs: [{ shape }] }) => {
    const message = `unsortedSegmentSum: segment {value} is out of range in ${name}: there are ${count}.`;
    require(p.check([ids], (v) => s.less(v, count), message));
    // What is below 0 goes to a segment that is left out.
    const sums = p.scatter(
      x,
      p.map([ids], (v) => s.select(s.less(v, 0), count, v)),
      0,
      count + 1,
    );
    return p.slice(
      sums,
      shape.map(() => 0),
      shape,
    );
  },
});
/** Inputs: z, ids. For each id the part of z; 0 for one below 0. */
const SegmentPickOp: OpDefinition<SegmentAttributes> = defineOp({
  name: 'SegmentPick',
  infer: ([z, ids]) => ({
    dtype: z.dtype,
    shape: z.shape && ids.shape && [...ids.shape, ...z.shape.slice(1)],
  }),
  gradient: ({ inputs: [, ids], attributes }, [dz]) => [dz && apply(SegmentSumOp, [dz, ids], attributes), null],
  lower: ([z, ids]) => {
    const more = p.pad(
      z,
      z.shape.map(() => 0),
      z.shape.map((_, i) => (i === 0 ? 1 : 0)),
    );
    return p.gather(
      more,
      p.map([ids], (v) => s.select(s.less(v, 0), z.shape[0], v)),
      0,
    );
  },
});
const segmentForm = signature(
  'tf.unsortedSegmentSum',
  { x: tensor, segmentIds: tensor, numSegments: wholeNumber },
  { name: text },
  ['name'],
);
/**
 * Sums by segment: out[s] = Σ x[i] over all i with segmentIds[i] = s, 0 where there are none. What has an id below 0 is
 * left out. A run with an id of numSegments or more fails with an InvalidArgumentError before anything changes.
 *
 * ```ts
 * tf.unsortedSegmentSum(tf.constant([1, 2, 3]), tf.constant([1, 0, 1], 'int32'), 2);      // [2, 4]
 * ```
 */
export function unsortedSegmentSum<
  T extends NumericDType = any,
  A extends Shape = any,
  I extends Shape = any,
  const N extends number = number,
>(
  x: Tensor<T, A>,
  segmentIds: Tensor<'int32' | 'uint8', I>,
  numSegments: N,
  name?: Named,
): Tensor<T, SegmentSums<A, I, N>>;
export function unsortedSegmentSum(...given: unknown[]): AnyTensor {
  const { x, segmentIds, numSegments, name } = segmentForm.take(given);
  if (numSegments < 0)
    throw new InvalidArgumentError(`unsortedSegmentSum: numSegments must be at least 0, but ${numSegments} came.`);
  return apply(SegmentSumOp, [x, wideIndices(segmentIds)], { count: numSegments }, name);
}
