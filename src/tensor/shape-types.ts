// Shapes as types: what the TypeScript compiler checks while one types. Results never fail (a conflict gives
// unknown sizes); a separate …Error type holds the message. Numbers are added and multiplied in arithmetic.ts.
import type { Add, CeilDiv, DivMod, Mul, Sub } from './arithmetic.ts';
import type { DType, Elem } from './dtype.ts';
import type { Dim, Shape } from './shape.ts';

declare const shapeCheck: unique symbol;
/** No shape error. */
export type NoError = never;
/** Any tensor satisfies `ShapeError<never>`; none satisfies `ShapeError<"some message">`. */
export interface ShapeError<Message extends string> {
  readonly [shapeCheck]: [Message] extends [never] ? unknown : never;
}
/** What every tensor carries so that `ShapeError<…>` of a still-generic message is satisfied. */
export interface Checkable {
  readonly [shapeCheck]: any;
}

export interface Covariant<out T> {
  readonly t: T;
}
export interface Invariant<in out T> {
  t: T;
}

// ---------------------------------------------------------------- printing
export type ShowDim<D> = D extends null ? 'null' : D extends number ? (number extends D ? '?' : `${D}`) : '?';
export type ShowDims<S extends Shape> = S extends readonly [infer D, ...infer R extends Shape]
  ? R extends readonly []
    ? ShowDim<D>
    : `${ShowDim<D>},${ShowDims<R>}`
  : '';
export type ShowShape<S extends Shape> = `[${ShowDims<S>}]`;

// ---------------------------------------------------------------- dims
/** Could A and B be the same size? One conditional, so that it resolves inside generic code too. */
export type Compatible<A, B, Message> = { p: Covariant<A>; q: Covariant<null>; r: Covariant<B> } extends
  | { p: Covariant<B> }
  | { q: Covariant<A | B> }
  | { r: Covariant<A> }
  ? NoError
  : Message;

/** The size of an axis after broadcasting A with B. A conflict (reported by BroadcastError) gives `Dim`. */
export type BroadcastDim<A extends Dim, B extends Dim> = { p: Invariant<A>; q: Covariant<B> } extends
  | { p: Invariant<B> }
  | { q: Covariant<1> }
  ? A
  : A extends 1
    ? B
    : A extends null
      ? B extends null
        ? null
        : number extends B
          ? null
          : B
      : B extends null
        ? number extends A
          ? null
          : A
        : number extends A
          ? B
          : number extends B
            ? A
            : Dim;

/** The more informative of two compatible dims. */
export type MergeDim<A, B> = A extends null ? B : B extends null ? A : number extends A ? B : A;

// ---------------------------------------------------------------- broadcasting
export type BroadcastDims<A extends Shape, B extends Shape, O extends Shape> = A extends readonly [
  ...infer AH extends Shape,
  infer AL extends Dim,
]
  ? B extends readonly [...infer BH extends Shape, infer BL extends Dim]
    ? BroadcastDims<AH, BH, [BroadcastDim<AL, BL>, ...O]>
    : [...A, ...O]
  : [...B, ...O];
export type Broadcast<A extends Shape, B extends Shape> = { p: Invariant<A>; q: Covariant<B> } extends
  | { p: Invariant<B> }
  | { q: Covariant<readonly []> }
  ? A
  : A extends readonly []
    ? B
    : number extends A['length'] | B['length']
      ? Dim[]
      : BroadcastDims<A, B, []>;

/** `Message` when a pair of trailing dims conflicts (neither equal, nor 1, nor unknown), else never. */
export type BroadcastConflict<A extends Shape, B extends Shape, Message> = A extends readonly [
  ...infer AH extends Shape,
  infer AL,
]
  ? B extends readonly [...infer BH extends Shape, infer BL]
    ? { p: Covariant<AL>; q: Covariant<null>; r: Covariant<BL>; s: Covariant<1> } extends
        | { p: Covariant<BL> }
        | { q: Covariant<AL | BL> }
        | { r: Covariant<AL> }
        | { s: Covariant<AL | BL> }
      ? BroadcastConflict<AH, BH, Message>
      : Message
    : NoError
  : NoError;
