// The types of what is fed and fetched.
import type { Operation } from '../graph/operation.ts';
import type { Tensor } from '../graph/tensor.ts';
import type { FeedValue, FetchedValue } from '../tensor/ndarray.ts';

/** A tensor and the value that it has in a run. */
export type FeedPair<X> = X extends Tensor<infer T, infer S> ? readonly [X, FeedValue<T, S>] : never;
/** The feeds of a run: one pair a tensor, each checked against its tensor. */
export type FeedPairs<P extends readonly Tensor<any, any>[]> = { readonly [I in keyof P]: FeedPair<P[I]> };

/** What can be fetched: a tensor, or an operation. */
export type Fetch = Tensor<any, any> | Operation;
/** Any structure of what can be fetched. */
export type Fetches = Fetch | readonly Fetches[] | { readonly [name: string]: Fetches };
/** What a run returns for its fetches, in the same structure: numbers, booleans and host arrays; undefined for an operation. */
export type Fetched<X> =
  X extends Tensor<infer T, infer S>
    ? FetchedValue<T, S>
    : X extends Operation
      ? undefined
      : { -readonly [K in keyof X]: Fetched<X[K]> };
