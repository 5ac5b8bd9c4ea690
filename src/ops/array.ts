// Ops that cut, join and repeat: concat, slice, pad, tile, stack, unstack.

import { InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import type { Shapes, Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { DType } from '../tensor/dtype.ts';
import { axisIndex, type Dim, type Shape, showShape } from '../tensor/shape.ts';
import type { ConcatAll, ConcatError, OrUnknown, ShapeError } from '../tensor/shape-types.ts';
import {
  type AnyTensor,
  apply,
  applyAll,
  defineOp,
  integers,
  type OpDefinition,
  requireDType,
  sameDType,
  type TensorType,
  tensors,
} from './define.ts';
import { expandDims } from './shape.ts';

function axisOf(op: string, axis: number, rank: number, shape: Shape): number {
  const i = axisIndex(axis, rank);
  if (i === undefined)
    throw new ShapeMismatchError(`${op}: axis ${axis} is out of range for shape ${showShape(shape)}.`);
  return i;
}

/** The part of `dy` that came from input number `which` of a concat: its size and place are known when it runs. */
const ConcatPartOp: OpDefinition<{ axis: number; which: number }> = defineOp<{ axis: number; which: number }>({
  name: 'ConcatPart',
  infer: ([dy, ...xs], { which }) => ({ dtype: dy.dtype, shape: xs[which].shape }),
  lower: ([dy, ...xs], { attributes: { axis, which } }) => {
    const i = axisIndex(axis, dy.shape.length) as number;
    const before = xs.slice(0, which).reduce((sum, x) => sum + x.shape[i], 0);
    return p.slice(
      dy,
      dy.shape.map((_, d) => (d === i ? before : 0)),
      xs[which].shape,
    );
  },
  gradient: ({ inputs: [, ...xs], attributes: { axis, which } }, [dz]) => [
    dz &&
      concatAll(
        xs.map((x, k) => (k === which ? dz : apply(ZeroLikeOp, [x], {}))),
        axis,
      ),
    ...xs.map(() => null),
  ],
});
const ZeroLikeOp = defineOp({
  name: 'ZeroLike',
  infer: ([x]) => x,
  lower: ([x]) => p.constant(new Float64Array(1), x.node.dtype, x.shape),
});

const ConcatOp = defineOp<{ axis: number }>({
  name: 'Concat',
  infer: (xs, { axis }) => {
    const dtype = sameDType('concat', xs);
    const ranked = xs.filter((x) => x.shape);
    if (ranked.length === 0) return { dtype, shape: undefined };
    const first = ranked[0].shape as Shape;
    const i = axisOf('concat', axis, first.length, first);
    const shape = ranked.slice(1).reduce<Dim[]>(
      (sum, { shape: next }) => {
        const fits =
          next!.length === sum.length &&
          next!.every((d, k) => k === i || d === null || sum[k] === null || d === sum[k]);
        if (!fits)
          throw new ShapeMismatchError(
            `concat: shapes ${xs.map((x) => showShape(x.shape)).join(' and ')} do not match outside axis ${axis}.`,
          );
        return sum.map((d, k) => (k !== i ? (d ?? next![k]) : d === null || next![k] === null ? null : d + next![k]!));
      },
      [...first],
    );
    if (ranked.length < xs.length) shape[i] = null;
    return { dtype, shape };
  },
  gradient: ({ inputs, attributes: { axis } }, [dy]) =>
    inputs.map((_, which) => dy && apply(ConcatPartOp, [dy, ...inputs], { axis, which })),
  lower: (xs, { attributes: { axis } }) => p.concat(xs, axisIndex(axis, xs[0].shape.length) as number),
});
const concatAll = (xs: readonly AnyTensor[], axis: number): AnyTensor => apply(ConcatOp, xs, { axis });

/**
 * Tensors one after another along an axis; all other sizes must be equal.
 *
 * ```ts
 * tf.concat([tf.zeros([2, 3]), tf.ones([4, 3])], 0);       // [6, 3]
 * ```
 */
export function concat<X extends readonly Tensor<any, any>[], const Ax extends number>(
  xs: readonly [...{ [I in keyof X]: X[I] & ShapeError<ConcatError<Shapes<X>, Ax>> }],
  axis: Ax,
  name?: string,
): Tensor<X[number]['dtype'], OrUnknown<ConcatAll<Shapes<X>, Ax>>> {
  return apply(ConcatOp, tensors('concat', xs), { axis }, name);
}

interface SliceAttributes {
  readonly begin: readonly number[];
  readonly size: readonly number[];
}
function sliced(x: TensorType, { begin, size }: SliceAttributes): Shape | undefined {
  if (!x.shape) return undefined;
  const { shape } = x;
  if (begin.length !== shape.length || size.length !== shape.length) {
    throw new ShapeMismatchError(
      `slice: begin ${showShape(begin)} and size ${showShape(size)} must have one number for each axis of ${showShape(shape)}.`,
    );
  }
  return shape.map((d, i) => {
    const count = size[i] === -1 ? (d === null ? null : d - begin[i]) : size[i];
    const bad = begin[i] < 0 || (count !== null && count < 0) || (d !== null && count !== null && begin[i] + count > d);
    if (bad) {
      throw new ShapeMismatchError(
        `slice: ${size[i]} elements from ${begin[i]} on do not lie inside axis ${i} of ${showShape(shape)} (size -1 means to the end).`,
      );
    }
    return count;
  });
}
const SliceOp = defineOp<SliceAttributes>({
  name: 'Slice',
  infer: ([x], attributes) => ({ dtype: x.dtype, shape: sliced(x, attributes) }),
  gradient: ({ inputs: [x], attributes: { begin } }, [dy]) => [dy && apply(SliceGradOp, [dy, x], { begin })],
  lower: ([x], { attributes: { begin }, outputs: [{ shape }] }) => p.slice(x, begin, shape),
});
/** dy put back at its place among zeros. */
const SliceGradOp: OpDefinition<{ begin: readonly number[] }> = defineOp<{ begin: readonly number[] }>({
  name: 'SliceGrad',
  infer: ([dy, x]) => ({ dtype: dy.dtype, shape: x.shape }),
  lower: ([dy, x], { attributes: { begin } }) =>
    p.pad(
      dy,
      begin,
      x.shape.map((d, i) => d - begin[i] - dy.shape[i]),
    ),
  gradient: ({ inputs: [dy], attributes: { begin } }, [dz]) => [dz && apply(SliceLikeOp, [dz, dy], { begin }), null],
});
const SliceLikeOp: OpDefinition<{ begin: readonly number[] }> = defineOp<{ begin: readonly number[] }>({
  name: 'SliceLike',
  infer: ([x, like]) => ({ dtype: x.dtype, shape: like.shape }),
  lower: ([x, like], { attributes: { begin } }) => p.slice(x, begin, like.shape),
  gradient: ({ inputs: [x], attributes: { begin } }, [dz]) => [dz && apply(SliceGradOp, [dz, x], { begin }), null],
});
/** The sizes of a slice: literal ones stay, −1 (to the end) is not known to the compiler. */
export type Sliced<Z extends readonly number[]> = { -readonly [K in keyof Z]: Z[K] extends -1 ? Dim : Z[K] };
/** `size[i]` elements from `begin[i]` on along each axis; −1 means to the end. */
export function slice<T extends DType, A extends Shape, const Z extends readonly number[]>(
  x: Tensor<T, A>,
  begin: readonly number[],
  size: Z,
  name?: string,
): Tensor<T, Sliced<Z>> {
  return apply(SliceOp, [x], { begin: integers('slice', 'begin', begin), size: integers('slice', 'size', size) }, name);
}

interface PadAttributes {
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly value: number;
}
const PadOp = defineOp<PadAttributes>({
  name: 'Pad',
  infer: ([x], { low, high }) => {
    if (!x.shape) return x;
    if (low.length !== x.shape.length || [...low, ...high].some((n) => !Number.isInteger(n) || n < 0)) {
      throw new ShapeMismatchError(
        `pad: paddings must be a pair [before, after] of whole numbers for each axis of ${showShape(x.shape)}.`,
      );
    }
    return {
      dtype: x.dtype,
      shape: x.shape.map((d, i) => d && d + low[i] + high[i]).map((d, i) => (x.shape![i] === 0 ? low[i] + high[i] : d)),
    };
  },
  gradient: ({ inputs: [x], attributes: { low } }, [dy]) => [dy && apply(SliceLikeOp, [dy, x], { begin: low })],
  lower: ([x], { attributes: { low, high, value } }) => p.pad(x, low, high, value),
});
/** Surrounds x with `value` (default 0): `paddings[i]` is [before, after] for axis i. */
export function pad<T extends DType, A extends Shape>(
  x: Tensor<T, A>,
  paddings: readonly (readonly [number, number])[],
  options: { value?: number; name?: string } = {},
): Tensor<T, { [K in keyof A]: A[K] extends null ? null : number }> {
  const pairs = Array.isArray(paddings) && paddings.every((pair) => Array.isArray(pair) && pair.length === 2);
  if (!pairs)
    throw new InvalidArgumentError('pad: paddings must be an array of pairs [before, after], one for each axis.');
  const attributes = { low: paddings.map(([a]) => a), high: paddings.map(([, b]) => b), value: options.value ?? 0 };
  return apply(PadOp, [x], attributes, options.name);
}

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
const TileGradOp: OpDefinition<{ multiples: readonly number[] }> = defineOp<{ multiples: readonly number[] }>({
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
/** x repeated `multiples[i]` times along axis i. */
export function tile<T extends DType, A extends Shape>(
  x: Tensor<T, A>,
  multiples: readonly number[],
  name?: string,
): Tensor<T, { [K in keyof A]: A[K] extends null ? null : number }> {
  return apply(TileOp, [x], { multiples: integers('tile', 'multiples', multiples) }, name);
}

/** Tensors of one shape side by side along a new axis. */
export function stack<T extends DType, A extends Shape>(xs: readonly Tensor<T, A>[], axis = 0): Tensor<T, Dim[]> {
  return apply(
    ConcatOp,
    tensors('stack', xs).map((x) => expandDims(x, axis) as AnyTensor),
    { axis },
  );
}

const UnstackOp = defineOp<{ axis: number; count: number }>({
  name: 'Unstack',
  infer: ([x], { axis, count }) => {
    const shape = x.shape as Shape;
    const i = axisOf('unstack', axis, shape.length, shape);
    const rest = shape.filter((_, k) => k !== i);
    return Array.from({ length: count }, () => ({ dtype: x.dtype, shape: rest }));
  },
  gradient: ({ outputs, attributes: { axis } }, gradients) => [
    stack(
      gradients.map((g, k) => g ?? (apply(ZeroLikeOp, [outputs[k]], {}) as AnyTensor)),
      axis,
    ),
  ],
  lower: ([x], { attributes: { axis, count } }) => {
    const i = axisIndex(axis, x.shape.length) as number;
    const rest = x.shape.filter((_, k) => k !== i);
    const strides = x.strides.filter((_, k) => k !== i);
    return Array.from({ length: count }, (_, n) => p.strided(x, rest, strides, x.offset + n * x.strides[i]));
  },
});
/** The slices of x along an axis of known size, each without that axis. */
export function unstack<T extends DType, A extends Shape>(x: Tensor<T, A>, axis = 0): Tensor<T, Dim[]>[] {
  const size = x.shape?.at(axis);
  if (size === null || size === undefined) {
    throw new ShapeMismatchError(
      `unstack: the size of axis ${axis} must be known, but the shape is ${showShape(x.shape)}.`,
    );
  }
  return [...applyAll(UnstackOp, [x], { axis, count: size })] as Tensor<T, Dim[]>[];
}

/** Shape after indexing an axis. */
export type Gathered<A extends Shape, I extends Shape, Ax extends number> = Ax extends 0
  ? A extends readonly [any, ...infer R extends Shape]
    ? [...I, ...R]
    : Dim[]
  : Dim[];
const GatherOp = defineOp<{ axis: number }>({
  name: 'Gather',
  infer: ([x, indices], { axis }) => {
    requireDType('gather indices', indices, ['int32']);
    if (!x.shape || !indices.shape) return { dtype: x.dtype, shape: undefined };
    const i = axisOf('gather', axis, x.shape.length, x.shape);
    return { dtype: x.dtype, shape: [...x.shape.slice(0, i), ...indices.shape, ...x.shape.slice(i + 1)] };
  },
  gradient: ({ inputs: [x, indices], attributes: { axis } }, [dy]) => [
    dy && apply(GatherGradOp, [dy, indices, x], { axis }),
    null,
  ],
  lower: ([x, indices], { attributes: { axis }, require, name }) => {
    const i = axisIndex(axis, x.shape.length) as number;
    const size = x.shape[i];
    const known = size === 0 ? 'no elements' : `the indices 0 to ${size - 1}`;
    const message = `gather: index {value} is out of range in ${name}: axis ${i} of ${showShape(x.shape)} has ${known}.`;
    require(p.check([indices], (v) => s.and(s.lessEqual(s.constant(0, 'int32'), v), s.less(v, size)), message));
    return p.gather(x, indices, i);
  },
});
const GatherGradOp: OpDefinition<{ axis: number }> = defineOp<{ axis: number }>({
  name: 'GatherGrad',
  infer: ([dy, , x]) => ({ dtype: dy.dtype, shape: x.shape }),
  lower: ([dy, indices, x], { attributes: { axis } }) => {
    const i = axisIndex(axis, x.shape.length) as number;
    return p.scatter(dy, indices, i, x.shape[i]);
  },
  gradient: ({ inputs: [, indices], attributes: { axis } }, [dz]) => [
    dz && apply(GatherOp, [dz, indices], { axis }),
    null,
    null,
  ],
});
/**
 * The slices of x at `indices` (int32) along an axis: out[i, …] = x[indices[i], …] for axis 0.
 * A run with an index out of range fails with an InvalidArgumentError before anything changes.
 */
export function gather<T extends DType, A extends Shape, I extends Shape, const Ax extends number = 0>(
  x: Tensor<T, A>,
  indices: Tensor<'int32', I>,
  options: { axis?: Ax; name?: string } = {},
): Tensor<T, Gathered<A, I, Ax>> {
  return apply(GatherOp, [x, indices], { axis: options.axis ?? 0 }, options.name);
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
    requireDType('oneHot', indices, ['int32', 'uint8']);
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
/** A new last axis of `depth` elements: `onValue` (1) at the index, `offValue` (0) elsewhere and for indices out of range. */
export function oneHot<I extends Shape, const N extends number, T extends DType = 'float32'>(
  indices: Tensor<'int32' | 'uint8', I>,
  depth: N,
  options: { onValue?: number; offValue?: number; dtype?: T; name?: string } = {},
): Tensor<NoInfer<T>, [...I, N]> {
  if (!Number.isInteger(depth) || depth < 0) {
    throw new InvalidArgumentError(`oneHot: depth must be a whole number of at least 0, but ${depth} came.`);
  }
  const { onValue = 1, offValue = 0, dtype = 'float32' } = options;
  return apply(OneHotOp, [indices], { depth, on: onValue, off: offValue, dtype }, options.name);
}
