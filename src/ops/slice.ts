// A part of a tensor, and a tensor with something around it: slice, pad.
import { InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import type { Resized, Sliced } from '../tensor/axis-rules.ts';
import type { DType } from '../tensor/dtype.ts';
import { anything, number, oneOf, text } from '../tensor/kinds.ts';
import { type Shape, showShape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { listOf } from '../tensor/sizes.ts';
import {
  type AnyTensor,
  apply,
  defineOp,
  integerList,
  integers,
  type Named,
  type OpDefinition,
  type TensorType,
  tensor,
} from './define.ts';
import { MirrorPadOp } from './mirror-pad.ts';

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
const SliceGradOp: OpDefinition<{ begin: readonly number[] }> = defineOp({
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
const SliceLikeOp: OpDefinition<{ begin: readonly number[] }> = defineOp({
  name: 'SliceLike',
  infer: ([x, like]) => ({ dtype: x.dtype, shape: like.shape }),
  lower: ([x, like], { attributes: { begin } }) => p.slice(x, begin, like.shape),
  gradient: ({ inputs: [x], attributes: { begin } }, [dz]) => [dz && apply(SliceGradOp, [dz, x], { begin }), null],
});
const sliceForm = signature('tf.slice', { x: tensor, begin: integerList, size: integerList }, { name: text }, ['name']);
/** `size[i]` elements from `begin[i]` on along each axis; −1 means to the end. */
export function slice<
  T extends DType = any,
  A extends Shape = any,
  const Z extends readonly number[] = readonly number[],
>(x: Tensor<T, A>, begin: readonly number[], size: Z, name?: Named): Tensor<T, Sliced<Z>>;
export function slice(...given: unknown[]): AnyTensor {
  const { x, begin, size, name } = sliceForm.take(given);
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
export function pad<T extends DType = any, A extends Shape = any>(
  x: Tensor<T, A>,
  paddings: readonly (readonly [number, number])[],
  mode: PadMode,
  options?: { readonly value?: number; readonly name?: string },
): Tensor<T, Resized<A>>;
export function pad<T extends DType = any, A extends Shape = any>(
  x: Tensor<T, A>,
  paddings: readonly (readonly [number, number])[],
  options?: { readonly mode?: PadMode; readonly value?: number; readonly name?: string },
): Tensor<T, Resized<A>>;
export function pad(...given: unknown[]): AnyTensor {
  const { x, paddings, mode = 'CONSTANT', value = 0, name } = padForm.take(given);
  const pairs = listOf(paddings)?.map((pair) => listOf(pair) as number[]);
  if (!pairs?.every((pair) => pair?.length === 2))
    throw new InvalidArgumentError('pad: paddings must be an array of pairs [before, after], one for each axis.');
  const [low, high] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
  if (mode === 'CONSTANT') return apply(PadOp, [x], { low, high, value }, name);
  return apply(MirrorPadOp, [x], { low, high, skip: mode === 'REFLECT' ? 1 : 0 }, name);
}
