// A compiled program of the wasm backend: a module, which runs here or on the threads of the pool.

import { inSlices, sliceMs } from '../../../base/turns.ts';
import type { Program } from '../../../loops/program.ts';
import { type TypedArray, viewOf } from '../../../tensor/dtype.ts';
import type { Executable, RunProfile } from '../../backend.ts';
import { actionsOf, kernelsCalled, stepsOf } from '../../emit/steps.ts';
import { collect, collecting, fill, filling } from '../../run/ports.ts';
import type { ProgramMemory } from '../../run/residence.ts';
import { barrierWords } from '../emit/barrier.ts';
import type { LinearMemory } from './linear-memory.ts';
import { type Job, NoThreadsError, type Outcome, pool } from './pool.ts';
import { byOwnClock, profiledRun, type Timing } from './profile.ts';

/**
 * Engines compile a function when it is first called. The code of a longer program than this, in bytes, would keep the
 * calling thread for some 10 ms: its first run is on the pool, whose threads share what is compiled.
 */
const longCode = 2 ** 17;

/** What a program is run with. */
export interface WasmParts {
  readonly program: Program;
  readonly memory: ProgramMemory;
  readonly linear: LinearMemory;
  readonly module: WebAssembly.Module;
  readonly codeBytes: number;
  /** How long a run takes on one thread, roughly. */
  readonly seconds: number;
  /** And to copy its feeds in and its fetches out. */
  readonly copiesMs: number;
  /** Can other threads have the memory too? */
  readonly shared: boolean;
  /** Is a run worth the threads of the pool? */
  readonly long: boolean;
  readonly threads: number;
  readonly profile: boolean;
}

/** Short runs are on the calling thread, long ones on the pool. */
export class WasmExecutable implements Executable {
  profile: RunProfile | undefined;
  readonly #parts: WasmParts;
  readonly #job: Job;
  readonly #measured: readonly number[];
  /** There when runs are on the calling thread. */
  #exports: Exports | undefined;

  constructor(parts: WasmParts) {
    const { program, module, linear, codeBytes, shared, long, profile } = parts;
    this.#parts = parts;
    const measure = profile ? actionsOf(stepsOf(program, shared)) : undefined;
    this.#measured = kernelsCalled(measure ?? []);
    this.#job = { module, memory: linear.memory, codeBytes, measure };
    if (!shared || (!long && codeBytes <= longCode)) this.#exports = instantiate(this.#job);
  }

  get inlineMs(): number | undefined {
    const { copiesMs, seconds } = this.#parts;
    return this.#exports && copiesMs < sliceMs ? 1e3 * seconds + copiesMs : undefined;
  }

  run(
    feeds: readonly TypedArray[],
    counters: readonly number[],
  ): readonly TypedArray[] | Promise<readonly TypedArray[]> {
    const { program, memory } = this.#parts;
    memory.begin();
    if (this.#exports === undefined || this.inlineMs === undefined) return this.#runInTurns(feeds, counters);
    fill(program, memory.view, feeds, counters);
    return collect(program, memory.view, this.#computeHere(this.#exports));
  }

  /** Others have turns while it is computed elsewhere, or much is copied. */
  async #runInTurns(feeds: readonly TypedArray[], counters: readonly number[]): Promise<TypedArray[]> {
    const { program, memory } = this.#parts;
    await inSlices(filling(program, memory.view, feeds, counters));
    const code = this.#exports ? this.#computeHere(this.#exports) : await this.#computeOnPool();
    return inSlices(collecting(program, memory.view, code));
  }

  #computeHere(exports: Exports): number {
    const { memory } = this.#parts;
    const { measure } = this.#job;
    const part = { arena: memory.arena.address, own: memory.ownOf(0), thread: 0, threads: 1 };
    if (!measure) return exports.run(part.arena, part.own, part.thread, part.threads);
    const started = performance.now();
    const timing = profiledRun(exports, measure, part);
    this.#measure(started, [timing]);
    return timing.code;
  }

  async #computeOnPool(): Promise<number> {
    const { memory, linear, long, threads } = this.#parts;
    const started = performance.now();
    viewOf('uint8', linear.memory.buffer, barrierWords.at, barrierWords.bytes).fill(0);
    const own = Array.from({ length: threads }, (_, thread) => memory.ownOf(thread));
    let outcome: Outcome;
    try {
      outcome = await pool.run(this.#job, { arena: memory.arena.address, own });
    } catch (error) {
      if (!(error instanceof NoThreadsError)) throw error;
      this.#exports = instantiate(this.#job);
      return this.#computeHere(this.#exports);
    }
    const { code, timings } = outcome;
    if (this.#job.measure) this.#measure(started, timings);
    if (!long) this.#exports ??= instantiate(this.#job);
    return code;
  }

  #measure(started: number, timings: readonly Timing[]): void {
    const threads = timings.map(byOwnClock);
    this.profile = { started, computed: performance.now(), calls: this.#measured, threads };
  }

  dispose(): void {
    this.#parts.memory.release();
    pool.forget(this.#job);
  }
}

/** The functions of a module: `run`, and in profiled ones those that it calls. */
type Exports = Readonly<Record<string, (...parameters: number[]) => number>>;

const instantiate = ({ module, memory }: Job): Exports =>
  new WebAssembly.Instance(module, { m: { memory } }).exports as Exports;
