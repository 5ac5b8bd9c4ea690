// Assemble: what the passes made, as one program.

import type { Kernel } from '../../loops/ir.ts';
import type { Port, Program } from '../../loops/program.ts';
import type { Lowered, View } from '../../primitives/primitives.ts';
import type { Fused } from '../tasks/fuse.ts';
import type { Batched } from './batch.ts';
import type { Buffers, Placement } from './buffers.ts';
import type { Built, PlannedTask } from './build.ts';

export type { PlannedTask } from './build.ts';

/** A program with what the compiler knew when it made it, for `explain`. */
export interface Plan extends Program, Placement {
  readonly tasks: readonly PlannedTask[];
}

interface Parts {
  readonly lowered: Lowered;
  readonly fused: Fused;
  readonly batched: Batched;
  readonly buffers: Buffers;
  readonly built: Built;
  /** Those that were built, with their loops as emitters take them. */
  readonly kernels: readonly Kernel[];
  readonly placement: Placement;
}

export function assemble({ lowered, fused, batched, buffers, built, kernels, placement }: Parts): Plan {
  const { checks, tasks } = built;
  const nodes = buffers.nodes();
  const used = new Set(nodes);
  const port = ({ node, shape }: View): Port => ({ buffer: buffers.of(node), dtype: node.dtype, shape });
  return {
    kernels,
    checks,
    repeats: batched.chains
      .filter((c) => !c.parallel)
      .map((c) => ({ ...c, first: tasks[c.first].kernels[0], end: tasks[c.end - 1].kernels[1] })),
    ...placement,
    feeds: lowered.feeds.map((node) =>
      used.has(node) ? { buffer: buffers.of(node), dtype: node.dtype, shape: node.shape } : undefined,
    ),
    fetches: fused.fetches.map(port),
    counters: nodes.filter((n) => n.kind === 'counter').map((n) => ({ name: n.name, buffer: buffers.of(n) })),
    status: buffers.hasStatus() ? buffers.status() : undefined,
    messages: lowered.checks.map((c) => c.message),
    variables: buffers.variables(lowered),
    tasks,
  };
}
