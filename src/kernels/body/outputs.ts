// The end of every task: the outputs' bodies, computed for one element or a vector, and stored.

import type { Buffer, Expression, Kernel, LoopVariable, Statement } from '../../loops/ir.ts';
import * as ir from '../../loops/ir.ts';
import { lanesOf, type Machine } from '../../loops/machine.ts';
import { usesIndex } from '../../primitives/scalar.ts';
import type { Task } from '../../primitives/task.ts';
import { type DType, sizeOf } from '../../tensor/dtype.ts';
import { elements } from '../../tensor/shape.ts';
import type { TaskBuffers } from '../offer.ts';
import { share, Translator } from './expression.ts';
import {
  type IterationSpace,
  loop,
  mergeAxes,
  type Position,
  type StridedAccess,
  spaceOver,
  variable,
} from './nest.ts';

/** The arrays that the outputs read and write: inputs first, then the stores. */
export const outputAccesses = (task: Task): StridedAccess[] => [...task.inputs, ...task.outputs];
/** The element types of these arrays. */
export const outputTypes = (task: Task): DType[] => [
  ...task.inputs.map((v) => v.node.dtype),
  ...task.outputs.map((o) => o.node.dtype),
];

/** Does anything in the task depend on the position itself? Then axes cannot be merged. */
const taskUsesIndex = (task: Task): boolean =>
  task.outputs.some((o) => usesIndex(o.body)) || (task.operandBody !== undefined && usesIndex(task.operandBody));

/** The task's axes, or others, as the accesses walk them; merged where nothing asks for a position. */
export const iterationSpace = (task: Task, accesses: readonly StridedAccess[], shape = task.shape): IterationSpace =>
  taskUsesIndex(task) ? spaceOver(shape, accesses) : mergeAxes(shape, accesses, task.byItem && shape === task.shape);

/** A load as fits how the access moves along the vector. */
export function loadFor(buffer: Buffer, p: Position, access: number): Expression {
  const step = p.lanes === 1 ? 1 : p.step(access);
  return ir.load(buffer, p.at(access), ir.valueType(buffer.dtype, p.lanes), step, p.count);
}

/** Computes and stores the outputs at a position; `root` is the value of the task's root there. */
export function computeOutputs(
  task: Task,
  buffers: TaskBuffers,
  p: Position,
  root?: Expression,
  prefix?: string,
): Statement[] {
  const inputs = task.inputs.length;
  const loaded = new Map<number, Expression>();
  const translator = new Translator(p.lanes, {
    input: (i) => {
      if (i < 0) return root as Expression;
      let e = loaded.get(i);
      if (!e) loaded.set(i, (e = loadFor(buffers.of(task.inputs[i].node), p, i)));
      return e;
    },
    index: (axis) => p.axis(axis),
  });
  const { statements, values } = share(
    task.outputs.map((o) => translator.translate(o.body)),
    prefix,
  );
  const stores = task.outputs.map(({ node }, i): Statement => {
    return ir.store(buffers.of(node), p.at(inputs + i), values[i], p.count);
  });
  return [...statements, ...stores];
}

/** Fills the arrays that the outputs do not cover: kernels of their own, because the outputs overwrite a part of it. */
export function fills(task: Task, buffers: TaskBuffers, machine: Machine): Kernel[] {
  return task.outputs.flatMap(({ node, fill }) => {
    return fill === undefined ? [] : filling(buffers.of(node), fill, machine);
  });
}

/** Sets every element of a buffer. */
export function filling(buffer: Buffer, value: number, machine: Machine): Kernel {
  const { length } = buffer;
  const lanes = lanesOf(machine, buffer.dtype);
  const full = Math.floor(length / lanes) * lanes;
  const store = (v: LoopVariable, begin: number, width: number): Statement =>
    ir.store(buffer, ir.at(begin, [v, 1]), ir.constant(value, ir.valueType(buffer.dtype, width)));
  const v = variable('f', full, lanes);
  const r = variable('g', length - full);
  const body = [...loop(v, [store(v, 0, lanes)], 'parallel'), ...loop(r, [store(r, full, 1)])];
  return { name: 'fill', body, flops: 0, bytes: length * sizeOf(buffer.dtype) };
}

/** Bytes that the outputs read and write, and operations that they compute, in all. */
export function outputBytes(task: Task): number {
  return outputTypes(task).reduce((sum, t) => sum + sizeOf(t), 0) * elements(task.shape);
}
