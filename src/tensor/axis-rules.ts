// The shapes that operations on the axes of a tensor give: reshape, reductions, axes put in, left out or reordered.
import type { DivMod, Mul } from './arithmetic.ts';
import type { Dim, Shape } from './shape.ts';
import type { NoError, ShowShape } from './shape-types.ts';

// ---------------------------------------------------------------- reshape
/** Product of the known dims; `number` if any is `number`, and the nulls / -1s are counted apart. */
export type KnownElements<S extends Shape, P extends number = 1, Holes extends 0[] = []> = S extends readonly [
  infer D extends Dim,
  ...infer R extends Shape,
]
  ? D extends null | -1
    ? KnownElements<R, P, [...Holes, 0]>
    : KnownElements<R, Mul<P, D & number>, Holes>
  : [P, Holes['length']];
export type FillHole<T extends Shape, X extends Dim> = { -readonly [K in keyof T]: T[K] extends -1 ? X : T[K] };
export type HasHole<T extends Shape> = -1 extends T[number] ? (number extends T[number] ? false : true) : false;

/** The static result shape of reshape(S → T). */
export type Reshape<S extends Shape, T extends Shape> = number extends T['length']
  ? Dim[]
  : HasHole<T> extends true
    ? number extends S['length']
      ? FillHole<T, null>
      : KnownElements<S> extends [infer P extends number, infer H]
        ? H extends 0
          ? number extends P
            ? FillHole<T, number>
            : KnownElements<T> extends [infer Q extends number, any]
              ? number extends Q
                ? FillHole<T, number>
                : FillHole<T, DivMod<P, Q>[0]>
              : never
          : FillHole<T, null>
        : never
    : [...T];

export type ReshapeError<S extends Shape, T extends Shape> = number extends S['length'] | T['length']
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
/** Axis (possibly negative) → index as a string key, or never when out of range. */
type NegativeAxes = { '-1': 0; '-2': 1; '-3': 2; '-4': 3; '-5': 4; '-6': 5 };
export type AxisFromEnd<S extends Shape, I> = S extends readonly [...infer H extends Shape, any]
  ? I extends 0
    ? H['length']
    : AxisFromEnd<H, Decrement[I & keyof Decrement]>
  : never;
type Decrement = { 1: 0; 2: 1; 3: 2; 4: 3; 5: 4; 6: 5; 7: 6 };
export type AxisIndex<S extends Shape, A extends number> = `${A}` extends keyof NegativeAxes
  ? AxisFromEnd<S, NegativeAxes[`${A}`]>
  : `${A}` extends keyof S
    ? A
    : never;
export type DropAxes<
  S extends Shape,
  Ax,
  Keep extends boolean,
  O extends Shape = [],
  I extends 0[] = [],
> = S extends readonly [infer D extends Dim, ...infer R extends Shape]
  ? DropAxes<R, Ax, Keep, I['length'] extends Ax ? (Keep extends true ? [...O, 1] : O) : [...O, D], [...I, 0]>
  : O;
export type AxisIndices<S extends Shape, A> = A extends number ? AxisIndex<S, A> : never;

/** Shape after reducing over axis A (a number, a tuple of numbers, or undefined for all axes). */
export type Reduce<S extends Shape, A, Keep extends boolean = false> = A extends undefined | null
  ? Keep extends true
    ? { [K in keyof S]: 1 }
    : []
  : number extends S['length']
    ? Dim[]
    : A extends number
      ? number extends A
        ? Dim[]
        : DropAxes<S, AxisIndex<S, A>, Keep>
      : A extends readonly number[]
        ? number extends A['length']
          ? Dim[]
          : DropAxes<S, AxisIndices<S, A[number]>, Keep>
        : Dim[];
export type AxisError<S extends Shape, A, Op extends string> = A extends number
  ? number extends A | S['length']
    ? NoError
    : [AxisIndex<S, A>] extends [never]
      ? `${Op}: axis ${A} is out of range for shape ${ShowShape<S>}`
      : NoError
  : NoError;

export type ExpandDims<S extends Shape, A extends number> = number extends S['length'] | A
  ? Dim[]
  : A extends -1
    ? [...S, 1]
    : AxisIndex<[...S, 1], A> extends infer I
      ? InsertAxis<S, I>
      : Dim[];
export type InsertAxis<S extends Shape, I, O extends Shape = [], C extends 0[] = []> = C['length'] extends I
  ? [...O, 1, ...S]
  : S extends readonly [infer D extends Dim, ...infer R extends Shape]
    ? InsertAxis<R, I, [...O, D], [...C, 0]>
    : Dim[];
export type Squeeze<S extends Shape> = number extends S['length'] ? Dim[] : SqueezeDims<S>;
export type SqueezeDims<S extends Shape, O extends Shape = []> = S extends readonly [
  infer D extends Dim,
  ...infer R extends Shape,
]
  ? SqueezeDims<R, D extends 1 ? O : [...O, D]>
  : O;

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
export type Reverse<S extends Shape, O extends Shape = []> = S extends readonly [
  infer D extends Dim,
  ...infer R extends Shape,
]
  ? Reverse<R, [D, ...O]>
  : O;
