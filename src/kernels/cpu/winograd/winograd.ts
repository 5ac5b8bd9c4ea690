// Convolutions of step 1 with a small filter, and their adjoints, by Winograd's algorithm: tiles are transformed, for
// each point of the transform there is a product of matrices, and the results are transformed back.

import { lanesOf, type Machine } from '../../../loops/machine.ts';
import type { Task } from '../../../primitives/task.ts';
import { elements } from '../../../tensor/shape.ts';
import { taskCost } from '../../body/cost.ts';
import { lanesFor } from '../../body/expression.ts';
import { outputBytes, outputTypes } from '../../body/outputs.ts';
import type { Offer } from '../../offer.ts';
import { bestTile, tileCost } from '../tile/blocking.ts';
import { type Correlation, correlationOf } from './correlation.ts';
import { winogradKernels } from './strategies.ts';
import { type TiledAxis, WinogradTiles } from './tiles.ts';
import { mostPoints, toomCook } from './toom-cook.ts';

/** Filters beyond this are too wide for the points that are accurate. */
const widest = 5;
/** Results, or taps, of one tile along an axis. */
const step = 4;

/** Rows of a product, or steps of its sums, that are worth reading the filter, or the sums, for. */
const rowsTogether = 16;
/** Sums of their own cost memory: not for each image. */
const mostChunks = 10;
/** Cycles for each point of a tile and vector that is transformed, fitted to measurements. */
const transformCost = 7;
/** Cycles for a vector that is written to memory and read again. */
const trafficCost = 3;

/** Winograd's algorithm in two dimensions, F(4, r) or F(m, 4). */
export function winograd(task: Task, machine: Machine): Offer | undefined {
  const correlation = correlationOf(task);
  if (!correlation || task.root?.dtype !== 'float32') return undefined;
  const { kept, summed, keptOther, summedOther, out, x } = correlation;
  const small = (axes: Correlation['kept']) => axes.every(({ size }) => size <= widest);
  const tilesOfTaps = !small(summed);
  if (tilesOfTaps && !small(kept)) return undefined;
  const lanes = lanesOf(machine, 'float32');
  const images = tilesOfTaps ? summedOther : keptOther;
  const channels = tilesOfTaps ? keptOther : summedOther;
  const bodies = task.outputs.map((o) => o.body);
  const inVectors = lanesFor(machine, bodies, outputTypes(task)) === lanes;
  if (!inVectors || channels.x !== 1 || channels.size % lanes !== 0 || out.size % lanes !== 0) return undefined;
  const axes = [0, 1].map((d): TiledAxis => {
    const [tiled, other] = tilesOfTaps ? [summed[d], kept[d]] : [kept[d], summed[d]];
    const algorithm = tilesOfTaps ? toomCook(other.size, step) : toomCook(step, other.size);
    const points = algorithm.input.length;
    return { algorithm, points, full: Math.floor(tiled.size / step), rest: tiled.size % step };
  }) as [TiledAxis, TiledAxis];
  if (axes.some(({ points }) => points > mostPoints)) return undefined;
  const points = axes[0].points * axes[1].points;
  const tiles = elements(axes.map((a) => a.full + (a.rest > 0 ? 1 : 0)));
  const [inVectorCount, outVectorCount] = [channels.size / lanes, out.size / lanes];
  const all = tiles * images.size;
  const results = points * channels.size * out.size;
  // Memory that moves if all images are transformed before the first product, or if each has products of its own.
  const batchTraffic = points * all * (inVectorCount + outVectorCount);
  const together = divisorUpTo(images.size, Math.ceil(rowsTogether / tiles));
  const blocks = images.size / together;
  const chunks = divisorUpTo(blocks, mostChunks);
  // What stays in the cache is read again for little.
  const again = results * 4 <= machine.cache[1] ? 0.25 : 1;
  const imageTraffic = ((tilesOfTaps ? chunks : blocks * again) * results) / lanes;
  const shared = tilesOfTaps ? chunks >= 4 : images.size >= 8;
  const byImage = shared && imageTraffic <= batchTraffic;
  const rows = tilesOfTaps ? channels.size : byImage ? tiles * together : all;
  const depth = tilesOfTaps ? all : channels.size * (byImage ? blocks : 1);
  const tile = bestTile(rows, outVectorCount, machine);
  const transformed = all * (inVectorCount + outVectorCount) + (results / points / lanes) * 2;
  const cost =
    points * tileCost(rows, outVectorCount, tile, machine) * depth +
    points * transformed * transformCost +
    Math.min(imageTraffic, batchTraffic) * trafficCost +
    (elements(task.shape) / lanes) * taskCost(bodies);
  const plan = { task, machine, correlation, tilesOfTaps, axes, lanes, together, byImage, chunks };
  const size = axes.map((a) => a.algorithm.output.length).join('×');
  const name = `winograd ${tilesOfTaps ? 'taps' : size}, ${axes.map((a) => a.points).join('×')} points`;
  return {
    name,
    cost,
    build: (buffers) => {
      const flops = 2 * points * all * channels.size * out.size;
      const bytes = outputBytes(task) + (elements(x.node.shape) + elements(correlation.w.node.shape)) * 4;
      return winogradKernels(new WinogradTiles(plan, buffers, tile), name, flops, bytes);
    },
  };
}

/** The largest divisor that is not above a limit. */
function divisorUpTo(size: number, limit: number): number {
  for (let d = Math.min(size, limit); d > 1; d--) if (size % d === 0) return d;
  return 1;
}
