// The transforms of Winograd's algorithm: of tiles and filters to points, and of points to results.

import type { Affine, Body, Buffer, Expression, LoopKind, LoopVariable } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { added, times } from '../../body/indices.ts';
import { loop, type Position, variable } from '../../body/nest.ts';
import { computeOutputs, outputAccesses } from '../../body/outputs.ts';
import type { SlidAxis } from './correlation.ts';
import { type SquareTransform, transformSquare } from './linear.ts';
import { type ImageBlock, imageAt, type PointMatrices, type TileAt, type WinogradTiles } from './tiles.ts';
import type { Matrix, ToomCook } from './toom-cook.ts';

/** A square of vectors on its way: the matrix for each axis, where it is read, and where the result goes. */
interface Transform extends Pick<SquareTransform, 'load' | 'store'> {
  readonly matrix: (algorithm: ToomCook, axis: 0 | 1) => Matrix;
}

function transform(g: WinogradTiles, { matrix, load, store }: Transform): Body {
  const { axes, lanes, points } = g.plan;
  return transformSquare({
    prefix: prefix(g),
    rows: matrix(axes[0].algorithm, 0),
    columns: matrix(axes[1].algorithm, 1),
    between: g.buffers.own('square', 'float32', points * lanes),
    lanes,
    load,
    store,
  });
}

const prefix = (g: WinogradTiles): string => `t${g.nextName()}_`;

/** Elements of an array, from a corner on; lanes lie along the channels. */
interface Window {
  readonly buffer: Buffer;
  readonly corner: Affine;
  readonly strides: readonly [y: number, x: number];
  readonly laneStride: number;
}

const fromWindow =
  (g: WinogradTiles, { buffer, corner, strides, laneStride }: Window): Transform['load'] =>
  (y, x) => {
    const index = added(ir.at(y * strides[0], [x, strides[1]]), corner);
    return ir.load(buffer, index, ir.valueType('float32', g.plan.lanes), laneStride);
  };

/** The values at all points, at the same place in the matrix of each. */
const toPoints =
  (g: WinogradTiles, { buffer, plane }: PointMatrices, place: Affine): Transform['store'] =>
  (i, j, value) => [ir.store(buffer, added(ir.at(j * plane, [i, g.pointsX * plane]), place), value)];

const fromPoints =
  (g: WinogradTiles, { buffer, plane }: PointMatrices, place: Affine) =>
  (i: number, j: LoopVariable): Expression =>
    ir.load(buffer, added(ir.at(i * g.pointsX * plane, [j, plane]), place), ir.valueType('float32', g.plan.lanes));

/** A tile's place in the matrix of a point: its row, and the channels. */
const placeOf = (g: WinogradTiles, at: TileAt, { columns }: PointMatrices): Affine =>
  added(times(g.rowOf(at), columns), ir.at(0, [at.c, 1]));

const columnsOf = (matrix: Matrix, count: number): Matrix => matrix.map((row) => row.slice(0, count));

/** Bᵀ x B, of the squares that each tile needs. */
export function transformInputs(g: WinogradTiles, images: ImageBlock, inputs: PointMatrices, kind: LoopKind): Body {
  const { correlation, tilesOfTaps, channels } = g.plan;
  const { x, kept, summed } = correlation;
  const others = tilesOfTaps ? kept : summed;
  const strides = [kept[0].x, kept[1].x] as const;
  return g.forSquares(images, channels.size, kind, (at) => {
    const sizes = [at.y.size + others[0].size - 1, at.x.size + others[1].size - 1];
    const corner = added(
      ir.at(x.offset),
      times(imageAt(images, at.image), g.plan.images.x),
      g.corner(at, strides),
      ir.at(0, [at.c, channels.x]),
    );
    return transform(g, {
      matrix: ({ input }, axis) => columnsOf(input, sizes[axis]),
      load: fromWindow(g, { buffer: g.buffers.of(x.node), corner, strides, laneStride: 1 }),
      store: toPoints(g, inputs, placeOf(g, at, inputs)),
    });
  });
}

