// A program as a WebAssembly module: one function a kernel, and `run`, which calls them in order.
import type { Buffer } from '../../loops/ir.ts';
import type { Place, Program } from '../../loops/program.ts';
import { InternalError } from '../../tensor/errors.ts';
import type { Origin } from './addresses.ts';
import { encodeModule, FunctionBody, type MemoryLimits, type WasmFunction } from './encode.ts';
import { emitKernel } from './kernel.ts';

/** What the emitter needs to know about where a program will run. */
export interface EmitOptions {
  /** The address of a variable or constant, which must not move as long as the module is used. */
  readonly addressOf: (place: Exclude<Place, { kind: 'arena' }>) => number;
  readonly memory: MemoryLimits;
  /** Use the relaxed multiply-add, which must have been found to round once. */
  readonly fusedMultiplyAdd: boolean;
  /** Export every kernel as well: `k0`, `k1`, … */
  readonly profile: boolean;
}

/**
 * The bytes of a module that imports its memory (`m.memory`) and exports `run(arena)`: the kernels in order on the
 * arena that begins at that address, a multiple of 16. `run` returns 1 if a check failed, having run none of the
 * kernels after the checks, else 0. The caller clears the status before.
 */
export function emitModule(program: Program, options: EmitOptions): Uint8Array<ArrayBuffer> {
  const origins = new Map<Buffer, Origin>();
  const originOf = (buffer: Buffer): Origin => {
    let origin = origins.get(buffer);
    if (!origin) origins.set(buffer, (origin = originFor(buffer, program, options)));
    return origin;
  };
  const { fusedMultiplyAdd } = options;
  const functions: WasmFunction[] = [];
  const add = (f: WasmFunction): number => functions.push(f) - 1;
  const outline = (body: FunctionBody): number => add({ parameters: 2, results: 0, body, exported: undefined });
  const kernels = program.kernels.map((kernel, number) => {
    const body = emitKernel(kernel, { originOf, fusedMultiplyAdd }, outline);
    return add({ parameters: 1, results: 0, body, exported: options.profile ? `k${number}` : undefined });
  });
  const status = program.status && originOf(program.status);
  add({ parameters: 1, results: 1, body: emitRun(program, kernels, status), exported: 'run' });
  return encodeModule(options.memory, functions);
}

function originFor(buffer: Buffer, program: Program, options: EmitOptions): Origin {
  const place = program.places.get(buffer);
  if (!place) throw new InternalError(`The buffer ${buffer.name} is used but has no place in memory.`);
  if (place.kind === 'arena') return { base: 'arena', offset: place.offset };
  return { base: 'absolute', offset: options.addressOf(place) };
}

/** Calls the kernels; those after the checks only if the status is 0. */
function emitRun(program: Program, kernels: readonly number[], status: Origin | undefined): FunctionBody {
  const body = new FunctionBody(1);
  const call = (kernel: number): void => {
    body.get(0);
    body.call(kernels[kernel]);
  };
  for (let k = 0; k < program.checks; k++) call(k);
  if (status && program.checks > 0) {
    if (status.base === 'arena') body.get(0);
    else body.i32(0);
    body.memory('f64.load', status.offset);
    body.f64(0);
    body.op('f64.ne');
    body.open('if');
    body.i32(1);
    body.op('return');
    body.op('end');
  }
  for (let k = program.checks; k < program.kernels.length; k++) call(k);
  body.i32(0);
  return body;
}
