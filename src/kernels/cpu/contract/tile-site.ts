// Where a tile of a contraction is: the loops that lead to it, and which columns of the result it has.

import type { LoopVariable } from '../../../loops/ir.ts';
import { isPartial, partOf } from '../../body/nest.ts';
import type { AxisLoop } from './axis-loop.ts';
import type { OutAxis } from './layout.ts';
import { type TileOutputs, tileOutputs } from './tile-outputs.ts';
import type { PackedBlock, Panel, Tiling } from './tiling.ts';

/** The tile of a panel, from a row on. */
export interface TileSite {
  readonly t: Tiling;
  readonly block: PackedBlock;
  readonly panel: Panel;
  /** The loop over the columns of the panel. */
  readonly p: LoopVariable;
  /** The loop over rows, as many a step as the tile has. */
  readonly m: AxisLoop<OutAxis>;
  /** Names of its registers and loops end in it. */
  readonly id: number;
  /** Columns of the result; a narrow panel may reach beyond them. */
  readonly columns: number;
  /** Are neighbouring columns neighbours in memory, where all that is computed of them fits in vectors? */
  readonly inVectors: boolean;
  readonly outputs: TileOutputs;
}

export function tileSite(t: Tiling, block: PackedBlock, panel: Panel, p: LoopVariable, m: AxisLoop<OutAxis>): TileSite {
  const id = t.nextName();
  const { layout, lanes } = t.plan;
  return {
    t,
    block,
    panel,
    p,
    m,
    id,
    columns: Math.min(panel.size, panel.vectors * panel.lanes),
    inVectors: layout.inner && (block.partialSums !== undefined || t.outputLanes() === lanes),
    outputs: tileOutputs(t, [...block.groups, ...t.shared, m], panel.begin, p, id),
  };
}

/** How many lanes of a vector are columns of the result; less than 1 if none are. */
const left = ({ panel, columns }: TileSite, u: number): number => Math.min(panel.lanes, columns - u * panel.lanes);

/** How many they are if they are not all, and the vector is read or stored in part. */
export const partAt = (site: TileSite, u: number): number | undefined => partOf(left(site, u), site.panel.lanes);

/** Is a vector stored as one, or the part of it that there is, and not lane by lane? */
export function isStoredWhole(site: TileSite, u: number): boolean {
  const { lanes } = site.panel;
  const count = left(site, u);
  return site.inVectors && (count === lanes || isPartial(count, lanes, site.t.plan.machine));
}

/** The columns of a vector that is stored lane by lane. */
export const columnsAt = (site: TileSite, u: number): number[] =>
  Array.from({ length: Math.max(0, left(site, u)) }, (_, l) => u * site.panel.lanes + l);
