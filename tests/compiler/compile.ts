// Compiles fetches without a session, for tests that look at what the compiler made.
import { machineFor } from '../../src/backends/wasm/machine.ts';
import { atOnce } from '../../src/base/turns.ts';
import { lower } from '../../src/compiler/graph/lower.ts';
import type { LoweredRun } from '../../src/compiler/graph/request.ts';
import { plan } from '../../src/compiler/plan.ts';
import { fuse } from '../../src/compiler/tasks/fuse.ts';
import type { Operation, Tensor } from '../../src/index.ts';
import type { Machine } from '../../src/loops/machine.ts';
import type { Program } from '../../src/loops/program.ts';
import type { Task } from '../../src/primitives/task.ts';

const wasm = machineFor(false);

type Any = Tensor<any, any>;
export interface Wanted {
  readonly fetches?: readonly Any[];
  readonly targets?: readonly Operation[];
  readonly feeds?: readonly (readonly [Any, readonly number[]])[];
}

export function compile(
  { fetches = [], targets = [], feeds = [] }: Wanted,
  machine: Machine = wasm,
): {
  lowered: LoweredRun;
  tasks: readonly Task[];
  program: Program;
} {
  const graph = (fetches[0] ?? targets[0]).graph;
  const request = { graph, fetches, targets, feeds: feeds.map(([tensor, shape]) => ({ tensor, shape })), seed: 0 };
  const lowered = lower(request);
  return { lowered, tasks: atOnce(fuse(lowered)).tasks, program: plan(lowered, machine) };
}
