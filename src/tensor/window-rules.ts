// The shapes that windows over images and sequences give: convolutions of all kinds, and pooling.
import type { Add, CeilDiv, DivMod, Mul, Sub } from './arithmetic.ts';
import type { Dim, Shape } from './shape.ts';
import type { Compatible } from './shape-rules.ts';
import type { NoError, ShowDim, ShowShape } from './shape-types.ts';

/** `'SAME'`: zeros around the image, so that the output has ⌈size / stride⌉ positions. `'VALID'`: only where the window fits. */
export type Padding = 'SAME' | 'VALID';
/** How many positions a window of size K has on an axis of size I when it goes on by S each time. */
export type OutputSize<I extends Dim, K extends Dim, S extends Dim, P> = I extends null
  ? null
  : S extends null
    ? null
    : number extends I | S
      ? number
      : P extends 'SAME'
        ? CeilDiv<I & number, S & number>
        : K extends null
          ? null
          : number extends K
            ? number
            : Sub<PaddedSize<I & number, P>, K & number> extends infer D extends number
              ? [D] extends [never]
                ? never
                : Add<DivMod<D, S & number>[0], 1>
              : number;

/** I with explicit zeros before and after it. */
export type PaddedSize<I extends number, P> = P extends readonly [infer L extends number, infer H extends number]
  ? Add<I, Add<L, H>>
  : I;
/** How many zeros lie before and after each axis of images: `[[0, 0], [top, bottom], [left, right], [0, 0]]`. */
export type ExplicitPadding = readonly [
  readonly [number, number],
  readonly [number, number],
  readonly [number, number],
  readonly [number, number],
];
/** The padding along one axis. */
export type PaddingAt<P, K extends 1 | 2> = P extends ExplicitPadding ? P[K] : P;

/** The shape of a convolution of images X with the filter W. */
export type Conv2D<
  X extends Shape,
  W extends Shape,
  St extends Shape,
  P extends Padding | ExplicitPadding,
> = X extends readonly [infer N extends Dim, infer H extends Dim, infer Wd extends Dim, Dim]
  ? W extends readonly [infer KH extends Dim, infer KW extends Dim, Dim, infer Co extends Dim]
    ? St extends readonly [Dim, infer SH extends Dim, infer SW extends Dim, Dim]
      ? [N, OutputSize<H, KH, SH, PaddingAt<P, 1>>, OutputSize<Wd, KW, SW, PaddingAt<P, 2>>, Co]
      : [N, Dim, Dim, Co]
    : [N, Dim, Dim, Dim]
  : [Dim, Dim, Dim, Dim];

/** Where the channels of images lie: last, or second. */
export type DataFormat = 'NHWC' | 'NCHW';
/** The channels of [batch, channels, …], by themselves. */
export type ChannelSecond<S extends Shape> = S extends readonly [Dim, infer C extends Dim, ...Shape] ? [C] : Dim[];
/** [batch, channels, height, width], or what goes with it, as [batch, height, width, channels]. */
export type ChannelsLast<S> = S extends readonly [infer N, infer C, infer H, infer W] ? [N, H, W, C] : S;
/** S with the channels last, if they are second. */
export type ImagesOf<S extends Shape, F extends DataFormat> = F extends 'NCHW'
  ? ChannelsLast<S> extends infer X extends Shape
    ? X
    : never
  : S;
/** Images with the channels where the format has them. */
export type InFormat<S extends Shape, F extends DataFormat> = F extends 'NCHW'
  ? S extends readonly [infer N extends Dim, infer H extends Dim, infer W extends Dim, infer C extends Dim]
    ? [N, C, H, W]
    : S
  : S;
/** K elements that lie D apart span (K − 1)·D + 1. */
export type Spanned<K extends Dim, D extends Dim> = K extends null
  ? null
  : number extends K | D
    ? number
    : D extends null
      ? null
      : Add<Mul<Sub<K & number, 1> & number, D & number>, 1>;
/** A filter as large as what its elements span when they lie D apart. */
export type DilatedFilter<W extends Shape, D extends Shape> = D extends readonly [1, 1, 1, 1]
  ? W
  : W extends readonly [infer KH extends Dim, infer KW extends Dim, ...infer C extends Shape]
    ? D extends readonly [Dim, infer DH extends Dim, infer DW extends Dim, Dim]
      ? [Spanned<KH, DH>, Spanned<KW, DW>, ...C]
      : [Dim, Dim, ...C]
    : W;
