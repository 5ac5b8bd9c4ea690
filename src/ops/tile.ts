// A tensor repeated along its axes: tile, broadcastTo.
import { ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import type { Resized } from '../tensor/axis-rules.ts';
import type { DType } from '../tensor/dtype.ts';
import { sizes, text } from '../tensor/kinds.ts';
import { broadcast, compatible, type Shape, showShape } from '../tensor/shape.ts';
import type { BroadcastError } from '../tensor/shape-rules.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import { takeSizes } from '../tensor/sizes.ts';
import {
  type AnyTensor,
  apply,
  defineOp,
  integerList,
  integers,
  type Named,
  type OpDefinition,
  tensor,
} from './define.ts';
import { sumLike } from './like.ts';

const TileOp = defineOp<{ multiples: readonly number[] }>({
  name: 'Tile',
  infer: ([x], { multiples }) => {
    if (!x.shape) return { dtype: x.dtype, shape: multiples.map(() => null) };
    if (multiples.length !== x.shape.length || multiples.some((n) => !Number.isInteger(n) || n < 0)) {
      throw new ShapeMismatchError(
        `tile: multiples ${showShape(multiples)} must be a whole number of at least 0 for each axis of ${showShape(x.shape)}.`,
      );
    }
    return { dtype: x.dtype, shape: x.shape.map((d, i) => (d === null ? null : d * multiples[i])) };
  },
  gradient: ({ inputs: [x], attributes: { multiples } }, [dy]) => [dy && apply(TileGradOp, [dy, x], { multiples })],
  lower: ([x], { attributes: { multiples }, outputs: [{ shape }] }) => {
    const apart = p.strided(
      x,
      multiples.flatMap((n, i) => [n, x.shape[i]]),
      x.strides.flatMap((n) => [0, n]),
    );
    return p.reshape(apart, shape);
  },
});
const TileGradOp: OpDefinition<{ multiples: readonly number[] }> = defineOp({
  name: 'TileGrad',
  infer: ([dy, x]) => ({ dtype: dy.dtype, shape: x.shape }),
  lower: ([dy, x], { attributes: { multiples } }) => {
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
  gradient: ({ attributes: { multiples } }, [dz]) => [dz && apply(TileOp, [dz], { multiples }), null],
});
const form = signature('tf.tile', { x: tensor, multiples: integerList }, { name: text }, ['name']);
/** x repeated `multiples[i]` times along axis i. */
export function tile<T extends DType = any, A extends Shape = any>(
  x: Tensor<T, A>,
  multiples: readonly number[],
  name?: Named,
): Tensor<T, Resized<A>>;
export function tile(...given: unknown[]): AnyTensor {
  const { x, multiples, name } = form.take(given);
  return apply(TileOp, [x], { multiples: integers('tile', 'multiples', multiples) }, name);
}

const BroadcastToOp = defineOp<{ shape: readonly number[] }>({
  name: 'BroadcastTo',
  infer: ([x], { shape }) => {
    const found = broadcast(x.shape, shape);
    if (found === null || (found && !compatible(found, shape))) {
      throw new ShapeMismatchError(
        `broadcastTo: ${showShape(x.shape)} cannot be repeated to ${showShape(shape)}: aligned at the right, sizes must be equal or 1.`,
      );
    }
    return { dtype: x.dtype, shape };
  },
  gradient: ({ inputs: [x] }, [dy]) => [dy && sumLike(dy, x)],
  lower: ([x], { attributes: { shape } }) => p.broadcastTo(x, shape),
});
const broadcastForm = signature('tf.broadcastTo', { x: tensor, shape: sizes }, { name: text }, ['name']);
/**
 * x repeated to a shape: axes of size 1, and those that it lacks in front. Nothing is copied by itself.
 *
 * @throws ShapeMismatchError when x does not broadcast to that shape.
 */
export function broadcastTo<
  T extends DType = any,
  A extends Shape = any,
  const S extends readonly number[] = readonly number[],
>(x: Tensor<T, A> & ShapeError<BroadcastError<A, S, 'broadcastTo'>>, shape: S, name?: Named): Tensor<T, [...S]>;
export function broadcastTo(...given: unknown[]): AnyTensor {
  const { x, shape, name } = broadcastForm.take(given);
  return apply(BroadcastToOp, [x], { shape: takeSizes('broadcastTo', shape) }, name);
}
