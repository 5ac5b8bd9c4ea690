// The shapes that layers give: sizes of windows and steps as one number or several, with or without upper case.
import type { KnownElements } from './axis-rules.ts';
import type { Dim, Shape } from './shape.ts';
import type { NoError, ShowShape } from './shape-types.ts';
import type { Conv2D, OutputSize, Padding, Pool } from './window-rules.ts';

/** `'SAME'` and `'VALID'`, as layers of TensorFlow take them. */
export type LayerPadding = Padding | Lowercase<Padding>;
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

/** The shape of a layer of F filters with windows of size K. */
export type ConvolutionLayer<X extends Shape, F extends number, K, St, P extends LayerPadding> = 0 extends 1 & X
  ? any
  : Conv2D<X, [...Pair<K>, Dim, F], [1, ...Pair<St>, 1], Uppercase<P>>;
/** Are they images, with a known number of channels? */
export type ImagesError<X extends Shape, Op extends string> = number extends X['length']
  ? NoError
  : X extends readonly [Dim, Dim, Dim, infer C]
    ? LastKnownError<X, C, Op>
    : `${Op}: input must be [batch, height, width, channels], but its shape is ${ShowShape<X>}`;
/** The shape of a layer of F filters over rows of K steps. */
export type RowConvolution<
  X extends Shape,
  F extends number,
  K extends number,
  St extends number,
  P extends LayerPadding,
> = 0 extends 1 & X
  ? any
  : X extends readonly [infer N extends Dim, infer W extends Dim, Dim]
    ? [N, OutputSize<W, K, St, Uppercase<P>>, F]
    : [Dim, Dim, F];
/** Are they rows, with a known number of channels? */
export type RowsError<X extends Shape, Op extends string> = number extends X['length']
  ? NoError
  : X extends readonly [Dim, Dim, infer C]
    ? LastKnownError<X, C, Op>
    : `${Op}: input must be [batch, width, channels], but its shape is ${ShowShape<X>}`;
/** The shape of a pooling layer with windows of size K. */
export type PoolingLayer<X extends Shape, K, St, P extends LayerPadding> = 0 extends 1 & X
  ? any
  : Pool<X, [1, ...Pair<K>, 1], [1, ...Pair<St>, 1], Uppercase<P>>;

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
