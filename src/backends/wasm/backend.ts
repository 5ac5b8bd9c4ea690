// The WebAssembly backend: programs as modules over one memory; short runs here, long ones on the pool of threads.

import { inNode } from '../../base/builtin.ts';
import { availableCores } from '../../base/cores.ts';
import { InternalError, UnavailableError } from '../../base/errors.ts';
import { inSlices } from '../../base/turns.ts';
import type { Machine } from '../../loops/machine.ts';
import type { VariableState } from '../../primitives/primitives.ts';
import { copyMs } from '../../tensor/copying.ts';
import type { TypedArray } from '../../tensor/dtype.ts';
import { type Backend, type BackendOptions, type Compiled, describeMath, type Executable } from '../backend.ts';
import { bytesOf } from '../run/ports.ts';
import { Residence } from '../run/residence.ts';
import { secondsOf } from '../run/work.ts';
import { emitting } from './emit/emit.ts';
import { fusedMultiplyAdd, hasVectors } from './features.ts';
import { machineFor } from './machine.ts';
import { WasmExecutable } from './run/executable.ts';
import { LinearMemory } from './run/linear-memory.ts';
import { pool } from './run/pool.ts';

/** Runs estimated to be shorter than this stay on the calling thread, in seconds. */
const shortRun = 0.5e-3;
/** Modules up to this size are made on the calling thread where that takes a millisecond or two. */
const quickCode = 2 ** 18;
const rates = { operations: 4e9, bytes: 10e9 };

export const createWasm = (options: BackendOptions): Backend => new WasmBackend(options);

/** The memory of a session. */
interface Memory {
  readonly linear: LinearMemory;
  readonly residence: Residence;
}

class WasmBackend implements Backend {
  readonly name = 'wasm';
  readonly machine: Machine;
  readonly ready: Promise<void>;
  readonly #shared = typeof SharedArrayBuffer !== 'undefined';
  readonly #threads: number;
  readonly #profile: boolean;
  #memory: Memory | undefined;

  constructor({ threads, workerUrl, portable, fastMath, profile }: BackendOptions) {
    pool.startFrom(workerUrl);
    this.#profile = profile;
    let problem: UnavailableError | undefined;
    const hasWasm = typeof WebAssembly !== 'undefined';
    this.machine = { ...machineFor(hasWasm && !portable && fusedMultiplyAdd()), fastMath };
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
    return `wasm: compiled to WebAssembly with 128-bit vectors${fused}, ${threads}${describeMath(this.machine)}`;
  }

  async load({ program }: Compiled): Promise<Executable> {
    if (!program) throw new InternalError('the wasm backend needs a program');
    await this.ready;
    const { linear, residence } = this.#present;
    const memory = residence.place(program);
    try {
      const seconds = await inSlices(secondsOf(program, rates, 1));
      // Threads take as long to start as code to emit.
      if (this.#isLong(seconds)) pool.prepare(this.#threads);
      await inSlices(memory.placing());
      const emission = emitting(program, {
        addressOf: (place) => memory.pieceOf(place).address,
        memory: linear.limits,
        fusedMultiplyAdd: this.machine.fusedMultiplyAdd,
        profile: this.#profile,
      });
      const bytes = await inSlices(emission);
      return new WasmExecutable({
        program,
        memory,
        linear,
        module: await moduleOf(bytes),
        codeBytes: bytes.length,
        seconds,
        copiesMs: copyMs(bytesOf(program.feeds) + bytesOf(program.fetches)),
        shared: this.#shared,
        long: this.#isLong(seconds),
        threads: this.#threads,
        profile: this.#profile,
      });
    } catch (error) {
      memory.release();
      throw error;
    }
  }

  /** Is a run of so many seconds worth the threads of the pool? */
  #isLong(seconds: number): boolean {
    return this.#shared && pool.mayStart && seconds >= shortRun;
  }

  async readVariables(variables: readonly VariableState[]): Promise<TypedArray[]> {
    await this.ready;
    return inSlices(this.#present.residence.reading(variables));
  }

  async writeVariables(values: ReadonlyMap<VariableState, TypedArray>): Promise<void> {
    await this.ready;
    await inSlices(this.#present.residence.writing(values));
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
async function moduleOf(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return inNode && bytes.length <= quickCode ? new WebAssembly.Module(bytes) : await WebAssembly.compile(bytes);
  } catch (error) {
    if (!/unsafe-eval|Content Security Policy/i.test((error as Error).message)) throw error;
    throw new UnavailableError(
      `The wasm backend may compile nothing here: add 'wasm-unsafe-eval' to script-src in the page's content security policy (${(error as Error).message}).`,
    );
  }
}
