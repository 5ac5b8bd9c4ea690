// By index: gather, oneHot.
import { InvalidArgumentError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { AxisError } from '../tensor/axis-rules.ts';
import { cameAs } from '../tensor/describe.ts';
import type { DType } from '../tensor/dtype.ts';
import { anything, dtype as dtypeKind, number, text, wholeNumber } from '../tensor/kinds.ts';
import type { Gathered } from '../tensor/part-rules.ts';
import { type Shape, showShape } from '../tensor/shape.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import {
  type AnyTensor,
  apply,
  axisOf,
  defineOp,
  indexTypes,
  type OpDefinition,
  requireDType,
  tensor,
} from './define.ts';
import { cast } from './logic.ts';
import { valueOf } from './sizes.ts';

const GatherOp = defineOp<{ axis: number }>({
  name: 'Gather',
  infer: ([x, indices], { axis }) => {
    requireDType('gather indices', indices, indexTypes);
    if (!x.shape || !indices.shape) return { dtype: x.dtype, shape: undefined };
    const i = axisOf('gather', axis, x.shape);
    return { dtype: x.dtype, shape: [...x.shape.slice(0, i), ...indices.shape, ...x.shape.slice(i + 1)] };
  },
  value: ([x, indices]) => {
    const values = x.shape?.length === 1 ? valueOf(x) : undefined;
    return values && valueOf(indices)?.map((i) => (i === null ? null : (values[i] ?? null)));
  },
  gradient: ({ inputs: [x, indices], attributes: { axis } }, [dy]) => [
    dy && apply(GatherGradOp, [dy, indices, x], { axis }),
    null,
  ],
  lower: ([x, indices], { attributes: { axis }, require, name }) => {
    const i = axisOf('gather', axis, x.shape);
    const size = x.shape[i];
    const known = size === 0 ? 'no elements' : `the indices 0 to ${size - 1}`;
    const message = `gather: index {value} is out of range in ${name}: axis ${i} of ${showShape(x.shape)} has ${known}.`;
    require(p.check([indices], (v) => s.and(s.lessEqual(s.constant(0, 'int32'), v), s.less(v, size)), message));
    return p.gather(x, indices, i);
  },
});
const GatherGradOp: OpDefinition<{ axis: number }> = defineOp({
  name: 'GatherGrad',
  infer: ([dy, , x]) => ({ dtype: dy.dtype, shape: x.shape }),
  lower: ([dy, indices, x], { attributes: { axis } }) => {
    const i = axisOf('gather', axis, x.shape);
    return p.scatter(dy, indices, i, x.shape[i]);
  },
  gradient: ({ inputs: [, indices], attributes: { axis } }, [dz]) => [
    dz && apply(GatherOp, [dz, indices], { axis }),
    null,
    null,
  ],
});
/** @internal Indices are computed with as int32. */
export const wideIndices = (indices: AnyTensor): AnyTensor =>
  indices.dtype === 'uint8' ? cast(indices, 'int32') : indices;

const gatherForm = signature('tf.gather', { x: tensor, indices: tensor }, { axis: wholeNumber, name: text });
/**
 * The slices of x at `indices` (int32 or uint8) along an axis: out[i, …] = x[indices[i], …] for axis 0.
 * A run with an index out of range fails with an InvalidArgumentError before anything changes.
 */
export function gather<
  T extends DType = any,
  A extends Shape = any,
  I extends Shape = any,
  const Ax extends number = 0,
>(
  x: Tensor<T, A> & ShapeError<AxisError<A, Ax, 'gather'>>,
  indices: Tensor<'int32' | 'uint8', I>,
  options?: { readonly axis?: Ax; readonly name?: string },
): Tensor<T, Gathered<A, I, Ax>>;
export function gather(...given: unknown[]): AnyTensor {
  const { x, indices, axis = 0, name } = gatherForm.take(given);
  return apply(GatherOp, [x, wideIndices(indices)], { axis }, name);
}

const lookupForm = signature('tf.nn.embeddingLookup', { params: tensor, ids: tensor }, { name: text });
/**
 * The rows of a table of embeddings at `ids` (int32 or uint8), of any shape: `gather` along axis 0. Its gradient adds to
 * the rows that were looked up.
 *
 * ```ts
 * const words = tf.nn.embeddingLookup(table, ids);      // [10000, 64] at [null, 20] → [null, 20, 64]
 * ```
 */
export function embeddingLookup<T extends DType = any, A extends Shape = any, I extends Shape = any>(
  params: Tensor<T, A>,
  ids: Tensor<'int32' | 'uint8', I>,
  options?: { readonly name?: string },
): Tensor<T, Gathered<A, I, 0>>;
export function embeddingLookup(...given: unknown[]): AnyTensor {
  const { params, ids, name = 'embeddingLookup' } = lookupForm.take(given);
  requireDType('embeddingLookup ids', ids, indexTypes);
  return apply(GatherOp, [params, wideIndices(ids)], { axis: 0 }, name);
}

interface OneHotAttributes {
  readonly depth: number;
  readonly on: number;
  readonly off: number;
  readonly dtype: DType;
}
const OneHotOp = defineOp<OneHotAttributes>({
  name: 'OneHot',
  infer: ([indices], { depth, dtype }) => {
    requireDType('oneHot', indices, indexTypes);
    return { dtype, shape: indices.shape && [...indices.shape, depth] };
  },
  gradient: () => [null],
  lower: ([indices], { attributes: { on, off, dtype }, outputs: [{ shape }] }) => {
    const column = p.reshape(indices, [...indices.shape, 1]);
    const last = shape.length - 1;
    return p.map(
      [column],
      (v) => s.select(s.equal(s.cast(v, 'int32'), s.index(last)), s.constant(on, dtype), s.constant(off, dtype)),
      shape,
    );
  },
});
const oneHotForm = signature(
  'tf.oneHot',
  { indices: tensor, depth: anything<number>('a whole number') },
  { onValue: number, offValue: number, dtype: dtypeKind, name: text },
  ['onValue', 'offValue'],
);
/**
 * A new last axis of `depth` elements: `onValue` (1) at the index, `offValue` (0) elsewhere and for indices out of range.
 *
 * ```ts
 * tf.oneHot(labels, 10, { onValue: 0.9 });     // or tf.oneHot(labels, 10, 0.9, 0), as in TensorFlow
 * ```
 */
export function oneHot<I extends Shape, const N extends number, T extends DType = 'float32'>(
  indices: Tensor<'int32' | 'uint8', I>,
  depth: N,
  onValue: number,
  offValue?: number | { readonly offValue?: number; readonly dtype?: T; readonly name?: string },
  options?: { readonly dtype?: T; readonly name?: string },
): Tensor<NoInfer<T>, [...I, N]>;
export function oneHot<I extends Shape, const N extends number, T extends DType = 'float32'>(
  indices: Tensor<'int32' | 'uint8', I>,
  depth: N,
  options?: { readonly onValue?: number; readonly offValue?: number; readonly dtype?: T; readonly name?: string },
): Tensor<NoInfer<T>, [...I, N]>;
export function oneHot(...given: unknown[]): AnyTensor {
  const { indices, depth, onValue = 1, offValue = 0, dtype = 'float32', name } = oneHotForm.take(given);
  if (!Number.isInteger(depth) || depth < 0) {
    throw new InvalidArgumentError(`oneHot: depth must be a whole number of at least 0, but ${cameAs(depth)} came.`);
  }
  return apply(OneHotOp, [indices], { depth, on: onValue, off: offValue, dtype }, name);
}
