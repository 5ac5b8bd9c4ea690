// Reductions over axes, and the position of the largest and smallest element.
import { InvalidArgumentError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { AxisError, Reduce } from '../tensor/axis-rules.ts';
import { type DType, isFloat, type NumericDType } from '../tensor/dtype.ts';
import { anything, text, trueOrFalse, wholeNumber } from '../tensor/kinds.ts';
import { elements, type Shape, showShape } from '../tensor/shape.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import { div, mul } from './arithmetic.ts';
import { equal } from './comparison.ts';
import {
  type AnyTensor,
  type Axes,
  apply,
  type DTypes,
  defineOp,
  functionName,
  integers,
  type Named,
  numeric,
  type OpDefinition,
  requireDType,
  resolveAxes,
  type TensorType,
  tensor,
  truths,
} from './define.ts';
import { broadcastLike } from './like.ts';
import { cast } from './logic.ts';

interface ReduceAttributes {
  readonly axis: Axes;
  readonly keepDims: boolean;
}

/** A reduction of numbers over some axes, or all. */
export interface ReduceFunction<Op extends string, D extends DType = NumericDType> {
  <
    T extends D = any,
    A extends Shape = any,
    const Ax extends number | readonly number[] | undefined = undefined,
    K extends boolean = false,
  >(
    x: Tensor<T, A> & ShapeError<AxisError<A, Ax, Op>>,
    options: { readonly axis?: Ax; readonly keepDims?: K; readonly name?: string },
  ): Tensor<T, Reduce<A, Ax, K>>;
  <
    T extends D = any,
    A extends Shape = any,
    const Ax extends number | readonly number[] | undefined = number | readonly number[] | undefined,
    K extends boolean = boolean,
  >(
    x: Tensor<T, A> & ShapeError<AxisError<A, Ax, Op>>,
    axis: Ax,
    keepDims: K,
    name?: Named,
  ): Tensor<T, Reduce<A, Ax, K>>;
  <
    T extends D = any,
    A extends Shape = any,
    const Ax extends number | readonly number[] | undefined = undefined,
    K extends boolean = false,
  >(
    x: Tensor<T, A> & ShapeError<AxisError<A, Ax, Op>>,
    axis?: Ax,
    options?: { readonly keepDims?: K; readonly name?: string },
  ): Tensor<T, Reduce<A, Ax, K>>;
}

function inferReduce(op: string, x: TensorType, { axis, keepDims }: ReduceAttributes): Shape | undefined {
  if (!x.shape) return axis === undefined && !keepDims ? [] : undefined;
  const axes = resolveAxes(op, axis, x.shape);
  return keepDims ? x.shape.map((d, i) => (axes.includes(i) ? 1 : d)) : x.shape.filter((_, i) => !axes.includes(i));
}

/** @internal A reduction from its lowering and the gradient of x; `spread` repeats what was reduced to the shape of x. */
export function defineReduce(
  op: string,
  allowed: DTypes,
  lower: (x: p.View, axes: readonly number[]) => p.View,
  gradient?: (x: AnyTensor, y: AnyTensor, dy: AnyTensor, spread: (t: AnyTensor) => AnyTensor, axis: Axes) => AnyTensor,
): OpDefinition<ReduceAttributes> {
  return defineOp<ReduceAttributes>({
    name: op[0].toUpperCase() + op.slice(1),
    infer: ([x], attributes) => ({ dtype: requireDType(op, x, allowed), shape: inferReduce(op, x, attributes) }),
    ...(gradient && {
      gradient: ({ inputs: [x], outputs: [y], attributes }, [dy]) => {
        if (!dy) return [null];
        return [gradient(x, y, dy, (t) => broadcastLike(t, x, attributes.axis), attributes.axis)];
      },
    }),
    lower: ([x], { attributes, outputs: [{ shape }] }) =>
      p.reshape(lower(x, resolveAxes(op, attributes.axis, x.shape)), shape),
  });
}

/** @internal Makes the public function of a reduction. */
export function reduceFunction<F>(definition: OpDefinition<ReduceAttributes>): F {
  const op = functionName(definition.name);
  const optional = { axis: anything<Axes>('an axis, or an array of them'), keepDims: trueOrFalse, name: text };
  const form = signature(`tf.${op}`, { x: tensor }, optional, ['axis', 'keepDims', 'name']);
  const call = (...given: unknown[]) => {
    const { x, axis, keepDims = false, name } = form.take(given);
    const isOne = typeof axis === 'number' && Number.isSafeInteger(axis);
    const axes = axis === undefined || isOne ? axis : integers(op, 'the axes', axis);
    return apply(definition, [x], { axis: axes, keepDims }, name);
  };
  return call as F;
}

// d(Σ x) = Σ dx
const SumOp = defineReduce(
  'reduceSum',
  numeric,
  (x, axes) => p.reduce('sum', x, axes),
  (_x, _y, dy, spread) => spread(dy),
);
/**
 * Σ x over the given axes, or all of them. Integers wrap; the sum of nothing is 0.
 *
 * @param axis an axis, or several; negative ones count from the end.
 * @param options.keepDims keeps the reduced axes with size 1.
 *
 * ```ts
 * tf.reduceSum(tf.constant([[1, 2], [3, 4]]), 1);      // [3, 7]
 * tf.reduceSum(x, 1, { keepDims: true });              // or tf.reduceSum(x, 1, true), as in TensorFlow
 * ```
 */
export const reduceSum: ReduceFunction<'reduceSum'> = reduceFunction(SumOp);

/** There is no NaN among integers. */
function refuseMeanOfNothing({ dtype, shape }: TensorType, axis: Axes): void {
  if (isFloat(dtype) || !shape) return;
  const axes = resolveAxes('reduceMean', axis, shape);
  const isEmpty = (reduced: boolean) => shape.some((size, i) => size === 0 && axes.includes(i) === reduced);
  if (!isEmpty(true) || isEmpty(false)) return;
  throw new InvalidArgumentError(
    `reduceMean: a mean of no ${dtype} was asked for: the shape is ${showShape(shape)}, the axes ${showShape(axes)}; ` +
      "use tf.cast(x, 'float32'), of which it is NaN.",
  );
}

/** @internal The mean over some axes. */
export function meanOf(x: p.View, axes: readonly number[]): p.View {
  const count = elements(axes.map((a) => x.shape[a]));
  const { dtype } = x.node;
  // Sums of bytes need more than a byte.
  const wide = dtype === 'uint8' ? p.map([x], (v) => s.cast(v, 'int32')) : x;
  return p.map([p.reduce('sum', wide, axes)], (v) => s.cast(s.div(v, count), dtype));
}

// d(mean x) = mean dx
const PlainMeanOp = defineReduce('reduceMean', numeric, meanOf, (x, _y, dy, spread) =>
  mul(spread(dy), reciprocalCount(x, dy)),
);
const MeanOp: OpDefinition<ReduceAttributes> = {
  ...PlainMeanOp,
  infer: (inputs, attributes) => {
    refuseMeanOfNothing(inputs[0], attributes.axis);
    return PlainMeanOp.infer(inputs, attributes);
  },
};
/**
 * The mean over the given axes, or all of them; NaN of nothing. For integers: the sum, wrapped at 32 bits, divided by
 * the number of elements, truncating toward zero.
 *
 * @throws InvalidArgumentError for the mean of no integers.
 */
export const reduceMean: ReduceFunction<'reduceMean'> = reduceFunction(MeanOp);

const ReciprocalCountOp = defineOp({
  name: 'ReciprocalCount',
  infer: ([x]) => ({ dtype: x.dtype, shape: [] }),
  gradient: () => [null, null],
  lower: ([x, y]) => {
    const ratio = elements(y.shape) / Math.max(1, elements(x.shape));
    return p.constant(new Float64Array([ratio]), x.node.dtype, []);
  },
});
/** @internal Elements of y for each element of x: one over how many were reduced into one. */
export const reciprocalCount = (x: AnyTensor, y: AnyTensor): AnyTensor => apply(ReciprocalCountOp, [x, y], {});

/** The gradient of an extreme goes to the elements that attain it, in equal parts. */
const shareAmongExtremes = (
  x: AnyTensor,
  y: AnyTensor,
  dy: AnyTensor,
  spread: (t: AnyTensor) => AnyTensor,
  axis: Axes,
): AnyTensor => {
  const hits = cast(equal(x, spread(y)), x.dtype);
  const count = apply(SumOp, [hits], { axis, keepDims: false });
  return div(mul(hits, spread(dy)), spread(count));
};
const MaxOp = defineReduce('reduceMax', numeric, (x, axes) => p.reduce('max', x, axes), shareAmongExtremes);
/** The largest element over the given axes; NaN if there is one. The gradient is shared by equal elements. */
export const reduceMax: ReduceFunction<'reduceMax'> = reduceFunction(MaxOp);
const MinOp = defineReduce('reduceMin', numeric, (x, axes) => p.reduce('min', x, axes), shareAmongExtremes);
/** The smallest element over the given axes; NaN if there is one. The gradient is shared by equal elements. */
export const reduceMin: ReduceFunction<'reduceMin'> = reduceFunction(MinOp);

/** For each element the product of the others along the reduced axes: right where elements are 0, too. */
const ProductOfOthersOp = defineOp<{ axis: Axes }>({
  name: 'ProductOfOthers',
  infer: ([x]) => x,
  gradient: ({ inputs: [x], attributes }, [dz]) => [dz && apply(ProductOfOthersGradOp, [x, dz], attributes)],
  lower: ([x], { attributes: { axis } }) => {
    const { flatten, restore } = reducedRows(axis, x.shape);
    const flat = flatten(x);
    const [rows, n] = flat.shape;
    const pairs = p.strided(flat, [rows, n, n], [flat.strides[0], 0, flat.strides[1]]);
    const others = p.map([pairs], (v) => s.select(s.equal(s.index(1), s.index(2)), 1, v));
    return restore(p.reduce('prod', others, [2]));
  },
});
/** Inputs: x, dz. dx[k] = Σ over i ≠ k of dz[i] · Π of x[j] over j other than i and k. */
const ProductOfOthersGradOp = defineOp<{ axis: Axes }>({
  name: 'ProductOfOthersGrad',
  infer: ([x]) => x,
  lower: ([x, dz], { attributes: { axis } }) => {
    const { flatten, restore } = reducedRows(axis, x.shape);
    const [a, d] = [flatten(x), flatten(dz)];
    const [rows, n] = a.shape;
    const triples = p.strided(a, [rows, n, n, n], [a.strides[0], 0, 0, a.strides[1]]);
    const [k, i, j] = [s.index(1), s.index(2), s.index(3)];
    const others = p.map([triples], (v) => s.select(s.or(s.equal(i, j), s.equal(k, j)), 1, v));
    const pairs = p.strided(d, [rows, n, n], [d.strides[0], 0, d.strides[1]]);
    const products = p.reduce('prod', others, [3]);
    const parts = p.map([products, pairs], (v, z) => s.select(s.equal(k, i), 0, s.mul(v, z)));
    return restore(p.reduce('sum', parts, [2]));
  },
});
/** Views with the reduced axes as the columns of a matrix, and back. */
function reducedRows(axis: Axes, shape: readonly number[]) {
  const axes = resolveAxes('reduceProd', axis, shape);
  const kept = shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const perm = [...kept, ...axes];
  const sizes = [kept, axes].map((some) => elements(some.map((i) => shape[i])));
  return {
    flatten: (x: p.View) => p.reshape(p.transpose(x, perm), sizes),
    restore: (y: p.View) =>
      p.transpose(
        p.reshape(
          y,
          perm.map((i) => shape[i]),
        ),
        perm.map((_, i) => perm.indexOf(i)),
      ),
  };
}
// d(Π x) = Σᵢ (Π of the others) dxᵢ
const ProdOp = defineReduce(
  'reduceProd',
  numeric,
  (x, axes) => p.reduce('prod', x, axes),
  (x, _y, dy, spread, axis) => mul(spread(dy), apply(ProductOfOthersOp, [x], { axis })),
);
/** Π x over the given axes, or all of them; the product of nothing is 1. */
export const reduceProd: ReduceFunction<'reduceProd'> = reduceFunction(ProdOp);

const AnyOp = defineReduce('reduceAny', truths, (x, axes) => p.reduce('any', x, axes));
/** Is any element true? Of nothing: false. */
export const reduceAny: ReduceFunction<'reduceAny', 'bool'> = reduceFunction(AnyOp);
const AllOp = defineReduce('reduceAll', truths, (x, axes) => p.reduce('all', x, axes));
/** Are all elements true? Of nothing: true. */
export const reduceAll: ReduceFunction<'reduceAll', 'bool'> = reduceFunction(AllOp);

const defineArg = (op: 'argmax' | 'argmin') =>
  defineOp<{ axis: number }>({
    name: op === 'argmax' ? 'ArgMax' : 'ArgMin',
    infer: ([x], { axis }) => {
      requireDType(op, x, numeric, 'truth values have no order');
      if (x.shape && resolveAxes(op, axis, x.shape).some((i) => x.shape?.[i] === 0)) {
        const wanted = op === 'argmax' ? 'largest' : 'smallest';
        throw new InvalidArgumentError(
          `${op}: axis ${axis} of shape ${showShape(x.shape)} has no elements, so none of them is the ${wanted}; ` +
            'give it at least one.',
        );
      }
      return { dtype: 'int32', shape: inferReduce(op, x, { axis, keepDims: false }) };
    },
    lower: ([x], { attributes: { axis } }) =>
      p.argReduce(op === 'argmax' ? 'max' : 'min', x, resolveAxes(op, axis, x.shape)),
  });
const ArgMaxOp = defineArg('argmax');
const ArgMinOp = defineArg('argmin');

/** The index of an extreme along an axis. */
export interface ArgFunction<Op extends string> {
  <A extends Shape = any, const Ax extends number = 0>(
    x: Tensor<NumericDType, A> & ShapeError<AxisError<A, Ax, Op>>,
    options: { readonly axis?: Ax; readonly name?: string },
  ): Tensor<'int32', Reduce<A, Ax>>;
  <A extends Shape = any, const Ax extends number = 0>(
    x: Tensor<NumericDType, A> & ShapeError<AxisError<A, Ax, Op>>,
    axis?: Ax,
    name?: Named,
  ): Tensor<'int32', Reduce<A, Ax>>;
}
function argFunction<F>(op: string, definition: OpDefinition<{ axis: number }>): F {
  const form = signature(`tf.${op}`, { x: tensor }, { axis: wholeNumber, name: text }, ['axis', 'name']);
  const call = (...given: unknown[]): Tensor => {
    const { x, axis = 0, name } = form.take(given);
    return apply(definition, [x], { axis }, name);
  };
  return call as F;
}

/**
 * The index (int32) of the largest element along an axis (default 0): the first of equal ones; NaN counts as the largest.
 *
 * @throws InvalidArgumentError where the axis has no elements.
 *
 * ```ts
 * tf.argmax(tf.constant([[1, 3, 3]]), 1);      // [1]
 * ```
 */
export const argmax: ArgFunction<'argmax'> = argFunction('argmax', ArgMaxOp);

/**
 * The index (int32) of the smallest element along an axis (default 0): the first of equal ones; NaN counts as the smallest.
 *
 * @throws InvalidArgumentError where the axis has no elements.
 */
export const argmin: ArgFunction<'argmin'> = argFunction('argmin', ArgMinOp);
