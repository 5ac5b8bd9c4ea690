// What a session asks the compiler for.
import type { Graph } from '../../graph/graph.ts';
import type { Operation } from '../../graph/operation.ts';
import type { Tensor, Variable } from '../../graph/tensor.ts';
import type { Printed } from '../../ops/define.ts';
import type { Lowered } from '../../primitives/primitives.ts';

/** A run: what is wanted, what is given, with the sizes that are given. */
export interface CompileRequest {
  readonly graph: Graph;
  /** Tensors whose values are returned, in order. */
  readonly fetches: readonly Tensor[];
  /** Operations that are run for their effect. */
  readonly targets: readonly Operation[];
  readonly feeds: readonly {
    readonly tensor: Tensor;
    readonly shape: readonly number[];
    /** Where sizes may depend on it. */
    readonly data?: ArrayLike<number> | undefined;
  }[];
  /** The seed of the session. */
  readonly seed: number;
}

/** The run in primitives, and what the session has to know of it. */
export interface LoweredRun extends Lowered {
  /** Variables whose value from before the run is used: they must be initialized. */
  readonly reads: readonly Variable[];
  /** Variables that the run gives a new value. */
  readonly writes: readonly Variable[];
  /** The random ops that it runs, by the name of their counter. */
  readonly counters: readonly string[];
  /** Of the feeds those whose numbers decide sizes: with others the run is another program. */
  readonly sizeFeeds: readonly Tensor[];
  /** What is printed afterwards, in order. Its views are fetches, after those that were asked for. */
  readonly prints: readonly (Printed & { readonly name: string })[];
}
