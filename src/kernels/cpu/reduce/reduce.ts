// Reductions: sums, products, extremes, any and all, over any axes.

import type { Expression, Local, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import type { Machine } from '../../../loops/machine.ts';
import type { Reduce } from '../../../primitives/primitives.ts';
import type { Task } from '../../../primitives/task.ts';
import { elements } from '../../../tensor/shape.ts';
import { taskCost } from '../../body/cost.ts';
import { lanesFor } from '../../body/expression.ts';
import { type Body, type IterationSpace, isPartial, loop, nested, variable, variables } from '../../body/nest.ts';
import { outputBytes, outputTypes } from '../../body/outputs.ts';
import type { Offer } from '../../offer.ts';
import { type Accumulator, allInOne, beginning, combine } from './combine.ts';
import { type ReductionAxes, reductionAxes } from './reduction-axes.ts';
import { fromBegin, type Reduction, Walk } from './walk.ts';

/** Vectors that are accumulated side by side, to fill the pipeline and whole cache lines. */
const sideBySide = 4;

/** A reduction of any axes. Vectors run along the kept axis that lies innermost, else along the reduced one. */
export function reduction(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'reduce' || !task.operandBody) return undefined;
  const operand = task.operandBody;
  const bodies = [operand, ...task.outputs.map((o) => o.body)];
  const axes = reductionAxes(task);
  const count = elements(task.shape) * elements(axes.reduced.shape);
  const types = [...outputTypes(task), ...task.operands.map((v) => v.node.dtype)];
  const lanes = lanesFor(machine, bodies, types);
  const flops = (taskCost([operand]) + 1) * count;
  const bytes = outputBytes(task) + task.operands.length * count * 4;
  const along = vectorsAlong(axes, lanes, machine);
  const width = along === 'neither' ? 1 : lanes;
  return {
    name: `reduce ×${width}`,
    cost: flops / width,
    build: (buffers) => {
      const site = { task, root, operand, axes, buffers, lanes: width, machine };
      const body = along === 'kept' ? alongKept(site) : alongReduced(site);
      return [{ name: `reduce ${root.op}`, body, flops, bytes }];
    },
  };
}

/** A reduction whose loops are made: vectors of so many lanes. */
interface ReduceSite extends Reduction {
  readonly root: Reduce;
  readonly lanes: number;
  readonly machine: Machine;
}

/** The axes along which vectors lie: an axis has to fill them, and to be where neighbours are. */
function vectorsAlong(axes: ReductionAxes, lanes: number, machine: Machine): 'kept' | 'reduced' | 'neither' {
  const fills = (size: number) => size >= lanes || isPartial(size, lanes, machine);
  const innermost = axes.reduced.shape.at(-1);
  const neighbours = innermost !== undefined && axes.operands.some((_, k) => axes.reduced.strides[k].at(-1) === 1);
  const keptFills = lanes > 1 && fills(axes.kept.shape.at(-1) ?? 1);
  if (keptFills && (!neighbours || keptIsNearer(axes))) return 'kept';
  return neighbours && fills(innermost) ? 'reduced' : 'neither';
}

/** Are no more operands scattered along the kept axis than along the reduced one, and some neighbours? */
function keptIsNearer({ operands, kept, reduced }: ReductionAxes): boolean {
  const strides = (axes: IterationSpace) => operands.map((_, k) => axes.strides[k].at(-1) as number);
  const scattered = (axes: IterationSpace) => strides(axes).filter((n) => n !== 0 && n !== 1).length;
  return kept.shape.length > 0 && strides(kept).includes(1) && scattered(kept) <= scattered(reduced);
}

/** A finished result: uint8 is summed as int32. */
const finished = (op: Reduce, total: Expression): Expression =>
  op.dtype === 'uint8' ? ir.binary('and', total, ir.constant(255, total.type)) : total;

/** Elements along the vectors' axis that are done alike: some vectors an iteration, or the first `count` lanes of one. */
interface Piece {
  readonly begin: number;
  readonly extent: number;
  readonly lanes: number;
  readonly vectors: number;
  readonly count?: number;
}

/**
 * An axis in pieces: vectors side by side, vectors one by one, and what does not fill one. Of 55 elements on four lanes
 * the first 48 are done in four vectors an iteration, the next four in one, and three element by element, or as a part
 * of a vector where the machine has them.
 */
