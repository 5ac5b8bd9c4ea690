// Transposed convolution: the adjoint of a convolution, as a layer of its own. It has the same kernels.
import { InvalidArgumentError, ShapeMismatchError } from '../../base/errors.ts';
import type { Tensor } from '../../graph/tensor.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import { anything, needed, text } from '../../tensor/kinds.ts';
import { type Dim, type Shape, showShape } from '../../tensor/shape.ts';
import type { ShapeError } from '../../tensor/shape-types.ts';
import { signature } from '../../tensor/signature.ts';
import { describeList, listOf } from '../../tensor/sizes.ts';
import type {
  Conv2DTranspose,
  Conv2DTransposeError,
  DataFormat,
  ExplicitPadding,
  Padding,
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
import { backpropInput, Conv2DBackpropFilterOp, Conv2DOp, type ConvolutionAttributes } from './conv2d.ts';
import { anyPadding, channelsLast, dataFormatKind, paddingOf, slid, spatial, windowSizes } from './window.ts';

interface TransposedAttributes extends ConvolutionAttributes {
  /** Height, width and channels of the result. */
  readonly size: readonly [number, number, number];
}

const op = 'conv2dTranspose';

function inferTransposed([x, filter]: readonly TensorType[], attributes: TransposedAttributes): TensorType {
  const dtype = sameDType(op, [x, filter]);
  requireDType(op, x, signals);
  if ((x.shape && x.shape.length !== 4) || (filter.shape && filter.shape.length !== 4)) {
    throw new ShapeMismatchError(
      `${op}: input must be [batch, height, width, in] and filter [height, width, out, in], but their shapes are ${showShape(x.shape)} and ${showShape(filter.shape)}.`,
    );
  }
  const [n, h, w, c] = x.shape ?? [null, null, null, null];
  const [kh, kw, co, ci] = filter.shape ?? [null, null, null, null];
  const { size } = attributes;
  if (c !== null && ci !== null && c !== ci) {
    throw new ShapeMismatchError(
      `${op}: input has ${c} channels but the filter expects ${ci}: input ${showShape(x.shape)}, filter ${showShape(filter.shape)} as [height, width, out, in].`,
    );
  }
  if (co !== null && co !== size[2]) {
    throw new ShapeMismatchError(
      `${op}: outputShape has ${size[2]} channels but the filter makes ${co}: filter ${showShape(filter.shape)} as [height, width, out, in].`,
    );
  }
  const came: readonly Dim[] = [slid(op, size[0], kh, attributes, 0), slid(op, size[1], kw, attributes, 1)];
  const fits = [h, w].every((d, i) => d === null || came[i] === null || d === came[i]);
  if (!fits) {
    throw new ShapeMismatchError(
      `${op}: a convolution of ${size[0]} × ${size[1]} gives ${came.join(' × ')}, but the input is ${h} × ${w}: with strides ${attributes.strides.join(', ')} another outputShape is needed.`,
    );
  }
  return { dtype, shape: [n, ...size] };
}

/** Inputs: x, filter. */
const Conv2DTransposeOp: OpDefinition<TransposedAttributes> = defineOp({
  name: 'Conv2DTranspose',
  infer: inferTransposed,
  gradient: ({ inputs: [x, filter], attributes: { size: _, ...convolution } }, [dy]) => [
    dy && apply(Conv2DOp, [dy, filter], convolution),
    dy && apply(Conv2DBackpropFilterOp, [dy, x, filter], convolution),
  ],
  lower: ([x, filter], { attributes, outputs: [{ shape }] }) => backpropInput(filter, x, shape, attributes),
});

/** The batch, which follows from the input, and height, width and channels. */
function sizesOf(given: Shape, dataFormat: DataFormat): { batch: unknown; size: [number, number, number] } {
  const list = listOf(given) ?? [];
  const whole = list.slice(1).every((n) => Number.isSafeInteger(n) && (n as number) >= 1);
  if (list.length !== 4 || !whole) {
    throw new InvalidArgumentError(
      `${op}: outputShape must be four sizes, of which the first, the batch, may be null, but ${describeList(given)} came.`,
    );
  }
  const [a, b, c] = list.slice(1) as number[];
  return { batch: list[0], size: dataFormat === 'NHWC' ? [a, b, c] : [b, c, a] };
}

const form = signature(
  'tf.nn.conv2dTranspose',
  { x: tensor, filter: tensor },
  {
    outputShape: needed(anything<Shape>('[batch, height, width, out]')),
    strides: windowSizes,
    padding: anyPadding,
    dataFormat: dataFormatKind,
    name: text,
  },
  ['outputShape', 'strides', 'padding'],
);
/**
 * The transposed convolution ("deconvolution"): what the gradient of `conv2d` makes of dy, for images
 * [batch, height, width, in], a filter [height, width, out, in] and results of outputShape.
 *
 * @param outputShape [batch, height, width, out]; the batch is that of x and may be null. With padding 'SAME' height and
 * width are usually those of x times the strides.
 * @param options.padding as of the convolution whose adjoint it is.
 * @throws ShapeMismatchError when a convolution of outputShape does not give the size of x, or channels differ.
 *
 * ```ts
 * // [null, 7, 7, 64] → [null, 14, 14, 32]
 * tf.nn.conv2dTranspose(x, tf.zeros([5, 5, 32, 64]), [null, 14, 14, 32], [1, 2, 2, 1], 'SAME');
 * ```
 *
 * Source: Zeiler et al., "Deconvolutional Networks", CVPR 2010.
 */
export function conv2dTranspose<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const O extends Shape = Shape,
  const St extends Shape = Shape,
  const P extends Padding | ExplicitPadding = Padding,
>(
  x: Tensor<T, A>,
  filter: Tensor<NoInfer<T>, B> & ShapeError<Conv2DTransposeError<A, B, O, St, P>>,
  outputShape: O,
  strides: St,
  padding: P,
): Tensor<T, Conv2DTranspose<A, O>>;
export function conv2dTranspose<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const O extends Shape = Shape,
  const St extends Shape = Shape,
  const P extends Padding | ExplicitPadding = Padding,
  const F extends DataFormat = 'NHWC',
>(
  x: Tensor<T, A>,
  filter: Tensor<NoInfer<T>, B> & ShapeError<F extends 'NHWC' ? Conv2DTransposeError<A, B, O, St, P> : never>,
  options: {
    readonly outputShape: O;
    readonly strides: St;
    readonly padding: P;
    readonly dataFormat?: F;
    readonly name?: string;
  },
): Tensor<T, Conv2DTranspose<A, O>>;
export function conv2dTranspose(...given: unknown[]): AnyTensor {
  const { x, filter, outputShape, strides, padding, dataFormat = 'NHWC', name } = form.take(given);
  const { batch, size } = sizesOf(outputShape, dataFormat);
  const attributes: TransposedAttributes = {
    size,
    strides: spatial(op, 'strides', strides, dataFormat),
    padding: paddingOf(op, padding, dataFormat),
  };
  if (typeof batch === 'number' && x.shape?.[0] !== undefined && x.shape[0] !== null && batch !== x.shape[0]) {
    throw new ShapeMismatchError(
      `${op}: outputShape ${showShape(outputShape)} has a batch of ${batch}, but the input, ${showShape(x.shape)}, one of ${x.shape[0]}; null takes that of the input.`,
    );
  }
  return channelsLast(x, dataFormat, (images) => apply(Conv2DTransposeOp, [images, filter], attributes, name));
}
