// A run with a clock: the steps of `run` one by one, from JavaScript, on the calling thread or on one of the pool.
import type { Action } from '../../emit/steps.ts';

/** What a thread of a run is given: where the arena begins, and its own space; its number, and of how many. */
export interface ThreadPart {
  readonly arena: number;
  readonly own: number;
  readonly thread: number;
  readonly threads: number;
}

/** When a thread called the kernels, by its own clock, which began at `origin`. */
export interface Timing {
  readonly code: number;
  readonly origin: number;
  readonly times: Float64Array;
}

/**
 * Does what the module's `run` does, and measures each call of a kernel: call i began at `times[2i]` and ended at
 * `times[2i + 1]`. The pool sends its text to the threads, so it refers to nothing outside and contains no functions.
 */
export function profiledRun(
  exports: Readonly<Record<string, (...args: number[]) => number>>,
  actions: readonly Action[],
  part: ThreadPart,
): Timing {
  const { arena, own, thread, threads } = part;
  const times = new Float64Array(2 * actions.length);
  let measured = 0;
  let code = 0;
  for (const action of actions) {
    if (action === 'barrier') exports.barrier(threads);
    else if (action === 'failed') {
      code = exports.failed(arena, own, thread, threads);
      if (code !== 0) break;
    } else {
      const kernel = exports[`k${action[0]}`];
      times[measured++] = performance.now();
      kernel(arena, own, action[1], thread, threads);
      times[measured++] = performance.now();
    }
  }
  return { code, origin: performance.timeOrigin, times: times.slice(0, measured) };
}

/** The times by the clock of the thread that asks. */
export function byOwnClock({ origin, times }: Timing): Float64Array {
  const shift = origin - performance.timeOrigin;
  return times.map((t) => t + shift);
}
