// Loop nests over an iteration space in which several arrays are read and written: axes merged where every array
// allows it, the innermost axis cut into vectors and a rest.

import type { Affine, Body, Expression, LoopKind, LoopVariable } from '../../loops/ir.ts';
import * as ir from '../../loops/ir.ts';
import type { Machine } from '../../loops/machine.ts';
import { added, type IndexTerm, times } from './indices.ts';

/** A loop around statements; none for a single iteration, nothing for no iteration. */
export function loop(variable: LoopVariable, body: Body, kind: LoopKind = 'serial'): Body {
  if (variable.extent <= 0 || body.length === 0) return [];
  return variable.extent <= variable.step ? body : [{ kind: 'loop', variable, loop: kind, body }];
}

export const variable = (name: string, extent: number, step = 1): LoopVariable => ({ name, extent, step });

/** A loop variable for each axis. */
export const variables = (name: string, shape: readonly number[]): LoopVariable[] =>
  shape.map((size, i) => variable(`${name}${i}`, size));

/** Loops in each other around statements; only the outermost can be parallel. */
export const nested = (around: readonly LoopVariable[], body: Body, kind: LoopKind = 'serial'): Body =>
  around.reduceRight<Body>((inside, v, i) => loop(v, inside, i === 0 ? kind : 'serial'), body);

/** An array as seen from the iteration space. */
export interface StridedAccess {
  readonly strides: readonly number[];
  readonly offset: number;
}

/** Axes that loops walk along, and where each of the arrays accessed there begins and how it moves. */
export interface IterationSpace {
  readonly shape: readonly number[];
  readonly offsets: readonly number[];
  /** The strides of each access along the axes. */
  readonly strides: readonly (readonly number[])[];
}

/** All axes as they are. */
export const spaceOver = (shape: readonly number[], accesses: readonly StridedAccess[]): IterationSpace => ({
  shape,
  offsets: accesses.map((a) => a.offset),
  strides: accesses.map((a) => a.strides),
});

/** Merges neighbouring axes that every access walks through as one, and drops axes of size 1. The first may stay alone. */
export function mergeAxes(
  shape: readonly number[],
  accesses: readonly StridedAccess[],
  firstAlone = false,
): IterationSpace {
  let begin = 0;
  const sizes: number[] = [];
  const strides: number[][] = accesses.map(() => []);
  shape.forEach((size, i) => {
    if (size === 1) return;
    const last = sizes.length - 1;
    const may = last >= 0 && !(firstAlone && begin === 0);
    const joins = may && accesses.every((a, k) => strides[k][last] === a.strides[i] * size);
    if (joins) {
      sizes[last] *= size;
      for (const [k, a] of accesses.entries()) strides[k][last] = a.strides[i];
    } else {
      begin = i;
      sizes.push(size);
      for (const [k, a] of accesses.entries()) strides[k].push(a.strides[i]);
    }
  });
  return { shape: sizes, offsets: accesses.map((a) => a.offset), strides };
}

/** One position in a nest: the index of each access there, and how many elements along the last axis are done at once. */
export interface Position {
  readonly lanes: number;
  /** Only the first so many of the lanes are elements; all are if there is none. */
  readonly count?: number | undefined;
  /** The index into access number k. */
  readonly at: (access: number) => Affine;
  /** The stride of access number k along the vector. */
  readonly step: (access: number) => number;
  /** The position along an axis of the (merged) space, as an int32 value. */
  readonly axis: (axis: number) => Expression;
}

/** How far loops have come along an axis: as far as the variable says, from `begin` on, where loops around it move that. */
export interface AxisPlace {
  readonly v: LoopVariable;
  readonly begin: number;
  readonly outside?: readonly IndexTerm[];
}

/** Along an axis from its beginning on. */
export const fromBegin = (v: LoopVariable): AxisPlace => ({ v, begin: 0 });

/** Elements that are done at once: neighbours along an axis, of which maybe only the first `count` are there. */
export interface Vector {
  readonly axis?: number | undefined;
  readonly lanes: number;
  readonly count?: number | undefined;
}

