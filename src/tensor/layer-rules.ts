// The shapes that layers give: sizes of windows and steps as one number or several, with or without upper case.
import type { Add, Mul, Sub } from './arithmetic.ts';
import type { KnownElements } from './axis-rules.ts';
import type { Dim, Shape } from './shape.ts';
import type { NoError, ShowShape } from './shape-types.ts';
import type { Conv2D, DilatedFilter, ImagesOf, InFormat, OutputSize, Padding, Pool, Spanned } from './window-rules.ts';

/** `'SAME'` and `'VALID'`, as layers of TensorFlow take them. */
export type LayerPadding = Padding | Lowercase<Padding>;
/** Where the channels of what comes into a layer lie: behind the last axis of space, or before the first. */
export type LayerFormat = 'channels_last' | 'channels_first';
/** The same, as ops name it. */
export type FormatOf<Fm extends LayerFormat> = Fm extends 'channels_first' ? 'NCHW' : 'NHWC';
/** Height and width, or one number for both. */
export type PairOfSizes = number | readonly [number, number];
/** A number, twice; or the two that there are. */
export type Pair<V> = V extends number
  ? [V, V]
  : V extends readonly [infer A extends number, infer B extends number]
    ? [A, B]
    : [Dim, Dim];

/** The shape of a dense layer of U units: the last axis of A has size U. */
export type Dense<A extends Shape, U extends number> = 0 extends 1 & A
  ? any
  : A extends readonly [...infer H extends Shape, Dim]
    ? [...H, U]
    : Dim[];
/** Has A at least 2 axes, and is the size of the last known? */
export type DenseError<A extends Shape> = number extends A['length']
  ? NoError
  : A extends readonly [Dim, ...Shape, infer L]
    ? LastKnownError<A, L, 'dense'>
    : `dense: input must have at least 2 axes, but its shape is ${ShowShape<A>}`;
/** Is L, the size of the last axis of A, known? */
export type LastKnownError<A extends Shape, L, Op extends string> = [L] extends [null]
  ? `${Op}: the size of the last axis must be known, but the shape is ${ShowShape<A>}`
  : NoError;
/** Is C, the number of channels of A, known? */
export type ChannelsKnownError<A extends Shape, C, Op extends string> = [C] extends [null]
  ? `${Op}: the number of channels must be known, but the shape is ${ShowShape<A>}`
  : NoError;

/** The shape of a layer of F filters with windows of size K, whose elements lie D apart. */
export type ConvolutionLayer<
  X extends Shape,
  F extends number,
  K,
  St,
  P extends LayerPadding,
  D = 1,
  Fm extends LayerFormat = 'channels_last',
> = 0 extends 1 & X
  ? any
  : InFormat<
      Conv2D<ImagesOf<X, FormatOf<Fm>>, Dilated<[...Pair<K>, Dim, F], D>, [1, ...Pair<St>, 1], Uppercase<P>>,
      FormatOf<Fm>
    >;
type Dilated<W extends Shape, D> = D extends 1 ? W : DilatedFilter<W, [1, ...Pair<D>, 1]>;
/** The shape of a layer of F filters of size K that spread what they see: the adjoint of a convolution. */
export type TransposedLayer<
  X extends Shape,
  F extends number,
  K,
  St,
  P extends LayerPadding,
  Fm extends LayerFormat = 'channels_last',
> = 0 extends 1 & X
  ? any
  : ImagesOf<X, FormatOf<Fm>> extends readonly [infer N extends Dim, infer H extends Dim, infer W extends Dim, Dim]
    ? InFormat<
        [
          N,
          SpreadSize<H, Pair<K>[0], Pair<St>[0], Uppercase<P>>,
          SpreadSize<W, Pair<K>[1], Pair<St>[1], Uppercase<P>>,
          F,
        ],
        FormatOf<Fm>
      >
    : InFormat<[Dim, Dim, Dim, F], FormatOf<Fm>>;
