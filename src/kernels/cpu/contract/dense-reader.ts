// How a tile reads its operands where no element is left out.

import type { Affine, Buffer } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { rowMajor } from '../../../tensor/shape.ts';
import { added } from '../../body/indices.ts';
import { allOf, inProductRuns, runsOf, type Span } from '../../body/long-sums.ts';
import type { TileReader, TileRuns } from '../tile/register-tile.ts';
import { type AxisLoop, alongSpan, around, indexAlong } from './axis-loop.ts';
import { mergeSums, type SumAxis } from './layout.ts';
import { partAt, type TileSite } from './tile-site.ts';

/** Loops over the summed axes, around one step. */
type Steps = readonly AxisLoop<SumAxis>[];

/** What a tile reads of an operand at each step: the first element, and others at such a distance from each other. */
interface Source {
  readonly buffer: Buffer;
  readonly first: Affine;
  readonly stride: number;
}

/** All steps along the summed axes, or where they are many float32 runs of them. */
export function denseRuns(site: TileSite, copied: Buffer | undefined): TileRuns {
  const { block, t } = site;
  const sums = mergeSums(block.inner, block.packed === undefined);
  const sizes = sums.map(({ size }) => size);
  const reader = (spans: readonly Span[]) =>
    denseReader(
      site,
      copied,
      sums.map((x, i) => alongSpan(x, `k${i}`, spans[i])),
    );
  if (t.plan.dtype !== 'float32') return { count: 1, around: (one) => one(reader(allOf(sizes))) };
  return { count: runsOf(block.depth), around: (one) => inProductRuns(sizes, (run) => one(reader(run))) };
}

/** Reads the columns where they are packed, or where they lie, and the rows where they were copied, or where they lie. */
function denseReader(site: TileSite, copied: Buffer | undefined, steps: Steps): TileReader {
  const { t, block, panel } = site;
  const { lanes } = panel;
  const type = ir.valueType(t.plan.dtype, lanes);
  const columns = columnsOf(site, steps);
  const rows = copied ? { buffer: copied, first: inCopy(steps, site.m.v.step), stride: 1 } : rowsOf(site, steps);
  const at = ({ first, stride }: Source, n: number): Affine => ir.plus(first, n * stride);
  return {
    loops: (step) => around(steps, step),
    row: (r) => ir.load(rows.buffer, at(rows, r), type, lanes === 1 ? 1 : 0),
    column: (u) => {
      // Packed vectors are full: zeros follow the columns.
      const part = block.packed ? undefined : partAt(site, u);
      return ir.load(columns.buffer, at(columns, u * lanes), type, 1, part);
    },
  };
}

function columnsOf(site: TileSite, steps: Steps): Source {
  const { t, block, panel, p } = site;
  const { column, columns } = t.plan.layout;
  if (block.packed) {
    const first = ir.at(panel.begin * block.depth, [p, block.depth]);
    return { buffer: block.packed, first: added(first, inCopy(steps, panel.vectors * panel.lanes)), stride: 1 };
  }
  const first = ir.at(column.offset + panel.begin * columns.column, [p, columns.column]);
  const there = inPlace(site, steps, (x) => x.column);
  return { buffer: t.buffers.of(column.node), first: added(first, there), stride: columns.column };
}

function rowsOf(site: TileSite, steps: Steps): Source {
  const { row, rows } = site.t.plan.layout;
  const there = inPlace(site, steps, (x) => x.row);
  return { buffer: site.t.buffers.of(row.node), first: added(ir.at(row.offset), there), stride: rows.row };
}

/** How far all loops move an operand that lies as it comes. */
const inPlace = ({ t, block, m }: TileSite, steps: Steps, stride: (axis: SumAxis) => number): Affine =>
  added(indexAlong([...block.groups, ...t.shared, m], stride), indexAlong([...block.outside, ...steps], stride));

/** How far the steps move in a copy, in which each has so many elements. */
function inCopy(steps: Steps, elements: number): Affine {
  const strides = rowMajor(steps.map(({ axis }) => axis.size));
  const inOrder = steps.map((step, i) => ({ ...step, axis: strides[i] }));
  return indexAlong(inOrder, (stride) => stride * elements);
}
