// The results of a tile whose rows are the innermost axis of the result: sums lie across, with the vectors along the
// columns, and are turned before the outputs' bodies see them.

import type { Affine, Body, Buffer } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { added } from '../../body/indices.ts';
import { isPartial, loop, partOf, variable } from '../../body/nest.ts';
import { storesLast } from '../tile/register-tile.ts';
import { transpose } from '../tile/transpose.ts';
import type { TileOutputs, TilePlace } from './tile-outputs.ts';
import type { Tiling } from './tiling.ts';

/** The sums of a tile, row by row, of which the first `count` columns are some of the result. */
export interface TileSums {
  readonly sums: Buffer;
  readonly height: number;
  readonly width: number;
  readonly count: number;
}

/** A tile that is turned. */
interface TurnedTile extends TileSums {
  readonly t: Tiling;
  readonly outputs: TileOutputs;
  readonly id: number;
  /** Rows that fill vectors, and the others. */
  readonly full: number;
  readonly left: number;
}

/** As many columns as a vector has lanes, from `first` on; only so many of them are there. */
interface ColumnGroup {
  readonly first: Affine;
  readonly count: number;
}

/**
 * As many columns at a time as there are lanes. Of 11 rows and four lanes, two squares of four rows are turned for each
 * four columns: then eight results of a column are neighbours. The three rows that are left are a part of a vector, or
 * they are stored one by one.
 */
export function turnedResults(t: Tiling, sums: TileSums, outputs: TileOutputs): Body {
  const { lanes, machine } = t.plan;
  const full = Math.floor(sums.height / lanes) * lanes;
  const tile = { ...sums, t, outputs, id: t.nextName(), full, left: sums.height - full };
  const asPart = isPartial(tile.left, lanes, machine);
  const columns = (begin: number, extent: number, count: number): Body => {
    const v = variable(`u${tile.id}_${begin}`, extent, lanes);
    const group = { first: ir.at(begin, [v, 1]), count };
    return loop(v, [...(full > 0 ? runs(tile, group) : []), ...(asPart ? parts(tile, group) : [])]);
  };
  const whole = Math.floor(sums.count / lanes) * lanes;
  return [
    ...(whole > 0 ? columns(0, whole, lanes) : []),
    ...(sums.count > whole ? columns(whole, lanes, sums.count - whole) : []),
    ...(asPart ? [] : oneByOne(tile)),
  ];
}

/** Full squares are stored before their results are computed, so that the outputs of a column are one run. */
function runs(tile: TurnedTile, { first, count }: ColumnGroup): Body {
  const { t, width, full, id } = tile;
  const { dtype, lanes } = t.plan;
  const square = t.buffers.own(`square${id}`, dtype, lanes * full);
  const q = variable(`q${id}_${first.constant}`, full, lanes);
  const { statements, values } = turned(tile, added(first, ir.at(0, [q, width])), lanes);
  const stores = values.map((value, l) => ir.store(square, ir.at(l * full, [q, 1]), value));
  const l = variable(`l${id}_${first.constant}`, count);
  const v = variable(`v${id}_${first.constant}`, full, lanes);
  const value = ir.load(square, ir.at(0, [l, full], [v, 1]), ir.valueType(dtype, lanes));
  const column = added(first, ir.at(0, [l, 1]));
  const body = results(tile, { row: ir.at(0, [v, 1]), column, lanes }, value);
  return [...loop(q, [...statements, ...stores]), ...loop(l, loop(v, body))];
}

/** Rows that fill no vector: all columns are computed before one is stored, since their parts of vectors overlap. */
function parts(tile: TurnedTile, { first, count }: ColumnGroup): Body {
  const { t, width, full, left } = tile;
  const { lanes } = t.plan;
  const { statements, values } = turned(tile, ir.plus(first, full * width), left);
  const ends = values.slice(0, count).flatMap((value, l) => {
    const place = { row: ir.at(full), column: ir.plus(first, l), lanes, count: partOf(left, lanes) };
    return results(tile, place, value);
  });
  return [...statements, ...storesLast(ends, t.nextName())];
}

/** Rows that fill no vector, where the machine has no parts of vectors. */
function oneByOne(tile: TurnedTile): Body {
  const { t, sums, width, count, full, left, id } = tile;
  const row = variable(`row${id}`, left);
  const c = variable(`c${id}`, count);
  const value = ir.load(sums, ir.at(full * width, [row, width], [c, 1]), ir.valueType(t.plan.dtype, 1));
  const place = { row: ir.at(full, [row, 1]), column: ir.at(0, [c, 1]), lanes: 1 };
  return loop(row, loop(c, results(tile, place, value)));
}

/** A square of sums, from a place in the tile on, as a vector of rows for each column; of rows beyond `rows` it has zeros. */
function turned({ t, sums, width }: TurnedTile, from: Affine, rows: number) {
  const { dtype, lanes } = t.plan;
  const type = ir.valueType(dtype, lanes);
  const zeros = ir.constant(0, type);
  const square = Array.from({ length: lanes }, (_, i) =>
    i < rows ? ir.load(sums, ir.plus(from, i * width), type) : zeros,
  );
  return transpose(square, `s${t.nextName()}_`);
}

/** The outputs for neighbouring rows. */
const results = ({ t, outputs }: TurnedTile, place: TilePlace, sums: ir.Expression): Body =>
  outputs.compute({ ...place, along: t.plan.layout.rows }, sums, `t${t.nextName()}`);