export type BroadcastError<A extends Shape, B extends Shape, Op extends string> = { p: Invariant<A> } extends {
  p: Invariant<B>;
}
  ? NoError
  : number extends A['length'] | B['length']
    ? NoError
    : BroadcastConflict<A, B, `${Op}: shapes ${ShowShape<A>} and ${ShowShape<B>} do not broadcast`>;

/** `never` (a conflict already reported by the matching …Error) becomes unknown rank. */
export type OrUnknown<S extends Shape> = [S] extends [never] ? Dim[] : S;

// ---------------------------------------------------------------- matmul
export type MatMul<
  A extends Shape,
  B extends Shape,
  TA extends boolean = false,
  TB extends boolean = false,
> = A extends readonly [...infer BA extends Shape, infer A0 extends Dim, infer A1 extends Dim]
  ? B extends readonly [...Shape, infer B0 extends Dim, infer B1 extends Dim]
    ? [...BA, TA extends true ? A1 : A0, TB extends true ? B0 : B1]
    : Dim[]
  : Dim[];

export type MatMulError<
  A extends Shape,
  B extends Shape,
  TA extends boolean = false,
  TB extends boolean = false,
> = number extends A['length'] | B['length']
  ? NoError
  : A extends readonly [...Shape, infer A0, infer A1]
    ? B extends readonly [...Shape, infer B0, infer B1]
      ? MatMulInnerError<TA extends true ? A0 : A1, TB extends true ? B1 : B0>
      : `matmul: second argument must have at least 2 dimensions, but its shape is ${ShowShape<B>}`
    : `matmul: first argument must have at least 2 dimensions, but its shape is ${ShowShape<A>}`;
export type MatMulInnerError<K1, K2> = Compatible<
  K1,
  K2,
  `matmul: inner dimensions ${ShowDim<K1>} and ${ShowDim<K2>} differ`
>;

// ---------------------------------------------------------------- conv / pool (NHWC)
export type Padding = 'SAME' | 'VALID';
export type OutputSize<I extends Dim, K extends Dim, S extends Dim, P extends Padding> = I extends null
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
            : Sub<I & number, K & number> extends infer D extends number
              ? [D] extends [never]
                ? never
                : Add<DivMod<D, S & number>[0], 1>
              : number;

export type Strides = readonly [1, number, number, 1];
export type Conv2D<X extends Shape, W extends Shape, St extends Shape, P extends Padding> = X extends readonly [
  infer N extends Dim,
  infer H extends Dim,
  infer Wd extends Dim,
  Dim,
]
  ? W extends readonly [infer KH extends Dim, infer KW extends Dim, Dim, infer Co extends Dim]
    ? St extends readonly [Dim, infer SH extends Dim, infer SW extends Dim, Dim]
      ? [N, OutputSize<H, KH, SH, P>, OutputSize<Wd, KW, SW, P>, Co]
      : [N, Dim, Dim, Co]
    : [N, Dim, Dim, Dim]
  : [Dim, Dim, Dim, Dim];
export type Conv2DError<X extends Shape, W extends Shape> = number extends X['length'] | W['length']
  ? NoError
  : X extends readonly [Dim, Dim, Dim, infer C]
    ? W extends readonly [Dim, Dim, infer CI, Dim]
      ? Compatible<C, CI, `conv2d: input has ${ShowDim<C>} channels but the filter expects ${ShowDim<CI>}`>
      : `conv2d: filter must be [height, width, in, out], but its shape is ${ShowShape<W>}`
    : `conv2d: input must be [batch, height, width, channels], but its shape is ${ShowShape<X>}`;
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
export type Rank4Error<X extends Shape, Op extends string> = number extends X['length']
  ? NoError
  : X['length'] extends 4
    ? NoError
    : `${Op}: input must be [batch, height, width, channels], but its shape is ${ShowShape<X>}`;

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

