// Contractions without the factors that are zero: of each row of one operand the others are listed, and only their
// products are added. A factor of zero counts for nothing, also where the other one is NaN or infinite.

import type { Body, Buffer, Expression, Kernel, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { lanesOf, type Machine } from '../../../loops/machine.ts';
import type { Task } from '../../../primitives/task.ts';
import { nonZeroShare } from '../../../primitives/zeros.ts';
import { sizeOf } from '../../../tensor/dtype.ts';
import { int32 } from '../../body/indices.ts';
import { inSteps, loop, variable } from '../../body/nest.ts';
import { outputBytes } from '../../body/outputs.ts';
import type { Offer } from '../../offer.ts';
import { type AxisLoop, around, axisLoop } from '../contract/axis-loop.ts';
import { tiled } from '../contract/contract.ts';
import { type Layout, layoutsOf, type OutAxis } from '../contract/layout.ts';
import { packedBlock, packing } from '../contract/one-block.ts';
import { oneTile } from '../contract/one-tile.ts';
import { canBeTurned, depthOf, type TilePlan } from '../contract/tile-plan.ts';
import { tileSite } from '../contract/tile-site.ts';
import { type Block, Tiling } from '../contract/tiling.ts';
import { packingCost, packingWay, uncut } from '../tile/blocking.ts';
import { counting, type Lists, listing, listRuns, listsFor } from './lists.ts';
import { turnedTiles } from './turned-lists.ts';

/** Vectors of a panel: their sums are independent chains of additions, and with their operands they fit the registers. */
const panelVectors = 4;
/**
 * Cycles for one product of a vector, besides its load; to begin and end a list; to look at an element. Fitted to
 * measurements, the first with a tenth on top, since how many zeros there will be is only a guess.
 */
const productCost = 0.4;
const listCost = 30;
const lookCost = 4;
/** Lists of more elements, eight bytes each, would need more memory than they are worth. */
const mostListed = 2 ** 21;
/** For each array that results are read from or stored to and that is in no cache: no processor foresees columns. */
const missCost = 40;

/** Offers lists where an operand is likely to have zeros; when a run finds too few, it computes all products. */
export function skippingZeros(task: Task, machine: Machine): Offer | undefined {
  const { root } = task;
  if (root?.kind !== 'contract' || root.dtype !== 'float32') return undefined;
  if (task.operands.every((v) => nonZeroShare(v.node) === 1)) return undefined;
  const dense = tiled(task, machine);
  if (!dense) return undefined;
  const plans = layoutsOf(task).flatMap((layout) => listPlan(task, layout, machine) ?? []);
  const offers = plans.map((plan) => offerOf(plan, dense));
  return offers.sort((a, b) => a.cost - b.cost)[0];
}

/** Tiles of one row, whose list says which of the packed columns it needs; undefined where lists are not for a layout. */
function listPlan(task: Task, layout: Layout, machine: Machine): TilePlan | undefined {
  const { rows, columns, sums, outer, inner } = layout;
  const dtype = 'float32';
  const lanes = lanesOf(machine, dtype);
  const tile = { rows: 1, vectors: panelVectors };
  if (outer.length > 0 || sums.length !== 1 || columns.size < tile.vectors * lanes) return undefined;
  if (nonZeroShare(layout.row.node) === 1 || rows.size * depthOf(layout) > mostListed) return undefined;
  if (!inner && !canBeTurned(task, layout, lanes, machine)) return undefined;
  const results = inner ? 'vectors' : 'turned';
  return { task, layout, machine, dtype, tile, lanes, packed: true, inParts: true, cut: uncut, rows: 'near', results };
}

/** Cycles for what is done whatever the lists are, and for all products if none of them were left out. */
function costsOf({ task, layout, machine, lanes, results }: TilePlan): { fixed: number; products: number } {
  const { rows, columns, sums } = layout;
  const depth = depthOf(layout);
  const vectors = Math.ceil(columns.size / lanes);
  const isFar = results === 'vectors' && outputBytes(task) > machine.cache[1];
  const arrays = isFar ? task.inputs.length + task.outputs.length : 0;
  const fixed =
    packingCost(columns.size * depth, packingWay(columns.column, sums[0].column), lanes) +
    rows.size * Math.ceil(vectors / panelVectors) * (listCost + arrays * missCost) +
    rows.size * depth * lookCost +
    (results === 'turned' ? packingCost(rows.size * columns.size, 'turned', lanes) : 0);
  return { fixed, products: rows.size * depth * vectors * (machine.loadCost + productCost) };
}

/** Lists are made first. Then either they are multiplied, or if they are too long the dense kernels run. */
function offerOf(plan: TilePlan, dense: Offer): Offer {
  const { task, layout } = plan;
  const { row, rows, columns } = layout;
  const depth = depthOf(layout);
  const share = nonZeroShare(row.node);
  const { fixed, products } = costsOf(plan);
  // Where as many elements are not zero, both ways take the same time.
  const most = Math.floor(((dense.cost - fixed) / products) * rows.size * depth);
  const flops = 2 * rows.size * columns.size * depth * share;
  const bytes = outputBytes(task) + (rows.size + columns.size) * depth * sizeOf('float32');
  return {
    name: `lists of ${Math.round(share * 100)} % that are not zero`,
    cost: fixed + products * share,
    build: (buffers) => {
      const t = new Tiling(plan, buffers);
      const lists = listsFor(t, rows.size, depth);
      const total = buffers.scratch('total', 'int32', 1);
      const limit = ir.constant(most, int32);
      const count = ir.load(total, ir.at(0), int32);
      const few = ir.compare('lessEqual', count, limit);
      const many = ir.compare('less', limit, count);
      const plain = { flops: 0, bytes: 0 };
      return [
        { name: 'list of what is not zero', body: listing(t, lists), ...plain },
        { name: 'count of what is not zero', body: counting(rows.size, lists, total), ...plain },
        ...dense.build(buffers).map((k) => ({ ...onlyIf(many, k), name: `${k.name} if dense`, ...plain })),
        onlyIf(few, { name: 'contract lists', body: multiplying(t, lists), flops, bytes }),
      ];
    },
  };
}

/** Panel after panel, each packed by the thread that computes all rows with it. */
function multiplying(t: Tiling, lists: Lists): Body {
  const { columns, rows, sums, inner } = t.plan.layout;
  return inSteps(columns.size, t.width).flatMap((stretch) => {
    const g = axisLoop({ ...columns, row: 0 }, `g${stretch.begin}`, stretch);
    const one: Block = { groups: [g], outside: [], inner: sums, partialSums: undefined, count: stretch.step };
    const block = packedBlock(t, one, t.buffers.own);
    const [panel] = t.panels(block.count);
    const p = variable('p', 1);
    const packed = { ...panel, buffer: block.packed as Buffer, depth: block.depth };
    const oneRow = (m: AxisLoop<OutAxis>): Body => {
      const site = tileSite(t, block, panel, p, m);
      return oneTile(site, listRuns(lists, ir.at(m.begin, [m.v, 1]), packed, site.id));
    };
    const products = inner ? loop(p, t.inTiles(rows.size, oneRow)) : turnedTiles(t, block, lists, panel.vectors);
    return around([g], [...packing(t, block, 'serial'), ...products], 'parallel');
  });
}

/** The kernel if the condition holds. */
function onlyIf(condition: Expression, kernel: Kernel): Kernel {
  const guarded = (body: Body): Statement => ({ kind: 'if', condition, body });
  const body: Statement[] = [];
  let alone: Statement[] = [];
  for (const s of kernel.body) {
    if (s.kind !== 'loop' || !ir.isParallel(s)) alone.push(s);
    else {
      if (alone.length > 0) body.push(guarded(alone));
      alone = [];
      body.push({ ...s, body: [guarded(s.body)] });
    }
  }
  return { ...kernel, body: alone.length > 0 ? [...body, guarded(alone)] : body };
}
