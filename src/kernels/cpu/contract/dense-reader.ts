// How a tile reads its operands where no element is left out.

import type { Affine, Buffer } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { rowMajor } from '../../../tensor/shape.ts';
import { added } from '../../body/indices.ts';
import type { TileReader } from '../tile/register-tile.ts';
import { around, axisLoop, indexAlong } from './axis-loop.ts';
import { mergeSums, type SumAxis } from './layout.ts';
import { partAt, type TileSite } from './tile-site.ts';

/** Reads the columns where they are packed, or where they lie, and the rows where they were copied, or where they lie. */
export function denseReader(site: TileSite, copied: Buffer | undefined): TileReader {
  const { t, block, panel, p, m } = site;
  const { layout, dtype } = t.plan;
  const { row, rows, column, columns } = layout;
  const { vectors, lanes } = panel;
  const type = ir.valueType(dtype, lanes);
  const ks = mergeSums(block.inner, block.packed === undefined).map((x, i) => axisLoop(x, `k${i}`));
  /** From where the operand lies to its element at the tile's corner, at a step. */
  const inPlace = (stride: (axis: SumAxis) => number): Affine =>
    added(indexAlong([...block.groups, ...t.shared, m], stride), indexAlong([...block.outside, ...ks], stride));
  /** The same of a copy, in which a step has so many elements. */
  const steps = rowMajor(ks.map((k) => k.axis.size));
  const inCopy = (elements: number): Affine => ir.at(0, ...ks.map(({ v }, i) => [v, steps[i] * elements] as const));
  const fromColumns = block.packed
    ? {
        buffer: block.packed,
        first: added(ir.at(panel.begin * block.depth, [p, block.depth]), inCopy(vectors * lanes)),
        stride: 1,
      }
    : {
        buffer: t.buffers.of(column.node),
        first: added(
          ir.at(column.offset + panel.begin * columns.column, [p, columns.column]),
          inPlace((x) => x.column),
        ),
        stride: columns.column,
      };
  const fromRows = copied
    ? { buffer: copied, first: inCopy(m.v.step), stride: 1 }
    : {
        buffer: t.buffers.of(row.node),
        first: added(
          ir.at(row.offset),
          inPlace((x) => x.row),
        ),
        stride: rows.row,
      };
  const at = ({ first, stride }: { first: Affine; stride: number }, n: number): Affine => ir.plus(first, n * stride);
  return {
    loops: (step) => around(ks, step),
    row: (r) => ir.load(fromRows.buffer, at(fromRows, r), type, lanes === 1 ? 1 : 0),
    column: (u) => {
      // Packed vectors are full: zeros follow the columns.
      const part = block.packed ? undefined : partAt(site, u);
      return ir.load(fromColumns.buffer, at(fromColumns, u * lanes), type, 1, part);
    },
  };
}
