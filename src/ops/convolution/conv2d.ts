// Convolution over images, [batch, height, width, channels], and its two adjoints.

import { InvalidArgumentError, ShapeMismatchError } from '../../base/errors.ts';
import type { Tensor } from '../../graph/tensor.ts';
import * as p from '../../primitives/primitives.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import { text, wholeNumber } from '../../tensor/kinds.ts';
import { type Shape, showShape } from '../../tensor/shape.ts';
import type { ShapeError } from '../../tensor/shape-types.ts';
import { signature } from '../../tensor/signature.ts';
import type {
  Conv2D,
  Conv2DError,
  Convolved,
  DataFormat,
  ExplicitPadding,
  FitError,
  GroupedFilter,
  ImagesOf,
  Padding,
  ShowWindow,
} from '../../tensor/window-rules.ts';
import {
  type AnyTensor,
  apply,
  defineOp,
  type OpDefinition,
  requireDType,
  sameDType,
  signals,
  type TensorType,
  tensor,
} from '../define.ts';
import {
  anyPadding,
  channelsLast,
  dataFormatKind,
  dilationSizes,
  paddingOf,
  slid,
  spatial,
  spreadOut,
  surround,
  type WindowAttributes,
  windowSizes,
} from './window.ts';

/** @internal A convolution of groups of channels, each with a part of the filter. */
export interface ConvolutionAttributes extends WindowAttributes {
  readonly groups?: number;
}

function inferConvolution([x, filter]: readonly TensorType[], attributes: ConvolutionAttributes): TensorType {
  const dtype = sameDType('conv2d', [x, filter]);
  requireDType('conv2d', x, signals);
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
  const { groups = 1 } = attributes;
  if (c !== null && ci !== null && c !== ci * groups) {
    const expected = groups === 1 ? `${ci}` : `${ci} for each of ${groups} groups`;
    throw new ShapeMismatchError(
      `conv2d: input has ${c} channels but the filter expects ${expected}: input ${showShape(x.shape)}, filter ${showShape(filter.shape)} as [height, width, in, out].`,
    );
  }
  if (co !== null && co % groups !== 0) {
    throw new ShapeMismatchError(`conv2d: the ${co} channels of the result are not ${groups} equal groups.`);
  }
  return { dtype, shape: [n, slid('conv2d', h, kh, attributes, 0), slid('conv2d', w, kw, attributes, 1), co] };
}

/** The axis of the groups, where there are several: its size, and its stride where c channels of a group have stride 1. */
const groupAxis = ({ groups = 1 }: ConvolutionAttributes, value: number): number[] => (groups > 1 ? [value] : []);

/** @internal */
export const Conv2DOp: OpDefinition<ConvolutionAttributes> = defineOp({
  name: 'Conv2D',
  infer: inferConvolution,
  gradient: ({ inputs: [x, filter], attributes }, [dy]) => [
    dy && apply(Conv2DBackpropInputOp, [filter, dy, x], attributes),
    dy && apply(Conv2DBackpropFilterOp, [x, dy, filter], attributes),
  ],
  // y[n, i, j, o] = Σ over k, l, c of x[n, i·s + k·d, j·s + l·d, c] · w[k, l, c, o], x surrounded by zeros
  lower: ([x, filter], { attributes, outputs: [{ shape }] }) => {
    const { strides, dilations: [dh, dw] = [1, 1], groups = 1 } = attributes;
    const [kh, kw, ci, co] = filter.shape;
    const padded = surround(x, [kh, kw], attributes);
    const [n, h, w, c] = padded.strides;
    const [fh, fw, fi, fo] = filter.strides;
    const group = (value: number) => groupAxis(attributes, value);
    const each = co / groups;
    const space = [...shape.slice(0, 3), ...group(groups), each, kh, kw, ci];
    const windows = p.strided(padded, space, [
      ...[n, h * strides[0], w * strides[1], ...group(ci * c), 0],
      ...[h * dh, w * dw, c],
    ]);
    const taps = p.strided(filter, space, [0, 0, 0, ...group(each * fo), fo, fh, fw, fi]);
    return p.reshape(p.contract(windows, taps, space.length - 3), shape);
  },
});