/** A filter for G groups of channels with all the channels that it expects. */
export type GroupedFilter<W extends Shape, G extends number> = G extends 1
  ? W
  : W extends readonly [infer KH extends Dim, infer KW extends Dim, infer Ci extends Dim, infer Co extends Dim]
    ? [KH, KW, Ci extends null ? null : number extends Ci | G ? number : Mul<Ci & number, G>, Co]
    : W;
/** `Conv2D` with elements that lie D apart, in either format. */
export type Convolved<
  X extends Shape,
  W extends Shape,
  St extends Shape,
  P extends Padding | ExplicitPadding,
  D extends Shape,
  F extends DataFormat,
> = F extends 'NCHW'
  ? InFormat<Conv2D<ImagesOf<X, F>, DilatedFilter<W, ImagesOf<D, F>>, ImagesOf<St, F>, PaddingsOf<P>>, F>
  : Conv2D<X, DilatedFilter<W, D>, St, P>;
/** Paddings with the channels second as ones with the channels last. */
export type PaddingsOf<P extends Padding | ExplicitPadding> = P extends ExplicitPadding ? [P[0], P[2], P[3], P[1]] : P;

/** Are they images and a filter, and do the channels agree? */
export type Conv2DError<X extends Shape, W extends Shape> = number extends X['length'] | W['length']
  ? NoError
  : X extends readonly [Dim, Dim, Dim, infer C]
    ? W extends readonly [Dim, Dim, infer CI, Dim]
      ? Compatible<C, CI, `conv2d: input has ${ShowDim<C>} channels but the filter expects ${ShowDim<CI>}`>
      : `conv2d: filter must be [height, width, in, out], but its shape is ${ShowShape<W>}`
    : `conv2d: input must be [batch, height, width, channels], but its shape is ${ShowShape<X>}`;
/** The shape O of a transposed convolution of images X; a batch of null is that of X. */
export type Conv2DTranspose<X extends Shape, O extends Shape> = O extends readonly [
  infer N extends Dim,
  ...infer R extends Shape,
]
  ? [N extends null ? (number extends X['length'] ? Dim : X[0]) : N, ...R]
  : [Dim, Dim, Dim, Dim];
/** Do the channels agree, and does a convolution of O give the size of X? */
export type Conv2DTransposeError<
  X extends Shape,
  W extends Shape,
  O extends Shape,
  St extends Shape,
  P extends Padding | ExplicitPadding,
> = number extends X['length'] | W['length'] | O['length'] | St['length']
  ? NoError
  : [X, W, O, St] extends [
        readonly [Dim, infer H extends Dim, infer Wd extends Dim, infer C],
        readonly [infer KH extends Dim, infer KW extends Dim, infer Co, infer Ci],
        readonly [Dim, infer OH extends Dim, infer OW extends Dim, infer OC],
        readonly [Dim, infer SH extends Dim, infer SW extends Dim, Dim],
      ]
    ?
        | Compatible<C, Ci, `conv2dTranspose: input has ${ShowDim<C>} channels but the filter expects ${ShowDim<Ci>}`>
        | Compatible<
            OC,
            Co,
            `conv2dTranspose: outputShape has ${ShowDim<OC>} channels but the filter makes ${ShowDim<Co>}`
          >
        | Compatible<
            H,
            OutputSize<OH, KH, SH, PaddingAt<P, 1>>,
            `conv2dTranspose: a convolution of ${ShowDim<OH>} rows gives ${ShowDim<OutputSize<OH, KH, SH, PaddingAt<P, 1>>>}, but the input has ${ShowDim<H>}`
          >
        | Compatible<
            Wd,
            OutputSize<OW, KW, SW, PaddingAt<P, 2>>,
            `conv2dTranspose: a convolution of ${ShowDim<OW>} columns gives ${ShowDim<OutputSize<OW, KW, SW, PaddingAt<P, 2>>>}, but the input has ${ShowDim<Wd>}`
          >
    : `conv2dTranspose: input must be [batch, height, width, in] and filter [height, width, out, in], but their shapes are ${ShowShape<X>} and ${ShowShape<W>}`;
/** The shape of a depthwise convolution of images X with the filter W. */
export type Depthwise<
  X extends Shape,
  W extends Shape,
  St extends Shape,
  P extends Padding | ExplicitPadding,
> = W extends readonly [infer KH extends Dim, infer KW extends Dim, infer C extends Dim, infer M extends Dim]
  ? Conv2D<X, [KH, KW, C, MultiplyDims<C, M>], St, P>
  : Conv2D<X, W, St, P>;
