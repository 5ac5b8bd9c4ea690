// Convolution over images, [batch, height, width, channels], and its two adjoints.

import { InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { anything, needed, oneOf, text } from '../tensor/kinds.ts';
import { type Dim, type Shape, showShape } from '../tensor/shape.ts';
import type { Conv2D, Conv2DError, Padding } from '../tensor/shape-rules.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import { describeList, listOf } from '../tensor/sizes.ts';
import {
  type AnyTensor,
  apply,
  defineOp,
  floats,
  type OpDefinition,
  requireDType,
  sameDType,
  type TensorType,
  tensor,
} from './define.ts';

/** @internal Strides and padding of a sliding window, along height and width. */
export interface WindowAttributes {
  readonly strides: readonly [number, number];
  readonly padding: Padding;
}

/** @internal Strides or window sizes as given by the user, [1, height, width, 1], checked. */
export function spatial(op: string, what: string, given: Shape | undefined): [number, number] {
  const list = listOf(given) ?? [];
  const whole = list.every((n) => Number.isSafeInteger(n) && (n as number) >= 1);
  if (!whole || list.length !== 4 || list[0] !== 1 || list[3] !== 1) {
    throw new InvalidArgumentError(
      `${op}: ${what} must be [1, height, width, 1] with whole numbers of at least 1, but ${describeList(given)} came.`,
    );
  }
  return [list[1] as number, list[2] as number];
}

/** @internal Looked at by `spatial`. */
export const windowSizes = needed(anything<Shape>('[1, height, width, 1]'));
/** @internal */
export const paddingKind = needed<Padding>(oneOf(['SAME', 'VALID']));

/** @internal The size along an axis after a window of that size has slid over it. */
export function slid(op: string, size: Dim, window: Dim, stride: number, padding: Padding): Dim {
  if (size === null) return null;
  if (padding === 'SAME') return Math.ceil(size / stride);
  if (window === null) return null;
  if (window > size) {
    throw new ShapeMismatchError(
      `${op}: a window of ${window} does not fit into a size of ${size} with padding 'VALID'; use 'SAME'.`,
    );
  }
  return Math.floor((size - window) / stride) + 1;
}

/** @internal How much is put before and after an axis: SAME splits evenly, the odd one goes after (bottom, right). */
export function margins(size: number, window: number, stride: number, padding: Padding): [low: number, high: number] {
  if (padding === 'VALID') return [0, 0];
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + window - size, 0);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}

function inferConvolution([x, filter]: readonly TensorType[], { strides, padding }: WindowAttributes): TensorType {
  const dtype = sameDType('conv2d', [x, filter]);
  requireDType('conv2d', x, floats);
  if (x.shape && x.shape.length !== 4) {
    throw new ShapeMismatchError(
      `conv2d: input must be [batch, height, width, channels], but its shape is ${showShape(x.shape)}; use tf.reshape.`,
    );
  }
  if (filter.shape && filter.shape.length !== 4) {
    throw new ShapeMismatchError(
      `conv2d: filter must be [height, width, in, out], but its shape is ${showShape(filter.shape)}.`,
    );
  }
  const [n, h, w, c] = x.shape ?? [null, null, null, null];
  const [kh, kw, ci, co] = filter.shape ?? [null, null, null, null];
  if (c !== null && ci !== null && c !== ci) {
    throw new ShapeMismatchError(
      `conv2d: input has ${c} channels but the filter expects ${ci}: input ${showShape(x.shape)}, filter ${showShape(filter.shape)} as [height, width, in, out].`,
    );
  }
  const [sh, sw] = strides;
  return { dtype, shape: [n, slid('conv2d', h, kh, sh, padding), slid('conv2d', w, kw, sw, padding), co] };
}

const Conv2DOp: OpDefinition<WindowAttributes> = defineOp({
  name: 'Conv2D',
  infer: inferConvolution,
  gradient: ({ inputs: [x, filter], attributes }, [dy]) => [
    dy && apply(Conv2DBackpropInputOp, [filter, dy, x], attributes),
    dy && apply(Conv2DBackpropFilterOp, [x, dy, filter], attributes),
  ],
  // y[n, i, j, o] = Σ over k, l, c of x[n, i·s + k, j·s + l, c] · w[k, l, c, o], x surrounded by zeros
  lower: ([x, filter], { attributes: { strides, padding }, outputs: [{ shape }] }) => {
    const [kh, kw, ci] = filter.shape;
    const padded = surround(x, [kh, kw], strides, padding);
    const [n, h, w, c] = padded.strides;
    const [fh, fw, fi, fo] = filter.strides;
    const space = [...shape, kh, kw, ci];
    const windows = p.strided(padded, space, [n, h * strides[0], w * strides[1], 0, h, w, c]);
    return p.contract(windows, p.strided(filter, space, [0, 0, 0, fo, fh, fw, fi]), 4);
  },
});

/** x with the zeros around it that the padding asks for. */
function surround(
  x: p.View,
  window: readonly [number, number],
  strides: readonly [number, number],
  padding: Padding,
): p.View {
  const [top, bottom] = margins(x.shape[1], window[0], strides[0], padding);
  const [left, right] = margins(x.shape[2], window[1], strides[1], padding);
  return p.pad(x, [0, top, left, 0], [0, bottom, right, 0]);
}

