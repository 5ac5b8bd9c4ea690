// A part of a tensor, and a tensor with something around it: slice, pad.
import { InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import type { DType } from '../tensor/dtype.ts';
import { anything, number, oneOf, text } from '../tensor/kinds.ts';
import type { Padded, Sliced } from '../tensor/part-rules.ts';
import { type Shape, showShape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { listOf } from '../tensor/sizes.ts';
import { type AnyTensor, apply, defineOp, type Named, type OpDefinition, type TensorType, tensor } from './define.ts';
import { MirrorPadOp } from './mirror-pad.ts';
import {
  type GivenSizes,
  knownSizes,
  type ShapeOfSizes,
  type Sizes,
  sizeList,
  takeSizeTensors,
  valueOf,
} from './sizes.ts';

interface SliceAttributes {
  readonly begin: GivenSizes;
  readonly size: GivenSizes;
}
function sliced(x: TensorType, begin: Shape | undefined, size: Shape | undefined): Shape | undefined {
  if (!x.shape) return size?.map((n) => (n === -1 ? null : n));
  const { shape } = x;
  if ((begin && begin.length !== shape.length) || (size && size.length !== shape.length)) {
    throw new ShapeMismatchError(
      `slice: begin ${showShape(begin)} and size ${showShape(size)} must have one number for each axis of ${showShape(shape)}.`,
    );
  }
  return shape.map((d, i) => {
    const [from, wanted] = [begin?.[i] ?? null, size?.[i] ?? null];
    const count = wanted === -1 ? (d === null || from === null ? null : d - from) : wanted;
    const beyond = d !== null && count !== null && (from ?? 0) + count > d;
    if ((from !== null && from < 0) || (count !== null && count < 0) || beyond) {
      throw new ShapeMismatchError(
        `slice: ${wanted} elements from ${from} on do not lie inside axis ${i} of ${showShape(shape)} (size -1 means to the end).`,
      );
    }
    return count;
  });
}
/** Where a slice begins: of the tensors among the inputs, those from number `first` on are of `begin`. */
const beginOf = (begin: GivenSizes, first: number, value: (input: number) => readonly number[]): readonly number[] => {
  if (!begin) return value(first);
  let next = first;
  return begin.map((d) => d ?? value(next++)[0]);
};
/** Of the inputs after the first those that give `begin`. */
const beginInputs = (begin: GivenSizes, inputs: readonly AnyTensor[]) =>
  inputs.slice(1, 1 + (begin ? begin.filter((d) => d === null).length : 1));

/** Where a slice begins, and its shape, as far as they are known. */
function takenOf([x, ...tensors]: readonly TensorType[], { begin, size }: SliceAttributes) {
  const count = begin ? begin.filter((d) => d === null).length : 1;
  const [from, wanted] = [knownSizes(begin, tensors.slice(0, count)), knownSizes(size, tensors.slice(count))];
  return { from, shape: sliced(x, from, wanted) };
}

const SliceOp = defineOp<SliceAttributes>({
  name: 'Slice',
  takesSizes: true,
  infer: (inputs, attributes) => ({ dtype: inputs[0].dtype, shape: takenOf(inputs, attributes).shape }),
  value: (inputs, attributes) => {
    const [x] = inputs;
    const values = x.shape?.length === 1 ? valueOf(x) : undefined;
    const { from, shape } = takenOf(inputs, attributes);
    const [begin, count] = [from?.[0], shape?.[0]];
    return typeof begin === 'number' && typeof count === 'number' ? values?.slice(begin, begin + count) : undefined;
  },
  gradient: ({ inputs, attributes: { begin } }, [dy]) => [
    dy && apply(SliceGradOp, [dy, inputs[0], ...beginInputs(begin, inputs)], { begin }),
  ],
  lower: ([x], { attributes: { begin }, outputs: [{ shape }], value }) => p.slice(x, beginOf(begin, 1, value), shape),
});
/** dy put back at its place among zeros. */
const SliceGradOp: OpDefinition<{ begin: GivenSizes }> = defineOp({
  name: 'SliceGrad',
  infer: ([dy, x]) => ({ dtype: dy.dtype, shape: x.shape }),
  lower: ([dy, x], { attributes, value }) => {
    const begin = beginOf(attributes.begin, 2, value);
    return p.pad(
      dy,
      begin,
      x.shape.map((d, i) => d - begin[i] - dy.shape[i]),
    );
  },
  gradient: ({ inputs: [dy, , ...tensors], attributes }, [dz]) => [
    dz && apply(SliceLikeOp, [dz, dy, ...tensors], attributes),
  ],
});
const SliceLikeOp: OpDefinition<{ begin: GivenSizes }> = defineOp({
  name: 'SliceLike',
  infer: ([x, like]) => ({ dtype: x.dtype, shape: like.shape }),
  lower: ([x, like], { attributes: { begin }, value }) => p.slice(x, beginOf(begin, 2, value), like.shape),
  gradient: ({ inputs: [x, , ...tensors], attributes }, [dz]) => [
    dz && apply(SliceGradOp, [dz, x, ...tensors], attributes),
  ],
});
const sliceForm = signature('tf.slice', { x: tensor, begin: sizeList, size: sizeList }, { name: text }, ['name']);
/**
 * `size[i]` elements from `begin[i]` on along each axis; −1 means to the end. Both are numbers, or int32 tensors that are
 * known when a run is compiled: what is computed of shapes, and fed scalars.
 */
export function slice<
  T extends DType = any,
  A extends Shape = any,
  const B extends Sizes = readonly number[],
  const Z extends Sizes = readonly number[],
>(x: Tensor<T, A>, begin: B, size: Z, name?: Named): Tensor<T, Sliced<A, ShapeOfSizes<B>, ShapeOfSizes<Z>>>;
export function slice(...given: unknown[]): AnyTensor {
  const { x, begin, size, name } = sliceForm.take(given);
  const [from, count] = [takeSizeTensors('slice', 'begin', begin), takeSizeTensors('slice', 'size', size)];
  return apply(SliceOp, [x, ...from.inputs, ...count.inputs], { begin: from.sizes, size: count.sizes }, name);
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
const padForm = signature(
  'tf.pad',
  { x: tensor, paddings: anything('an array of pairs') },
  { mode: oneOf(['CONSTANT', 'REFLECT', 'SYMMETRIC']), value: number, name: text },
  ['mode'],
);
/** What `tf.pad` puts around a tensor. */
export type PadMode = 'CONSTANT' | 'REFLECT' | 'SYMMETRIC';
/**
 * Surrounds x with `value` (default 0), or with its own reflection: `paddings[i]` is [before, after] for axis i.
 *
 * @param options.mode 'REFLECT' mirrors x at its outermost elements, 'SYMMETRIC' repeats these too (default: 'CONSTANT').
 * @throws ShapeMismatchError for more than can be reflected.
 *
 * ```ts
 * tf.pad(tf.constant([1, 2, 3]), [[2, 0]], 'REFLECT');       // [3, 2, 1, 2, 3]
 * tf.pad(tf.constant([1, 2, 3]), [[2, 0]], 'SYMMETRIC');     // [2, 1, 1, 2, 3]
 * ```
 */
export function pad<
  T extends DType = any,
  A extends Shape = any,
  const P extends readonly (readonly [number, number])[] = readonly (readonly [number, number])[],
>(
  x: Tensor<T, A>,
  paddings: P,
  mode: PadMode,
  options?: { readonly value?: number; readonly name?: string },
): Tensor<T, Padded<A, P>>;
export function pad<
  T extends DType = any,
  A extends Shape = any,
  const P extends readonly (readonly [number, number])[] = readonly (readonly [number, number])[],
>(
  x: Tensor<T, A>,
  paddings: P,
  options?: { readonly mode?: PadMode; readonly value?: number; readonly name?: string },
): Tensor<T, Padded<A, P>>;
export function pad(...given: unknown[]): AnyTensor {
  const { x, paddings, mode = 'CONSTANT', value = 0, name } = padForm.take(given);
  const pairs = listOf(paddings)?.map((pair) => listOf(pair) as number[]);
  if (!pairs?.every((pair) => pair?.length === 2))
    throw new InvalidArgumentError('pad: paddings must be an array of pairs [before, after], one for each axis.');
  const [low, high] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
  if (mode === 'CONSTANT') return apply(PadOp, [x], { low, high, value }, name);
  return apply(MirrorPadOp, [x], { low, high, skip: mode === 'REFLECT' ? 1 : 0 }, name);
}
