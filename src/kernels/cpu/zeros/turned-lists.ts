// Products of lists whose rows are the innermost axis of the result: tiles of sums, row by row, which are then turned.

import type { Body, Buffer, Expression } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { needsDigits } from '../../body/long-sums.ts';
import { inSteps, loop, variable } from '../../body/nest.ts';
import { type AxisLoop, axisLoop } from '../contract/axis-loop.ts';
import type { OutAxis } from '../contract/layout.ts';
import { tileOutputs } from '../contract/tile-outputs.ts';
import type { PackedBlock, Tiling } from '../contract/tiling.ts';
import { turnedResults } from '../contract/turned-results.ts';
import { prefetching } from '../tile/prefetch.ts';
import { registerTile, tileInMemory } from '../tile/register-tile.ts';
import { type Lists, listRuns } from './lists.ts';

/** Rows of a tile: so long are the runs in which results are stored, and what they are computed from is read. */
const tileRows = 64;

/** All rows with a packed panel of so many vectors, in which the columns of one group are. */
export function turnedTiles(t: Tiling, block: PackedBlock, lists: Lists, vectors: number): Body {
  const { rows } = t.plan.layout;
  return inSteps(rows.size, tileRows).flatMap((stretch) =>
    tiles(t, block, lists, vectors, axisLoop(rows, `m${stretch.begin}`, stretch)),
  );
}

function tiles(t: Tiling, block: PackedBlock, lists: Lists, vectors: number, m: AxisLoop<OutAxis>): Body {
  const { task, dtype, lanes, layout, machine } = t.plan;
  const { rows, columns } = layout;
  const height = m.v.step;
  const width = vectors * lanes;
  const id = t.nextName();
  const type = ir.valueType(dtype, lanes);
  const outputs = tileOutputs(t, [...block.groups, m], 0, undefined, id);
  // While a full tile is computed, what its outputs read comes to the cache: with each few rows, the run of a column.
  const full = height === tileRows && block.count === width && tileRows % width === 0;
  const few = full ? tileRows / width : 1;
  const r = variable(`r${id}`, height / few);
  const row = variable(`row${id}`, few);
  const fetching = task.inputs.flatMap(({ node }, k): Body => {
    if (!full || rows.outputs[k] !== 1 || columns.outputs[k] === 0) return [];
    return prefetching(t.buffers.of(node), tileRows, (i) => outputs.at(k, ir.at(i), ir.at(0, [r, 1])), machine);
  });
  const sums = t.buffers.own(`sums${id}`, dtype, height * width);
  const panel = { buffer: block.packed as Buffer, vectors, lanes, depth: block.depth };
  const shape = { id, dtype, height: 1, vectors, lanes } as const;
  const runs = listRuns(lists, ir.at(m.begin, [m.v, 1], [r, few], [row, 1]), panel, id);
  const at = (_: number, u: number) => ir.at(u * lanes, [r, few * width], [row, width]);
  const zero = () => ir.constant(0, type);
  const end = (i: number, u: number, value: Expression): Body => [ir.store(sums, at(i, u), value)];
  const low = needsDigits(runs.count) ? t.buffers.own(`rounded${id}`, dtype, height * width) : undefined;
  const products =
    runs.count > 1
      ? tileInMemory(shape, runs, { high: sums, low }, at)
      : runs.around((reader) => registerTile({ ...shape, ...reader, begin: zero, end }));
  return loop(m.v, [
    ...loop(r, [...fetching, ...loop(row, products)]),
    ...turnedResults(t, { sums, height, width, count: block.count }, outputs),
  ]);
}
