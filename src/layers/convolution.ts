// Layers of filters that slide over images and rows.
import type { Tensor } from '../graph/tensor.ts';
import { type AnyTensor, tensor } from '../ops/define.ts';
import { biasAdd, conv2d as convolve, conv1d as convolveRows } from '../ops/nn.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import type {
  ConvolutionLayer,
  ImagesError,
  LayerPadding,
  PairOfSizes,
  RowConvolution,
  RowsError,
} from '../tensor/layer-rules.ts';
import type { Shape } from '../tensor/shape.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import {
  countKind,
  finished,
  inLayer,
  type KernelOptions,
  kernelKinds,
  kernelOf,
  knownSize,
  paddingKind,
  paddingOf,
  pairKind,
  pairOf,
  requireRank,
} from './layer.ts';

/** What a layer of filters is made with. */
export interface ConvolutionOptions<T extends FloatDType, S extends Shape, St, P extends LayerPadding>
  extends KernelOptions<T, S> {
  /** By how much the window goes on each time; default 1. */
  readonly strides?: St | undefined;
  /** `'same'`: zeros around, so that the output has ⌈size / stride⌉ positions; default `'valid'`: where the window fits. */
  readonly padding?: P | undefined;
}
const addBias = (y: AnyTensor, bias: AnyTensor) => biasAdd(y, bias, { name: 'BiasAdd' }) as AnyTensor;

const form = signature(
  'tf.layers.conv2d',
  { inputs: tensor, filters: countKind, kernelSize: pairKind },
  { strides: pairKind, padding: paddingKind, ...kernelKinds },
);
/**
 * activation(inputs ∗ kernel + bias): so many filters that slide over images (a cross-correlation, see `tf.nn.conv2d`).
 *
 * Variables: `conv2d/kernel` [height, width, in, filters] and `conv2d/bias` [filters].
 *
 * @param inputs images [batch, height, width, channels]; the number of channels must be known.
 * @param kernelSize height and width of the window, or one number for both, and so are `options.strides`.
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
>(
  inputs: Tensor<T, A> & ShapeError<ImagesError<A, 'conv2d'>>,
  filters: F,
  kernelSize: K,
  options?: ConvolutionOptions<NoInfer<T>, ConvolutionLayer<A, F, K, St, P>, St, P>,
): Tensor<T, ConvolutionLayer<A, F, K, St, P>>;
export function conv2d(...given: unknown[]): AnyTensor {
  const { inputs, filters, kernelSize, strides = 1, padding = 'valid', ...options } = form.take(given);
  const shape = requireRank('conv2d', inputs, ['batch', 'height', 'width', 'channels']);
  const channels = knownSize('conv2d', shape, -1);
  const size = pairOf('conv2d', 'kernelSize', kernelSize);
  const step = pairOf('conv2d', 'strides', strides);
  return inLayer('conv2d', inputs, options, () => {
    const kernel = kernelOf([...size, channels, filters], inputs.dtype, options);
    const y = convolve(inputs, kernel, { strides: [1, ...step, 1], padding: paddingOf(padding) }) as AnyTensor;
    return finished('conv2d', y, addBias, options);
  });
}

const rowsForm = signature(
  'tf.layers.conv1d',
  { inputs: tensor, filters: countKind, kernelSize: countKind },
  { strides: countKind, padding: paddingKind, ...kernelKinds },
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
>(
  inputs: Tensor<T, A> & ShapeError<RowsError<A, 'conv1d'>>,
  filters: F,
  kernelSize: K,
  options?: ConvolutionOptions<NoInfer<T>, RowConvolution<A, F, K, St, P>, St, P>,
): Tensor<T, RowConvolution<A, F, K, St, P>>;
export function conv1d(...given: unknown[]): AnyTensor {
  const { inputs, filters, kernelSize, strides = 1, padding = 'valid', ...options } = rowsForm.take(given);
  const channels = knownSize('conv1d', requireRank('conv1d', inputs, ['batch', 'width', 'channels']), -1);
  return inLayer('conv1d', inputs, options, () => {
    const kernel = kernelOf([kernelSize, channels, filters], inputs.dtype, options);
    const y = convolveRows(inputs, kernel, {
      stride: strides,
      padding: paddingOf(padding),
      name: 'Squeeze',
    }) as AnyTensor;
    return finished('conv1d', y, addBias, options);
  });
}