/** G w Gᵀ of the tiles of the taps. */
export function transformTaps(g: WinogradTiles, images: ImageBlock, taps: PointMatrices, kind: LoopKind): Body {
  const { w, summed, out } = g.plan.correlation;
  const strides = [summed[0].w, summed[1].w] as const;
  return g.forSquares(images, out.size, kind, (at) => {
    const sizes = [at.y.size, at.x.size];
    const corner = added(
      ir.at(w.offset),
      times(imageAt(images, at.image), g.plan.images.w),
      g.corner(at, strides),
      ir.at(0, [at.c, out.w]),
    );
    return transform(g, {
      matrix: ({ filter }, axis) => columnsOf(filter, sizes[axis]),
      load: fromWindow(g, { buffer: g.buffers.of(w.node), corner, strides, laneStride: out.w }),
      store: toPoints(g, taps, placeOf(g, at, taps)),
    });
  });
}

/** G w Gᵀ of a filter, laid out as the products read it: for each point panel after panel, in each all channels. */
export function transformFilter(g: WinogradTiles, matrices: PointMatrices): Body {
  const { correlation, lanes, channels } = g.plan;
  const { w, summed, out } = correlation;
  const channel = variable('channel', channels.size);
  const body = g.panels().flatMap(({ begin, count, vectors }) => {
    const width = vectors * lanes;
    const panel = variable(`panel${begin}`, count);
    const u = variable(`vector${begin}`, vectors);
    const corner = ir.at(w.offset + begin * out.w, [channel, channels.w], [panel, width * out.w], [u, lanes * out.w]);
    const place = ir.at(begin * channels.size, [panel, width * channels.size], [channel, width], [u, lanes]);
    const strides = [summed[0].w, summed[1].w] as const;
    const square = transform(g, {
      matrix: ({ filter }) => filter,
      load: fromWindow(g, { buffer: g.buffers.of(w.node), corner, strides, laneStride: out.w }),
      store: toPoints(g, matrices, place),
    });
    return loop(panel, loop(u, square));
  });
  return loop(channel, body, 'parallel');
}

/** Aᵀ m A, and the outputs of the task. */
export function transformResults(g: WinogradTiles, images: ImageBlock, products: PointMatrices, kind: LoopKind): Body {
  const { kept, out } = g.plan.correlation;
  return g.forSquares(images, out.size, kind, (at) => {
    const sizes = [at.y.size, at.x.size];
    return transform(g, {
      matrix: ({ output }, axis) => output.slice(0, sizes[axis]),
      load: fromPoints(g, products, placeOf(g, at, products)),
      store: (a, b, value) =>
        outputs(g, value, [
          [kept[0], added(g.first(at.y), ir.at(0, [a, 1]))],
          [kept[1], ir.plus(g.first(at.x), b)],
          [g.plan.images, imageAt(images, at.image)],
          [out, ir.at(0, [at.c, 1])],
        ]),
    });
  });
}

/** Aᵀ m A of the sums of the chunks, and the outputs of the task. */
export function transformSums(g: WinogradTiles, sums: PointMatrices, chunks: number): Body {
  const { correlation, lanes, channels, points } = g.plan;
  const { kept, out } = correlation;
  const channel = variable('channel', channels.size);
  const c = variable('c', out.size, lanes);
  const chunk = (n: number) => fromPoints(g, sums, ir.at(n * points * sums.plane, [channel, out.size], [c, 1]));
  const square = transform(g, {
    matrix: ({ output }) => output,
    load: (i, j) => {
      let total = chunk(0)(i, j);
      for (let n = 1; n < chunks; n++) total = ir.binary('add', total, chunk(n)(i, j));
      return total;
    },
    store: (a, b, value) =>
      outputs(g, value, [
        [kept[0], ir.at(0, [a, 1])],
        [kept[1], ir.at(b)],
        [channels, ir.at(0, [channel, 1])],
        [out, ir.at(0, [c, 1])],
      ]),
  });
  return loop(channel, loop(c, square), 'parallel');
}

/** The outputs of the task for a vector at some place, given by its position along each axis that is kept. */
function outputs(g: WinogradTiles, value: Expression, place: readonly (readonly [SlidAxis, Affine])[]): Body {
  const { task, lanes, correlation } = g.plan;
  const accesses = outputAccesses(task);
  const position: Position = {
    lanes,
    at: (k) => added(ir.at(accesses[k].offset), ...place.map(([axis, at]) => times(at, axis.outputs[k]))),
    step: (k) => correlation.out.outputs[k],
    axis: (number) => {
      const [axis, at] = place.find(([{ number: n }]) => n === number) ?? [undefined, ir.at(0)];
      return ir.index(at, ir.valueType('int32', lanes), axis === correlation.out ? 1 : 0);
    },
  };
  return computeOutputs(task, g.buffers, position, value, prefix(g));
}
