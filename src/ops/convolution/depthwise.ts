// Depthwise and separable convolution: each channel by itself. Sums over the few elements of a window, for many channels
// side by side, are no products of matrices: they are lowered to reductions, which have their vectors along the channels.
import { ShapeMismatchError } from '../../base/errors.ts';
import type { Tensor } from '../../graph/tensor.ts';
import * as p from '../../primitives/primitives.ts';
import * as s from '../../primitives/scalar.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import { anything, text } from '../../tensor/kinds.ts';
import { type Shape, showShape } from '../../tensor/shape.ts';
import type { ShapeError } from '../../tensor/shape-types.ts';
import { signature } from '../../tensor/signature.ts';
import type {
  Conv2D,
  DataFormat,
  Depthwise,
  DepthwiseError,
  DepthwiseIn,
  ExplicitPadding,
  FitError,
  ImagesOf,
  InFormat,
  Padding,
  RateFilter,
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
import { Conv2DOp } from './conv2d.ts';
import {
  anyPadding,
  channelsLast,
  dataFormatKind,
  paddingOf,
  slid,
  spatial,
  spreadOut,
  surround,
  type WindowAttributes,
  type WindowPadding,
  windowSizes,
} from './window.ts';

function inferDepthwise([x, filter]: readonly TensorType[], attributes: WindowAttributes): TensorType {
  const op = 'depthwiseConv2d';
  const dtype = sameDType(op, [x, filter]);
  requireDType(op, x, signals);
  if ((x.shape && x.shape.length !== 4) || (filter.shape && filter.shape.length !== 4)) {
    throw new ShapeMismatchError(
      `${op}: input must be [batch, height, width, channels] and filter [height, width, channels, multiplier], but their shapes are ${showShape(x.shape)} and ${showShape(filter.shape)}.`,
    );
  }
  const [n, h, w, c] = x.shape ?? [null, null, null, null];
  const [kh, kw, ci, m] = filter.shape ?? [null, null, null, null];
  if (c !== null && ci !== null && c !== ci) {
    throw new ShapeMismatchError(
      `${op}: input has ${c} channels but the filter expects ${ci}: input ${showShape(x.shape)}, filter ${showShape(filter.shape)} as [height, width, channels, multiplier].`,
    );
  }
  const channels = c ?? ci;
  const out = channels === null || m === null ? null : channels * m;
  return { dtype, shape: [n, slid(op, h, kh, attributes, 0), slid(op, w, kw, attributes, 1), out] };
}

/** Σ a·b over the axes beyond the first so many, computed where they are read. */
const sumOfProducts = (a: p.View, b: p.View, rank: number): p.View =>
  p.reduce('sum', p.map([a, b], s.mul), a.shape.map((_, i) => i).slice(rank));

// y[n, i, j, c·m + q] = Σ over k, l of x[n, i·s + k·d, j·s + l·d, c] · w[k, l, c, q]
const DepthwiseOp: OpDefinition<WindowAttributes> = defineOp({
  name: 'DepthwiseConv2d',
  infer: inferDepthwise,
  gradient: ({ inputs: [x, filter], attributes }, [dy]) => [
    dy && apply(DepthwiseBackpropInputOp, [filter, dy, x], attributes),
    dy && apply(DepthwiseBackpropFilterOp, [x, dy, filter], attributes),
  ],
  lower: ([x, filter], { attributes, outputs: [{ shape }] }) => {
    const { strides, dilations: [dh, dw] = [1, 1] } = attributes;
    const [kh, kw, c, m] = filter.shape;
    const padded = surround(x, [kh, kw], attributes);
    const [sn, sh, sw, sc] = padded.strides;
    const [fh, fw, fc, fm] = filter.strides;
    const space = [...shape.slice(0, 3), c, m, kh, kw];
    const windows = p.strided(padded, space, [sn, sh * strides[0], sw * strides[1], sc, 0, sh * dh, sw * dw]);
    const taps = p.strided(filter, space, [0, 0, 0, fc, fm, fh, fw]);
    return p.reshape(sumOfProducts(windows, taps, 5), shape);
  },
});

/** Inputs: filter, dy, and x for its shape. */
const DepthwiseBackpropInputOp: OpDefinition<WindowAttributes> = defineOp({
  name: 'DepthwiseConv2dBackpropInput',
  infer: ([, dy, x]) => ({ dtype: dy.dtype, shape: x.shape }),
  gradient: ({ inputs: [filter, dy], attributes }, [dz]) => [
    dz && apply(DepthwiseBackpropFilterOp, [dz, dy, filter], attributes),
    dz && apply(DepthwiseOp, [dz, filter], attributes),
    null,
  ],
  lower: ([filter, dy], { attributes, outputs: [{ shape }] }) => {
    const { dilations: [dh, dw] = [1, 1] } = attributes;
    const [kh, kw, , m] = filter.shape;
    const around = spreadOut(dy, shape, [kh, kw], attributes);
    const turned = p.reverse(filter, [0, 1]);
    const [sn, sh, sw, sc] = around.strides;
    const [fh, fw, fc, fm] = turned.strides;
    const space = [...shape, kh, kw, m];
    const windows = p.strided(around, space, [sn, sh, sw, m * sc, sh * dh, sw * dw, sc]);
    return sumOfProducts(windows, p.strided(turned, space, [0, 0, 0, fc, fh, fw, fm]), 4);
  },
});

/** Inputs: x, dy, and the filter for its shape. */
const DepthwiseBackpropFilterOp: OpDefinition<WindowAttributes> = defineOp({
  name: 'DepthwiseConv2dBackpropFilter',
  infer: ([, dy, filter]) => ({ dtype: dy.dtype, shape: filter.shape }),
  gradient: ({ inputs: [x, dy], attributes }, [dz]) => [
    dz && apply(DepthwiseBackpropInputOp, [dz, dy, x], attributes),
    dz && apply(DepthwiseOp, [x, dz], attributes),
    null,
  ],
  lower: ([x, dy], { attributes, outputs: [{ shape }] }) => {
    const { strides, dilations: [dh, dw] = [1, 1] } = attributes;
    const [kh, kw, , m] = shape;
    const padded = surround(x, [kh, kw], attributes);
    const [sn, sh, sw, sc] = padded.strides;
    const [dn, dy1, dx1, dc] = dy.strides;
    const space = [...shape, ...dy.shape.slice(0, 3)];
    const windows = p.strided(padded, space, [sh * dh, sw * dw, sc, 0, sn, sh * strides[0], sw * strides[1]]);
    return sumOfProducts(windows, p.strided(dy, space, [0, 0, m * dc, dc, dn, dy1, dx1]), 4);
  },
});

/** @internal Looked at by `attributesOf`. */
const rateKind = anything<readonly number[]>('[height, width]');
interface GivenWindow {
  readonly strides: Shape;
  readonly padding: WindowPadding;
  readonly rate?: readonly number[] | undefined;
  readonly dataFormat?: DataFormat | undefined;
}
function attributesOf(op: string, { strides, padding, rate, dataFormat }: GivenWindow): WindowAttributes {
  const attributes = {
    strides: spatial(op, 'strides', strides, dataFormat),
    padding: paddingOf(op, padding, dataFormat),
  };
  if (rate === undefined) return attributes;
  const around = Array.isArray(rate) ? [1, ...rate, 1] : rate;
  return { ...attributes, dilations: spatial(op, 'rate, with a 1 on either side,', around) };
}

const form = signature(
  'tf.nn.depthwiseConv2d',
  { x: tensor, filter: tensor },
  { strides: windowSizes, padding: anyPadding, rate: rateKind, dataFormat: dataFormatKind, name: text },
  ['strides', 'padding', 'rate'],
);
/**
 * A convolution of each channel by itself: of images [batch, height, width, channels] with a filter
 * [height, width, channels, multiplier] to channels · multiplier channels, those of a channel side by side.
 *
 * @param options.strides [1, vertical, horizontal, 1].
 * @param options.padding 'SAME', 'VALID' or pairs, as for `conv2d`.
 * @param options.rate [vertical, horizontal]: how far apart the elements lie that the filter looks at (default: 1).
 * @throws ShapeMismatchError when the channels differ, naming both numbers.
 *
 * ```ts
 * tf.nn.depthwiseConv2d(x, tf.zeros([3, 3, 32, 1]), [1, 1, 1, 1], 'SAME');      // [null, 28, 28, 32] as x
 * ```
 */
export function depthwiseConv2d<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const St extends Shape = Shape,
  const P extends Padding | ExplicitPadding = Padding,
  const R extends readonly number[] = [1, 1],
>(
  x: Tensor<T, A>,
  filter: Tensor<NoInfer<T>, B> &
    ShapeError<
      | DepthwiseError<A, B, 'depthwiseConv2d'>
      | FitError<Depthwise<A, RateFilter<B, R>, St, P>, A, ShowWindow<B>, 'depthwiseConv2d'>
    >,
  strides: St,
  padding: P,
  rate?: R,
): Tensor<T, Depthwise<A, RateFilter<B, R>, St, P>>;
export function depthwiseConv2d<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const St extends Shape = Shape,
  const P extends Padding | ExplicitPadding = Padding,
  const R extends readonly number[] = [1, 1],
  const F extends DataFormat = 'NHWC',
>(
  x: Tensor<T, A>,
  filter: Tensor<NoInfer<T>, B> &
    ShapeError<
      | DepthwiseError<ImagesOf<A, F>, B, 'depthwiseConv2d'>
      | FitError<DepthwiseIn<A, B, St, P, R, F>, A, ShowWindow<B>, 'depthwiseConv2d'>
    >,
  options: {
    readonly strides: St;
    readonly padding: P;
    readonly rate?: R;
    readonly dataFormat?: F;
    readonly name?: string;
  },
): Tensor<T, InFormat<DepthwiseIn<A, B, St, P, R, F>, F>>;
export function depthwiseConv2d(...given: unknown[]): AnyTensor {
  const { x, filter, dataFormat = 'NHWC', name, ...window } = form.take(given);
  const attributes = attributesOf('depthwiseConv2d', { ...window, dataFormat });
  return channelsLast(x, dataFormat, (images) => apply(DepthwiseOp, [images, filter], attributes, name));
}

const separableForm = signature(
  'tf.nn.separableConv2d',
  { x: tensor, depthwiseFilter: tensor, pointwiseFilter: tensor },
  { strides: windowSizes, padding: anyPadding, rate: rateKind, dataFormat: dataFormatKind, name: text },
  ['strides', 'padding'],
);
/**
 * A depthwise convolution, then a convolution of 1 × 1 that mixes the channels: `depthwiseFilter`
 * [height, width, channels, multiplier] and `pointwiseFilter` [1, 1, channels · multiplier, out].
 *
 * @throws ShapeMismatchError when the channels differ, naming both numbers.
 *
 * Source: Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", CVPR 2017.
 */
export function separableConv2d<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  C extends Shape = any,
  const St extends Shape = Shape,
  const P extends Padding | ExplicitPadding = Padding,
>(
  x: Tensor<T, A>,
  depthwiseFilter: Tensor<NoInfer<T>, B> &
    ShapeError<
      DepthwiseError<A, B, 'separableConv2d'> | FitError<Depthwise<A, B, St, P>, A, ShowWindow<B>, 'separableConv2d'>
    >,
  pointwiseFilter: Tensor<NoInfer<T>, C>,
  strides: St,
  padding: P,
): Tensor<T, Conv2D<Depthwise<A, B, St, P>, C, [1, 1, 1, 1], 'VALID'>>;
export function separableConv2d<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  C extends Shape = any,
  const St extends Shape = Shape,
  const P extends Padding | ExplicitPadding = Padding,
  const R extends readonly number[] = [1, 1],
  const F extends DataFormat = 'NHWC',
>(
  x: Tensor<T, A>,
  depthwiseFilter: Tensor<NoInfer<T>, B> &
    ShapeError<
      | DepthwiseError<ImagesOf<A, F>, B, 'separableConv2d'>
      | FitError<DepthwiseIn<A, B, St, P, R, F>, A, ShowWindow<B>, 'separableConv2d'>
    >,
  pointwiseFilter: Tensor<NoInfer<T>, C>,
  options: {
    readonly strides: St;
    readonly padding: P;
    readonly rate?: R;
    readonly dataFormat?: F;
    readonly name?: string;
  },
): Tensor<T, InFormat<Conv2D<DepthwiseIn<A, B, St, P, R, F>, C, [1, 1, 1, 1], 'VALID'>, F>>;
export function separableConv2d(...given: unknown[]): AnyTensor {
  const { x, depthwiseFilter, pointwiseFilter, dataFormat = 'NHWC', name, ...window } = separableForm.take(given);
  requireDType('separableConv2d', x, signals);
  const attributes = attributesOf('separableConv2d', { ...window, dataFormat });
  const pointwise = pointwiseFilter.shape;
  if (pointwise && (pointwise.length !== 4 || [0, 1].some((i) => pointwise[i] !== null && pointwise[i] !== 1))) {
    throw new ShapeMismatchError(
      `separableConv2d: pointwiseFilter must be [1, 1, in, out], but its shape is ${showShape(pointwise)}.`,
    );
  }
  return channelsLast(x, dataFormat, (images) => {
    const deep: AnyTensor = apply(DepthwiseOp, [images, depthwiseFilter], attributes);
    return apply(Conv2DOp, [deep, pointwiseFilter], { strides: [1, 1], padding: 'VALID' }, name);
  });
}
