// A program as C: one function a kernel, and `run`, which every thread of a run calls.
import type { Buffer } from '../../loops/ir.ts';
import type { Machine } from '../../loops/machine.ts';
import type { LastingPlace, Program } from '../../loops/program.ts';
import { InternalError } from '../../tensor/errors.ts';
import { atOnce, type Steps } from '../../tensor/turns.ts';
import type { Origin } from '../addresses.ts';
import { type Step, stepsOf } from '../steps.ts';
import { writeKernel } from './kernel.ts';
import { prelude } from './prelude.ts';

/** What the emitter needs to know about where a program will run. */
export interface EmitOptions {
  readonly machine: Pick<Machine, 'vectorBytes' | 'registers' | 'fusedMultiplyAdd'>;
  /** Take the time before and after each kernel. */
  readonly profile: boolean;
}

/** The C text of a program, and what the slots of the table that it is called with must point to, in order. */
export interface Emission {
  readonly source: string;
  readonly slots: readonly LastingPlace[];
}

/**
 * The text depends on the program and the machine alone, never on addresses: the same program finds its compiled form
 * in the cache. It exports `millrace_run(call, thread)`, which returns 1 if a check failed, having run none of the
 * kernels after the checks, else 0.
 */
export const emitProgram = (program: Program, options: EmitOptions): Emission => atOnce(emitting(program, options));

/** The same, step by step. */
export function* emitting(program: Program, { machine, profile }: EmitOptions): Steps<Emission> {
  const slots: LastingPlace[] = [];
  const numbers = new Map<number | LastingPlace, number>();
  /** Buffers of one variable share a slot. */
  const slotOf = (place: LastingPlace): `slot${number}` => {
    const key = place.kind === 'variable' ? place.key : place;
    let number = numbers.get(key);
    if (number === undefined) numbers.set(key, (number = slots.push(place) - 1));
    return `slot${number}`;
  };
  const origins = new Map<Buffer, Origin>();
  const originOf = (buffer: Buffer): Origin => {
    let origin = origins.get(buffer);
    if (!origin) origins.set(buffer, (origin = originFor(buffer, program, slotOf)));
    return origin;
  };
  const parts = [prelude(machine.vectorBytes, machine.fusedMultiplyAdd)];
  for (const [number, kernel] of program.kernels.entries()) {
    parts.push(`static KERNEL ${writeKernel(`k${number}`, kernel, { originOf, machine })}`);
    yield;
  }
  const lines: string[] = [];
  const status = program.status && originOf(program.status).offset;
  writeSteps(lines, stepsOf(program, true), { status, profile, start: '0' });
  parts.push(
    '__attribute__((visibility("default"))) i32 millrace_run(const struct call *call, i64 thread) {',
    'const i64 threads = call->threads;',
    'char *const own = call->own + thread * call->own_bytes;',
    ...(profile ? ['f64 *times = call->times + thread * call->times_of_thread;'] : []),
    ...lines,
    'return 0;',
    '}',
    '',
  );
  return { source: parts.join('\n'), slots };
}

function originFor(buffer: Buffer, program: Program, slotOf: (place: LastingPlace) => `slot${number}`): Origin {
  const place = program.places.get(buffer);
  if (!place) throw new InternalError(`The buffer ${buffer.name} is used but has no place in memory.`);
  if (place.kind === 'arena' || place.kind === 'thread') return { base: place.kind, offset: place.offset };
  if (place.kind !== 'window') return { base: slotOf(place), offset: 0 };
  const { of, itemBytes } = place;
  if (of.kind === 'arena') return { base: `arena ${itemBytes}`, offset: of.offset };
  return { base: `${slotOf(of)} ${itemBytes}`, offset: 0 };
}

interface StepOptions {
  /** Where the status lies in the arena. */
  readonly status: number | undefined;
  readonly profile: boolean;
  /** The first item of the block. */
  readonly start: string;
}

function writeSteps(lines: string[], steps: readonly Step[], options: StepOptions): void {
  const { status, profile, start } = options;
  for (const step of steps) {
    if (step === 'barrier') lines.push('if (threads > 1) call->wait();');
    else if (step === 'failed') lines.push(`if (AT(f64, call->arena + ${status}) != 0) return 1;`);
    else if (typeof step === 'number') {
      if (profile) lines.push('*times++ = call->now();');
      lines.push(`k${step}(call, own, ${start}, thread, threads);`);
      if (profile) lines.push('*times++ = call->now();');
    } else {
      // The last block may overlap the one before it.
      const last = step.items - step.block;
      lines.push('for (i64 start = 0;;) {');
      writeSteps(lines, step.steps, { ...options, start: 'start' });
      lines.push(
        `if (start >= ${last}) break;`,
        `start = start + ${step.block} < ${last} ? start + ${step.block} : ${last};`,
        '}',
      );
    }
  }
}
