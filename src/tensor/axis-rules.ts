// The shapes that operations on the axes of a tensor give: reshape, reductions, axes put in, left out or reordered.
import type { Add, DivMod, Mul } from './arithmetic.ts';
import type { Dim, Shape } from './shape.ts';
import type { Contravariant, NoError, ShowShape } from './shape-types.ts';

// ---------------------------------------------------------------- reshape
/**
 * The product of the known sizes (`number` if one is `number`), and how many are null or −1: of `[null, 28, 28]` it is
 * `[784, 1]`, of a shape of unknown rank `[number, 1]`.
 */
export type KnownElements<S extends Shape, P extends number = 1, Holes extends 0[] = []> = S extends readonly [
  infer D extends Dim,
  ...infer R extends Shape,
]
  ? D extends null | -1
    ? KnownElements<R, P, [...Holes, 0]>
    : KnownElements<R, Mul<P, D & number>, Holes>
  : S extends readonly []
    ? [P, Holes['length']]
    : [number, 1];
/** T with X in the place of −1. */
export type FillHole<T extends Shape, X extends Dim> = { -readonly [K in keyof T]: T[K] extends -1 ? X : T[K] };
/** Is one of the sizes −1? */
export type HasHole<T extends Shape> = -1 extends T[number] ? (number extends T[number] ? false : true) : false;

/** The shape T of a reshape of S, with the size that −1 stands for. */
export type Reshape<S extends Shape, T extends Shape> = number extends T['length']
  ? Dim[]
  : HasHole<T> extends true
    ? null extends T[number]
      ? FillHole<T, null>
      : ReshapeHole<S, T>
    : [...T];
/** `Reshape` for a T in which one size is −1. */
export type ReshapeHole<S extends Shape, T extends Shape> =
  KnownElements<S> extends [infer P extends number, infer H]
    ? H extends 0
      ? number extends P
        ? FillHole<T, number>
        : KnownElements<T> extends [infer Q extends number, any]
          ? number extends Q
            ? FillHole<T, number>
            : FillHole<T, DivMod<P, Q>[0]>
          : never
      : FillHole<T, null>
    : never;

/** Do the elements of S fit into T? With unknown sizes on both sides: as far as one can tell. */
export type ReshapeError<S extends Shape, T extends Shape> = number extends S['length'] | T['length']
  ? NoError
  : null extends T[number]
    ? NoError
    : [KnownElements<S>, KnownElements<T>] extends [
          [infer P extends number, infer HS],
          [infer Q extends number, infer HT],
        ]
      ? number extends P | Q
        ? NoError
        : HT extends 0 | 1
          ? HS extends 0
            ? HT extends 0
              ? P extends Q
                ? NoError
                : `reshape: ${ShowShape<S>} has ${P} elements but ${ShowShape<T>} has ${Q}`
              : DivMod<P, Q>[1] extends 0
                ? NoError
                : `reshape: ${ShowShape<S>} has ${P} elements, which is not a multiple of ${Q}, so -1 in ${ShowShape<T>} cannot be inferred`
            : P extends Q
              ? NoError
              : DivMod<P, Q>[1] extends 0
                ? NoError
                : DivMod<Q, P>[1] extends 0
                  ? NoError
                  : `reshape: ${ShowShape<S>} has ${P} elements per row, which does not fit rows of ${Q} in ${ShowShape<T>}`
          : `reshape: only one dimension of ${ShowShape<T>} may be -1`
      : NoError;

// ---------------------------------------------------------------- axes
/** How many axes lie behind a negative one. */
type NegativeAxes = { '-1': 0; '-2': 1; '-3': 2; '-4': 3; '-5': 4; '-6': 5 };
/** The index of the axis behind which I others lie; never when there are too few. */
export type AxisFromEnd<S extends Shape, I> = S extends readonly [...infer H extends Shape, any]
  ? I extends 0
    ? H['length']
    : AxisFromEnd<H, Decrement[I & keyof Decrement]>
  : never;
