// What the parts of a tiled contraction share: the plan, loops over axes of its result, panels and tiles.

import type { Buffer, LoopKind } from '../../../loops/ir.ts';
import type { Machine } from '../../../loops/machine.ts';
import type { Contract } from '../../../primitives/primitives.ts';
import type { Task } from '../../../primitives/task.ts';
import { lanesFor } from '../../body/expression.ts';
import type { IndexTerm } from '../../body/indices.ts';
import { type Body, isPartial, loop, variable } from '../../body/nest.ts';
import { outputTypes } from '../../body/outputs.ts';
import type { TaskBuffers } from '../../offer.ts';
import type { Cut, TileShape } from '../tile/blocking.ts';
import type { Block, Bound, Layout, OutAxis, Panel } from './layout.ts';

/** How a contraction is computed. */
export interface TilePlan {
  readonly task: Task;
  readonly layout: Layout;
  readonly machine: Machine;
  readonly dtype: Contract['dtype'];
  readonly tile: TileShape;
  readonly lanes: number;
  /** Is the column operand copied into panels? */
  readonly packed: boolean;
  /** Is the row operand copied as well, tile by tile? */
  readonly packedRows: boolean;
  /** Is the column operand packed, or read, in parts, because the whole of it does not fit into the cache? */
  readonly inParts: boolean;
  readonly cut: Cut;
  /** Are tiles turned, because their rows are the innermost axis of the result? */
  readonly turned: boolean;
}

/** Where sums are kept between blocks: in the order of the task's shape, from `offset` + `terms` on. */
export interface Sums {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly terms: readonly IndexTerm[];
}

/** The body of one kernel, and what it does. */
export interface Part {
  readonly part: 'pack' | 'clear' | 'compute' | 'finish';
  readonly body: Body;
}

export const bound = <A>(axis: A, name: string, extent: number, step = 1, begin = 0): Bound<A> => ({
  axis,
  v: variable(name, extent, step),
  begin,
});
export const around = (bounds: readonly Bound<unknown>[], body: Body, kind: LoopKind = 'serial'): Body =>
  bounds.reduceRight<Body>((inside, { v }, i) => loop(v, inside, i === 0 ? kind : 'serial'), body);
/** The index terms of some bounds, and the constant that they add up to. */
export const termsOf = <A>(bounds: readonly Bound<A>[], stride: (axis: A) => number) =>
  bounds.map(({ axis, v }) => [v, stride(axis)] as const);
export const offsetOf = <A>(bounds: readonly Bound<A>[], stride: (axis: A) => number) =>
  bounds.reduce((sum, { axis, begin }) => sum + begin * stride(axis), 0);

/** A block of the summed axes with the place of its sums, and how many columns it is for. */
export interface TileBlock extends Block {
  readonly sum: Sums | undefined;
  readonly count: number;
}

/** The loops of a plan, and the names that its parts need. */
export class Tiling {
  readonly plan: TilePlan;
  readonly buffers: TaskBuffers;
  /** Axes of the result with which both operands vary, and others that only the row operand varies with. */
  readonly batch: readonly Bound<OutAxis>[];
  readonly shared: readonly Bound<OutAxis>[];
  /** Columns of a full panel. */
  readonly width: number;
  #names = 0;

  constructor(plan: TilePlan, buffers: TaskBuffers) {
    this.plan = plan;
    this.buffers = buffers;
    const { outer } = plan.layout;
    this.batch = outer.filter((x) => x.column !== 0).map((x, i) => bound(x, `b${i}`, x.size));
    this.shared = outer.filter((x) => x.column === 0).map((x, i) => bound(x, `o${i}`, x.size));
    this.width = plan.tile.vectors * plan.lanes;
  }

  /** A number that no other part of the kernels has. */
  nextName(): number {
    return this.#names++;
  }

  /** Full panels, then a narrower one; unpacked columns that fill no vector are done one by one. */
  panels(count: number): Panel[] {
    const lanes = this.plan.lanes;
    const full = Math.floor(count / this.width) * this.width;
    const rest = count - full;
    const inPart = this.plan.packed || isPartial(rest % lanes, lanes, this.plan.machine);
    const vectors = inPart ? Math.ceil(rest / lanes) : Math.floor(rest / lanes);
    const narrow = Math.min(rest, vectors * lanes);
    const panels: Panel[] = [];
    if (full > 0) panels.push({ begin: 0, size: full, vectors: this.plan.tile.vectors, lanes });
    if (narrow > 0) panels.push({ begin: full, size: narrow, vectors, lanes });
    if (rest > narrow) panels.push({ begin: full + narrow, size: rest - narrow, vectors: 1, lanes: 1 });
    return panels;
  }

  /** A loop over full tiles of rows, and the rows that do not fill a tile. */
  inTiles(count: number, body: (m: Bound<OutAxis>, height: number) => Body, kind: LoopKind = 'serial'): Body {
    const { rows } = this.plan.layout;
    const tile = this.plan.tile.rows;
    const whole = Math.floor(count / tile) * tile;
    const part = (begin: number, extent: number, height: number): Body => {
      const m = bound({ ...rows, column: 0 }, `m${begin}`, extent, height, begin);
      return around([m], body(m, height), kind);
    };
    return [
      ...(whole > 0 ? part(0, whole, tile) : []),
      ...(count > whole ? part(whole, count - whole, count - whole) : []),
    ];
  }

  /** How many elements the outputs' bodies can be computed for at once. */
  outputLanes(): number {
    const bodies = this.plan.task.outputs.map((o) => o.body);
    return lanesFor(this.plan.machine, bodies, [this.plan.dtype, ...outputTypes(this.plan.task)]);
  }
}
