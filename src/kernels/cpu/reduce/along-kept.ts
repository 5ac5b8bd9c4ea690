// Vectors of results: those of neighbours along the innermost kept axis, all that is reduced for each.

import type { Affine, Body, Expression, Local, LoopKind, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { elements, rowMajor } from '../../../tensor/shape.ts';
import { added, times } from '../../body/indices.ts';
import {
  addAt,
  addTo,
  allOf,
  cutInParts,
  inRuns,
  overParts,
  type Pair,
  pair,
  type Span,
  totalOf,
} from '../../body/long-sums.ts';
import {
  type AxisPlace,
  fromBegin,
  type IterationSpace,
  loop,
  nested,
  positionAt,
  type Vector,
  variable,
  variables,
} from '../../body/nest.ts';
import { beginning } from './combine.ts';
import { adding, ending, type ReduceLoops, type ReduceSite, widePieces } from './site.ts';

/** Terms that are added up before they are added to a sum of more digits: fewer where rows are long, which are as many streams. */
const run = { near: 48, far: 16 };
/** Rows of more bytes are far from each other. */
const farBytes = 2048;

/** A vector of results: its register, and where it is. */
interface KeptVector {
  readonly sum: Local;
  readonly kept: readonly AxisPlace[];
  readonly vector: Vector;
}

/**
 * The sum of the rows of x[100, 55] reads 16 neighbouring columns, goes down the 100 rows with four sums in registers,
 * and stores them. Of 1000 rows it goes down 48 at a time, and keeps what their sums add up to with what that rounds away.
 */
export function alongKept(site: ReduceSite): ReduceLoops {
  if (site.parts > 1) return keptInParts(site);
  const spans = allOf(site.axes.reduced);
  const body = overKept(
    site,
    (vectors) => {
      if (!site.isLong) return [...summing(site, vectors, spans), ...outputsOf(site, vectors, (v) => ir.local(v.sum))];
      const pairs = vectors.map(({ sum }) => pair(sum.name, sum.type));
      return [
        ...pairs.flatMap(cleared),
        ...inRuns(spans, run.near, oneByOne, (some) => [
          ...summing(site, vectors, some),
          ...pairs.flatMap((sums, u) => addTo(sums, ir.local(vectors[u].sum))),
        ]),
        ...outputsOf(site, vectors, (_, u) => totalOf(pairs[u])),
      ];
    },
    'parallel',
  );
  return [body];
}

/** Each element along a reduced axis is one term for the register of its column. */
const oneByOne = ({ size }: Span) => ({ adds: size, unit: 1 });

/** Loops over the kept axes, vectors side by side along the last one. */
function overKept(site: ReduceSite, body: (vectors: readonly KeptVector[]) => Body, kind: LoopKind): Body {
  const { axes, root } = site;
  const last = axes.kept.length - 1;
  const outer = variables('i', axes.kept.slice(0, last));
  const pieces = widePieces(axes.kept[last], site).flatMap(({ begin, extent, lanes, vectors, count }) => {
    const v = variable(`v${begin}_${lanes}_${vectors}`, extent, lanes * vectors);
    const all = Array.from({ length: vectors }, (_, u): KeptVector => {
      const sum: Local = { name: `s${begin}_${lanes}_${vectors}_${u}`, type: ir.valueType(root.dtype, lanes) };
      const kept = [...outer.map(fromBegin), { v, begin: begin + u * lanes }];
      return { sum, kept, vector: { axis: last, lanes, count } };
    });
    return loop(v, body(all), outer.length === 0 ? kind : 'serial');
  });
  return nested(outer, pieces, kind);
}

/** Some of what is reduced, summed in the registers. */
function summing(site: ReduceSite, vectors: readonly KeptVector[], spans: readonly Span[]): Body {
  const { axes, root } = site;
  const ks = variables(
    'k',
    spans.map(({ size }) => size),
  );
  const reduced = ks.map((v, i): AxisPlace => ({ v, ...spans[i] }));
  const begins = vectors.map(({ sum }): Statement => ({ kind: 'set', local: sum, value: beginning(root, sum.type) }));
  const steps = vectors.flatMap(({ sum, kept, vector }) =>
    adding(site, positionAt(axes.operands, [...kept, ...reduced], vector), sum),
  );
  return [...begins, ...nested(ks, steps)];
}

const outputsOf = (
  site: ReduceSite,
  vectors: readonly KeptVector[],
  total: (vector: KeptVector, u: number) => Expression,
): Body =>
  vectors.flatMap((v, u) =>
    ending(site, positionAt(site.axes.outputs, v.kept, v.vector), total(v, u), `e${v.sum.name}_`),
  );

const cleared = ({ high, low }: Pair): Body =>
  [high, low].map((local): Statement => ({ kind: 'set', local, value: ir.constant(0, local.type) }));

/**
 * Rows in parts, each with a row of sums of its own, to which some rows at a time are added: so memory is read as it lies.
 */
function keptInParts(site: ReduceSite): ReduceLoops {
  const { axes, root, buffers } = site;
  const results = elements(axes.kept);
  const dense: IterationSpace = { shape: axes.kept, offsets: [0], strides: [rowMajor(axes.kept)] };
  const cut = cutInParts(axes.reduced, site.parts, () => 1);
  const space = (name: string) => buffers.scratch(name, root.dtype, cut.count * results);
  const sums = { high: space('high'), low: space('low') };
  const far = (axes.kept.at(-1) ?? 1) * Float32Array.BYTES_PER_ELEMENT > farBytes;
  const at = ({ kept, vector }: KeptVector): Affine => positionAt(dense, kept, vector).at(0);
  const loops = overParts(axes.reduced, cut, (spans, number) => {
    const from = times(number, results);
    const place = (v: KeptVector) => added(at(v), from);
    const clear = overKept(
      site,
      (vectors) =>
        vectors.flatMap((v) =>
          [sums.high, sums.low].map((b) => ir.store(b, place(v), ir.constant(0, v.sum.type), v.vector.count)),
        ),
      'serial',
    );
    const runs = inRuns(spans, far ? run.far : run.near, oneByOne, (some) =>
      overKept(
        site,
        (vectors) => [
          ...summing(site, vectors, some),
          ...vectors.flatMap((v) => addAt(sums, place(v), ir.local(v.sum), v.sum.name, v.vector.count)),
        ],
        'serial',
      ),
    );
    return [...clear, ...runs];
  });
  return [loops, joined(site, { ...sums, count: cut.count, at })];
}

/** The sums of all parts in order. */
function joined(
  site: ReduceSite,
  parts: {
    readonly high: ir.Buffer;
    readonly low: ir.Buffer;
    readonly count: number;
    readonly at: (v: KeptVector) => Affine;
  },
): Body {
  const results = elements(site.axes.kept);
  return overKept(
    site,
    (vectors) => {
      const p = variable('part', parts.count);
      const pairs = vectors.map(({ sum }) => pair(sum.name, sum.type));
      const steps = vectors.flatMap((v, u) => {
        const place = added(parts.at(v), ir.at(0, [p, results]));
        const load = (b: ir.Buffer) => ir.load(b, place, v.sum.type, 1, v.vector.count);
        const low = ir.binary('add', ir.local(pairs[u].low), load(parts.low));
        return [...addTo(pairs[u], load(parts.high)), { kind: 'set', local: pairs[u].low, value: low } as const];
      });
      return [...pairs.flatMap(cleared), ...loop(p, steps), ...outputsOf(site, vectors, (_, u) => totalOf(pairs[u]))];
    },
    'parallel',
  );
}
