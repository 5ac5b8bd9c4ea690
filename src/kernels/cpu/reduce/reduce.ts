// Reductions: sums, products, extremes, any and all, over any axes.

import type { BinaryOp, Expression, Local, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import type { Machine } from '../../../loops/machine.ts';
import { identityOf, type Reduce } from '../../../primitives/primitives.ts';
import type { Scalar } from '../../../primitives/scalar.ts';
import type { Task } from '../../../primitives/task.ts';
import { elements } from '../../../tensor/shape.ts';
import { taskCost } from '../../body/cost.ts';
import { lanesFor } from '../../body/expression.ts';
import { type Body, type IterationSpace, isPartial, loop, type Position, partOf, variable } from '../../body/nest.ts';
import { computeOutputs, outputBytes, outputTypes } from '../../body/outputs.ts';
import type { Offer, TaskBuffers } from '../../offer.ts';
import { axisIndex, operandAt, type ReductionAxes, reductionAxes } from './reduction-axes.ts';

const combineOps: Record<Reduce['op'], BinaryOp> = {
  sum: 'add',
  prod: 'mul',
  max: 'max',
  min: 'min',
  any: 'or',
  all: 'and',
};

/** Vectors that are accumulated side by side, to fill the pipeline and whole cache lines. */
const sideBySide = 4;

/** A reduction of any axes. Vectors run along the kept axis that lies innermost, else along the reduced one. */
export function reduction(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'reduce' || !task.operandBody) return undefined;
  const operandBody = task.operandBody;
  const bodies = [operandBody, ...task.outputs.map((o) => o.body)];
  const axes = reductionAxes(task);
  const count = elements(task.shape) * elements(axes.reduced.shape);
  const types = [...outputTypes(task), ...task.operands.map((v) => v.node.dtype)];
  const lanes = lanesFor(machine, bodies, types);
  const flops = (taskCost([operandBody]) + 1) * count;
  const bytes = outputBytes(task) + task.operands.length * count * 4;
  const last = axes.kept.shape.length - 1;
  const innerKept = last >= 0 ? axes.kept.shape[last] : 1;
  const lastReduced = axes.reduced.shape.length - 1;
  const contiguousReduced =
    lastReduced >= 0 && axes.operands.some((_, k) => axes.reduced.strides[k][lastReduced] === 1);
  const fills = (size: number) => size >= lanes || isPartial(size, lanes, machine);
  const alongKept = lanes > 1 && fills(innerKept) && (!contiguousReduced || keptIsNearer(axes));
  const inVectors = alongKept || (contiguousReduced && fills(axes.reduced.shape[lastReduced]));
  return {
    name: `reduce ×${inVectors ? lanes : 1}`,
    cost: flops / (inVectors ? lanes : 1),
    build: (buffers) => {
      const body = alongKept
        ? reduceAlongKept(task, root, operandBody, buffers, axes, lanes, machine)
        : reduceAlongReduced(task, root, operandBody, buffers, axes, inVectors ? lanes : 1, machine);
      return [{ name: `reduce ${root.op}`, body, flops, bytes }];
    },
  };
}

/** Are no more operands scattered along the kept axis than along the reduced one, and some neighbours? */
function keptIsNearer({ operands, kept, reduced }: ReductionAxes): boolean {
  const strides = (axes: IterationSpace) => operands.map((_, k) => axes.strides[k].at(-1) as number);
  const scattered = (axes: IterationSpace) => strides(axes).filter((n) => n !== 0 && n !== 1).length;
  return kept.shape.length > 0 && strides(kept).includes(1) && scattered(kept) <= scattered(reduced);
}

const combine = (op: Reduce['op'], a: Expression, b: Expression): Expression => ir.binary(combineOps[op], a, b);

/** A finished result: uint8 is summed as int32. */
const finished = (op: Reduce, total: Expression): Expression =>
  op.dtype === 'uint8' ? ir.binary('and', total, ir.constant(255, total.type)) : total;

