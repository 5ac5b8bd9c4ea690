// The WebAssembly backend: programs as modules over one memory; short runs here, long ones on a worker.

import type { Buffer } from '../../loops/ir.ts';
import type { Place, Port, Program } from '../../loops/program.ts';
import { sizeOf, type TypedArray, viewOf } from '../../tensor/dtype.ts';
import { InternalError, InvalidArgumentError, UnavailableError } from '../../tensor/errors.ts';
import type { Backend, Compiled, Executable } from '../backend.ts';
import { emitModule } from './emit.ts';
import { machine } from './machine.ts';
import { Storage } from './storage.ts';
import { RunWorker } from './worker.ts';

/** Runs estimated to be shorter than this stay on the calling thread, in seconds. */
const shortRun = 0.5e-3;
/** What a core does in a second, roughly: only the choice between the calling thread and the worker depends on it. */
const operationsPerSecond = 10e9;
const bytesPerSecond = 10e9;

export const createWasm = (): Backend => new WasmBackend();

class WasmBackend implements Backend {
  readonly name = 'wasm';
  readonly machine = machine;
  readonly ready: Promise<void>;
  readonly #shared = typeof SharedArrayBuffer !== 'undefined';
  readonly #memory: Storage | undefined;
  readonly #variables = new Map<number, number>();
  readonly #worker = new RunWorker();
  readonly #arena = { at: 0, bytes: 0 };
  #executables = 0;

  constructor() {
    try {
      const missing = whatIsMissing();
      if (missing !== undefined) throw new UnavailableError(missing);
      this.#memory = new Storage(machine.memoryLimit, this.#shared);
      this.ready = Promise.resolve();
    } catch (error) {
      const reason = error instanceof UnavailableError ? error : noMemory(error as Error);
      this.ready = Promise.reject(reason);
    }
  }

  /** There once `ready` has resolved; nothing is loaded before. */
  get #storage(): Storage {
    if (!this.#memory) throw new InternalError('the wasm backend is used although it could not start');
    return this.#memory;
  }

  get description(): string {
    const thread = this.#shared
      ? 'long runs on a thread of their own'
      : 'on this thread: SharedArrayBuffer is missing here';
    return `wasm: compiled to WebAssembly with 128-bit vectors, ${thread}`;
  }

  load({ program }: Compiled): Executable {
    if (!program) throw new InternalError('the wasm backend needs a program');
    const constants: { at: number; data: TypedArray }[] = [];
    const free = () => {
      for (const { at, data } of constants) this.#storage.release(at, data.byteLength);
    };
    try {
      this.#reserve(program.arenaBytes);
      const bytes = emitModule(program, {
        addressOf: (place) => this.#address(place, program, constants),
        memory: this.#storage.limits,
        fusedMultiplyAdd: false,
        profile: false,
      });
      const { buffer } = this.#storage.memory;
      for (const { at, data } of constants) {
        viewOf('uint8', buffer, at, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      }
      return this.#executable(program, bytes, free);
    } catch (error) {
      free();
      throw error;
    }
  }

  #address(
    place: Exclude<Place, { kind: 'arena' }>,
    program: Program,
    constants: { at: number; data: TypedArray }[],
  ): number {
    if (place.kind === 'constant') {
      const at = this.#storage.allocate(place.data.byteLength);
      constants.push({ at, data: place.data });
      return at;
    }
    let at = this.#variables.get(place.key);
    if (at === undefined) {
      const variable = program.variables.find((v) => v.key === place.key)!;
      at = this.#storage.allocate(variable.length * sizeOf(variable.dtype));
      this.#variables.set(place.key, at);
    }
    return at;
  }

  /** Makes the arena, which all executables share, large enough. */
  #reserve(bytes: number): void {
    if (bytes <= this.#arena.bytes) return;
    if (this.#arena.bytes > 0) this.#storage.release(this.#arena.at, this.#arena.bytes);
    this.#arena.bytes = 0;
    this.#arena.at = this.#storage.allocate(bytes);
    this.#arena.bytes = bytes;
  }

  #executable(program: Program, bytes: Uint8Array<ArrayBuffer>, free: () => void): Executable {
    const { memory } = this.#storage;
    const id = this.#executables++;
    const seconds = program.kernels.reduce(
      (sum, k) => sum + k.flops / operationsPerSecond + k.bytes / bytesPerSecond,
      0,
    );
    const inline = !this.#shared || seconds < shortRun;
    const call = inline ? instantiate(bytes, memory) : undefined;
    const view = (buffer: Buffer): TypedArray => {
      const place = program.places.get(buffer) as Place;
      const at = place.kind === 'arena' ? this.#arena.at + place.offset : this.#address(place as never, program, []);
      return viewOf(buffer.dtype, memory.buffer, at, buffer.length);
    };
    const fill = (feeds: readonly TypedArray[], counters: readonly number[]) => {
      for (const [i, port] of program.feeds.entries()) if (port) view(port.buffer).set(feeds[i]);
      program.counters.forEach(({ buffer }, i) => {
        view(buffer)[0] = counters[i];
      });
      if (program.status) view(program.status).fill(0);
    };
    const collect = (code: number): TypedArray[] => {
      if (code !== 0) throw failure(program, view(program.status as Buffer));
      return program.fetches.map((port: Port) => view(port.buffer).slice());
    };
    return {
      inline,
      run: (feeds, counters) => {
        // A larger run that failed may have given the arena back.
        this.#reserve(program.arenaBytes);
        fill(feeds, counters);
        if (call) return collect(call(this.#arena.at));
        return this.#worker.run(id, bytes, memory, this.#arena.at).then(collect);
      },
      dispose: () => {
        free();
        this.#worker.forget(id);
      },
    };
  }

  close(): void {
    this.#worker.close();
  }
}

const noMemory = ({ message }: Error): UnavailableError =>
  new UnavailableError(`The wasm backend could not get any memory (${message}). Close other sessions or pages.`);

/** Why the backend cannot run here, if it cannot. */
function whatIsMissing(): string | undefined {
  if (typeof WebAssembly === 'undefined') return 'The wasm backend needs WebAssembly, which is missing here.';
  // (module (func (result v128) i32.const 0 i8x16.splat))
  const simd = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11];
  if (WebAssembly.validate(new Uint8Array(simd))) return undefined;
  return 'The wasm backend needs 128-bit vectors (SIMD), which the WebAssembly of this engine does not have; use a newer one.';
}

function instantiate(bytes: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory): (arena: number) => number {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: { memory } });
  return exports.run as (arena: number) => number;
}

function failure(program: Program, [number, , value]: TypedArray): InvalidArgumentError {
  return new InvalidArgumentError(program.messages[number - 1].replace('{value}', String(value)));
}
