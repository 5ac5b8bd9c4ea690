// The WebAssembly backend: programs as modules over one memory; short runs here, long ones on the pool of threads.

import { inNode } from '../../base/builtin.ts';
import { availableCores } from '../../base/cores.ts';
import { InternalError, UnavailableError } from '../../base/errors.ts';
import { alignedSize } from '../../base/free-space.ts';
import { inSlices } from '../../base/turns.ts';
import type { Buffer } from '../../loops/ir.ts';
import type { Machine } from '../../loops/machine.ts';
import type { LastingPlace, Place, Program } from '../../loops/program.ts';
import { sizeOf, type TypedArray, viewOf } from '../../tensor/dtype.ts';
import type { Backend, BackendOptions, Compiled, Executable, RunProfile } from '../backend.ts';
import { callsOf, stepsOf } from '../emit/steps.ts';
import { collect, fill } from '../run/ports.ts';
import { secondsOf } from '../run/work.ts';
import { barrierWords } from './emit/barrier.ts';
import { emitting } from './emit/emit.ts';
import { fusedMultiplyAdd, hasVectors } from './features.ts';
import { machineFor } from './machine.ts';
import { LinearMemory } from './run/linear-memory.ts';
import { pool } from './run/pool.ts';
import { byOwnClock, profiledRun, type Timing } from './run/profile.ts';

/** Runs estimated to be shorter than this stay on the calling thread, in seconds. */
const shortRun = 0.5e-3;
/**
 * Engines compile a function when it is first called. The code of a longer program than this, in bytes, would keep the
 * calling thread for some 10 ms: its first run is on the pool, whose threads share what is compiled.
 */
const longCode = 2 ** 17;
/** Modules up to this size are made on the calling thread where that takes a millisecond or two. */
const quickCode = 2 ** 18;
const rates = { operations: 4e9, bytes: 10e9 };

export const createWasm = (options: BackendOptions): Backend => new WasmBackend(options);

/** What is known of a program when its module is made: its size, how long a run takes, and what lets go of its constants. */
interface Loaded {
  readonly codeBytes: number;
  readonly seconds: number;
  readonly free: () => void;
}

class WasmBackend implements Backend {
  readonly name = 'wasm';
  readonly machine: Machine;
  readonly ready: Promise<void>;
  readonly #shared = typeof SharedArrayBuffer !== 'undefined';
  readonly #threads: number;
  readonly #profile: boolean;
  #memory: LinearMemory | undefined;
  readonly #variables = new Map<number, number>();
  readonly #arena = { at: 0, bytes: 0 };

