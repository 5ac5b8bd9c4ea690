// The decision how a contraction is computed in tiles, and what that costs.

import { lanesOf, type Machine } from '../../../loops/machine.ts';
import type { Contract } from '../../../primitives/primitives.ts';
import type { Task } from '../../../primitives/task.ts';
import { sizeOf } from '../../../tensor/dtype.ts';
import { elements } from '../../../tensor/shape.ts';
import { taskCost } from '../../body/cost.ts';
import { lanesFor } from '../../body/expression.ts';
import { isPartial } from '../../body/nest.ts';
import { outputTypes } from '../../body/outputs.ts';
import {
  bestTile,
  blockCount,
  type Cut,
  cutFor,
  fitsCache,
  groupOf,
  packingCost,
  packingWay,
  partialSumCost,
  staysNear,
  type TileShape,
  tileCost,
  uncut,
} from '../tile/blocking.ts';
import type { Layout } from './layout.ts';

/** How a contraction is computed. */
export interface TilePlan {
  readonly task: Task;
  readonly layout: Layout;
  readonly machine: Machine;
  readonly dtype: Contract['dtype'];
  readonly tile: TileShape;
  readonly lanes: number;
  /** Is the column operand copied into panels, and not read where it lies? */
  readonly packed: boolean;
  /** Is it packed, or read, in parts, because the whole of it does not fit into the cache? */
  readonly inParts: boolean;
  readonly cut: Cut;
  /** Are the rows read where they lie, `near` or with strides that cost more, or is a tile of them copied first? */
  readonly rows: 'near' | 'strided' | 'copied';
  /** Are sums stored in vectors as they are, in squares that are turned in registers, or lane by lane? */
  readonly results: 'vectors' | 'turned' | 'lanes';
}

/** From so many rows on that read it a copy of the column operand is worth it. */
const enoughReuse = 8;
/** A sum that reads its rows with strides takes so many times as long. */
const strided = 1.6;

/** The steps of a sum. */
export const depthOf = ({ sums }: Layout): number => elements(sums.map((x) => x.size));

/** The plan along a layout; undefined where there is a better one, or none. */
export function tilePlan(task: Task, root: Contract, layout: Layout, machine: Machine): TilePlan | undefined {
  const { columns, rows, outer, sums, inner } = layout;
  const { dtype } = root;
  const lanes = lanesOf(machine, dtype);
  const reuse = rows.size * elements(outer.filter((x) => x.column === 0).map((x) => x.size));
  const inParts = depthOf(layout) > 1 && !fitsCache(depthOf(layout) * columns.size * sizeOf(dtype), machine);
  // Only tiles that have all the rows are turned: these are then at hand, and the columns are read once, as they lie.
  const high = inner || inParts ? undefined : tileToTurn(task, layout, lanes, machine);
  const turned = high !== undefined && reuse <= high.rows;
  const packed = reuse >= enoughReuse && !(turned && columns.column === 1);
  // What is read where it lies is read in vectors.
  if (!packed && (columns.column !== 1 || !(inner || turned))) return undefined;
  const tile = turned ? high : bestTile(rows.size, vectorsOf(layout, lanes, packed), machine);
  const sizes = sums.map((x) => x.size);
  const cut = inParts ? cutFor(sizes, groupWidth(layout, tile, lanes) * sizeOf(dtype), machine, packed) : uncut;
  // Sums that wait in memory are kept as vectors.
  if (!inner && cut !== uncut) return undefined;
  const results = inner ? 'vectors' : turned ? 'turned' : 'lanes';
  const plan = { task, layout, machine, dtype, tile, lanes, packed, inParts, cut, results } as const;
  return { ...plan, rows: rowsOf(plan) };
}

/** How many vectors of columns there are: the last one is filled up where it is packed. */
const vectorsOf = ({ columns }: Layout, lanes: number, packed: boolean): number =>
  Math.max(1, packed ? Math.ceil(columns.size / lanes) : Math.floor(columns.size / lanes));

