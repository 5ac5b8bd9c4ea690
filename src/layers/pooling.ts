// Layers that keep the largest element, or the mean, of windows over images.
import type { Tensor } from '../graph/tensor.ts';
import { type AnyTensor, tensor } from '../ops/define.ts';
import { avgPool, maxPool } from '../ops/nn.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import type { LayerPadding, PairOfSizes, PoolingLayer } from '../tensor/layer-rules.ts';
import type { Shape } from '../tensor/shape.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import type { Rank4Error } from '../tensor/window-rules.ts';
import {
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
export interface PoolingOptions<P extends LayerPadding> extends Omit<LayerOptions, 'reuse'> {
  /** `'same'`: the output has ⌈size / stride⌉ positions; default `'valid'`: where the window fits. */
  readonly padding?: P | undefined;
}
/** A pooling of images by windows. */
export interface PoolingFunction<Op extends string> {
  <
    T extends FloatDType = any,
    A extends Shape = any,
    const K extends PairOfSizes = PairOfSizes,
    const St extends PairOfSizes = PairOfSizes,
    P extends LayerPadding = 'valid',
  >(
    inputs: Tensor<T, A> & ShapeError<Rank4Error<A, Op>>,
    poolSize: K,
    strides: St,
    padding: P,
    options?: Omit<PoolingOptions<P>, 'padding'>,
  ): Tensor<T, PoolingLayer<A, K, St, P>>;
  <
    T extends FloatDType = any,
    A extends Shape = any,
    const K extends PairOfSizes = PairOfSizes,
    const St extends PairOfSizes = PairOfSizes,
    P extends LayerPadding = 'valid',
  >(
    inputs: Tensor<T, A> & ShapeError<Rank4Error<A, Op>>,
    poolSize: K,
    strides: St,
    options?: PoolingOptions<P>,
  ): Tensor<T, PoolingLayer<A, K, St, P>>;
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
    { padding: paddingKind, name },
    ['padding'],
  );
  return (...given: unknown[]): AnyTensor => {
    const { inputs, poolSize, strides, padding = 'valid', ...options } = form.take(given);
    requireRank(op, inputs, ['batch', 'height', 'width', 'channels']);
    const size = pairOf(op, 'poolSize', poolSize);
    const step = pairOf(op, 'strides', strides);
    const pooling = { ksize: [1, ...size, 1], strides: [1, ...step, 1], padding: paddingOf(padding) };
    return inLayer(base, inputs, options, () => (pool as typeof maxPool)(inputs, pooling) as AnyTensor);
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
