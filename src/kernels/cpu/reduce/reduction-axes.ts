// The axes of a reduction: those that are kept and those that are reduced, each merged where all arrays allow it.
import type { ArgReduce, Reduce, View } from '../../../primitives/primitives.ts';
import type { Task } from '../../../primitives/task.ts';
import type { IterationSpace, StridedAccess } from '../../body/nest.ts';
import { iterationSpace, outputAccesses } from '../../body/outputs.ts';

/** How the axes of a reduction are walked. */
export interface ReductionAxes {
  /** With strides of the operands, then of the outputs' arrays. */
  readonly kept: IterationSpace;
  /** With strides of the operands. */
  readonly reduced: IterationSpace;
  readonly operands: readonly View[];
  /** The operands, then the arrays that the outputs read and write. */
  readonly accesses: readonly StridedAccess[];
}

export function reductionAxes(task: Task): ReductionAxes {
  const rank = task.shape.length;
  const operands = task.operands;
  const root = task.root as Reduce | ArgReduce;
  const full = root.x.shape;
  const head = (v: View): StridedAccess => ({ strides: v.strides.slice(0, rank), offset: v.offset });
  const tail = (v: View): StridedAccess => ({ strides: v.strides.slice(rank), offset: 0 });
  const accesses = [...operands.map(head), ...outputAccesses(task)];
  const kept = iterationSpace(task, accesses);
  const reduced = iterationSpace(task, operands.map(tail), full.slice(rank));
  return { kept, reduced, operands, accesses };
}