// ---------------------------------------------------------------- concat
export type AddDims<A, B> = A extends null ? null : B extends null ? null : Add<A & number, B & number>;
/** Joins A and B along axis Ax; `never` when another axis differs. */
export type ConcatTwo<A extends Shape, B extends Shape, Ax, O extends Shape = []> = A extends readonly [
  infer D extends Dim,
  ...infer AR extends Shape,
]
  ? B extends readonly [infer E extends Dim, ...infer BR extends Shape]
    ? O['length'] extends Ax
      ? ConcatTwo<AR, BR, Ax, [...O, AddDims<D, E>]>
      : [Compatible<D, E, 'no'>] extends [never]
        ? ConcatTwo<AR, BR, Ax, [...O, MergeDim<D, E> & Dim]>
        : never
    : never
  : B extends readonly []
    ? O
    : never;
export type ConcatAll<Ss extends readonly Shape[], Ax extends number> = number extends
  | Ss['length']
  | Ax
  | Ss[number]['length']
  ? Dim[]
  : Ss extends readonly [infer A extends Shape, infer B extends Shape, ...infer R extends Shape[]]
    ? ConcatTwo<A, B, AxisIndex<A, Ax>> extends infer C extends Shape
      ? [C] extends [never]
        ? never
        : ConcatAll<[C, ...R], Ax>
      : never
    : Ss extends readonly [infer A extends Shape]
      ? A
      : Dim[];

export type ShowShapes<Ss extends readonly Shape[]> = Ss extends readonly [
  infer A extends Shape,
  ...infer R extends Shape[],
]
  ? R extends []
    ? ShowShape<A>
    : `${ShowShape<A>} and ${ShowShapes<R>}`
  : '';
export type ConcatError<Ss extends readonly Shape[], Ax extends number> = [ConcatAll<Ss, Ax>] extends [never]
  ? `concat: shapes ${ShowShapes<Ss>} do not match outside axis ${Ax}`
  : NoError;

// ---------------------------------------------------------------- values
/** Nested JavaScript arrays of literal shape → a shape. Array literals typed `number[]` give `number` sizes. */
export type ShapeOfValue<V> = V extends number | boolean
  ? []
  : V extends readonly (infer E)[]
    ? [V['length'] extends infer L extends number ? L : number, ...ShapeOfValue<E>]
    : Dim[];
export type DTypeOfValue<V> = V extends readonly (infer E)[]
  ? DTypeOfValue<E>
  : V extends boolean
    ? 'bool'
    : V extends number
      ? 'float32'
      : DType;

declare const shapeKey: unique symbol;
declare const inferKey: unique symbol;
/** Invariant, but `any` matches every size: Size<784> ~ Size<any>, Size<784> ≁ Size<783>. */
export interface Size<in out D> {
  size: D;
}
/** Unknown sizes match every size and unknown rank every rank, like TensorFlow's `is_compatible_with`. */
export type Sizes<S extends Shape> = number extends S['length']
  ? any
  : { readonly [K in keyof S]: Size<null extends S[K] ? any : number extends S[K] ? any : S[K]> };
/** Unused parameter on purpose: never affects assignability, but gives inference an exact shape to read. */
export interface Infer<_S extends Shape> {}
/** What everything that has a typed shape carries. Phantom: never present at run time. */
export interface Shaped<S extends Shape> {
  readonly [shapeKey]?: Sizes<S>;
  readonly [inferKey]?: Infer<S>;
}

/** Nested arrays of a shape: `[2, 3]` is `number[][]`. */
export type Nested<T extends DType, S extends Shape> = number extends S['length']
  ? any
  : S extends readonly []
    ? Elem<T>
    : S extends readonly [any, ...infer R extends Shape]
      ? readonly Nested<T, R>[]
      : never;
