// Layers of filters that slide over images and rows.
import type { Tensor } from '../graph/tensor.ts';
import { type AnyTensor, tensor } from '../ops/define.ts';
import { biasAdd, conv2d as convolve, conv1d as convolveRows } from '../ops/nn.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import type {
  ConvolutionLayer,
  ImagesError,
  LayerFormat,
  LayerPadding,
  PairOfSizes,
  RowConvolution,
  RowsError,
  ShowPair,
} from '../tensor/layer-rules.ts';
import type { Shape } from '../tensor/shape.ts';
import type { ShapeError, ShowDim } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import type { FitError } from '../tensor/window-rules.ts';
import {
  activated,
  axesOf,
  biased,
  channelsLast,
  countKind,
  formatKind,
  inLayer,
  type KernelOptions,
  type KernelTaken,
  kernelKinds,
  kernelOf,
  knownSize,
  paddingKind,
  paddingOf,
  pairKind,
  pairOf,
  requireRank,
} from './layer.ts';

/** How windows go over what comes into a layer. */
export interface WindowOptions<St, P extends LayerPadding, Fm extends LayerFormat> {
  /** By how much the window goes on each time; default 1. */
  readonly strides?: St | undefined;
  /** `'same'`: zeros around, so that the output has ⌈size / stride⌉ positions; default `'valid'`: where the window fits. */
  readonly padding?: P | undefined;
  /** `'channels_first'`: images are [batch, channels, height, width], and so is the result; default `'channels_last'`. */
  readonly dataFormat?: Fm | undefined;
}
/** What a layer of filters is made with. */
export interface ConvolutionOptions<
  T extends FloatDType,
  S extends Shape,
  St,
  P extends LayerPadding,
  D = number,
  Fm extends LayerFormat = LayerFormat,
> extends KernelOptions<T, S>,
    WindowOptions<St, P, Fm> {
  /** How far apart the elements lie that a window looks at; default 1. */
  readonly dilationRate?: D | undefined;
}
export const imageAxes: readonly string[] = ['height', 'width'];

/** How many channels come in, where the format has them. */
export function channelsOf(op: string, inputs: AnyTensor, format: LayerFormat, axes: readonly string[]): number {
  const shape = requireRank(op, inputs, axesOf(format, axes));
  return knownSize(op, shape, format === 'channels_last' ? -1 : 1);
}

/** activation(filters over the inputs + bias): the filters see the channels last. */
export function filtered(
  op: string,
  inputs: AnyTensor,
  { dataFormat, ...options }: KernelTaken & { readonly dataFormat: LayerFormat },
  filters: (x: AnyTensor) => unknown,
): AnyTensor {
  const addBias = (y: AnyTensor, bias: AnyTensor) => biasAdd(y, bias, { name: 'BiasAdd' }) as AnyTensor;
  const y = channelsLast(inputs, dataFormat, (x) => biased(op, filters(x) as AnyTensor, addBias, options));
  return activated(op, y, options);
}

const form = signature(
  'tf.layers.conv2d',
  { inputs: tensor, filters: countKind, kernelSize: pairKind },
  { strides: pairKind, padding: paddingKind, dataFormat: formatKind, dilationRate: pairKind, ...kernelKinds },
);
/**
 * activation(inputs ∗ kernel + bias): so many filters that slide over images (a cross-correlation, see `tf.nn.conv2d`).
 *
 * Variables: `conv2d/kernel` [height, width, in, filters] and `conv2d/bias` [filters].
 *
 * @param inputs images [batch, height, width, channels]; the number of channels must be known.
 * @param kernelSize height and width of the window, or one number for both, and so are `options.strides` and
 * `options.dilationRate`.
 * @throws ShapeMismatchError for another rank, or where the window does not fit.
 *
 * ```ts
 * tf.layers.conv2d(images, 32, 5, { padding: 'same', activation: tf.nn.relu });      // [null, 28, 28, 1] → [null, 28, 28, 32]
 * ```
 *
 * Reference: tf.layers.conv2d of TensorFlow 1.
 */