/** Several neighbouring vectors of results at once, all reduced elements for each. */
function reduceAlongKept(
  task: Task,
  root: Reduce,
  body: Scalar,
  buffers: TaskBuffers,
  axes: ReductionAxes,
  lanes: number,
  machine: Machine,
): Statement[] {
  const { kept, reduced } = axes;
  const last = kept.shape.length - 1;
  const inner = kept.shape[last];
  const outer = kept.shape.slice(0, last).map((size, i) => variable(`i${i}`, size));
  const reductions = reduced.shape.map((size, i) => variable(`k${i}`, size));
  const operandCount = axes.operands.length;
  const tile = (begin: number, extent: number, width: number, vectors: number, count?: number): Body => {
    const v = variable(`v${begin}_${width}_${vectors}`, extent, width * vectors);
    const keptTerms = (k: number) => [
      ...outer.map((o, i) => [o, kept.strides[k][i]] as const),
      [v, kept.strides[k][last]] as const,
    ];
    const sums: Local[] = [];
    const steps: Statement[] = [];
    const ends: Statement[] = [];
    for (let u = 0; u < vectors; u++) {
      const sum: Local = { name: `s${begin}_${width}_${vectors}_${u}`, type: ir.valueType(root.dtype, width) };
      sums.push(sum);
      const shift = begin + u * width;
      const operand = operandAt(
        body,
        buffers,
        axes,
        width,
        `${sum.name}_`,
        (k) =>
          ir.at(
            axes.accesses[k].offset + shift * kept.strides[k][last],
            ...keptTerms(k),
            ...reductions.map((r, i) => [r, reduced.strides[k][i]] as const),
          ),
        (k) => kept.strides[k][last],
        (a) => axisIndex(a, task, outer, v, shift, reductions, width),
        count,
      );
      steps.push(...operand.statements, {
        kind: 'set',
        local: sum,
        value: combine(root.op, ir.local(sum), operand.value),
      });
      const p: Position = {
        lanes: width,
        count,
        at: (k) =>
          ir.at(
            axes.accesses[k + operandCount].offset + shift * kept.strides[k + operandCount][last],
            ...keptTerms(k + operandCount),
          ),
        step: (k) => kept.strides[k + operandCount][last],
        axis: (a) => axisIndex(a, task, outer, v, shift, reductions, width),
      };
      ends.push(...computeOutputs(task, buffers, p, finished(root, ir.local(sum)), `e${sum.name}_`));
    }
    const begins = sums.map(
      (local): Statement => ({ kind: 'set', local, value: ir.constant(identityOf(root.op, root.dtype), local.type) }),
    );
    const inside = reductions.reduceRight<Body>((statements, r) => loop(r, statements), steps);
    return loop(v, [...begins, ...inside, ...ends], outer.length === 0 ? 'parallel' : 'serial');
  };
  const wide = Math.floor(inner / (lanes * sideBySide)) * lanes * sideBySide;
  const vectors = Math.floor((inner - wide) / lanes) * lanes;
  const rest = inner - wide - vectors;
  const parts = [
    ...(wide > 0 ? tile(0, wide, lanes, sideBySide) : []),
    ...(vectors > 0 ? tile(wide, vectors, lanes, 1) : []),
    ...(isPartial(rest, lanes, machine)
      ? tile(wide + vectors, lanes, lanes, 1, rest)
      : tile(wide + vectors, rest, 1, 1)),
  ];
  return [
    ...outer.reduceRight<Body>((statements, v, i) => loop(v, statements, i === 0 ? 'parallel' : 'serial'), parts),
  ];
}

/** A register with results in its first lanes. */
interface Partial {
  readonly local: Local;
  readonly count: number;
}

/** Partial results as one number: whole vectors first, then their lanes in halves. */
function allInOne(root: Reduce, sums: readonly Partial[]): { statements: Body; value: Expression } {
  const { op, dtype } = root;
  const isWhole = ({ local, count }: Partial) => local.type.lanes === count && count > 1;
  const [first, ...others] = sums.filter(isWhole);
  const statements: Statement[] = others.map(({ local }) => ({
    kind: 'set',
    local: first.local,
    value: combine(op, ir.local(first.local), ir.local(local)),
  }));
  const rest = [...(first ? [first] : []), ...sums.filter((s) => !isWhole(s))];
  for (const { local, count } of rest) {
    const { lanes } = local.type;
    const empty = ir.constant(identityOf(op, dtype), local.type);
    for (let left = count; left > 1; ) {
      const half = 2 ** (Math.ceil(Math.log2(left)) - 1);
      // Only the lower half matters from here on.
      const from = (l: number) => (l >= half ? l : l + half < left ? l + half : lanes);
      const upper = Array.from({ length: lanes }, (_, l) => from(l));
      const folded = combine(op, ir.local(local), ir.shuffle(ir.local(local), empty, upper));
      statements.push({ kind: 'set', local, value: folded });
      left = half;
    }
  }
  const totals = rest.map(({ local }) => (local.type.lanes === 1 ? ir.local(local) : ir.lane(ir.local(local), 0)));
  const nothing = ir.constant(identityOf(op, dtype), ir.valueType(dtype, 1));
  return { statements, value: totals.length === 0 ? nothing : totals.reduce((a, b) => combine(op, a, b)) };
}

