// What reductions of every kind share: the kept and the reduced axes, and the value to reduce at a place.
import type { Expression, LoopVariable, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import type { ArgReduce, Reduce, View } from '../../../primitives/primitives.ts';
import type { Scalar } from '../../../primitives/scalar.ts';
import type { Task } from '../../../primitives/task.ts';
import { share, Translator } from '../../body/expression.ts';
import type { IterationSpace, StridedAccess } from '../../body/nest.ts';
import { iterationSpace, outputAccesses } from '../../body/outputs.ts';
import type { TaskBuffers } from '../../offer.ts';

/** The space of a reduction: kept axes and reduced axes, each merged, with the strides of operands and outputs. */
export interface ReductionAxes {
  readonly kept: IterationSpace;
  readonly reduced: IterationSpace;
  readonly operands: readonly View[];
  readonly accesses: readonly StridedAccess[];
}

/** How the task's axes are walked. */
export function reductionAxes(task: Task): ReductionAxes {
  const rank = task.shape.length;
  const operands = task.operands;
  const root = task.root as Reduce | ArgReduce;
  const full = root.x.shape;
  const accesses = outputAccesses(task);
  const head = (v: View): StridedAccess => ({ strides: v.strides.slice(0, rank), offset: v.offset });
  const tail = (v: View): StridedAccess => ({ strides: v.strides.slice(rank), offset: 0 });
  const all = [...operands.map(head), ...accesses];
  const kept = iterationSpace(task, all);
  const reduced = iterationSpace(task, operands.map(tail), full.slice(rank));
  return { kept, reduced, operands, accesses: all };
}

/** The value to reduce at a place, as statements and an expression. */
export function operandAt(
  body: Scalar,
  buffers: TaskBuffers,
  axes: ReductionAxes,
  width: number,
  prefix: string,
  at: (k: number) => ir.Affine,
  step: (k: number) => number,
  axis: (a: number) => Expression,
  count?: number,
): { statements: Statement[]; value: Expression } {
  const translator = new Translator(width, {
    input: (i) => {
      const buffer = buffers.of(axes.operands[i].node);
      return ir.load(buffer, at(i), ir.valueType(buffer.dtype, width), width === 1 ? 1 : step(i), count);
    },
    index: axis,
  });
  const { statements, values } = share([translator.translate(body)], prefix);
  return { statements, value: values[0] };
}

/** The position along an axis of the unmerged space, kept or reduced, as a value. */
export function axisIndex(
  axis: number,
  task: Task,
  outer: readonly LoopVariable[],
  v: LoopVariable | undefined,
  begin: number,
  reductions: readonly LoopVariable[],
  width: number,
): Expression {
  const type = { dtype: 'int32' as const, lanes: width };
  if (axis >= task.shape.length) return ir.index(ir.at(0, [reductions[axis - task.shape.length], 1]), type);
  if (v && axis === task.shape.length - 1) return ir.index(ir.at(begin, [v, 1]), type, 1);
  return ir.index(ir.at(0, [outer[axis], 1]), type);
}
