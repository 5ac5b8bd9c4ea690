// The native backend: programs as C, compiled by the system's compiler and called through koffi, once a run.

import { availableCores } from '../../base/cores.ts';
import { InternalError, UnavailableError } from '../../base/errors.ts';
import { alignedSize } from '../../base/free-space.ts';
import { inSlices, sliceMs } from '../../base/turns.ts';
import type { Buffer } from '../../loops/ir.ts';
import type { Machine } from '../../loops/machine.ts';
import type { ArenaPlace, LastingPlace, Program } from '../../loops/program.ts';
import { sizeOf, type TypedArray, viewOf } from '../../tensor/dtype.ts';
import type { Backend, BackendOptions, Compiled, Executable, RunProfile } from '../backend.ts';
import { callsOf, stepsOf } from '../emit/steps.ts';
import { collect, fill } from '../run/ports.ts';
import { secondsOf } from '../run/work.ts';
import { emitting, type Slot } from './emit/emit.ts';
import { Call } from './run/call.ts';
import { HostMemory, type Piece } from './run/host-memory.ts';
import { type Library, loadKoffi, type Runtime, startRuntime } from './run/runtime.ts';
import { userCache } from './toolchain/code-cache.ts';
import { type Compiler, compile, findCompiler } from './toolchain/compiler.ts';
import { machineFor, type Target } from './toolchain/machine.ts';

/** What takes a thread less than this by itself, in seconds, is not worth waking another. */
const shortRun = 0.25e-3;
const rates = { operations: 4e9, bytes: 20e9 };
/** Feeds from so many bytes on are read where they lie, in runs that are over before anybody can change them. */
const worthPointing = 2 ** 12;

/** @throws UnavailableError where something that it needs is missing. */
export const createNative = (options: BackendOptions): Backend => new NativeBackend(options);

/** A smaller machine than this one, for tests of what other processors run. */
function targetOf(portable: boolean): Target {
  if (portable) return 'portable';
  const asked = process.env.MILLRACE_NATIVE_TARGET;
  return asked === 'avx2' || asked === 'sse' ? asked : 'native';
}

class NativeBackend implements Backend {
  readonly name = 'native';
  readonly machine: Machine;
  readonly ready: Promise<void>;
  readonly description: string;
  readonly #threads: number;
  readonly #profile: boolean;
  readonly #compiler: Compiler;
  readonly #runtime: Promise<Runtime>;
  #storage: HostMemory | undefined;
  readonly #variables = new Map<number, Piece>();
  #arena: Piece | undefined;

