// The loops of a contraction around its blocks: what is summed where, and what is parallel.

import type { Body, Buffer, Expression, LoopKind, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { sizeOf } from '../../../tensor/dtype.ts';
import { elements, rowMajor } from '../../../tensor/shape.ts';
import { added } from '../../body/indices.ts';
import { needsDigits, runsOf, type SumsAt, sumsAt } from '../../body/long-sums.ts';
import { divisorNear, inSteps, nest, type Position, threadParts } from '../../body/nest.ts';
import { computeOutputs, iterationSpace, outputAccesses } from '../../body/outputs.ts';
import { blockCount, type Cut, cutFor, groupOf, uncut } from '../tile/blocking.ts';
import { type AxisLoop, around, axisLoop } from './axis-loop.ts';
import type { OutAxis, SumAxis } from './layout.ts';
import { computing, oneBlock, packedBlock, packing } from './one-block.ts';
import type { Block, PartialSums, Stage, Tiling } from './tiling.ts';

/** The bodies of the kernels, in order. */
export function stagesOf(t: Tiling): Stage[] {
  const { packed, inParts, layout } = t.plan;
  if (inParts) return isInChunks(t) ? inChunks(t) : inBlocks(t);
  const all = everything(t, t.batch, layout.columns.size, undefined);
  if (t.batch.length > 0 || !packed) {
    const body = oneBlock(t, all, t.batch.length === 0);
    return [{ does: 'compute', body: around(t.batch, body, 'parallel') }];
  }
  const block = packedBlock(t, all, t.buffers.scratch);
  return [
    { does: 'pack', body: packing(t, block, 'parallel') },
    { does: 'compute', body: computing(t, block, true) },
  ];
}

/** All that is summed, for some columns, as one block. */
const everything = (
  t: Tiling,
  groups: readonly AxisLoop<OutAxis>[],
  count: number,
  partialSums: PartialSums | undefined,
): Block => ({ groups, outside: [], inner: t.plan.layout.sums, count, partialSums });

/** Are there too few panels for all threads, or so long rows that whole ones should be read? */
function isInChunks(t: Tiling): boolean {
  const { columns, rows, sums } = t.plan.layout;
  const panels = Math.floor(columns.size / t.width);
  // Whole rows of the operand are read faster than groups of their columns, if the sums of all chunks are far smaller.
  const long = columns.column === 1 && 4 * threadParts * rows.size <= sums[0].size;
  return t.batch.length === 0 && sums[0].size > 1 && (panels < threadParts || long);
}

// ---- sums that are kept in memory between blocks
/** Block after block of the summed axes; parallel over the batch, or over groups of panels. */
function inBlocks(t: Tiling): Stage[] {
  const { cut, dtype, task, layout } = t.plan;
  const [first] = task.outputs;
  // Sums that are never cut need no place.
  if (cut === uncut) return [{ does: 'compute', body: inGroups(t, undefined) }];
  const digits = digitsFor(t, layout.sums, cut);
  const plain = !digits && task.outputs.length === 1 && first.body.op === 'input' && first.body.value === -1;
  const count = elements(task.shape);
  const high = plain ? t.buffers.of(first.node) : t.buffers.scratch('sums', dtype, count);
  const sums: PartialSums = { high, low: digits ? lowFor(t, count) : undefined, from: ir.at(0) };
  return [
    { does: 'clear', body: clear(t, sums, 'parallel') },
    { does: 'compute', body: inGroups(t, sums) },
    ...(plain ? [] : [finish(t, sums, 1)]),
  ];
}

/** Are so many blocks added up that their sums need more digits? */
const digitsFor = ({ plan }: Tiling, sums: readonly SumAxis[], cut: Cut): boolean => {
  if (plan.dtype !== 'float32') return false;
  const sizes = sums.map((x) => x.size);
  const blocks = cut === uncut ? 1 : blockCount(sizes, cut);
  return needsDigits(blocks * runsOf(Math.ceil(elements(sizes) / blocks)));
};

const lowFor = (t: Tiling, count: number): Buffer => t.buffers.scratch('rounded', t.plan.dtype, count);

/** The blocks, for each item of the batch or for each group of panels in parallel. */
function inGroups(t: Tiling, sums: PartialSums | undefined): Body {
  const { layout, cut } = t.plan;
  const { columns } = layout;
  if (t.batch.length > 0) {
    return around(t.batch, blocks(t, everything(t, t.batch, columns.size, sums), cut), 'parallel');
  }
  return inSteps(columns.size, groupOf(columns.size, t.width)).flatMap((stretch) => {
    const g = axisLoop({ ...columns, row: 0 }, `g${stretch.begin}`, stretch);
    return around([g], blocks(t, everything(t, [g], stretch.step, sums), cut), 'parallel');
  });
}

/** The outermost summed axis in chunks, each with sums of its own: for few or small results of long sums. */
function inChunks(t: Tiling): Stage[] {
  const { layout, machine, dtype, task, packed } = t.plan;
  const { columns } = layout;
  const [first, ...others] = layout.sums;
  const size = divisorNear(first.size, Math.ceil(first.size / threadParts));
  const chunks = Math.ceil(first.size / size);
  const results = elements(task.shape);
  const high = t.buffers.scratch('sums', dtype, chunks * results);
  const cutOf = (steps: number): Cut => {
    const sizes = [steps, ...others.map((x) => x.size)];
    return cutFor(sizes, columns.size * sizeOf(dtype), machine, packed);
  };
  const digits = digitsFor(t, [{ ...first, size }, ...others], cutOf(size));
  const kept: SumsAt = { high, low: digits ? lowFor(t, chunks * results) : undefined };
  const scaled = { size: first.size, row: first.row * size, column: first.column * size };
  const body = inSteps(first.size, size).flatMap(({ begin, extent, step }) => {
    const number = begin / size;
    const chunk = axisLoop(scaled, `chunk${number}`, { begin: number, extent: extent / step, step: 1 });
    const inner = [{ ...first, size: step }, ...others];
    const cut = cutOf(step);
    const sums: PartialSums = { ...kept, from: ir.at(number * results, [chunk.v, results]) };
    const block: Block = { groups: [], outside: [chunk], inner, count: columns.size, partialSums: sums };
    return around([chunk], [...clear(t, sums, 'serial'), ...blocks(t, block, cut)], 'parallel');
  });
  return [{ does: 'compute', body }, finish(t, kept, chunks)];
}

function clear(t: Tiling, { high, low, from }: PartialSums, kind: LoopKind): Body {
  const space = { shape: [elements(t.plan.task.shape)], offsets: [0], strides: [[1]] };
  const zero = (p: Position) => ir.constant(0, ir.valueType(t.plan.dtype, p.lanes));
  const stores = (p: Position): Statement[] =>
    [high, ...(low ? [low] : [])].map((buffer) => ir.store(buffer, added(p.at(0), from), zero(p), p.count));
  return nest(space, t.plan.lanes, t.plan.machine, stores, kind);
}

/** The outputs, when all blocks have been summed: the sums of the chunks in order. */
function finish(t: Tiling, sums: SumsAt, chunks: number): Stage {
  const { task, dtype, machine } = t.plan;
  const accesses = outputAccesses(task);
  const results = elements(task.shape);
  const dense = { strides: rowMajor(task.shape), offset: 0 };
  const compute = (p: Position): Body => {
    const type = ir.valueType(dtype, p.lanes);
    const part = (c: number): Expression => sumsAt(sums, ir.plus(p.at(accesses.length), c * results), type, p.count);
    let total = part(0);
    for (let c = 1; c < chunks; c++) total = ir.binary('add', total, part(c));
    return computeOutputs(task, t.buffers, p, total);
  };
  const body = nest(iterationSpace(task, [...accesses, dense]), t.outputLanes(), machine, compute, 'parallel');
  return { does: 'finish', body };
}

/** What a block sums, cut into smaller blocks: each is packed and added to the sums. */
function blocks(t: Tiling, { inner: sums, outside, ...block }: Block, cut: Cut): Body {
  if (cut === uncut) return oneBlock(t, { ...block, outside, inner: sums }, false);
  const axis = sums[cut.axis];
  const before = sums.slice(0, cut.axis).map((x, i) => axisLoop(x, `s${i}`));
  const after = sums.slice(cut.axis + 1);
  const steps = inSteps(axis.size, cut.size).flatMap((stretch) => {
    const along = axisLoop(axis, `block${stretch.begin}`, stretch);
    const inner = [{ ...axis, size: stretch.step }, ...after].filter((x) => x.size !== 1);
    return around([along], oneBlock(t, { ...block, outside: [...outside, ...before, along], inner }, false));
  });
  return around(before, steps);
}
