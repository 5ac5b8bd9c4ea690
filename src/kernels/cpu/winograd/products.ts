// The products of Winograd's algorithm: for each point of the transforms one of matrices, in register tiles.

import type { Affine, Buffer, LoopKind, LoopVariable } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { added } from '../../body/indices.ts';
import { type Body, inSteps, loop, variable } from '../../body/nest.ts';
import { registerTile } from '../tile/register-tile.ts';
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
  /** The summed axis. */
  readonly k: LoopVariable;
  readonly rows: Buffer;
  readonly row: (r: number) => Affine;
  readonly columns: Buffer;
  readonly column: (u: number) => Affine;
  readonly target: Buffer;
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
  const k = variable('k', channels);
  const tiles = allTiles(g, inputs.rows, ({ begin, m, panel, p }) => {
    const width = panel.vectors * lanes;
    return {
      k,
      rows: inputs.buffer,
      row: (r) => ir.at((begin + r) * channels, [point, inputs.plane], [m, channels], [k, 1]),
      columns: filter.buffer,
      // Panel after panel, in each all channels.
      column: (u) =>
        ir.at(panel.begin * channels + u * lanes, [point, filter.plane], [p, width * channels], [k, width]),
      target: products.buffer,
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
  sums: PointMatrices & { readonly from?: Affine },
  kind: LoopKind,
): Body {
  const { lanes } = g.plan;
  const { columns: channels, rows } = inputs;
  const { columns: out } = taps;
  const point = variable('point', g.plan.points);
  const k = variable('k', rows);
  const from = sums.from ?? ir.at(0);
  const tiles = allTiles(g, channels, ({ begin, m, panel, p }) => {
    const width = panel.vectors * lanes;
    return {
      k,
      rows: inputs.buffer,
      row: (r) => ir.at(begin + r, [point, inputs.plane], [m, 1], [k, channels]),
      columns: taps.buffer,
      column: (u) => ir.at(panel.begin + u * lanes, [point, taps.plane], [p, width], [k, out]),
      target: sums.buffer,
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
  const { target, place, add, k, rows, row, columns, column } = product;
  const { lanes } = g.plan;
  const type = ir.valueType('float32', lanes);
  return registerTile({
    id: g.nextName(),
    dtype: 'float32',
    height,
    vectors,
    lanes,
    loops: (step) => loop(k, step),
    row: (r) => ir.load(rows, row(r), type, 0),
    column: (u) => ir.load(columns, column(u), type),
    begin: (r, u) => (add ? ir.load(target, place(r, u), type) : ir.constant(0, type)),
    end: (r, u, sum) => [ir.store(target, place(r, u), sum)],
  });
}

/** Sets the sums of a chunk to zero. */
export function clearSums(g: WinogradTiles, sums: PointMatrices & { readonly from: Affine }): Body {
  const { lanes, points } = g.plan;
  const v = variable('clear', points * sums.plane, lanes);
  const zero = ir.constant(0, ir.valueType('float32', lanes));
  return loop(v, [ir.store(sums.buffer, added(sums.from, ir.at(0, [v, 1])), zero)]);
}
