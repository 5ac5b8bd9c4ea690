// The index of the largest or smallest element.
import type { Expression, Local, ValueType } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import type { Machine } from '../../../loops/machine.ts';
import type { ArgReduce } from '../../../primitives/primitives.ts';
import type { Task } from '../../../primitives/task.ts';
import { elements } from '../../../tensor/shape.ts';
import { taskCost } from '../../body/cost.ts';
import { lanesFor } from '../../body/expression.ts';
import { type Body, loop, nested, variable, variables } from '../../body/nest.ts';
import { outputBytes, outputTypes } from '../../body/outputs.ts';
import type { Offer } from '../../offer.ts';
import { type ReductionAxes, reductionAxes } from './reduction-axes.ts';
import { fromBegin, type Reduction, Walk } from './walk.ts';

/** Index of the first extreme element; NaN counts as extreme. Vectors along the innermost kept axis where it can. */
export function argReduction(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'argReduce' || !task.operandBody) return undefined;
  const operand = task.operandBody;
  const axes = reductionAxes(task);
  const count = elements(task.shape) * elements(axes.reduced.shape);
  const flops = (taskCost([operand]) + 4) * count;
  const types = [...outputTypes(task), ...task.operands.map((v) => v.node.dtype)];
  const lanes = lanesFor(machine, [operand, ...task.outputs.map((o) => o.body)], types);
  return {
    name: `argReduce ×${lanes}`,
    cost: flops / lanes,
    build: (buffers) => {
      const site = { task, operand, axes, buffers };
      const body = alongKept(site, root.op, fillsVectors(axes, lanes) ? lanes : 1);
      return [{ name: `arg${root.op}`, body, flops, bytes: outputBytes(task) + count * 4 }];
    },
  };
}

/** Are neighbours along the innermost kept axis neighbours in every operand, or one element, and enough for a vector? */
const fillsVectors = ({ kept, operands }: ReductionAxes, lanes: number): boolean =>
  (kept.shape.at(-1) ?? 0) >= lanes && operands.every((_, k) => (kept.strides[k].at(-1) as number) <= 1);

function alongKept(site: Reduction, op: ArgReduce['op'], lanes: number): Body {
  const { kept, reduced } = site.axes;
  const last = kept.shape.length - 1;
  const inner = kept.shape.at(-1) ?? 1;
  const outer = variables('i', kept.shape.slice(0, Math.max(0, last)));
  const reductions = variables('k', reduced.shape);
  /** Results from `begin` on, some at once. */
  const piece = (begin: number, extent: number, width: number): Body => {
    const v = variable(`v${width}`, extent, width);
    const here = last < 0 ? [] : [{ v, begin }];
    const places = [...outer.map(fromBegin), ...here, ...reductions.map(fromBegin)];
    const walk = new Walk(site, places, { axis: last < 0 ? undefined : last, lanes: width });
    const registers = registersOf(ir.valueType(site.operand.dtype, width));
    const { best, where, now } = registers;
    const { statements, value } = walk.operand(`a${width}_`);
    const body: Body = [
      ...[best, where, now].map((local) => set(local, ir.constant(0, local.type))),
      ...nested(reductions, [...statements, ...comparing(registers, value, op)]),
      ...walk.outputs(ir.local(where), `e${width}_`),
    ];
    return loop(v, body, outer.length === 0 ? 'parallel' : 'serial');
  };
  const vectors = lanes === 1 ? 0 : Math.floor(inner / lanes) * lanes;
  const pieces = [
    ...(vectors > 0 ? piece(0, vectors, lanes) : []),
    ...(inner > vectors ? piece(vectors, inner - vectors, 1) : []),
  ];
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
