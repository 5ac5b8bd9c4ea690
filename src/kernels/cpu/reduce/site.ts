// A reduction while its loops are made: what its two ways, along the kept axis and along the reduced one, share.

import type { Body, Expression, Local } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import type { Machine } from '../../../loops/machine.ts';
import type { Reduce } from '../../../primitives/primitives.ts';
import type { Piece, Position } from '../../body/nest.ts';
import { piecesOf } from '../../body/nest.ts';
import { computeOutputs } from '../../body/outputs.ts';
import { combine } from './combine.ts';
import { operandAt, type Reduction } from './reduction-axes.ts';

/** A reduction with vectors of so many lanes. */
export interface ReducePlan extends Omit<Reduction, 'buffers'> {
  readonly root: Reduce;
  readonly lanes: number;
  readonly machine: Machine;
}

/** A reduction whose loops are made. */
export interface ReduceSite extends ReducePlan, Reduction {
  /** Into about so many parts, for the threads to share, what is reduced is cut; 1 if the kept axes are for them. */
  readonly parts: number;
  /** Are more numbers added up than one register of float32 may take? */
  readonly isLong: boolean;
}

/** The loops of a reduction, and those that join its parts, if it is in parts. */
export type ReduceLoops = readonly [body: Body, joining?: Body];

/** Vectors that are accumulated side by side, to fill the pipeline and whole cache lines. */
export const sideBySide = 4;

/** A piece of an axis in which so many vectors are done side by side. */
export interface WidePiece extends Piece {
  readonly vectors: number;
}

/**
 * An axis in pieces: vectors side by side, vectors one by one, and what does not fill one. Of 55 elements on four lanes
 * the first 48 are done in four vectors an iteration, the next four in one, and three element by element, or as a part
 * of a vector.
 */
export function widePieces(size: number, { lanes, machine }: Pick<ReducePlan, 'lanes' | 'machine'>): WidePiece[] {
  const wide = lanes === 1 ? 0 : Math.floor(size / (lanes * sideBySide)) * lanes * sideBySide;
  const rest = piecesOf(size - wide, lanes, machine).map((p) => ({ ...p, begin: wide + p.begin, vectors: 1 }));
  return wide > 0 ? [{ begin: 0, extent: wide, lanes, vectors: sideBySide }, ...rest] : rest;
}

/** Adds what is reduced at a place to a register, which may have more digits. */
export function adding(site: ReduceSite, position: Position, sum: Local): Body {
  const { statements, value } = operandAt(site, position, `${sum.name}_`);
  const term = ir.convert(value, sum.type.dtype);
  return [...statements, { kind: 'set', local: sum, value: combine(site.root.op, ir.local(sum), term) }];
}

/** A finished result: uint8 is summed as int32, and one of more digits is rounded. */
const finished = ({ dtype }: Reduce, total: Expression): Expression =>
  dtype === 'uint8'
    ? ir.binary('and', total, ir.constant(255, total.type))
    : ir.convert(total, ir.valueType(dtype, 1).dtype);

/** The outputs at a place, of which there is the result. */
export const ending = (
  { task, root, buffers }: ReduceSite,
  position: Position,
  total: Expression,
  prefix: string,
): Body => computeOutputs(task, buffers, position, finished(root, total), prefix);
