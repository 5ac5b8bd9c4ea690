// Ops that rearrange axes: reshape, transpose, expandDims, squeeze. They cost nothing by themselves.

import { ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import type { ExpandDims, ReduceAxes, Reshape, ReshapeError, Squeeze, Transpose } from '../tensor/axis-rules.ts';
import type { DType } from '../tensor/dtype.ts';
import { text, wholeNumber } from '../tensor/kinds.ts';
import { axisIndex, type Dim, elements, isKnown, type Shape, showShape } from '../tensor/shape.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import {
  type AnyTensor,
  apply,
  axisOf,
  defineOp,
  integerList,
  integers,
  type Named,
  type OpDefinition,
  resolveAxes,
  type TensorType,
  tensor,
} from './define.ts';
import { reshapeLike } from './like.ts';
import {
  type GivenSizes,
  knownSizes,
  type ShapeOfSizes,
  type Sizes,
  sizeList,
  takeSizeTensors,
  valueOf,
} from './sizes.ts';

/** A shape of which not all sizes are known yet: what can be wrong with it is seen when they are. */
function partlyReshaped(target: Shape): Shape {
  if (target.some((d) => d !== null && d < -1)) {
    throw new ShapeMismatchError(
      `reshape: sizes must be whole numbers of at least 0, or one -1, but the shape is ${showShape(target)}.`,
    );
  }
  return target.map((d) => (d === -1 ? null : d));
}

/** The shape that `target`, with at most one −1, stands for. */
function reshaped(x: TensorType, target: Shape): Shape {
  if (!isKnown(target)) return partlyReshaped(target);
  const known = target.filter((d) => d !== -1);
  if (known.length < target.length - 1) {
    throw new ShapeMismatchError(`reshape: only one dimension of ${showShape(target)} may be -1.`);
  }
  if (known.some((d) => !Number.isInteger(d) || d < 0)) {
    throw new ShapeMismatchError(
      `reshape: sizes must be whole numbers of at least 0, or one -1, but the shape is ${showShape(target)}.`,
    );
  }
  const wanted = elements(known);
  const hole = known.length < target.length;
  if (!isKnown(x.shape)) {
    if (x.shape && !hole) {
      const least = elements(x.shape.filter((d) => d !== null));
      if (least === 0 ? wanted !== 0 : wanted % least !== 0) {
        throw new ShapeMismatchError(
          `reshape: ${showShape(x.shape)} cannot have the ${wanted} elements of ${showShape(target)}.`,
        );
      }
    }
    return hole ? target.map((d) => (d === -1 ? null : d)) : target;
  }
  const count = elements(x.shape);
  if (!hole) {
    if (count !== wanted) {
      throw new ShapeMismatchError(
        `reshape: ${showShape(x.shape)} has ${count} elements but ${showShape(target)} has ${wanted}.`,
      );
    }
    return target;
  }
  if (wanted === 0) {
    throw new ShapeMismatchError(
      `reshape: -1 in ${showShape(target)} cannot be inferred, as there are no elements whatever it is; give the size.`,
    );
  }
  if (count % wanted !== 0) {
    throw new ShapeMismatchError(
      `reshape: ${showShape(x.shape)} has ${count} elements, which is not a multiple of ${wanted}, so -1 in ${showShape(target)} cannot be inferred.`,
    );
  }
  return target.map((d) => (d === -1 ? count / wanted : d));
}

const ReshapeOp = defineOp<{ shape: GivenSizes }>({
  name: 'Reshape',
  takesSizes: true,
  value: ([x]) => valueOf(x),
  infer: ([x, ...tensors], { shape }) => {
    const target = knownSizes(shape, tensors);
    return { dtype: x.dtype, shape: target && reshaped(x, target) };
  },
  gradient: ({ inputs: [x] }, [dy]) => [dy && reshapeLike(dy, x)],
  lower: ([x], { outputs: [{ shape }] }) => p.reshape(x, shape),
});

const reshapeForm = signature('tf.reshape', { x: tensor, shape: sizeList }, { name: text }, ['name']);
/**
 * The same elements, in the same order, in another shape. One size may be −1: it follows from the others.
 *
 * @param shape numbers, int32 scalars that the graph computes (such as those of `tf.shape`), or one vector of them.
 * @throws ShapeMismatchError when the number of elements does not fit, naming both.
 *
 * ```ts
 * tf.reshape(x, [-1, 28, 28, 1]);          // [null, 784] → [null, 28, 28, 1]
 * ```
 */
export function reshape<T extends DType = any, A extends Shape = any, const B extends Sizes = readonly number[]>(
  x: Tensor<T, A> & ShapeError<ReshapeError<A, ShapeOfSizes<B>>>,
  shape: B,
  name?: Named,
): Tensor<T, Reshape<A, ShapeOfSizes<B>>>;
export function reshape(...given: unknown[]): AnyTensor {
  const { x, shape, name } = reshapeForm.take(given);
  const { sizes, inputs } = takeSizeTensors('reshape', 'the shape', shape);
  return apply(ReshapeOp, [x, ...inputs], { shape: sizes }, name);
}

