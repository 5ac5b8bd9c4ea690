// Parts of a tensor with steps, as Python's x[a:b:c] has them.
import { InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import type { DType } from '../tensor/dtype.ts';
import { text, wholeNumber } from '../tensor/kinds.ts';
import type { StridedSliced } from '../tensor/part-rules.ts';
import { type Dim, type Shape, showShape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { type AnyTensor, apply, defineOp, integerList, integers, type OpDefinition, tensor } from './define.ts';
import { valueOf } from './sizes.ts';

interface StridedSliceAttributes {
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly strides: readonly number[];
  readonly masks: { readonly begin: number; readonly end: number; readonly ellipsis: number };
  readonly newAxis: number;
  readonly shrinkAxis: number;
}
/** What is taken of an axis. Unknown where the size is. */
interface Range {
  readonly begin: number;
  readonly size: Dim;
  readonly step: number;
}
const bit = (mask: number, i: number): boolean => (mask & (1 << i)) !== 0;

/** The ranges of all axes, and the shape of the result. */
function rangesOf(shape: Shape, attributes: StridedSliceAttributes): { ranges: Range[]; out: Dim[] } {
  const { begin, newAxis, masks } = attributes;
  const entries = begin.map((_, i) => i);
  const isAxis = (i: number) => !bit(masks.ellipsis, i) && !bit(newAxis, i);
  const rest = shape.length - entries.filter(isAxis).length;
  if (rest < 0) {
    throw new ShapeMismatchError(
      `stridedSlice: ${entries.filter(isAxis).length} axes are named, but the shape is ${showShape(shape)}.`,
    );
  }
  const ranges: Range[] = [];
  const out: Dim[] = [];
  const whole = (count: number) => {
    for (let k = 0; k < count; k++) {
      const size = shape[ranges.length];
      ranges.push({ begin: 0, size, step: 1 });
      out.push(size);
    }
  };
  for (const i of entries) {
    if (bit(masks.ellipsis, i)) whole(rest);
    else if (bit(newAxis, i)) out.push(1);
    else {
      const range = rangeOf(shape, ranges.length, i, attributes);
      ranges.push(range);
      if (!bit(attributes.shrinkAxis, i)) out.push(range.size);
    }
  }
  whole(shape.length - ranges.length);
  return { ranges, out };
}

/** Entry i, which is about an axis: negative numbers count from the end, what lies outside is left out. */
function rangeOf(shape: Shape, axis: number, i: number, attributes: StridedSliceAttributes): Range {
  const size = shape[axis];
  const step = attributes.strides[i];
  const isOne = bit(attributes.shrinkAxis, i);
  if (size === null) return { begin: 0, size: isOne ? 1 : null, step };
  const fromEnd = (n: number) => (n < 0 ? n + size : n);
  if (isOne) {
    const begin = fromEnd(attributes.begin[i]);
    if (begin < 0 || begin >= size) {
      throw new ShapeMismatchError(
        `stridedSlice: there is no element ${attributes.begin[i]} along axis ${axis} of ${showShape(shape)}.`,
      );
    }
    return { begin, size: 1, step: 1 };
  }
  const [least, most] = step > 0 ? [0, size] : [-1, size - 1];
  const inside = (n: number) => Math.min(most, Math.max(least, fromEnd(n)));
  const begin = bit(attributes.masks.begin, i) ? (step > 0 ? 0 : size - 1) : inside(attributes.begin[i]);
  const end = bit(attributes.masks.end, i) ? (step > 0 ? size : -1) : inside(attributes.end[i]);
  return { begin, size: Math.max(0, Math.ceil((end - begin) / step)), step };
}

const StridedSliceOp: OpDefinition<StridedSliceAttributes> = defineOp({
  name: 'StridedSlice',
  infer: ([x], attributes) => ({ dtype: x.dtype, shape: x.shape && rangesOf(x.shape, attributes).out }),
  value: ([x], attributes) => {
    const values = x.shape?.length === 1 ? valueOf(x) : undefined;
    if (!values) return undefined;
    const [{ begin, size, step }] = rangesOf([values.length], attributes).ranges;
    return Array.from({ length: size as number }, (_, i) => values[begin + i * step]);
  },
  gradient: ({ inputs: [x], attributes }, [dy]) => [dy && apply(StridedSliceGradOp, [dy, x], attributes)],
  lower: ([x], { attributes, outputs: [{ shape }] }) => {
    const { ranges } = rangesOf(x.shape, attributes);
    const sizes = ranges.map((r) => r.size as number);
    if (sizes.includes(0))
      return p.reshape(
        p.slice(
          x,
          x.shape.map(() => 0),
          sizes,
        ),
        shape,
      );
    const part = p.slice(
      x,
      ranges.map((r) => r.begin),
      sizes,
      ranges.map((r) => r.step),
    );
    return p.reshape(part, shape);
  },
});
/** Inputs: dy, and x for its shape. dy at its places among zeros. */
const StridedSliceGradOp: OpDefinition<StridedSliceAttributes> = defineOp({
  name: 'StridedSliceGrad',
  infer: ([dy, x]) => ({ dtype: dy.dtype, shape: x.shape }),
  gradient: ({ attributes }, [dz]) => [dz && apply(StridedSliceOp, [dz], attributes), null],
  lower: ([dy, x], { attributes }) => {
    const { ranges } = rangesOf(x.shape, attributes);
    const sizes = ranges.map((r) => r.size as number);
    const backward = ranges.flatMap((r, i) => (r.step < 0 ? [i] : []));
    const forward = p.reverse(p.reshape(dy, sizes), backward);
    const isEmpty = sizes.includes(0);
    const low = ranges.map((r, i) => (isEmpty ? 0 : r.step < 0 ? r.begin + (sizes[i] - 1) * r.step : r.begin));
    const taken = ranges.map((r, i) => (sizes[i] === 0 ? 0 : (sizes[i] - 1) * Math.abs(r.step) + 1));
    const high = x.shape.map((d, i) => d - low[i] - taken[i]);
    return p.pad(
      forward,
      low,
      high,
      0,
      ranges.map((r) => Math.abs(r.step)),
    );
  },
});

/** What the entries of a strided slice mean: bit i of a mask is about entry i. */
export interface StridedSliceMasks<
  Bm extends number,
  Em extends number,
  El extends number,
  Nm extends number,
  Sm extends number,
> {
  /** From the first element on, whatever begin[i] is. */
  readonly beginMask?: Bm;
  /** Up to the last element, whatever end[i] is. */
  readonly endMask?: Em;
  /** Entry i stands for all axes that are not named. */
  readonly ellipsisMask?: El;
  /** A new axis of size 1. */
  readonly newAxisMask?: Nm;
  /** The element begin[i], without that axis. */
  readonly shrinkAxisMask?: Sm;
  readonly name?: string;
}
const form = signature(
  'tf.stridedSlice',
  { x: tensor, begin: integerList, end: integerList },
  {
    strides: integerList,
    beginMask: wholeNumber,
    endMask: wholeNumber,
    ellipsisMask: wholeNumber,
    newAxisMask: wholeNumber,
    shrinkAxisMask: wholeNumber,
    name: text,
  },
  ['strides'],
);
/**
 * Along each axis every `strides[i]`-th element from `begin[i]` up to, not including, `end[i]`, as Python's
 * x[begin:end:stride]: negative numbers count from the end, a negative step goes backward.
 *
 * @param options.beginMask bit i: from the first element on, whatever begin[i] is. `endMask`: up to the last.
 * @param options.ellipsisMask bit i: entry i stands for all axes that are not named. `newAxisMask`: for a new axis of
 * size 1. `shrinkAxisMask`: for the element begin[i], without that axis.
 * @throws ShapeMismatchError for too many axes, or an element that is not there.
 *
 * ```ts
 * tf.stridedSlice(x, [0, 1], [4, 3], [2, 1]);                       // x[0:4:2, 1:3]
 * tf.stridedSlice(x, [0, -1], [0, 0], { beginMask: 1, endMask: 1, shrinkAxisMask: 2 });      // x[:, -1]
 * ```
 */
export function stridedSlice<
  T extends DType = any,
  A extends Shape = any,
  const B extends readonly number[] = readonly number[],
  const E extends readonly number[] = readonly number[],
  const St extends readonly number[] | undefined = undefined,
  const Bm extends number = 0,
  const Em extends number = 0,
  const El extends number = 0,
  const Nm extends number = 0,
  const Sm extends number = 0,
>(
  x: Tensor<T, A>,
  begin: B,
  end: E,
  options: StridedSliceMasks<Bm, Em, El, Nm, Sm> & { readonly strides?: St },
): Tensor<T, StridedSliced<A, B, E, St, [Bm, Em, Nm, Sm, El]>>;
export function stridedSlice<
  T extends DType = any,
  A extends Shape = any,
  const B extends readonly number[] = readonly number[],
  const E extends readonly number[] = readonly number[],
  const St extends readonly number[] | undefined = undefined,
  const Bm extends number = 0,
  const Em extends number = 0,
  const El extends number = 0,
  const Nm extends number = 0,
  const Sm extends number = 0,
>(
  x: Tensor<T, A>,
  begin: B,
  end: E,
  strides?: St,
  options?: StridedSliceMasks<Bm, Em, El, Nm, Sm>,
): Tensor<T, StridedSliced<A, B, E, St, [Bm, Em, Nm, Sm, El]>>;
export function stridedSlice(...given: unknown[]): AnyTensor {
  const { x, begin, end, strides, name, ...masks } = form.take(given);
  const { beginMask = 0, endMask = 0, ellipsisMask = 0, newAxisMask = 0, shrinkAxisMask = 0 } = masks;
  const first = integers('stridedSlice', 'begin', begin);
  const last = integers('stridedSlice', 'end', end);
  const steps = strides === undefined ? first.map(() => 1) : integers('stridedSlice', 'strides', strides);
  const isOneEllipsis = (ellipsisMask & (ellipsisMask - 1)) === 0;
  if (last.length !== first.length || steps.length !== first.length || steps.includes(0) || !isOneEllipsis) {
    throw new InvalidArgumentError(
      `stridedSlice: begin, end and strides must have the same length, no step may be 0 and one entry at most be the ellipsis, but ${showShape(first)}, ${showShape(last)} and ${showShape(steps)} came.`,
    );
  }
  const attributes = {
    begin: first,
    end: last,
    strides: steps,
    masks: { begin: beginMask, end: endMask, ellipsis: ellipsisMask },
    newAxis: newAxisMask,
    shrinkAxis: shrinkAxisMask,
  };
  return apply(StridedSliceOp, [x], attributes, name);
}