/**
 * @internal The adjoint of a convolution, in primitives, for images of that shape: the forward step from the other side,
 * with the filter turned.
 */
export function backpropInput(
  filter: p.View,
  dy: p.View,
  shape: readonly number[],
  attributes: ConvolutionAttributes,
): p.View {
  const { dilations: [dh, dw] = [1, 1], groups = 1 } = attributes;
  const [kh, kw, ci, co] = filter.shape;
  const around = spreadOut(dy, shape, [kh, kw], attributes);
  const turned = p.reverse(filter, [0, 1]);
  const [n, h, w, c] = around.strides;
  const [fh, fw, fi, fo] = turned.strides;
  const group = (value: number) => groupAxis(attributes, value);
  const each = co / groups;
  const space = [...shape.slice(0, 3), ...group(groups), ci, kh, kw, each];
  const windows = p.strided(around, space, [n, h, w, ...group(each * c), 0, h * dh, w * dw, c]);
  const taps = p.strided(turned, space, [0, 0, 0, ...group(each * fo), fi, fh, fw, fo]);
  return p.reshape(p.contract(windows, taps, space.length - 3), shape);
}

/** @internal Inputs: filter, dy, and x for its shape. dx[n, h, w, c] = Σ dy[n, i, j, o] · w[h − i·s, w − j·s, c, o]. */
export const Conv2DBackpropInputOp: OpDefinition<ConvolutionAttributes> = defineOp({
  name: 'Conv2DBackpropInput',
  infer: ([, dy, x]) => ({ dtype: dy.dtype, shape: x.shape }),
  gradient: ({ inputs: [filter, dy], attributes }, [dz]) => [
    dz && apply(Conv2DBackpropFilterOp, [dz, dy, filter], attributes),
    dz && apply(Conv2DOp, [dz, filter], attributes),
    null,
  ],
  lower: ([filter, dy], { attributes, outputs: [{ shape }] }) => backpropInput(filter, dy, shape, attributes),
});

/** @internal Inputs: x, dy, and the filter for its shape. dw[k, l, c, o] = Σ over n, i, j of x[n, i·s + k, j·s + l, c] · dy[n, i, j, o]. */
export const Conv2DBackpropFilterOp: OpDefinition<ConvolutionAttributes> = defineOp({
  name: 'Conv2DBackpropFilter',
  infer: ([, dy, filter]) => ({ dtype: dy.dtype, shape: filter.shape }),
  gradient: ({ inputs: [x, dy], attributes }, [dz]) => [
    dz && apply(Conv2DBackpropInputOp, [dz, dy, x], attributes),
    dz && apply(Conv2DOp, [x, dz], attributes),
    null,
  ],
  lower: ([x, dy], { attributes, outputs: [{ shape }] }) => {
    const { strides, dilations: [dh, dw] = [1, 1], groups = 1 } = attributes;
    const [kh, kw, ci, co] = shape;
    const [batch, oh, ow] = dy.shape;
    const padded = surround(x, [kh, kw], attributes);
    const [n, h, w, c] = padded.strides;
    const [dn, dy1, dx1, dc] = dy.strides;
    const group = (value: number) => groupAxis(attributes, value);
    const each = co / groups;
    const space = [kh, kw, ci, ...group(groups), each, batch, oh, ow];
    const windows = p.strided(padded, space, [
      ...[h * dh, w * dw, c, ...group(ci * c), 0],
      ...[n, h * strides[0], w * strides[1]],
    ]);
    const gradients = p.strided(dy, space, [0, 0, 0, ...group(each * dc), dc, dn, dy1, dx1]);
    return p.reshape(p.contract(windows, gradients, space.length - 3), shape);
  },
});

const form = signature(
  'tf.nn.conv2d',
  { x: tensor, filter: tensor },
  {
    strides: windowSizes,
    padding: anyPadding,
    dilations: dilationSizes,
    groups: wholeNumber,
    dataFormat: dataFormatKind,
    name: text,
  },
  ['strides', 'padding'],
);
/** How the filter of a convolution goes over images. */
export interface Conv2DOptions<
  St extends Shape,
  P extends Padding | ExplicitPadding,
  D extends Shape,
  G extends number,
  F extends DataFormat,
