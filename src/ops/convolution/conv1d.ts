// Convolution along one axis: that of images of one row.
import { InvalidArgumentError, ShapeMismatchError } from '../../base/errors.ts';
import type { Tensor } from '../../graph/tensor.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import { needed, text, wholeNumber } from '../../tensor/kinds.ts';
import { type Shape, showShape } from '../../tensor/shape.ts';
import type { ShapeError, ShowDim } from '../../tensor/shape-types.ts';
import { signature } from '../../tensor/signature.ts';
import type { Conv1D, Conv1DError, FitError, Padding } from '../../tensor/window-rules.ts';
import { type AnyTensor, apply, requireDType, signals, tensor } from '../define.ts';
import { expandDims, squeeze } from '../shape.ts';
import { Conv2DOp } from './conv2d.ts';
import { paddingKind } from './window.ts';

const form = signature(
  'tf.nn.conv1d',
  { x: tensor, filters: tensor },
  { stride: needed(wholeNumber), padding: paddingKind, dilations: wholeNumber, name: text },
  ['stride', 'padding'],
);
/**
 * 1-D convolution of sequences [batch, width, in] with filters [width, in, out]: `conv2d` of images of one row.
 *
 * @param options.stride how far the filter goes on each time.
 * @param options.padding 'SAME' or 'VALID', as for `conv2d`.
 * @param options.dilations how far apart the elements lie that the filter looks at (default 1).
 * @throws ShapeMismatchError when the channels differ, naming both numbers.
 *
 * ```ts
 * tf.nn.conv1d(x, tf.zeros([5, 8, 16]), 1, 'SAME');      // [null, 100, 8] → [null, 100, 16]
 * ```
 */
export function conv1d<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const St extends number = number,
  const P extends Padding = Padding,
>(
  x: Tensor<T, A>,
  filters: Tensor<NoInfer<T>, B> &
    ShapeError<Conv1DError<A, B> | FitError<Conv1D<A, B, St, P, 1>, A, ShowDim<B[0]>, 'conv1d'>>,
  stride: St,
  padding: P,
  options?: { readonly name?: string },
): Tensor<T, Conv1D<A, B, St, P, 1>>;
export function conv1d<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
  const St extends number = number,
  const P extends Padding = Padding,
  const D extends number = 1,
>(
  x: Tensor<T, A>,
  filters: Tensor<NoInfer<T>, B> &
    ShapeError<Conv1DError<A, B> | FitError<Conv1D<A, B, St, P, D>, A, ShowDim<B[0]>, 'conv1d'>>,
  options: { readonly stride: St; readonly padding: P; readonly dilations?: D; readonly name?: string },
): Tensor<T, Conv1D<A, B, St, P, D>>;
export function conv1d(...given: unknown[]): AnyTensor {
  const { x, filters, stride, padding, dilations = 1, name = 'conv1d' } = form.take(given);
  requireDType('conv1d', x, signals);
  if (stride < 1 || dilations < 1)
    throw new InvalidArgumentError(
      `conv1d: stride and dilations must be at least 1, but ${stride} and ${dilations} came.`,
    );
  const ranks = [x, filters].map(({ shape }) => shape?.length ?? 3);
  if (ranks.some((rank) => rank !== 3)) {
    throw new ShapeMismatchError(
      `conv1d: input must be [batch, width, in] and filters [width, in, out], but their shapes are ${showShape(x.shape)} and ${showShape(filters.shape)}.`,
    );
  }
  const [c, ci] = [x.shape?.[2] ?? null, filters.shape?.[1] ?? null];
  if (c !== null && ci !== null && c !== ci) {
    throw new ShapeMismatchError(
      `conv1d: input has ${c} channels but the filters expect ${ci}: input ${showShape(x.shape)}, filters ${showShape(filters.shape)} as [width, in, out].`,
    );
  }
  const attributes = { strides: [1, stride] as const, padding, dilations: [1, dilations] as const };
  const rows = apply(Conv2DOp, [expandDims(x, 1), expandDims(filters, 0)], attributes) as AnyTensor;
  return squeeze(rows, [1], name);
}
