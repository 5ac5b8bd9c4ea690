// The layer that convolves each channel by itself, and then mixes the channels of each position.
import type { Tensor } from '../graph/tensor.ts';
import { type AnyTensor, tensor } from '../ops/define.ts';
import { separableConv2d as convolve } from '../ops/nn.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import type {
  ConvolutionLayer,
  ImagesError,
  LayerFormat,
  LayerPadding,
  PairOfSizes,
  ShowPair,
} from '../tensor/layer-rules.ts';
import type { Shape } from '../tensor/shape.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import type { FitError } from '../tensor/window-rules.ts';
import type { Initializer } from '../variables/initializers.ts';
import type { Regularizer } from '../variables/scope.ts';
import { type ConvolutionOptions, channelsOf, filtered, imageAxes } from './convolution.ts';
import {
  countKind,
  formatKind,
  initializerKind,
  inLayer,
  kernelKinds,
  paddingKind,
  paddingOf,
  pairKind,
  pairOf,
  regularizerKind,
  weight,
} from './layer.ts';

/** What a separable convolution is made with. */
export interface SeparableOptions<
  T extends FloatDType,
  S extends Shape,
  St,
  P extends LayerPadding,
  D = number,
  Fm extends LayerFormat = LayerFormat,
> extends Omit<ConvolutionOptions<T, S, St, P, D, Fm>, 'kernelInitializer' | 'kernelRegularizer'> {
  /** How many channels are made of each, before they are mixed; default 1. */
  readonly depthMultiplier?: number | undefined;
  /** Default: that of the scope around, else `tf.initializers.glorotUniform()`. */
  readonly depthwiseInitializer?: Initializer | undefined;
  /** Default: that of the scope around, else `tf.initializers.glorotUniform()`. */
  readonly pointwiseInitializer?: Initializer | undefined;
  readonly depthwiseRegularizer?: Regularizer | null | undefined;
  readonly pointwiseRegularizer?: Regularizer | null | undefined;
}

const { kernelInitializer: _, kernelRegularizer: __, ...commonKinds } = kernelKinds;
const form = signature(
  'tf.layers.separableConv2d',
  { inputs: tensor, filters: countKind, kernelSize: pairKind },
  {
    strides: pairKind,
    padding: paddingKind,
    dataFormat: formatKind,
    dilationRate: pairKind,
    depthMultiplier: countKind,
    depthwiseInitializer: initializerKind,
    pointwiseInitializer: initializerKind,
    depthwiseRegularizer: regularizerKind,
    pointwiseRegularizer: regularizerKind,
    ...commonKinds,
  },
);
/**
 * activation(pointwise · (inputs ∗ depthwise) + bias): a filter for each channel by itself, then a product with a matrix
 * that mixes the channels of each position. It has far less weights than `tf.layers.conv2d`.
 *
 * Variables: `separable_conv2d/depthwise_kernel` [height, width, in, depthMultiplier],
 * `separable_conv2d/pointwise_kernel` [1, 1, in · depthMultiplier, filters] and `separable_conv2d/bias` [filters].
 *
 * @param inputs images [batch, height, width, channels]; the number of channels must be known.
 * @param kernelSize height and width of the window, or one number for both, and so are `options.strides` and
 * `options.dilationRate`.
 * @throws ShapeMismatchError for another rank, or where the window does not fit.
 *
 * ```ts
 * tf.layers.separableConv2d(images, 64, 3, { padding: 'same' });      // [null, 28, 28, 32] → [null, 28, 28, 64]
 * ```
 *
 * Source: Chollet, "Xception", CVPR 2017. Reference: tf.layers.separable_conv2d of TensorFlow 1.
 */
export function separableConv2d<
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
      | ImagesError<A, 'separableConv2d', Fm>
      | FitError<ConvolutionLayer<A, F, K, St, P, D, Fm>, A, ShowPair<K>, 'separableConv2d'>
    >,
  filters: F,
  kernelSize: K,
  options?: SeparableOptions<NoInfer<T>, ConvolutionLayer<A, F, K, St, P, D, Fm>, St, P, D, Fm>,
): Tensor<T, ConvolutionLayer<A, F, K, St, P, D, Fm>>;
export function separableConv2d(...given: unknown[]): AnyTensor {
  const { inputs, filters, kernelSize, strides = 1, dilationRate = 1, depthMultiplier = 1, ...more } = form.take(given);
  const { padding = 'valid', dataFormat = 'channels_last', ...rest } = more;
  const { depthwiseInitializer, pointwiseInitializer, depthwiseRegularizer, pointwiseRegularizer, ...options } = rest;
  const op = 'separableConv2d';
  const channels = channelsOf(op, inputs, dataFormat, imageAxes);
  const size = pairOf(op, 'kernelSize', kernelSize);
  const step = pairOf(op, 'strides', strides);
  const rate = pairOf(op, 'dilationRate', dilationRate);
  return inLayer('separable_conv2d', inputs, options, () => {
    const own = { dtype: inputs.dtype, trainable: options.trainable };
    const deep = weight('depthwise_kernel', [...size, channels, depthMultiplier], {
      ...own,
      initializer: depthwiseInitializer,
      regularizer: depthwiseRegularizer,
    });
    const mixing = weight('pointwise_kernel', [1, 1, channels * depthMultiplier, filters], {
      ...own,
      initializer: pointwiseInitializer,
      regularizer: pointwiseRegularizer,
    });
    const window = { strides: [1, ...step, 1], padding: paddingOf(padding), rate };
    return filtered(op, inputs, { ...options, dataFormat }, (x) => convolve(x, deep, mixing, window));
  });
}
