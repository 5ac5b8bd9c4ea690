// One result at a time: what is reduced for it in vectors of neighbours along the innermost reduced axis, or one by one.

import type { Body, Local, LoopVariable, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { elements, rowMajor } from '../../../tensor/shape.ts';
import { added, times } from '../../body/indices.ts';
import { allOf, cutInParts, inRuns, overParts, type Span } from '../../body/long-sums.ts';
import { type AxisPlace, fromBegin, loop, nested, positionAt, variable, variables } from '../../body/nest.ts';
import { type Accumulator, allInOne, beginning, combine } from './combine.ts';
import { adding, ending, type ReduceLoops, type ReduceSite, sideBySide, widePieces } from './site.ts';

/** Terms that are added up in a register before they are added to a sum of more digits. */
const run = 48;

/**
 * The sum of each row of x[100, 55] adds neighbouring elements of the row to four vectors, which are then made one
 * number. Without vectors it is the same with one element at a time.
 *
 * A long sum of float32 is one in float64 of such numbers, each of a run of elements; without vectors, of the elements.
 */
export function alongReduced(site: ReduceSite): ReduceLoops {
  const { axes, parts } = site;
  const kept = variables('i', axes.kept);
  if (parts > 1) return reducedInParts(site, kept);
  const total = totalFor(site);
  const one: Body = [
    ...totalOf(site, kept, allOf(axes.reduced), total),
    ...ending(site, positionAt(axes.outputs, kept.map(fromBegin)), ir.local(total), 'e'),
  ];
  return [nested(kept, one, 'parallel')];
}

/** The register for a result. */
const totalFor = ({ root, isLong }: ReduceSite): Local => ({
  name: 'total',
  type: isLong ? ir.valueType('float64', 1) : ir.valueType(root.dtype, 1),
});

/** All that some spans have for a result, in one register. */
function totalOf(site: ReduceSite, kept: readonly LoopVariable[], spans: readonly Span[], total: Local): Body {
  if (!site.isLong || site.lanes === 1) return oneRun(site, kept, spans, total);
  const some: Local = { name: 'some', type: ir.valueType(site.root.dtype, 1) };
  const sum = ir.binary('add', ir.local(total), ir.convert(ir.local(some), 'float64'));
  const last = spans.length - 1;
  const unit = site.lanes * sideBySide;
  const runs = inRuns(
    spans,
    run,
    ({ size }, axis) => (axis === last ? { adds: addsOf(size, site), unit } : { adds: size, unit: 1 }),
    (one) => [...oneRun(site, kept, one, some), { kind: 'set', local: total, value: sum }],
  );
  return [{ kind: 'set', local: total, value: ir.constant(0, total.type) }, ...runs];
}

/** How many terms a register gets of so many elements of the innermost reduced axis. */
export const addsOf = (size: number, site: Pick<ReduceSite, 'lanes' | 'machine'>): number =>
  Math.max(1, ...widePieces(size, site).map(({ extent, lanes, vectors }) => Math.ceil(extent / (lanes * vectors))));

/** What some spans have for a result, without more digits on the way than the register for it has. */
function oneRun(site: ReduceSite, kept: readonly LoopVariable[], spans: readonly Span[], total: Local): Body {
  const { root, axes } = site;
  const last = spans.length - 1;
  const dtype = site.lanes === 1 ? total.type.dtype : root.dtype;
  const middle = variables(
    'k',
    spans.slice(0, -1).map(({ size }) => size),
  );
  const outer = [...kept.map(fromBegin), ...middle.map((v, i): AxisPlace => ({ v, ...spans[i] }))];
  const innermost = spans.at(-1);
  const begins: Statement[] = [];
  const accumulators: Accumulator[] = [];
  const pieces = widePieces(innermost?.size ?? 1, site).flatMap(({ begin, extent, lanes, vectors, count }) => {
    const v = variable(`v${begin}_${lanes}`, extent, lanes * vectors);
    const steps: Statement[] = [];
    for (let u = 0; u < vectors; u++) {
      const sum: Local = { name: `s${begin}_${lanes}_${u}`, type: ir.valueType(dtype, lanes) };
      const place = innermost && { ...innermost, v, begin: innermost.begin + begin + u * lanes };
      const places = [...outer, ...(place ? [place] : [])];
      const position = positionAt(axes.operands, places, { axis: kept.length + last, lanes, count });
      begins.push({ kind: 'set', local: sum, value: beginning(root, sum.type) });
      steps.push(...adding(site, position, sum));
      accumulators.push({ local: sum, count: count ?? lanes });
    }
    return loop(v, steps);
  });
  const together = allInOne(root, accumulators);
  return [
    ...begins,
    ...nested(middle, pieces),
    ...together.statements,
    { kind: 'set', local: total, value: ir.convert(together.value, total.type.dtype) },
  ];
}

/** What is reduced in parts, all results of each by one thread; then the parts in order. */
function reducedInParts(site: ReduceSite, kept: readonly LoopVariable[]): ReduceLoops {
  const { axes, root, buffers, isLong } = site;
  const results = elements(axes.kept);
  const total = totalFor(site);
  const last = axes.reduced.length - 1;
  const cut = cutInParts(axes.reduced, site.parts, (axis) => (axis === last ? site.lanes * sideBySide : 1));
  const dtype = isLong ? 'float64' : root.dtype === 'uint8' ? 'int32' : root.dtype;
  const buffer = buffers.scratch('parts', dtype, cut.count * results);
  const strides = rowMajor(axes.kept);
  const dense = ir.at(0, ...kept.map((v, i) => [v, strides[i]] as const));
  const loops = overParts(axes.reduced, cut, (spans, number) =>
    nested(kept, [
      ...totalOf(site, kept, spans, total),
      ir.store(buffer, added(times(number, results), dense), ir.local(total)),
    ]),
  );
  const p = variable('part', cut.count);
  const part = ir.load(buffer, added(ir.at(0, [p, results]), dense), total.type);
  const joining: Body = [
    { kind: 'set', local: total, value: beginning(root, total.type) },
    ...loop(p, [{ kind: 'set', local: total, value: combine(root.op, ir.local(total), part) }]),
    ...ending(site, positionAt(axes.outputs, kept.map(fromBegin)), ir.local(total), 'e'),
  ];
  return [loops, nested(kept, joining, 'parallel')];
}
