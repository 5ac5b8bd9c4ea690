// Tasks without a root: every output is a function of the elements at its own position.
import type { Machine } from '../../loops/machine.ts';
import type { Task } from '../../primitives/task.ts';
import { elements } from '../../tensor/shape.ts';
import { taskCost } from '../body/cost.ts';
import { lanesFor } from '../body/expression.ts';
import { nest } from '../body/nest.ts';
import { computeOutputs, fills, iterationSpace, outputAccesses, outputBytes, outputTypes } from '../body/outputs.ts';
import type { Offer } from '../offer.ts';

/** One pass over all elements, vectors along the innermost axis. */
export function elementwise(task: Task, machine: Machine): Offer | undefined {
  if (task.root) return undefined;
  const bodies = task.outputs.map((o) => o.body);
  const lanes = lanesFor(machine, bodies, outputTypes(task));
  const flops = taskCost(bodies) * elements(task.shape);
  return {
    name: `elementwise ×${lanes}`,
    cost: flops / lanes,
    build: (buffers) => {
      const space = iterationSpace(task, outputAccesses(task));
      // A vector is stored to neighbouring elements, or not as a vector.
      const together = space.strides.slice(task.inputs.length).every((strides) => (strides.at(-1) ?? 1) === 1);
      const body = nest(space, together ? lanes : 1, machine, (p) => computeOutputs(task, buffers, p), 'parallel');
      const kernel = { name: 'elementwise', body, flops, bytes: outputBytes(task) };
      return [...fills(task, buffers, machine), kernel];
    },
  };
}
