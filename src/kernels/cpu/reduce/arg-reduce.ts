// The index of the largest or smallest element.
import type { Local, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import type { Machine } from '../../../loops/machine.ts';
import type { Scalar } from '../../../primitives/scalar.ts';
import type { Task } from '../../../primitives/task.ts';
import { elements } from '../../../tensor/shape.ts';
import { taskCost } from '../../body/cost.ts';
import { lanesFor } from '../../body/expression.ts';
import { type Body, loop, type Position, variable } from '../../body/nest.ts';
import { computeOutputs, outputBytes, outputTypes } from '../../body/outputs.ts';
import type { Offer, TaskBuffers } from '../../offer.ts';
import { axisIndex, operandAt, type ReductionAxes, reductionAxes } from './reduction-axes.ts';

/** Index of the first extreme element; NaN counts as extreme. Vectors along the innermost kept axis where it can. */
export function argReduction(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'argReduce' || !task.operandBody) return undefined;
  const operandBody = task.operandBody;
  const axes = reductionAxes(task);
  const count = elements(task.shape) * elements(axes.reduced.shape);
  const flops = (taskCost([operandBody]) + 4) * count;
  const types = [...outputTypes(task), ...task.operands.map((v) => v.node.dtype)];
  const lanes = lanesFor(machine, [operandBody, ...task.outputs.map((o) => o.body)], types);
  return {
    name: `argReduce ×${lanes}`,
    cost: flops / lanes,
    build: (buffers) => {
      const last = axes.kept.shape.length - 1;
      const wide =
        last >= 0 && axes.kept.shape[last] >= lanes && axes.operands.every((_, k) => axes.kept.strides[k][last] <= 1);
      const body = argAlongKept(task, operandBody, buffers, axes, wide ? lanes : 1);
      return [{ name: `arg${root.op}`, body, flops, bytes: outputBytes(task) + count * 4 }];
    },
  };
}

function argAlongKept(task: Task, body: Scalar, buffers: TaskBuffers, axes: ReductionAxes, lanes: number): Statement[] {
  const { kept, reduced } = axes;
  const last = kept.shape.length - 1;
  const inner = last < 0 ? 1 : kept.shape[last];
  const outer = kept.shape.slice(0, Math.max(0, last)).map((size, i) => variable(`i${i}`, size));
  const reductions = reduced.shape.map((size, i) => variable(`k${i}`, size));
  const operandCount = axes.operands.length;
  const largest = task.root?.kind === 'argReduce' && task.root.op === 'max';
  const tile = (begin: number, extent: number, width: number): Body => {
    const v = variable(`v${width}`, extent, width);
    const terms = (k: number) => [
      ...outer.map((o, i) => [o, kept.strides[k][i]] as const),
      ...(last < 0 ? [] : [[v, kept.strides[k][last]] as const]),
    ];
    const shift = (k: number) => axes.accesses[k].offset + (last < 0 ? 0 : begin * kept.strides[k][last]);
    const axis = (a: number) => axisIndex(a, task, outer, last < 0 ? undefined : v, begin, reductions, width);
    const valueType = ir.valueType(body.dtype, width);
    const best: Local = { name: `best${width}`, type: valueType };
    const where: Local = { name: `where${width}`, type: { dtype: 'int32', lanes: width } };
    const now: Local = { name: `now${width}`, type: { dtype: 'int32', lanes: width } };
    const x: Local = { name: `x${width}`, type: valueType };
    const operand = operandAt(
      body,
      buffers,
      axes,
      width,
      `a${width}_`,
      (k) => ir.at(shift(k), ...terms(k), ...reductions.map((r, i) => [r, reduced.strides[k][i]] as const)),
      (k) => (last < 0 ? 0 : kept.strides[k][last]),
      axis,
    );
    const xs = ir.local(x);
    const bests = ir.local(best);
    const further = largest ? ir.compare('less', bests, xs) : ir.compare('less', xs, bests);
    const isNaN = ir.compare('notEqual', xs, xs);
    const wasNumber = ir.compare('equal', bests, bests);
    const first = ir.compare('equal', ir.local(now), ir.constant(0, now.type));
    const better: Local = { name: `better${width}`, type: { dtype: 'bool', lanes: width } };
    const float = valueType.dtype !== 'int32' && valueType.dtype !== 'bool';
    const beats = float ? ir.binary('or', further, ir.binary('and', isNaN, wasNumber)) : further;
    const steps: Statement[] = [
      ...operand.statements,
      { kind: 'set', local: x, value: operand.value },
      { kind: 'set', local: better, value: ir.binary('or', beats, first) },
      { kind: 'set', local: best, value: ir.select(ir.local(better), xs, bests) },
      { kind: 'set', local: where, value: ir.select(ir.local(better), ir.local(now), ir.local(where)) },
      { kind: 'set', local: now, value: ir.binary('add', ir.local(now), ir.constant(1, now.type)) },
    ];
    const p: Position = {
      lanes: width,
      at: (k) => ir.at(shift(k + operandCount), ...terms(k + operandCount)),
      step: (k) => (last < 0 ? 0 : kept.strides[k + operandCount][last]),
      axis,
    };
    const inside = reductions.reduceRight<Body>((s, r) => loop(r, s), steps);
    return loop(
      v,
      [
        { kind: 'set', local: best, value: ir.constant(0, valueType) },
        { kind: 'set', local: where, value: ir.constant(0, where.type) },
        { kind: 'set', local: now, value: ir.constant(0, now.type) },
        ...inside,
        ...computeOutputs(task, buffers, p, ir.local(where), `e${width}_`),
      ],
      outer.length === 0 ? 'parallel' : 'serial',
    );
  };
  const vectors = lanes === 1 ? 0 : Math.floor(inner / lanes) * lanes;
  const parts = [
    ...(vectors > 0 ? tile(0, vectors, lanes) : []),
    ...(inner - vectors > 0 ? tile(vectors, inner - vectors, 1) : []),
  ];
  return [...outer.reduceRight<Body>((s, v, i) => loop(v, s, i === 0 ? 'parallel' : 'serial'), parts)];
}
