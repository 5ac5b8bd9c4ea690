// Lists of the elements of each row that are not zero, and the sum of a row's products with the columns of a panel.
import type { Affine, Body, Buffer, Expression, Local } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { added, int32, times } from '../../body/indices.ts';
import { mostProducts } from '../../body/long-sums.ts';
import { loop, variable } from '../../body/nest.ts';
import { around, axisLoop } from '../contract/axis-loop.ts';
import type { Tiling } from '../contract/tiling.ts';
import type { TileReader, TileRuns } from '../tile/register-tile.ts';

/** The elements of each row that are not zero. */
export interface Lists {
  /** How many each row has. */
  readonly counts: Buffer;
  /** Where each stands along the summed axis; `depth` places for each row. */
  readonly steps: Buffer;
  /** The elements themselves, `depth` places for each row. */
  readonly values: Buffer;
}

export function listsFor({ buffers }: Tiling, rows: number, depth: number): Lists {
  // The last run of the last row may have fewer elements than a run.
  const length = rows * depth + (depth <= mostProducts ? 0 : mostProducts);
  return {
    counts: buffers.scratch('counts', 'int32', rows),
    steps: buffers.scratch('steps', 'int32', length),
    values: buffers.scratch('values', 'float32', length),
  };
}

/** Of each row a list: made in the thread's own space, since a computed index could be anywhere, then copied. */
export function listing(t: Tiling, { counts, steps, values }: Lists): Body {
  const { row, rows, sums } = t.plan.layout;
  const [{ size: depth, row: stride }] = sums;
  const source = t.buffers.of(row.node);
  const ownSteps = t.buffers.own('steps', 'int32', depth);
  const ownValues = t.buffers.own('values', 'float32', depth);
  const m = axisLoop(rows, 'm');
  const k = variable('k', depth);
  const count: Local = { name: 'count', type: int32 };
  const value: Local = { name: 'value', type: ir.valueType('float32', 1) };
  const zero = ir.constant(0, value.type);
  const next = ir.local(count);
  const found = ir.convert(ir.compare('notEqual', ir.local(value), zero), 'int32');
  const looking: Body = [
    { kind: 'set', local: value, value: ir.load(source, ir.at(row.offset, [m.v, rows.row], [k, stride]), value.type) },
    { kind: 'storeAt', buffer: ownSteps, index: next, value: ir.index(ir.at(0, [k, 1]), int32) },
    { kind: 'storeAt', buffer: ownValues, index: next, value: ir.local(value) },
    { kind: 'set', local: count, value: ir.binary('add', next, found) },
  ];
  const e = variable('e', depth);
  const to = ir.at(0, [m.v, depth], [e, 1]);
  const copying: Body = [
    { kind: 'store', buffer: steps, index: to, value: ir.load(ownSteps, ir.at(0, [e, 1]), int32) },
    { kind: 'store', buffer: values, index: to, value: ir.load(ownValues, ir.at(0, [e, 1]), value.type) },
  ];
  const body: Body = [
    { kind: 'set', local: count, value: ir.constant(0, int32) },
    ...loop(k, looking),
    { kind: 'store', buffer: counts, index: ir.at(0, [m.v, 1]), value: next },
    { kind: 'loop', variable: e, loop: 'serial', count: next, body: copying },
  ];
  return around([m], body, 'parallel');
}

/** The length of all lists. */
export function counting(rows: number, { counts }: Lists, total: Buffer): Body {
  const sum: Local = { name: 'sum', type: int32 };
  const m = variable('m', rows);
  const add = ir.binary('add', ir.local(sum), ir.load(counts, ir.at(0, [m, 1]), int32));
  return [
    { kind: 'set', local: sum, value: ir.constant(0, int32) },
    ...loop(m, [{ kind: 'set', local: sum, value: add }]),
    { kind: 'store', buffer: total, index: ir.at(0), value: ir.local(sum) },
  ];
}

/** A packed panel: `depth` rows of so many vectors. */
export interface PackedPanel {
  readonly buffer: Buffer;
  readonly vectors: number;
  readonly lanes: number;
  readonly depth: number;
}

/** The list of one row, whose number is `row`, all of it or where it may be long in runs. */
export function listRuns(lists: Lists, row: Affine, panel: PackedPanel, id: number): TileRuns {
  const { depth } = panel;
  const length = ir.load(lists.counts, row, int32);
  const first = times(row, depth);
  if (depth <= mostProducts) {
    return { count: 1, around: (one) => one(listReader(lists, { first, most: depth, length }, panel, id)) };
  }
  const number = (n: number) => ir.constant(n, int32);
  const runs = Math.ceil(depth / mostProducts);
  const v = variable(`run${id}`, runs * mostProducts, mostProducts);
  const count = ir.binary('div', ir.binary('add', length, number(mostProducts - 1)), number(mostProducts));
  const left = ir.binary('sub', length, ir.index(ir.at(0, [v, 1]), int32));
  const part = { first: added(first, ir.at(0, [v, 1])), most: mostProducts, length: least(left, number(mostProducts)) };
  return {
    count: runs,
    around: (one) => [
      { kind: 'loop', variable: v, loop: 'serial', count, body: one(listReader(lists, part, panel, id)) },
    ],
  };
}

const least = (a: Expression, b: Expression): Expression => ir.select(ir.compare('less', a, b), a, b);

/** A part of a list: its first place, how many it has, and at most. */
interface ListPart {
  readonly first: Affine;
  readonly length: Expression;
  readonly most: number;
}

/** Reads a part of a list, and for each of its elements the row of a panel at that step. */
function listReader({ steps, values }: Lists, part: ListPart, panel: PackedPanel, id: number): TileReader {
  const { buffer, vectors, lanes } = panel;
  const type = ir.valueType(buffer.dtype, lanes);
  const e = variable(`e${id}`, part.most);
  const entry = added(part.first, ir.at(0, [e, 1]));
  const begin: Local = { name: `at${id}`, type: int32 };
  const value = ir.binary('mul', ir.load(steps, entry, int32), ir.constant(vectors * lanes, int32));
  return {
    loops: (step) => [
      {
        kind: 'loop',
        variable: e,
        loop: 'serial',
        count: part.length,
        body: [{ kind: 'set', local: begin, value }, ...step],
      },
    ],
    row: () => ir.load(values, entry, type, lanes === 1 ? 1 : 0),
    column: (u) => ir.loadAt(buffer, ir.local(begin), type, u * lanes),
  };
}