/** I · S; where nothing is put around, and a window is longer than a step, what it is longer. */
type SpreadSize<I extends Dim, K extends Dim, S extends Dim, P extends Padding> = I extends null
  ? null
  : number extends I | S
    ? number
    : P extends 'SAME'
      ? Mul<I & number, S & number>
      : number extends K
        ? number
        : [Sub<K & number, S & number>] extends [infer M extends number]
          ? [M] extends [never]
            ? Mul<I & number, S & number>
            : Add<Mul<I & number, S & number>, M>
          : number;
/** Are they images, with a known number of channels? */
export type ImagesError<
  X extends Shape,
  Op extends string,
  Fm extends LayerFormat = 'channels_last',
> = number extends X['length']
  ? NoError
  : X extends readonly [Dim, infer A, Dim, infer B]
    ? ChannelsKnownError<X, Fm extends 'channels_first' ? A : B, Op>
    : `${Op}: input must be ${ImageAxes<Fm>}, but its shape is ${ShowShape<X>}`;
/** The shape of a layer of F filters over rows of K steps that lie D apart. */
export type RowConvolution<
  X extends Shape,
  F extends number,
  K extends number,
  St extends number,
  P extends LayerPadding,
  D extends number = 1,
  Fm extends LayerFormat = 'channels_last',
> = 0 extends 1 & X
  ? any
  : X extends readonly [infer N extends Dim, infer A extends Dim, infer B extends Dim]
    ? Fm extends 'channels_first'
      ? [N, F, OutputSize<B, D extends 1 ? K : Spanned<K, D>, St, Uppercase<P>>]
      : [N, OutputSize<A, D extends 1 ? K : Spanned<K, D>, St, Uppercase<P>>, F]
    : Fm extends 'channels_first'
      ? [Dim, F, Dim]
      : [Dim, Dim, F];
/** Are they rows, with a known number of channels? */
export type RowsError<
  X extends Shape,
  Op extends string,
  Fm extends LayerFormat = 'channels_last',
> = number extends X['length']
  ? NoError
  : X extends readonly [Dim, infer A, infer B]
    ? ChannelsKnownError<X, Fm extends 'channels_first' ? A : B, Op>
    : `${Op}: input must be ${Fm extends 'channels_first' ? '[batch, channels, width]' : '[batch, width, channels]'}, but its shape is ${ShowShape<X>}`;
/** The shape of a pooling layer with windows of size K. */
export type PoolingLayer<
  X extends Shape,
  K,
  St,
  P extends LayerPadding,
  Fm extends LayerFormat = 'channels_last',
> = 0 extends 1 & X
  ? any
  : InFormat<Pool<ImagesOf<X, FormatOf<Fm>>, [1, ...Pair<K>, 1], [1, ...Pair<St>, 1], Uppercase<P>>, FormatOf<Fm>>;
/** Are they images? */
export type PoolingError<X extends Shape, Op extends string, Fm extends LayerFormat> = number extends X['length']
  ? NoError
  : X['length'] extends 4
    ? NoError
    : `${Op}: input must be ${ImageAxes<Fm>}, but its shape is ${ShowShape<X>}`;
type ImageAxes<Fm extends LayerFormat> = Fm extends 'channels_first'
  ? '[batch, channels, height, width]'
  : '[batch, height, width, channels]';

/** A size of a window, `3` or `[3,2]`, as messages show it. */
export type ShowPair<K> = ShowShape<Pair<K>>;

/** All axes but the first as one. */
export type Flatten<A extends Shape> = 0 extends 1 & A
  ? any
  : A extends readonly [infer N extends Dim, ...infer R extends Shape]
    ? KnownElements<R> extends [infer P extends number, infer H]
      ? [N, H extends 0 ? P : null]
      : never
    : [Dim, Dim];
/** Has A an axis? */
export type FlattenError<A extends Shape> = A extends readonly []
  ? 'flatten: input must have at least 1 axis, but its shape is []'
  : NoError;
