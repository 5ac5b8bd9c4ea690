// The outputs of a tile: where its rows and columns lie in the arrays, and its results stored there.

import type { Affine, Expression, LoopVariable, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import type { Position } from '../../body/nest.ts';
import { computeOutputs, outputAccesses } from '../../body/outputs.ts';
import type { Bound, OutAxis } from './layout.ts';
import { offsetOf, type Tiling, termsOf } from './tiling.ts';

/** Rows and columns are places in the tile: numbers, and loop variables with their coefficients. */
export interface TileOutputs {
  /** The index of an access at a row and a column; from an offset that is not the access's own, if one is given. */
  readonly at: (access: number, row: Affine, column: Affine, offset?: number) => Affine;
  /** The results of neighbouring columns, or rows, as many as there are lanes or only the first `count` of them. */
  readonly store: (
    row: Affine,
    column: Affine,
    lanes: number,
    root: Expression,
    name: string,
    count?: number,
    along?: OutAxis,
  ) => Statement[];
}

/**
 * Of the tile to which some loops lead, and that begins at a column, or at that of the loop over panels `p`. `id` makes
 * the names of its registers different from those of other tiles in the kernel.
 */
export function tileOutputs(
  t: Tiling,
  bounds: readonly Bound<OutAxis>[],
  begin: number,
  p: LoopVariable | undefined,
  id: number,
): TileOutputs {
  const { task, layout } = t.plan;
  const { rows, columns } = layout;
  const accesses = outputAccesses(task);
  const inPanel = (n: number) => (p ? [[p, n] as const] : []);
  /** What the accesses of all registers of the tile have in common. */
  const blocks = rows.outputs.map((_, access) => ({
    offset: offsetOf(bounds, (x) => x.outputs[access]),
    terms: termsOf(bounds, (x) => x.outputs[access]),
  }));
  const at = (access: number, r: Affine, c: Affine, offset = accesses[access].offset): Affine => {
    const row = rows.outputs[access];
    const column = columns.outputs[access];
    return ir.at(
      offset + blocks[access].offset + r.constant * row + (begin + c.constant) * column,
      ...inPanel(column),
      ...blocks[access].terms,
      ...r.terms.map(([v, n]) => [v, n * row] as const),
      ...c.terms.map(([v, n]) => [v, n * column] as const),
    );
  };
  /** A position along an axis of the task, for a vector along the columns, or along the rows. */
  const coordinate = (number: number, r: Affine, c: Affine, lanes: number, along: OutAxis): Expression => {
    const bound = bounds.filter(({ axis }) => axis.number === number);
    const inColumns = columns.number === number;
    const here = [...(rows.number === number ? [r] : []), ...(inColumns ? [c, ir.at(begin)] : [])];
    const first = here.reduce(
      (sum, { constant }) => sum + constant,
      offsetOf(bound, () => 1),
    );
    const terms = here.flatMap((x) => x.terms);
    const index = ir.at(first, ...termsOf(bound, () => 1), ...inPanel(inColumns ? 1 : 0), ...terms);
    return ir.index(index, { dtype: 'int32', lanes }, number === along.number ? 1 : 0);
  };
  return {
    at,
    store: (r, c, lanes, root, name, count, along = columns) => {
      const position: Position = {
        lanes,
        count,
        at: (k) => at(k, r, c),
        step: (k) => along.outputs[k],
        axis: (number) => coordinate(number, r, c, lanes, along),
      };
      return computeOutputs(task, t.buffers, position, root, `e${id}_${name}_`);
    },
  };
}
