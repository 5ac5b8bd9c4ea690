// Loop nests over an iteration space in which several arrays are read and written: axes merged where every array
// allows it, the innermost axis cut into vectors and a rest.

import type { Affine, Expression, LoopKind, LoopVariable, Statement, ValueType } from '../../loops/ir.ts';
import * as ir from '../../loops/ir.ts';
import type { Machine } from '../../loops/machine.ts';

/** Statements in order: the inside of a loop, or of a kernel. */
export type Body = readonly Statement[];

/** Part of an index: a loop variable with its coefficient. */
export type IndexTerm = Affine['terms'][number];

/** The type of a computed position. */
export const int32: ValueType = ir.valueType('int32', 1);

/** An array as seen from the iteration space. */
export interface StridedAccess {
  readonly strides: readonly number[];
  readonly offset: number;
}

export interface IterationSpace {
  readonly shape: readonly number[];
  /** The strides of each access along the merged axes. */
  readonly strides: readonly (readonly number[])[];
}

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
  return { shape: sizes, strides };
}

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

/** What loop variables add to an index, each with its own stride. */
export const termsAlong = (along: readonly LoopVariable[], strides: readonly number[]): Affine['terms'] =>
  along.map((v, i) => [v, strides[i]] as const);

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

/** How many lanes of a vector are elements where so many are left; undefined if all are. */
export const partOf = (left: number, lanes: number): number | undefined => (left < lanes ? left : undefined);

/** Is the rest of an axis one vector of which a part is left out, and not element by element? */
export const isPartial = (rest: number, lanes: number, { partialVectors }: Machine): boolean =>
  partialVectors && lanes > 1 && rest > 1;

/**
 * Loops over a space, calling `body` for vectors of `lanes` elements along the last axis and again for the rest of it.
 * The outermost loop is parallel when asked for.
 */
export function nest(
  space: IterationSpace,
  offsets: readonly number[],
  lanes: number,
  machine: Machine,
  body: (position: Position) => Body,
  parallel = false,
): Body {
  const { shape, strides } = space;
  const last = shape.length - 1;
  const outer = shape.slice(0, Math.max(0, last)).map((size, i) => variable(`i${i}`, size));
  const inner = last < 0 ? 1 : shape[last];
  const position = (width: number, begin: number, v: LoopVariable, count?: number): Position => {
    const terms = (k: number): IndexTerm[] => [
      ...outer.map((o, i) => [o, strides[k][i]] as const),
      ...(last < 0 ? [] : [[v, strides[k][last]] as const]),
    ];
    const type: ValueType = { dtype: 'int32', lanes: width };
    return {
      lanes: width,
      count,
      at: (k) => ir.at(offsets[k] + (last < 0 ? 0 : begin * strides[k][last]), ...terms(k)),
      step: (k) => (last < 0 ? 0 : strides[k][last]),
      axis: (a) => (a === last ? ir.index(ir.at(begin, [v, 1]), type, 1) : ir.index(ir.at(0, [outer[a], 1]), type, 0)),
    };
  };
  const vectors = lanes === 1 ? 0 : Math.floor(inner / lanes);
  const rest = inner - vectors * lanes;
  const parts: Statement[] = [];
  const kind = (i: number): LoopKind => (parallel && i === 0 ? 'parallel' : 'serial');
  if (vectors > 0) {
    const v = variable('v', vectors * lanes, lanes);
    parts.push(...loop(v, body(position(lanes, 0, v)), kind(outer.length)));
  }
  if (isPartial(rest, lanes, machine)) {
    const v = variable('r', 1);
    parts.push(...loop(v, body(position(lanes, vectors * lanes, v, rest)), kind(outer.length)));
  } else if (rest > 0) {
    const v = variable('r', rest);
    parts.push(...loop(v, body(position(1, vectors * lanes, v)), kind(outer.length)));
  }
  return outer.reduceRight<Body>((statements, v, i) => loop(v, statements, kind(i)), parts);
}
