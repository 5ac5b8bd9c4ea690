// The products of Winograd's algorithm: for each point of the transforms one of matrices, in register tiles.

import type { Affine, Body, Buffer, Expression, LoopKind, LoopVariable, ValueType } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { added, times } from '../../body/indices.ts';
import { addAt, clearAt, inProductRuns, roundAt, runsOf, type Span, type SumsAt } from '../../body/long-sums.ts';
import { inSteps, loop, variable } from '../../body/nest.ts';
import { registerTile, type TileReader, type TileRuns, tileInMemory } from '../tile/register-tile.ts';
import type { PointMatrices, WinogradTiles } from './tiles.ts';

/** Where a register tile is: rows from `begin` on, and a panel of columns. */
interface ProductTile {
  readonly begin: number;
  readonly m: LoopVariable;
  readonly panel: { readonly begin: number; readonly vectors: number };
  readonly p: LoopVariable;
}

/** A product of matrices: its operands as a register tile reads them, and where its results go. */
interface Product {
  /** The steps of the summed axis, at one of which operands are read. */
  readonly depth: number;
  readonly rows: Buffer;
  readonly row: (r: number, k: Affine) => Affine;
  readonly columns: Buffer;
  readonly column: (u: number, k: Affine) => Affine;
  readonly target: SumsAt;
  readonly place: (r: number, u: number) => Affine;
  /** Are the products added to what is there? */
  readonly add: boolean;
}

/** For each point, rows × channels by channels × outputs. */
export function multiplyByFilter(
  g: WinogradTiles,
  inputs: PointMatrices,
  filter: PointMatrices,
  products: PointMatrices,
  kind: LoopKind,
): Body {
  const { lanes } = g.plan;
  const { columns: channels } = inputs;
  const { columns: out } = products;
  const point = variable('point', g.plan.points);
  const tiles = allTiles(g, inputs.rows, ({ begin, m, panel, p }) => {
    const width = panel.vectors * lanes;
    return {
      depth: channels,
      rows: inputs.buffer,
      row: (r, k) => added(ir.at((begin + r) * channels, [point, inputs.plane], [m, channels]), k),
      columns: filter.buffer,
      // Panel after panel, in each all channels.
      column: (u, k) =>
        added(ir.at(panel.begin * channels + u * lanes, [point, filter.plane], [p, width * channels]), times(k, width)),
      target: { high: products.buffer, low: undefined },
      place: (r, u) =>
        ir.at((begin + r) * out + panel.begin + u * lanes, [point, products.plane], [m, out], [p, width]),
      add: false,
    };
  });
  return loop(point, tiles, kind);
}

/** For each point, channels × rows by rows × outputs, added to the sums if those have a place. */
export function multiplyByTaps(
  g: WinogradTiles,
  inputs: PointMatrices,
  taps: PointMatrices,
  sums: PointSums,
  kind: LoopKind,
): Body {
  const { lanes } = g.plan;
  const { columns: channels, rows } = inputs;
  const { columns: out } = taps;
  const point = variable('point', g.plan.points);
  const from = sums.from ?? ir.at(0);
  const tiles = allTiles(g, channels, ({ begin, m, panel, p }) => {
    const width = panel.vectors * lanes;
    return {
      depth: rows,
      rows: inputs.buffer,
      row: (r, k) => added(ir.at(begin + r, [point, inputs.plane], [m, 1]), times(k, channels)),
      columns: taps.buffer,
      column: (u, k) => added(ir.at(panel.begin + u * lanes, [point, taps.plane], [p, width]), times(k, out)),
      target: { high: sums.buffer, low: sums.low },
      place: (r, u) => {
        const first = (begin + r) * out + panel.begin + u * lanes;
        return added(ir.at(first, [point, sums.plane], [m, out], [p, width]), from);
      },
      add: sums.from !== undefined,
    };
  });
  return loop(point, tiles, kind);
}

/** Register tiles over that many rows and all columns. */
function allTiles(g: WinogradTiles, rows: number, product: (tile: ProductTile) => Product): Body {
  return inSteps(rows, g.plan.registerTile.rows).flatMap(({ begin, extent, step: height }) => {
    const m = variable(`m${begin}`, extent, height);
    const panels = g.panels().flatMap((panel) => {
      const p = variable(`panel${panel.begin}`, panel.count);
      return loop(p, oneTile(g, height, panel.vectors, product({ begin, m, panel, p })));
    });
    return loop(m, panels);
  });
}

function oneTile(g: WinogradTiles, height: number, vectors: number, product: Product): Body {
  const { target, place, add, depth, rows, row, columns, column } = product;
  const { lanes } = g.plan;
  const id = g.nextName();
  const type = ir.valueType('float32', lanes);
  const shape = { id, dtype: 'float32', height, vectors, lanes } as const;
  const reader = ([{ begin, size, outside }]: readonly Span[]): TileReader => {
    const v = variable('k', size);
    const k = ir.at(begin, [v, 1], ...outside);
    return {
      loops: (step) => loop(v, step),
      row: (r) => ir.load(rows, row(r, k), type, 0),
      column: (u) => ir.load(columns, column(u, k), type),
    };
  };
  const runs: TileRuns = { count: runsOf(depth), around: (one) => inProductRuns([depth], (run) => one(reader(run))) };
  if (!add && runs.count > 1) return tileInMemory(shape, runs, target, place);
  const begin = () => ir.constant(0, type);
  const end = (r: number, u: number, sum: Expression): Body =>
    add ? addAt(target, place(r, u), sum, `p${id}_${r}_${u}`) : [ir.store(target.high, place(r, u), sum)];
  return runs.around((one) => registerTile({ ...shape, ...one, begin, end }));
}

/** Sums for each point, from some place on; and what they round away, where that matters. */
export interface PointSums extends PointMatrices {
  readonly from?: Affine;
  readonly low?: Buffer | undefined;
}

/** Sets the sums of a chunk to zero. */
export const clearSums = (g: WinogradTiles, { buffer, low, from, plane }: PointSums): Body =>
  overSums(g, plane, from, (index, type) => clearAt({ high: buffer, low }, index, ir.constant(0, type)));

/** Adds what the sums have rounded away. */
export function roundSums(g: WinogradTiles, { buffer, low, from, plane }: PointSums): Body {
  if (!low) return [];
  return overSums(g, plane, from, (index, type) => roundAt({ high: buffer, low }, index, type));
}

/** A loop over the sums for all points, in vectors. */
function overSums(
  { plan: { lanes, points } }: WinogradTiles,
  plane: number,
  from: Affine = ir.at(0),
  body: (index: Affine, type: ValueType) => Body,
): Body {
  const v = variable('sum', points * plane, lanes);
  return loop(v, body(added(from, ir.at(0, [v, 1])), ir.valueType('float32', lanes)));
}
