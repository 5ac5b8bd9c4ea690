// One register tile of a contraction: what its sums begin with, and what becomes of them.

import type { Affine, Body, Buffer, Expression, Local, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { taskCost } from '../../body/cost.ts';
import { added } from '../../body/indices.ts';
import { addAt, needsDigits, type SumsAt } from '../../body/long-sums.ts';
import { loop, piecesOf, variable } from '../../body/nest.ts';
import { prefetching } from '../tile/prefetch.ts';
import { type RegisterTile, registerTile, storesLast, type TileRuns, tileInMemory } from '../tile/register-tile.ts';
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
export function oneTile(site: TileSite, runs: TileRuns): Body {
  const { t, block, panel, m, id } = site;
  const { vectors, lanes } = panel;
  const shape = { id, dtype: t.plan.dtype, height: m.v.step, vectors, lanes };
  if (runs.count > 1 && !block.partialSums) return inRuns(site, shape, runs);
  const { before, after, begin, end } = resultsOf(site);
  return [...before, ...runs.around((reader) => registerTile({ ...shape, ...reader, begin, end })), ...after];
}

function resultsOf(site: TileSite): Results {
  const { partialSums } = site.block;
  if (partialSums) return addedToSums(site, partialSums);
  const way = wayOf(site);
  return way === 'written out' ? writtenOut(site) : fromMemory(site, way === 'turned' ? turnedFrom : inLoops);
}

/** How the results of a tile are computed from its sums. */
function wayOf({ t, panel, m }: TileSite): 'turned' | 'in loops' | 'written out' {
  const { task, results } = t.plan;
  const cost = m.v.step * panel.vectors * taskCost(task.outputs.map((o) => o.body));
  if (results === 'turned' && panel.lanes > 1) return 'turned';
  return cost > mostWrittenOut ? 'in loops' : 'written out';
}

/** A block's sums are added to those of the blocks before it. */
function addedToSums(site: TileSite, sums: PartialSums): Results {
  const { t, panel, outputs, id } = site;
  const { dtype, task } = t.plan;
  const { lanes } = panel;
  // The first output has the order of the task's shape, which is that of the sums.
  const at = (r: number, c: number): Affine => added(outputs.at(task.inputs.length, ir.at(r), ir.at(c), 0), sums.from);
  return {
    before: [],
    begin: () => ir.constant(0, ir.valueType(dtype, lanes)),
    end: (r, u, sum) => {
      const name = `p${id}_${r}_${u}`;
      if (isStoredWhole(site, u)) return addAt(sums, at(r, u * lanes), sum, name, partAt(site, u));
      return columnsAt(site, u).flatMap((c, l) => addAt(sums, at(r, c), laneOf(sum, l), `${name}_${l}`));
    },
    after: [],
  };
}

/** The sums of runs are added up in memory, and the results computed from there. */
function inRuns(site: TileSite, shape: Parameters<typeof tileInMemory>[0], runs: TileRuns): Body {
  const { buffers } = site.t;
  const { dtype, height, vectors, lanes } = shape;
  const room = (name: string) => buffers.own(name, dtype, height * vectors * lanes);
  const high = room('tile');
  const sums: SumsAt = { high, low: needsDigits(runs.count) ? room('rounded') : undefined };
  const results = { turned: turnedFrom, 'in loops': inLoops, 'written out': oneByOne }[wayOf(site)];
  const at = (r: number, u: number) => ir.at((r * vectors + u) * lanes);
  return [...fetching(site), ...tileInMemory(shape, runs, sums, at), ...results(site, high)];
}

/** One vector after the other. */
function oneByOne(site: TileSite, sums: Buffer): Body {
  const { t, panel, m, id } = site;
  const { vectors, lanes } = panel;
  const type = ir.valueType(t.plan.dtype, lanes);
  const { end } = writtenOut(site);
  const tile = Array.from({ length: m.v.step * vectors }, (_, i) => {
    const sum: Local = { name: `r${id}_${i}`, type };
    const load: Statement = { kind: 'set', local: sum, value: ir.load(sums, ir.at(i * lanes), type) };
    return [load, ...end(Math.floor(i / vectors), i % vectors, ir.local(sum))];
  });
  return storesLast(tile.flat(), id);
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
