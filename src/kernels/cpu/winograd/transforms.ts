// The transforms of Winograd's algorithm: of tiles and filters to points, and of points to results.

import type { Affine, Buffer, Expression, LoopKind, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import type { IndexTerm } from '../../body/indices.ts';
import { type Body, loop, type Position, variable } from '../../body/nest.ts';
import { computeOutputs, outputAccesses } from '../../body/outputs.ts';
import type { SlidAxis } from './correlation.ts';
import { transformSquare } from './linear.ts';
import { type ImageBlock, imageTerms, plane, type WinogradTiles } from './tiles.ts';
import type { Matrix } from './toom-cook.ts';

const columnsOf = (matrix: Matrix, count: number): Matrix => matrix.map((row) => row.slice(0, count));

/** Bᵀ x B, of the squares that each tile needs. */
export function transformInputs(
  g: WinogradTiles,
  images: ImageBlock,
  target: Buffer,
  rows: number,
  kind: LoopKind,
): Body {
  const { correlation, axes, lanes, tilesOfTaps } = g.plan;
  const { x, kept, summed } = correlation;
  const other = (d: number) => (tilesOfTaps ? kept[d].size : summed[d].size);
  const size = plane(rows * g.channels.size);
  const buffer = g.buffers.of(x.node);
  const type = ir.valueType('float32', lanes);
  return g.forSquares(images, g.channels.size, kind, (image, tile, c) => {
    const spans = [tile.y, tile.x].map((range, d) => ({ range, inputs: range.size + other(d) - 1 }));
    const row = g.rowOf(image, tile, g.channels.size);
    return transformSquare({
      prefix: g.prefix(),
      rows: columnsOf(axes[0].algorithm.input, spans[0].inputs),
      columns: columnsOf(axes[1].algorithm.input, spans[1].inputs),
      between: g.between(),
      lanes,
      load: (y, v) => {
        const begins = spans.map(({ range }, d) => range.begin * 4 * kept[d].x);
        const at = ir.at(
          x.offset + begins[0] + begins[1] + y * kept[0].x,
          [v, kept[1].x],
          ...imageTerms(images, image, g.images.x),
          ...spans.map(({ range }, d): IndexTerm => [range.v, 4 * kept[d].x]),
          [c, g.channels.x],
        );
        return ir.load(buffer, at, type);
      },
      store: (i, j, value) => [
        {
          kind: 'store',
          buffer: target,
          index: ir.at(row.constant + j * size, [i, g.pointsX * size], ...row.terms, [c, 1]),
          value,
        },
      ],
    });
  });
}

/** G w Gᵀ of the tiles of the taps. */
export function transformTaps(
  g: WinogradTiles,
  images: ImageBlock,
  target: Buffer,
  rows: number,
  kind: LoopKind,
): Body {
  const { correlation, axes, lanes } = g.plan;
  const { w, summed, out } = correlation;
  const size = plane(rows * out.size);
  const buffer = g.buffers.of(w.node);
  const type = ir.valueType('float32', lanes);
  return g.forSquares(images, out.size, kind, (image, tile, c) => {
    const ranges = [tile.y, tile.x];
    const row = g.rowOf(image, tile, out.size);
    const begin = ranges.reduce((sum, r, d) => sum + r.begin * 4 * summed[d].w, w.offset);
    return transformSquare({
      prefix: g.prefix(),
      rows: columnsOf(axes[0].algorithm.filter, tile.y.size),
      columns: columnsOf(axes[1].algorithm.filter, tile.x.size),
      between: g.between(),
      lanes,
      load: (y, v) => {
        const at = ir.at(
          begin + y * summed[0].w,
          [v, summed[1].w],
          ...imageTerms(images, image, g.images.w),
          ...ranges.map((r, d): IndexTerm => [r.v, 4 * summed[d].w]),
          [c, out.w],
        );
        return ir.load(buffer, at, type, out.w);
      },
      store: (i, j, value) => [
        {
          kind: 'store',
          buffer: target,
          index: ir.at(row.constant + j * size, [i, g.pointsX * size], ...row.terms, [c, 1]),
          value,
        },
      ],
    });
  });
}

/** G w Gᵀ of a filter, laid out as the products read it: for each point panel after panel, in each all channels. */
export function transformFilter(g: WinogradTiles, target: Buffer): Body {
  const { correlation, axes, lanes } = g.plan;
  const { w, summed, out } = correlation;
  const size = g.planeOfMatrix;
  const buffer = g.buffers.of(w.node);
  const type = ir.valueType('float32', lanes);
  const channel = variable('channel', g.channels.size);
  const body = g.panels().flatMap(({ begin, count, vectors }) => {
    const width = vectors * lanes;
    const panel = variable(`panel${begin}`, count);
    const u = variable(`vector${begin}`, vectors);
    const square = transformSquare({
      prefix: g.prefix(),
      rows: axes[0].algorithm.filter,
      columns: axes[1].algorithm.filter,
      between: g.between(),
      lanes,
      load: (y, v) => {
        const at = ir.at(
          w.offset + y * summed[0].w + begin * out.w,
          [v, summed[1].w],
          [channel, g.channels.w],
          [panel, width * out.w],
          [u, lanes * out.w],
        );
        return ir.load(buffer, at, type, out.w);
      },
      store: (i, j, value) => {
        const inPlane: IndexTerm[] = [
          [panel, width * g.channels.size],
          [channel, width],
          [u, lanes],
        ];
        const constant = begin * g.channels.size + j * size;
        const index = ir.at(constant, [i, g.pointsX * size], ...inPlane);
        return [{ kind: 'store', buffer: target, index, value }];
      },
    });
    return loop(panel, loop(u, square));
  });
  return loop(channel, body, 'parallel');
}

/** Aᵀ m A, and the outputs of the task. */
export function transformResults(
  g: WinogradTiles,
  images: ImageBlock,
  products: Buffer,
  rows: number,
  kind: LoopKind,
): Body {
  const { correlation, axes, lanes } = g.plan;
  const { kept, out } = correlation;
  const size = plane(rows * out.size);
  const type = ir.valueType('float32', lanes);
  return g.forSquares(images, out.size, kind, (image, tile, c) => {
    const row = g.rowOf(image, tile, out.size);
    return transformSquare({
      prefix: g.prefix(),
      rows: axes[0].algorithm.output.slice(0, tile.y.size),
      columns: axes[1].algorithm.output.slice(0, tile.x.size),
      between: g.between(),
      lanes,
      load: (i, j) => {
        const at = ir.at(row.constant + i * g.pointsX * size, [j, size], ...row.terms, [c, 1]);
        return ir.load(products, at, type);
      },
      store: (a, b, value) =>
        outputs(g, value, [
          [kept[0], ir.at(tile.y.begin * 4, [tile.y.v, 4], [a, 1])],
          [kept[1], ir.at(tile.x.begin * 4 + b, [tile.x.v, 4])],
          [g.images, ir.at(0, ...imageTerms(images, image, 1))],
          [out, ir.at(0, [c, 1])],
        ]),
    });
  });
}

/** Aᵀ m A of the sums of the chunks, and the outputs of the task. */
export function transformSums(g: WinogradTiles, sums: Buffer, chunks: number): Body {
  const { correlation, axes, lanes } = g.plan;
  const { kept, out } = correlation;
  const size = g.planeOfMatrix;
  const type = ir.valueType('float32', lanes);
  const channel = variable('channel', g.channels.size);
  const c = variable('c', out.size, lanes);
  const square = transformSquare({
    prefix: g.prefix(),
    rows: axes[0].algorithm.output,
    columns: axes[1].algorithm.output,
    between: g.between(),
    lanes,
    load: (i, j) => {
      const part = (n: number): Expression =>
        ir.load(sums, ir.at((n * g.points + i * g.pointsX) * size, [j, size], [channel, out.size], [c, 1]), type);
      let total = part(0);
      for (let n = 1; n < chunks; n++) total = ir.binary('add', total, part(n));
      return total;
    },
    store: (a, b, value) =>
      outputs(g, value, [
        [kept[0], ir.at(0, [a, 1])],
        [kept[1], ir.at(b)],
        [g.channels, ir.at(0, [channel, 1])],
        [out, ir.at(0, [c, 1])],
      ]),
  });
  return loop(channel, loop(c, square), 'parallel');
}

/** The outputs of the task for a vector at some place, given by its position along each axis that is kept. */
function outputs(g: WinogradTiles, value: Expression, place: readonly (readonly [SlidAxis, Affine])[]): Statement[] {
  const { task, lanes, correlation } = g.plan;
  const accesses = outputAccesses(task);
  const index = (k: number): Affine => {
    const scaled = place.map(([axis, at]) => ({ at, n: axis.outputs[k] }));
    const constant = scaled.reduce((sum, { at, n }) => sum + at.constant * n, accesses[k].offset);
    return ir.at(constant, ...scaled.flatMap(({ at, n }) => at.terms.map(([v, m]): IndexTerm => [v, m * n])));
  };
  const position: Position = {
    lanes,
    at: index,
    step: (k) => correlation.out.outputs[k],
    axis: (number) => {
      const [axis, at] = place.find(([{ number: n }]) => n === number) ?? [undefined, ir.at(0)];
      return ir.index(at, { dtype: 'int32', lanes }, axis === correlation.out ? 1 : 0);
    },
  };
  return computeOutputs(task, g.buffers, position, value, g.prefix());
}
