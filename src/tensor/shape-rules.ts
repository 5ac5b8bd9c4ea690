// The shapes that operations on several tensors give: broadcasting, products of matrices, concat, stack.
import type { Add } from './arithmetic.ts';
import type { AxisIndex, KeepDims } from './axis-rules.ts';
import type { Dim, Shape } from './shape.ts';
import type { Covariant, Invariant, NoError, ShowDim, ShowShape, ShowShapes, UnlessAny } from './shape-types.ts';

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

/** Are all shapes one? */
export type StackError<Ss extends readonly Shape[]> = Ss extends readonly [
  infer A extends Shape,
  infer B extends Shape,
  ...infer R extends readonly Shape[],
]
  ? number extends A['length'] | B['length']
    ? NoError
    : SameDims<A, B> extends true
      ? StackError<[B, ...R]>
      : `stack: shapes ${ShowShape<A>} and ${ShowShape<B>} differ`
  : NoError;

/** The better known of two compatible sizes. */
export type MergeDim<A, B> = A extends null ? B : B extends null ? A : number extends A ? B : A;

// ---------------------------------------------------------------- broadcasting
/** `Broadcast` from the last axis to the first; O is what was found so far. */
export type BroadcastDims<A extends Shape, B extends Shape, O extends Shape> = A extends readonly [
  ...infer AH extends Shape,
  infer AL extends Dim,
]
  ? B extends readonly [...infer BH extends Shape, infer BL extends Dim]
    ? BroadcastDims<AH, BH, [BroadcastDim<AL, BL>, ...O]>
    : [...A, ...O]
  : [...B, ...O];
/**
 * The shape of an elementwise operation: aligned at the right, sizes equal or one of them 1. Inside generic code, too, it
 * is S for S with itself, with a scalar, and with what was reduced from S with `keepDims`.
 */
export type Broadcast<A extends Shape, B extends Shape> = {
  p: <T>() => T extends A ? 1 : 2;
  q: <T>() => T extends B ? 1 : 2;
  r: Covariant<B>;
  s: Covariant<keyof B>;
} extends
  | { p: <T>() => T extends B ? 1 : 2 }
  | { q: <T>() => T extends [] ? 1 : 2 }
  | { r: Covariant<KeepDims<A, string>>; s: Covariant<keyof A> }
  ? A
  : UnlessAny<A & B, BroadcastUnequal<A, B>>;
/** `Broadcast` for two that are neither equal nor `any`. */
export type BroadcastUnequal<A extends Shape, B extends Shape> = B extends readonly []
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
/** Do A and B broadcast? */
export type BroadcastError<A extends Shape, B extends Shape, Op extends string> = { p: Invariant<A> } extends {
  p: Invariant<B>;
}
  ? NoError
  : number extends A['length'] | B['length']
    ? NoError
    : BroadcastConflict<A, B, `${Op}: shapes ${ShowShape<A>} and ${ShowShape<B>} do not broadcast`>;

/** Could A and B be the same shape? NA and NB are what they are called. */
export type SameShapeError<
  A extends Shape,
  B extends Shape,
  Op extends string,
  NA extends string,
  NB extends string,
> = number extends A['length'] | B['length']
  ? NoError
  : SameDims<A, B> extends true
    ? NoError
    : `${Op}: ${NA} ${ShowShape<A>} and ${NB} ${ShowShape<B>} must have the same shape`;
/** Are the ranks equal, and all sizes equal or unknown? */
export type SameDims<A extends Shape, B extends Shape> = A extends readonly [infer D, ...infer AR extends Shape]
  ? B extends readonly [infer E, ...infer BR extends Shape]
    ? [Compatible<D, E, 'no'>] extends [never]
      ? SameDims<AR, BR>
      : false
    : false
  : B extends readonly []
    ? true
    : false;

// ---------------------------------------------------------------- matmul
/** The shape of a product of matrices, with the transposes asked for; leading axes are a batch. */
export type MatMul<
  A extends Shape,
  B extends Shape,
  TA extends boolean = false,
  TB extends boolean = false,
> = 0 extends 1 & (A & B)
  ? any
  : A extends readonly [...infer BA extends Shape, infer A0 extends Dim, infer A1 extends Dim]
    ? B extends readonly [...infer BB extends Shape, infer B0 extends Dim, infer B1 extends Dim]
      ? [...BatchOf<BA, BB>, TA extends true ? A1 : A0, TB extends true ? B0 : B1]
      : Dim[]
    : Dim[];

/** Are they matrices, and do the inner sizes agree? */
export type MatMulError<
  A extends Shape,
  B extends Shape,
  TA extends boolean = false,
  TB extends boolean = false,
> = number extends A['length'] | B['length']
  ? NoError
  : A extends readonly [...infer BA extends Shape, infer A0, infer A1]
    ? B extends readonly [...infer BB extends Shape, infer B0, infer B1]
      ? MatMulInnerError<TA extends true ? A0 : A1, TB extends true ? B1 : B0> | MatMulBatchError<BA, BB, A, B>
      : `matmul: second argument must have at least 2 dimensions, but its shape is ${ShowShape<B>}`
    : `matmul: first argument must have at least 2 dimensions, but its shape is ${ShowShape<A>}`;
/** The batch of a product: that of matrices is none, so that nothing is worked out for them. */
export type BatchOf<A extends Shape, B extends Shape> = B extends readonly []
  ? A
  : A extends readonly []
    ? B
    : BroadcastDims<A, B, []>;
/** Do the batches BA and BB of A and B broadcast? */
export type MatMulBatchError<
  BA extends Shape,
  BB extends Shape,
  A extends Shape,
  B extends Shape,
> = BB extends readonly []
  ? NoError
  : BroadcastConflict<BA, BB, `matmul: the batch dimensions of ${ShowShape<A>} and ${ShowShape<B>} do not broadcast`>;
/** Do the inner sizes agree? */
export type MatMulInnerError<K1, K2> = Compatible<
  K1,
  K2,
  `matmul: inner dimensions ${ShowDim<K1>} and ${ShowDim<K2>} differ`
>;

// ---------------------------------------------------------------- concat
/** The sum of two sizes. */
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
/** All of them one after another along axis Ax; `never` when other axes differ. */
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

/** `ConcatAll`; a conflict (reported by ConcatError) gives an unknown rank. */
export type Concat<Ss extends readonly Shape[], Ax extends number> =
  ConcatAll<Ss, Ax> extends infer C extends Shape ? ([C] extends [never] ? Dim[] : C) : never;
/** Do the shapes agree outside axis Ax? */
export type ConcatError<Ss extends readonly Shape[], Ax extends number> = [ConcatAll<Ss, Ax>] extends [never]
  ? `concat: shapes ${ShowShapes<Ss>} do not match outside axis ${Ax}`
  : NoError;
