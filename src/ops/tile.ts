// A tensor repeated along its axes.
import { ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import type { Resized } from '../tensor/axis-rules.ts';
import type { DType } from '../tensor/dtype.ts';
import { text } from '../tensor/kinds.ts';
import { type Dim, type Shape, showShape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { type AnyTensor, apply, defineOp, type Named, type OpDefinition, tensor } from './define.ts';
import { type GivenSizes, knownSizes, type Sizes, sizeList, takeSizeTensors } from './sizes.ts';

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
export function tile<T extends DType = any, A extends Shape = any>(
  x: Tensor<T, A>,
  multiples: Sizes,
  name?: Named,
): Tensor<T, Resized<A>>;
export function tile(...given: unknown[]): AnyTensor {
  const { x, multiples, name } = form.take(given);
  const { sizes, inputs } = takeSizeTensors('tile', 'multiples', multiples);
  return apply(TileOp, [x, ...inputs], { multiples: sizes }, name);
}
