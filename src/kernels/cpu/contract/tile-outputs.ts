// The outputs of a tile: where its rows and columns lie in the arrays, and its results computed and stored there.

import type { Affine, Body, Expression, LoopVariable } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { added, times } from '../../body/indices.ts';

import { computeOutputs, outputAccesses } from '../../body/outputs.ts';
import { type AxisLoop, indexAlong } from './axis-loop.ts';
import type { OutAxis } from './layout.ts';
import type { Tiling } from './tiling.ts';

/** Results of neighbouring columns, or of neighbouring rows, as many as there are lanes or only the first `count`. */
export interface TilePlace {
  /** Places in the tile: numbers, and loop variables with their coefficients. */
  readonly row: Affine;
  readonly column: Affine;
  readonly lanes: number;
  readonly count?: number | undefined;
  /** The axis along which they are neighbours: that of the columns if none is given. */
  readonly along?: OutAxis;
}

export interface TileOutputs {
  /** The index of an access at a row and a column; from an offset that is not the access's own, if one is given. */
  readonly at: (access: number, row: Affine, column: Affine, offset?: number) => Affine;
  /** Computes the outputs from sums. The name tells its registers from those of other results of the tile. */
  readonly compute: (place: TilePlace, sums: Expression, name: string) => Body;
}

/**
 * Of the tile to which some loops lead, and that begins at a column, or at that of the loop over panels `p`. `id` makes
 * the names of its registers different from those of other tiles in the kernel.
 */
export function tileOutputs(
  t: Tiling,
  loops: readonly AxisLoop<OutAxis>[],
  begin: number,
  p: LoopVariable | undefined,
  id: number,
): TileOutputs {
  const { task, layout } = t.plan;
  const { rows, columns } = layout;
  const accesses = outputAccesses(task);
  const panel = (stride: number): Affine => ir.at(begin * stride, ...(p ? [[p, stride] as const] : []));
  /** What all results of the tile have in common. */
  const corners = accesses.map((_, k) =>
    added(
      panel(columns.outputs[k]),
      indexAlong(loops, (axis) => axis.outputs[k]),
    ),
  );
  const at: TileOutputs['at'] = (k, row, column, offset = accesses[k].offset) =>
    added(ir.at(offset), corners[k], times(row, rows.outputs[k]), times(column, columns.outputs[k]));
  /** The position along an axis of the task. */
  const position = (number: number, { row, column, lanes, along = columns }: TilePlace): Expression => {
    const lead = indexAlong(
      loops.filter(({ axis }) => axis.number === number),
      () => 1,
    );
    const inColumns = columns.number === number ? [panel(1), column] : [];
    const inRows = rows.number === number ? [row] : [];
    const index = added(lead, ...inRows, ...inColumns);
    return ir.index(index, ir.valueType('int32', lanes), number === along.number ? 1 : 0);
  };
  return {
    at,
    compute: (place, sums, name) => {
      const { row, column, lanes, count, along = columns } = place;
      const here = {
        lanes,
        count,
        at: (k: number) => at(k, row, column),
        step: (k: number) => along.outputs[k],
        axis: (number: number) => position(number, place),
      };
      return computeOutputs(task, t.buffers, here, sums, `e${id}_${name}_`);
    },
  };
}
