// Tensors joined along an axis, and taken apart: concat, stack, unstack.
import { InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import type { Shapes, Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import type { AxisError, Stack, Unstack } from '../tensor/axis-rules.ts';
import type { DType } from '../tensor/dtype.ts';
import { text, wholeNumber } from '../tensor/kinds.ts';
import { compatible, type Dim, type Shape, showShape } from '../tensor/shape.ts';
import type { Concat, ConcatError, StackError } from '../tensor/shape-rules.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import {
  type AnyTensor,
  apply,
  applyAll,
  axisOf,
  defineOp,
  type Named,
  type OpDefinition,
  sameDType,
  tensor,
  tensorList,
  tensors,
} from './define.ts';
import { zerosLike } from './fill.ts';
import { expandDims } from './shape.ts';
import { valueOf } from './sizes.ts';

/** The part of `dy` that came from input number `which` of a concat: its size and place are known when it runs. */
const ConcatPartOp: OpDefinition<{ axis: number; which: number }> = defineOp({
  name: 'ConcatPart',
  infer: ([dy, ...xs], { which }) => ({ dtype: dy.dtype, shape: xs[which].shape }),
  lower: ([dy, ...xs], { attributes: { axis, which } }) => {
    const i = axisOf('concat', axis, dy.shape);
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
        xs.map((x, k) => (k === which ? dz : noGradient(x))),
        axis,
      ),
    ...xs.map(() => null),
  ],
});
/** @internal Zeros in the place of a gradient that is missing; named as graphs have always named them. */
export const noGradient = (x: AnyTensor): AnyTensor => zerosLike(x, { name: 'ZeroLike' });

const ConcatOp = defineOp<{ axis: number }>({
  name: 'Concat',
  infer: (xs, { axis }) => {
    const dtype = sameDType('concat', xs);
    const ranked = xs.filter((x) => x.shape);
    if (ranked.length === 0) return { dtype, shape: undefined };
    const first = ranked[0].shape as Shape;
    const i = axisOf('concat', axis, first);
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
  value: (xs) => {
    const values = xs.map(valueOf);
    const areVectors = values.every((v, i) => v && xs[i].shape?.length === 1);
    return areVectors ? values.flatMap((v) => v as Shape) : undefined;
  },
  lower: (xs, { attributes: { axis } }) => p.concat(xs, axisOf('concat', axis, xs[0].shape)),
});
/** @internal */
export const concatAll = (xs: readonly AnyTensor[], axis: number): AnyTensor => apply(ConcatOp, xs, { axis });

const concatForm = signature('tf.concat', { xs: tensorList, axis: wholeNumber }, { name: text }, ['name']);
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
  name?: Named,
): Tensor<X[number]['dtype'], Concat<Shapes<X>, Ax>>;
export function concat(...given: unknown[]): AnyTensor {
  const { xs, axis, name } = concatForm.take(given);
  return apply(ConcatOp, tensors('concat', xs), { axis }, name);
}

const stackForm = signature('tf.stack', { xs: tensorList }, { axis: wholeNumber, name: text }, ['axis', 'name']);
/**
 * Tensors of one shape side by side along a new axis (default 0).
 *
 * @throws ShapeMismatchError when shapes differ, naming both.
 *
 * ```ts
 * tf.stack([x, y], 1);       // [3, 4] and [3, 4] → [3, 2, 4]
 * ```
 */
export function stack<X extends readonly Tensor<any, any>[], const Ax extends number = 0>(
  xs: readonly [...{ [I in keyof X]: X[I] & ShapeError<StackError<Shapes<X>>> }],
  options: { readonly axis?: Ax; readonly name?: string },
): Tensor<X[number]['dtype'], Stack<Shapes<X>, Ax>>;
export function stack<X extends readonly Tensor<any, any>[], const Ax extends number = 0>(
  xs: readonly [...{ [I in keyof X]: X[I] & ShapeError<StackError<Shapes<X>>> }],
  axis?: Ax,
  name?: Named,
): Tensor<X[number]['dtype'], Stack<Shapes<X>, Ax>>;
export function stack(...given: unknown[]): AnyTensor {
  const { xs, axis = 0, name } = stackForm.take(given);
  const list = tensors('stack', xs);
  const other = list.find((x) => !compatible(x.shape, list[0].shape));
  if (other) {
    throw new ShapeMismatchError(`stack: shapes ${showShape(list[0].shape)} and ${showShape(other.shape)} differ.`);
  }
  const columns = list.map((x) => expandDims(x, axis) as AnyTensor);
  return apply(ConcatOp, columns, { axis }, name);
}

const UnstackOp = defineOp<{ axis: number; count: number }>({
  name: 'Unstack',
  infer: ([x], { axis, count }) => {
    const shape = x.shape as Shape;
    const i = axisOf('unstack', axis, shape);
    const rest = shape.filter((_, k) => k !== i);
    return Array.from({ length: count }, () => ({ dtype: x.dtype, shape: rest }));
  },
  value: ([x], _, output) => (x.shape?.length === 1 ? valueOf(x)?.slice(output, output + 1) : undefined),
  gradient: ({ outputs, attributes: { axis } }, gradients) => {
    const columns: readonly AnyTensor[] = gradients.map((g, k) => g ?? noGradient(outputs[k]));
    return [stack(columns, axis)];
  },
  lower: ([x], { attributes: { axis, count } }) => {
    const i = axisOf('unstack', axis, x.shape);
    const rest = x.shape.filter((_, k) => k !== i);
    const strides = x.strides.filter((_, k) => k !== i);
    return Array.from({ length: count }, (_, n) => p.strided(x, rest, strides, x.offset + n * x.strides[i]));
  },
});
/** Tensors of some shapes. */
export type Parts<T extends DType, Ss extends readonly Shape[]> = { -readonly [K in keyof Ss]: Tensor<T, Ss[K]> };

/** So many tensors take some hundred megabytes. */
const mostSlices = 1e5;
const unstackForm = signature('tf.unstack', { x: tensor }, { axis: wholeNumber, name: text }, ['axis', 'name']);
/**
 * The slices of x along an axis (default 0) of known size, each without that axis.
 *
 * @throws InvalidArgumentError for more than 100,000 of them.
 *
 * ```ts
 * const [red, green, blue] = tf.unstack(pixels, -1);      // [null, 3] → [null] each
 * ```
 */
export function unstack<T extends DType = any, A extends Shape = any, const Ax extends number = 0>(
  x: Tensor<T, A> & ShapeError<AxisError<A, Ax, 'unstack'>>,
  options: { readonly axis?: Ax; readonly name?: string },
): Parts<T, Unstack<A, Ax>>;
export function unstack<T extends DType = any, A extends Shape = any, const Ax extends number = 0>(
  x: Tensor<T, A> & ShapeError<AxisError<A, Ax, 'unstack'>>,
  axis?: Ax,
  name?: Named,
): Parts<T, Unstack<A, Ax>>;
export function unstack(...given: unknown[]): AnyTensor[] {
  const { x, axis = 0, name } = unstackForm.take(given);
  const size = x.shape?.at(axis);
  if (size && size > mostSlices) {
    throw new InvalidArgumentError(
      `unstack: axis ${axis} of ${showShape(x.shape)} would give ${size} tensors, more than the ${mostSlices} that a graph should have of one; use tf.slice or tf.gather for those that are needed.`,
    );
  }
  if (size === null || size === undefined) {
    throw new ShapeMismatchError(
      `unstack: the size of axis ${axis} must be known, but the shape is ${showShape(x.shape)}.`,
    );
  }
  return [...applyAll(UnstackOp, [x], { axis, count: size }, { name })];
}
