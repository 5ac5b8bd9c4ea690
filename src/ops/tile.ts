// A tensor repeated along its axes: tile, broadcastTo.
import { ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import type { DType } from '../tensor/dtype.ts';
import { text } from '../tensor/kinds.ts';
import type { Tiled } from '../tensor/part-rules.ts';
import { broadcast, compatible, type Dim, type Shape, showShape } from '../tensor/shape.ts';
import type { BroadcastError } from '../tensor/shape-rules.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import { type AnyTensor, apply, defineOp, type Named, type OpDefinition, tensor } from './define.ts';
import { sumLike } from './like.ts';
import {
  type GivenSizes,
  knownShape,
  knownSizes,
  type ShapeOfSizes,
  type Sizes,
  sizeList,
  takeShapeTensors,
  takeSizeTensors,
} from './sizes.ts';

/** The view x, repeated along its axes to a shape. */
function repeated(x: p.View, shape: readonly number[]): p.View {
  const multiples = multiplesOf(x.shape, shape);
  const apart = p.strided(
    x,
    multiples.flatMap((n, i) => [n, x.shape[i]]),
    x.strides.flatMap((n) => [0, n]),
  );
  return p.reshape(apart, shape);
}

const multiplesOf = (shape: readonly number[], tiled: readonly number[]): number[] =>
  shape.map((d, i) => (d === 0 ? 1 : tiled[i] / d));

const TileOp = defineOp<{ multiples: GivenSizes }>({
  name: 'Tile',
  takesSizes: true,
  infer: ([x, ...tensors], given) => {
    const multiples = knownSizes(given.multiples, tensors);
    if (!multiples) return { dtype: x.dtype, shape: x.shape?.map(() => null) };
    if (!x.shape) return { dtype: x.dtype, shape: multiples.map(() => null) };
    if (multiples.length !== x.shape.length || multiples.some((n) => n !== null && n < 0)) {
      throw new ShapeMismatchError(
        `tile: multiples ${showShape(multiples)} must be a whole number of at least 0 for each axis of ${showShape(x.shape)}.`,
      );
    }
    const times = (d: Dim, i: number) => (d === null || multiples[i] === null ? null : d * multiples[i]);
    return { dtype: x.dtype, shape: x.shape.map(times) };
  },
  gradient: ({ inputs: [x] }, [dy]) => [dy && apply(TileGradOp, [dy, x], {})],
  lower: ([x], { outputs: [{ shape }] }) => repeated(x, shape),
});
/** x tiled to the shape of another tensor. */
const TileLikeOp: OpDefinition = defineOp({
  name: 'TileLike',
  infer: ([x, like]) => ({ dtype: x.dtype, shape: like.shape }),
  gradient: ({ inputs: [x] }, [dy]) => [dy && apply(TileGradOp, [dy, x], {}), null],
  lower: ([x, { shape }]) => repeated(x, shape),
});
/** The sum of what was made of each element of x. */
const TileGradOp: OpDefinition = defineOp({
  name: 'TileGrad',
  infer: ([dy, x]) => ({ dtype: dy.dtype, shape: x.shape }),
  lower: ([dy, x]) => {
    const multiples = multiplesOf(x.shape, dy.shape);
    const apart = p.reshape(
      dy,
      multiples.flatMap((n, i) => [n, x.shape[i]]),
    );
    return p.reduce(
      'sum',
      apart,
      multiples.map((_, i) => 2 * i),
    );
  },
  gradient: ({ inputs: [dy] }, [dz]) => [dz && apply(TileLikeOp, [dz, dy], {}), null],
});
const form = signature('tf.tile', { x: tensor, multiples: sizeList }, { name: text }, ['name']);
/** x repeated `multiples[i]` times along axis i: numbers, or int32 tensors that the graph computes of shapes. */
export function tile<T extends DType = any, A extends Shape = any, const M extends Sizes = readonly number[]>(
  x: Tensor<T, A>,
  multiples: M,
  name?: Named,
): Tensor<T, Tiled<A, ShapeOfSizes<M>>>;
export function tile(...given: unknown[]): AnyTensor {
  const { x, multiples, name } = form.take(given);
  const { sizes, inputs } = takeSizeTensors('tile', 'multiples', multiples);
  return apply(TileOp, [x, ...inputs], { multiples: sizes }, name);
}

const BroadcastToOp = defineOp<{ shape: GivenSizes }>({
  name: 'BroadcastTo',
  takesSizes: true,
  infer: ([x, ...tensors], given) => {
    const shape = knownShape(given.shape, tensors);
    if (!shape) return { dtype: x.dtype, shape };
    const found = broadcast(x.shape, shape);
    if (found === null || (found && !compatible(found, shape))) {
      throw new ShapeMismatchError(
        `broadcastTo: ${showShape(x.shape)} cannot be repeated to ${showShape(shape)}: aligned at the right, sizes must be equal or 1.`,
      );
    }
    return { dtype: x.dtype, shape };
  },
  gradient: ({ inputs: [x] }, [dy]) => [dy && sumLike(dy, x)],
  lower: ([x], { outputs: [{ shape }] }) => p.broadcastTo(x, shape),
});
const broadcastForm = signature('tf.broadcastTo', { x: tensor, shape: sizeList }, { name: text }, ['name']);
/**
 * x repeated to a shape: axes of size 1, and those that it lacks in front. Nothing is copied by itself.
 *
 * @param shape numbers, int32 scalars that the graph computes (such as those of `tf.shape`), or one vector of them.
 * @throws ShapeMismatchError when x does not broadcast to that shape.
 */
export function broadcastTo<T extends DType = any, A extends Shape = any, const S extends Sizes = readonly number[]>(
  x: Tensor<T, A> & ShapeError<BroadcastError<A, ShapeOfSizes<S>, 'broadcastTo'>>,
  shape: S,
  name?: Named,
): Tensor<T, ShapeOfSizes<S>>;
export function broadcastTo(...given: unknown[]): AnyTensor {
  const { x, shape, name } = broadcastForm.take(given);
  const { sizes, inputs } = takeShapeTensors('broadcastTo', shape);
  return apply(BroadcastToOp, [x, ...inputs], { shape: sizes }, name);
}
