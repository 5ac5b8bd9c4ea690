// What the parts of a tiled contraction share: the plan, loops over axes of its result, panels and tiles.

import type { Affine, Body, Buffer, LoopKind } from '../../../loops/ir.ts';
import { lanesFor } from '../../body/expression.ts';
import type { SumsAt } from '../../body/long-sums.ts';
import { inSteps, isPartial } from '../../body/nest.ts';
import { outputTypes } from '../../body/outputs.ts';
import type { TaskBuffers } from '../../offer.ts';
import { type AxisLoop, around, axisLoop } from './axis-loop.ts';
import type { OutAxis, SumAxis } from './layout.ts';
import type { TilePlan } from './tile-plan.ts';

/** Where sums are kept between blocks: in the order of the task's shape, from some place on. */
export interface PartialSums extends SumsAt {
  readonly from: Affine;
}

/** A part of the columns that is computed in one way. */
export interface Panel {
  /** First column. */
  readonly begin: number;
  /** How many columns there are: a multiple of the panel's width, or fewer than one width. */
  readonly size: number;
  readonly vectors: number;
  readonly lanes: number;
}

/** A block of the summed axes. */
export interface Block {
  /** Loops around the block over what the column operand varies with: a batch, or groups of columns. */
  readonly groups: readonly AxisLoop<OutAxis>[];
  /** Loops around it along summed axes, and what is summed inside. */
  readonly outside: readonly AxisLoop<SumAxis>[];
  readonly inner: readonly SumAxis[];
  /** How many columns it is for. */
  readonly count: number;
  /** Where its sums are added up with those of other blocks, if there are others. */
  readonly partialSums: PartialSums | undefined;
}

/** A block, and where its columns are packed: `depth` steps for each, if they are. */
export interface PackedBlock extends Block {
  readonly depth: number;
  readonly packed: Buffer | undefined;
}

/** The body of one kernel, and what it does. */
export interface Stage {
  readonly does: 'pack' | 'clear' | 'compute' | 'finish';
  readonly body: Body;
}

/** The loops of a plan, and the names that its parts need. */
export class Tiling {
  readonly plan: TilePlan;
  readonly buffers: TaskBuffers;
  /** Axes of the result with which both operands vary, and others that only the row operand varies with. */
  readonly batch: readonly AxisLoop<OutAxis>[];
  readonly shared: readonly AxisLoop<OutAxis>[];
  /** Columns of a full panel. */
  readonly width: number;
  #names = 0;

  constructor(plan: TilePlan, buffers: TaskBuffers) {
    this.plan = plan;
    this.buffers = buffers;
    const { outer } = plan.layout;
    this.batch = outer.filter((x) => x.column !== 0).map((x, i) => axisLoop(x, `b${i}`));
    this.shared = outer.filter((x) => x.column === 0).map((x, i) => axisLoop(x, `o${i}`));
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

  /** A loop over full tiles of rows, and the rows that do not fill a tile: it takes as many rows a step as the tile has. */
  inTiles(count: number, body: (m: AxisLoop<OutAxis>) => Body, kind: LoopKind = 'serial'): Body {
    const { layout, tile } = this.plan;
    return inSteps(count, tile.rows).flatMap((stretch) => {
      const m = axisLoop({ ...layout.rows, column: 0 }, `m${stretch.begin}`, stretch);
      return around([m], body(m), kind);
    });
  }

  /** How many elements the outputs' bodies can be computed for at once. */
  outputLanes(): number {
    const bodies = this.plan.task.outputs.map((o) => o.body);
    return lanesFor(this.plan.machine, bodies, [this.plan.dtype, ...outputTypes(this.plan.task)]);
  }
}
