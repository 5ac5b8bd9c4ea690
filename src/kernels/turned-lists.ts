// Products of lists whose rows are the innermost axis of the result: tiles of sums, row by row, which are then turned.

import type { Affine, Buffer, Expression } from '../loops/ir.ts';
import * as ir from '../loops/ir.ts';
import type { Bound, OutAxis } from './layout.ts';
import { type Lists, listed } from './lists.ts';
import { loop, type Position, variable } from './nest.ts';
import { outputAccesses, prefetching, storeOutputs } from './outputs.ts';
import { registerTile } from './tile.ts';
import { type Body, bound, type TileBlock, type Tiling } from './tiling.ts';
import { type OutputsOfRows, turnedResults } from './turned-results.ts';

/** Rows of a tile: so long are the runs in which results are stored, and what they are computed from is read. */
const tileRows = 64;

/** All rows with a packed panel of so many vectors, in which the columns of one group are. */
export function turnedTiles(t: Tiling, block: TileBlock, lists: Lists, vectors: number): Body {
  const { rows } = t.plan.layout;
  const whole = Math.floor(rows.size / tileRows) * tileRows;
  const some = (begin: number, extent: number, height: number): Body =>
    extent > 0 ? tiles(t, block, lists, vectors, bound(rows, `m${begin}`, extent, height, begin)) : [];
  return [...some(0, whole, tileRows), ...some(whole, rows.size - whole, rows.size - whole)];
}

function tiles(t: Tiling, block: TileBlock, lists: Lists, vectors: number, m: Bound<OutAxis>): Body {
  const { task, dtype, lanes, layout, machine } = t.plan;
  const { rows, columns } = layout;
  const [g] = block.groups;
  const height = m.v.step;
  const width = vectors * lanes;
  const id = t.nextName();
  const type = ir.valueType(dtype, lanes);
  const accesses = outputAccesses(task);
  /** Where an access is at a row and a column of the tile. */
  const at = (k: number, row: Affine, column: Affine): Affine => {
    const [down, along] = [rows.outputs[k], columns.outputs[k]];
    return ir.at(
      accesses[k].offset + (m.begin + row.constant) * down + (g.begin + column.constant) * along,
      ...[[m.v, 1] as const, ...row.terms].map(([v, n]) => [v, n * down] as const),
      ...[[g.v, 1] as const, ...column.terms].map(([v, n]) => [v, n * along] as const),
    );
  };
  const outputs: OutputsOfRows = (row, column, wide, root, count) => {
    const axis = (number: number): Expression => {
      const type = { dtype: 'int32', lanes: wide } as const;
      if (number === rows.number) return ir.index(ir.at(m.begin + row.constant, [m.v, 1], ...row.terms), type, 1);
      return ir.index(ir.at(g.begin + column.constant, [g.v, 1], ...column.terms), type, 0);
    };
    const position: Position = {
      lanes: wide,
      count,
      at: (k) => at(k, row, column),
      step: (k) => rows.outputs[k],
      axis,
    };
    return storeOutputs(task, t.storage, position, root, `e${t.nextName()}_`);
  };
  // While a full tile is computed, what its outputs read comes to the cache: with each few rows, the run of a column.
  const full = height === tileRows && block.count === width && tileRows % width === 0;
  const few = full ? tileRows / width : 1;
  const r = variable(`r${id}`, height / few);
  const row = variable(`row${id}`, few);
  const fetching = task.inputs.flatMap(({ node }, k): Body => {
    if (!full || rows.outputs[k] !== 1 || columns.outputs[k] === 0) return [];
    return prefetching(t.storage.bufferOf(node), tileRows, (i) => at(k, ir.at(i), ir.at(0, [r, 1])), machine);
  });
  const sums = t.storage.own(`sums${id}`, dtype, height * width);
  const panel = { buffer: block.panels as Buffer, vectors, lanes, depth: block.depth };
  const products = registerTile({
    id,
    dtype,
    height: 1,
    vectors,
    lanes,
    ...listed(lists, ir.at(m.begin, [m.v, 1], [r, few], [row, 1]), panel, id),
    begin: () => ir.constant(0, type),
    end: (_, u, value) => [ir.store(sums, ir.at(u * lanes, [r, few * width], [row, width]), value)],
  });
  return loop(m.v, [
    ...loop(r, [...fetching, ...loop(row, products)]),
    ...turnedResults(t, { sums, height, width, count: block.count }, outputs),
  ]);
}
