// Shapes taken from another tensor when the graph runs: what gradients use to undo broadcasting and reshaping.
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import type { DType } from '../tensor/dtype.ts';
import type { Shape } from '../tensor/shape.ts';
import { type Axes, apply, defineOp, resolveAxes } from './define.ts';

const SumLike = defineOp({
  name: 'SumLike',
  infer: ([x, like]) => ({ dtype: x.dtype, shape: like.shape }),
  gradient: ({ inputs: [x] }, [dy]) => [dy && broadcastLike(dy, x), null],
  lower: ([x, like]) => {
    const lead = x.shape.length - like.shape.length;
    const axes = x.shape.map((_, i) => i).filter((i) => i < lead || (like.shape[i - lead] === 1 && x.shape[i] !== 1));
    return p.reshape(axes.length === 0 ? x : p.reduce('sum', x, axes), like.shape);
  },
});

/** Sums over the axes along which a tensor of `like`'s shape was broadcast to x's shape. */
export function sumLike<T extends DType, S extends Shape>(x: Tensor<T>, like: Tensor<DType, S>): Tensor<T, S> {
  if (x.shape && like.shape && x.shape.length === like.shape.length) {
    const same = x.shape.every((d, i) => d === like.shape?.[i] && d !== null);
    if (same) return x as unknown as Tensor<T, S>;
  }
  return apply(SumLike, [x, like], {});
}

const BroadcastLike = defineOp<{ axes: Axes }>({
  name: 'BroadcastLike',
  infer: ([x, like]) => ({ dtype: x.dtype, shape: like.shape }),
  gradient: ({ attributes: { axes }, inputs: [x] }, [dy]) => [dy && sumLike(expandedSum(dy, axes, x), x), null],
  lower: ([x, like], { attributes: { axes } }) => {
    const missing = resolveAxes('gradient', axes, like.shape);
    const full = like.shape.map((d, i) => (missing.includes(i) ? 1 : d));
    return p.broadcastTo(missing.length === 0 ? x : p.reshape(x, full), like.shape);
  },
});

/** Repeats x to `like`'s shape; `axes` are those of `like` that x lacks (or has with size 1), as they were given. */
export function broadcastLike<T extends DType, S extends Shape>(
  x: Tensor<T>,
  like: Tensor<DType, S>,
  axes: Axes = [],
): Tensor<T, S> {
  return apply(BroadcastLike, [x, like], { axes });
}

const SumAxesLike = defineOp<{ axes: Axes }>({
  name: 'SumAxesLike',
  infer: ([x, like]) => ({ dtype: x.dtype, shape: like.shape }),
  gradient: ({ attributes: { axes }, inputs: [x] }, [dy]) => [dy && broadcastLike(dy, x, axes), null],
  lower: ([x, like], { attributes: { axes } }) =>
    p.reshape(p.reduce('sum', x, resolveAxes('gradient', axes, x.shape)), like.shape),
});

const expandedSum = (x: Tensor, axes: Axes, like: Tensor): Tensor =>
  Array.isArray(axes) && axes.length === 0 ? x : apply(SumAxesLike, [x, like], { axes });

const ReshapeLike = defineOp({
  name: 'ReshapeLike',
  infer: ([x, like]) => ({ dtype: x.dtype, shape: like.shape }),
  gradient: ({ inputs: [x] }, [dy]) => [dy && reshapeLike(dy, x), null],
  lower: ([x, like]) => p.reshape(x, like.shape),
});

/** The elements of x in `like`'s shape. */
export function reshapeLike<T extends DType, S extends Shape>(x: Tensor<T>, like: Tensor<DType, S>): Tensor<T, S> {
  return apply(ReshapeLike, [x, like], {});
}
