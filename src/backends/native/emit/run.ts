// The function of a program that every thread of a run calls: its steps in order.

import type { Sliced } from '../../../base/turns.ts';
import { actionsOf, kernelsCalled, type Step } from '../../emit/steps.ts';

/** Steps of a run that are one function: in a long one compilers look at each variable again for every other. */
const stepsTogether = 200;

/** What the steps refer to. */
export interface RunOptions {
  /** Where the status lies in the arena. */
  readonly status: number | undefined;
  /** Take the time before and after each kernel. */
  readonly profile: boolean;
  /** How each kernel is called. */
  readonly calls: readonly string[];
}

/** The texts of `millrace_run` and of the functions that it calls. */
export function* writeRun(steps: readonly Step[], options: RunOptions): Sliced<string[]> {
  const { profile } = options;
  const texts: string[] = [];
  const pieces: string[] = [];
  for (let first = 0; first < steps.length; first += stepsTogether) {
    const together = steps.slice(first, first + stepsTogether);
    const name = `steps${first}`;
    texts.push(
      `static STEPS i32 ${name}(const struct call *call, char *own, i64 thread, i64 threads, f64 *times) {`,
      // The first item of the block, 0 outside blocks.
      'i64 start = 0;',
      ...linesOf(together, options),
      'return 0;',
      '}',
    );
    pieces.push(`if (${name}(call, own, thread, call->threads, times)) return 1;`);
    if (profile) pieces.push(`times += ${2 * kernelsCalled(actionsOf(together)).length};`);
    yield;
  }
  texts.push(
    '__attribute__((visibility("default"))) i32 millrace_run(const struct call *call, i64 thread) {',
    'char *const own = call->own + thread * call->own_bytes;',
    `f64 *times = ${profile ? 'call->times + thread * call->times_of_thread' : '0'};`,
    ...pieces,
    'return 0;',
    '}',
    '',
  );
  return texts;
}

function linesOf(steps: readonly Step[], options: RunOptions): string[] {
  const { status, profile, calls } = options;
  return steps.flatMap((step) => {
    if (step === 'barrier') return ['if (threads > 1) call->wait();'];
    if (step === 'failed') return [`if (AT(f64, call->arena + ${status}) != 0) return 1;`];
    if (typeof step === 'number') {
      return profile ? ['*times++ = call->now();', calls[step], '*times++ = call->now();'] : [calls[step]];
    }
    // The last block may overlap the one before it.
    const last = step.items - step.block;
    return [
      'for (start = 0;;) {',
      ...linesOf(step.steps, options),
      `if (start >= ${last}) break;`,
      `start = start + ${step.block} < ${last} ? start + ${step.block} : ${last};`,
      '}',
      'start = 0;',
    ];
  });
}
