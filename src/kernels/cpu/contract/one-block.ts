// One block of the summed axes: its operands packed, and the loops over panels and rows of tiles.

import type { Buffer, LoopKind, LoopVariable, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { elements, rowMajor } from '../../../tensor/shape.ts';
import { type Body, isPartial, loop, partOf, variable } from '../../body/nest.ts';
import type { TaskBuffers } from '../../offer.ts';
import { threadParts } from '../tile/blocking.ts';
import type { Bound, OutAxis, Panel } from './layout.ts';
import { oneTile } from './one-tile.ts';
import { pack } from './pack.ts';
import { around, offsetOf, type TileBlock, type Tiling, termsOf } from './tiling.ts';

/** Packs a block for this thread and computes with it. */
export function oneBlock(t: Tiling, b: Omit<TileBlock, 'panels' | 'depth'>, parallel: boolean): Body {
  const block = packedBlock(t, b, t.buffers.own);
  return [...packing(t, block, 'serial'), ...computing(t, block, parallel)];
}

export function packedBlock(
  t: Tiling,
  b: Omit<TileBlock, 'panels' | 'depth'>,
  scratch: TaskBuffers['scratch'],
): TileBlock {
  const depth = elements(b.inner.map((x) => x.size));
  const width = Math.ceil(b.count / t.plan.lanes) * t.plan.lanes;
  const panels = t.plan.packed ? scratch('panels', t.plan.dtype, width * depth) : undefined;
  return { ...b, depth, panels };
}

export function packing(t: Tiling, block: TileBlock, kind: LoopKind): Body {
  const { panels } = block;
  if (!panels) return [];
  const source = t.buffers.of(t.plan.layout.column.node);
  return t.panels(block.count).flatMap((p) => [...pack(t.plan.layout, p, source, panels, block, kind, t.plan.machine)]);
}

/**
 * The tiles of rows around the panels: the results of few rows are streams that the processor fetches ahead, and the
 * packed panels are one too, from its second-level cache. Where threads have too few rows to share, the panels are around.
 */
export function computing(t: Tiling, block: TileBlock, parallel: boolean): Body {
  const { plan, shared } = t;
  const { rows } = plan.layout;
  const kind = parallel && shared.length === 0 ? 'parallel' : 'serial';
  const panels = (panelKind: LoopKind, body: (panel: Panel, p: LoopVariable) => Body): Body =>
    t.panels(block.count).flatMap((panel) => {
      const width = panel.vectors * panel.lanes;
      const p = variable(`p${panel.begin}`, Math.ceil(panel.size / width) * width, width);
      return loop(p, body(panel, p), panelKind);
    });
  const few = kind === 'parallel' && rows.size < threadParts * plan.tile.rows;
  const tiles = () => {
    if (few && !plan.packedRows) {
      return panels(kind, (panel, p) =>
        t.inTiles(rows.size, (m, height) => oneTile(t, block, undefined, panel, p, m, height)),
      );
    }
    return t.inTiles(
      rows.size,
      (m, height) => {
        const own = plan.packedRows ? t.buffers.own('rows', plan.dtype, height * block.depth) : undefined;
        const computing = panels('serial', (panel, p) =>
          oneTile(t, block, own && { copied: own }, panel, p, m, height),
        );
        return [...(own ? packRows(t, block, own, m, height) : []), ...computing];
      },
      kind,
    );
  };
  return around(shared, tiles(), parallel ? 'parallel' : 'serial');
}

/** Copies the rows of a tile, a step along the summed axes after the other. */
function packRows(t: Tiling, block: TileBlock, target: Buffer, m: Bound<OutAxis>, height: number): Body {
  const { layout, dtype, lanes, machine } = t.plan;
  const { row, rows } = layout;
  const source = t.buffers.of(row.node);
  const ks = block.inner.map((x, i) => ({ ...x, v: variable(`k${i}`, x.size) }));
  const steps = rowMajor(ks.map((k) => k.size));
  const bounds = [...block.groups, m];
  const offset = row.offset + offsetOf(bounds, (x) => x.row) + offsetOf(block.outside, (x) => x.row);
  const from = (r: number) =>
    ir.at(
      offset + r * rows.row,
      ...termsOf(bounds, (x) => x.row),
      ...termsOf(block.outside, (x) => x.row),
      ...ks.map((k) => [k.v, k.row] as const),
    );
  const to = (r: number) => ir.at(r, ...ks.map((k, i) => [k.v, steps[i] * height] as const));
  const rest = height % lanes;
  const wide = rows.row === 1 && (rest === 0 || isPartial(rest, lanes, machine)) ? lanes : 1;
  const copies = Array.from({ length: Math.ceil(height / wide) }, (_, i): Statement => {
    const part = partOf(height - i * wide, wide);
    return ir.store(target, to(i * wide), ir.load(source, from(i * wide), ir.valueType(dtype, wide), 1, part), part);
  });
  return around(
    ks.map((k) => ({ axis: k, v: k.v, begin: 0 })),
    copies,
  );
}
