// Packing: the column operand of a contraction, copied so that a tile reads it one vector after another.
import type { Affine, Buffer, LoopKind, Statement } from '../loops/ir.ts';
import * as ir from '../loops/ir.ts';
import type { Machine } from '../loops/machine.ts';
import { rowMajor } from '../tensor/shape.ts';
import type { Block, Layout, Panel } from './layout.ts';
import { isPartial, loop, partOf, variable } from './nest.ts';

/** Copies a block of the column operand: panel after panel, in each one row of `width` columns for each k. */
export function pack(
  layout: Layout,
  panel: Panel,
  source: Buffer,
  target: Buffer,
  { groups, outside, inner, depth }: Block,
  kind: LoopKind,
  machine: Machine,
): readonly Statement[] {
  const { column, columns } = layout;
  const { dtype } = target;
  const width = panel.vectors * panel.lanes;
  const ks = inner.map((x, i) => ({ ...x, v: variable(`k${i}`, x.size) }));
  const packedStrides = rowMajor(ks.map((k) => k.size)).map((n) => n * width);
  const p = variable('p', panel.size, width);
  const around = [...groups, ...outside];
  const offset = around.reduce((sum, { axis, begin }) => sum + begin * axis.column, column.offset);
  const from = (c: number): Affine =>
    ir.at(
      offset + (panel.begin + c) * columns.column,
      [p, columns.column],
      ...around.map(({ axis, v }) => [v, axis.column] as const),
      ...ks.map((k) => [k.v, k.column] as const),
    );
  const to = (c: number): Affine =>
    ir.at(panel.begin * depth + c, [p, depth], ...ks.map((k, i) => [k.v, packedStrides[i]] as const));
  const copy = (c: number, lanes: number, count?: number): Statement => {
    const value = ir.load(source, from(c), ir.valueType(dtype, lanes), lanes === 1 ? 1 : columns.column, count);
    return ir.store(target, to(c), value);
  };
  const forEachK = (statements: readonly Statement[], outermost: LoopKind) =>
    ks.reduceRight<readonly Statement[]>((body, { v }, i) => loop(v, body, i === 0 ? outermost : 'serial'), statements);
  if (panel.size >= width) {
    const vectors = Array.from({ length: panel.vectors }, (_, u) => copy(u * panel.lanes, panel.lanes));
    // Long rows are read along the row, columns with a stride along the summed axis, a few of them at a time.
    if (columns.column === 1) return forEachK(loop(p, vectors), kind);
    return loop(
      p,
      vectors.flatMap((v) => forEachK([v], 'serial')),
      kind,
    );
  }
  const rest = panel.size % panel.lanes;
  if (isPartial(rest, panel.lanes, machine)) {
    const vectors = Array.from({ length: panel.vectors }, (_, u) =>
      copy(u * panel.lanes, panel.lanes, partOf(panel.size - u * panel.lanes, panel.lanes)),
    );
    return forEachK(vectors, kind);
  }
  const nothing = ir.constant(0, ir.valueType(dtype, 1));
  const parts = Array.from({ length: width }, (_, c): Statement => {
    return c < panel.size ? copy(c, 1) : { kind: 'store', buffer: target, index: to(c), value: nothing };
  });
  return forEachK(parts, kind);
}