function piecesOf(size: number, { lanes, machine }: ReduceSite): Piece[] {
  if (lanes === 1) return size > 0 ? [{ begin: 0, extent: size, lanes: 1, vectors: 1 }] : [];
  const wide = Math.floor(size / (lanes * sideBySide)) * lanes * sideBySide;
  const full = Math.floor(size / lanes) * lanes;
  const rest = size - full;
  const last = isPartial(rest, lanes, machine) ? { extent: lanes, lanes, count: rest } : { extent: rest, lanes: 1 };
  const pieces: Piece[] = [
    { begin: 0, extent: wide, lanes, vectors: sideBySide },
    { begin: wide, extent: full - wide, lanes, vectors: 1 },
    { begin: full, vectors: 1, ...last },
  ];
  return pieces.filter(({ extent }) => extent > 0);
}

/** Adds what is reduced at a place to a register. */
function adding({ root }: ReduceSite, walk: Walk, sum: Local): Body {
  const operand = walk.operand(`${sum.name}_`);
  return [...operand.statements, { kind: 'set', local: sum, value: combine(root.op, ir.local(sum), operand.value) }];
}

/**
 * Vectors of results, all that is reduced for each: the sum of the rows of x[100, 55] reads 16 neighbouring columns,
 * goes down all 100 rows with four sums in registers, and stores them.
 */
function alongKept(site: ReduceSite): Body {
  const { root, axes } = site;
  const last = axes.kept.shape.length - 1;
  const outer = variables('i', axes.kept.shape.slice(0, last));
  const reductions = variables('k', axes.reduced.shape);
  const pieces = piecesOf(axes.kept.shape[last], site).map(({ begin, extent, lanes, vectors, count }) => {
    const v = variable(`v${begin}_${lanes}_${vectors}`, extent, lanes * vectors);
    const begins: Statement[] = [];
    const steps: Statement[] = [];
    const ends: Statement[] = [];
    for (let u = 0; u < vectors; u++) {
      const sum: Local = { name: `s${begin}_${lanes}_${vectors}_${u}`, type: ir.valueType(root.dtype, lanes) };
      const places = [...outer.map(fromBegin), { v, begin: begin + u * lanes }, ...reductions.map(fromBegin)];
      const walk = new Walk(site, places, { axis: last, lanes, count });
      begins.push({ kind: 'set', local: sum, value: beginning(root, sum.type) });
      steps.push(...adding(site, walk, sum));
      ends.push(...walk.outputs(finished(root, ir.local(sum)), `e${sum.name}_`));
    }
    const body = [...begins, ...nested(reductions, steps), ...ends];
    return loop(v, body, outer.length === 0 ? 'parallel' : 'serial');
  });
  return nested(outer, pieces.flat(), 'parallel');
}

/**
 * One result at a time: the sum of each row of x[100, 55] adds neighbouring elements of the row to four vectors, which
 * are then made one number. Without vectors it is the same with one element at a time.
 */
function alongReduced(site: ReduceSite): Body {
  const { root, axes } = site;
  const last = axes.reduced.shape.length - 1;
  const outer = variables('i', axes.kept.shape);
  const middle = variables('k', axes.reduced.shape.slice(0, Math.max(0, last)));
  const begins: Statement[] = [];
  const accumulators: Accumulator[] = [];
  const pieces = piecesOf(axes.reduced.shape.at(-1) ?? 1, site).map(({ begin, extent, lanes, vectors, count }) => {
    const v = variable(`v${begin}_${lanes}`, extent, lanes * vectors);
    const steps: Statement[] = [];
    for (let u = 0; u < vectors; u++) {
      const sum: Local = { name: `s${begin}_${lanes}_${u}`, type: ir.valueType(root.dtype, lanes) };
      const innermost = last < 0 ? [] : [{ v, begin: begin + u * lanes }];
      const places = [...[...outer, ...middle].map(fromBegin), ...innermost];
      const walk = new Walk(site, places, { axis: outer.length + last, lanes, count });
      begins.push({ kind: 'set', local: sum, value: beginning(root, sum.type) });
      steps.push(...adding(site, walk, sum));
      accumulators.push({ local: sum, count: count ?? lanes });
    }
    return loop(v, steps);
  });
  const total: Local = { name: 'total', type: ir.valueType(root.dtype, 1) };
  const together = allInOne(root, accumulators);
  const result = new Walk(site, outer.map(fromBegin), { axis: undefined, lanes: 1 });
  return nested(
    outer,
    [
      ...begins,
      ...nested(middle, pieces.flat()),
      ...together.statements,
      { kind: 'set', local: total, value: together.value },
      ...result.outputs(finished(root, ir.local(total)), 'e'),
    ],
    'parallel',
  );
}
