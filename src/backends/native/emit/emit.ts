// A program as C: one function a kernel, and `run`, which every thread of a run calls.

import { atOnce, type Sliced } from '../../../base/turns.ts';
import type { Buffer } from '../../../loops/ir.ts';
import type { Machine } from '../../../loops/machine.ts';
import { ownBuffer } from '../../../loops/patterns.ts';
import type { Program } from '../../../loops/program.ts';
import type { Origin } from '../../emit/addresses.ts';
import { groupsOf, type KernelGroup, type Sharing } from '../../emit/kernel-groups.ts';
import { stepsOf } from '../../emit/steps.ts';
import { baseText, writeKernel } from './kernel.ts';
import { prelude } from './prelude.ts';
import { writeRun } from './run.ts';
import { type Slot, Slots } from './slots.ts';

/** What the emitter needs to know about where a program will run. */
export interface EmitOptions {
  readonly machine: Pick<Machine, 'vectorBytes' | 'fusedMultiplyAdd'>;
  /** Take the time before and after each kernel. */
  readonly profile: boolean;
}

/** Addresses in registers cost nothing: two kernels are enough. */
const sharing: Sharing = { fewest: 2, mostGiven: Infinity };

/** The C text of a program, and its slots in order. */
export interface Emission {
  readonly source: string;
  readonly slots: readonly Slot[];
}

/**
 * The text depends on the program and the machine alone, never on addresses: the same program finds its compiled form
 * in the cache. It exports `millrace_run(call, thread)`, which returns 1 if a check failed, having run none of the
 * kernels after the checks, else 0.
 */
export const emitProgram = (program: Program, options: EmitOptions): Emission => atOnce(emitting(program, options));

/** The same, step by step. */
export function* emitting(program: Program, { machine, profile }: EmitOptions): Sliced<Emission> {
  const slots = new Slots(program);
  const originOf = (buffer: Buffer): Origin => slots.originOf(buffer);
  const parts = [prelude(machine.vectorBytes, machine.fusedMultiplyAdd)];
  const groups = yield* groupsOf(program.kernels, originOf, sharing);
  const functions = new Map<KernelGroup, string>();
  /** How each kernel is called. */
  const calls: string[] = [];
  for (const [number, kernel] of program.kernels.entries()) {
    const group = groups.get(kernel);
    const known = group && functions.get(group);
    const name = known ?? `k${number}`;
    if (!known) {
      const places = { originOf: group?.originOf ?? originOf, machine };
      parts.push(`static KERNEL ${yield* writeKernel(name, group?.pattern ?? kernel, places)}`);
      if (group) functions.set(group, name);
    }
    const given = (group?.given ?? []).map((b) => {
      const { base, offset } = originOf(ownBuffer(kernel, b));
      return `${baseText(base)} + ${offset}`;
    });
    calls.push(
      `${name}(call, own, start, thread, threads, ${given.length ? `(char *[]){${given.join(', ')}}` : '0'});`,
    );
    yield;
  }
  const status = program.status && originOf(program.status).offset;
  parts.push(...(yield* writeRun(stepsOf(program, true), { status, profile, calls })));
  return { source: parts.join('\n'), slots: slots.all };
}
