// Long sums of float32: how many terms may be added one after another, and how what was added so is added up.

import type { Affine, Body, Buffer, Expression, Local, Statement } from '../../loops/ir.ts';
import * as ir from '../../loops/ir.ts';
import type { IndexTerm } from './indices.ts';
import { divisorNear, inSteps, nested, variable, variables } from './nest.ts';

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

/** The sum as one number. */
export const totalOf = ({ high, low }: Pair): Expression => total(ir.local(high), ir.local(low));

/** Beside an infinity there is no low part. */
const total = (high: Expression, low: Expression): Expression =>
  ir.select(ir.compare('equal', low, low), ir.binary('add', high, low), high);

/** Sums in memory; beside them what their additions have rounded away, where so many are added that it would matter. */
export interface SumsAt {
  readonly high: Buffer;
  readonly low: Buffer | undefined;
}

/** Adds a number, or a vector of which the first `count` lanes are there, to the sums at an index. */
export function addAt({ high, low }: SumsAt, index: Affine, x: Expression, name: string, count?: number): Body {
  const at = (buffer: Buffer) => ir.load(buffer, index, x.type, 1, count);
  if (!low) return [ir.store(high, index, ir.binary('add', at(high), x), count)];
  const sums = pair(name, x.type);
  return [
    set(sums.high, at(high)),
    set(sums.low, at(low)),
    ...addTo(sums, x),
    ir.store(high, index, ir.local(sums.high), count),
    ir.store(low, index, ir.local(sums.low), count),
  ];
}

/** The sums at an index as they are. */
export function sumsAt({ high, low }: SumsAt, index: Affine, type: Local['type'], count?: number): Expression {
  const h = ir.load(high, index, type, 1, count);
  if (!low) return h;
  const l = ir.load(low, index, type, 1, count);
  return total(h, l);
}

/** Sets the sums at an index to zero. */
export const clearAt = ({ high, low }: SumsAt, index: Affine, zero: Expression): Body =>
  [high, ...(low ? [low] : [])].map((buffer) => ir.store(buffer, index, zero));

/** Adds what the sums at an index have rounded away. */
export const roundAt = (sums: SumsAt, index: Affine, type: Local['type'], count?: number): Body =>
  sums.low ? [ir.store(sums.high, index, sumsAt(sums, index, type, count), count)] : [];

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

/**
 * Products that may be added to a register one after another, and so many runs of them whose sums may be added up without
 * more digits: then rounding takes less than 1e-5 of the sum of their sizes.
 */
export const mostProducts = 512;
const mostRuns = 128;

/** Into how many runs a contraction of so many steps is cut, if each is no more than half as long as it may be. */
export const runsOf = (steps: number): number => (steps > mostProducts ? Math.ceil((2 * steps) / mostProducts) : 1);

/** Are that many runs of products added up with more digits? */
export const needsDigits = (runs: number): boolean => runs > mostRuns;

/** The runs of a contraction's summed axes: all of them, where they are no more than one. */
export const inProductRuns = (sizes: readonly number[], body: (run: readonly Span[]) => Body): Body =>
  inRuns(allOf(sizes), mostProducts, ({ size }) => ({ adds: size, unit: 1 }), body);

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
