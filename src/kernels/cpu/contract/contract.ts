// Contractions: matmul and convolutions in all their passes. A tile of results is held in registers while the summed
// axes are walked; the operand that lies along the vectors is packed into panels, in blocks that stay in the cache.

import { lanesOf, type Machine } from '../../../loops/machine.ts';
import type { Contract } from '../../../primitives/primitives.ts';
import * as s from '../../../primitives/scalar.ts';
import type { Task } from '../../../primitives/task.ts';
import { sizeOf } from '../../../tensor/dtype.ts';
import { elements } from '../../../tensor/shape.ts';
import { taskCost } from '../../body/cost.ts';
import { lanesFor } from '../../body/expression.ts';
import { isPartial } from '../../body/nest.ts';
import { outputBytes, outputTypes } from '../../body/outputs.ts';
import type { Offer } from '../../offer.ts';
import { reduction } from '../reduce/reduce.ts';
import {
  bestTile,
  blockCount,
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
import { tiledParts } from './blocks.ts';
import { type Layout, layoutsOf } from './layout.ts';
import { Tiling } from './tiling.ts';

/** Every result as a sum of products, without tiles: for shapes that have no rows or columns to reuse. */
export function sumOfProducts(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'contract') return undefined;
  const x = s.mul(s.input(0, root.dtype), s.input(1, root.dtype));
  const reduce = { ...root, kind: 'reduce' as const, op: 'sum' as const, x: root.a };
  const offer = reduction({ ...task, root: reduce, operandBody: x }, machine);
  return offer && { ...offer, name: 'sum of products' };
}

/** Register tiles over packed panels, with the vectors along whichever axis costs less. */
export function tiled(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'contract' || elements(root.a.shape) === 0) return undefined;
  const offers = layoutsOf(task).flatMap((layout) => tiledAlong(task, root, layout, machine) ?? []);
  return offers.sort((a, b) => a.cost - b.cost)[0];
}

/** Can tiles be turned: do their rows lie along the innermost axis of the result, and fill vectors, or parts of them? */
export function isTurned(task: Task, { rows, inner }: Layout, lanes: number, machine: Machine): boolean {
  const bodies = task.outputs.map((o) => o.body);
  const fits = lanesFor(machine, bodies, [task.root?.dtype ?? 'float32', ...outputTypes(task)]) === lanes;
  const innermost = !inner && rows.outputs[task.inputs.length] === 1;
  return innermost && fits && (rows.size >= lanes || isPartial(rows.size, lanes, machine));
}

/** The tile with as many of the rows as can be, whose results are turned; undefined if they cannot be. */
const turnedTile = (task: Task, layout: Layout, lanes: number, machine: Machine): TileShape | undefined => {
  const { rows, columns } = layout;
  if (lanes === 1 || !isTurned(task, layout, lanes, machine)) return undefined;
  return bestTile(rows.size, Math.ceil(columns.size / lanes), machine, Math.min(rows.size, lanes));
};

const storeCost = (task: Task): number => 2 + taskCost(task.outputs.map((o) => o.body));

/** Cycles to turn tiles that have all the rows, and to store results in vectors that they do not fill. */
function turningCost(task: Task, { rows, columns }: Layout, lanes: number): number {
  const others = elements(task.shape) / (rows.size * columns.size);
  const vectors = Math.ceil(rows.size / lanes) * Math.ceil(columns.size / lanes) * lanes * others;
  return packingCost(vectors * lanes, 'turned', lanes) + (vectors - elements(task.shape) / lanes) * storeCost(task);
}

function tiledAlong(task: Task, root: Contract, layout: Layout, machine: Machine): Offer | undefined {
  const { columns, rows, outer, sums, inner } = layout;
  const size = sizeOf(root.dtype);
  const lanes = lanesOf(machine, root.dtype);
  const sizes = sums.map((x) => x.size);
  const depth = elements(sizes);
  const reuse = rows.size * elements(outer.filter((x) => x.column === 0).map((x) => x.size));
  // What does not fit into the cache as a whole is packed, or read, in parts.
  const inParts = depth > 1 && !fitsCache(depth * columns.size * size, machine);
  // Only tiles that have all the rows are turned: these are then at hand, and the columns are read once, as they lie.
  const high = inner || inParts ? undefined : turnedTile(task, layout, lanes, machine);
  const turned = high !== undefined && reuse <= high.rows;
  const packed = reuse >= 8 && !(turned && columns.column === 1);
  if (!packed && (columns.column !== 1 || !(inner || turned))) return undefined;
  const vectors = Math.max(1, packed ? Math.ceil(columns.size / lanes) : Math.floor(columns.size / lanes));
  const tile = turned ? high : bestTile(rows.size, vectors, machine);
  // Rows along which the sum strides are copied too, where each element is one of a single row; but not for the only
  // panel, or for the only tile, if all that a tile needs of them is at hand.
  const single = vectors === tile.vectors || rows.size <= tile.rows;
  const once = single && rows.row === 1 && staysNear(depth, tile.rows * size, machine);
  const strided = Math.abs(sums.at(-1)?.row ?? 1) !== 1 && !once;
  const packedRows = strided && packed && outer.length === 0;
  const batch = elements(outer.filter((x) => x.column !== 0).map((x) => x.size));
  const group = batch === 1 ? groupOf(columns.size, tile.vectors * lanes) : columns.size;
  const cut = inParts ? cutFor(sizes, group * size, machine, packed) : uncut;
  // Partial sums are kept as vectors.
  if (!inner && cut !== uncut) return undefined;
  const results = elements(task.shape);
  const cost =
    tileCost(rows.size, vectors, tile, machine) *
      elements(outer.map((x) => x.size)) *
      depth *
      (strided && !packedRows ? 1.6 : 1) +
    (packedRows ? packingCost(rows.size * depth, packingWay(rows.row, undefined), lanes) : 0) +
    (packed ? packingCost(columns.size * depth * batch, packingWay(columns.column, sums.at(-1)?.column), lanes) : 0) +
    (cut === uncut ? 0 : partialSumCost(results * blockCount(sizes, cut), lanes)) +
    (inner ? 0 : turned ? turningCost(task, layout, lanes) : results * storeCost(task));
  const plan = { task, layout, machine, dtype: root.dtype, tile, lanes, packed, packedRows, inParts, cut, turned };
  const shape = `${tile.rows}×${tile.vectors * lanes}`;
  return {
    name: `tiles ${shape}${packed ? ', packed' : ''}${inner ? '' : ', across'}`,
    cost,
    build: (buffers) => {
      const flops = 2 * results * depth;
      const bytes = outputBytes(task) + (elements(root.a.node.shape) + elements(root.b.node.shape)) * size;
      const name = `contract ${shape}${inner ? '' : ' across'}`;
      return tiledParts(new Tiling(plan, buffers)).map(({ part, body }) => {
        return part === 'compute'
          ? { name, body, flops, bytes }
          : { name: `${part} for ${name}`, body, flops: 0, bytes: 0 };
      });
    },
  };
}
