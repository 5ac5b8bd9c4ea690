// Shapes as types: what the TypeScript compiler checks while one types. Results never fail (a conflict gives
// unknown sizes); a separate …Error type holds the message. This file: errors, how shapes are printed, the shapes of
// values, and what a tensor carries. The rules of operations are in shape-rules.ts and axis-rules.ts.
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

/** A type compared by assignability, in a conditional that resolves inside generic code. */
export interface Covariant<out T> {
  readonly t: T;
}
/** A type compared by what is assignable to it, in a conditional that resolves inside generic code. */
export interface Contravariant<in T> {
  readonly t: (x: T) => void;
}
/** A type compared by identity, in a conditional that resolves inside generic code. `any` is every type. */
export interface Invariant<in out T> {
  t: T;
}
/** `any` where V is: of what is computed from it nothing is known. Written out in rules that generic code shows by name. */
export type UnlessAny<V, Known> = 0 extends 1 & V ? any : Known;
/**
 * The same for what a function gives, whose operand V is. Behind an index, so that nothing is inferred from where the
 * result goes: a number beside a tensor must not take the shape that is wanted.
 */
export type Given<V, Known> = { known: Known; any: any }[UnlessAny<V, 'known'>];

// ---------------------------------------------------------------- printing
/** A size as messages show it: `28`, `null`, or `?` where only the type checker does not know it. */
export type ShowDim<D> = D extends null ? 'null' : D extends number ? (number extends D ? '?' : `${D}`) : '?';
/** `null,784` */
export type ShowDims<S extends Shape> = S extends readonly [infer D, ...infer R extends Shape]
  ? R extends readonly []
    ? ShowDim<D>
    : `${ShowDim<D>},${ShowDims<R>}`
  : '';
/** `[null,784]` */
export type ShowShape<S extends Shape> = `[${ShowDims<S>}]`;

/** `[2,3] and [2,4]` */
export type ShowShapes<Ss extends readonly Shape[]> = Ss extends readonly [
  infer A extends Shape,
  ...infer R extends Shape[],
]
  ? R extends []
    ? ShowShape<A>
    : `${ShowShape<A>} and ${ShowShapes<R>}`
  : '';

// ---------------------------------------------------------------- values
/** Nested JavaScript arrays of literal shape → a shape. Array literals typed `number[]` give `number` sizes. */
export type ShapeOfValue<V> = 0 extends 1 & V
  ? any
  : V extends number | boolean
    ? []
    : V extends readonly (infer E)[]
      ? [V['length'] extends infer L extends number ? L : number, ...ShapeOfValue<E>]
      : Dim[];
/** The element type of a JavaScript value, as `tf.constant` takes it. */
export type DTypeOfValue<V> = 0 extends 1 & V
  ? any
  : V extends readonly (infer E)[]
    ? DTypeOfValue<E>
    : V extends boolean
      ? 'bool'
      : V extends number
        ? 'float32'
        : DType;

declare const shapeKey: unique symbol;
declare const inferKey: unique symbol;
/** One size. Invariant, but `any` matches every size: Size<784> ~ Size<any>, Size<784> ≁ Size<783>. */
interface Size<in out D> {
  size: D;
}
/** Unknown sizes match every size and unknown rank every rank, like TensorFlow's `is_compatible_with`. */
type Sizes<S extends Shape> = number extends S['length']
  ? any
  : { readonly [K in keyof S]: Size<null extends S[K] ? any : number extends S[K] ? any : S[K]> };
/** Unused parameter on purpose: never affects assignability, but gives inference an exact shape to read. */
interface Infer<_S extends Shape> {}
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