/** Columns that are packed together. */
function groupWidth({ columns, outer }: Layout, tile: TileShape, lanes: number): number {
  const isBatch = outer.some((x) => x.column !== 0 && x.size !== 1);
  return isBatch ? columns.size : groupOf(columns.size, tile.vectors * lanes);
}

/** Can tiles be turned: do their rows lie along the innermost axis of the result, and fill vectors, or parts of them? */
export function canBeTurned(task: Task, { rows, inner }: Layout, lanes: number, machine: Machine): boolean {
  const bodies = task.outputs.map((o) => o.body);
  const fits = lanesFor(machine, bodies, [task.root?.dtype ?? 'float32', ...outputTypes(task)]) === lanes;
  const innermost = !inner && rows.outputs[task.inputs.length] === 1;
  return innermost && fits && (rows.size >= lanes || isPartial(rows.size, lanes, machine));
}

/** The tile with as many of the rows as can be, whose results are turned; undefined if they cannot be. */
function tileToTurn(task: Task, layout: Layout, lanes: number, machine: Machine): TileShape | undefined {
  const { rows, columns } = layout;
  if (lanes === 1 || !canBeTurned(task, layout, lanes, machine)) return undefined;
  return bestTile(rows.size, Math.ceil(columns.size / lanes), machine, Math.min(rows.size, lanes));
}

/**
 * Rows along which the sum strides are copied too, where each element is one of a single row; but not for the only
 * panel, or for the only tile, if all that a tile needs of them is at hand.
 */
function rowsOf({ layout, machine, dtype, tile, lanes, packed }: Omit<TilePlan, 'rows'>): TilePlan['rows'] {
  const { rows, outer, sums } = layout;
  const single = vectorsOf(layout, lanes, packed) === tile.vectors || rows.size <= tile.rows;
  const once = single && rows.row === 1 && staysNear(depthOf(layout), tile.rows * sizeOf(dtype), machine);
  if (Math.abs(sums.at(-1)?.row ?? 1) === 1 || once) return 'near';
  return packed && outer.length === 0 ? 'copied' : 'strided';
}

/** Cycles of a plan: the products, what is copied before, and what becomes of the sums. */
export function costOf(plan: TilePlan): number {
  const { task, layout, machine, tile, lanes, packed, cut } = plan;
  const { columns, rows, outer, sums } = layout;
  const depth = depthOf(layout);
  const sizes = sums.map((x) => x.size);
  const batch = elements(outer.filter((x) => x.column !== 0).map((x) => x.size));
  const products =
    tileCost(rows.size, vectorsOf(layout, lanes, packed), tile, machine) *
    elements(outer.map((x) => x.size)) *
    depth *
    (plan.rows === 'strided' ? strided : 1);
  const copies = plan.rows === 'copied' ? packingCost(rows.size * depth, packingWay(rows.row, undefined), lanes) : 0;
  const way = packingWay(columns.column, sums.at(-1)?.column);
  const panels = packed ? packingCost(columns.size * depth * batch, way, lanes) : 0;
  const waiting = cut === uncut ? 0 : partialSumCost(elements(task.shape) * blockCount(sizes, cut), lanes);
  return products + copies + panels + waiting + storingCost(plan);
}

/** Cycles to store results that are not stored as they are. */
function storingCost({ task, layout, lanes, results }: TilePlan): number {
  const { rows, columns } = layout;
  const count = elements(task.shape);
  const each = 2 + taskCost(task.outputs.map((o) => o.body));
  if (results === 'vectors') return 0;
  if (results === 'lanes') return count * each;
  // Tiles that have all the rows are turned, and results stored in vectors that they do not fill.
  const others = count / (rows.size * columns.size);
  const vectors = Math.ceil(rows.size / lanes) * Math.ceil(columns.size / lanes) * lanes * others;
  return packingCost(vectors * lanes, 'turned', lanes) + (vectors - count / lanes) * each;
}
