// Winograd's algorithm as kernels: which steps there are, on which arrays, and what is parallel.

import type { Body, Buffer } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { needsDigits, runsOf } from '../../body/long-sums.ts';
import { loop, variable } from '../../body/nest.ts';
import { clearSums, multiplyByFilter, multiplyByTaps, type PointSums, roundSums } from './products.ts';
import type { ImageBlock, PointMatrices, WinogradTiles } from './tiles.ts';
import { transformFilter, transformInputs, transformResults, transformSums, transformTaps } from './transforms.ts';

/** The body of one kernel, and what it does. */
interface Stage {
  readonly does: 'filter' | 'inputs' | 'taps' | 'products' | 'results';
  readonly body: Body;
}

/** The kernels of a plan, in order. */
export function winogradKernels(g: WinogradTiles): Stage[] {
  const { tilesOfTaps, byImage } = g.plan;
  if (tilesOfTaps) return byImage ? tapsInChunks(g) : tapsByPoint(g);
  return byImage ? resultsByImage(g) : resultsByPoint(g);
}

// ---- tiles of results: a convolution, or the gradient of its images
/** Some images at a time, from transform to result: what lies between stays in the cache. */
function resultsByImage(g: WinogradTiles): Stage[] {
  const { together, correlation, images, channels, tiles } = g.plan;
  const rows = together * tiles;
  const filter = g.matrices('scratch', 'filter', channels.size, correlation.out.size);
  const inputs = g.matrices('own', 'inputs', rows, channels.size);
  const products = g.matrices('own', 'products', rows, correlation.out.size);
  const block = variable('block', images.size / together);
  const some: ImageBlock = { count: together, outside: [[block, together]] };
  const inside = [
    ...transformInputs(g, some, inputs, 'serial'),
    ...multiplyByFilter(g, inputs, filter, products, 'serial'),
    ...transformResults(g, some, products, 'serial'),
  ];
  return [
    { does: 'filter', body: transformFilter(g, filter) },
    { does: 'products', body: loop(block, inside, 'parallel') },
  ];
}

/** All images at once, step by step: a large filter is read once. */
function resultsByPoint(g: WinogradTiles): Stage[] {
  const { correlation, images, channels, tiles } = g.plan;
  const rows = images.size * tiles;
  const filter = g.matrices('scratch', 'filter', channels.size, correlation.out.size);
  const inputs = g.matrices('scratch', 'inputs', rows, channels.size);
  const products = g.matrices('scratch', 'products', rows, correlation.out.size);
  const all: ImageBlock = { count: images.size, outside: [] };
  return [
    { does: 'filter', body: transformFilter(g, filter) },
    { does: 'inputs', body: transformInputs(g, all, inputs, 'parallel') },
    { does: 'products', body: multiplyByFilter(g, inputs, filter, products, 'parallel') },
    { does: 'results', body: transformResults(g, all, products, 'parallel') },
  ];
}

// ---- tiles of taps: the gradient of a filter
/** Chunks of images, each with sums of its own, so that threads need not wait for each other. */
function tapsInChunks(g: WinogradTiles): Stage[] {
  const { together, correlation, chunks, images, channels, tiles, points } = g.plan;
  const chunk = images.size / chunks;
  const rows = together * tiles;
  const sums = g.matrices('scratch', 'sums', channels.size, correlation.out.size, chunks);
  const inputs = g.matrices('own', 'inputs', rows, channels.size);
  const taps = g.matrices('own', 'taps', rows, correlation.out.size);
  const c = variable('chunk', chunks);
  const block = variable('block', chunk / together);
  const some: ImageBlock = {
    count: together,
    outside: [
      [c, chunk],
      [block, together],
    ],
  };
  const rounded = lowFor((chunk / together) * runsOf(rows), () =>
    g.matrices('scratch', 'rounded', channels.size, correlation.out.size, chunks),
  );
  const ofChunk: PointSums = { ...sums, low: rounded, from: ir.at(0, [c, points * sums.plane]) };
  const inside = loop(block, [
    ...transformInputs(g, some, inputs, 'serial'),
    ...transformTaps(g, some, taps, 'serial'),
    ...multiplyByTaps(g, inputs, taps, ofChunk, 'serial'),
  ]);
  return [
    { does: 'products', body: loop(c, [...clearSums(g, ofChunk), ...inside, ...roundSums(g, ofChunk)], 'parallel') },
    { does: 'results', body: transformSums(g, sums, chunks) },
  ];
}

/** Where so many sums are added up that it matters: room for what that rounds away. */
const lowFor = (runs: number, room: () => PointMatrices): Buffer | undefined =>
  needsDigits(runs) ? room().buffer : undefined;

function tapsByPoint(g: WinogradTiles): Stage[] {
  const { correlation, images, channels, tiles } = g.plan;
  const rows = images.size * tiles;
  const inputs = g.matrices('scratch', 'inputs', rows, channels.size);
  const taps = g.matrices('scratch', 'taps', rows, correlation.out.size);
  const room = (name: string) => g.matrices('scratch', name, channels.size, correlation.out.size);
  const sums: PointSums = { ...room('sums'), low: lowFor(runsOf(rows), () => room('rounded')) };
  const all: ImageBlock = { count: images.size, outside: [] };
  return [
    { does: 'inputs', body: transformInputs(g, all, inputs, 'parallel') },
    { does: 'taps', body: transformTaps(g, all, taps, 'parallel') },
    { does: 'products', body: multiplyByTaps(g, inputs, taps, sums, 'parallel') },
    { does: 'results', body: transformSums(g, sums, 1) },
  ];
}
