// One register tile of a contraction: what its sums begin with, and what becomes of them.

import type { Affine, Buffer, Expression } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { taskCost } from '../../body/cost.ts';
import { added } from '../../body/indices.ts';
import { type Body, loop, piecesOf, variable } from '../../body/nest.ts';
import { prefetching } from '../tile/prefetch.ts';
import { type RegisterTile, registerTile, type TileReader } from '../tile/register-tile.ts';
import { columnsAt, isStoredWhole, partAt, type TileSite } from './tile-site.ts';
import type { PartialSums } from './tiling.ts';
import { turnedResults } from './turned-results.ts';

/**
 * From so much arithmetic in the results of a tile on, in additions of vectors, they are computed in loops. Written out,
 * as others are, they would be much code that the sums, which are in registers, gain nothing from.
 */
const mostWrittenOut = 1000;

/** Statements around a tile, what its sums begin with, and what is done with each. */
interface Results extends Pick<RegisterTile, 'begin' | 'end'> {
  readonly before: Body;
  readonly after: Body;
}

/** A tile whose operands are read in some way. */
export function oneTile(site: TileSite, reader: TileReader): Body {
  const { t, panel, m, id } = site;
  const { vectors, lanes } = panel;
  const { before, after, begin, end } = resultsOf(site);
  const tile = registerTile({ id, dtype: t.plan.dtype, height: m.v.step, vectors, lanes, ...reader, begin, end });
  return [...before, ...tile, ...after];
}

function resultsOf(site: TileSite): Results {
  const { t, block, panel, m } = site;
  const { task, results } = t.plan;
  if (block.partialSums) return addedToSums(site, block.partialSums);
  const cost = m.v.step * panel.vectors * taskCost(task.outputs.map((o) => o.body));
  if (results === 'turned' && panel.lanes > 1) return fromMemory(site, turnedFrom);
  return cost > mostWrittenOut ? fromMemory(site, inLoops) : writtenOut(site);
}

/** Sums begin with what the blocks before have left, and are stored for those that come. */
function addedToSums(site: TileSite, { buffer, from }: PartialSums): Results {
  const { t, panel, outputs } = site;
  const { dtype, task } = t.plan;
  const { lanes } = panel;
  const type = ir.valueType(dtype, lanes);
  const scalar = ir.valueType(dtype, 1);
  // The first output has the order of the task's shape, which is that of the sums.
  const at = (r: number, c: number): Affine => added(outputs.at(task.inputs.length, ir.at(r), ir.at(c), 0), from);
  return {
    before: [],
    begin: (r, u) =>
      isStoredWhole(site, u) ? ir.load(buffer, at(r, u * lanes), type, 1, partAt(site, u)) : ir.constant(0, type),
    end: (r, u, sum) => {
      if (isStoredWhole(site, u)) return [ir.store(buffer, at(r, u * lanes), sum, partAt(site, u))];
      return columnsAt(site, u).map((c, l) =>
        ir.store(buffer, at(r, c), ir.binary('add', ir.load(buffer, at(r, c), scalar), laneOf(sum, l))),
      );
    },
    after: [],
  };
}

const laneOf = (value: Expression, l: number): Expression => (value.type.lanes === 1 ? value : ir.lane(value, l));

/** The outputs are computed from sums in registers, one vector of them after the other. */
function writtenOut(site: TileSite): Results {
  const { t, panel, outputs } = site;
  const { lanes } = panel;
  const result = (r: number, c: number, width: number, sums: Expression, count?: number): Body =>
    outputs.compute({ row: ir.at(r), column: ir.at(c), lanes: width, count }, sums, `${r}_${c}`);
  return {
    before: fetching(site),
    begin: () => ir.constant(0, ir.valueType(t.plan.dtype, lanes)),
    end: (r, u, sum) =>
      isStoredWhole(site, u)
        ? result(r, u * lanes, lanes, sum, partAt(site, u))
        : columnsAt(site, u).flatMap((c, l) => result(r, c, 1, laneOf(sum, l))),
    after: [],
  };
}

/** The sums are stored as a tile, and the outputs computed from there. */
function fromMemory(site: TileSite, results: (site: TileSite, sums: Buffer) => Body): Results {
  const { t, panel, m } = site;
  const { vectors, lanes } = panel;
  const { dtype } = t.plan;
  const sums = t.buffers.own('tile', dtype, m.v.step * vectors * lanes);
  return {
    before: fetching(site),
    begin: () => ir.constant(0, ir.valueType(dtype, lanes)),
    end: (r, u, sum) => [ir.store(sums, ir.at((r * vectors + u) * lanes), sum)],
    after: results(site, sums),
  };
}

/** Row by row, in vectors along the columns. */
function inLoops({ t, panel, m, id, inVectors, columns, outputs }: TileSite, sums: Buffer): Body {
  const { dtype, machine } = t.plan;
  const width = panel.vectors * panel.lanes;
  const r = variable(`r${id}`, m.v.step);
  const pieces = piecesOf(columns, inVectors ? panel.lanes : 1, machine).flatMap(({ begin, extent, lanes, count }) => {
    const c = variable(`c${id}_${begin}`, extent, lanes);
    const value = ir.load(sums, ir.at(begin, [r, width], [c, 1]), ir.valueType(dtype, lanes));
    const place = { row: ir.at(0, [r, 1]), column: ir.at(begin, [c, 1]), lanes, count };
    return loop(c, outputs.compute(place, value, `${begin}`));
  });
  return loop(r, pieces);
}

/** Turned, so that vectors lie along the rows. */
function turnedFrom({ t, panel, m, columns, outputs }: TileSite, sums: Buffer): Body {
  const tile = { sums, height: m.v.step, width: panel.vectors * panel.lanes, count: columns };
  return turnedResults(t, tile, outputs);
}

/** What the outputs read comes to the cache while the tile is computed. */
function fetching({ t, m, columns, outputs }: TileSite): Body {
  const { task, layout, machine } = t.plan;
  return task.inputs.flatMap(({ node }, k): Body => {
    if (layout.columns.outputs[k] !== 1) return [];
    const buffer = t.buffers.of(node);
    return Array.from({ length: m.v.step }, (_, r) =>
      prefetching(buffer, columns, (c) => outputs.at(k, ir.at(r), ir.at(c)), machine),
    ).flat();
  });
}
