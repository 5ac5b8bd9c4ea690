// Packing: the column operand of a contraction, copied so that a tile reads it one vector after another.
import type { Affine, Body, Buffer, LoopKind, LoopVariable, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { rowMajor } from '../../../tensor/shape.ts';
import { added } from '../../body/indices.ts';
import { isPartial, loop, partOf, variable } from '../../body/nest.ts';
import { packingWay } from '../tile/blocking.ts';
import { prefetching } from '../tile/prefetch.ts';
import { transpose } from '../tile/transpose.ts';
import { type AxisLoop, around, axisLoop, indexAlong } from './axis-loop.ts';
import type { SumAxis } from './layout.ts';
import type { PackedBlock, Panel, Tiling } from './tiling.ts';

/**
 * Copies a panel of a block, one row of `width` columns for each step along the summed axes: of a panel of eight columns
 * that is summed over k, first the eight elements at k = 0, then those at k = 1, and so on.
 */
export function pack(t: Tiling, block: PackedBlock, panel: Panel, target: Buffer, kind: LoopKind): Body {
  const copy = new PanelCopy(t, block, panel, target);
  if (panel.size < copy.width) return copy.narrow(kind);
  return t.plan.layout.columns.column === 1 ? copy.alongRows(kind) : copy.strided(kind);
}

/** A summed axis, with its stride in the packed operand. */
interface PackedAxis extends SumAxis {
  readonly packed: number;
}

class PanelCopy {
  /** Columns of the panel, which may be more than there are. */
  readonly width: number;
  readonly #t: Tiling;
  readonly #panel: Panel;
  readonly #source: Buffer;
  readonly #target: Buffer;
  /** The loop over panels. */
  readonly #p: LoopVariable;
  /** Loops over all steps along the summed axes. */
  readonly #steps: readonly AxisLoop<PackedAxis>[];
  /** The first column of the panel at the first step, in the operand and packed. */
  readonly #from: Affine;
  readonly #to: Affine;

  constructor(t: Tiling, block: PackedBlock, panel: Panel, target: Buffer) {
    const { column, columns } = t.plan.layout;
    const { groups, outside, inner, depth } = block;
    this.#t = t;
    this.#panel = panel;
    this.width = panel.vectors * panel.lanes;
    this.#source = t.buffers.of(column.node);
    this.#target = target;
    this.#p = variable('p', panel.size, this.width);
    const packed = rowMajor(inner.map((x) => x.size)).map((n) => n * this.width);
    this.#steps = inner.map((x, i) => axisLoop({ ...x, packed: packed[i] }, `k${i}`));
    const lead = added(
      indexAlong(groups, (x) => x.column),
      indexAlong(outside, (x) => x.column),
    );
    this.#from = added(ir.at(column.offset + panel.begin * columns.column, [this.#p, columns.column]), lead);
    this.#to = ir.at(panel.begin * depth, [this.#p, depth]);
  }

  /** Long rows are read along the row; the next row is fetched meanwhile, since a page may end between them. */
  alongRows(kind: LoopKind): Body {
    const { machine } = this.#t.plan;
    const next = (c: number) => ir.plus(this.#read(this.#steps, c), this.#steps.at(-1)?.axis.column ?? 0);
    const copies = this.#vectors().map((c) => this.#copy(this.#steps, c, this.#panel.lanes));
    return around(
      this.#steps,
      loop(this.#p, [...prefetching(this.#source, this.width, next, machine), ...copies]),
      kind,
    );
  }

  /** Columns with a stride are read along the summed axis, a few at a time: in squares that are turned, or one by one. */
  strided(kind: LoopKind): Body {
    const { columns } = this.#t.plan.layout;
    const { lanes } = this.#panel;
    const last = this.#steps.at(-1)?.axis;
    const before = this.#steps.slice(0, -1);
    const turned =
      last && packingWay(columns.column, last.column) === 'turned' ? Math.floor(last.size / lanes) * lanes : 0;
    const rest = last
      ? [...before, axisLoop(last, 'k', { begin: turned, extent: last.size - turned, step: 1 })]
      : before;
    const body = [
      ...(last && turned > 0
        ? this.#squares([...before, axisLoop(last, 'k', { begin: 0, extent: turned, step: lanes })], last.packed)
        : []),
      ...this.#vectors().flatMap((c) => around(rest, [this.#copy(rest, c, lanes)])),
    ];
    return loop(this.#p, body, kind);
  }

  /** Columns that fill no panel are followed by zeros, which a part of a vector that is read brings with it. */
  narrow(kind: LoopKind): Body {
    const { size, lanes } = this.#panel;
    const { dtype } = this.#target;
    if (isPartial(size % lanes, lanes, this.#t.plan.machine)) {
      const copies = this.#vectors().map((c) => this.#copy(this.#steps, c, lanes, partOf(size - c, lanes)));
      return around(this.#steps, copies, kind);
    }
    const zero = ir.constant(0, ir.valueType(dtype, 1));
    const copies = Array.from({ length: this.width }, (_, c) =>
      c < size ? this.#copy(this.#steps, c, 1) : ir.store(this.#target, this.#write(this.#steps, c), zero),
    );
    return around(this.#steps, copies, kind);
  }

  /** Squares of as many columns as steps, turned in registers. */
  #squares(steps: readonly AxisLoop<PackedAxis>[], stepSize: number): Body {
    const { columns } = this.#t.plan.layout;
    const { lanes } = this.#panel;
    const { dtype } = this.#target;
    const u = variable('u', this.width, lanes);
    const rows = Array.from({ length: lanes }, (_, c) =>
      ir.load(this.#source, added(this.#read(steps, c), ir.at(0, [u, columns.column])), ir.valueType(dtype, lanes)),
    );
    const { statements, values } = transpose(rows, 'x');
    const to = added(this.#write(steps, 0), ir.at(0, [u, 1]));
    const stores = values.map((value, k) => ir.store(this.#target, ir.plus(to, k * stepSize), value));
    return loop(u, around(steps, [...statements, ...stores]));
  }

  /** The first column of each vector. */
  #vectors(): number[] {
    return Array.from({ length: this.#panel.vectors }, (_, u) => u * this.#panel.lanes);
  }

  /** Copies neighbouring columns from `c` on. */
  #copy(steps: readonly AxisLoop<PackedAxis>[], c: number, lanes: number, count?: number): Statement {
    const { columns } = this.#t.plan.layout;
    const type = ir.valueType(this.#target.dtype, lanes);
    const value = ir.load(this.#source, this.#read(steps, c), type, lanes === 1 ? 1 : columns.column, count);
    return ir.store(this.#target, this.#write(steps, c), value);
  }

  #read(steps: readonly AxisLoop<PackedAxis>[], c: number): Affine {
    const index = added(
      this.#from,
      indexAlong(steps, (x) => x.column),
    );
    return ir.plus(index, c * this.#t.plan.layout.columns.column);
  }

  #write(steps: readonly AxisLoop<PackedAxis>[], c: number): Affine {
    const index = added(
      this.#to,
      indexAlong(steps, (x) => x.packed),
    );
    return ir.plus(index, c);
  }
}
