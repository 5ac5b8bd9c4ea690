// The shapes of parts of tensors, of what is picked from them by index, and of copies side by side.
import type { Add, CeilDiv, Mul, Sub } from './arithmetic.ts';
import type { AxisIndex } from './axis-rules.ts';
import type { Dim, Shape } from './shape.ts';
import type { NoError, ShowShape } from './shape-types.ts';

/** What S has at K; where that is not known, what it may have. */
export type SizeAt<S extends readonly unknown[], K> = K extends keyof S ? S[K] : S[number];
/** S without its first N axes. */
export type Behind<S extends Shape, N, C extends 0[] = []> = C['length'] extends N
  ? S
  : S extends readonly [any, ...infer R extends Shape]
    ? Behind<R, N, [...C, 0]>
    : Dim[];
/** S with N in the place of its last size. */
export type LastAxis<S extends Shape, N extends Dim> = S extends readonly [...infer H extends Shape, any]
  ? [...H, N]
  : Dim[];

/** Has the last axis of S at least K elements? */
export type TopKError<S extends Shape, K extends number> = S extends readonly [...Shape, infer N extends number]
  ? number extends N | K
    ? NoError
    : [Sub<N, K>] extends [never]
      ? `topK: the last axis of ${ShowShape<S>} must have at least k = ${K} elements`
      : NoError
  : NoError;

// ---------------------------------------------------------------- slices and copies
/** Of S, Z elements from B on along each axis: literal sizes stay, −1 means to the end. */
export type Sliced<S extends Shape, B extends Shape, Z extends Shape> = {
  -readonly [K in keyof Z]: Z[K] extends -1 ? RestFrom<SizeAt<S, K>, SizeAt<B, K>> : Z[K];
};
/** How many of D elements lie behind the first B. */
export type RestFrom<D, B> = 0 extends 1 & (D | B)
  ? Dim
  : null extends D | B
    ? null
    : number extends D | B
      ? number
      : `${B & number}` extends `-${string}`
        ? number
        : [Sub<D & number, B & number>] extends [infer R extends number]
          ? R
          : number;
/** S, of which each axis is repeated M times. */
export type Tiled<S extends Shape, M extends Shape> = { [K in keyof S]: TimesSize<S[K], SizeAt<M, K>> };
/** D · M. */
export type TimesSize<D, M> = null extends D | M ? null : Mul<D & number, M & number>;
/** S with so many elements before and after each axis. */
export type Padded<S extends Shape, P extends readonly (readonly [number, number])[]> = {
  [K in keyof S]: PaddedBy<S[K], SizeAt<P, K>>;
};
/** D and two more. */
export type PaddedBy<D, P> = D extends null
  ? null
  : P extends readonly [infer L extends number, infer H extends number]
    ? Add<D & number, Add<L, H>>
    : number;

// ---------------------------------------------------------------- by index
/** The shape I of the indices in the place of axis Ax of S. */
export type Gathered<S extends Shape, I extends Shape, Ax extends number> = 0 extends 1 & (S & I)
  ? any
  : Ax extends 0
    ? GatheredRows<S, I>
    : number extends S['length'] | Ax
      ? Dim[]
      : ReplaceAxis<S, AxisIndex<S, Ax>, I>;
/** `Gathered` along axis 0. */
export type GatheredRows<S extends Shape, I extends Shape> = S extends readonly [any, ...infer R extends Shape]
  ? [...I, ...R]
  : Dim[];
/** S with the axes X in the place of the one with index Ax. */
export type ReplaceAxis<
  S extends Shape,
  Ax,
  X extends Shape,
  O extends Shape = [],
  C extends 0[] = [],
> = S extends readonly [infer D extends Dim, ...infer R extends Shape]
  ? C['length'] extends Ax
    ? [...O, ...X, ...R]
    : ReplaceAxis<R, Ax, X, [...O, D], [...C, 0]>
  : Dim[];
/** The shape of the parts of S at indices I, whose last axis is about the first axes of S. */
export type GatheredNd<S extends Shape, I extends Shape> = 0 extends 1 & (S & I)
  ? any
  : I extends readonly [...infer H extends Shape, infer D]
    ? number extends D
      ? Dim[]
      : D extends number
        ? [...H, ...Behind<S, D>]
        : Dim[]
    : Dim[];
/** Has S as many axes as the last axis of the indices I is long? */
export type GatherNdError<S extends Shape, I extends Shape> = number extends S['length'] | I['length']
  ? NoError
  : I extends readonly [...Shape, infer D]
    ? D extends number
      ? number extends D
        ? NoError
        : number extends Behind<S, D>['length']
          ? `gatherNd: indices ${ShowShape<I>} are about ${D} axes, but x, ${ShowShape<S>}, has ${S['length']}`
          : NoError
      : NoError
    : `gatherNd: the last axis of the indices says which axes they are about, but their shape is ${ShowShape<I>}`;
/** N sums of what is behind the axes I of S. */
export type SegmentSums<S extends Shape, I extends Shape, N extends number> = 0 extends 1 & (S & I)
  ? any
  : number extends S['length'] | I['length']
    ? Dim[]
    : [N, ...Behind<S, I['length']>];

