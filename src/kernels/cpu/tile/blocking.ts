// The sizes of tiles and blocks, from the machine's description.
import type { Machine } from '../../../loops/machine.ts';
import { elements } from '../../../tensor/shape.ts';
import { divisorNear, threadParts } from '../../body/nest.ts';

/** A tile of results held in registers: rows × vectors. */
export interface TileShape {
  readonly rows: number;
  readonly vectors: number;
}

/** Do the sums fit in the registers beside the operands? */
const fits = (rows: number, vectors: number, { sums, registers }: Machine): boolean =>
  rows * vectors <= sums.most && rows * vectors + vectors + 1 <= registers;

/**
 * Cycles of one step along the summed axis, fitted to measured micro-kernels: each pair of multiplication and addition
 * takes 0.5, and no chain of additions runs faster than their latency. With more than the free sums no register is left
 * to load ahead.
 */
const stepCost = ({ rows, vectors }: TileShape, { loadCost, loopCost, sums }: Machine): number =>
  Math.max(loadCost * (rows + vectors), 0.5 * rows * vectors, 3) +
  loopCost.step +
  loopCost.row * rows +
  (rows * vectors > sums.free ? 0.7 : 0);

/** Cycles of one step along the summed axis for all rows and vectors of a result, rests included. */
export function tileCost(rows: number, vectors: number, tile: TileShape, machine: Machine): number {
  const cost = (r: number, v: number) => (r === 0 || v === 0 ? 0 : stepCost({ rows: r, vectors: v }, machine));
  const restRows = rows % tile.rows;
  const restVectors = vectors % tile.vectors;
  const wide = Math.floor(vectors / tile.vectors);
  const high = Math.floor(rows / tile.rows);
  return (
    high * wide * cost(tile.rows, tile.vectors) +
    wide * cost(restRows, tile.vectors) +
    high * cost(tile.rows, restVectors) +
    cost(restRows, restVectors)
  );
}

/** The tile, of no fewer than some rows, that computes that many rows and vectors in the least time. */
export function bestTile(rows: number, vectors: number, machine: Machine, least = 1): TileShape {
  let best: TileShape = { rows: least, vectors: 1 };
  let lowest = Infinity;
  for (let v = 1; v <= Math.min(4, vectors); v++) {
    for (let r = least; r <= rows && fits(r, v, machine); r++) {
      const cost = tileCost(rows, vectors, { rows: r, vectors: v }, machine);
      if (cost < lowest * 0.999) {
        lowest = cost;
        best = { rows: r, vectors: v };
      }
    }
  }
  return best;
}

/** Columns that are packed together where not all of them are: a multiple of a tile's width, the same for all groups if possible. */
export function groupOf(columns: number, width: number): number {
  const panels = Math.floor(columns / width);
  return Math.max(1, divisorNear(panels, Math.ceil(panels / threadParts))) * width;
}

/** Does a packed operand stay in the second-level cache beside what else is needed? */
export const fitsCache = (bytes: number, machine: Machine): boolean => bytes <= machine.cache[1] / 2;

/** Do so many runs of neighbouring elements stay in half of the first-level cache, with the lines that they begin and end in? */
export const staysNear = (runs: number, bytes: number, machine: Machine): boolean =>
  runs * (Math.ceil(bytes / machine.lineBytes) + 1) * machine.lineBytes <= machine.cache[0] / 2;

/** A step along the summed axes is worth storing the tile for from about this many on. */
const enough = 384;

/**
 * Where the summed axes are cut: the axes before `axis`, and steps of `size` along it, go around the block. A sum over
 * [5, 5, 64] that is cut at 5 along axis 1 has blocks of 5 · 64 steps.
 */
export interface Cut {
  readonly axis: number;
  readonly size: number;
}
/** No cut: everything is summed in registers. */
export const uncut: Cut = { axis: 0, size: Infinity };

/**
 * Steps that are summed together where the column operand is read where it lies: its rows are as many streams, which the
 * processor fetches ahead.
 */
const streams = 16;

/**
 * The cut that keeps a block of the packed operand in half of the second-level cache; of one that is not packed, the
 * cut that reads whole rows of it.
 */
export function cutFor(sums: readonly number[], bytesPerStep: number, machine: Machine, packed: boolean): Cut {
  if (!packed) {
    const axis = sums.length - 1;
    return { axis, size: divisorNear(sums[axis], Math.min(sums[axis], streams)) };
  }
  const budget = machine.cache[1] / 2;
  if (elements(sums) * bytesPerStep <= budget) return uncut;
  let inner = 1;
  for (let axis = sums.length - 1; axis >= 0; axis--) {
    const size = sums[axis];
    if (inner * size >= enough || axis === 0 || inner * size * bytesPerStep > budget) {
      const most = Math.max(1, Math.floor(budget / (inner * bytesPerStep)));
      const wanted = Math.min(size, most, Math.max(1, Math.ceil(enough / inner)));
      return { axis, size: divisorNear(size, wanted) };
    }
    inner *= size;
  }
  return uncut;
}

/** Into how many blocks a cut divides the summed axes. */
export const blockCount = (sums: readonly number[], { axis, size }: Cut): number =>
  elements(sums.slice(0, axis)) * Math.ceil(sums[axis] / size);

/**
 * How an operand is packed: in vectors along the columns where they are neighbours, in squares that are turned in
 * registers where the steps of the last summed axis are, else one element at a time.
 */
export const packingWay = (column: number, step: number | undefined): 'vectors' | 'turned' | 'elements' =>
  column === 1 ? 'vectors' : step === 1 ? 'turned' : 'elements';

/** Cycles to pack so many elements. */
export function packingCost(count: number, way: ReturnType<typeof packingWay>, lanes: number): number {
  const perVector = { vectors: 2, turned: 2 + Math.log2(lanes), elements: 1.8 * lanes };
  return (count * perVector[way]) / lanes;
}

/** Cycles to load and store so many partial sums. */
export const partialSumCost = (count: number, lanes: number): number => (count * 2) / lanes;