/** One result at a time: vectors along the innermost reduced axis, then their lanes together. */
function reduceAlongReduced(
  task: Task,
  root: Reduce,
  body: Scalar,
  buffers: TaskBuffers,
  axes: ReductionAxes,
  lanes: number,
  machine: Machine,
): Statement[] {
  const { kept, reduced } = axes;
  const lastReduced = reduced.shape.length - 1;
  const inner = lastReduced < 0 ? 1 : reduced.shape[lastReduced];
  const outer = kept.shape.map((size, i) => variable(`i${i}`, size));
  const middle = reduced.shape.slice(0, Math.max(0, lastReduced)).map((size, i) => variable(`k${i}`, size));
  const operandCount = axes.operands.length;
  const statements: Statement[] = [];
  const sums: Partial[] = [];
  const piece = (begin: number, extent: number, width: number, vectors: number, count = width) => {
    const v = variable(`v${begin}_${width}`, extent, width * vectors);
    const steps: Statement[] = [];
    for (let u = 0; u < vectors; u++) {
      const sum: Local = { name: `s${begin}_${width}_${u}`, type: ir.valueType(root.dtype, width) };
      statements.push({ kind: 'set', local: sum, value: ir.constant(identityOf(root.op, root.dtype), sum.type) });
      const shift = begin + u * width;
      const at = (k: number) =>
        ir.at(
          axes.accesses[k].offset + (lastReduced < 0 ? 0 : shift * reduced.strides[k][lastReduced]),
          ...outer.map((o, i) => [o, kept.strides[k][i]] as const),
          ...middle.map((r, i) => [r, reduced.strides[k][i]] as const),
          ...(lastReduced < 0 ? [] : [[v, reduced.strides[k][lastReduced]] as const]),
        );
      const axis = (a: number): Expression => {
        const type = { dtype: 'int32' as const, lanes: width };
        if (a < task.shape.length) return ir.index(ir.at(0, [outer[a], 1]), type);
        const r = a - task.shape.length;
        return r === lastReduced ? ir.index(ir.at(shift, [v, 1]), type, 1) : ir.index(ir.at(0, [middle[r], 1]), type);
      };
      const operand = operandAt(
        body,
        buffers,
        axes,
        width,
        `${sum.name}_`,
        at,
        (k) => reduced.strides[k][lastReduced],
        axis,
        partOf(count, width),
      );
      steps.push(...operand.statements, {
        kind: 'set',
        local: sum,
        value: combine(root.op, ir.local(sum), operand.value),
      });
      sums.push({ local: sum, count });
    }
    return loop(v, steps);
  };
  const parts: Statement[] = [];
  const block = lanes * sideBySide;
  const big = lanes === 1 ? 0 : Math.floor(inner / block) * block;
  const vectors = lanes === 1 ? 0 : Math.floor((inner - big) / lanes) * lanes;
  if (big > 0) parts.push(...piece(0, big, lanes, sideBySide));
  if (vectors > 0) parts.push(...piece(big, vectors, lanes, 1));
  const rest = inner - big - vectors;
  if (isPartial(rest, lanes, machine)) parts.push(...piece(big + vectors, lanes, lanes, 1, rest));
  else if (rest > 0) parts.push(...piece(big + vectors, rest, 1, 1));
  const inside = middle.reduceRight<Body>((body2, r) => loop(r, body2), parts);
  const total: Local = { name: 'total', type: ir.valueType(root.dtype, 1) };
  const together = allInOne(root, sums);
  const p: Position = {
    lanes: 1,
    at: (k) =>
      ir.at(
        axes.accesses[k + operandCount].offset,
        ...outer.map((o, i) => [o, kept.strides[k + operandCount][i]] as const),
      ),
    step: () => 0,
    axis: (a) => ir.index(ir.at(0, [outer[a], 1]), { dtype: 'int32', lanes: 1 }),
  };
  const ends = computeOutputs(task, buffers, p, finished(root, ir.local(total)), 'e');
  const end: Statement = { kind: 'set', local: total, value: together.value };
  const one = [...statements, ...inside, ...together.statements, end, ...ends];
  return [...outer.reduceRight<Body>((s, v, i) => loop(v, s, i === 0 ? 'parallel' : 'serial'), one)];
}
