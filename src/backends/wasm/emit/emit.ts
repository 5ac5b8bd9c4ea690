// A program as a WebAssembly module: one function a kernel, and `run`, which calls them in order on every thread.

import { InternalError } from '../../../base/errors.ts';
import { atOnce, type Sliced } from '../../../base/turns.ts';
import type { Buffer } from '../../../loops/ir.ts';
import type { LastingPlace, Program } from '../../../loops/program.ts';
import type { Origin } from '../../emit/addresses.ts';
import { type Blocks, type Step, stepsOf } from '../../emit/steps.ts';
import { barrierBody } from './barrier.ts';
import { encodeModule, FunctionBody, type MemoryLimits, type WasmFunction } from './encode.ts';
import { kernelParameters } from './function-parameters.ts';
import { emitKernels } from './kernels.ts';

const runParameters = ['arena', 'own', 'thread', 'threads'] as const;

/** What the emitter needs to know about where a program will run. */
export interface EmitOptions {
  /** The address of a variable or constant, which must not move as long as the module is used. */
  readonly addressOf: (place: LastingPlace) => number;
  readonly memory: MemoryLimits;
  /** Use the relaxed multiply-add, which must have been found to round once. */
  readonly fusedMultiplyAdd: boolean;
  /** Export what `profiledRun` calls as well: the kernels `k0`, `k1`, …, `barrier(threads)`, and `failed` with the parameters of `run`. */
  readonly profile: boolean;
}

/**
 * The bytes of a module that imports its memory (`m.memory`) and exports `run(arena, own, thread, threads)`, to be
 * called on each of the threads at once: the kernels in order, on the arena and on the space that the thread has for
 * itself, which begin at those addresses, multiples of 16. `run` returns 1 if a check failed, having run none of the
 * kernels after the checks, else 0. The caller clears the status, and the words of the barrier, before.
 */
export const emitModule = (program: Program, options: EmitOptions): Uint8Array<ArrayBuffer> =>
  atOnce(emitting(program, options));

/** The same, step by step. */
export function* emitting(program: Program, options: EmitOptions): Sliced<Uint8Array<ArrayBuffer>> {
  const origins = new Map<Buffer, Origin>();
  const originOf = (buffer: Buffer): Origin => {
    let origin = origins.get(buffer);
    if (!origin) origins.set(buffer, (origin = originFor(buffer, program, options)));
    return origin;
  };
  const { fusedMultiplyAdd } = options;
  const functions: WasmFunction[] = [];
  const add = (f: WasmFunction): number => functions.push(f) - 1;
  const outline = (body: FunctionBody, parameters: number): number =>
    add({ parameters, results: 0, body, exported: undefined });
  const profiled = (name: string) => (options.profile ? name : undefined);
  const parameters = kernelParameters.length;
  const kernels: number[] = [];
  yield* emitKernels(program.kernels, { originOf, fusedMultiplyAdd }, outline, (body) => {
    kernels.push(add({ parameters, results: 0, body, exported: profiled(`k${kernels.length}`) }));
  });
  const { shared } = options.memory;
  const barrier = shared ? add({ parameters: 1, results: 0, body: barrierBody(), exported: profiled('barrier') }) : -1;
  const { status } = program;
  const parametersOfRun = { parameters: runParameters.length, results: 1 };
  const failed = status
    ? add({ ...parametersOfRun, body: emitFailed(originOf(status)), exported: profiled('failed') })
    : -1;
  const steps = stepsOf(program, shared);
  yield;
  const body = yield* emitRun(steps, { kernels, barrier, failed });
  add({ ...parametersOfRun, body, exported: 'run' });
  return yield* encodeModule(options.memory, functions);
}

function originFor(buffer: Buffer, program: Program, options: EmitOptions): Origin {
  const place = program.places.get(buffer);
  if (!place) throw new InternalError(`The buffer ${buffer.name} is used but has no place in memory.`);
  if (place.kind === 'arena' || place.kind === 'thread') return { base: place.kind, offset: place.offset };
  if (place.kind !== 'window') return { base: 'absolute', offset: options.addressOf(place) };
  if (place.of.kind === 'arena') return { base: `arena ${place.itemBytes}`, offset: place.of.offset };
  return { base: `absolute ${place.itemBytes}`, offset: options.addressOf(place.of) };
}

/** The functions of a module that a run calls. */
interface Functions {
  readonly kernels: readonly number[];
  readonly barrier: number;
  readonly failed: number;
}

function* emitRun(steps: readonly Step[], functions: Functions): Sliced<FunctionBody> {
  const body = new FunctionBody(runParameters.length);
  const start = body.local('i32');
  yield* emitSteps(body, steps, functions, start);
  body.i32(0);
  return body;
}

/** `start` is the local that holds the first item of the block, 0 outside blocks. */
function* emitSteps(body: FunctionBody, steps: readonly Step[], functions: Functions, start: number): Sliced<void> {
  for (const step of steps) {
    if (step === 'barrier') {
      body.get(runParameters.indexOf('threads'));
      body.call(functions.barrier);
    } else if (step === 'failed') {
      for (const i of runParameters.keys()) body.get(i);
      body.call(functions.failed);
      body.open('if');
      body.i32(1);
      body.op('return');
      body.op('end');
    } else if (typeof step === 'number') {
      for (const name of kernelParameters) body.get(name === 'start' ? start : runParameters.indexOf(name));
      body.call(functions.kernels[step]);
    } else {
      body.open('loop');
      yield* emitSteps(body, step.steps, functions, start);
      repeatFromNext(body, start, step);
    }
    yield;
  }
}

/** The end of a repeat: the next block, or `start` is 0 again. */
function repeatFromNext(body: FunctionBody, start: number, { items, block }: Blocks): void {
  const last = items - block;
  const next = body.local('i32');
  body.get(start);
  body.i32(last);
  body.op('i32.lt_s');
  body.open('if');
  body.get(start);
  body.i32(block);
  body.op('i32.add');
  body.tee(next);
  body.i32(last);
  body.get(next);
  body.i32(last);
  body.op('i32.lt_s');
  body.op('select');
  body.set(start);
  body.branch(1);
  body.op('end');
  body.op('end');
  body.i32(0);
  body.set(start);
}

/** A function that returns 1 if a check has failed. */
function emitFailed(status: Origin): FunctionBody {
  const body = new FunctionBody(runParameters.length);
  if (status.base === 'arena') body.get(runParameters.indexOf('arena'));
  else body.i32(0);
  body.memory('f64.load', status.offset);
  body.f64(0);
  body.op('f64.ne');
  return body;
}
