// One block of the summed axes: its operands packed, and the loops over panels and rows of tiles.

import type { Buffer, LoopKind, LoopVariable, Statement } from '../loops/ir.ts';
import * as ir from '../loops/ir.ts';
import { sizeOf } from '../tensor/dtype.ts';
import { elements, rowMajor } from '../tensor/shape.ts';
import { parts } from './blocking.ts';
import type { Bound, OutAxis, Panel } from './layout.ts';
import { loop, variable } from './nest.ts';
import type { Storage } from './offer.ts';
import { pack } from './pack.ts';
import { oneTile } from './tile-results.ts';
import { around, type Body, bound, offsetOf, type TileBlock, type Tiling, termsOf } from './tiling.ts';

/** Packs a block for this thread and computes with it. */
export function oneBlock(t: Tiling, b: Omit<TileBlock, 'panels' | 'depth'>, parallel: boolean): Body {
  const block = packedBlock(t, b, t.storage.own);
  return [...packing(t, block, 'serial'), ...computing(t, block, parallel)];
}

export function packedBlock(t: Tiling, b: Omit<TileBlock, 'panels' | 'depth'>, scratch: Storage['scratch']): TileBlock {
  const depth = elements(b.inner.map((x) => x.size));
  const width = Math.ceil(b.count / t.plan.lanes) * t.plan.lanes;
  const panels = t.plan.packed ? scratch('panels', t.plan.dtype, width * depth) : undefined;
  return { ...b, depth, panels };
}

export function packing(t: Tiling, block: TileBlock, kind: LoopKind): Body {
  const { panels } = block;
  if (!panels) return [];
  const source = t.storage.bufferOf(t.plan.layout.column.node);
  return t.panels(block.count).flatMap((p) => [...pack(t.plan.layout, p, source, panels, block, kind)]);
}

export function computing(t: Tiling, block: TileBlock, parallel: boolean): Body {
  // The axes around the panels: images, so that one image stays in the cache while all panels pass over it.
  const shared = t.shared;
  const outer = shared.slice(0, Math.max(0, shared.length - 1));
  const within = shared.slice(outer.length);
  const kind = parallel && outer.length === 0 ? 'parallel' : 'serial';
  const computing = rowBlocks(t, block, within.length === 0, kind, (rowsOf, panelKind) =>
    t.panels(block.count).flatMap((panel) => {
      const width = panel.vectors * panel.lanes;
      const p = variable(`p${panel.begin}`, Math.ceil(panel.size / width) * width, width);
      return loop(p, around(within, rowsOf(panel, p)), panelKind);
    }),
  );
  return around(outer, computing, parallel ? 'parallel' : 'serial');
}

/** Rows in parts that stay in the cache while all panels pass over them, where there are more. */
function rowBlocks(
  t: Tiling,
  block: TileBlock,
  alone: boolean,
  kind: LoopKind,
  body: (rowsOf: (panel: Panel, p: LoopVariable) => Body, panelKind: LoopKind) => Body,
): Body {
  const { rows } = t.plan.layout;
  const { cache } = t.plan.machine;
  const tile = t.plan.tile.rows;
  // Rows of the operand in half of the second-level cache; the lines of results that a panel only begins, in the first.
  const arrays = block.sum ? 1 : t.plan.task.inputs.length + t.plan.task.outputs.length;
  const fits = Math.floor(Math.min(cache[1] / 2 / (block.depth * sizeOf(t.plan.dtype)), cache[0] / (64 * arrays)));
  const divided = kind === 'parallel' && rows.size >= parts * tile;
  const wanted = divided ? Math.min(fits, Math.ceil(rows.size / parts)) : fits;
  const size = Math.max(1, Math.floor(wanted / tile)) * tile;
  const packed = t.plan.packedRows;
  if (!packed && (!alone || rows.size <= size)) {
    return body((panel, p) => rowTiles(t, panel, p, block, [], rows.size), kind);
  }
  const some = (begin: number, extent: number, count: number): Body => {
    const b = bound({ ...rows, column: 0 }, `rows${begin}`, extent, count, begin);
    if (!packed)
      return around(
        [b],
        body((panel, p) => rowTiles(t, panel, p, block, [b], count), 'serial'),
        kind,
      );
    const own = t.storage.own('rows', t.plan.dtype, count * block.depth);
    const copied = { ...block, packedRows: own };
    const computing = body((panel, p) => rowTiles(t, panel, p, copied, [b], count), 'serial');
    return around([b], [...packRows(t, copied, own, b, count), ...computing], kind);
  };
  const rest = rows.size % size;
  return [...some(0, rows.size - rest, size), ...(rest > 0 ? some(rows.size - rest, rest, rest) : [])];
}

/** Copies some rows of the row operand, tile after tile, in each a step along the summed axes after the other. */
function packRows(t: Tiling, block: TileBlock, target: Buffer, b: Bound<OutAxis>, count: number): Body {
  const { layout, dtype, lanes } = t.plan;
  const { row, rows } = layout;
  const source = t.storage.bufferOf(row.node);
  const ks = block.inner.map((x, i) => ({ ...x, v: variable(`k${i}`, x.size) }));
  const steps = rowMajor(ks.map((k) => k.size));
  const bounds = [...block.groups, b];
  const offset = row.offset + offsetOf(bounds, (x) => x.row) + offsetOf(block.outside, (x) => x.row);
  return t.inTiles(count, (m, height) => {
    const from = (r: number) =>
      ir.at(
        offset + (m.begin + r) * rows.row,
        [m.v, rows.row],
        ...termsOf(bounds, (x) => x.row),
        ...termsOf(block.outside, (x) => x.row),
        ...ks.map((k) => [k.v, k.row] as const),
      );
    const to = (r: number) =>
      ir.at(m.begin * block.depth + r, [m.v, block.depth], ...ks.map((k, i) => [k.v, steps[i] * height] as const));
    const wide = rows.row === 1 && height % lanes === 0 ? lanes : 1;
    const copies = Array.from({ length: height / wide }, (_, i): Statement => {
      const value = ir.load(source, from(i * wide), ir.valueType(dtype, wide));
      return { kind: 'store', buffer: target, index: to(i * wide), value };
    });
    return around(
      ks.map((k) => ({ axis: k, v: k.v, begin: 0 })),
      copies,
    );
  });
}

/** Some of the rows, tile after tile, and those that do not fill a tile. */
function rowTiles(
  t: Tiling,
  panel: Panel,
  p: LoopVariable,
  block: TileBlock,
  within: readonly Bound<OutAxis>[],
  count: number,
): Body {
  return t.inTiles(count, (m, height) => oneTile(t, block, panel, p, [...within, m], height));
}