// ---------------------------------------------------------------- strided slices
/** The masks of a strided slice: of begin, end, new axes, axes that go, and the ellipsis. */
export type SliceMasks = readonly [begin: number, end: number, newAxis: number, shrinkAxis: number, ellipsis: number];
/** The places of the bits of a mask. */
type Bits = {
  0: never;
  1: 0;
  2: 1;
  3: 0 | 1;
  4: 2;
  5: 0 | 2;
  6: 1 | 2;
  7: 0 | 1 | 2;
  8: 3;
  9: 0 | 3;
  10: 1 | 3;
  11: 0 | 1 | 3;
  12: 2 | 3;
  13: 0 | 2 | 3;
  14: 1 | 2 | 3;
  15: 0 | 1 | 2 | 3;
};
type BitsOf<N> = N extends keyof Bits ? Bits[N] : number;
/**
 * The shape of a strided slice of S. Masks of more than four entries are left to the run-time check.
 */
export type StridedSliced<
  S extends Shape,
  B extends readonly number[],
  E extends readonly number[],
  St extends readonly number[] | undefined,
  M extends SliceMasks,
> = 0 extends 1 & S
  ? any
  : number extends S['length'] | B['length'] | BitsOf<M[number]>
    ? Dim[]
    : StridedAxes<S, B, E, St, M>;
/** So many of the entries B, from number C on, are about an axis; N are new ones. */
type CountAxes<B extends readonly number[], N, C extends 0[], K extends 0[] = []> = C['length'] extends B['length']
  ? K
  : CountAxes<B, N, [...C, 0], C['length'] extends N ? K : [...K, 0]>;
/** S as what is before its last K axes, and these. */
type SplitEnd<S extends Shape, K extends 0[], Back extends Shape = []> = K extends [0, ...infer R extends 0[]]
  ? S extends readonly [...infer F extends Shape, infer D extends Dim]
    ? SplitEnd<F, R, [D, ...Back]>
    : never
  : [S, Back];
/** `StridedSliced`, entry by entry. */
export type StridedAxes<
  S extends Shape,
  B extends readonly number[],
  E extends readonly number[],
  St extends readonly number[] | undefined,
  M extends SliceMasks,
  O extends Shape = [],
  C extends 0[] = [],
> = C['length'] extends B['length']
  ? [...O, ...S]
  : C['length'] extends BitsOf<M[4]>
    ? SplitEnd<S, CountAxes<B, BitsOf<M[2]>, [...C, 0]>> extends [infer F extends Shape, infer R extends Shape]
      ? StridedAxes<R, B, E, St, M, [...O, ...F], [...C, 0]>
      : Dim[]
    : C['length'] extends BitsOf<M[2]>
      ? StridedAxes<S, B, E, St, M, [...O, 1], [...C, 0]>
      : S extends readonly [infer D extends Dim, ...infer R extends Shape]
        ? C['length'] extends BitsOf<M[3]>
          ? StridedAxes<R, B, E, St, M, O, [...C, 0]>
          : StridedAxes<
              R,
              B,
              E,
              St,
              M,
              [
                ...O,
                StridedSize<
                  D,
                  C['length'] extends BitsOf<M[0]> ? null : B[C['length']],
                  C['length'] extends BitsOf<M[1]> ? null : E[C['length']],
                  St extends readonly number[] ? St[C['length']] : 1
                >,
              ],
              [...C, 0]
            >
        : Dim[];
/** How many of D elements lie from B to E, null for the ends, in steps of T. */
export type StridedSize<D extends Dim, B, E, T> = D extends null
  ? null
  : number extends D | B | E | T
    ? number
    : `${T & number}` extends `-${infer N extends number}`
      ? Steps<
          E extends null ? 0 : EdgeBehind<D & number, E>,
          B extends null ? D & number : EdgeBehind<D & number, B>,
          N
        >
      : Steps<B extends null ? 0 : Edge<D & number, B>, E extends null ? D & number : Edge<D & number, E>, T & number>;
/** How many steps of T from A to B; 0 backward. */
type Steps<A extends number, B extends number, T extends number> = [Sub<B, A>] extends [never]
  ? 0
  : Sub<B, A> extends 0
    ? 0
    : CeilDiv<Sub<B, A>, T>;
/** How many of D elements lie before the one at N, from the end if negative. */
type Edge<D extends number, N> = `${N & number}` extends `-${infer P extends number}`
  ? [Sub<D, P>] extends [never]
    ? 0
    : Sub<D, P>
  : [Sub<D, N & number>] extends [never]
    ? D
    : N & number;
/** The same with that one. */
type EdgeBehind<D extends number, N> = `${N & number}` extends `-${infer P extends number}`
  ? [Sub<D, P>] extends [never]
    ? 0
    : Add<Sub<D, P>, 1>
  : [Sub<D, Add<N & number, 1>>] extends [never]
    ? D
    : Add<N & number, 1>;
