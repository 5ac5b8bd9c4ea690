// The loops of a contraction around its blocks: what is summed where, and what is parallel.

import type { Buffer, Expression, LoopKind, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { sizeOf } from '../../../tensor/dtype.ts';
import { elements, rowMajor } from '../../../tensor/shape.ts';
import { type Body, nest, type Position } from '../../body/nest.ts';
import { computeOutputs, iterationSpace, outputAccesses } from '../../body/outputs.ts';
import { type Cut, cutFor, divisorNear, groupOf, threadParts, uncut } from '../tile/blocking.ts';
import type { Bound, OutAxis, SumAxis } from './layout.ts';
import { computing, oneBlock, packedBlock, packing } from './one-block.ts';
import { around, bound, type Part, type Sums, type Tiling } from './tiling.ts';

/** The bodies of the kernels, in order. */
export function tiledParts(t: Tiling): Part[] {
  const { packed, inParts, layout } = t.plan;
  const panels = Math.floor(layout.columns.size / t.width);
  if (inParts) {
    const { columns, rows, sums } = layout;
    // Whole rows of the operand are read faster than groups of their columns, if the sums of all chunks are far smaller.
    const long = columns.column === 1 && 4 * threadParts * rows.size <= sums[0].size;
    const chunks = t.batch.length === 0 && sums[0].size > 1 && (panels < threadParts || long);
    return chunks ? inChunks(t) : inBlocks(t);
  }
  const all = { groups: t.batch, outside: [], inner: layout.sums, sum: undefined, count: layout.columns.size };
  if (t.batch.length > 0 || !packed) {
    const body = oneBlock(t, all, t.batch.length === 0);
    return [{ part: 'compute', body: around(t.batch, body, 'parallel') }];
  }
  const block = packedBlock(t, all, t.buffers.scratch);
  return [
    { part: 'pack', body: packing(t, block, 'parallel') },
    { part: 'compute', body: computing(t, block, true) },
  ];
}

// ---- sums that are kept in memory between blocks
/** Block after block of the summed axes; parallel over the batch, or over groups of panels. */
function inBlocks(t: Tiling): Part[] {
  const { cut, dtype, task } = t.plan;
  const [first] = task.outputs;
  // Sums that are never cut need no place.
  if (cut === uncut) return [{ part: 'compute', body: inGroups(t, undefined) }];
  const plain = task.outputs.length === 1 && first.body.op === 'input' && first.body.value === -1;
  const elementCount = elements(task.shape);
  const buffer = plain ? t.buffers.of(first.node) : t.buffers.scratch('sums', dtype, elementCount);
  const sum: Sums = { buffer, offset: 0, terms: [] };
  const inOrder = (body: Body): Part[] => [
    { part: 'clear', body: clear(t, sum, 'parallel') },
    { part: 'compute', body },
    ...(plain ? [] : [finish(t, buffer, 1)]),
  ];
  return inOrder(inGroups(t, sum));
}

/** The blocks, for each item of the batch or for each group of panels in parallel. */
function inGroups(t: Tiling, sum: Sums | undefined): Body {
  const { layout, cut } = t.plan;
  const { columns } = layout;
  if (t.batch.length > 0) {
    const body = blocks(t, t.batch, [], layout.sums, cut, sum, columns.size);
    return around(t.batch, body, 'parallel');
  }
  const group = groupOf(columns.size, t.width);
  const grouped = Math.floor(columns.size / group) * group;
  const some = (begin: number, extent: number, count: number): Body => {
    const g = bound({ ...columns, row: 0 }, `g${begin}`, extent, count, begin);
    return around([g], blocks(t, [g], [], layout.sums, cut, sum, count), 'parallel');
  };
  const rest = columns.size - grouped;
  return [...(grouped > 0 ? some(0, grouped, group) : []), ...(rest > 0 ? some(grouped, rest, rest) : [])];
}

/** The outermost summed axis in chunks, each with sums of its own: for few or small results of long sums. */
function inChunks(t: Tiling): Part[] {
  const { layout, machine, dtype, task } = t.plan;
  const { columns } = layout;
  const [first, ...others] = layout.sums;
  const size = divisorNear(first.size, Math.ceil(first.size / threadParts));
  const full = Math.floor(first.size / size);
  const rest = first.size - full * size;
  const chunks = full + (rest > 0 ? 1 : 0);
  const results = elements(task.shape);
  const buffer = t.buffers.scratch('sums', dtype, chunks * results);
  const some = (begin: number, count: number, chunkSize: number): Body => {
    const scaled = { size: first.size, row: first.row * size, column: first.column * size };
    const chunk = bound(scaled, `chunk${begin}`, count, 1, begin);
    const inner = [{ ...first, size: chunkSize }, ...others];
    const bytes = columns.size * sizeOf(dtype);
    const cut = cutFor(
      inner.map((x) => x.size),
      bytes,
      machine,
      t.plan.packed,
    );
    const sum: Sums = { buffer, offset: begin * results, terms: [[chunk.v, results]] };
    const body = blocks(t, [], [chunk], inner, cut, sum, columns.size);
    return around([chunk], [...clear(t, sum, 'serial'), ...body], 'parallel');
  };
  const body = [...(full > 0 ? some(0, full, size) : []), ...(rest > 0 ? some(full, 1, rest) : [])];
  return [{ part: 'compute', body }, finish(t, buffer, chunks)];
}

function clear(t: Tiling, { buffer, offset, terms }: Sums, kind: LoopKind): Body {
  const space = { shape: [elements(t.plan.task.shape)], offsets: [0], strides: [[1]] };
  const store = (p: Position): Statement => {
    const { constant, terms: own } = p.at(0);
    const value = ir.constant(0, ir.valueType(t.plan.dtype, p.lanes));
    return ir.store(buffer, ir.at(constant + offset, ...own, ...terms), value, p.count);
  };
  return nest(space, t.plan.lanes, t.plan.machine, (p) => [store(p)], kind);
}

/** The outputs, when all blocks have been summed: the sums of the chunks in order. */
function finish(t: Tiling, buffer: Buffer, chunks: number): Part {
  const task = t.plan.task;
  const accesses = outputAccesses(task);
  const results = elements(task.shape);
  const dense = { strides: rowMajor(task.shape), offset: 0 };
  const space = iterationSpace(task, [...accesses, dense]);
  const body = nest(
    space,
    t.outputLanes(),
    t.plan.machine,
    (p) => {
      const type = ir.valueType(t.plan.dtype, p.lanes);
      const part = (c: number): Expression =>
        ir.load(buffer, ir.plus(p.at(accesses.length), c * results), type, 1, p.count);
      let total = part(0);
      for (let c = 1; c < chunks; c++) total = ir.binary('add', total, part(c));
      return computeOutputs(task, t.buffers, p, total);
    },
    'parallel',
  );
  return { part: 'finish', body };
}

/** The summed axes cut into blocks, for `count` columns: each block is packed and added to the sums. */
function blocks(
  t: Tiling,
  groups: readonly Bound<OutAxis>[],
  outside: readonly Bound<SumAxis>[],
  sums: readonly SumAxis[],
  cut: Cut,
  sum: Sums | undefined,
  count: number,
): Body {
  if (cut === uncut) return oneBlock(t, { groups, outside, inner: sums, sum, count }, false);
  const axis = sums[cut.axis];
  const before = sums.slice(0, cut.axis).map((x, i) => bound(x, `s${i}`, x.size));
  const after = sums.slice(cut.axis + 1);
  const rest = axis.size % cut.size;
  const piece = (begin: number, extent: number, size: number): Body => {
    const block = bound(axis, `block${begin}`, extent, size, begin);
    const inner = [{ ...axis, size }, ...after].filter((x) => x.size !== 1);
    const inside = oneBlock(t, { groups, outside: [...outside, ...before, block], inner, sum, count }, false);
    return around([block], inside);
  };
  const steps = [
    ...(axis.size >= cut.size ? piece(0, axis.size - rest, cut.size) : []),
    ...(rest > 0 ? piece(axis.size - rest, rest, rest) : []),
  ];
  return around(before, steps);
}
