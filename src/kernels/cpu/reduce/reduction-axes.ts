// The axes of a reduction, and what is reduced at a place along them.
import type { Body, Expression } from '../../../loops/ir.ts';
import type { ArgReduce, Reduce, View } from '../../../primitives/primitives.ts';
import type { Scalar } from '../../../primitives/scalar.ts';
import type { Task } from '../../../primitives/task.ts';
import { share, Translator } from '../../body/expression.ts';
import type { IterationSpace, Position, StridedAccess } from '../../body/nest.ts';
import { iterationSpace, loadFor, outputAccesses } from '../../body/outputs.ts';
import type { TaskBuffers } from '../../offer.ts';

/**
 * The axes that are kept and those that are reduced, each merged where all arrays allow it. Loops walk along the first
 * and then the second: the sum over the second axis of x[4, 6] has the places i and k, in vectors along one of the two:
 *
 *     along the kept axis      x[i … i + 3, k] is added to the sums of y[i … i + 3]
 *     along the reduced one    x[i, k … k + 3] is added to four sums, which y[i] will be made of
 */
export interface ReductionAxes {
  /** Sizes. */
  readonly kept: readonly number[];
  readonly reduced: readonly number[];
  /** Along the kept axes, then the reduced ones. */
  readonly operands: IterationSpace;
  /** Of the arrays that the outputs read and write, along the kept axes. */
  readonly outputs: IterationSpace;
}

export function reductionAxes(task: Task): ReductionAxes {
  const rank = task.shape.length;
  const count = task.operands.length;
  const root = task.root as Reduce | ArgReduce;
  const head = (v: View): StridedAccess => ({ strides: v.strides.slice(0, rank), offset: v.offset });
  const tail = (v: View): StridedAccess => ({ strides: v.strides.slice(rank), offset: 0 });
  const kept = iterationSpace(task, [...task.operands.map(head), ...outputAccesses(task)]);
  const reduced = iterationSpace(task, task.operands.map(tail), root.x.shape.slice(rank));
  return {
    kept: kept.shape,
    reduced: reduced.shape,
    operands: {
      shape: [...kept.shape, ...reduced.shape],
      offsets: kept.offsets.slice(0, count),
      strides: reduced.strides.map((strides, k) => [...kept.strides[k], ...strides]),
    },
    outputs: { shape: kept.shape, offsets: kept.offsets.slice(count), strides: kept.strides.slice(count) },
  };
}

/** A reduction of any kind while its loops are made. */
export interface Reduction {
  readonly task: Task;
  /** What is reduced, of the elements of the operands at one place. */
  readonly operand: Scalar;
  readonly axes: ReductionAxes;
  readonly buffers: TaskBuffers;
}

/** The value to reduce at a place. Names of registers begin with the prefix. */
export function operandAt(
  { task, operand, buffers }: Reduction,
  position: Position,
  prefix: string,
): { readonly statements: Body; readonly value: Expression } {
  const translator = new Translator(position.lanes, {
    input: (i) => loadFor(buffers.of(task.operands[i].node), position, i),
    index: position.axis,
  });
  const { statements, values } = share([translator.translate(operand)], prefix);
  return { statements, value: values[0] };
}