  constructor({ threads, portable, profile }: BackendOptions) {
    this.#profile = profile;
    let problem: UnavailableError | undefined;
    const hasWasm = typeof WebAssembly !== 'undefined';
    this.machine = machineFor(hasWasm && !portable && fusedMultiplyAdd());
    this.#threads = this.#shared ? (threads ?? availableCores()) : 1;
    if (!this.#shared && threads !== 1) sayNoThreads();
    try {
      if (!hasWasm) throw new UnavailableError('The wasm backend needs WebAssembly, which is missing here.');
      if (!hasVectors()) {
        throw new UnavailableError(
          'The wasm backend needs 128-bit vectors (SIMD), which the WebAssembly of this engine does not have; use a newer one.',
        );
      }
      this.#memory = new LinearMemory(this.machine.memoryLimit, this.#shared);
    } catch (error) {
      problem = error instanceof UnavailableError ? error : noMemory(error as Error);
    }
    this.ready = problem ? Promise.reject(problem) : Promise.resolve();
  }

  /** There once `ready` has resolved; nothing is loaded before. */
  get #storage(): LinearMemory {
    if (!this.#memory) throw new InternalError('the wasm backend is used although it could not start');
    return this.#memory;
  }

  get description(): string {
    const threads = this.#shared
      ? `${this.#threads} ${this.#threads === 1 ? 'thread' : 'threads'}`
      : '1 thread, this one: SharedArrayBuffer is missing here';
    const fused = this.machine.fusedMultiplyAdd ? ' and fused multiply-add' : ' (plain SIMD)';
    return `wasm: compiled to WebAssembly with 128-bit vectors${fused}, ${threads}`;
  }

  async load({ program }: Compiled): Promise<Executable> {
    if (!program) throw new InternalError('the wasm backend needs a program');
    await this.ready;
    const constants: { at: number; data: TypedArray }[] = [];
    const free = () => {
      for (const { at, data } of constants) this.#storage.release(at, data.byteLength);
    };
    try {
      this.#reserve(program);
      const seconds = secondsOf(program, rates, 1);
      // Threads take as long to start as code to emit.
      if (this.#isLong(seconds)) pool.prepare(this.#threads);
      const emission = emitting(program, {
        addressOf: (place) => this.#address(place, program, constants),
        memory: this.#storage.limits,
        fusedMultiplyAdd: this.machine.fusedMultiplyAdd,
        profile: this.#profile,
      });
      const bytes = await inSlices(emission);
      const { buffer } = this.#storage.memory;
      for (const { at, data } of constants) {
        viewOf('uint8', buffer, at, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      }
      return this.#executable(program, await moduleOf(bytes), { codeBytes: bytes.length, seconds, free });
    } catch (error) {
      free();
      throw error;
    }
  }

  #address(place: LastingPlace, program: Program, constants: { at: number; data: TypedArray }[]): number {
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

  /** Makes the arena, which all executables share, and the threads' own space behind it, large enough. */
  #reserve({ arenaBytes, threadBytes }: Program): void {
    const bytes = alignedSize(arenaBytes) + this.#threads * alignedSize(threadBytes);
    if (bytes <= this.#arena.bytes) return;
    if (this.#arena.bytes > 0) this.#storage.release(this.#arena.at, this.#arena.bytes);
    this.#arena.bytes = 0;
    this.#arena.at = this.#storage.allocate(bytes);
    this.#arena.bytes = bytes;
  }

  /** Is a run of so many seconds worth the threads of the pool? */
  #isLong(seconds: number): boolean {
    return this.#shared && seconds >= shortRun;
  }

  #executable(program: Program, module: WebAssembly.Module, { codeBytes, seconds, free }: Loaded): Executable {
    const { memory } = this.#storage;
    const short = !this.#isLong(seconds);
    const measure = this.#profile ? callsOf(stepsOf(program, this.#shared)) : undefined;
    const measuredKernels = (measure ?? []).flatMap((call) => (typeof call === 'string' ? [] : [call[0]]));
    const job = { module, memory, codeBytes, measure };
    const here = !this.#shared || (short && codeBytes <= longCode);
    let exports = here ? instantiate(module, memory) : undefined;
    let profile: RunProfile | undefined;
    const view = (buffer: Buffer): TypedArray => {
      const place = program.places.get(buffer) as Extract<Place, { kind: 'arena' }> | LastingPlace;
      const at = place.kind === 'arena' ? this.#arena.at + place.offset : this.#address(place, program, []);
      return viewOf(buffer.dtype, memory.buffer, at, buffer.length);
    };
    const measured = (started: number, timings: readonly Timing[]) => {
      profile = { started, computed: performance.now(), calls: measuredKernels, threads: timings.map(byOwnClock) };
    };
    const ownSpace = (thread: number) =>
      this.#arena.at + alignedSize(program.arenaBytes) + thread * alignedSize(program.threadBytes);
    return {
      get inlineMs() {
        return exports && 1e3 * seconds;
      },
      get profile() {
        return profile;
      },
      run: (feeds, counters) => {
        // A larger run that failed may have given the arena back.
        this.#reserve(program);
        fill(program, view, feeds, counters);
        if (exports && !measure) return collect(program, view, exports.run(this.#arena.at, ownSpace(0), 0, 1));
        const started = performance.now();
        if (exports && measure) {
          const timing = profiledRun(exports, measure, this.#arena.at, ownSpace(0), 0, 1);
          measured(started, [timing]);
          return collect(program, view, timing.code);
        }
        viewOf('uint8', memory.buffer, barrierWords.at, barrierWords.bytes).fill(0);
        const own = Array.from({ length: this.#threads }, (_, thread) => ownSpace(thread));
        return pool.run(job, { arena: this.#arena.at, own }).then(({ code, timings }) => {
          if (measure) measured(started, timings);
          if (short) exports ??= instantiate(module, memory);
          return collect(program, view, code);
        });
      },
      dispose: () => {
        free();
        pool.forget(job);
      },
    };
  }

  /** The memory goes when nothing refers to it any more: the executables have been disposed of by now. */
  close(): void {
    if (this.#memory) pool.release(this.#memory.memory);
    this.#memory = undefined;
  }
}

let said = false;
function sayNoThreads(): void {
  if (said) return;
  said = true;
  console.warn(
    'millrace: SharedArrayBuffer is missing here, so one thread computes, the one that calls. A page has it when it is cross-origin ' +
      'isolated: serve it with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.',
  );
}

const noMemory = ({ message }: Error): UnavailableError =>
  new UnavailableError(`The wasm backend could not get any memory (${message}). Close other sessions or pages.`);

/** Node's engine does little with a module before its functions are called; to be asked in its turn takes far longer. */
const moduleOf = async (bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> =>
  inNode && bytes.length <= quickCode ? new WebAssembly.Module(bytes) : WebAssembly.compile(bytes);

type Run = (arena: number, own: number, thread: number, threads: number) => number;

function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Readonly<Record<string, Run>> {
  return new WebAssembly.Instance(module, { m: { memory } }).exports as Record<string, Run>;
}
