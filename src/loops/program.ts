// A program: what the compiler hands to a backend. Kernels in order over planned buffers.
import type { DType, TypedArray } from '../tensor/dtype.ts';
import type { Buffer, Kernel } from './ir.ts';

/**
 * Where a buffer lies: at a byte offset of the arena or, if it is private, of the thread's own space; in the storage
 * of a variable, or among the constants. A window lies `start` items after the place of the array of which it is a part, see
 * Repeat.
 */
export type Place =
  | { readonly kind: 'arena'; readonly offset: number }
  | { readonly kind: 'thread'; readonly offset: number }
  | { readonly kind: 'window'; readonly of: ArenaPlace | LastingPlace; readonly itemBytes: number }
  | { readonly kind: 'variable'; readonly key: number }
  | { readonly kind: 'constant'; readonly data: TypedArray };

/** A place in the arena. */
export type ArenaPlace = Extract<Place, { kind: 'arena' }>;

/** A place that outlives the run. */
export type LastingPlace = Exclude<Place, { kind: 'arena' | 'thread' | 'window' }>;

/** A buffer that the caller fills before the run, or reads after it. */
export interface Port {
  readonly buffer: Buffer;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/**
 * Kernels [first, end) that are run again and again, `start` being 0, block, 2·block …, and for the last time
 * items − block.
 */
export interface Repeat {
  readonly first: number;
  readonly end: number;
  readonly items: number;
  readonly block: number;
}

/**
 * The whole of a run. Kernels [0, checks) come first and include every check; after them the backend looks at the
 * status buffer and stops if one failed, so that nothing has been written to a variable by then.
 */
export interface Program {
  readonly kernels: readonly Kernel[];
  readonly checks: number;
  /** In order, apart from each other. */
  readonly repeats: readonly Repeat[];
  readonly places: ReadonlyMap<Buffer, Place>;
  readonly arenaBytes: number;
  /** Space that every thread needs for itself. */
  readonly threadBytes: number;
  /** In the order of the run's feeds. */
  readonly feeds: readonly (Port | undefined)[];
  /** In the order of the run's fetches. A fetch of a variable reads its storage before or after the run's update, as scheduled. */
  readonly fetches: readonly Port[];
  /** int32 scalars that the session fills: how often each random op has run. */
  readonly counters: readonly { readonly name: string; readonly buffer: Buffer }[];
  /**
   * float64 [3]: which check failed (its number from 1, or 0), at which flat element, with which value. In the arena;
   * the backend clears it before a run. Absent where there are no checks.
   */
  readonly status: Buffer | undefined;
  /** The message of each check; {value} is to be replaced. */
  readonly messages: readonly string[];
  /** Storage that must exist: variables read or written. */
  readonly variables: readonly { readonly key: number; readonly dtype: DType; readonly length: number }[];
}
