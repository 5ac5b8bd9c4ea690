// Tasks: what fusion makes of primitives, and what kernels are chosen for. One pass over one iteration space.

import type { ArgReduce, Check, Contract, Gather, Primitive, Reduce, Scatter, View } from './primitives.ts';
import type { Scalar } from './scalar.ts';

/** Where a task's result goes: element `index` of its shape is stored at offset + Σ index·stride of the node's array. */
export interface Output {
  readonly node: Primitive;
  /** The value; `input` number i is `task.inputs[i]`, number −1 the root's result. */
  readonly body: Scalar;
  readonly strides: readonly number[];
  readonly offset: number;
  /** What the array is filled with before, where the outputs do not cover it. */
  readonly fill: number | undefined;
}

/** A reduction, contraction or movement of data that a task begins with. */
export type Root = Reduce | ArgReduce | Contract | Gather | Scatter | Check;

/**
 * For each element of `shape`: the root's result (if there is a root), then the outputs' bodies.
 * For a root that reduces, `operands` are views over [...shape, ...reduced] and `operandBody` (input i is operand i)
 * is what is reduced; a contraction's operands are its two factors; other roots have the primitive's own operands.
 */
export interface Task {
  readonly shape: readonly number[];
  readonly root: Root | undefined;
  readonly operands: readonly View[];
  readonly operandBody: Scalar | undefined;
  /** Views over `shape`, read by the outputs' bodies. */
  readonly inputs: readonly View[];
  readonly outputs: readonly Output[];
  /** Is the first axis walked by itself, as in the other tasks of a chain? Else it may be merged with those after it. */
  readonly byItem?: boolean;
}
