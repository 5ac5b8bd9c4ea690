// The results of a tile whose rows are the innermost axis of the result: sums lie across, with the vectors along the
// columns, and are turned before the outputs' bodies see them.

import type { Affine, Buffer, Expression } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { type Body, isPartial, loop, partOf, variable } from '../../body/nest.ts';
import { storesLast } from '../tile/tile.ts';
import { transpose } from '../tile/transpose.ts';
import type { TileOutputs } from './tile-outputs.ts';
import type { Tiling } from './tiling.ts';

/** The sums of a tile, row by row, of which the first `count` columns are some of the result. */
export interface TileSums {
  readonly sums: Buffer;
  readonly height: number;
  readonly width: number;
  readonly count: number;
}

export function turnedResults(t: Tiling, { sums, height, width, count }: TileSums, outputs: TileOutputs): Body {
  const { dtype, lanes, machine } = t.plan;
  const id = t.nextName();
  const type = ir.valueType(dtype, lanes);
  const full = Math.floor(height / lanes) * lanes;
  const left = height - full;
  const partial = isPartial(left, lanes, machine) ? left : 0;
  /** The results of some rows, from `row` on, in a column. */
  const store = (row: Affine, column: Affine, wide: number, root: Expression, only?: number): Body =>
    outputs.compute({ row, column, lanes: wide, count: only, along: t.plan.layout.rows }, root, `t${t.nextName()}`);
  /** The column `u` and those after it, of so many rows from `first` on: a vector for each column. */
  const turned = (u: Affine, first: number, rows: number, more: Affine['terms'] = []) => {
    const row = (i: number) => ir.at((first + i) * width + u.constant, ...u.terms, ...more);
    const zeros = ir.constant(0, type);
    return transpose(
      Array.from({ length: lanes }, (_, i) => (i < rows ? ir.load(sums, row(i), type) : zeros)),
      `s${t.nextName()}_`,
    );
  };
  /** Full squares are stored, so that the outputs of a column are one run. */
  const runs = (u: Affine, here: number): Body => {
    const square = t.buffers.own(`square${id}`, dtype, lanes * full);
    const q = variable(`q${id}_${u.constant}`, full, lanes);
    const { statements, values } = turned(u, 0, lanes, [[q, width]]);
    const stores = values.map((value, l) => ir.store(square, ir.at(l * full, [q, 1]), value));
    const l = variable(`l${id}_${u.constant}`, here);
    const v = variable(`v${id}_${u.constant}`, full, lanes);
    const root = ir.load(square, ir.at(0, [l, full], [v, 1]), type);
    const column = ir.at(u.constant, ...u.terms, [l, 1]);
    return [...loop(q, [...statements, ...stores]), ...loop(l, loop(v, store(ir.at(0, [v, 1]), column, lanes, root)))];
  };
  /** Of the rows that fill no vector the columns together, since their parts of vectors overlap. */
  const parts = (u: Affine, here: number): Body => {
    const { statements, values } = turned(u, full, partial);
    const ends = values
      .slice(0, here)
      .flatMap((value, l) => store(ir.at(full), ir.plus(u, l), lanes, value, partOf(partial, lanes)));
    return [...statements, ...storesLast(ends, t.nextName())];
  };
  /** The columns of vectors from `begin` on, of each of which so many are some of the result. */
  const columns = (begin: number, extent: number, here: number): Body => {
    const v = variable(`u${id}_${begin}`, extent, lanes);
    const u = ir.at(begin, [v, 1]);
    return loop(v, [...(full > 0 ? runs(u, here) : []), ...(partial > 0 ? parts(u, here) : [])]);
  };
  const whole = Math.floor(count / lanes) * lanes;
  const row = variable(`row${id}`, left - partial);
  const c = variable(`c${id}`, count);
  const single = ir.load(sums, ir.at(full * width, [row, width], [c, 1]), ir.valueType(dtype, 1));
  return [
    ...(whole > 0 ? columns(0, whole, lanes) : []),
    ...(count > whole ? columns(whole, lanes, count - whole) : []),
    ...loop(row, loop(c, store(ir.at(full, [row, 1]), ir.at(0, [c, 1]), 1, single))),
  ];
}
