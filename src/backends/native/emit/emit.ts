// A program as C: one function a kernel, and `run`, which every thread of a run calls.

import { InternalError } from '../../../base/errors.ts';
import { atOnce, type Sliced } from '../../../base/turns.ts';
import type { Buffer } from '../../../loops/ir.ts';
import type { Machine } from '../../../loops/machine.ts';
import type { ArenaPlace, LastingPlace, Place, Program } from '../../../loops/program.ts';
import { ownBuffer } from '../../../loops/shared.ts';
import type { Origin } from '../../emit/addresses.ts';
import { groupsOf, type KernelGroup, type Sharing } from '../../emit/kernel-groups.ts';
import { callsOf, type Step, stepsOf } from '../../emit/steps.ts';
import { baseText, writeKernel } from './kernel.ts';
import { prelude } from './prelude.ts';

/** What the emitter needs to know about where a program will run. */
export interface EmitOptions {
  readonly machine: Pick<Machine, 'vectorBytes' | 'fusedMultiplyAdd'>;
  /** Take the time before and after each kernel. */
  readonly profile: boolean;
}

/** Addresses in registers cost nothing: two kernels are enough. */
const sharing: Sharing = { fewest: 2, mostGiven: Infinity };

/** Steps of a run that are one function: in a long one compilers look at each variable again for every other. */
const stepsTogether = 200;

/** What a slot of the table that a program is called with points to: a feed's is in the arena, or wherever it lies. */
export type Slot = LastingPlace | ArenaPlace;

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
  const slots: Slot[] = [];
  const numbers = new Map<number | Slot, number>();
  const fed = new Set<Place | undefined>(program.feeds.map((port) => port && program.places.get(port.buffer)));
  /** Buffers of one variable share a slot. */
  const slotOf = (place: Slot): `slot${number}` => {
    const key = place.kind === 'variable' ? place.key : place;
    let number = numbers.get(key);
    if (number === undefined) numbers.set(key, (number = slots.push(place) - 1));
    return `slot${number}`;
  };
  const origins = new Map<Buffer, Origin>();
  const originOf = (buffer: Buffer): Origin => {
    let origin = origins.get(buffer);
    if (!origin)
      origins.set(buffer, (origin = originFor(buffer, program, { slotOf, isFed: (place) => fed.has(place) })));
    return origin;
  };
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
      parts.push(`static KERNEL ${writeKernel(name, group?.pattern ?? kernel, places)}`);
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
  const steps = stepsOf(program, true);
  const pieces: string[] = [];
  for (let first = 0; first < steps.length; first += stepsTogether) {
    const name = `steps${first}`;
    const lines: string[] = [];
    writeSteps(lines, steps.slice(first, first + stepsTogether), { status, profile, calls });
    parts.push(
      `static STEPS i32 ${name}(const struct call *call, char *own, i64 thread, i64 threads, f64 *times) {`,
      // The first item of the block, 0 outside blocks.
      'i64 start = 0;',
      ...lines,
      'return 0;',
      '}',
    );
    pieces.push(`if (${name}(call, own, thread, call->threads, times)) return 1;`);
    const measured = callsOf(steps.slice(first, first + stepsTogether)).filter((c) => typeof c !== 'string').length;
    if (profile) pieces.push(`times += ${2 * measured};`);
    yield;
  }
  parts.push(
    '__attribute__((visibility("default"))) i32 millrace_run(const struct call *call, i64 thread) {',
    'char *const own = call->own + thread * call->own_bytes;',
    `f64 *times = ${profile ? 'call->times + thread * call->times_of_thread' : '0'};`,
    ...pieces,
    'return 0;',
    '}',
    '',
  );
  return { source: parts.join('\n'), slots };
}

interface Slots {
  readonly slotOf: (place: Slot) => `slot${number}`;
  readonly isFed: (place: Place) => boolean;
}

function originFor(buffer: Buffer, program: Program, { slotOf, isFed }: Slots): Origin {
  const place = program.places.get(buffer);
  if (!place) throw new InternalError(`The buffer ${buffer.name} is used but has no place in memory.`);
  const inArena = (p: Place): p is ArenaPlace => p.kind === 'arena' && !isFed(p);
  if (inArena(place) || place.kind === 'thread') return { base: place.kind, offset: place.offset };
  if (place.kind !== 'window') return { base: slotOf(place), offset: 0 };
  const { of, itemBytes } = place;
  if (inArena(of)) return { base: `arena ${itemBytes}`, offset: of.offset };
  return { base: `${slotOf(of)} ${itemBytes}`, offset: 0 };
}

interface StepOptions {
  /** Where the status lies in the arena. */
  readonly status: number | undefined;
  readonly profile: boolean;
  /** How each kernel is called. */
  readonly calls: readonly string[];
}

function writeSteps(lines: string[], steps: readonly Step[], options: StepOptions): void {
  const { status, profile, calls } = options;
  for (const step of steps) {
    if (step === 'barrier') lines.push('if (threads > 1) call->wait();');
    else if (step === 'failed') lines.push(`if (AT(f64, call->arena + ${status}) != 0) return 1;`);
    else if (typeof step === 'number') {
      if (profile) lines.push('*times++ = call->now();');
      lines.push(calls[step]);
      if (profile) lines.push('*times++ = call->now();');
    } else {
      // The last block may overlap the one before it.
      const last = step.items - step.block;
      lines.push('for (start = 0;;) {');
      writeSteps(lines, step.steps, options);
      lines.push(
        `if (start >= ${last}) break;`,
        `start = start + ${step.block} < ${last} ? start + ${step.block} : ${last};`,
        '}',
        'start = 0;',
      );
    }
  }
}
