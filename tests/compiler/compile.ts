// Compiles fetches without a session, for tests that look at what the compiler made. What the passes hand to each other is
// verified on the way.
import { machineFor } from '../../src/backends/wasm/machine.ts';
import {
  type CompileOptions,
  type CompileRequest,
  compile as compileRun,
  type LoweredRun,
  type Plan,
} from '../../src/compiler/compile.ts';
import type { Operation, Tensor } from '../../src/index.ts';
import type { Machine } from '../../src/loops/machine.ts';
import type { Task } from '../../src/primitives/task.ts';
import { verifyLowered } from '../../src/primitives/verify-lowered.ts';
import { verifyTask } from '../../src/primitives/verify-task.ts';

const wasm = machineFor(false);

type Any = Tensor<any, any>;
export interface Wanted {
  readonly fetches?: readonly Any[];
  readonly targets?: readonly Operation[];
  /** Each with its shape, and its numbers where sizes depend on them. */
  readonly feeds?: readonly (readonly [Any, readonly number[], (readonly number[])?])[];
}

export function requestFor({ fetches = [], targets = [], feeds = [] }: Wanted): CompileRequest {
  const { graph } = (fetches[0] ?? targets[0]) as Any;
  return { graph, fetches, targets, feeds: feeds.map(([tensor, shape, data]) => ({ tensor, shape, data })), seed: 0 };
}

/** The run in primitives, with equal operations computed once or each for itself. */
export function lower(wanted: Wanted, shareNodes = true): LoweredRun {
  const { run } = compileRun(requestFor(wanted), undefined, { shareNodes });
  verifyLowered(run);
  return run;
}

export interface Compiled {
  readonly lowered: LoweredRun;
  /** As fuse made them. */
  readonly tasks: readonly Task[];
  readonly program: Plan;
}

export function compile(wanted: Wanted, machine: Machine = wasm, options?: CompileOptions): Compiled {
  let tasks: readonly Task[] = [];
  const watch = {
    unique: verifyLowered,
    fuse: (fused: readonly Task[]) => {
      tasks = fused;
      tasks.forEach(verifyTask);
    },
    batch: (batched: readonly Task[]) => batched.forEach(verifyTask),
  };
  const { run, plan } = compileRun(requestFor(wanted), machine, { ...options, watch });
  verifyLowered(run);
  return { lowered: run, tasks, program: plan as Plan };
}