/** Inputs: filter, dy, and x for its shape. dx[n, h, w, c] = Σ dy[n, i, j, o] · w[h − i·s, w − j·s, c, o]. */
const Conv2DBackpropInputOp: OpDefinition<WindowAttributes> = defineOp({
  name: 'Conv2DBackpropInput',
  infer: ([, dy, x]) => ({ dtype: dy.dtype, shape: x.shape }),
  gradient: ({ inputs: [filter, dy], attributes }, [dz]) => [
    dz && apply(Conv2DBackpropFilterOp, [dz, dy, filter], attributes),
    dz && apply(Conv2DOp, [dz, filter], attributes),
    null,
  ],
  lower: ([filter, dy], { attributes: { strides, padding }, outputs: [{ shape }] }) => {
    const [kh, kw, , co] = filter.shape;
    // The forward step from the other side: dy with zeros between its elements and a wide margin, the filter turned.
    const low: number[] = [];
    const high: number[] = [];
    [kh, kw].forEach((k, i) => {
      const size = shape[1 + i];
      const dilated = (dy.shape[1 + i] - 1) * strides[i] + 1;
      low.push(k - 1 - margins(size, k, strides[i], padding)[0]);
      high.push(size + k - 1 - dilated - low[i]);
    });
    const apart = p.pad(dy, [0, ...low.map(positive), 0], [0, ...high.map(positive), 0], 0, [1, ...strides, 1]);
    const cropped = [low, high].some((n) => n.some((v) => v < 0))
      ? p.slice(apart, [0, ...low.map((v) => positive(-v)), 0], [dy.shape[0], shape[1] + kh - 1, shape[2] + kw - 1, co])
      : apart;
    const turned = p.reverse(filter, [0, 1]);
    const [n, h, w, c] = cropped.strides;
    const [fh, fw, fi, fo] = turned.strides;
    const space = [...shape, kh, kw, co];
    return p.contract(
      p.strided(cropped, space, [n, h, w, 0, h, w, c]),
      p.strided(turned, space, [0, 0, 0, fi, fh, fw, fo]),
      4,
    );
  },
});
const positive = (n: number) => Math.max(0, n);

/** Inputs: x, dy, and the filter for its shape. dw[k, l, c, o] = Σ over n, i, j of x[n, i·s + k, j·s + l, c] · dy[n, i, j, o]. */
const Conv2DBackpropFilterOp: OpDefinition<WindowAttributes> = defineOp({
  name: 'Conv2DBackpropFilter',
  infer: ([, dy, filter]) => ({ dtype: dy.dtype, shape: filter.shape }),
  gradient: ({ inputs: [x, dy], attributes }, [dz]) => [
    dz && apply(Conv2DBackpropInputOp, [dz, dy, x], attributes),
    dz && apply(Conv2DOp, [x, dz], attributes),
    null,
  ],
  lower: ([x, dy], { attributes: { strides, padding }, outputs: [{ shape }] }) => {
    const [kh, kw] = shape;
    const [batch, oh, ow] = dy.shape;
    const padded = surround(x, [kh, kw], strides, padding);
    const [n, h, w, c] = padded.strides;
    const [dn, dh, dw, dc] = dy.strides;
    const space = [...shape, batch, oh, ow];
    const windows = p.strided(padded, space, [h, w, c, 0, n, h * strides[0], w * strides[1]]);
    return p.contract(windows, p.strided(dy, space, [0, 0, 0, dc, dn, dh, dw]), 4);
  },
});

const form = signature(
  'tf.nn.conv2d',
  { x: tensor, filter: tensor },
  { strides: windowSizes, padding: paddingKind, name: text },
  ['strides', 'padding'],
);
/**
 * 2-D convolution (cross-correlation, as in TensorFlow) of images [batch, height, width, in] with a filter
 * [height, width, in, out].
 *
 * @param options.strides [1, vertical, horizontal, 1].
 * @param options.padding 'SAME': zeros around the image so that the output has ⌈size / stride⌉ positions, the odd one
 * at the bottom and right. 'VALID': only where the filter fits.
 * @throws ShapeMismatchError when the channels differ, naming both numbers.
 *
 * ```ts
 * tf.nn.conv2d(x, W, { strides: [1, 1, 1, 1], padding: 'SAME' });
 * tf.nn.conv2d(x, W, [1, 1, 1, 1], 'SAME');           // as in TensorFlow
 * ```
 */
export function conv2d<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const St extends Shape = Shape,
  P extends Padding = Padding,
>(
  x: Tensor<T, A>,
  filter: Tensor<NoInfer<T>, B> & ShapeError<Conv2DError<A, B>>,
  strides: St,
  padding: P,
  options?: { readonly name?: string },
): Tensor<T, Conv2D<A, B, St, P>>;
export function conv2d<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const St extends Shape = Shape,
  P extends Padding = Padding,
>(
  x: Tensor<T, A>,
  filter: Tensor<NoInfer<T>, B> & ShapeError<Conv2DError<A, B>>,
  options: { readonly strides: St; readonly padding: P; readonly name?: string },
): Tensor<T, Conv2D<A, B, St, P>>;
export function conv2d(...given: unknown[]): AnyTensor {
  const { x, filter, strides, padding, name } = form.take(given);
  return apply(Conv2DOp, [x, filter], { strides: spatial('conv2d', 'strides', strides), padding }, name);
}
