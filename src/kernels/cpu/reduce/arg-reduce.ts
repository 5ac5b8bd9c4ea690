// The index of the largest or smallest element.
import type { Body, Expression, Local, ValueType } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import type { Machine } from '../../../loops/machine.ts';
import type { ArgReduce } from '../../../primitives/primitives.ts';
import type { Task } from '../../../primitives/task.ts';
import { elements } from '../../../tensor/shape.ts';
import { taskCost } from '../../body/cost.ts';
import { lanesFor } from '../../body/expression.ts';
import { fromBegin, loop, nested, piecesOf, positionAt, variable, variables } from '../../body/nest.ts';
import { computeOutputs, outputBytes, outputTypes } from '../../body/outputs.ts';
import type { Offer } from '../../offer.ts';
import { operandAt, type Reduction, type ReductionAxes, reductionAxes } from './reduction-axes.ts';

/** Index of the first extreme element; NaN counts as extreme. Vectors along the innermost kept axis where it can. */
export function argReduction(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'argReduce' || !task.operandBody) return undefined;
  const operand = task.operandBody;
  const axes = reductionAxes(task);
  const count = elements(task.shape) * elements(axes.reduced);
  const flops = (taskCost([operand]) + 4) * count;
  const types = [...outputTypes(task), ...task.operands.map((v) => v.node.dtype)];
  const lanes = lanesFor(machine, [operand, ...task.outputs.map((o) => o.body)], types);
  return {
    name: `argReduce ×${lanes}`,
    cost: flops / lanes,
    build: (buffers) => {
      const site = { task, operand, axes, buffers };
      const body = alongKept(site, root.op, areNeighbours(axes) ? lanes : 1);
      return [{ name: `arg${root.op}`, body, flops, bytes: outputBytes(task) + count * 4 }];
    },
  };
}

/** Are neighbours along the innermost kept axis neighbours in every operand too, or one element? */
const areNeighbours = ({ kept, operands }: ReductionAxes): boolean =>
  kept.length > 0 && operands.strides.every((strides) => strides[kept.length - 1] <= 1);

function alongKept(site: Reduction, op: ArgReduce['op'], lanes: number): Body {
  const { task, operand, axes, buffers } = site;
  const outer = variables('i', axes.kept.slice(0, -1));
  const last = axes.kept.length === 0 ? undefined : outer.length;
  const reductions = variables('k', axes.reduced);
  const pieces = piecesOf(axes.kept.at(-1) ?? 1, lanes, { partialVectors: false }).flatMap((piece) => {
    const v = variable(`v${piece.lanes}`, piece.extent, piece.lanes);
    const kept = [...outer.map(fromBegin), ...(last === undefined ? [] : [{ v, begin: piece.begin }])];
    const vector = { axis: last, lanes: piece.lanes };
    const here = positionAt(axes.operands, [...kept, ...reductions.map(fromBegin)], vector);
    const registers = registersOf(ir.valueType(operand.dtype, piece.lanes));
    const { best, where, now } = registers;
    const { statements, value } = operandAt(site, here, `a${piece.lanes}_`);
    const result = positionAt(axes.outputs, kept, vector);
    const body: Body = [
      ...[best, where, now].map((local) => set(local, ir.constant(0, local.type))),
      ...nested(reductions, [...statements, ...comparing(registers, value, op)]),
      ...computeOutputs(task, buffers, result, ir.local(where), `e${piece.lanes}_`),
    ];
    return loop(v, body, outer.length === 0 ? 'parallel' : 'serial');
  });
  return nested(outer, pieces, 'parallel');
}

/** What is at hand while elements are looked at: the best so far and where it was, the place now and its element. */
interface Registers {
  readonly best: Local;
  readonly where: Local;
  readonly now: Local;
  readonly x: Local;
  readonly better: Local;
}

function registersOf(type: ValueType): Registers {
  const { lanes } = type;
  return {
    best: { name: `best${lanes}`, type },
    where: { name: `where${lanes}`, type: { dtype: 'int32', lanes } },
    now: { name: `now${lanes}`, type: { dtype: 'int32', lanes } },
    x: { name: `x${lanes}`, type },
    better: { name: `better${lanes}`, type: { dtype: 'bool', lanes } },
  };
}

const set = (local: Local, value: Expression) => ({ kind: 'set', local, value }) as const;

/**
 * Looks at one element. It is better if it is further, or the first that is NaN; and the very first element is better
 * than none. What is equal is not better: of equal elements the first one counts.
 */
function comparing({ best, where, now, x, better }: Registers, value: Expression, op: ArgReduce['op']): Body {
  const xs = ir.local(x);
  const bests = ir.local(best);
  const further = op === 'max' ? ir.compare('less', bests, xs) : ir.compare('less', xs, bests);
  const isNaN = ir.compare('notEqual', xs, xs);
  const wasNumber = ir.compare('equal', bests, bests);
  const isFloat = x.type.dtype !== 'int32' && x.type.dtype !== 'bool';
  const beats = isFloat ? ir.binary('or', further, ir.binary('and', isNaN, wasNumber)) : further;
  const first = ir.compare('equal', ir.local(now), ir.constant(0, now.type));
  return [
    set(x, value),
    set(better, ir.binary('or', beats, first)),
    set(best, ir.select(ir.local(better), xs, bests)),
    set(where, ir.select(ir.local(better), ir.local(now), ir.local(where))),
    set(now, ir.binary('add', ir.local(now), ir.constant(1, now.type))),
  ];
}