const TransposeOp: OpDefinition<{ perm: readonly number[] | undefined }> = defineOp({
  name: 'Transpose',
  infer: ([x], { perm }) => {
    if (!x.shape) return { dtype: x.dtype, shape: perm?.map(() => null) };
    const order = permutation(perm, x.shape);
    return { dtype: x.dtype, shape: order.map((i) => x.shape![i]) };
  },
  gradient: ({ inputs: [x], attributes: { perm } }, [dy]) => {
    const order = perm && permutation(perm, x.shape ?? perm.map(() => null));
    return [dy && apply(TransposeOp, [dy], { perm: order?.map((_, i) => order.indexOf(i)) })];
  },
  lower: ([x], { attributes: { perm } }) => p.transpose(x, permutation(perm, x.shape)),
});

function permutation(perm: readonly number[] | undefined, shape: Shape): number[] {
  if (!perm) return shape.map((_, i) => shape.length - 1 - i);
  const order = perm.map((a) => axisIndex(a, shape.length));
  if (order.length !== shape.length || new Set(order).size !== order.length || order.includes(undefined)) {
    throw new ShapeMismatchError(
      `transpose: ${showShape(perm)} must name each of the ${shape.length} axes of ${showShape(shape)} once.`,
    );
  }
  return order as number[];
}

const transposeForm = signature('tf.transpose', { x: tensor }, { perm: integerList, name: text }, ['perm', 'name']);
/** Axes in another order: axis i of the result is axis perm[i] of x. Without `perm` the order is reversed. */
export function transpose<
  T extends DType = any,
  A extends Shape = any,
  const P extends readonly number[] | undefined = undefined,
>(x: Tensor<T, A>, options: { readonly perm?: P; readonly name?: string }): Tensor<T, Transpose<A, P>>;
export function transpose<
  T extends DType = any,
  A extends Shape = any,
  const P extends readonly number[] | undefined = undefined,
>(x: Tensor<T, A>, perm?: P, name?: Named): Tensor<T, Transpose<A, P>>;
export function transpose(...given: unknown[]): AnyTensor {
  const { x, perm, name } = transposeForm.take(given);
  return apply(TransposeOp, [x], { perm: perm === undefined ? perm : integers('transpose', 'perm', perm) }, name);
}

const ExpandDimsOp = defineOp<{ axis: number }>({
  name: 'ExpandDims',
  value: ([x]) => valueOf(x),
  infer: ([x], { axis }) => {
    if (!x.shape) return x;
    const i = axisOf('expandDims', axis, x.shape, x.shape.length + 1);
    return { dtype: x.dtype, shape: [...x.shape.slice(0, i), 1, ...x.shape.slice(i)] };
  },
  gradient: ({ inputs: [x] }, [dy]) => [dy && reshapeLike(dy, x)],
  lower: ([x], { outputs: [{ shape }] }) => p.reshape(x, shape),
});
const expandDimsForm = signature('tf.expandDims', { x: tensor, axis: wholeNumber }, { name: text }, ['name']);
/** A new axis of size 1, before the given one (−1: at the end). */
export function expandDims<T extends DType = any, A extends Shape = any, const Ax extends number = number>(
  x: Tensor<T, A>,
  axis: Ax,
  name?: Named,
): Tensor<T, ExpandDims<A, Ax>>;
export function expandDims(...given: unknown[]): AnyTensor {
  const { x, axis, name } = expandDimsForm.take(given);
  return apply(ExpandDimsOp, [x], { axis }, name);
}

const SqueezeOp = defineOp<{ axes: readonly number[] | undefined }>({
  name: 'Squeeze',
  value: ([x]) => valueOf(x),
  infer: ([x], { axes }) => {
    if (!x.shape) return x;
    const { shape } = x;
    if (!axes) return { dtype: x.dtype, shape: shape.filter((d) => d !== 1) };
    const drop = resolveAxes('squeeze', axes, shape);
    const wrong = drop.find((i) => shape[i] !== 1 && shape[i] !== null);
    if (wrong !== undefined)
      throw new ShapeMismatchError(`squeeze: axis ${wrong} of ${showShape(shape)} has size ${shape[wrong]}, not 1.`);
    return { dtype: x.dtype, shape: shape.filter((_, i) => !drop.includes(i)) };
  },
  gradient: ({ inputs: [x] }, [dy]) => [dy && reshapeLike(dy, x)],
  lower: ([x], { outputs: [{ shape }] }) => p.reshape(x, shape),
});
const squeezeForm = signature('tf.squeeze', { x: tensor }, { axes: integerList, name: text }, ['axes', 'name']);
/** Without its axes of size 1: all that are known to be of that size, or those given. */
export function squeeze<T extends DType = any, A extends Shape = any>(
  x: Tensor<T, A>,
  axes?: undefined,
  name?: Named,
): Tensor<T, Squeeze<A>>;
export function squeeze<
  T extends DType = any,
  A extends Shape = any,
  const Ax extends readonly number[] = readonly number[],
>(x: Tensor<T, A>, axes: Ax, name?: Named): Tensor<T, ReduceAxes<A, Ax[number], false>>;
export function squeeze(...given: unknown[]): AnyTensor {
  const { x, axes, name } = squeezeForm.take(given);
  // Which axes go is decided here: an unknown size stays, also when it turns out to be 1.
  const ones = x.shape?.flatMap((d: Dim, i: number) => (d === 1 ? [i] : []));
  return apply(SqueezeOp, [x], { axes: axes === undefined ? ones : integers('squeeze', 'axes', axes) }, name);
}