/** What loops add to the begin of a place. */
const moved = ({ v, outside = [] }: AxisPlace): Affine => ir.at(0, [v, 1], ...outside);

/** The position in a space to which loops along its axes have come. */
export function positionAt(
  space: IterationSpace,
  places: readonly AxisPlace[],
  vector: Vector = { lanes: 1 },
): Position {
  const { offsets, strides } = space;
  const { axis, lanes, count } = vector;
  return {
    lanes,
    count,
    at: (k) => {
      const constant = places.reduce((sum, { begin }, i) => sum + begin * strides[k][i], offsets[k]);
      return added(ir.at(constant), ...places.map((place, i) => times(moved(place), strides[k][i])));
    },
    step: (k) => (axis === undefined ? 0 : strides[k][axis]),
    axis: (a) => {
      return ir.index(ir.plus(moved(places[a]), places[a].begin), ir.valueType('int32', lanes), a === axis ? 1 : 0);
    },
  };
}

/** How many lanes of a vector are elements where so many are left; undefined if all are. */
export const partOf = (left: number, lanes: number): number | undefined => (left < lanes ? left : undefined);

/** Is the rest of an axis one vector of which a part is left out, and not element by element? */
export const isPartial = (rest: number, lanes: number, { partialVectors }: Pick<Machine, 'partialVectors'>): boolean =>
  partialVectors && lanes > 1 && rest > 1;

/** Into about so many parts work is cut for threads, whatever their number: that must not decide any order. */
export const threadParts = 8;

/** A divisor close to the wanted size, so that no rest needs code of its own; the wanted size if there is none. */
export function divisorNear(size: number, wanted: number): number {
  for (let d = wanted; d >= Math.max(1, wanted * 0.6); d--) if (size % d === 0) return d;
  return wanted;
}

/** Steps of one size along an axis. */
export interface Stretch {
  readonly begin: number;
  readonly extent: number;
  readonly step: number;
}

/** An axis in steps of a size, and what is left of it in one step. */
export function inSteps(size: number, step: number): Stretch[] {
  const full = Math.floor(size / step) * step;
  const stretches = [
    { begin: 0, extent: full, step },
    { begin: full, extent: size - full, step: size - full },
  ];
  return stretches.filter(({ extent }) => extent > 0);
}

/** Elements along an axis that are done alike: in vectors, or the first `count` lanes of one. */
export interface Piece {
  readonly begin: number;
  readonly extent: number;
  readonly lanes: number;
  readonly count?: number;
}

/** An axis in vectors, and a rest: a part of a vector where the machine has them, else element by element. */
export function piecesOf(size: number, lanes: number, machine: Pick<Machine, 'partialVectors'>): Piece[] {
  const full = lanes === 1 ? 0 : Math.floor(size / lanes) * lanes;
  const rest = size - full;
  const last = isPartial(rest, lanes, machine) ? { extent: lanes, lanes, count: rest } : { extent: rest, lanes: 1 };
  const pieces: Piece[] = [
    { begin: 0, extent: full, lanes },
    { begin: full, ...last },
  ];
  return pieces.filter(({ extent }) => extent > 0);
}

/**
 * Loops over a space, calling `body` for vectors of `lanes` elements along the last axis and again for the rest of it.
 * The outermost loop is of that kind.
 */
export function nest(
  space: IterationSpace,
  lanes: number,
  machine: Machine,
  body: (position: Position) => Body,
  kind: LoopKind = 'serial',
): Body {
  const { shape } = space;
  const outer = variables('i', shape.slice(0, -1));
  const last = shape.length === 0 ? undefined : outer.length;
  const parts = piecesOf(shape.at(-1) ?? 1, lanes, machine).flatMap(({ begin, extent, lanes: width, count }) => {
    const v = variable(width > 1 ? 'v' : 'r', extent, width);
    const places = [...outer.map(fromBegin), ...(last === undefined ? [] : [{ v, begin }])];
    const position = positionAt(space, places, { axis: last, lanes: width, count });
    return loop(v, body(position), outer.length === 0 ? kind : 'serial');
  });
  return nested(outer, parts, kind);
}
