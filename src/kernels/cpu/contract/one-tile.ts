// One register tile of a contraction: where its operands lie, and what becomes of its sums.

import type { Affine, Buffer, Expression, LoopVariable, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { rowMajor } from '../../../tensor/shape.ts';
import { taskCost } from '../../body/cost.ts';
import { type Body, isPartial, loop, partOf, variable } from '../../body/nest.ts';
import { prefetching } from '../tile/prefetch.ts';
import { registerTile } from '../tile/tile.ts';
import { type Lists, listed } from '../zeros/lists.ts';
import { type Bound, mergeSums, type OutAxis, type Panel, type SumAxis } from './layout.ts';
import { tileOutputs } from './tile-outputs.ts';
import { offsetOf, type TileBlock, type Tiling, termsOf } from './tiling.ts';
import { turnedResults } from './turned-results.ts';

/** Rows that are not read where they lie: those of a tile copied, or the elements of each that are not zero in lists. */
export type Rows = { readonly copied: Buffer } | Lists;

/**
 * From so much arithmetic in the results of a tile on, in additions of vectors, they are computed in loops. Written out,
 * as others are, they would be much code that the sums, which are in registers, gain nothing from.
 */
const mostWrittenOut = 1000;

/** The tile of a panel at the rows from `m` on. */
export function oneTile(
  t: Tiling,
  block: TileBlock,
  given: Rows | undefined,
  panel: Panel,
  p: LoopVariable,
  m: Bound<OutAxis>,
  height: number,
): Body {
  const { dtype, layout, task } = t.plan;
  const { row, column, rows, columns } = layout;
  const { outside, panels, sum } = block;
  const { vectors, lanes } = panel;
  const type = ir.valueType(dtype, lanes);
  const bounds = [...block.groups, ...t.shared, m];
  const ks = mergeSums(block.inner, panels === undefined).map((x, i) => ({ ...x, v: variable(`k${i}`, x.size) }));
  const packedSteps = rowMajor(ks.map((k) => k.size));
  const kTerms = (stride: (k: SumAxis, i: number) => number) => ks.map((k, i) => [k.v, stride(k, i)] as const);
  const rowTerms = [...termsOf(bounds, (x) => x.row), ...termsOf(outside, (x) => x.row), ...kTerms((k) => k.row)];
  const rowOffset = row.offset + offsetOf(bounds, (x) => x.row) + offsetOf(outside, (x) => x.row);
  const columnTerms = [
    [p, columns.column] as const,
    ...termsOf(bounds, (x) => x.column),
    ...termsOf(outside, (x) => x.column),
    ...kTerms((k) => k.column),
  ];
  const columnOffset = column.offset + offsetOf(bounds, (x) => x.column) + offsetOf(outside, (x) => x.column);
  const columnIndex = (u: number): Affine =>
    panels
      ? ir.at(
          panel.begin * block.depth + u * lanes,
          [p, block.depth],
          ...kTerms((_, i) => packedSteps[i] * vectors * lanes),
        )
      : ir.at(columnOffset + (panel.begin + u * lanes) * columns.column, ...columnTerms);
  const id = t.nextName();
  const outputs = tileOutputs(t, bounds, panel.begin, p, id);
  // The first output has the order of the task's shape, which is that of the sums.
  const first = task.inputs.length;
  const sumIndex = (r: number, c: number): Affine => {
    const index = outputs.at(first, ir.at(r), ir.at(c), 0);
    return ir.at(index.constant + (sum?.offset ?? 0), ...index.terms, ...(sum?.terms ?? []));
  };
  const result = (r: number, c: number, width: number, root: Expression, count?: number): Statement[] =>
    sum
      ? [ir.store(sum.buffer, sumIndex(r, c), root, count)]
      : outputs.store(ir.at(r), ir.at(c), width, root, `${r}_${c}`, count);
  // A narrow panel may reach beyond the columns: its last vector is stored only as far as there are columns, as a part of
  // a vector or element by element.
  const columnsHere = Math.min(panel.size, vectors * lanes);
  const inVectors = layout.inner && (sum !== undefined || t.outputLanes() === t.plan.lanes);
  const left = (u: number) => Math.min(lanes, columnsHere - u * lanes);
  const part = (u: number) => partOf(left(u), lanes);
  const stored = (u: number) => inVectors && (left(u) === lanes || isPartial(left(u), lanes, t.plan.machine));
  const inAllLanes = lanes === 1 ? 1 : 0;
  const walked = {
    sums: (step: Body) => ks.reduceRight((body, k) => loop(k.v, body), step),
    row: (r: number) =>
      given && 'copied' in given
        ? ir.load(given.copied, ir.at(r, ...kTerms((_, i) => packedSteps[i] * height)), type, inAllLanes)
        : ir.load(t.buffers.of(row.node), ir.at(rowOffset + r * rows.row, ...rowTerms), type, inAllLanes),
    column: (u: number) =>
      panels
        ? ir.load(panels, columnIndex(u), type)
        : ir.load(t.buffers.of(column.node), columnIndex(u), type, 1, part(u)),
  };
  const cost = height * vectors * taskCost(task.outputs.map((o) => o.body));
  const looped = sum === undefined && cost > mostWrittenOut;
  const turned = t.plan.turned && lanes > 1;
  const kept = looped || turned ? t.buffers.own('tile', dtype, height * vectors * lanes) : undefined;
  const tile = registerTile({
    id,
    dtype,
    height,
    vectors,
    lanes,
    ...(given && 'counts' in given
      ? listed(given, ir.at(m.begin, [m.v, 1]), { buffer: panels as Buffer, vectors, lanes, depth: block.depth }, id)
      : walked),
    begin: (r, u) =>
      sum && stored(u) ? ir.load(sum.buffer, sumIndex(r, u * lanes), type, 1, part(u)) : ir.constant(0, type),
    end: (r, u, value) => {
      if (kept) return [{ kind: 'store', buffer: kept, index: ir.at((r * vectors + u) * lanes), value }];
      if (stored(u)) return result(r, u * lanes, lanes, value, part(u));
      return Array.from({ length: Math.max(0, left(u)) }, (_, l) => {
        const c = u * lanes + l;
        const partial = lanes === 1 ? value : ir.lane(value, l);
        const scalar = ir.valueType(dtype, 1);
        const total = sum ? ir.binary('add', ir.load(sum.buffer, sumIndex(r, c), scalar), partial) : partial;
        return result(r, c, 1, total);
      }).flat();
    },
  });
  // What the outputs read comes to the cache while the tile is computed.
  const fetching = sum
    ? []
    : task.inputs.flatMap(({ node }, k): Body => {
        if (columns.outputs[k] !== 1) return [];
        const buffer = t.buffers.of(node);
        return Array.from({ length: height }, (_, r) =>
          prefetching(buffer, columnsHere, (c) => outputs.at(k, ir.at(r), ir.at(c)), t.plan.machine),
        ).flat();
      });
  if (!kept) return [...fetching, ...tile];
  if (turned) {
    const sums = { sums: kept, height, width: vectors * lanes, count: columnsHere };
    return [...fetching, ...tile, ...turnedResults(t, sums, outputs)];
  }
  const r = variable(`r${id}`, height);
  /** Columns of the tile, so many at once. */
  const some = (begin: number, end: number, width: number, count?: number): Body => {
    const c = variable(`c${id}_${begin}`, end - begin, width);
    const index = ir.at(begin, [r, vectors * lanes], [c, 1]);
    const root = ir.load(kept, index, ir.valueType(dtype, width));
    return loop(c, outputs.store(ir.at(0, [r, 1]), ir.at(begin, [c, 1]), width, root, `${begin}`, count));
  };
  const inVector = inVectors ? Math.floor(columnsHere / lanes) * lanes : 0;
  const rest = columnsHere - inVector;
  const last =
    inVectors && isPartial(rest, lanes, t.plan.machine)
      ? some(inVector, inVector + lanes, lanes, rest)
      : some(inVector, columnsHere, 1);
  return [...fetching, ...tile, ...loop(r, [...some(0, inVector, lanes), ...last])];
}
