// The layer that undoes the shape of a convolution: each element of the input spreads over a window of the output.
import type { Tensor } from '../graph/tensor.ts';
import { add, mul } from '../ops/arithmetic.ts';
import { type AnyTensor, tensor } from '../ops/define.ts';
import { conv2dTranspose as spread } from '../ops/nn.ts';
import { sizesOf } from '../ops/shape-of.ts';
import type { SizeTensor } from '../ops/sizes.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import type { ImagesError, LayerFormat, LayerPadding, PairOfSizes, TransposedLayer } from '../tensor/layer-rules.ts';
import type { Shape } from '../tensor/shape.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import type { Padding } from '../tensor/window-rules.ts';
import { channelsOf, filtered, imageAxes, type WindowOptions } from './convolution.ts';
import {
  countKind,
  formatKind,
  inLayer,
  type KernelOptions,
  kernelKinds,
  kernelOf,
  paddingKind,
  paddingOf,
  pairKind,
  pairOf,
} from './layer.ts';

/** What a transposed convolution is made with. */
export interface TransposedOptions<
  T extends FloatDType,
  S extends Shape,
  St,
  P extends LayerPadding,
  Fm extends LayerFormat = LayerFormat,
> extends KernelOptions<T, S>,
    WindowOptions<St, P, Fm> {}

const form = signature(
  'tf.layers.conv2dTranspose',
  { inputs: tensor, filters: countKind, kernelSize: pairKind },
  { strides: pairKind, padding: paddingKind, dataFormat: formatKind, ...kernelKinds },
);
/**
 * activation(kernelᵀ ∗ inputs + bias): the adjoint of a convolution ("deconvolution", see `tf.nn.conv2dTranspose`). It
 * makes images larger: with padding 'same' of size · stride, with 'valid' of size · stride + max(kernel − stride, 0).
 *
 * Variables: `conv2d_transpose/kernel` [height, width, filters, in] and `conv2d_transpose/bias` [filters].
 *
 * @param inputs images [batch, height, width, channels]; the number of channels must be known.
 * @param kernelSize height and width of the window, or one number for both, and so are `options.strides`.
 * @throws ShapeMismatchError for another rank.
 *
 * ```ts
 * tf.layers.conv2dTranspose(code, 32, 5, { strides: 2, padding: 'same' });      // [null, 7, 7, 64] → [null, 14, 14, 32]
 * ```
 *
 * Source: Zeiler et al., "Deconvolutional Networks", CVPR 2010. Reference: tf.layers.conv2d_transpose of TensorFlow 1.
 */
export function conv2dTranspose<
  T extends FloatDType = any,
  A extends Shape = any,
  const F extends number = number,
  const K extends PairOfSizes = PairOfSizes,
  const St extends PairOfSizes = 1,
  P extends LayerPadding = 'valid',
  Fm extends LayerFormat = 'channels_last',
>(
  inputs: Tensor<T, A> & ShapeError<ImagesError<A, 'conv2dTranspose', Fm>>,
  filters: F,
  kernelSize: K,
  options?: TransposedOptions<NoInfer<T>, TransposedLayer<A, F, K, St, P, Fm>, St, P, Fm>,
): Tensor<T, TransposedLayer<A, F, K, St, P, Fm>>;
export function conv2dTranspose(...given: unknown[]): AnyTensor {
  const { inputs, filters, kernelSize, strides = 1, padding = 'valid', ...more } = form.take(given);
  const { dataFormat = 'channels_last', ...options } = more;
  const op = 'conv2dTranspose';
  const channels = channelsOf(op, inputs, dataFormat, imageAxes);
  const window: Windows = {
    size: pairOf(op, 'kernelSize', kernelSize),
    step: pairOf(op, 'strides', strides),
    padding: paddingOf(padding),
  };
  return inLayer('conv2d_transpose', inputs, options, () => {
    const kernel = kernelOf([...window.size, filters, channels], inputs.dtype, options);
    return filtered(op, inputs, { ...options, dataFormat }, (x) =>
      spread(x, kernel, {
        outputShape: [null, ...spreadSizes(x, window), filters],
        strides: [1, ...window.step, 1],
        padding: window.padding,
      }),
    );
  });
}

interface Windows {
  readonly size: readonly [number, number];
  readonly step: readonly [number, number];
  readonly padding: Padding;
}
/** Height and width of the result, computed by the graph where those of x are not known. */
function spreadSizes(x: AnyTensor, { size, step, padding }: Windows): (number | SizeTensor)[] {
  const sizes = (x.shape as Shape).slice(1, 3).includes(null) ? sizesOf(x) : (x.shape as readonly number[]);
  return [0, 1].map((i) => {
    const more = padding === 'SAME' ? 0 : Math.max(size[i] - step[i], 0);
    const d = sizes[1 + i];
    return typeof d === 'number' ? d * step[i] + more : (add(mul(d, step[i]), more) as SizeTensor);
  });
}