  constructor({ threads, portable, profile }: BackendOptions) {
    loadKoffi();
    this.#profile = profile;
    this.#threads = threads ?? availableCores();
    const target = targetOf(portable);
    this.#compiler = findCompiler(userCache(), target);
    this.machine = machineFor(this.#compiler.macros, target);
    this.#runtime = startRuntime(this.#compiler, userCache());
    this.ready = this.#runtime.then(() => {});
    const { vectorBytes, fusedMultiplyAdd } = this.machine;
    const fused = fusedMultiplyAdd ? ' and fused multiply-add' : '';
    this.description =
      `native: compiled by ${this.#compiler.name} with ${vectorBytes * 8}-bit vectors${fused}, ` +
      `${this.#threads} ${this.#threads === 1 ? 'thread' : 'threads'}`;
  }

  async load({ program }: Compiled): Promise<Executable> {
    if (!program) throw new InternalError('the native backend needs a program');
    const { machine } = this;
    const { source, slots } = await inSlices(emitting(program, { machine, profile: this.#profile }));
    const [runtime, file] = await Promise.all([this.#runtime, compile(this.#compiler, userCache(), source)]);
    this.#storage ??= new HostMemory(runtime, machine.memoryLimit);
    const storage = this.#storage;
    this.#reserve(program, storage);
    const library = runtime.open(file);
    try {
      return new NativeExecutable({
        program,
        library,
        runtime,
        storage,
        threads: this.#threads,
        profile: this.#profile,
        slots,
        variable: (key) => this.#variable(key, program, storage),
        reserve: () => this.#reserve(program, storage),
      });
    } catch (error) {
      library.close();
      throw error;
    }
  }

  #variable(key: number, program: Program, storage: HostMemory): Piece {
    let piece = this.#variables.get(key);
    if (!piece) {
      const variable = program.variables.find((v) => v.key === key)!;
      piece = storage.allocate(variable.length * sizeOf(variable.dtype));
      this.#variables.set(key, piece);
    }
    return piece;
  }

  /** Makes the arena, which all executables share, and the threads' own space behind it, large enough. */
  #reserve({ arenaBytes, threadBytes }: Program, storage: HostMemory): Piece {
    const bytes = alignedSize(arenaBytes) + this.#threads * alignedSize(threadBytes);
    if (this.#arena && bytes <= this.#arena.bytes) return this.#arena;
    if (this.#arena) storage.release(this.#arena);
    this.#arena = undefined;
    this.#arena = storage.allocate(bytes);
    return this.#arena;
  }

  close(): void {
    this.#variables.clear();
    this.#arena = undefined;
  }
}

interface Parts {
  readonly program: Program;
  readonly library: Library;
  readonly runtime: Runtime;
  readonly storage: HostMemory;
  readonly threads: number;
  readonly profile: boolean;
  readonly slots: readonly Slot[];
  readonly variable: (key: number) => Piece;
  readonly reserve: () => Piece;
}

/** One long run a process: the queue of those that were asked for. Inline ones wait for none. */
let tail: Promise<unknown> = Promise.resolve();

class NativeExecutable implements Executable {
  profile: RunProfile | undefined;
  readonly #parts: Parts;
  /** How long a run takes, roughly. */
  readonly #milliseconds: number;
  readonly #threads: number;
  readonly #constants = new Map<LastingPlace, Piece>();
  readonly #call: Call;
  readonly #times: Piece | undefined;
  readonly #measured: readonly number[];
  /** Feeds that are used, with the slots that point to them. */
  readonly #fed: readonly { readonly feed: number; readonly slot: number; readonly place: ArenaPlace }[];
  readonly #views = new Map<Buffer, TypedArray>();
  #arena: Piece | undefined;
  /** The arena of the last run: memory that the system has given. */
  #usedArena: Piece | undefined;

  constructor(parts: Parts) {
    const { program, storage, slots, profile, library } = parts;
    this.#parts = parts;
    this.#threads = secondsOf(program, rates, 1) < shortRun ? 1 : parts.threads;
    this.#milliseconds = 1e3 * secondsOf(program, rates, this.#threads);
    const calls = profile ? callsOf(stepsOf(program, true)) : [];
    this.#measured = calls.flatMap((call) => (typeof call === 'string' ? [] : [call[0]]));
    this.#call = new Call(
      storage,
      slots.map((place) => (place.kind === 'arena' ? 0 : this.#piece(place).address)),
    );
    this.#fed = program.feeds.flatMap((port, feed) => {
      const place = port && (program.places.get(port.buffer) as ArenaPlace);
      const slot = place ? slots.indexOf(place) : -1;
      return place && slot >= 0 ? [{ feed, slot, place }] : [];
    });
    const timesOfThread = 2 * this.#measured.length;
    if (profile) this.#times = storage.allocate(8 * timesOfThread * this.#threads);
    this.#call.set({
      run: library.run,
      ownBytes: alignedSize(program.threadBytes),
      most: this.#threads,
      times: this.#times?.address ?? 0,
      timesOfThread,
    });
  }

  /** The first run of more than a little meets new memory and code, which takes longer: it is none of this thread's. */
  get inlineMs(): number | undefined {
    const known = this.#milliseconds < 1e3 * shortRun || this.#usedArena === this.#parts.reserve();
    return known && this.#milliseconds < sliceMs ? this.#milliseconds : undefined;
  }

  /** Where something lies that outlives the run. */
  #piece(place: LastingPlace): Piece {
    if (place.kind === 'variable') return this.#parts.variable(place.key);
    let piece = this.#constants.get(place);
    if (!piece) {
      const { data } = place;
      piece = this.#parts.storage.allocate(data.byteLength);
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      new Uint8Array(piece.buffer, piece.offset, data.byteLength).set(bytes);
      this.#constants.set(place, piece);
    }
    return piece;
  }

  readonly #view = (buffer: Buffer): TypedArray => {
    let view = this.#views.get(buffer);
    if (!view) {
      const place = this.#parts.program.places.get(buffer) as ArenaPlace | LastingPlace;
      const inArena = place.kind === 'arena';
      const piece = inArena ? (this.#arena as Piece) : this.#piece(place);
      view = viewOf(buffer.dtype, piece.buffer, piece.offset + (inArena ? place.offset : 0), buffer.length);
      this.#views.set(buffer, view);
    }
    return view;
  };

  /** The arena may be another one than in the last run: a larger program has been loaded. */
  #useArena(): void {
    const arena = this.#parts.reserve();
    if (arena === this.#arena) return;
    this.#arena = arena;
    this.#views.clear();
    this.#call.set({ arena: arena.address, own: arena.address + alignedSize(this.#parts.program.arenaBytes) });
  }

  #pointToFeeds(feeds: readonly TypedArray[], isInPlace: (feed: TypedArray) => boolean): void {
    const { runtime } = this.#parts;
    for (const { feed, slot, place } of this.#fed) {
      const here = isInPlace(feeds[feed]);
      this.#call.point(slot, here ? runtime.address(feeds[feed]) : (this.#arena as Piece).address + place.offset);
    }
  }

  run(
    feeds: readonly TypedArray[],
    counters: readonly number[],
  ): readonly TypedArray[] | Promise<readonly TypedArray[]> {
    const { program, runtime } = this.#parts;
    const inline = this.inlineMs !== undefined;
    this.#useArena();
    // Of what other threads may write to there must be a copy.
    const isInPlace = (feed: TypedArray) =>
      inline && feed.byteLength >= worthPointing && feed.buffer instanceof ArrayBuffer;
    this.#pointToFeeds(feeds, isInPlace);
    fill(program, this.#view, feeds, counters, (i) => isInPlace(feeds[i]));
    const { address } = this.#call;
    if (inline) {
      const started = this.#times && performance.now();
      return this.#finish(runtime.execute(address), started);
    }
    const result = tail.then(async () => {
      const started = this.#times && performance.now();
      return this.#finish(await runtime.executeAsync(address), started);
    });
    tail = result.catch(() => {});
    return result;
  }

  #finish(code: number, started: number | undefined): TypedArray[] {
    if (code < 0) throw new UnavailableError('No thread could be started for a long run. Nothing has run.');
    this.#usedArena = this.#arena;
    if (started !== undefined) this.#measure(started);
    return collect(this.#parts.program, this.#view, code);
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
    const { library, storage } = this.#parts;
    library.close();
    for (const piece of this.#constants.values()) storage.release(piece);
    if (this.#times) storage.release(this.#times);
    this.#call.release();
  }
}
