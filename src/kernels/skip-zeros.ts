// Contractions without the factors that are zero: of each row of one operand the others are listed, and only their
// products are added. A factor of zero counts for nothing, also where the other one is NaN or infinite.

import type { Expression, Kernel, Local, Statement } from '../loops/ir.ts';
import * as ir from '../loops/ir.ts';
import type { Machine } from '../loops/machine.ts';
import type { Task } from '../program/task.ts';
import { nonZeroShare } from '../program/zeros.ts';
import { packingCost, whole } from './blocking.ts';
import { tiled } from './contract.ts';
import { type Layout, layoutsOf } from './layout.ts';
import { loop, variable } from './nest.ts';
import type { Offer } from './offer.ts';
import { outputBytes } from './outputs.ts';
import { packedBlock, packing } from './tile-blocks.ts';
import { type Lists, oneTile } from './tile-results.ts';
import { around, type Body, bound, Tiling } from './tiling.ts';

const int32 = ir.valueType('int32', 1);
/** Vectors of a panel: their sums are independent chains of additions, and with their operands they fit the registers. */
const panelVectors = 6;
/**
 * Cycles for one product of a vector; to begin and end a list; to look at an element. Fitted to measurements, the first
 * with a tenth on top, since how many zeros there will be is only a guess.
 */
const productCost = 1.2;
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
  const offers = layoutsOf(task).flatMap((layout) => along(task, layout, machine, dense) ?? []);
  return offers.sort((a, b) => a.cost - b.cost)[0];
}

function along(task: Task, layout: Layout, machine: Machine, dense: Offer): Offer | undefined {
  const { rows, columns, sums, outer, inner } = layout;
  const lanes = machine.vectorBytes / 4;
  if (!inner || outer.length > 0 || sums.length !== 1 || columns.size < panelVectors * lanes) return undefined;
  const share = nonZeroShare(layout.row.node);
  if (share === 1) return undefined;
  const [{ size: depth }] = sums;
  if (rows.size * depth > mostListed) return undefined;
  const vectors = Math.ceil(columns.size / lanes);
  const results = outputBytes(task);
  const arrays = results > machine.cache[1] ? task.inputs.length + task.outputs.length : 0;
  const fixed =
    packingCost(columns.size * depth, columns.column === 1, lanes) +
    rows.size * Math.ceil(vectors / panelVectors) * (listCost + arrays * missCost) +
    rows.size * depth * lookCost;
  const products = rows.size * depth * vectors * productCost;
  // Where as many elements are not zero, both ways take the same time.
  const most = Math.floor(((dense.cost - fixed) / products) * rows.size * depth);
  const tile = { rows: 1, vectors: panelVectors };
  const plan = { task, layout, machine, dtype: 'float32', tile, lanes, split: whole } as const;
  const flops = 2 * rows.size * columns.size * depth * share;
  const bytes = results + (rows.size + columns.size) * depth * 4;
  return {
    name: `lists of ${Math.round(share * 100)} % that are not zero`,
    cost: fixed + products * share,
    build: (storage) => {
      const t = new Tiling({ ...plan, packed: true, packedRows: false, inParts: true }, storage);
      const lists: Lists = {
        counts: storage.scratch('counts', 'int32', rows.size),
        steps: storage.scratch('steps', 'int32', rows.size * depth),
        values: storage.scratch('values', 'float32', rows.size * depth),
      };
      const total = storage.scratch('total', 'int32', 1);
      const limit = ir.constant(most, int32);
      const count = ir.load(total, ir.at(0), int32);
      const few = ir.compare('lessEqual', count, limit);
      const many = ir.compare('less', limit, count);
      const plain = { flops: 0, bytes: 0 };
      return [
        { name: 'list of what is not zero', body: listing(t, lists), ...plain },
        { name: 'count of what is not zero', body: counting(t, lists, total), ...plain },
        ...dense.build(storage).map((k) => ({ ...onlyIf(many, k), name: `${k.name} if dense`, ...plain })),
        onlyIf(few, { name: 'contract lists', body: multiplying(t, lists), flops, bytes }),
      ];
    },
  };
}