> {
  /** How far it goes on each time: [1, vertical, horizontal, 1]. */
  readonly strides: St;
  /** 'SAME', 'VALID', or how many zeros lie before and after each axis: [[0, 0], [top, bottom], [left, right], [0, 0]]. */
  readonly padding: P;
  /** How far apart the elements lie that it looks at: [1, vertical, horizontal, 1] (default: 1). */
  readonly dilations?: D;
  /** Into so many groups the channels are divided, each convolved with its own part of the filter (default: 1). */
  readonly groups?: G;
  /** 'NCHW': images, results, strides, padding and dilations have the channels second (default: 'NHWC', last). */
  readonly dataFormat?: F;
  readonly name?: string;
}
/**
 * 2-D convolution (cross-correlation, as in TensorFlow) of images [batch, height, width, in] with a filter
 * [height, width, in, out].
 *
 * @param options.strides [1, vertical, horizontal, 1].
 * @param options.padding 'SAME': zeros around the image so that the output has ⌈size / stride⌉ positions, the odd one
 * at the bottom and right. 'VALID': only where the filter fits. Or pairs: how many zeros lie before and after each axis.
 * @param options.dilations [1, vertical, horizontal, 1]: how far apart the elements lie that the filter looks at.
 * @param options.groups divides the channels: the filter is [height, width, in / groups, out], and channels of one
 * group of the result see those of one group of the images.
 * @param options.dataFormat 'NCHW' for images [batch, channels, height, width].
 * @throws ShapeMismatchError when the channels differ, naming both numbers.
 *
 * ```ts
 * tf.nn.conv2d(x, W, { strides: [1, 1, 1, 1], padding: 'SAME' });
 * tf.nn.conv2d(x, W, [1, 1, 1, 1], 'SAME');           // as in TensorFlow
 * tf.nn.conv2d(x, W, { strides: [1, 1, 1, 1], padding: 'SAME', dilations: [1, 2, 2, 1] });
 * ```
 */
export function conv2d<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const St extends Shape = Shape,
  const P extends Padding | ExplicitPadding = Padding,
>(
  x: Tensor<T, A>,
  filter: Tensor<NoInfer<T>, B> &
    ShapeError<Conv2DError<A, B> | FitError<Conv2D<A, B, St, P>, A, ShowWindow<B>, 'conv2d'>>,
  strides: St,
  padding: P,
  options?: { readonly name?: string },
): Tensor<T, Conv2D<A, B, St, P>>;
export function conv2d<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const St extends Shape = Shape,
  const P extends Padding | ExplicitPadding = Padding,
  const D extends Shape = [1, 1, 1, 1],
  const G extends number = 1,
  const F extends DataFormat = 'NHWC',
>(
  x: Tensor<T, A>,
  filter: Tensor<NoInfer<T>, B> &
    ShapeError<
      | Conv2DError<ImagesOf<A, F>, GroupedFilter<B, G>>
      | FitError<Convolved<A, B, St, P, D, F>, A, ShowWindow<B>, 'conv2d'>
    >,
  options: Conv2DOptions<St, P, D, G, F>,
): Tensor<T, Convolved<A, B, St, P, D, F>>;
export function conv2d(...given: unknown[]): AnyTensor {
  const { x, filter, name, dataFormat = 'NHWC', groups, ...window } = form.take(given);
  const { padding, dilations } = window;
  if (groups !== undefined && groups < 1)
    throw new InvalidArgumentError(`conv2d: groups must be at least 1, but ${groups} came.`);
  const attributes: ConvolutionAttributes = {
    strides: spatial('conv2d', 'strides', window.strides, dataFormat),
    padding: paddingOf('conv2d', padding, dataFormat),
    ...(dilations !== undefined && { dilations: spatial('conv2d', 'dilations', dilations, dataFormat) }),
    ...(groups !== undefined && groups > 1 && { groups }),
  };
  return channelsLast(x, dataFormat, (images) => apply(Conv2DOp, [images, filter], attributes, name));
}
