// The results of a tile whose rows are the innermost axis of the result: sums lie across, with the vectors along the
// columns, and are turned before the outputs' bodies see them.

import type { Affine, Buffer, Expression } from '../loops/ir.ts';
import * as ir from '../loops/ir.ts';
import { isPartial, loop, partOf, variable } from './nest.ts';
import { storesLast } from './tile.ts';
import type { Body, Tiling } from './tiling.ts';
import { transpose } from './transpose.ts';

/** The sums of a tile, row by row, of which the first `count` columns are some of the result. */
export interface TileSums {
  readonly sums: Buffer;
  readonly height: number;
  readonly width: number;
  readonly count: number;
}

/** The outputs of `lanes` neighbouring rows (or of the first `count` of them) in a column; both are places in the tile. */
export type OutputsOfRows = (row: Affine, column: Affine, lanes: number, root: Expression, count?: number) => Body;

export function turnedResults(t: Tiling, { sums, height, width, count }: TileSums, outputs: OutputsOfRows): Body {
  const { dtype, lanes, machine } = t.plan;
  const id = t.nextName();
  const type = ir.valueType(dtype, lanes);
  const full = Math.floor(height / lanes) * lanes;
  const left = height - full;
  const partial = isPartial(left, lanes, machine) ? left : 0;
  const square = t.storage.own(`square${id}`, dtype, lanes * full);
  /** The columns of vectors from `begin` on, of each of which so many are some of the result. */
  const columns = (begin: number, extent: number, here: number): Body => {
    const u = variable(`u${id}_${begin}`, extent, lanes);
    const turned = (name: string, first: number, rows: number, more: Affine['terms'] = []) => {
      const row = (i: number) => ir.load(sums, ir.at((first + i) * width + begin, [u, 1], ...more), type);
      const zeros = ir.constant(0, type);
      return transpose(
        Array.from({ length: lanes }, (_, i) => (i < rows ? row(i) : zeros)),
        `${name}${id}_${begin}_`,
      );
    };
    // Full squares are stored, so that the outputs of a column are one run.
    const q = variable(`q${id}_${begin}`, full, lanes);
    const { statements, values } = turned('s', 0, lanes, [[q, width]]);
    const stores = values.map((value, l) => ir.store(square, ir.at(l * full, [q, 1]), value));
    const l = variable(`l${id}_${begin}`, here);
    const v = variable(`v${id}_${begin}`, full, lanes);
    const root = ir.load(square, ir.at(0, [l, full], [v, 1]), type);
    const runs = loop(l, loop(v, outputs(ir.at(0, [v, 1]), ir.at(begin, [u, 1], [l, 1]), lanes, root)));
    // Of what is left, the columns together, since their parts of vectors overlap.
    const last = turned('p', full, partial);
    const ends = last.values
      .slice(0, here)
      .flatMap((value, l) => outputs(ir.at(full), ir.at(begin + l, [u, 1]), lanes, value, partOf(partial, lanes)));
    return loop(u, [
      ...loop(q, [...statements, ...stores]),
      ...runs,
      ...(partial > 0 ? [...last.statements, ...storesLast(ends, t.nextName())] : []),
    ]);
  };
  const whole = Math.floor(count / lanes) * lanes;
  const row = variable(`row${id}`, left - partial);
  const c = variable(`c${id}`, count);
  const single = ir.load(sums, ir.at(full * width, [row, width], [c, 1]), ir.valueType(dtype, 1));
  return [
    ...(whole > 0 ? columns(0, whole, lanes) : []),
    ...(count > whole ? columns(whole, lanes, count - whole) : []),
    ...loop(row, loop(c, outputs(ir.at(full, [row, 1]), ir.at(0, [c, 1]), 1, single))),
  ];
}
