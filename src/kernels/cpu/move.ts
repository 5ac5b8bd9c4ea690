// Gather and scatter: elements moved to and from computed places.

import type { Expression, Local, LoopVariable, Statement } from '../../loops/ir.ts';
import * as ir from '../../loops/ir.ts';
import type { Machine } from '../../loops/machine.ts';
import type { View } from '../../primitives/primitives.ts';
import type { Task } from '../../primitives/task.ts';
import { elements, rowMajor } from '../../tensor/shape.ts';
import { int32, termsAlong } from '../body/indices.ts';
import { fromBegin, nested, positionAt, spaceOver, variables } from '../body/nest.ts';
import { computeOutputs, filling, outputAccesses } from '../body/outputs.ts';
import type { Offer, TaskBuffers } from '../offer.ts';

/** out[h, i, t] = x[h, indices[i], t] */
export function gathering(task: Task): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'gather') return undefined;
  const { axis } = root;
  const [x, indices] = task.operands;
  const count = elements(task.shape);
  return {
    name: 'gather',
    cost: count * 4,
    build: (buffers) => {
      const all = variables('i', task.shape);
      const { outside, tail, set, place } = looking(buffers, indices, all, axis);
      const head = all.slice(0, axis);
      const rest = ir.at(x.offset, ...termsAlong(head, x.strides), ...termsAlong(tail, x.strides.slice(axis + 1)));
      const source = ir.binary('add', scaled(place, x.strides[axis]), ir.index(rest, int32));
      const buffer = buffers.of(x.node);
      const value = ir.loadAt(buffer, source, ir.valueType(buffer.dtype, 1));
      const space = spaceOver(task.shape, outputAccesses(task));
      const stores = computeOutputs(task, buffers, positionAt(space, all.map(fromBegin)), value);
      const body = nested(outside, [set, ...nested(tail, stores)]);
      return [{ name: 'gather', body, flops: 0, bytes: count * 12 }];
    },
  };
}

/** out = 0; out[h, indices[i], t] += x[h, i, t], in order. */
export function scattering(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'scatter') return undefined;
  const { axis } = root;
  const [x, indices] = task.operands;
  const count = elements(x.shape);
  return {
    name: 'scatter',
    cost: count * 4 + elements(root.shape),
    build: (buffers) => {
      const target = buffers.of(task.outputs[0].node);
      const strides = rowMajor(root.shape);
      const all = variables('i', x.shape);
      const { outside, tail, set, place } = looking(buffers, indices, all, axis);
      const head = all.slice(0, axis);
      const rest = ir.at(0, ...termsAlong(head, strides), ...termsAlong(tail, strides.slice(axis + 1)));
      const where: Local = { name: 'where', type: int32 };
      const type = ir.valueType(target.dtype, 1);
      const value = ir.load(buffers.of(x.node), ir.at(x.offset, ...termsAlong(all, x.strides)), type);
      const sum = ir.binary('add', ir.loadAt(target, ir.local(where), type), value);
      const add: Statement[] = [
        {
          kind: 'set',
          local: where,
          value: ir.binary('add', scaled(place, strides[axis]), ir.index(rest, int32)),
        },
        { kind: 'storeAt', buffer: target, index: ir.local(where), value: sum },
      ];
      const body = nested(outside, [set, ...nested(tail, add)]);
      const zero = filling(target, 0, machine);
      return [zero, { name: 'scatter', body, flops: count, bytes: count * 16 }];
    },
  };
}

/**
 * The loops of h and i, in which an index is read, and those of t, in which it stays: `set` puts it in a register,
 * `place` reads it there.
 */
function looking(buffers: TaskBuffers, indices: View, all: readonly LoopVariable[], axis: number) {
  const end = axis + indices.shape.length;
  const at: Local = { name: 'at', type: int32 };
  const index = ir.at(indices.offset, ...termsAlong(all.slice(axis, end), indices.strides));
  const value = ir.load(buffers.of(indices.node), index, int32);
  const set: Statement = { kind: 'set', local: at, value };
  return { outside: all.slice(0, end), tail: all.slice(end), set, place: ir.local(at) };
}

const scaled = (e: Expression, factor: number): Expression =>
  factor === 1 ? e : ir.binary('mul', e, ir.constant(factor, int32));
