// A program as C: one function a kernel, and `run`, which every thread of a run calls.

import { atOnce, type Sliced } from '../../../base/turns.ts';
import type { Buffer } from '../../../loops/ir.ts';
import type { Machine } from '../../../loops/machine.ts';
import type { Program } from '../../../loops/program.ts';
import type { Origin } from '../../emit/addresses.ts';
import { stepsOf } from '../../emit/steps.ts';
import { kernelsOf } from './kernels.ts';
import { prelude } from './prelude.ts';
import { writeRun } from './run.ts';
import { type Slot, Slots } from './slots.ts';

/** What the emitter needs to know about where a program will run. */
export interface EmitOptions {
  readonly machine: Pick<Machine, 'vectorBytes' | 'fusedMultiplyAdd'>;
  /** Take the time before and after each kernel. */
  readonly profile: boolean;
}

/** The C text of a program, and its slots in order. */
export interface Emission {
  readonly source: string;
  /** So many times it is compiled, each time with another UNIT from 0 on: what comes out belongs together. Without, all of it is. */
  readonly units: number;
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
  const { functions, calls } = yield* kernelsOf(program.kernels, { originOf, machine });
  const status = program.status && originOf(program.status).offset;
  const run = yield* writeRun(stepsOf(program, true), { status, profile, calls });
  const isLong = functions.reduce((sum, text) => sum + text.length, 0) > longProgram;
  const texts = isLong ? inUnits(functions, run) : [...functions, ...run];
  const source = [prelude(machine.vectorBytes, machine.fusedMultiplyAdd), ...texts].join('\n');
  return { source, units: isLong ? 2 : 1, slots: slots.all };
}

/** Of more text, in characters, the halves are compiled side by side. */
const longProgram = 2 ** 16;

/** Functions in two units, of which each declares all: compilers see no more of a kernel than its parameters anyway. */
function inUnits(functions: readonly string[], run: readonly string[]): string[] {
  const shared = functions.map((text) => text.replace(/^static /, ''));
  const declared = shared.map((text) => `${text.slice(0, text.indexOf('{')).trimEnd()};`);
  const half = shared.reduce((sum, { length }) => sum + length, 0) / 2;
  let before = 0;
  const first = shared.filter(({ length }) => (before += length) - length / 2 < half);
  const second = shared.slice(first.length);
  const unit = (number: number, texts: readonly string[]) => [
    `#if !defined(UNIT) || UNIT == ${number}`,
    ...texts,
    '#endif',
  ];
  return [...declared, ...unit(0, first), ...unit(1, [...second, ...run]), ''];
}
