// A program as a WebAssembly module: one function a kernel, and `run`, which calls them in order on every thread.
import { type Buffer, isParallel } from '../../loops/ir.ts';
import type { LastingPlace, Program, Repeat } from '../../loops/program.ts';
import { InternalError } from '../../tensor/errors.ts';
import { atOnce, type Steps } from '../../tensor/turns.ts';
import type { Origin } from './addresses.ts';
import { barrierBody } from './barrier.ts';
import { encodeModule, FunctionBody, type MemoryLimits, type WasmFunction } from './encode.ts';
import { emitKernel } from './kernel.ts';
import { kernelParameters } from './parameters.ts';

const runParameters = ['arena', 'own', 'thread', 'threads'] as const;

/** What the emitter needs to know about where a program will run. */
export interface EmitOptions {
  /** The address of a variable or constant, which must not move as long as the module is used. */
  readonly addressOf: (place: LastingPlace) => number;
  readonly memory: MemoryLimits;
  /** Use the relaxed multiply-add, which must have been found to round once. */
  readonly fusedMultiplyAdd: boolean;
  /** Export every kernel as well: `k0`, `k1`, … */
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
export function* emitting(program: Program, options: EmitOptions): Steps<Uint8Array<ArrayBuffer>> {
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
  const parameters = kernelParameters.length;
  const kernels: number[] = [];
  for (const kernel of program.kernels) {
    const exported = options.profile ? `k${kernels.length}` : undefined;
    const body = emitKernel(kernel, { originOf, fusedMultiplyAdd }, outline);
    kernels.push(add({ parameters, results: 0, body, exported }));
    yield;
  }
  const barrier = options.memory.shared ? outline(barrierBody(), 1) : undefined;
  const status = program.status && originOf(program.status);
  const body = emitRun(program, kernels, barrier, status);
  add({ parameters: runParameters.length, results: 1, body, exported: 'run' });
  return encodeModule(options.memory, functions);
}

function originFor(buffer: Buffer, program: Program, options: EmitOptions): Origin {
  const place = program.places.get(buffer);
  if (!place) throw new InternalError(`The buffer ${buffer.name} is used but has no place in memory.`);
  if (place.kind === 'arena' || place.kind === 'thread') return { base: place.kind, offset: place.offset };
  if (place.kind !== 'window') return { base: 'absolute', offset: options.addressOf(place) };
  if (place.of.kind === 'arena') return { base: `arena ${place.itemBytes}`, offset: place.of.offset };
  return { base: `absolute ${place.itemBytes}`, offset: options.addressOf(place.of) };
}

/**
 * Calls the kernels, with a barrier between two of them unless one thread does both; those after the checks only if the
 * status is 0.
 */
function emitRun(
  program: Program,
  kernels: readonly number[],
  barrier: number | undefined,
  status: Origin | undefined,
): FunctionBody {
  const body = new FunctionBody(runParameters.length);
  const start = body.local('i32');
  const wait = () => {
    if (barrier === undefined) return;
    body.get(runParameters.indexOf('threads'));
    body.call(barrier);
  };
  const isShared = (k: number): boolean => program.kernels[k].body.some(isParallel);
  kernels.forEach((kernel, k) => {
    if (k === program.checks && k > 0 && status) {
      wait();
      returnIfSet(body, status);
    } else if (k > 0 && (isShared(k - 1) || isShared(k))) wait();
    if (program.repeats.some((r) => r.first === k)) body.open('loop');
    for (const name of kernelParameters) body.get(name === 'start' ? start : runParameters.indexOf(name));
    body.call(kernel);
    const repeat = program.repeats.find((r) => r.end === k + 1);
    if (repeat) {
      wait();
      repeatFromNext(body, start, repeat);
    }
  });
  if (program.checks === kernels.length && status) {
    wait();
    returnIfSet(body, status);
  }
  body.i32(0);
  return body;
}

/** The end of a repeat: the next block, or `start` is 0 again. */
function repeatFromNext(body: FunctionBody, start: number, { items, block }: Repeat): void {
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

/** Returns 1 if the status is not 0. */
function returnIfSet(body: FunctionBody, status: Origin): void {
  if (status.base === 'arena') body.get(runParameters.indexOf('arena'));
  else body.i32(0);
  body.memory('f64.load', status.offset);
  body.f64(0);
  body.op('f64.ne');
  body.open('if');
  body.i32(1);
  body.op('return');
  body.op('end');
}
