// Reductions, and the index of the largest or smallest element.

import type { BinaryOp, Expression, Local, LoopVariable, Statement } from '../loops/ir.ts';
import * as ir from '../loops/ir.ts';
import type { Machine } from '../loops/machine.ts';
import { type ArgReduce, identityOf, type Reduce, type View } from '../program/primitives.ts';
import type { Scalar } from '../program/scalar.ts';
import type { Task } from '../program/task.ts';
import { elements } from '../tensor/shape.ts';
import { taskCost } from './cost.ts';
import { lanesFor, share, Translator } from './expression.ts';
import { type Access, loop, mergeAxes, type Position, type Space, variable } from './nest.ts';
import type { Offer, Storage } from './offer.ts';
import { outputAccesses, outputBytes, outputTypes, storeOutputs, usesIndex } from './outputs.ts';

const combineOps: Record<Reduce['op'], BinaryOp> = {
  sum: 'add',
  prod: 'mul',
  max: 'max',
  min: 'min',
  any: 'or',
  all: 'and',
};

/** Vectors that are accumulated side by side, to fill the pipeline and whole cache lines. */
const unroll = 4;

/** The space of a reduction: kept axes and reduced axes, each merged, with the strides of operands and outputs. */
interface Plan {
  readonly kept: Space;
  readonly reduced: Space;
  readonly operands: readonly View[];
  readonly accesses: readonly Access[];
}

function planFor(task: Task): Plan {
  const rank = task.shape.length;
  const operands = task.operands;
  const root = task.root as Reduce | ArgReduce;
  const full = root.x.shape;
  const accesses = outputAccesses(task);
  const head = (v: View): Access => ({ strides: v.strides.slice(0, rank), offset: v.offset });
  const tail = (v: View): Access => ({ strides: v.strides.slice(rank), offset: 0 });
  const all = [...operands.map(head), ...accesses];
  const fixed = usesIndex(task);
  const kept = fixed ? { shape: task.shape, strides: all.map((a) => a.strides) } : mergeAxes(task.shape, all);
  const reducedShape = full.slice(rank);
  const tails = operands.map(tail);
  const reduced = fixed
    ? { shape: reducedShape, strides: tails.map((a) => a.strides) }
    : mergeAxes(reducedShape, tails);
  return { kept, reduced, operands, accesses: all };
}

/** A reduction of any axes. Vectors run along the kept axis that lies innermost, else along the reduced one. */
export function reduction(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'reduce' || !task.operandBody) return undefined;
  const operandBody = task.operandBody;
  const bodies = [operandBody, ...task.outputs.map((o) => o.body)];
  const plan = planFor(task);
  const count = elements(task.shape) * elements(plan.reduced.shape);
  const types = [...outputTypes(task), ...task.operands.map((v) => v.node.dtype)];
  const lanes = lanesFor(machine, bodies, types);
  const flops = (taskCost([operandBody]) + 1) * count;
  const bytes = outputBytes(task) + task.operands.length * count * 4;
  return {
    name: `reduce ×${lanes}`,
    cost: flops / lanes,
    build: (storage) => {
      const last = plan.kept.shape.length - 1;
      const innerKept = last >= 0 ? plan.kept.shape[last] : 1;
      const contiguousKept = last >= 0 && plan.operands.some((_, k) => plan.kept.strides[k][last] === 1);
      const lastReduced = plan.reduced.shape.length - 1;
      const contiguousReduced =
        lastReduced >= 0 && plan.operands.some((_, k) => plan.reduced.strides[k][lastReduced] === 1);
      const alongKept = lanes > 1 && innerKept >= lanes && (contiguousKept || !contiguousReduced);
      const body = alongKept
        ? reduceAlongKept(task, root, operandBody, storage, plan, lanes)
        : reduceAlongReduced(task, root, operandBody, storage, plan, contiguousReduced ? lanes : 1);
      return [{ name: `reduce ${root.op}`, body, flops, bytes }];
    },
  };
}

