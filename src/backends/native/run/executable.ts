// A compiled program of the native backend: what it is called with, and where it runs.

import { UnavailableError } from '../../../base/errors.ts';
import { alignedSize } from '../../../base/free-space.ts';
import { inSlices, type Sliced, sliceMs } from '../../../base/turns.ts';
import type { Buffer } from '../../../loops/ir.ts';
import type { ArenaPlace, Program } from '../../../loops/program.ts';
import { copyMs } from '../../../tensor/copying.ts';
import { sizeOf, type TypedArray } from '../../../tensor/dtype.ts';
import { lengthOf, staysPut } from '../../../tensor/typed-array.ts';
import type { Executable, RunProfile } from '../../backend.ts';
import { actionsOf, kernelsCalled, stepsOf } from '../../emit/steps.ts';
import { bytesOf, collect, collecting, fill } from '../../run/ports.ts';
import type { Piece, ProgramMemory } from '../../run/residence.ts';
import { secondsOf } from '../../run/work.ts';
import type { Slot } from '../emit/slots.ts';
import { Call } from './call.ts';
import type { Library, Runtime } from './runtime.ts';

/** What takes a thread less than this by itself, in seconds, is not worth waking another. */
const shortRun = 0.25e-3;
const rates = { operations: 4e9, bytes: 20e9 };
/** Feeds from so many bytes on are read where they lie: nobody can change them before the run is over. */
const worthPointing = 2 ** 12;

/** How much there is to do. */
export interface Work {
  /** How many threads are worth it. */
  readonly threads: number;
  /** How long a run takes, roughly, with its copies. */
  readonly milliseconds: number;
}

/** What a run is for so many threads at most. */
export function* workOf(program: Program, most: number): Sliced<Work> {
  const alone = yield* secondsOf(program, rates, 1);
  const threads = alone < shortRun ? 1 : most;
  const seconds = yield* secondsOf(program, rates, threads);
  return { threads, milliseconds: 1e3 * seconds + copyMs(bytesOf(program.fetches)) };
}

/** What a program is run with. */
export interface NativeParts {
  readonly program: Program;
  readonly library: Library;
  readonly runtime: Runtime;
  readonly memory: ProgramMemory;
  readonly work: Work;
  readonly profile: boolean;
  readonly slots: readonly Slot[];
}

/** May the run read all of the buffer from the feed itself? Of memory that can change meanwhile there must be a copy. */
const mayPoint = (feed: TypedArray, { dtype, length }: Buffer): boolean =>
  length * sizeOf(dtype) >= worthPointing && lengthOf(feed) === length && staysPut(feed);

/** Feeds that runs are reading: the engine must not take them for garbage. */
const read = new Set<readonly TypedArray[]>();

/** One long run a process: the queue of those that were asked for. Inline ones wait for none. */
let tail: Promise<unknown> = Promise.resolve();

/** A program that is called once a run, here or on other threads. */
export class NativeExecutable implements Executable {
  profile: RunProfile | undefined;
  readonly #parts: NativeParts;
  /** How long a run takes, roughly. */
  readonly #milliseconds: number;
  readonly #threads: number;
  readonly #call: Call;
  readonly #times: Piece | undefined;
  readonly #measured: readonly number[];
  /** Feeds that are used, with the slots that point to them. */
  readonly #fed: readonly { readonly feed: number; readonly slot: number; readonly place: ArenaPlace }[];
  #arena: Piece | undefined;
  /** Has a run ended in this arena? Then the system has given its memory. */
  #arenaUsed = false;

  constructor(parts: NativeParts) {
    const { program, memory, slots, profile, library } = parts;
    this.#parts = parts;
    this.#threads = parts.work.threads;
    this.#milliseconds = parts.work.milliseconds;
    this.#measured = profile ? kernelsCalled(actionsOf(stepsOf(program, true))) : [];
    this.#call = new Call(
      memory,
      slots.map((place) => (place.kind === 'arena' ? 0 : memory.pieceOf(place).address)),
    );
    this.#fed = program.feeds.flatMap((port, feed) => {
      const place = port && (program.places.get(port.buffer) as ArenaPlace);
      const slot = place ? slots.indexOf(place) : -1;
      return place && slot >= 0 ? [{ feed, slot, place }] : [];
    });
    const timesOfThread = 2 * this.#measured.length;
    if (profile) this.#times = memory.allocate(8 * timesOfThread * this.#threads);
    this.#call.set({
      run: library.run,
      ownBytes: alignedSize(program.threadBytes),
      most: this.#threads,
      times: this.#times?.address ?? 0,
      timesOfThread,
    });
  }

  /** The first run of more than a little meets new memory and code, which takes longer, so it does not run on this thread. */
  get inlineMs(): number | undefined {
    const known = this.#milliseconds < 1e3 * shortRun || (this.#arenaUsed && !this.#parts.memory.hasMoved);
    return known && this.#milliseconds < sliceMs ? this.#milliseconds : undefined;
  }

  /** The arena may be another one than in the last run: a larger program has been loaded. */
  #useArena(): void {
    const { memory } = this.#parts;
    const arena = memory.begin();
    if (arena === this.#arena) return;
    this.#arena = arena;
    this.#arenaUsed = false;
    this.#call.set({ arena: arena.address, own: memory.ownOf(0) });
  }

  #pointToFeeds(feeds: readonly TypedArray[], inPlace: readonly boolean[]): void {
    const { runtime, memory } = this.#parts;
    for (const { feed, slot, place } of this.#fed) {
      const address = inPlace[feed] ? runtime.address(feeds[feed]) : memory.arena.address + place.offset;
      this.#call.point(slot, address);
    }
  }

  run(
    feeds: readonly TypedArray[],
    counters: readonly number[],
  ): readonly TypedArray[] | Promise<readonly TypedArray[]> {
    const { program, runtime, memory } = this.#parts;
    const inline = this.inlineMs !== undefined;
    this.#useArena();
    const inPlace = program.feeds.map((port, i) => port !== undefined && mayPoint(feeds[i], port.buffer));
    this.#pointToFeeds(feeds, inPlace);
    fill(program, memory.view, feeds, counters, (i) => inPlace[i]);
    const { address } = this.#call;
    if (inline) {
      const started = this.#times && performance.now();
      const code = this.#finish(runtime.execute(address), started);
      return collect(program, memory.view, code);
    }
    const result = tail.then(async () => {
      const started = this.#times && performance.now();
      read.add(feeds);
      const code = await runtime.executeAsync(address).finally(() => read.delete(feeds));
      return inSlices(collecting(program, memory.view, this.#finish(code, started)));
    });
    tail = result.catch(() => {});
    return result;
  }

  #finish(code: number, started: number | undefined): number {
    if (code < 0) throw new UnavailableError('No thread could be started for a long run. Nothing has run.');
    this.#arenaUsed = true;
    if (started !== undefined) this.#measure(started);
    return code;
  }

  /** The times of the run that has just ended, by the clock of JavaScript. */
  #measure(started: number): void {
    const { buffer, offset } = this.#times as Piece;
    const computed = performance.now();
    const shift = computed - this.#parts.runtime.now();
    const each = 2 * this.#measured.length;
    const threads = Array.from({ length: this.#call.threads }, (_, thread) =>
      new Float64Array(buffer, offset + 8 * each * thread, each).map((t) => t + shift),
    );
    this.profile = { started, computed, calls: this.#measured, threads };
  }

  dispose(): void {
    this.#parts.library.close();
    this.#parts.memory.release();
  }
}
