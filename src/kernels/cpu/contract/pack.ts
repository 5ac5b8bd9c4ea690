// Packing: the column operand of a contraction, copied so that a tile reads it one vector after another.
import type { Affine, Buffer, LoopKind, LoopVariable, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import type { Machine } from '../../../loops/machine.ts';
import { rowMajor } from '../../../tensor/shape.ts';
import { type Body, isPartial, loop, partOf, variable } from '../../body/nest.ts';
import { packingWay } from '../tile/blocking.ts';
import { prefetching } from '../tile/prefetch.ts';
import { transpose } from '../tile/transpose.ts';
import type { Block, Layout, Panel } from './layout.ts';

/** A loop over some steps along a summed axis, from the step `begin` on. */
interface Steps {
  readonly v: LoopVariable;
  readonly begin: number;
}

/** Copies a block of the column operand: panel after panel, in each one row of `width` columns for each k. */
export function pack(
  layout: Layout,
  panel: Panel,
  source: Buffer,
  target: Buffer,
  { groups, outside, inner, depth }: Block,
  kind: LoopKind,
  machine: Machine,
): Body {
  const { column, columns } = layout;
  const { dtype } = target;
  const { lanes } = panel;
  const width = panel.vectors * lanes;
  const all = inner.map((x, i): Steps => ({ v: variable(`k${i}`, x.size), begin: 0 }));
  const packedStrides = rowMajor(inner.map((x) => x.size)).map((n) => n * width);
  const p = variable('p', panel.size, width);
  const around = [...groups, ...outside];
  const offset = around.reduce((sum, { axis, begin }) => sum + begin * axis.column, column.offset);
  const begun = (ks: readonly Steps[], strides: readonly number[]) =>
    ks.reduce((sum, { begin }, i) => sum + begin * strides[i], 0);
  const strides = inner.map((x) => x.column);
  const from = (ks: readonly Steps[], c: number, terms: Affine['terms'] = []): Affine =>
    ir.at(
      offset + (panel.begin + c) * columns.column + begun(ks, strides),
      [p, columns.column],
      ...around.map(({ axis, v }) => [v, axis.column] as const),
      ...ks.map(({ v }, i) => [v, strides[i]] as const),
      ...terms,
    );
  const to = (ks: readonly Steps[], c: number, terms: Affine['terms'] = []): Affine =>
    ir.at(
      panel.begin * depth + c + begun(ks, packedStrides),
      [p, depth],
      ...ks.map(({ v }, i) => [v, packedStrides[i]] as const),
      ...terms,
    );
  const copy = (c: number, width: number, count?: number, ks = all): Statement => {
    const value = ir.load(source, from(ks, c), ir.valueType(dtype, width), width === 1 ? 1 : columns.column, count);
    return ir.store(target, to(ks, c), value);
  };
  const forEach = (ks: readonly Steps[], body: Body, outermost: LoopKind = 'serial') =>
    ks.reduceRight((inside, { v }, i) => loop(v, inside, i === 0 ? outermost : 'serial'), body);
  const vectors = Array.from({ length: panel.vectors }, (_, u) => u * lanes);
  const squares = (ks: readonly Steps[]): Body => {
    const u = variable('u', width, lanes);
    const rows = Array.from({ length: lanes }, (_, c) =>
      ir.load(source, from(ks, c, [[u, columns.column]]), ir.valueType(dtype, lanes)),
    );
    const { statements, values } = transpose(rows, 'x');
    const step = packedStrides[packedStrides.length - 1];
    const stores = values.map((value, k) => ir.store(target, ir.plus(to(ks, 0, [[u, 1]]), k * step), value));
    return loop(u, forEach(ks, [...statements, ...stores]));
  };
  /** Columns with a stride are read along the summed axis, a few at a time: as squares that are turned in registers, or one by one. */
  const strided = (): Body => {
    const last = inner.length - 1;
    const size = inner.at(-1)?.size ?? 1;
    const turned = packingWay(columns.column, strides.at(-1)) === 'turned' ? Math.floor(size / lanes) * lanes : 0;
    const before = all.slice(0, last);
    const rest = inner.length === 0 ? all : [...before, { v: variable('k', size - turned), begin: turned }];
    return [
      ...(turned > 0 ? squares([...before, { v: variable('k', turned, lanes), begin: 0 }]) : []),
      ...vectors.flatMap((c) => forEach(rest, [copy(c, lanes, undefined, rest)])),
    ];
  };
  if (panel.size >= width) {
    if (columns.column !== 1) return loop(p, strided(), kind);
    // Long rows are read along the row; the next row is fetched meanwhile, since a page may end between them.
    const next = (c: number) => ir.plus(from(all, c), strides.at(-1) ?? 0);
    const row = [...prefetching(source, width, next, machine), ...vectors.map((c) => copy(c, lanes))];
    return forEach(all, loop(p, row), kind);
  }
  const rest = panel.size % lanes;
  if (isPartial(rest, lanes, machine)) {
    return forEach(
      all,
      vectors.map((c) => copy(c, lanes, partOf(panel.size - c, lanes))),
      kind,
    );
  }
  const nothing = ir.constant(0, ir.valueType(dtype, 1));
  const parts = Array.from({ length: width }, (_, c): Statement => {
    return c < panel.size ? copy(c, 1) : { kind: 'store', buffer: target, index: to(all, c), value: nothing };
  });
  return forEach(all, parts, kind);
}
