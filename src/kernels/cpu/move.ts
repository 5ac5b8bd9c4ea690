// Gather and scatter: elements moved to and from computed places.

import type { Body, Buffer, Expression, Kernel, Local, LoopVariable, Statement } from '../../loops/ir.ts';
import * as ir from '../../loops/ir.ts';
import { lanesOf, type Machine } from '../../loops/machine.ts';
import type { Scatter, View } from '../../primitives/primitives.ts';
import type { Task } from '../../primitives/task.ts';
import { elements, rowMajor } from '../../tensor/shape.ts';
import { added, int32, termsAlong } from '../body/indices.ts';
import { addTo, mostProducts, pair, roundAt, type SumsAt } from '../body/long-sums.ts';
import { fromBegin, mergeAxes, nest, nested, type Position, positionAt, spaceOver, variables } from '../body/nest.ts';
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

/**
 * out = 0; out[h, indices[i], t] += x[h, i, t], in order. All indices may name one place: where they are more than may be
 * added up in a register, what the additions round away is kept beside the sums.
 */
export function scattering(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'scatter') return undefined;
  const [x, indices] = task.operands;
  const exact = x.node.dtype === 'float32' && elements(indices.shape) > mostProducts;
  const [count, results] = [elements(x.shape), elements(root.shape)];
  return {
    name: exact ? 'scatter, with more digits' : 'scatter',
    cost: count * 4 + results,
    build: (buffers) => {
      const high = buffers.of(task.outputs[0].node);
      const low = exact ? buffers.scratch('rounded', 'float32', results) : undefined;
      const body = addingAtIndices(task, root, { high, low }, machine, buffers);
      const zeros = [high, ...(low ? [low] : [])].map((buffer) => filling(buffer, 0, machine));
      const add: Kernel = { name: 'scatter', body, flops: count, bytes: count * (low ? 24 : 16) };
      return [...zeros, add, ...(low ? [rounding({ high, low }, machine)] : [])];
    },
  };
}

/** Neighbours are added at once: they are elements of one index. */
function addingAtIndices(
  task: Task,
  { axis, shape }: Scatter,
  sums: SumsAt,
  machine: Machine,
  buffers: TaskBuffers,
): Body {
  const [x, indices] = task.operands;
  const strides = rowMajor(shape);
  const end = axis + indices.shape.length;
  const all = variables('h', x.shape.slice(0, end));
  const { outside, set, place } = looking(buffers, indices, all, axis);
  const from = ir.at(0, ...termsAlong(outside, x.strides));
  const to = ir.at(0, ...termsAlong(outside.slice(0, axis), strides));
  const tail = mergeAxes(x.shape.slice(end), [
    { strides: x.strides.slice(end), offset: x.offset },
    { strides: strides.slice(axis + 1), offset: 0 },
  ]);
  const where: Local = { name: 'where', type: int32 };
  const add = (p: Position): Body => {
    const type = ir.valueType(sums.high.dtype, p.lanes);
    const index = ir.binary('add', scaled(place, strides[axis]), ir.index(added(to, p.at(1)), int32));
    const value = ir.load(buffers.of(x.node), added(from, p.at(0)), type);
    return [{ kind: 'set', local: where, value: index }, ...addingAt(sums, ir.local(where), value)];
  };
  const dtype = sums.high.dtype;
  const lanes = tail.strides[0].at(-1) === 1 ? lanesOf(machine, dtype) : 1;
  return nested(outside, [set, ...nest(tail, lanes, { ...machine, partialVectors: false }, add)]);
}

/** Adds a value to the sums at a computed index. */
function addingAt({ high, low }: SumsAt, index: Expression, value: Expression): Body {
  const { type } = value;
  const at = (buffer: Buffer) => ir.loadAt(buffer, index, type);
  const to = (buffer: Buffer, e: Expression): Statement => ({ kind: 'storeAt', buffer, index, value: e });
  if (!low) return [to(high, ir.binary('add', at(high), value))];
  // What was rounded away before is added first (Kahan's sum), as it would itself become a long sum; beside an infinity
  // there is none.
  const [sums, lost] = [pair('sums', type), { name: 'lost', type }];
  const before = ir.local(lost);
  const zero = ir.constant(0, type);
  return [
    { kind: 'set', local: lost, value: at(low) },
    { kind: 'set', local: sums.high, value: at(high) },
    { kind: 'set', local: sums.low, value: zero },
    ...addTo(sums, ir.binary('add', value, ir.select(ir.compare('equal', before, before), before, zero))),
    to(high, ir.local(sums.high)),
    to(low, ir.local(sums.low)),
  ];
}

/** What the additions have rounded away is added at last. */
function rounding(sums: SumsAt, machine: Machine): Kernel {
  const { dtype, length } = sums.high;
  const space = { shape: [length], offsets: [0], strides: [[1]] };
  const round = (p: Position) => roundAt(sums, p.at(0), ir.valueType(dtype, p.lanes), p.count);
  const body = nest(space, lanesOf(machine, dtype), machine, round, 'parallel');
  return { name: 'round', body, flops: 2 * length, bytes: length * 12 };
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
