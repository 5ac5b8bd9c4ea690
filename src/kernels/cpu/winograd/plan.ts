// The decision how a correlation is computed by Winograd's algorithm, and what that costs.

import { lanesOf, type Machine } from '../../../loops/machine.ts';
import type { Task } from '../../../primitives/task.ts';
import { sizeOf } from '../../../tensor/dtype.ts';
import { elements } from '../../../tensor/shape.ts';
import { taskCost } from '../../body/cost.ts';
import { lanesFor } from '../../body/expression.ts';
import { outputTypes } from '../../body/outputs.ts';
import { bestTile, type TileShape, tileCost } from '../tile/blocking.ts';
import { type Correlation, correlationOf, type SlidAxis } from './correlation.ts';
import { mostPoints, type ToomCook, toomCook } from './toom-cook.ts';

/** One of the two axes along which tiles lie. */
export interface TiledAxis {
  readonly algorithm: ToomCook;
  readonly points: number;
  /** Tiles that are full, and how many results (or taps) the last one has, if that is not. */
  readonly full: number;
  readonly rest: number;
}

/** A correlation in tiles, each of which is transformed to points. */
export interface TiledCorrelation {
  readonly task: Task;
  readonly machine: Machine;
  readonly correlation: Correlation;
  /**
   * Are the tiles those of the taps, added up, and not those of the results? So it is for the gradient of a filter, of
   * which all results fit in a tile.
   */
  readonly tilesOfTaps: boolean;
  /** Results, or taps, of a full tile along each axis. */
  readonly step: number;
  readonly axes: readonly [TiledAxis, TiledAxis];
  readonly lanes: number;
  readonly images: SlidAxis;
  readonly channels: SlidAxis;
  /** Points of a tile, and tiles of an image. */
  readonly points: number;
  readonly tiles: number;
}

/** How a correlation is computed. */
export interface WinogradPlan extends TiledCorrelation {
  /** Images whose tiles are transformed and multiplied together, and whether images are in parallel, not points. */
  readonly together: number;
  readonly byImage: boolean;
  /** Into how many parts, with sums of their own, the images are cut where taps are added up by image. */
  readonly chunks: number;
  /** Of the products. */
  readonly registerTile: TileShape;
  readonly cost: number;
}

/** Filters beyond this are too wide for the points that are accurate. */
const widest = 5;
const step = 4;
const dtype = 'float32';

/** Rows of a product, or steps of its sums, that are worth reading the filter, or the sums, for. */
const rowsTogether = 16;
/** Sums of their own cost memory: not for each image. */
const mostChunks = 10;
/** With so many chunks, or images, there is something for each thread to do. */
const enoughChunks = 4;
const enoughImages = 8;
/** Cycles for each point of a tile and vector that is transformed, fitted to measurements. */
const transformCost = 7;
/** Cycles for a vector that is written to memory and read again. */
const trafficCost = 3;
/** What stays in the cache is read again for little. */
const cachedTraffic = 0.25;

/** The plan of a task; undefined if it is not for this algorithm. */
export function winogradPlan(task: Task, machine: Machine): WinogradPlan | undefined {
  const tiled = tiledCorrelation(task, machine);
  return tiled && planOf(tiled);
}

function tiledCorrelation(task: Task, machine: Machine): TiledCorrelation | undefined {
  const correlation = correlationOf(task);
  if (!correlation || task.root?.dtype !== dtype) return undefined;
  const { kept, summed, keptOther, summedOther, out } = correlation;
  const small = (axes: Correlation['kept']) => axes.every(({ size }) => size <= widest);
  const tilesOfTaps = !small(summed);
  if (tilesOfTaps && !small(kept)) return undefined;
  const lanes = lanesOf(machine, dtype);
  const [images, channels] = tilesOfTaps ? [summedOther, keptOther] : [keptOther, summedOther];
  const bodies = task.outputs.map((o) => o.body);
  const inVectors = lanesFor(machine, bodies, outputTypes(task)) === lanes;
  if (!inVectors || channels.x !== 1 || channels.size % lanes !== 0 || out.size % lanes !== 0) return undefined;
  const axisOf = (d: 0 | 1): TiledAxis => {
    const [tiled, other] = tilesOfTaps ? [summed[d], kept[d]] : [kept[d], summed[d]];
    const algorithm = tilesOfTaps ? toomCook(other.size, step) : toomCook(step, other.size);
    const points = algorithm.input.length;
    return { algorithm, points, full: Math.floor(tiled.size / step), rest: tiled.size % step };
  };
  const axes = [axisOf(0), axisOf(1)] as const;
  if (axes.some(({ points }) => points > mostPoints)) return undefined;
  const points = axes[0].points * axes[1].points;
  const tiles = elements(axes.map((a) => a.full + Math.sign(a.rest)));
  return { task, machine, correlation, tilesOfTaps, step, axes, lanes, images, channels, points, tiles };
}

/**
 * In which order: all images are transformed before the first product, or each by itself. That decides how much memory
 * moves, and how many rows and steps the products have.
 */
function planOf(tiled: TiledCorrelation): WinogradPlan {
  const { task, machine, correlation, tilesOfTaps, lanes, images, channels, points, tiles } = tiled;
  const { out } = correlation;
  const vectors = channels.size / lanes + out.size / lanes;
  const all = tiles * images.size;
  const results = points * channels.size * out.size;
  const together = divisorUpTo(images.size, Math.ceil(rowsTogether / tiles));
  const blocks = images.size / together;
  const chunks = divisorUpTo(blocks, mostChunks);
  const batchTraffic = points * all * vectors;
  const again = results * sizeOf(dtype) <= machine.cache[1] ? cachedTraffic : 1;
  const imageTraffic = ((tilesOfTaps ? chunks : blocks * again) * results) / lanes;
  const shared = tilesOfTaps ? chunks >= enoughChunks : images.size >= enoughImages;
  const byImage = shared && imageTraffic <= batchTraffic;
  const rows = tilesOfTaps ? channels.size : byImage ? tiles * together : all;
  const depth = tilesOfTaps ? all : channels.size * (byImage ? blocks : 1);
  const registerTile = bestTile(rows, out.size / lanes, machine);
  const transformed = all * vectors + (results / points / lanes) * 2;
  const cost =
    points * tileCost(rows, out.size / lanes, registerTile, machine) * depth +
    points * transformed * transformCost +
    Math.min(imageTraffic, batchTraffic) * trafficCost +
    (elements(task.shape) / lanes) * taskCost(task.outputs.map((o) => o.body));
  return { ...tiled, together, byImage, chunks, registerTile, cost };
}

/** The largest divisor that is not above a limit. */
function divisorUpTo(size: number, limit: number): number {
  for (let d = Math.min(size, limit); d > 1; d--) if (size % d === 0) return d;
  return 1;
}
