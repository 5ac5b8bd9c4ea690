// Transposed convolution: the adjoint of a convolution, as a layer of its own. It has the same kernels.
import { InvalidArgumentError, ShapeMismatchError } from '../../base/errors.ts';
import { Tensor } from '../../graph/tensor.ts';
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
import { type GivenSizes, knownSizes, type ShapeOfSizes, type Sizes, takeSizeTensors } from '../sizes.ts';
import { backpropInput, Conv2DBackpropFilterOp, Conv2DOp, type ConvolutionAttributes } from './conv2d.ts';
import { anyPadding, channelsLast, dataFormatKind, paddingOf, slid, spatial, windowSizes } from './window.ts';

interface TransposedAttributes extends ConvolutionAttributes {
  /** The shape of the result in its format; a batch of −1 is that of the input. */
  readonly outputShape: GivenSizes;
  readonly dataFormat: DataFormat;
}

const op = 'conv2dTranspose';
const batchOfInput = -1;

/** Batch, height, width and channels of the result, as far as they are known. */
function wantedShape(x: TensorType, sizes: readonly TensorType[], attributes: TransposedAttributes): Shape {
  const known = knownSizes(attributes.outputShape, sizes) ?? [null, null, null, null];
  const [n, ...rest] = known;
  if (rest.length !== 3 || rest.some((d) => d !== null && d < 1)) {
    throw new ShapeMismatchError(
      `${op}: outputShape must be four sizes, of which the first, the batch, may be null, but it is ${showShape(known)}.`,
    );
  }
  const batch = x.shape?.[0] ?? null;
  if (n !== null && n !== batchOfInput && batch !== null && n !== batch) {
    throw new ShapeMismatchError(
      `${op}: outputShape ${showShape(known)} has a batch of ${n}, but the input, ${showShape(x.shape)}, one of ${batch}; null takes that of the input.`,
    );
  }
  const [a, b, c] = rest;
  return [batch ?? (n === batchOfInput ? null : n), ...(attributes.dataFormat === 'NHWC' ? [a, b, c] : [b, c, a])];
}

function inferTransposed([x, filter, ...sizes]: readonly TensorType[], attributes: TransposedAttributes): TensorType {
  const dtype = sameDType(op, [x, filter]);
  requireDType(op, x, signals);
  if ((x.shape && x.shape.length !== 4) || (filter.shape && filter.shape.length !== 4)) {
    throw new ShapeMismatchError(
      `${op}: input must be [batch, height, width, in] and filter [height, width, out, in], but their shapes are ${showShape(x.shape)} and ${showShape(filter.shape)}.`,
    );
  }
  const [, h, w, c] = x.shape ?? [null, null, null, null];
  const [kh, kw, co, ci] = filter.shape ?? [null, null, null, null];
  if (c !== null && ci !== null && c !== ci) {
    throw new ShapeMismatchError(
      `${op}: input has ${c} channels but the filter expects ${ci}: input ${showShape(x.shape)}, filter ${showShape(filter.shape)} as [height, width, out, in].`,
    );
  }
  const [n, height, width, channels] = wantedShape(x, sizes, attributes);
  if (co !== null && channels !== null && co !== channels) {
    throw new ShapeMismatchError(
      `${op}: outputShape has ${channels} channels but the filter makes ${co}: filter ${showShape(filter.shape)} as [height, width, out, in].`,
    );
  }
  const came: readonly Dim[] = [slid(op, height, kh, attributes, 0), slid(op, width, kw, attributes, 1)];
  const fits = [h, w].every((d, i) => d === null || came[i] === null || d === came[i]);
  if (!fits) {
    throw new ShapeMismatchError(
      `${op}: a convolution of ${height} × ${width} gives ${came.join(' × ')}, but the input is ${h} × ${w}: with strides ${attributes.strides.join(', ')} another outputShape is needed.`,
    );
  }
  return { dtype, shape: [n, height, width, channels ?? co] };
}

/** Inputs: x, filter, and the sizes of the result that tensors give. */
const Conv2DTransposeOp: OpDefinition<TransposedAttributes> = defineOp({
  name: 'Conv2DTranspose',
  takesSizes: true,
  infer: inferTransposed,
  gradient: ({ inputs: [x, filter], attributes: { outputShape: _, dataFormat: __, ...convolution } }, [dy]) => [
    dy && apply(Conv2DOp, [dy, filter], convolution),
    dy && apply(Conv2DBackpropFilterOp, [dy, x, filter], convolution),
  ],
  lower: ([x, filter], { attributes, outputs: [{ shape }] }) => backpropInput(filter, x, shape, attributes),
});

/** What the user gave: sizes, among them null for the batch, and tensors. */
function outputShapeOf(given: unknown): { sizes: GivenSizes; inputs: AnyTensor[] } {
  const list = listOf(given)?.map((d, i) => (i === 0 && d === null ? batchOfInput : d));
  const isSize = (d: unknown, i: number) =>
    d instanceof Tensor || (Number.isSafeInteger(d) && ((d as number) >= 1 || i === 0));
  if (!(given instanceof Tensor) && !(list?.length === 4 && list.every(isSize))) {
    throw new InvalidArgumentError(
      `${op}: outputShape must be four sizes, of which the first, the batch, may be null, or an int32 tensor of them, but ${describeList(given)} came.`,
    );
  }
  return takeSizeTensors(op, 'outputShape', list ?? given);
}

const form = signature(
  'tf.nn.conv2dTranspose',
  { x: tensor, filter: tensor },
  {
    outputShape: needed(anything<Sizes>('[batch, height, width, out]')),
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
 * @param outputShape [batch, height, width, out]: numbers, int32 scalars that the graph computes (of `tf.shape`), or one
 * vector of them. The batch is that of x and may be null. With padding 'SAME' height and width are usually those of x
 * times the strides.
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
  const O extends Sizes = Shape,
  const St extends Shape = Shape,
  const P extends Padding | ExplicitPadding = Padding,
>(
  x: Tensor<T, A>,
  filter: Tensor<NoInfer<T>, B> & ShapeError<Conv2DTransposeError<A, B, ShapeOfSizes<O>, St, P>>,
  outputShape: O,
  strides: St,
  padding: P,
): Tensor<T, Conv2DTranspose<A, ShapeOfSizes<O>>>;
export function conv2dTranspose<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const O extends Sizes = Shape,
  const St extends Shape = Shape,
  const P extends Padding | ExplicitPadding = Padding,
  const F extends DataFormat = 'NHWC',
>(
  x: Tensor<T, A>,
  filter: Tensor<NoInfer<T>, B> &
    ShapeError<F extends 'NHWC' ? Conv2DTransposeError<A, B, ShapeOfSizes<O>, St, P> : never>,
  options: {
    readonly outputShape: O;
    readonly strides: St;
    readonly padding: P;
    readonly dataFormat?: F;
    readonly name?: string;
  },
): Tensor<T, Conv2DTranspose<A, ShapeOfSizes<O>>>;
export function conv2dTranspose(...given: unknown[]): AnyTensor {
  const { x, filter, outputShape, strides, padding, dataFormat = 'NHWC', name } = form.take(given);
  const { sizes, inputs } = outputShapeOf(outputShape);
  const attributes: TransposedAttributes = {
    outputShape: sizes,
    dataFormat,
    strides: spatial(op, 'strides', strides, dataFormat),
    padding: paddingOf(op, padding, dataFormat),
  };
  return channelsLast(x, dataFormat, (images) =>
    apply(Conv2DTransposeOp, [images, filter, ...inputs], attributes, name),
  );
}
