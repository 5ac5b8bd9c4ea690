// The WebAssembly backend: programs as modules over one memory; short runs here, long ones on the pool of threads.

import { inNode } from '../../base/builtin.ts';
import { availableCores } from '../../base/cores.ts';
import { InternalError, UnavailableError } from '../../base/errors.ts';
import { inSlices } from '../../base/turns.ts';
import type { Machine } from '../../loops/machine.ts';
import type { Program } from '../../loops/program.ts';
import { viewOf } from '../../tensor/dtype.ts';
import type { Backend, BackendOptions, Compiled, Executable, RunProfile } from '../backend.ts';
import { callsOf, stepsOf } from '../emit/steps.ts';
import { collect, fill } from '../run/ports.ts';
import { type ProgramMemory, Residence } from '../run/residence.ts';
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

/** The memory of a session. */
interface Memory {
  readonly linear: LinearMemory;
  readonly residence: Residence;
}

/** What is known of a program when its module is made: its memory, its size, and how long a run takes. */
interface Loaded {
  readonly program: Program;
  readonly memory: ProgramMemory;
  readonly linear: LinearMemory;
  readonly codeBytes: number;
  readonly seconds: number;
}

class WasmBackend implements Backend {
  readonly name = 'wasm';
  readonly machine: Machine;
  readonly ready: Promise<void>;
  readonly #shared = typeof SharedArrayBuffer !== 'undefined';
  readonly #threads: number;
  readonly #profile: boolean;
  #memory: Memory | undefined;

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
      const linear = new LinearMemory(this.machine.memoryLimit, this.#shared);
      this.#memory = { linear, residence: new Residence(linear, this.#threads) };
    } catch (error) {
      problem = error instanceof UnavailableError ? error : noMemory(error as Error);
    }
    this.ready = problem ? Promise.reject(problem) : Promise.resolve();
  }

  /** There once `ready` has resolved; nothing is loaded before. */
  get #present(): Memory {
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
    const { linear, residence } = this.#present;
    const memory = residence.place(program);
    try {
      const seconds = secondsOf(program, rates, 1);
      // Threads take as long to start as code to emit.
      if (this.#isLong(seconds)) pool.prepare(this.#threads);
      const emission = emitting(program, {
        addressOf: (place) => memory.pieceOf(place).address,
        memory: linear.limits,
        fusedMultiplyAdd: this.machine.fusedMultiplyAdd,
        profile: this.#profile,
      });
      const bytes = await inSlices(emission);
      return this.#executable(await moduleOf(bytes), { program, memory, linear, codeBytes: bytes.length, seconds });
    } catch (error) {
      memory.release();
      throw error;
    }
  }

  /** Is a run of so many seconds worth the threads of the pool? */
  #isLong(seconds: number): boolean {
    return this.#shared && seconds >= shortRun;
  }

  #executable(module: WebAssembly.Module, { program, memory, linear, codeBytes, seconds }: Loaded): Executable {
    const short = !this.#isLong(seconds);
    const measure = this.#profile ? callsOf(stepsOf(program, this.#shared)) : undefined;
    const measuredKernels = (measure ?? []).flatMap((call) => (typeof call === 'string' ? [] : [call[0]]));
    const job = { module, memory: linear.memory, codeBytes, measure };
    const here = !this.#shared || (short && codeBytes <= longCode);
    let exports = here ? instantiate(module, linear.memory) : undefined;
    let profile: RunProfile | undefined;
    const measured = (started: number, timings: readonly Timing[]) => {
      profile = { started, computed: performance.now(), calls: measuredKernels, threads: timings.map(byOwnClock) };
    };
    return {
      get inlineMs() {
        return exports && 1e3 * seconds;
      },
      get profile() {
        return profile;
      },
      run: (feeds, counters) => {
        const arena = memory.begin().address;
        fill(program, memory.view, feeds, counters);
        if (exports && !measure) return collect(program, memory.view, exports.run(arena, memory.ownOf(0), 0, 1));
        const started = performance.now();
        if (exports && measure) {
          const timing = profiledRun(exports, measure, arena, memory.ownOf(0), 0, 1);
          measured(started, [timing]);
          return collect(program, memory.view, timing.code);
        }
        viewOf('uint8', linear.memory.buffer, barrierWords.at, barrierWords.bytes).fill(0);
        const own = Array.from({ length: this.#threads }, (_, thread) => memory.ownOf(thread));
        return pool.run(job, { arena, own }).then(({ code, timings }) => {
          if (measure) measured(started, timings);
          if (short) exports ??= instantiate(module, linear.memory);
          return collect(program, memory.view, code);
        });
      },
      dispose: () => {
        memory.release();
        pool.forget(job);
      },
    };
  }

  /** The memory goes when nothing refers to it any more: the executables have been disposed of by now. */
  close(): void {
    if (this.#memory) pool.release(this.#memory.linear.memory);
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
