// The products of Winograd's algorithm: for each point of the transforms one of matrices, in register tiles.

import type { Affine, Buffer, LoopKind, LoopVariable } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import type { IndexTerm } from '../../body/indices.ts';
import { type Body, loop, variable } from '../../body/nest.ts';
import { registerTile } from '../tile/tile.ts';
import { plane, type WinogradTiles } from './tiles.ts';

/** For each point, rows × channels by channels × outputs. */
export function multiplyByFilter(
  g: WinogradTiles,
  inputs: Buffer,
  filter: Buffer,
  products: Buffer,
  rows: number,
  kind: LoopKind,
): Body {
  const { lanes, correlation } = g.plan;
  const channels = g.channels.size;
  const out = correlation.out.size;
  const sizes = { row: plane(rows * channels), filter: g.planeOfMatrix, product: plane(rows * out) };
  const point = variable('point', g.points);
  const k = variable('k', channels);
  return loop(
    point,
    allTiles(g, rows, (panel, p, m, begin) => {
      const width = panel.vectors * lanes;
      return {
        k,
        rows: inputs,
        row: (r) => ir.at((begin + r) * channels, [point, sizes.row], [m, channels], [k, 1]),
        columns: filter,
        column: (u) =>
          ir.at(panel.begin * channels + u * lanes, [point, sizes.filter], [p, width * channels], [k, width]),
        target: products,
        place: (r, u) =>
          ir.at((begin + r) * out + panel.begin + u * lanes, [point, sizes.product], [m, out], [p, width]),
        add: false,
      };
    }),
    kind,
  );
}

/** For each point, channels × rows by rows × outputs, added to the sums if those have a place. */
export function multiplyByTaps(
  g: WinogradTiles,
  inputs: Buffer,
  taps: Buffer,
  sums: Buffer,
  rows: number,
  place: readonly IndexTerm[] | undefined,
  kind: LoopKind,
): Body {
  const { lanes, correlation } = g.plan;
  const channels = g.channels.size;
  const out = correlation.out.size;
  const sizes = { row: plane(rows * channels), taps: plane(rows * out), sums: g.planeOfMatrix };
  const point = variable('point', g.points);
  const k = variable('k', rows);
  return loop(
    point,
    allTiles(g, channels, (panel, p, m, begin) => {
      const width = panel.vectors * lanes;
      return {
        k,
        rows: inputs,
        row: (r) => ir.at(begin + r, [point, sizes.row], [m, 1], [k, channels]),
        columns: taps,
        column: (u) => ir.at(panel.begin + u * lanes, [point, sizes.taps], [p, width], [k, out]),
        target: sums,
        place: (r, u) =>
          ir.at(
            (begin + r) * out + panel.begin + u * lanes,
            [point, sizes.sums],
            [m, out],
            [p, width],
            ...(place ?? []),
          ),
        add: place !== undefined,
      };
    }),
    kind,
  );
}

/** Register tiles over that many rows and all columns. */
function allTiles(
  g: WinogradTiles,
  rows: number,
  product: (panel: { begin: number; vectors: number }, p: LoopVariable, m: LoopVariable, begin: number) => Product,
): Body {
  const { lanes } = g.plan;
  const type = ir.valueType('float32', lanes);
  const high = g.tile.rows;
  const whole = Math.floor(rows / high) * high;
  const some = (begin: number, extent: number, height: number): Body => {
    const m = variable(`m${begin}`, extent, height);
    const panels = g.panels().flatMap((panel) => {
      const p = variable(`panel${panel.begin}`, panel.count);
      const { target, place, add, k, rows, row, columns, column } = product(panel, p, m, begin);
      const tile = registerTile({
        id: g.nextName(),
        dtype: 'float32',
        height,
        vectors: panel.vectors,
        lanes,
        loops: (step) => loop(k, step),
        row: (r) => ir.load(rows, row(r), type, 0),
        column: (u) => ir.load(columns, column(u), type),
        begin: (r, u) => (add ? ir.load(target, place(r, u), type) : ir.constant(0, type)),
        end: (r, u, value) => [{ kind: 'store', buffer: target, index: place(r, u), value }],
      });
      return loop(p, tile);
    });
    return loop(m, panels);
  };
  return [...(whole > 0 ? some(0, whole, high) : []), ...(rows > whole ? some(whole, rows - whole, rows - whole) : [])];
}

export function clear(g: WinogradTiles, sums: Buffer, place: IndexTerm): Body {
  const { lanes } = g.plan;
  const v = variable('clear', place[1], lanes);
  const value = ir.constant(0, ir.valueType('float32', lanes));
  return loop(v, [{ kind: 'store', buffer: sums, index: ir.at(0, place, [v, 1]), value }]);
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
