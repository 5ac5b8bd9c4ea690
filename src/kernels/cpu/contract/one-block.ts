// One block of the summed axes: its operands packed, and the loops over panels and rows of tiles.

import type { Body, Buffer, LoopKind, LoopVariable, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { elements, rowMajor } from '../../../tensor/shape.ts';
import { added } from '../../body/indices.ts';
import { isPartial, loop, partOf, threadParts, variable } from '../../body/nest.ts';
import type { TaskBuffers } from '../../offer.ts';
import { type AxisLoop, around, axisLoop, indexAlong } from './axis-loop.ts';
import { denseRuns } from './dense-reader.ts';
import type { OutAxis } from './layout.ts';
import { oneTile } from './one-tile.ts';
import { pack } from './pack.ts';
import { tileSite } from './tile-site.ts';
import type { Block, PackedBlock, Panel, Tiling } from './tiling.ts';

/** Packs a block for this thread and computes with it. */
export function oneBlock(t: Tiling, b: Block, parallel: boolean): Body {
  const block = packedBlock(t, b, t.buffers.own);
  return [...packing(t, block, 'serial'), ...computing(t, block, parallel)];
}

export function packedBlock(t: Tiling, block: Block, buffer: TaskBuffers['scratch']): PackedBlock {
  const depth = elements(block.inner.map((x) => x.size));
  const width = Math.ceil(block.count / t.plan.lanes) * t.plan.lanes;
  const packed = t.plan.packed ? buffer('panels', t.plan.dtype, width * depth) : undefined;
  return { ...block, depth, packed };
}

export function packing(t: Tiling, block: PackedBlock, kind: LoopKind): Body {
  const { packed } = block;
  return packed ? t.panels(block.count).flatMap((panel) => pack(t, block, panel, packed, kind)) : [];
}

/**
 * The tiles of rows around the panels: the results of few rows are streams that the processor fetches ahead, and the
 * packed panels are one too, from its second-level cache. Where threads have too few rows to share, the panels are around.
 */
export function computing(t: Tiling, block: PackedBlock, parallel: boolean): Body {
  const { plan, shared } = t;
  const { rows } = plan.layout;
  const kind = parallel && shared.length === 0 ? 'parallel' : 'serial';
  const tile = (panel: Panel, p: LoopVariable, m: AxisLoop<OutAxis>, copied?: Buffer): Body => {
    const site = tileSite(t, block, panel, p, m);
    return oneTile(site, denseRuns(site, copied));
  };
  const few = kind === 'parallel' && rows.size < threadParts * plan.tile.rows;
  const tiles = () => {
    if (few && plan.rows !== 'copied') {
      return inPanels(t, block, (panel, p) => t.inTiles(rows.size, (m) => tile(panel, p, m)), kind);
    }
    return t.inTiles(
      rows.size,
      (m) => {
        const copied = plan.rows === 'copied' ? t.buffers.own('rows', plan.dtype, m.v.step * block.depth) : undefined;
        const body = inPanels(t, block, (panel, p) => tile(panel, p, m, copied));
        return [...(copied ? packRows(t, block, copied, m) : []), ...body];
      },
      kind,
    );
  };
  return around(shared, tiles(), parallel ? 'parallel' : 'serial');
}

function inPanels(
  t: Tiling,
  block: PackedBlock,
  body: (panel: Panel, p: LoopVariable) => Body,
  kind: LoopKind = 'serial',
): Body {
  return t.panels(block.count).flatMap((panel) => {
    const width = panel.vectors * panel.lanes;
    const p = variable(`p${panel.begin}`, Math.ceil(panel.size / width) * width, width);
    return loop(p, body(panel, p), kind);
  });
}

/** Copies the rows of a tile, a step along the summed axes after the other. */
function packRows(t: Tiling, block: PackedBlock, target: Buffer, m: AxisLoop<OutAxis>): Body {
  const { layout, dtype, lanes, machine } = t.plan;
  const { row, rows } = layout;
  const height = m.v.step;
  const source = t.buffers.of(row.node);
  const ks = block.inner.map((x, i) => axisLoop(x, `k${i}`));
  const steps = rowMajor(ks.map((k) => k.axis.size));
  const from = added(
    ir.at(row.offset),
    indexAlong([...block.groups, m], (x) => x.row),
    indexAlong([...block.outside, ...ks], (x) => x.row),
  );
  const to = ir.at(0, ...ks.map(({ v }, i) => [v, steps[i] * height] as const));
  const rest = height % lanes;
  const wide = rows.row === 1 && (rest === 0 || isPartial(rest, lanes, machine)) ? lanes : 1;
  const type = ir.valueType(dtype, wide);
  const copies = Array.from({ length: Math.ceil(height / wide) }, (_, i): Statement => {
    const r = i * wide;
    const part = partOf(height - r, wide);
    return ir.store(target, ir.plus(to, r), ir.load(source, ir.plus(from, r * rows.row), type, 1, part), part);
  });
  return around(ks, copies);
}
