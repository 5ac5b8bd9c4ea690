// Contractions: matmul and convolutions in all their passes. A tile of results is held in registers while the summed
// axes are walked; the operand that lies along the vectors is packed into panels, in blocks that stay in the cache.

import type { Machine } from '../../../loops/machine.ts';
import type { Contract } from '../../../primitives/primitives.ts';
import * as s from '../../../primitives/scalar.ts';
import type { Task } from '../../../primitives/task.ts';
import { sizeOf } from '../../../tensor/dtype.ts';
import { elements } from '../../../tensor/shape.ts';
import { outputBytes } from '../../body/outputs.ts';
import type { Offer } from '../../offer.ts';
import { reduction } from '../reduce/reduce.ts';
import { stagesOf } from './blocks.ts';
import { layoutsOf } from './layout.ts';
import { costOf, depthOf, type TilePlan, tilePlan } from './tile-plan.ts';
import { Tiling } from './tiling.ts';

/** Every result as a sum of products, without tiles: for shapes that have no rows or columns to reuse. */
export function sumOfProducts(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'contract') return undefined;
  // A product is an operand of a reduction as any other; only the shape of what is reduced is asked of its root.
  const x = s.mul(s.input(0, root.dtype), s.input(1, root.dtype));
  const reduce = { ...root, kind: 'reduce' as const, op: 'sum' as const, x: root.a };
  const offer = reduction({ ...task, root: reduce, operandBody: x }, machine);
  return offer && { ...offer, name: 'sum of products' };
}

/** Register tiles over packed panels, with the vectors along whichever axis costs less. */
export function tiled(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'contract' || elements(root.a.shape) === 0) return undefined;
  const plans = layoutsOf(task).flatMap((layout) => tilePlan(task, root, layout, machine) ?? []);
  const offers = plans.map((plan) => offerOf(plan, root));
  return offers.sort((a, b) => a.cost - b.cost)[0];
}

function offerOf(plan: TilePlan, { a, b }: Contract): Offer {
  const { task, layout, tile, lanes, packed, dtype } = plan;
  const shape = `${tile.rows}×${tile.vectors * lanes}`;
  const across = plan.results !== 'vectors';
  return {
    name: `tiles ${shape}${packed ? ', packed' : ''}${across ? ', across' : ''}`,
    cost: costOf(plan),
    build: (buffers) => {
      const flops = 2 * elements(task.shape) * depthOf(layout);
      const bytes = outputBytes(task) + (elements(a.node.shape) + elements(b.node.shape)) * sizeOf(dtype);
      const name = `contract ${shape}${across ? ' across' : ''}`;
      return stagesOf(new Tiling(plan, buffers)).map(({ does, body }) =>
        does === 'compute' ? { name, body, flops, bytes } : { name: `${does} for ${name}`, body, flops: 0, bytes: 0 },
      );
    },
  };
}
