// Layers that keep the largest element, or the mean, of windows over images.
import type { Tensor } from '../graph/tensor.ts';
import { type AnyTensor, tensor } from '../ops/define.ts';
import { avgPool, maxPool } from '../ops/nn.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import type {
  LayerFormat,
  LayerPadding,
  PairOfSizes,
  PoolingError,
  PoolingLayer,
  ShowPair,
} from '../tensor/layer-rules.ts';
import type { Shape } from '../tensor/shape.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import type { FitError } from '../tensor/window-rules.ts';
import { imageAxes, type WindowOptions } from './convolution.ts';
import {
  axesOf,
  channelsLast,
  formatKind,
  inLayer,
  type LayerOptions,
  layerKinds,
  paddingKind,
  paddingOf,
  pairKind,
  pairOf,
  requireRank,
} from './layer.ts';

/** What a pooling layer is made with. */
export interface PoolingOptions<P extends LayerPadding, Fm extends LayerFormat = LayerFormat>
  extends Omit<LayerOptions, 'reuse'>,
    Omit<WindowOptions<never, P, Fm>, 'strides'> {}
/** A pooling of images by windows. */
export interface PoolingFunction<Op extends string> {
  <
    T extends FloatDType = any,
    A extends Shape = any,
    const K extends PairOfSizes = PairOfSizes,
    const St extends PairOfSizes = PairOfSizes,
    P extends LayerPadding = 'valid',
    Fm extends LayerFormat = 'channels_last',
  >(
    inputs: Tensor<T, A> &
      ShapeError<PoolingError<A, Op, Fm> | FitError<PoolingLayer<A, K, St, P, Fm>, A, ShowPair<K>, Op>>,
    poolSize: K,
    strides: St,
    padding: P,
    options?: Omit<PoolingOptions<P, Fm>, 'padding'>,
  ): Tensor<T, PoolingLayer<A, K, St, P, Fm>>;
  <
    T extends FloatDType = any,
    A extends Shape = any,
    const K extends PairOfSizes = PairOfSizes,
    const St extends PairOfSizes = PairOfSizes,
    P extends LayerPadding = 'valid',
    Fm extends LayerFormat = 'channels_last',
  >(
    inputs: Tensor<T, A> &
      ShapeError<PoolingError<A, Op, Fm> | FitError<PoolingLayer<A, K, St, P, Fm>, A, ShowPair<K>, Op>>,
    poolSize: K,
    strides: St,
    options?: PoolingOptions<P, Fm>,
  ): Tensor<T, PoolingLayer<A, K, St, P, Fm>>;
}
function poolingFunction<Op extends string>(
  op: Op,
  base: string,
  pool: typeof maxPool | typeof avgPool,
): PoolingFunction<Op> {
  const { name } = layerKinds;
  const form = signature(
    `tf.layers.${op}`,
    { inputs: tensor, poolSize: pairKind, strides: pairKind },
    { padding: paddingKind, dataFormat: formatKind, name },
    ['padding'],
  );
  return (...given: unknown[]): AnyTensor => {
    const { inputs, poolSize, strides, padding = 'valid', dataFormat = 'channels_last', ...options } = form.take(given);
    requireRank(op, inputs, axesOf(dataFormat, imageAxes));
    const size = pairOf(op, 'poolSize', poolSize);
    const step = pairOf(op, 'strides', strides);
    const pooling = { ksize: [1, ...size, 1], strides: [1, ...step, 1], padding: paddingOf(padding) };
    return inLayer(base, inputs, options, () =>
      channelsLast(inputs, dataFormat, (x) => (pool as typeof maxPool)(x, pooling) as AnyTensor),
    );
  };
}

/**
 * The largest element of each window.
 *
 * @param poolSize height and width of the window, or one number for both, and so are the strides.
 *
 * ```ts
 * tf.layers.maxPooling2d(images, 2, 2);      // [null, 28, 28, 32] → [null, 14, 14, 32]
 * ```
 *
 * Reference: tf.layers.max_pooling2d of TensorFlow 1.
 */
export const maxPooling2d: PoolingFunction<'maxPooling2d'> = poolingFunction('maxPooling2d', 'max_pooling2d', maxPool);
/** The mean of each window; padding is not counted. As `tf.layers.maxPooling2d`. */
export const averagePooling2d: PoolingFunction<'averagePooling2d'> = poolingFunction(
  'averagePooling2d',
  'average_pooling2d',
  avgPool,
);