/** The product of two sizes. */
export type MultiplyDims<A, B> = A extends null ? null : B extends null ? null : Mul<A & number, B & number>;
/** Are they images and a depthwise filter, and do the channels agree? */
export type DepthwiseError<X extends Shape, W extends Shape, Op extends string> = number extends
  | X['length']
  | W['length']
  ? NoError
  : [X, W] extends [readonly [Dim, Dim, Dim, infer C], readonly [Dim, Dim, infer CI, Dim]]
    ? Compatible<C, CI, `${Op}: input has ${ShowDim<C>} channels but the filter expects ${ShowDim<CI>}`>
    : `${Op}: input must be [batch, height, width, channels] and filter [height, width, channels, multiplier], but their shapes are ${ShowShape<X>} and ${ShowShape<W>}`;
/** A filter as large as what its elements span when they lie R apart. */
export type RateFilter<W extends Shape, R extends readonly number[]> = R extends readonly [
  infer H extends number,
  infer V extends number,
]
  ? DilatedFilter<W, [1, H, V, 1]>
  : DilatedFilter<W, Shape>;
/** `Depthwise` with elements that lie R apart, of images in either format; its channels come last. */
export type DepthwiseIn<
  X extends Shape,
  W extends Shape,
  St extends Shape,
  P extends Padding | ExplicitPadding,
  R extends readonly number[],
  F extends DataFormat,
> = Depthwise<ImagesOf<X, F>, RateFilter<W, R>, ImagesOf<St, F>, F extends 'NCHW' ? PaddingsOf<P> : P>;
/** The shape of a convolution of sequences X with filters W. */
export type Conv1D<
  X extends Shape,
  W extends Shape,
  S extends number,
  P extends Padding,
  D extends number,
> = X extends readonly [infer N extends Dim, infer L extends Dim, Dim]
  ? W extends readonly [infer K extends Dim, Dim, infer Co extends Dim]
    ? [N, OutputSize<L, D extends 1 ? K : Spanned<K, D>, S, P>, Co]
    : [N, Dim, Dim]
  : [Dim, Dim, Dim];
/** Are they sequences and filters, and do the channels agree? */
export type Conv1DError<X extends Shape, W extends Shape> = number extends X['length'] | W['length']
  ? NoError
  : [X, W] extends [readonly [Dim, Dim, infer C], readonly [Dim, infer CI, Dim]]
    ? Compatible<C, CI, `conv1d: input has ${ShowDim<C>} channels but the filters expect ${ShowDim<CI>}`>
    : `conv1d: input must be [batch, width, in] and filters [width, in, out], but their shapes are ${ShowShape<X>} and ${ShowShape<W>}`;

/** Does the window fit into X? Where it does not, the result Y has a size that cannot be. */
export type FitError<
  Y extends Shape,
  X extends Shape,
  Window extends string,
  Op extends string,
> = number extends X['length']
  ? NoError
  : HasNever<Y> extends true
    ? `${Op}: a window of ${Window} does not fit into ${ShowShape<X>}; use padding 'SAME'`
    : NoError;
type HasNever<Y> = Y extends readonly [infer D, ...infer R] ? ([D] extends [never] ? true : HasNever<R>) : false;
/** The height and width of a filter or a window, as messages show them: `[3,3]`. */
export type ShowWindow<W extends Shape> = W extends readonly [infer H extends Dim, infer V extends Dim, ...Shape]
  ? ShowShape<[H, V]>
  : ShowShape<W>;

/** The shape of a pooling of images X by windows K. */
export type Pool<X extends Shape, K extends Shape, St extends Shape, P extends Padding> = X extends readonly [
  infer N extends Dim,
  infer H extends Dim,
  infer W extends Dim,
  infer C extends Dim,
]
  ? K extends readonly [Dim, infer KH extends Dim, infer KW extends Dim, Dim]
    ? St extends readonly [Dim, infer SH extends Dim, infer SW extends Dim, Dim]
      ? [N, OutputSize<H, KH, SH, P>, OutputSize<W, KW, SW, P>, C]
      : [N, Dim, Dim, C]
    : [N, Dim, Dim, C]
  : [Dim, Dim, Dim, Dim];
/** Is X of rank 4, as images are? */
export type Rank4Error<X extends Shape, Op extends string> = number extends X['length']
  ? NoError
  : X['length'] extends 4
    ? NoError
    : `${Op}: input must be [batch, height, width, channels], but its shape is ${ShowShape<X>}`;