/** The value to reduce at a place, as statements and an expression. */
function operandAt(
  body: Scalar,
  storage: Storage,
  plan: Plan,
  width: number,
  prefix: string,
  at: (k: number) => ir.Affine,
  step: (k: number) => number,
  axis: (a: number) => Expression,
): { statements: Statement[]; value: Expression } {
  const translator = new Translator(width, {
    input: (i) => {
      const buffer = storage.bufferOf(plan.operands[i].node);
      return ir.load(buffer, at(i), ir.valueType(buffer.dtype, width), width === 1 ? 1 : step(i));
    },
    index: axis,
  });
  const { statements, values } = share([translator.translate(body)], prefix);
  return { statements, value: values[0] };
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
  storage: Storage,
  plan: Plan,
  lanes: number,
): Statement[] {
  const { kept, reduced } = plan;
  const last = kept.shape.length - 1;
  const inner = kept.shape[last];
  const outer = kept.shape.slice(0, last).map((size, i) => variable(`i${i}`, size));
  const reductions = reduced.shape.map((size, i) => variable(`k${i}`, size));
  const operandCount = plan.operands.length;
  const tile = (begin: number, extent: number, width: number, vectors: number): readonly Statement[] => {
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
        storage,
        plan,
        width,
        `${sum.name}_`,
        (k) =>
          ir.at(
            plan.accesses[k].offset + shift * kept.strides[k][last],
            ...keptTerms(k),
            ...reductions.map((r, i) => [r, reduced.strides[k][i]] as const),
          ),
        (k) => kept.strides[k][last],
        (a) => axisIndex(a, task, outer, v, shift, reductions, width),
      );
      steps.push(...operand.statements, {
        kind: 'set',
        local: sum,
        value: combine(root.op, ir.local(sum), operand.value),
      });
      const p: Position = {
        lanes: width,
        at: (k) =>
          ir.at(
            plan.accesses[k + operandCount].offset + shift * kept.strides[k + operandCount][last],
            ...keptTerms(k + operandCount),
          ),
        step: (k) => kept.strides[k + operandCount][last],
        axis: (a) => axisIndex(a, task, outer, v, shift, reductions, width),
      };
      ends.push(...storeOutputs(task, storage, p, finished(root, ir.local(sum)), `e${sum.name}_`));
    }
    const begins = sums.map(
      (local): Statement => ({ kind: 'set', local, value: ir.constant(identityOf(root.op, root.dtype), local.type) }),
    );
    const inside = reductions.reduceRight<readonly Statement[]>((statements, r) => loop(r, statements), steps);
    return loop(v, [...begins, ...inside, ...ends], outer.length === 0 ? 'parallel' : 'serial');
  };
  const wide = Math.floor(inner / (lanes * unroll)) * lanes * unroll;
  const vectors = Math.floor((inner - wide) / lanes) * lanes;
  const parts = [
    ...(wide > 0 ? tile(0, wide, lanes, unroll) : []),
    ...(vectors > 0 ? tile(wide, vectors, lanes, 1) : []),
    ...(inner - wide - vectors > 0 ? tile(wide + vectors, inner - wide - vectors, 1, 1) : []),
  ];
  return [
    ...outer.reduceRight<readonly Statement[]>(
      (statements, v, i) => loop(v, statements, i === 0 ? 'parallel' : 'serial'),
      parts,
    ),
  ];
}

function axisIndex(
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

/** One result at a time: vectors along the innermost reduced axis, then their lanes together. */
function reduceAlongReduced(
  task: Task,
  root: Reduce,
  body: Scalar,
  storage: Storage,
  plan: Plan,
  wide: number,
): Statement[] {
  const { kept, reduced } = plan;
  const lastReduced = reduced.shape.length - 1;
  const inner = lastReduced < 0 ? 1 : reduced.shape[lastReduced];
  const lanes = inner >= wide ? wide : 1;
  const outer = kept.shape.map((size, i) => variable(`i${i}`, size));
  const middle = reduced.shape.slice(0, Math.max(0, lastReduced)).map((size, i) => variable(`k${i}`, size));
  const operandCount = plan.operands.length;
  const statements: Statement[] = [];
  const partial: Expression[] = [];
  const piece = (begin: number, extent: number, width: number, vectors: number) => {
    const v = variable(`v${begin}_${width}`, extent, width * vectors);
    const steps: Statement[] = [];
    for (let u = 0; u < vectors; u++) {
      const sum: Local = { name: `s${begin}_${width}_${u}`, type: ir.valueType(root.dtype, width) };
      statements.push({ kind: 'set', local: sum, value: ir.constant(identityOf(root.op, root.dtype), sum.type) });
      const shift = begin + u * width;
      const at = (k: number) =>
        ir.at(
          plan.accesses[k].offset + (lastReduced < 0 ? 0 : shift * reduced.strides[k][lastReduced]),
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
        storage,
        plan,
        width,
        `${sum.name}_`,
        at,
        (k) => reduced.strides[k][lastReduced],
        axis,
      );
      steps.push(...operand.statements, {
        kind: 'set',
        local: sum,
        value: combine(root.op, ir.local(sum), operand.value),
      });
      partial.push(
        ...Array.from({ length: width }, (_, l) => (width === 1 ? ir.local(sum) : ir.lane(ir.local(sum), l))),
      );
    }
    return loop(v, steps);
  };
  const parts: Statement[] = [];
  const block = lanes * unroll;
  const big = lanes === 1 ? 0 : Math.floor(inner / block) * block;
  const vectors = lanes === 1 ? 0 : Math.floor((inner - big) / lanes) * lanes;
  if (big > 0) parts.push(...piece(0, big, lanes, unroll));
  if (vectors > 0) parts.push(...piece(big, vectors, lanes, 1));
  if (inner - big - vectors > 0) parts.push(...piece(big + vectors, inner - big - vectors, 1, 1));
  const inside = middle.reduceRight<readonly Statement[]>((body2, r) => loop(r, body2), parts);
  const total: Local = { name: 'total', type: ir.valueType(root.dtype, 1) };
  const empty = ir.constant(identityOf(root.op, root.dtype), total.type);
  const sum = partial.length === 0 ? empty : partial.reduce((a, b) => combine(root.op, a, b));
  const p: Position = {
    lanes: 1,
    at: (k) =>
      ir.at(
        plan.accesses[k + operandCount].offset,
        ...outer.map((o, i) => [o, kept.strides[k + operandCount][i]] as const),
      ),
    step: () => 0,
    axis: (a) => ir.index(ir.at(0, [outer[a], 1]), { dtype: 'int32', lanes: 1 }),
  };
  const ends = storeOutputs(task, storage, p, finished(root, ir.local(total)), 'e');
  const one = [...statements, ...inside, { kind: 'set', local: total, value: sum } as Statement, ...ends];
  return [...outer.reduceRight<readonly Statement[]>((s, v, i) => loop(v, s, i === 0 ? 'parallel' : 'serial'), one)];
}

/** Index of the first extreme element; NaN counts as extreme. Vectors along the innermost kept axis where it can. */
export function argReduction(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'argReduce' || !task.operandBody) return undefined;
  const operandBody = task.operandBody;
  const plan = planFor(task);
  const count = elements(task.shape) * elements(plan.reduced.shape);
  const flops = (taskCost([operandBody]) + 4) * count;
  const types = [...outputTypes(task), ...task.operands.map((v) => v.node.dtype)];
  const lanes = lanesFor(machine, [operandBody, ...task.outputs.map((o) => o.body)], types);
  return {
    name: `argReduce ×${lanes}`,
    cost: flops / lanes,
    build: (storage) => {
      const last = plan.kept.shape.length - 1;
      const wide =
        last >= 0 && plan.kept.shape[last] >= lanes && plan.operands.every((_, k) => plan.kept.strides[k][last] <= 1);
      const body = argAlongKept(task, operandBody, storage, plan, wide ? lanes : 1);
      return [{ name: `arg${root.op}`, body, flops, bytes: outputBytes(task) + count * 4 }];
    },
  };
}