/** Of each row a list: made in the thread's own space, since a computed index could be anywhere, then copied. */
function listing(t: Tiling, { counts, steps, values }: Lists): Body {
  const { row, rows, sums } = t.plan.layout;
  const [{ size: depth, row: stride }] = sums;
  const source = t.storage.bufferOf(row.node);
  const ownSteps = t.storage.own('steps', 'int32', depth);
  const ownValues = t.storage.own('values', 'float32', depth);
  const m = bound(rows, 'm', rows.size);
  const k = variable('k', depth);
  const count: Local = { name: 'count', type: int32 };
  const value: Local = { name: 'value', type: ir.valueType('float32', 1) };
  const zero = ir.constant(0, value.type);
  const next = ir.local(count);
  const found = ir.convert(ir.compare('notEqual', ir.local(value), zero), 'int32');
  const looking: Body = [
    { kind: 'set', local: value, value: ir.load(source, ir.at(row.offset, [m.v, rows.row], [k, stride]), value.type) },
    { kind: 'storeAt', buffer: ownSteps, index: next, value: ir.index(ir.at(0, [k, 1]), int32) },
    { kind: 'storeAt', buffer: ownValues, index: next, value: ir.local(value) },
    { kind: 'set', local: count, value: ir.binary('add', next, found) },
  ];
  const e = variable('e', depth);
  const to = ir.at(0, [m.v, depth], [e, 1]);
  const copying: Body = [
    { kind: 'store', buffer: steps, index: to, value: ir.load(ownSteps, ir.at(0, [e, 1]), int32) },
    { kind: 'store', buffer: values, index: to, value: ir.load(ownValues, ir.at(0, [e, 1]), value.type) },
  ];
  const body: Body = [
    { kind: 'set', local: count, value: ir.constant(0, int32) },
    ...loop(k, looking),
    { kind: 'store', buffer: counts, index: ir.at(0, [m.v, 1]), value: next },
    { kind: 'loop', variable: e, loop: 'serial', count: next, body: copying },
  ];
  return around([m], body, 'parallel');
}

function counting(t: Tiling, { counts }: Lists, total: Lists['counts']): Body {
  const sum: Local = { name: 'sum', type: int32 };
  const m = variable('m', t.plan.layout.rows.size);
  const add = ir.binary('add', ir.local(sum), ir.load(counts, ir.at(0, [m, 1]), int32));
  return [
    { kind: 'set', local: sum, value: ir.constant(0, int32) },
    ...loop(m, [{ kind: 'set', local: sum, value: add }]),
    { kind: 'store', buffer: total, index: ir.at(0), value: ir.local(sum) },
  ];
}

/** Panel after panel, each packed by the thread that computes all rows with it. */
function multiplying(t: Tiling, lists: Lists): Body {
  const { columns, rows, sums } = t.plan.layout;
  const some = (begin: number, extent: number, count: number): Body => {
    const g = bound({ ...columns, row: 0 }, `g${begin}`, extent, count, begin);
    const block = packedBlock(t, { groups: [g], outside: [], inner: sums, sum: undefined, count }, t.storage.own);
    const [panel] = t.panels(count);
    const p = variable('p', 1);
    const products = t.inTiles(rows.size, (m) => oneTile(t, block, lists, panel, p, m, 1));
    return around([g], [...packing(t, block, 'serial'), ...loop(p, products)], 'parallel');
  };
  const rest = columns.size % t.width;
  return [...some(0, columns.size - rest, t.width), ...(rest > 0 ? some(columns.size - rest, rest, rest) : [])];
}

/** The kernel if the condition holds. */
function onlyIf(condition: Expression, kernel: Kernel): Kernel {
  const guarded = (body: Body): Statement => ({ kind: 'if', condition, body });
  const body = kernel.body.map((s) =>
    ir.isParallel(s) && s.kind === 'loop' ? { ...s, body: [guarded(s.body)] } : guarded([s]),
  );
  return { ...kernel, body };
}
