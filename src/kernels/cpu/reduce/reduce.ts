// Reductions: sums, products, extremes, any and all, over any axes.

import type { Machine } from '../../../loops/machine.ts';
import type { Task } from '../../../primitives/task.ts';
import { elements } from '../../../tensor/shape.ts';
import { taskCost } from '../../body/cost.ts';
import { lanesFor } from '../../body/expression.ts';
import { isPartial, threadParts } from '../../body/nest.ts';
import { outputBytes, outputTypes } from '../../body/outputs.ts';
import type { Offer } from '../../offer.ts';
import { alongKept } from './along-kept.ts';
import { addsOf, alongReduced } from './along-reduced.ts';
import { type ReductionAxes, reductionAxes } from './reduction-axes.ts';
import type { ReducePlan, ReduceSite } from './site.ts';

/** So many terms may be added to a register of float32: then rounding takes less than a millionth of the sum of their sizes. */
const mostAdds = 64;

/** What a thread should add up at least, into how many parts it is cut at most, and how many rows a part should have. */
const enoughElements = 2 ** 17;
const mostParts = 64;
const enoughRows = 256;

/** A reduction of any axes. Vectors run along the kept axis that lies innermost, else along the reduced one. */
export function reduction(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'reduce' || !task.operandBody) return undefined;
  const operand = task.operandBody;
  const bodies = [operand, ...task.outputs.map((o) => o.body)];
  const axes = reductionAxes(task);
  const count = elements(task.shape) * elements(axes.reduced);
  const types = [...outputTypes(task), ...task.operands.map((v) => v.node.dtype)];
  const lanes = lanesFor(machine, bodies, types);
  const flops = (taskCost([operand]) + 1) * count;
  const bytes = outputBytes(task) + task.operands.length * count * 4;
  const along = vectorsAlong(axes, lanes, machine);
  const width = along === 'neither' ? 1 : lanes;
  const plan = { task, root, operand, axes, lanes: width, machine };
  const parts = partsFor(plan, along);
  return {
    name: `reduce ×${width}${parts > 1 ? `, ${parts} parts` : ''}`,
    cost: flops / width,
    build: (buffers) => {
      const site: ReduceSite = { ...plan, buffers, parts, isLong: isLong(plan, along) };
      const [body, joining] = along === 'kept' ? alongKept(site) : alongReduced(site);
      const name = `reduce ${root.op}`;
      const kernel = { name, body, flops, bytes };
      return joining ? [kernel, { name: `parts of ${name}`, body: joining, flops: 0, bytes: 0 }] : [kernel];
    },
  };
}

/** The axes along which vectors lie: an axis has to fill them, and to be where neighbours are. */
function vectorsAlong(axes: ReductionAxes, lanes: number, machine: Machine): 'kept' | 'reduced' | 'neither' {
  const fills = (size: number) => size >= lanes || isPartial(size, lanes, machine);
  const innermost = axes.reduced.at(-1);
  const neighbours = innermost !== undefined && axes.operands.strides.some((strides) => strides.at(-1) === 1);
  const keptFills = lanes > 1 && fills(axes.kept.at(-1) ?? 1);
  if (keptFills && (!neighbours || keptIsNearer(axes))) return 'kept';
  return neighbours && fills(innermost) ? 'reduced' : 'neither';
}

/** Are no more operands scattered along the kept axis than along the reduced one, and some neighbours? */
function keptIsNearer({ operands, kept }: ReductionAxes): boolean {
  const alongKept = operands.strides.map((strides) => strides[kept.length - 1]);
  const alongReduced = operands.strides.map((strides) => strides.at(-1));
  const scattered = (strides: readonly (number | undefined)[]) => strides.filter((n) => n !== 0 && n !== 1).length;
  return alongKept.includes(1) && scattered(alongKept) <= scattered(alongReduced);
}

/** Are there more numbers to add than a register of float32 may take? */
function isLong({ root, axes, ...plan }: ReducePlan, along: ReturnType<typeof vectorsAlong>): boolean {
  if (root.op !== 'sum' || root.dtype !== 'float32') return false;
  const outer = elements(axes.reduced.slice(0, -1));
  const adds = along === 'kept' ? elements(axes.reduced) : outer * addsOf(axes.reduced.at(-1) ?? 1, plan);
  return adds > mostAdds;
}

/**
 * Into how many parts what is reduced is cut, for the threads to share: where the kept axes are not enough for them, or
 * where columns are summed, of which whole rows are read faster. That follows from shapes alone.
 */
function partsFor(plan: ReducePlan, along: ReturnType<typeof vectorsAlong>): number {
  const { task, axes } = plan;
  const { kept, reduced } = axes;
  const rows = elements(reduced);
  const most = Math.min(mostParts, Math.floor((elements(kept) * rows) / enoughElements));
  if (task.byItem || most < 2) return 1;
  if (along === 'kept') {
    const shared = kept.length > 1 && kept[0] >= threadParts;
    return shared || !isLong(plan, along) ? 1 : Math.max(1, Math.min(most, Math.floor(rows / enoughRows)));
  }
  return (kept[0] ?? 1) >= threadParts ? 1 : most;
}
