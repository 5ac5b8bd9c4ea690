// Pooling: the largest element, or the mean, of windows over images [batch, height, width, channels].

import { ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { text } from '../tensor/kinds.ts';
import { type Shape, showShape } from '../tensor/shape.ts';
import type { ShapeError, ShowShape } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import type { DataFormat, FitError, ImagesOf, InFormat, Padding, Pool, Rank4Error } from '../tensor/window-rules.ts';
import {
  channelsLast,
  dataFormatKind,
  margins,
  paddingKind,
  slid,
  spatial,
  type WindowAttributes,
  windowSizes,
} from './convolution/window.ts';
import { apply, defineOp, type OpDefinition, requireDType, signals, type TensorType, tensor } from './define.ts';

interface PoolAttributes extends WindowAttributes {
  readonly ksize: readonly [number, number];
}

function inferPool(op: string, x: TensorType, attributes: PoolAttributes): TensorType {
  const { ksize } = attributes;
  requireDType(op, x, signals);
  if (x.shape && x.shape.length !== 4) {
    throw new ShapeMismatchError(
      `${op}: input must be [batch, height, width, channels], but its shape is ${showShape(x.shape)}.`,
    );
  }
  const [n, h, w, c] = x.shape ?? [null, null, null, null];
  return {
    dtype: x.dtype,
    shape: [n, slid(op, h, ksize[0], attributes, 0), slid(op, w, ksize[1], attributes, 1), c],
  };
}

/** What is put around an image of that shape, as [low, high] for all four axes. */
function border(shape: readonly number[], attributes: PoolAttributes): [number[], number[]] {
  const [top, bottom] = margins(shape[1], attributes.ksize[0], attributes, 0);
  const [left, right] = margins(shape[2], attributes.ksize[1], attributes, 1);
  return [
    [0, top, left, 0],
    [0, bottom, right, 0],
  ];
}

/** [n, y, x, c, ky, kx]: the elements of each window. */
function windows(padded: p.View, outputs: readonly number[], { ksize, strides }: PoolAttributes): p.View {
  const [n, h, w, c] = padded.strides;
  return p.strided(padded, [...outputs, ...ksize], [n, h * strides[0], w * strides[1], c, h, w]);
}

/**
 * Adds up, for each element of an image, what its windows have for it: `values` has one for each window (n, y, x, c),
 * and `body` gets these and the position (as y·width + x) of the element in the window.
 */
function spread(
  values: readonly { readonly view: p.View; readonly outside: number }[],
  shape: readonly number[],
  attributes: PoolAttributes,
  body: (values: readonly s.Scalar[], position: s.Scalar) => s.Scalar,
): p.View {
  const { ksize, strides } = attributes;
  const [n, h, w, c] = shape;
  const [kh, kw] = ksize;
  const [low, high] = border(shape, attributes);
  const [, oh, ow] = values[0].view.shape;
  const apart =
    kh === strides[0] && kw === strides[1] && [...low, ...high].every((v) => v === 0) && oh * kh === h && ow * kw === w;
  if (apart) {
    // Each element lies in exactly one window: nothing to add.
    const tiles = values.map(({ view }) => {
      const [sn, sy, sx, sc] = view.strides;
      return p.strided(view, [n, oh, kh, ow, kw, c], [sn, sy, 0, sx, 0, sc]);
    });
    return p.reshape(
      p.map(tiles, (...vs) => body(vs, s.add(s.mul(s.index(2), kw), s.index(4)))),
      shape,
    );
  }
  // Windows that start at h − ky: with zeros between them, and turned, they line up with the elements.
  const space = [n, h + low[1] + high[1], w + low[2] + high[2], c];
  const views = values.map(({ view, outside }) => {
    const after = [space[1], space[2]].map((size, i) => size - ((view.shape[1 + i] - 1) * strides[i] + 1));
    const wide = p.pad(view, [0, kh - 1, kw - 1, 0], [0, ...after.map((v) => Math.max(0, v)), 0], outside, [
      1,
      ...strides,
      1,
    ]);
    const [sn, sy, sx, sc] = wide.strides;
    return p.strided(wide, [...space, kh, kw], [sn, sy, sx, sc, sy, sx]);
  });
  const position = s.add(s.mul(s.sub(kh - 1, s.index(4)), kw), s.sub(kw - 1, s.index(5)));
  const parts = p.map(views, (...vs) => body(vs, position));
  return p.slice(p.reduce('sum', parts, [4, 5]), low, shape);
}

/** Inputs: x, dy. The gradient of each window goes to the first of its largest elements. */
const MaxPoolGradOp: OpDefinition<PoolAttributes> = defineOp({
  name: 'MaxPoolGrad',
  infer: ([x]) => x,
  // Linear in dy: its adjoint reads dz at the position of each maximum.
  gradient: ({ inputs: [x], attributes }, [dz]) => [null, dz && apply(MaxPoolPickOp, [x, dz], attributes)],
  lower: ([x, dy], { attributes }) => {
    const values = [
      { view: largest(x, dy.shape, attributes), outside: -1 },
      { view: dy, outside: 0 },
    ];
    return spread(values, x.shape, attributes, ([at, d], position) => s.select(s.equal(at, position), d, 0));
  },
});
/** Inputs: x, z. For each window of x the element of z at the place of its maximum. */
const MaxPoolPickOp: OpDefinition<PoolAttributes> = defineOp({
  name: 'MaxPoolPick',
  infer: ([x], attributes) => inferPool('maxPool', x, attributes),
  gradient: ({ inputs: [x], attributes }, [dy]) => [null, dy && apply(MaxPoolGradOp, [x, dy], attributes)],
  lower: ([x, z], { attributes, outputs: [{ shape }] }) => {
    const at = largest(x, shape, attributes);
    const padded = p.pad(z, ...border(x.shape, attributes));
    const elements = windows(padded, shape, attributes);
    const places = p.strided(at, elements.shape, [...at.strides, 0, 0]);
    const { ksize } = attributes;
    const chosen = p.map([elements, places], (v, k) =>
      s.select(s.equal(k, s.add(s.mul(s.index(4), ksize[1]), s.index(5))), v, 0),
    );
    return p.reduce('sum', chosen, [4, 5]);
  },
});
/** For each window the position (as y·width + x) of its largest element, the first of equal ones. */
function largest(x: p.View, outputs: readonly number[], attributes: PoolAttributes): p.View {
  const { ksize, strides } = attributes;
  const [low, high] = border(x.shape, attributes);
  const at = p.argReduce('max', windows(p.pad(x, low, high, -Infinity), outputs, attributes), [4, 5]);
  if (low.every((v) => v === 0)) return at;
  // Padding never wins: where it seems first, all is −∞, and the first element of the image is meant.
  const first = (axis: number) => s.max(s.sub(low[axis], s.mul(s.index(axis), strides[axis - 1])), 0);
  const inside = s.add(s.mul(first(1), ksize[1]), first(2));
  return p.map([at], (k) => s.select(s.equal(k, 0), inside, k));
}

const MaxPoolOp = defineOp<PoolAttributes>({
  name: 'MaxPool',
  infer: ([x], attributes) => inferPool('maxPool', x, attributes),
  gradient: ({ inputs: [x], attributes }, [dy]) => [dy && apply(MaxPoolGradOp, [x, dy], attributes)],
  lower: ([x], { attributes, outputs: [{ shape }] }) => {
    const padded = p.pad(x, ...border(x.shape, attributes), -Infinity);
    return p.reduce('max', windows(padded, shape, attributes), [4, 5]);
  },
});

/** How many elements of the image, not of the padding, each window holds, as [n, y, x, c] with strides 0. */
function counts(x: p.View, outputs: readonly number[], attributes: PoolAttributes): p.View {
  const one = p.strided(
    p.constant(new Float64Array([1]), x.node.dtype, [1]),
    [1, x.shape[1], x.shape[2], 1],
    [0, 0, 0, 0],
  );
  const padded = p.pad(one, ...border(x.shape, attributes));
  const view = windows(padded, [1, outputs[1], outputs[2], 1], attributes);
  return p.broadcastTo(p.reduce('sum', view, [4, 5]), outputs);
}

const AvgPoolGradOp: OpDefinition<PoolAttributes> = defineOp({
  name: 'AvgPoolGrad',
  infer: ([x]) => x,
  gradient: ({ attributes }, [dz]) => [null, dz && apply(AvgPoolOp, [dz], attributes)],
  lower: ([x, dy], { attributes }) => {
    const part = p.map([dy, counts(x, dy.shape, attributes)], s.div);
    return spread([{ view: part, outside: 0 }], x.shape, attributes, ([d]) => d);
  },
});
const AvgPoolOp: OpDefinition<PoolAttributes> = defineOp({
  name: 'AvgPool',
  infer: ([x], attributes) => inferPool('avgPool', x, attributes),
  gradient: ({ inputs: [x], attributes }, [dy]) => [dy && apply(AvgPoolGradOp, [x, dy], attributes)],
  lower: ([x], { attributes, outputs: [{ shape }] }) => {
    const padded = p.pad(x, ...border(x.shape, attributes));
    const sum = p.reduce('sum', windows(padded, shape, attributes), [4, 5]);
    return p.map([sum, counts(x, shape, attributes)], s.div);
  },
});

/** Makes the public function of a pooling. */
function poolFunction<F>(op: string, definition: OpDefinition<PoolAttributes>): F {
  const form = signature(
    `tf.nn.${op}`,
    { x: tensor },
    { ksize: windowSizes, strides: windowSizes, padding: paddingKind, dataFormat: dataFormatKind, name: text },
    ['ksize', 'strides', 'padding'],
  );
  const call = (...given: unknown[]) => {
    const { x, padding, dataFormat = 'NHWC', name, ...window } = form.take(given);
    const ksize = spatial(op, 'ksize', window.ksize, dataFormat);
    const strides = spatial(op, 'strides', window.strides, dataFormat);
    return channelsLast(x, dataFormat, (images) => apply(definition, [images], { ksize, strides, padding }, name));
  };
  return call as F;
}

/** The windows and steps of a pooling, [1, height, width, 1] each. */
export interface PoolOptions<K extends Shape, St extends Shape, P extends Padding, F extends DataFormat = DataFormat> {
  /** The size of a window: [1, height, width, 1]. */
  readonly ksize: K;
  /** How far a window goes on each time: [1, vertical, horizontal, 1]. */
  readonly strides: St;
  /** 'SAME' or 'VALID', as for `conv2d`. */
  readonly padding: P;
  /** 'NCHW': images, results, windows and strides have the channels second (default: 'NHWC', last). */
  readonly dataFormat?: F;
  readonly name?: string;
}

/** A pooling over [batch, height, width, channels]. */
export interface PoolFunction<Op extends string> {
  <
    T extends FloatDType = any,
    A extends Shape = any,
    const K extends Shape = Shape,
    const St extends Shape = Shape,
    P extends Padding = Padding,
  >(
    x: Tensor<T, A> & ShapeError<Rank4Error<A, Op> | FitError<Pool<A, K, St, P>, A, ShowShape<K>, Op>>,
    ksize: K,
    strides: St,
    padding: P,
    options?: { readonly name?: string },
  ): Tensor<T, Pool<A, K, St, P>>;
  <
    T extends FloatDType = any,
    A extends Shape = any,
    const K extends Shape = Shape,
    const St extends Shape = Shape,
    P extends Padding = Padding,
    const F extends DataFormat = 'NHWC',
  >(
    x: Tensor<T, A> &
      ShapeError<
        Rank4Error<A, Op> | FitError<Pool<ImagesOf<A, F>, ImagesOf<K, F>, ImagesOf<St, F>, P>, A, ShowShape<K>, Op>
      >,
    options: PoolOptions<K, St, P, F>,
  ): Tensor<T, InFormat<Pool<ImagesOf<A, F>, ImagesOf<K, F>, ImagesOf<St, F>, P>, F>>;
}

/**
 * The largest element of each window. Padding never wins. The gradient goes to the first of equal elements.
 *
 * ```ts
 * tf.nn.maxPool(x, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' });
 * tf.nn.maxPool(x, [1, 2, 2, 1], [1, 2, 2, 1], 'SAME');           // as in TensorFlow
 * ```
 */
export const maxPool: PoolFunction<'maxPool'> = poolFunction('maxPool', MaxPoolOp);

/** The mean of each window; padding is not counted. */
export const avgPool: PoolFunction<'avgPool'> = poolFunction('avgPool', AvgPoolOp);