function argAlongKept(task: Task, body: Scalar, storage: Storage, plan: Plan, lanes: number): Statement[] {
  const { kept, reduced } = plan;
  const last = kept.shape.length - 1;
  const inner = last < 0 ? 1 : kept.shape[last];
  const outer = kept.shape.slice(0, Math.max(0, last)).map((size, i) => variable(`i${i}`, size));
  const reductions = reduced.shape.map((size, i) => variable(`k${i}`, size));
  const operandCount = plan.operands.length;
  const largest = task.root?.kind === 'argReduce' && task.root.op === 'max';
  const tile = (begin: number, extent: number, width: number): readonly Statement[] => {
    const v = variable(`v${width}`, extent, width);
    const terms = (k: number) => [
      ...outer.map((o, i) => [o, kept.strides[k][i]] as const),
      ...(last < 0 ? [] : [[v, kept.strides[k][last]] as const]),
    ];
    const shift = (k: number) => plan.accesses[k].offset + (last < 0 ? 0 : begin * kept.strides[k][last]);
    const axis = (a: number) => axisIndex(a, task, outer, last < 0 ? undefined : v, begin, reductions, width);
    const valueType = ir.valueType(body.dtype, width);
    const best: Local = { name: `best${width}`, type: valueType };
    const where: Local = { name: `where${width}`, type: { dtype: 'int32', lanes: width } };
    const now: Local = { name: `now${width}`, type: { dtype: 'int32', lanes: width } };
    const x: Local = { name: `x${width}`, type: valueType };
    const operand = operandAt(
      body,
      storage,
      plan,
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
    const inside = reductions.reduceRight<readonly Statement[]>((s, r) => loop(r, s), steps);
    return loop(
      v,
      [
        { kind: 'set', local: best, value: ir.constant(0, valueType) },
        { kind: 'set', local: where, value: ir.constant(0, where.type) },
        { kind: 'set', local: now, value: ir.constant(0, now.type) },
        ...inside,
        ...storeOutputs(task, storage, p, ir.local(where), `e${width}_`),
      ],
      outer.length === 0 ? 'parallel' : 'serial',
    );
  };
  const vectors = lanes === 1 ? 0 : Math.floor(inner / lanes) * lanes;
  const parts = [
    ...(vectors > 0 ? tile(0, vectors, lanes) : []),
    ...(inner - vectors > 0 ? tile(vectors, inner - vectors, 1) : []),
  ];
  return [...outer.reduceRight<readonly Statement[]>((s, v, i) => loop(v, s, i === 0 ? 'parallel' : 'serial'), parts)];
}