type Decrement = { 1: 0; 2: 1; 3: 2; 4: 3; 5: 4; 6: 5; 7: 6 };
/** The index of an axis (possibly negative), a number or a key of S; never when it is out of range. */
export type AxisIndex<S extends Shape, A extends number> = `${A}` extends keyof NegativeAxes
  ? AxisFromEnd<S, NegativeAxes[`${A}`]>
  : `${A}` extends keyof S
    ? A
    : never;
/** S without the axes whose indices are in Ax (a union). */
export type DropAxes<S extends Shape, Ax, O extends Shape = [], I extends 0[] = []> = S extends readonly [
  infer D extends Dim,
  ...infer R extends Shape,
]
  ? DropAxes<R, Ax, I['length'] extends Ax ? O : [...O, D], [...I, 0]>
  : O;
/** S with size 1 at the axes whose indices, as text, are in Ax. `string` is all of them, also where S is generic. */
export type KeepDims<S extends Shape, Ax extends string> = {
  [K in keyof S]: Contravariant<Ax> extends Contravariant<K> ? 1 : S[K];
};
/** The indices of a union of axes. */
export type AxisIndices<S extends Shape, A> = A extends number ? AxisIndex<S, A> : never;

/** Shape after reducing over axis A (a number, a tuple of numbers, or undefined for all axes). */
export type Reduce<S extends Shape, A, Keep extends boolean = false> = A extends undefined | null
  ? Keep extends true
    ? KeepDims<S, string>
    : []
  : A extends number
    ? ReduceAxes<S, A, Keep>
    : A extends readonly number[]
      ? number extends A['length']
        ? Dim[]
        : ReduceAxes<S, A[number], Keep>
      : Dim[];
/** `Reduce` over a union of axes. */
export type ReduceAxes<S extends Shape, A extends number, Keep extends boolean> = number extends A
  ? Dim[]
  : Keep extends true
    ? KeepDims<S, `${AxisIndices<S, A>}`>
    : RemoveAxes<S, A>;
/** `ReduceAxes` without `keepDims`. It waits for the rank of S first, so that generic code shows it by its name. */
export type RemoveAxes<S extends Shape, A extends number> = number extends S['length']
  ? Dim[]
  : DropAxes<S, AxisIndices<S, A>>;
/** Does S have the axis A? Lists of axes are checked when the graph is built. */
export type AxisError<S extends Shape, A, Op extends string> = A extends number
  ? number extends A | S['length']
    ? NoError
    : [AxisIndex<S, A>] extends [never]
      ? `${Op}: axis ${A} is out of range for shape ${ShowShape<S>}`
      : NoError
  : NoError;

/** S with a new axis of size 1 before axis A (−1: at the end). */
export type ExpandDims<S extends Shape, A extends number> = number extends S['length'] | A
  ? Dim[]
  : A extends -1
    ? [...S, 1]
    : AxisIndex<[...S, 1], A> extends infer I
      ? InsertAxis<S, I>
      : Dim[];
/** S with a new axis of size N at index I. */
export type InsertAxis<
  S extends Shape,
  I,
  O extends Shape = [],
  C extends 0[] = [],
  N extends Dim = 1,
> = C['length'] extends I
  ? [...O, N, ...S]
  : S extends readonly [infer D extends Dim, ...infer R extends Shape]
    ? InsertAxis<R, I, [...O, D], [...C, 0], N>
    : Dim[];
/** S without the axes that are known to have size 1. */
export type Squeeze<S extends Shape> = number extends S['length'] ? Dim[] : SqueezeDims<S>;
/** `Squeeze` for a known rank. */
export type SqueezeDims<S extends Shape, O extends Shape = []> = S extends readonly [
  infer D extends Dim,
  ...infer R extends Shape,
]
  ? SqueezeDims<R, D extends 1 ? O : [...O, D]>
  : O;

