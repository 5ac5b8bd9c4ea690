// Convolutions of step 1 with a small filter, and their adjoints, by Winograd's algorithm: tiles are transformed, for
// each point of the transform there is a product of matrices, and the results are transformed back.

import type { Machine } from '../../../loops/machine.ts';
import type { Task } from '../../../primitives/task.ts';
import { sizeOf } from '../../../tensor/dtype.ts';
import { elements } from '../../../tensor/shape.ts';
import { outputBytes } from '../../body/outputs.ts';
import type { Offer } from '../../offer.ts';
import { winogradPlan } from './plan.ts';
import { winogradKernels } from './strategies.ts';
import { WinogradTiles } from './tiles.ts';

/** Winograd's algorithm in two dimensions, F(4, r) or F(m, 4). */
export function winograd(task: Task, machine: Machine): Offer | undefined {
  const plan = winogradPlan(task, machine);
  if (!plan) return undefined;
  const { correlation, tilesOfTaps, axes, points, tiles, images, channels } = plan;
  const { x, w, out } = correlation;
  const size = axes.map((a) => a.algorithm.output.length).join('×');
  const name = `winograd ${tilesOfTaps ? 'taps' : size}, ${axes.map((a) => a.points).join('×')} points`;
  return {
    name,
    cost: plan.cost,
    build: (buffers) => {
      const flops = 2 * points * tiles * images.size * channels.size * out.size;
      const bytes = outputBytes(task) + (elements(x.node.shape) + elements(w.node.shape)) * sizeOf('float32');
      // The products count as all of the work.
      return winogradKernels(new WinogradTiles(plan, buffers)).map(({ does, body }) =>
        does === 'products' ? { name, body, flops, bytes } : { name: `${does} of ${name}`, body, flops: 0, bytes: 0 },
      );
    },
  };
}
