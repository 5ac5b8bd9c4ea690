// Windows that slide over images: how far, how far apart what they look at lies, and what is put around the images.
import { InvalidArgumentError, ShapeMismatchError } from '../../base/errors.ts';
import * as p from '../../primitives/primitives.ts';
import { anything, needed, oneOf } from '../../tensor/kinds.ts';
import type { Dim, Shape } from '../../tensor/shape.ts';
import { describeList, listOf } from '../../tensor/sizes.ts';
import type { DataFormat, Padding } from '../../tensor/window-rules.ts';
import { type AnyTensor, describe } from '../define.ts';
import { transpose } from '../shape.ts';

/** What is put before and after an axis. */
export type Margins = readonly [low: number, high: number];

/** @internal Strides and padding of a sliding window, along height and width. */
export interface WindowAttributes {
  readonly strides: readonly [number, number];
  readonly padding: Padding | readonly [Margins, Margins];
  /** How far apart the elements lie that a window looks at. */
  readonly dilations?: readonly [number, number];
}

/** @internal Strides or window sizes as given by the user, [1, height, width, 1], checked. */
export function spatial(
  op: string,
  what: string,
  given: Shape | undefined,
  dataFormat: DataFormat = 'NHWC',
): [number, number] {
  const list = listOf(given) ?? [];
  const whole = list.every((n) => Number.isSafeInteger(n) && (n as number) >= 1);
  const [h, w, c] = dataFormat === 'NHWC' ? [1, 2, 3] : [2, 3, 1];
  if (!whole || list.length !== 4 || list[0] !== 1 || list[c] !== 1) {
    const form = dataFormat === 'NHWC' ? '[1, height, width, 1]' : '[1, 1, height, width]';
    throw new InvalidArgumentError(
      `${op}: ${what} must be ${form} with whole numbers of at least 1, but ${describeList(given)} came.`,
    );
  }
  return [list[h] as number, list[w] as number];
}

/** @internal Looked at by `spatial`. */
export const windowSizes = needed(anything<Shape>('[1, height, width, 1]'));
/** @internal */
export const paddingKind = needed<Padding>(oneOf(['SAME', 'VALID']));
/** @internal Looked at by `paddingOf`. */
export const anyPadding = needed(anything<WindowPadding>("'SAME' or 'VALID', or pairs of margins"));
/** @internal */
export const dilationSizes = anything<Shape>('[1, height, width, 1]');
/** @internal */
export const dataFormatKind = oneOf(['NHWC', 'NCHW']);

/** @internal */
export type WindowPadding = Padding | readonly (readonly number[])[];

/** @internal 'SAME', 'VALID', or the margins of height and width from a pair for each axis. */
export function paddingOf(
  op: string,
  given: WindowPadding,
  dataFormat: DataFormat = 'NHWC',
): WindowAttributes['padding'] {
  if (given === 'SAME' || given === 'VALID') return given;
  const pairs = listOf(given)?.map((pair) => listOf(pair));
  const fits =
    pairs?.length === 4 &&
    pairs.every((pair) => pair?.length === 2 && pair.every((n) => Number.isSafeInteger(n) && (n as number) >= 0));
  const [h, w, c] = dataFormat === 'NHWC' ? [1, 2, 3] : [2, 3, 1];
  if (!fits || [0, c].some((axis) => pairs[axis]?.some((n) => n !== 0))) {
    const came = pairs ? `${pairs.length} of another form` : describe(given);
    throw new InvalidArgumentError(
      `${op}: padding must be 'SAME', 'VALID' or a pair [before, after] for each of the four axes, [0, 0] for batch and channels, but ${came} came.`,
    );
  }
  return [pairs[h] as unknown as Margins, pairs[w] as unknown as Margins];
}

/** The padding along height (0) or width (1). */
const along = (padding: WindowAttributes['padding'], axis: number): Padding | Margins =>
  typeof padding === 'string' ? padding : padding[axis];

/** How many elements a window of k spans along height (0) or width (1). */
export const spanOf = (k: number, { dilations }: WindowAttributes, axis: number): number =>
  (k - 1) * (dilations?.[axis] ?? 1) + 1;

/** @internal The size along height (0) or width (1) after a window of so many elements has slid over it. */
export function slid(op: string, size: Dim, k: Dim, attributes: WindowAttributes, axis: number): Dim {
  if (size === null) return null;
  const stride = attributes.strides[axis];
  const padding = along(attributes.padding, axis);
  if (padding === 'SAME') return Math.ceil(size / stride);
  if (k === null) return null;
  const window = spanOf(k, attributes, axis);
  const room = size + (padding === 'VALID' ? 0 : padding[0] + padding[1]);
  if (window > room) {
    throw new ShapeMismatchError(
      padding === 'VALID'
        ? `${op}: a window of ${window} does not fit into a size of ${size} with padding 'VALID'; use 'SAME'.`
        : `${op}: a window of ${window} does not fit into a size of ${size} with ${padding[0]} before and ${padding[1]} after it.`,
    );
  }
  return Math.floor((room - window) / stride) + 1;
}

/** @internal How much is put before and after an axis: SAME splits evenly, the odd one goes after (bottom, right). */
export function margins(size: number, k: number, attributes: WindowAttributes, axis: number): Margins {
  const padding = along(attributes.padding, axis);
  if (padding === 'VALID') return [0, 0];
  if (padding !== 'SAME') return padding;
  const stride = attributes.strides[axis];
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + spanOf(k, attributes, axis) - size, 0);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}

/** x, [batch, height, width, channels], with the zeros around it that the padding asks for. */
export function surround(x: p.View, window: readonly number[], attributes: WindowAttributes): p.View {
  const [top, bottom] = margins(x.shape[1], window[0], attributes, 0);
  const [left, right] = margins(x.shape[2], window[1], attributes, 1);
  return p.pad(x, [0, top, left, 0], [0, bottom, right, 0]);
}

/**
 * What a window looks at that slides over dy from the other side: dy with zeros between its elements, and a margin wide
 * enough for images of that shape.
 */
export function spreadOut(
  dy: p.View,
  shape: readonly number[],
  window: readonly number[],
  attributes: WindowAttributes,
) {
  const { strides } = attributes;
  const low: number[] = [];
  const high: number[] = [];
  const sizes = [0, 1].map((i) => shape[1 + i] + spanOf(window[i], attributes, i) - 1);
  sizes.forEach((size, i) => {
    const dilated = (dy.shape[1 + i] - 1) * strides[i] + 1;
    low.push(spanOf(window[i], attributes, i) - 1 - margins(shape[1 + i], window[i], attributes, i)[0]);
    high.push(size - dilated - low[i]);
  });
  const apart = p.pad(dy, [0, ...low.map(positive), 0], [0, ...high.map(positive), 0], 0, [1, ...strides, 1]);
  return [low, high].some((n) => n.some((v) => v < 0))
    ? p.slice(apart, [0, ...low.map((v) => positive(-v)), 0], [dy.shape[0], ...sizes, dy.shape[3]])
    : apart;
}
const positive = (n: number) => Math.max(0, n);

/** Computes on images with the channels last, whichever way they lie: transposing costs nothing by itself. */
export function channelsLast(x: AnyTensor, dataFormat: DataFormat, compute: (x: AnyTensor) => AnyTensor): AnyTensor {
  if (dataFormat === 'NHWC') return compute(x);
  const y = compute(transpose(x, [0, 2, 3, 1]) as AnyTensor);
  return transpose(y, [0, 3, 1, 2]) as AnyTensor;
}
