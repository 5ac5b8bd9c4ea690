// Reductions: sums, products, extremes, any and all, over any axes.

import type { Expression, Local, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import type { Machine } from '../../../loops/machine.ts';
import type { Reduce } from '../../../primitives/primitives.ts';
import type { Task } from '../../../primitives/task.ts';
import { elements } from '../../../tensor/shape.ts';
import { taskCost } from '../../body/cost.ts';
import { lanesFor } from '../../body/expression.ts';
import {
  type Body,
  fromBegin,
  isPartial,
  loop,
  nested,
  type Piece,
  type Position,
  piecesOf,
  positionAt,
  variable,
  variables,
} from '../../body/nest.ts';
import { computeOutputs, outputBytes, outputTypes } from '../../body/outputs.ts';
import type { Offer } from '../../offer.ts';
import { type Accumulator, allInOne, beginning, combine } from './combine.ts';
import { operandAt, type Reduction, type ReductionAxes, reductionAxes } from './reduction-axes.ts';

/** Vectors that are accumulated side by side, to fill the pipeline and whole cache lines. */
const sideBySide = 4;

/** A reduction of any axes. Vectors run along the kept axis that lies innermost, else along the reduced one. */
export function reduction(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'reduce' || !task.operandBody) return undefined;
  const operand = task.operandBody;
  const bodies = [operand, ...task.outputs.map((o) => o.body)];
  const axes = reductionAxes(task);
  const count = elements(task.shape) * elements(axes.reduced);
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
  const innermost = axes.reduced.at(-1);
  const neighbours = innermost !== undefined && axes.operands.strides.some((strides) => strides.at(-1) === 1);
  const keptFills = lanes > 1 && fills(axes.kept.at(-1) ?? 1);
  if (keptFills && (!neighbours || keptIsNearer(axes))) return 'kept';
  return neighbours && fills(innermost) ? 'reduced' : 'neither';
}

/** Are no more operands scattered along the kept axis than along the reduced one, and some neighbours? */
function keptIsNearer({ operands, kept }: ReductionAxes): boolean {
  const alongKept = operands.strides.map((strides) => strides[kept.length - 1]);
  const alongReduced = operands.strides.map((strides) => strides.at(-1));
  const scattered = (strides: readonly (number | undefined)[]) => strides.filter((n) => n !== 0 && n !== 1).length;
  return alongKept.includes(1) && scattered(alongKept) <= scattered(alongReduced);
}

/** A finished result: uint8 is summed as int32. */
const finished = (op: Reduce, total: Expression): Expression =>
  op.dtype === 'uint8' ? ir.binary('and', total, ir.constant(255, total.type)) : total;

/** A piece of an axis in which so many vectors are done side by side. */
interface WidePiece extends Piece {
  readonly vectors: number;
}

/**
 * An axis in pieces: vectors side by side, vectors one by one, and what does not fill one. Of 55 elements on four lanes
 * the first 48 are done in four vectors an iteration, the next four in one, and three element by element, or as a part
 * of a vector.
 */
function widePieces(size: number, { lanes, machine }: ReduceSite): WidePiece[] {
  const wide = lanes === 1 ? 0 : Math.floor(size / (lanes * sideBySide)) * lanes * sideBySide;
  const rest = piecesOf(size - wide, lanes, machine).map((p) => ({ ...p, begin: wide + p.begin, vectors: 1 }));
  return wide > 0 ? [{ begin: 0, extent: wide, lanes, vectors: sideBySide }, ...rest] : rest;
}

/** Adds what is reduced at a place to a register. */
function adding(site: ReduceSite, position: Position, sum: Local): Body {
  const { statements, value } = operandAt(site, position, `${sum.name}_`);
  return [...statements, { kind: 'set', local: sum, value: combine(site.root.op, ir.local(sum), value) }];
}

/** The outputs at a place, of which the register has the result. */
const ending = ({ task, root, buffers }: ReduceSite, position: Position, total: Local, prefix: string): Body =>
  computeOutputs(task, buffers, position, finished(root, ir.local(total)), prefix);

/**
 * Vectors of results, all that is reduced for each: the sum of the rows of x[100, 55] reads 16 neighbouring columns,
 * goes down all 100 rows with four sums in registers, and stores them.
 */
function alongKept(site: ReduceSite): Body {
  const { root, axes } = site;
  const last = axes.kept.length - 1;
  const outer = variables('i', axes.kept.slice(0, last));
  const reductions = variables('k', axes.reduced);
  const pieces = widePieces(axes.kept[last], site).flatMap(({ begin, extent, lanes, vectors, count }) => {
    const v = variable(`v${begin}_${lanes}_${vectors}`, extent, lanes * vectors);
    const begins: Statement[] = [];
    const steps: Statement[] = [];
    const ends: Statement[] = [];
    for (let u = 0; u < vectors; u++) {
      const sum: Local = { name: `s${begin}_${lanes}_${vectors}_${u}`, type: ir.valueType(root.dtype, lanes) };
      const vector = { axis: last, lanes, count };
      const kept = [...outer.map(fromBegin), { v, begin: begin + u * lanes }];
      begins.push({ kind: 'set', local: sum, value: beginning(root, sum.type) });
      steps.push(...adding(site, positionAt(axes.operands, [...kept, ...reductions.map(fromBegin)], vector), sum));
      ends.push(...ending(site, positionAt(axes.outputs, kept, vector), sum, `e${sum.name}_`));
    }
    const body = [...begins, ...nested(reductions, steps), ...ends];
    return loop(v, body, outer.length === 0 ? 'parallel' : 'serial');
  });
  return nested(outer, pieces, 'parallel');
}

/**
 * One result at a time: the sum of each row of x[100, 55] adds neighbouring elements of the row to four vectors, which
 * are then made one number. Without vectors it is the same with one element at a time.
 */
function alongReduced(site: ReduceSite): Body {
  const { root, axes } = site;
  const last = axes.reduced.length - 1;
  const kept = variables('i', axes.kept);
  const middle = variables('k', axes.reduced.slice(0, -1));
  const begins: Statement[] = [];
  const accumulators: Accumulator[] = [];
  const pieces = widePieces(axes.reduced.at(-1) ?? 1, site).flatMap(({ begin, extent, lanes, vectors, count }) => {
    const v = variable(`v${begin}_${lanes}`, extent, lanes * vectors);
    const steps: Statement[] = [];
    for (let u = 0; u < vectors; u++) {
      const sum: Local = { name: `s${begin}_${lanes}_${u}`, type: ir.valueType(root.dtype, lanes) };
      const innermost = last < 0 ? [] : [{ v, begin: begin + u * lanes }];
      const places = [...[...kept, ...middle].map(fromBegin), ...innermost];
      const position = positionAt(axes.operands, places, { axis: kept.length + last, lanes, count });
      begins.push({ kind: 'set', local: sum, value: beginning(root, sum.type) });
      steps.push(...adding(site, position, sum));
      accumulators.push({ local: sum, count: count ?? lanes });
    }
    return loop(v, steps);
  });
  const total: Local = { name: 'total', type: ir.valueType(root.dtype, 1) };
  const together = allInOne(root, accumulators);
  const one: Body = [
    ...begins,
    ...nested(middle, pieces),
    ...together.statements,
    { kind: 'set', local: total, value: together.value },
    ...ending(site, positionAt(axes.outputs, kept.map(fromBegin)), total, 'e'),
  ];
  return nested(kept, one, 'parallel');
}