/** Axis i is axis P[i] of S; without P the order is reversed. */
export type Transpose<S extends Shape, P> = number extends S['length']
  ? Dim[]
  : P extends readonly number[]
    ? number extends P['length']
      ? Dim[]
      : {
          -readonly [K in keyof P]: P[K] extends keyof S
            ? S[P[K]] & Dim
            : `${P[K] & number}` extends keyof S
              ? S[`${P[K] & number}`] & Dim
              : Dim;
        }
    : Reverse<S>;
/** The axes in reversed order. */
export type Reverse<S extends Shape, O extends Shape = []> = S extends readonly [
  infer D extends Dim,
  ...infer R extends Shape,
]
  ? Reverse<R, [D, ...O]>
  : O;

// ---------------------------------------------------------------- stack, unstack, split
/** Shapes that are one, side by side along a new axis Ax. */
export type Stack<Ss extends readonly Shape[], Ax extends number> = number extends Ss['length'] | Ax
  ? Dim[]
  : Ss extends readonly [infer A extends Shape, ...Shape[]]
    ? number extends A['length']
      ? Dim[]
      : InsertAxis<A, AxisIndex<[...A, 1], Ax>, [], [], Ss['length'] & number>
    : Dim[];
/** X so many times, as a tuple; an array where there are too many to count, or nobody knows how many. */
export type Repeat<X, N, O extends X[] = []> = number extends N
  ? X[]
  : O['length'] extends N
    ? O
    : O['length'] extends 64
      ? X[]
      : Repeat<X, N, [...O, X]>;
/** The shapes of the slices of S along axis Ax, each without it. */
export type Unstack<S extends Shape, Ax extends number> = number extends S['length'] | Ax
  ? Dim[][]
  : AxisIndex<S, Ax> extends infer I
    ? Repeat<DropAxes<S, I>, S[I & keyof S]>
    : Dim[][];
/** S with the size D at the index I, as text. */
export type WithSize<S extends Shape, I extends string, D extends Dim> = {
  -readonly [K in keyof S]: K extends I ? D : S[K];
};
/** The shapes of the parts of S along axis Ax: N equal ones, or those of the sizes N. */
export type Split<S extends Shape, N extends number | readonly number[], Ax extends number> = number extends
  | S['length']
  | Ax
  ? Dim[][]
  : N extends readonly number[]
    ? { -readonly [K in keyof N]: WithSize<S, `${AxisIndex<S, Ax>}`, N[K] extends -1 ? Dim : N[K] & Dim> }
    : Repeat<WithSize<S, `${AxisIndex<S, Ax>}`, PartSize<S[AxisIndex<S, Ax> & keyof S], N>>, N>;
/** The size D divided by N. */
export type PartSize<D, N> = D extends null ? null : number extends D | N ? number : DivMod<D & number, N & number>[0];
/** Can axis Ax of S be split into N parts, or into those of the sizes N? */
export type SplitError<S extends Shape, N extends number | readonly number[], Ax extends number> = number extends
  | S['length']
  | Ax
  ? NoError
  : [AxisIndex<S, Ax>] extends [never]
    ? `split: axis ${Ax} is out of range for shape ${ShowShape<S>}`
    : SplitSizeError<S, S[AxisIndex<S, Ax> & keyof S], N, Ax>;
/** `SplitError` for an axis of size D. */
export type SplitSizeError<S extends Shape, D, N, Ax extends number> = D extends null
  ? NoError
  : N extends readonly number[]
    ? number extends D | N['length'] | N[number]
      ? NoError
      : -1 extends N[number]
        ? NoError
        : Total<N> extends D
          ? NoError
          : `split: the sizes are ${Total<N>} together, but axis ${Ax} of ${ShowShape<S>} has ${D & number} elements`
    : number extends D | N
      ? NoError
      : DivMod<D & number, N & number>[1] extends 0
        ? NoError
        : `split: axis ${Ax} of ${ShowShape<S>} has ${D & number} elements, which are not ${N & number} equal parts`;
/** The sum of some sizes. */
export type Total<N extends readonly number[], P extends number = 0> = N extends readonly [
  infer A extends number,
  ...infer R extends readonly number[],
]
  ? Total<R, Add<P, A>>
  : P;
