// Winograd's algorithm as kernels: which steps there are, on which arrays, and what is parallel.

import type { Kernel } from '../../../loops/ir.ts';
import type { IndexTerm } from '../../body/indices.ts';
import { loop, variable } from '../../body/nest.ts';
import { clear, multiplyByFilter, multiplyByTaps } from './products.ts';
import { type ImageBlock, plane, type WinogradTiles } from './tiles.ts';
import { transformFilter, transformInputs, transformResults, transformSums, transformTaps } from './transforms.ts';

/** The kernels of a plan, in order; the products count as all of the work. */
export function winogradKernels(g: WinogradTiles, name: string, flops: number, bytes: number): Kernel[] {
  const { tilesOfTaps, byImage } = g.plan;
  const parts = tilesOfTaps
    ? byImage
      ? tapsInChunks(g)
      : tapsByPoint(g)
    : byImage
      ? resultsByImage(g)
      : resultsByPoint(g);
  return parts.map(({ what, body }) => ({
    name: what === 'products' ? name : `${what} of ${name}`,
    body,
    flops: what === 'products' ? flops : 0,
    bytes: what === 'products' ? bytes : 0,
  }));
}

// ---- tiles of results: a convolution, or the gradient of its images
/** Some images at a time, from transform to result: what lies between stays in the cache. */
function resultsByImage(g: WinogradTiles) {
  const { together, correlation } = g.plan;
  const rows = together * g.tiles;
  const filter = g.buffers.scratch('filter', 'float32', g.points * g.planeOfMatrix);
  const inputs = g.buffers.own('inputs', 'float32', g.points * plane(rows * g.channels.size));
  const products = g.buffers.own('products', 'float32', g.points * plane(rows * correlation.out.size));
  const block = variable('block', g.images.size / together);
  const images: ImageBlock = { count: together, outside: [[block, together]] };
  const body = loop(
    block,
    [
      ...transformInputs(g, images, inputs, rows, 'serial'),
      ...multiplyByFilter(g, inputs, filter, products, rows, 'serial'),
      ...transformResults(g, images, products, rows, 'serial'),
    ],
    'parallel',
  );
  return [
    { what: 'filter', body: transformFilter(g, filter) },
    { what: 'products', body },
  ];
}

/** All images at once, step by step: a large filter is read once. */
function resultsByPoint(g: WinogradTiles) {
  const { correlation } = g.plan;
  const rows = g.images.size * g.tiles;
  const filter = g.buffers.scratch('filter', 'float32', g.points * g.planeOfMatrix);
  const inputs = g.buffers.scratch('inputs', 'float32', g.points * plane(rows * g.channels.size));
  const products = g.buffers.scratch('products', 'float32', g.points * plane(rows * correlation.out.size));
  const images: ImageBlock = { count: g.images.size, outside: [] };
  return [
    { what: 'filter', body: transformFilter(g, filter) },
    { what: 'inputs', body: transformInputs(g, images, inputs, rows, 'parallel') },
    { what: 'products', body: multiplyByFilter(g, inputs, filter, products, rows, 'parallel') },
    { what: 'results', body: transformResults(g, images, products, rows, 'parallel') },
  ];
}

// ---- tiles of taps: the gradient of a filter
/** Chunks of images, each with sums of its own, so that threads need not wait for each other. */
function tapsInChunks(g: WinogradTiles) {
  const { together, correlation, chunks } = g.plan;
  const chunk = g.images.size / chunks;
  const rows = together * g.tiles;
  const sums = g.buffers.scratch('sums', 'float32', chunks * g.points * g.planeOfMatrix);
  const inputs = g.buffers.own('inputs', 'float32', g.points * plane(rows * g.channels.size));
  const taps = g.buffers.own('taps', 'float32', g.points * plane(rows * correlation.out.size));
  const c = variable('chunk', chunks);
  const block = variable('block', chunk / together);
  const images: ImageBlock = {
    count: together,
    outside: [
      [c, chunk],
      [block, together],
    ],
  };
  const place: IndexTerm = [c, g.points * g.planeOfMatrix];
  const inside = loop(block, [
    ...transformInputs(g, images, inputs, rows, 'serial'),
    ...transformTaps(g, images, taps, rows, 'serial'),
    ...multiplyByTaps(g, inputs, taps, sums, rows, [place], 'serial'),
  ]);
  const body = loop(c, [...clear(g, sums, place), ...inside], 'parallel');
  return [
    { what: 'products', body },
    { what: 'results', body: transformSums(g, sums, chunks) },
  ];
}

function tapsByPoint(g: WinogradTiles) {
  const { correlation } = g.plan;
  const rows = g.images.size * g.tiles;
  const inputs = g.buffers.scratch('inputs', 'float32', g.points * plane(rows * g.channels.size));
  const taps = g.buffers.scratch('taps', 'float32', g.points * plane(rows * correlation.out.size));
  const sums = g.buffers.scratch('sums', 'float32', g.points * g.planeOfMatrix);
  const images: ImageBlock = { count: g.images.size, outside: [] };
  return [
    { what: 'inputs', body: transformInputs(g, images, inputs, rows, 'parallel') },
    { what: 'taps', body: transformTaps(g, images, taps, rows, 'parallel') },
    { what: 'products', body: multiplyByTaps(g, inputs, taps, sums, rows, undefined, 'parallel') },
    { what: 'results', body: transformSums(g, sums, 1) },
  ];
}