export function conv2d<
  T extends FloatDType = any,
  A extends Shape = any,
  const F extends number = number,
  const K extends PairOfSizes = PairOfSizes,
  const St extends PairOfSizes = 1,
  P extends LayerPadding = 'valid',
  const D extends PairOfSizes = 1,
  Fm extends LayerFormat = 'channels_last',
>(
  inputs: Tensor<T, A> &
    ShapeError<
      ImagesError<A, 'conv2d', Fm> | FitError<ConvolutionLayer<A, F, K, St, P, D, Fm>, A, ShowPair<K>, 'conv2d'>
    >,
  filters: F,
  kernelSize: K,
  options?: ConvolutionOptions<NoInfer<T>, ConvolutionLayer<A, F, K, St, P, D, Fm>, St, P, D, Fm>,
): Tensor<T, ConvolutionLayer<A, F, K, St, P, D, Fm>>;
export function conv2d(...given: unknown[]): AnyTensor {
  const { inputs, filters, kernelSize, strides = 1, dilationRate = 1, ...more } = form.take(given);
  const { padding = 'valid', dataFormat = 'channels_last', ...options } = more;
  const channels = channelsOf('conv2d', inputs, dataFormat, imageAxes);
  const size = pairOf('conv2d', 'kernelSize', kernelSize);
  const step = pairOf('conv2d', 'strides', strides);
  const apart = pairOf('conv2d', 'dilationRate', dilationRate);
  return inLayer('conv2d', inputs, options, () => {
    const kernel = kernelOf([...size, channels, filters], inputs.dtype, options);
    const window = { strides: [1, ...step, 1], padding: paddingOf(padding), dilations: [1, ...apart, 1] };
    return filtered('conv2d', inputs, { ...options, dataFormat }, (x) => convolve(x, kernel, window));
  });
}

const rowsForm = signature(
  'tf.layers.conv1d',
  { inputs: tensor, filters: countKind, kernelSize: countKind },
  { strides: countKind, padding: paddingKind, dataFormat: formatKind, dilationRate: countKind, ...kernelKinds },
);
/**
 * activation(inputs ∗ kernel + bias): so many filters that slide along rows, such as times or words.
 *
 * Variables: `conv1d/kernel` [width, in, filters] and `conv1d/bias` [filters].
 *
 * @param inputs [batch, width, channels]; the number of channels must be known.
 * @throws ShapeMismatchError for another rank, or where the window does not fit.
 *
 * ```ts
 * tf.layers.conv1d(words, 64, 3, { padding: 'same', activation: tf.nn.relu });      // [null, 20, 50] → [null, 20, 64]
 * ```
 *
 * Reference: tf.layers.conv1d of TensorFlow 1.
 */
export function conv1d<
  T extends FloatDType = any,
  A extends Shape = any,
  const F extends number = number,
  const K extends number = number,
  const St extends number = 1,
  P extends LayerPadding = 'valid',
  const D extends number = 1,
  Fm extends LayerFormat = 'channels_last',
>(
  inputs: Tensor<T, A> &
    ShapeError<RowsError<A, 'conv1d', Fm> | FitError<RowConvolution<A, F, K, St, P, D, Fm>, A, ShowDim<K>, 'conv1d'>>,
  filters: F,
  kernelSize: K,
  options?: ConvolutionOptions<NoInfer<T>, RowConvolution<A, F, K, St, P, D, Fm>, St, P, D, Fm>,
): Tensor<T, RowConvolution<A, F, K, St, P, D, Fm>>;
export function conv1d(...given: unknown[]): AnyTensor {
  const { inputs, filters, kernelSize, strides = 1, dilationRate = 1, ...more } = rowsForm.take(given);
  const { padding = 'valid', dataFormat = 'channels_last', ...options } = more;
  const channels = channelsOf('conv1d', inputs, dataFormat, ['width']);
  return inLayer('conv1d', inputs, options, () => {
    const kernel = kernelOf([kernelSize, channels, filters], inputs.dtype, options);
    const window = { stride: strides, padding: paddingOf(padding), dilations: dilationRate, name: 'Squeeze' };
    return filtered('conv1d', inputs, { ...options, dataFormat }, (x) => convolveRows(x, kernel, window));
  });
}
