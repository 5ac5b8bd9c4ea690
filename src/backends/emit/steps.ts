// The order of a run: the one place from which both `run` and the profiled run take it.

import { isDivided } from '../../loops/patterns.ts';
import type { Program, Repeat } from '../../loops/program.ts';

/**
 * What each thread does: the kernel of a number; wait for the others; end the run if a check has failed; or other steps
 * for one block of items after another.
 */
export type Step = number | 'barrier' | 'failed' | Blocks;

export interface Blocks extends Pick<Repeat, 'items' | 'block'> {
  readonly steps: readonly Step[];
}

/** A barrier lies between two kernels unless one thread does both; without shared memory there is none. */
export function stepsOf({ kernels, checks, repeats, status }: Program, shared: boolean): Step[] {
  const divided = kernels.map(isDivided);
  const all: Step[] = [];
  let steps = all;
  const wait = () => {
    if (shared) steps.push('barrier');
  };
  for (const k of kernels.keys()) {
    if (k > 0 && k === checks && status) {
      wait();
      steps.push('failed');
    } else if (k > 0 && (divided[k - 1] || divided[k])) wait();
    const repeat = repeats.find((r) => k >= r.first && k < r.end);
    if (repeat?.first === k) {
      const { items, block } = repeat;
      const inside: Step[] = [];
      all.push({ items, block, steps: inside });
      steps = inside;
    }
    steps.push(k);
    if (repeat?.end === k + 1) {
      wait();
      steps = all;
    }
  }
  if (checks === kernels.length && status) {
    wait();
    steps.push('failed');
  }
  return all;
}

/** What a thread does once: the kernel of a number with the first item of its block, or as above. */
export type Action = readonly [kernel: number, start: number] | 'barrier' | 'failed';

/** The steps as they follow each other in a run. */
export function actionsOf(steps: readonly Step[], start = 0): Action[] {
  return steps.flatMap((step): Action[] => {
    if (typeof step === 'number') return [[step, start]];
    if (typeof step === 'string') return [step];
    const { items, block } = step;
    const blocks = Math.ceil(items / block);
    // The last block may overlap the one before it.
    return Array.from({ length: blocks }, (_, i) => actionsOf(step.steps, Math.min(i * block, items - block))).flat();
  });
}

/** The kernels that actions call, in order. */
export const kernelsCalled = (actions: readonly Action[]): number[] =>
  actions.flatMap((action) => (typeof action === 'string' ? [] : [action[0]]));
