// A tensor cut along an axis: split.
import { InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import type { Split, SplitError } from '../tensor/axis-rules.ts';
import type { DType } from '../tensor/dtype.ts';
import { anything, text, wholeNumber } from '../tensor/kinds.ts';
import { type Dim, type Shape, showShape } from '../tensor/shape.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import { concatAll, noGradient, type Parts } from './concat.ts';
import { type AnyTensor, applyAll, axisOf, defineOp, integers, type TensorType, tensor } from './define.ts';

interface SplitAttributes {
  /** How many equal parts, or the size of each, of which one may be −1: what is left. */
  readonly parts: number | readonly number[];
  readonly axis: number;
}

/** The sizes of the parts of an axis of that size. */
function partSizes({ parts, axis }: SplitAttributes, size: Dim, shape: Shape | undefined): Dim[] {
  const what = `axis ${axis} of ${showShape(shape)}`;
  if (typeof parts === 'number') {
    if (size !== null && size % parts !== 0) {
      throw new ShapeMismatchError(
        `split: ${what} has ${size} elements, which are not ${parts} equal parts; give the size of each part.`,
      );
    }
    return new Array<Dim>(parts).fill(size === null ? null : size / parts);
  }
  if (size === null) return parts.map((n) => (n === -1 ? null : n));
  const known = parts.reduce((sum, n) => sum + Math.max(0, n), 0);
  const rest = size - known;
  if (parts.includes(-1) ? rest < 0 : rest !== 0) {
    throw new ShapeMismatchError(
      `split: the sizes ${showShape(parts)} are ${known} together, but ${what} has ${size} elements.`,
    );
  }
  return parts.map((n) => (n === -1 ? rest : n));
}

const SplitOp = defineOp<SplitAttributes>({
  name: 'Split',
  infer: ([x], attributes): TensorType[] => {
    const { parts, axis } = attributes;
    const i = x.shape && axisOf('split', axis, x.shape);
    const sizes = partSizes(attributes, x.shape && i !== undefined ? x.shape[i] : null, x.shape);
    if (typeof parts !== 'number' || x.shape) {
      return sizes.map((size) => ({ dtype: x.dtype, shape: x.shape?.map((d, k) => (k === i ? size : d)) }));
    }
    return sizes.map(() => ({ dtype: x.dtype, shape: undefined }));
  },
  gradient: ({ outputs, attributes: { axis } }, gradients) => {
    if (gradients.every((g) => g === null)) return [null];
    const parts = gradients.map((g, k) => g ?? noGradient(outputs[k]));
    return [concatAll(parts, axis)];
  },
  lower: ([x], { attributes: { axis }, outputs }) => {
    const i = axisOf('split', axis, x.shape);
    let begin = 0;
    return outputs.map(({ shape }) => {
      const from = x.shape.map((_, k) => (k === i ? begin : 0));
      begin += shape[i];
      return p.slice(x, from, shape);
    });
  },
});
/** So many tensors take some hundred megabytes. */
const mostParts = 1e5;

const splitForm = signature(
  'tf.split',
  { x: tensor, numOrSizeSplits: anything<number | readonly number[]>('a whole number or an array of them') },
  { axis: wholeNumber, name: text },
  ['axis'],
);
/**
 * x cut along an axis (default 0): into so many equal parts, or into parts of the given sizes, of which one may be −1:
 * what is left.
 *
 * @throws ShapeMismatchError when the size cannot be divided so, naming the numbers.
 *
 * ```ts
 * const [mean, logVariance] = tf.split(h, 2, 1);        // [null, 40] → [null, 20] each
 * const [first, rest] = tf.split(x, [1, -1], 0);
 * ```
 */
export function split<
  T extends DType = any,
  A extends Shape = any,
  const N extends number | readonly number[] = number,
  const Ax extends number = 0,
>(
  x: Tensor<T, A> & ShapeError<SplitError<A, N, Ax>>,
  numOrSizeSplits: N,
  options: { readonly axis?: Ax; readonly name?: string },
): Parts<T, Split<A, N, Ax>>;
export function split<
  T extends DType = any,
  A extends Shape = any,
  const N extends number | readonly number[] = number,
  const Ax extends number = 0,
>(
  x: Tensor<T, A> & ShapeError<SplitError<A, N, Ax>>,
  numOrSizeSplits: N,
  axis?: Ax,
  options?: { readonly name?: string },
): Parts<T, Split<A, N, Ax>>;
export function split(...given: unknown[]): AnyTensor[] {
  const { x, numOrSizeSplits, axis = 0, name } = splitForm.take(given);
  const parts = typeof numOrSizeSplits === 'number' ? numOrSizeSplits : integers('split', 'the sizes', numOrSizeSplits);
  const isNumber = typeof parts === 'number';
  const fits = isNumber ? Number.isSafeInteger(parts) && parts >= 1 : parts.every((n) => n >= -1);
  if (!fits || (!isNumber && parts.filter((n) => n === -1).length > 1)) {
    throw new InvalidArgumentError(
      `split: give a number of parts of at least 1, or sizes of at least 0 of which one may be -1, but ${isNumber ? parts : showShape(parts)} came.`,
    );
  }
  if ((isNumber ? parts : parts.length) > mostParts) {
    throw new InvalidArgumentError(`split: more than ${mostParts} parts are too many for a graph.`);
  }
  return [...applyAll(SplitOp, [x], { parts, axis }, { name })];
}
