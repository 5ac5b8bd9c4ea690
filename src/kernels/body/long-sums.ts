// Long sums of float32: how many terms may be added one after another, and how what was added so is added up.

import type { Affine, Expression, Local, Statement } from '../../loops/ir.ts';
import * as ir from '../../loops/ir.ts';
import type { IndexTerm } from './indices.ts';
import { type Body, divisorNear, inSteps, nested, variable, variables } from './nest.ts';

/** A sum and what its additions have rounded away: high + low is the sum. */
export interface Pair {
  readonly high: Local;
  readonly low: Local;
}

/** Registers for a pair. */
export const pair = (name: string, type: Local['type']): Pair => ({
  high: { name: `${name}_high`, type },
  low: { name: `${name}_low`, type },
});

const set = (local: Local, value: Expression): Statement => ({ kind: 'set', local, value });

/**
 * Adds a number to a pair. What the addition rounds away is computed without any rounding (Knuth, The Art of Computer
 * Programming, volume 2, 4.2.2, theorem B) and kept apart, so that infinities stay what they are.
 */
export function addTo({ high, low }: Pair, x: Expression): Body {
  const { name, type } = high;
  const [term, sum, part] = ['term', 'sum', 'part'].map((what) => ({ name: `${name}_${what}`, type }));
  const [a, b, s, p] = [ir.local(high), ir.local(term), ir.local(sum), ir.local(part)];
  const minus = (m: Expression, n: Expression) => ir.binary('sub', m, n);
  const lost = ir.binary('add', minus(a, minus(s, p)), minus(b, p));
  return [
    set(term, x),
    set(sum, ir.binary('add', a, b)),
    set(part, minus(s, a)),
    set(low, ir.binary('add', ir.local(low), lost)),
    set(high, s),
  ];
}

/** The sum as one number. Beside an infinity there is no low part. */
export function totalOf({ high, low }: Pair): Expression {
  const [h, l] = [ir.local(high), ir.local(low)];
  return ir.select(ir.compare('equal', l, l), ir.binary('add', h, l), h);
}

/** A part of an axis: so many elements from `begin` on, where loops around it move that. */
export interface Span {
  readonly begin: number;
  readonly size: number;
  readonly outside: readonly IndexTerm[];
}

/** All of some axes. */
export const allOf = (shape: readonly number[]): Span[] => shape.map((size) => ({ begin: 0, size, outside: [] }));

/** A part of a span. */
const partOf = (span: Span, begin: number, size: number, by: IndexTerm): Span => ({
  begin: span.begin + begin,
  size,
  outside: [...span.outside, by],
});

/** How many terms of a span a register gets, and how many of its elements one step is that gives it one. */
interface Steps {
  readonly adds: number;
  readonly unit: number;
}

/**
 * Loops over axes, from run to run of at most `most` terms for a register: the inner axes that are whole runs, a part of
 * the one before them, one step of those further out. `stepsOf` says what there is along the axis of that number.
 */
export function inRuns(
  spans: readonly Span[],
  most: number,
  stepsOf: (span: Span, axis: number) => Steps,
  body: (run: readonly Span[]) => Body,
): Body {
  let inside = 1;
  for (let axis = spans.length - 1; axis >= 0; axis--) {
    const { adds, unit } = stepsOf(spans[axis], axis);
    if (inside * adds <= most) {
      inside *= adds;
      continue;
    }
    const outer = variables(
      'run',
      spans.slice(0, axis).map((s) => s.size),
    );
    const ones = outer.map((v, i) => partOf(spans[i], 0, 1, [v, 1]));
    const size = divisorNear(Math.ceil(spans[axis].size / unit), Math.floor(most / inside)) * unit;
    const runs = inSteps(spans[axis].size, size).flatMap(({ begin, extent, step }) => {
      const v = variable(`run${axis}_${begin}`, extent, step);
      return nested([v], body([...ones, partOf(spans[axis], begin, step, [v, 1]), ...spans.slice(axis + 1)]));
    });
    return nested(outer, runs);
  }
  return body(spans);
}

/** How axes are cut into parts for the threads: which of them, into pieces of what size, and how many that makes. */
export interface PartCut {
  readonly axis: number;
  readonly size: number;
  readonly count: number;
}

/** The longest axis in about so many parts of whole units. */
export function cutInParts(shape: readonly number[], wanted: number, unitOf: (axis: number) => number): PartCut {
  const axis = shape.indexOf(Math.max(...shape));
  const unit = unitOf(axis);
  const units = Math.max(1, Math.floor(shape[axis] / unit));
  const size = divisorNear(units, Math.ceil(units / wanted)) * unit;
  return { axis, size, count: Math.ceil(shape[axis] / size) };
}

/** Parts in parallel; `number` is that of a part among all. */
export function overParts(
  shape: readonly number[],
  { axis, size }: PartCut,
  body: (spans: readonly Span[], number: Affine) => Body,
): Body {
  return inSteps(shape[axis], size).flatMap(({ begin, extent, step }) => {
    const v = variable(`part${begin}`, extent / step);
    const spans = allOf(shape).map((span, i) => (i === axis ? partOf(span, begin, step, [v, step]) : span));
    return nested([v], body(spans, ir.at(begin / size, [v, 1])), 'parallel');
  });
}
