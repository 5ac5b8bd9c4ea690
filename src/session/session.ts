// Sessions: they hold the values of variables and run parts of a graph.

import { type Backend, type Executable, WorkerLostError } from '../backends/backend.ts';
import { type BackendName, backends } from '../backends/registry.ts';
import { FailedPreconditionError, FeedError, MillraceError, UnavailableError } from '../base/errors.ts';
import { captureSite } from '../base/stack.ts';
import { inSlices } from '../base/turns.ts';
import { type CompiledRun, compiling, stateFor } from '../compiler/compile.ts';
import { explain, kernelsOf } from '../compiler/explain.ts';
import { type Graph, getDefaultGraph } from '../graph/graph.ts';
import type { Tensor, Variable } from '../graph/tensor.ts';
import type { TypedArray } from '../tensor/dtype.ts';
import { anything } from '../tensor/kinds.ts';
import { hostArray, type NDArray } from '../tensor/ndarray.ts';
import { signature } from '../tensor/signature.ts';
import { ExecutableCache } from './executable-cache.ts';
import { type CheckedFeed, checkFeeds, copiesOf } from './feeds.ts';
import { assemble, type FlatFetches, flattenFetches, labelOf } from './fetches.ts';
import { GrowthWatch } from './growth.ts';
import { KernelTimes } from './kernel-times.ts';
import { backendNamed, type SessionOptions, sessionForm } from './options.ts';
import { Printing } from './printing.ts';
import { RunQueue } from './queue.ts';
import { SizesWatch } from './sizes.ts';
import { compileSpans, runSpans, type TracedKernel } from './timeline.ts';
import { Trace } from './trace.ts';
import type { FeedPairs, Fetched, Fetches } from './types.ts';
import { howToInitialize } from './uninitialized.ts';

declare global {
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

const fetches = anything<Fetches>('tensors and operations');
const feedPairs = anything('an array of pairs');
const runForm = signature('session.run', { fetches }, { feeds: feedPairs }, ['feeds']);
const explainForm = signature('session.explain', { fetches }, { feeds: feedPairs }, ['feeds']);
/** @internal */
export const closeForm = signature('session.close', {}, {});

export type { BackendName, SessionOptions };

/** @internal What a session is at a moment, as far as later runs depend on it. */
export interface Snapshot {
  readonly values: readonly NDArray[];
  /** How often each random op has run, by the name of its stream. */
  readonly randomRuns: ReadonlyMap<string, number>;
  readonly seed: number;
  /** The bits of results depend on it; undefined for the backend `reference`. */
  readonly machine: Backend['machine'];
}

/** A compiled run with what the session has to know of it. */
interface Prepared extends CompiledRun {
  readonly executable: Executable;
  readonly shapes: readonly (readonly number[])[];
  /** Where runs are traced: what the timeline shows, and how long the kernels took. */
  readonly traced:
    | { readonly label: string; readonly kernels: readonly TracedKernel[]; readonly times: KernelTimes }
    | undefined;
}

/** What a session holds outside of what the engine collects. */
interface Held {
  backend: Backend;
  readonly cache: ExecutableCache<Prepared>;
}

function release({ backend, cache }: Held): void {
  cache.clear();
  backend.close();
}

/** Sessions that nobody closes and nobody has any more. */
const dropped = new FinalizationRegistry(release);

/**
 * Runs parts of a graph and keeps the values of its variables.
 *
 * ```ts
 * const sess = new tf.Session();
 * await sess.run(tf.globalVariablesInitializer());
 * const { loss, accuracy } = await sess.run({ loss, accuracy }, [[x, images], [y_, labels]]);
 * await sess.close();
 * ```
 */
export class Session {
  /** What it runs parts of. */
  readonly graph: Graph;
  /** Settles when the backend has started; rejects with UnavailableError if it cannot. */
  readonly ready: Promise<void>;
  readonly #held: Held;
  readonly #seed: number;
  readonly #queue = new RunQueue();
  readonly #initialized = new Set<Variable>();
  /** Variables whose values once went with a worker. */
  readonly #lostValues = new Set<Variable>();
  readonly #runsOf = new Map<string, number>();
  readonly #growth: GrowthWatch;
  readonly #sizes = new SizesWatch();
  readonly #trace: Trace | undefined;
  readonly #printing: Printing;
  #closing: Promise<void> | undefined;

  constructor(options?: SessionOptions);
  constructor(...given: unknown[]) {
    const options = sessionForm.take(given);
    const { threads, workerUrl, portable = false, fastMath = true, seed = 0, trace, print } = options;
    const makeBackend = backends[backendNamed(options.backend)];
    this.graph = options.graph ?? getDefaultGraph();
    this.#seed = seed;
    this.#printing = new Printing(print);
    this.#held = {
      backend: makeBackend({ threads, workerUrl, portable, fastMath, profile: trace !== undefined }),
      cache: new ExecutableCache<Prepared>((p) => p.executable.dispose()),
    };
    dropped.register(this, this.#held, this);
    if (trace !== undefined) this.#trace = new Trace(trace, this.#held.backend.description);
    this.ready = this.#held.backend.ready;
    // Who awaits a run hears of it there.
    this.ready.catch(() => {});
    this.#growth = new GrowthWatch(this.graph);
  }

  /** Which backend runs, and one line on how. */
  get backend(): { readonly name: string; readonly description: string } {
    const { name, description } = this.#held.backend;
    return { name, description };
  }

  /**
   * Computes the fetches: a tensor, an operation, or an array or object of them; the result has the same structure.
   * Feeds give tensors their values for this run; any tensor can be fed. Feeds are copied, and the
   * structure of the fetches is read, before this returns.
   *
   * A run changes variables only if it succeeds as a whole. Fetching a value and a training step together gives the
   * value from before the step.
   *
   * @throws FeedError, FetchError, FailedPreconditionError (as a rejection) before anything runs; InvalidArgumentError
   * when a value is not allowed (an index out of range): variables are then unchanged.
   */
  run<const X extends Fetches, const P extends readonly Tensor<any, any>[] = []>(
    fetches: X,
    feeds?: FeedPairs<P>,
  ): Promise<Fetched<X>>;
  run(fetches: Fetches, feeds?: unknown, ...surplus: unknown[]): Promise<unknown> {
    try {
      if (surplus.length > 0) runForm.take([fetches, feeds, ...surplus]);
      return this.#run(fetches, feeds);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * What a run with these fetches and feeds does, as text: the backend; each task in order, with what was offered for
   * it and its kernels; where each array lies, and when it is needed. The run is compiled if it was not yet, and
   * nothing is executed. In a session with `trace`, after runs, also how long each kernel took.
   *
   * ```ts
   * console.log(await sess.explain(trainStep, [[x, images], [y_, labels]]));
   * ```
   *
   * @throws FeedError, FetchError, FailedPreconditionError (as a rejection) as `run` does, but variables need no values.
   */
  explain<const X extends Fetches, const P extends readonly Tensor<any, any>[] = []>(
    fetches: X,
    feeds?: FeedPairs<P>,
  ): Promise<string>;
  async explain(fetches: Fetches, feeds?: unknown, ...surplus: unknown[]): Promise<string> {
    if (surplus.length > 0) explainForm.take([fetches, feeds, ...surplus]);
    const request = this.#check(fetches, feeds);
    return this.#queue.add(async () => {
      const { run, plan, executable, traced } = await this.#prepare(request.flat, request.feeds);
      const text = explain({
        lowered: run,
        plan,
        inline: executable.inlineMs !== undefined,
        measured: traced?.times.measured,
      });
      return `${this.#held.backend.description}\n${labelOf(request.flat)}: ${text}`;
    }, 0);
  }

  /**
   * @internal What a later run depends on: copies of the values of variables, in their order, and how often random ops
   * have run; all of one moment, after every run that was asked for before, and before every later one.
   *
   * @throws FetchError for a variable of another graph, FailedPreconditionError for one without a value or when the
   * session is closed (as rejections).
   */
  async snapshot(variables: readonly Variable<any, any>[]): Promise<Snapshot> {
    this.#checkOpen();
    flattenFetches(variables, this.graph);
    const wanted = [...variables];
    return this.#queue.add(async () => {
      this.#checkInitialized(wanted);
      const randomRuns = new Map(this.#runsOf);
      const values = await this.#held.backend.readVariables(wanted.map(stateFor));
      return {
        values: wanted.map(({ dtype, shape }, i) => hostArray(dtype, shape as readonly number[], values[i])),
        randomRuns,
        seed: this.#seed,
        machine: this.#held.backend.machine,
      };
    }, 0);
  }

  /**
   * @internal Gives variables values, of the forms that feeds have, in the order of runs: all of them, or none if it
   * fails. They are initialized then. With `randomRuns`, random ops go on as there. The values are copied before this
   * returns, unless nobody else has them.
   *
   * @throws FeedError for a value of another shape or dtype, FetchError for a variable of another graph,
   * FailedPreconditionError when the session is closed, ResourceExhaustedError without space (as rejections).
   */
  async resume(
    values: ReadonlyMap<Variable<any, any>, unknown>,
    { isOwn = false, randomRuns }: { isOwn?: boolean; randomRuns?: ReadonlyMap<string, number> | undefined } = {},
  ): Promise<void> {
    this.#checkOpen();
    const variables = [...values.keys()];
    flattenFetches(variables, this.graph);
    const given = checkFeeds([...values]);
    const checked = isOwn ? given : copiesOf(given);
    const bytes = checked.reduce((sum, { data }) => sum + data.byteLength, 0);
    return this.#queue.add(async () => {
      await this.#held.backend.writeVariables(new Map(checked.map(({ tensor, data }) => [stateFor(tensor), data])));
      for (const v of variables) this.#initialized.add(v);
      if (!randomRuns) return;
      this.#runsOf.clear();
      for (const [name, count] of randomRuns) this.#runsOf.set(name, count);
    }, bytes);
  }

  #checkOpen(): void {
    if (this.#closing)
      throw new FailedPreconditionError('The session is closed; make a new one with new tf.Session().');
  }

  /** The fetches and feeds as the compiler takes them. */
  #check(fetches: Fetches, given: unknown): { flat: FlatFetches; feeds: readonly CheckedFeed[] } {
    this.#checkOpen();
    // The feeds last: what the caller's getters do to memory while the fetches are read is seen.
    const flat = flattenFetches(fetches, this.graph);
    const feeds = checkFeeds(given);
    const foreign = feeds.find(({ tensor }) => tensor.graph !== this.graph);
    if (foreign) {
      throw new FeedError(
        `${foreign.tensor.name}, made at ${foreign.tensor.operation.line}, is fed but belongs to another graph than the session; ` +
          'make the session with new tf.Session({ graph }), and feed tensors of that graph.',
      );
    }
    return { flat, feeds };
  }

  #run(fetches: Fetches, given: unknown): Promise<unknown> {
    const { flat, feeds } = this.#check(fetches, given);
    this.#growth.check();
    const known = this.#held.cache.get(flat, feeds);
    const inlineMs = known?.executable.inlineMs;
    const free = this.#queue.free(inlineMs ?? 0);
    if (known && inlineMs !== undefined && free) {
      return Promise.resolve(this.#execute(known, flat, feeds));
    }
    const copies = copiesOf(feeds);
    const bytes = copies.reduce((sum, f) => sum + f.data.byteLength, 0);
    // What is compiled for the first time is where mistakes come to light.
    const site = known ? undefined : captureSite();
    const task = async () => {
      try {
        return await this.#execute(await this.#prepare(flat, copies), flat, copies);
      } catch (error) {
        throw site && error instanceof MillraceError ? error.askedAt(site) : error;
      }
    };
    return this.#queue.add(task, bytes, inlineMs);
  }

  async #prepare(flat: FlatFetches, feeds: readonly CheckedFeed[]): Promise<Prepared> {
    const known = this.#held.cache.get(flat, feeds);
    if (known) return known;
    try {
      return await this.#compile(flat, feeds);
    } catch (error) {
      if (!(error instanceof UnavailableError && this.#held.backend.instead)) throw error;
      await this.#goOnWith(this.#held.backend.instead(error), error);
      return this.#compile(flat, feeds);
    }
  }

  /** Another backend takes the place of one that can load no more programs. */
  async #goOnWith(backend: Backend, { message }: UnavailableError): Promise<void> {
    const before = this.#held.backend;
    const states = [...this.#initialized].map(stateFor);
    if (states.length > 0) {
      const values = await before.readVariables(states);
      await backend.writeVariables(new Map(states.map((state, i) => [state, values[i]])));
    }
    this.#held.cache.clear();
    this.#held.backend = backend;
    before.close();
    console.warn(`millrace: this session goes on with ${backend.name}, as ${before.name} cannot: ${message}`);
  }

  async #compile(flat: FlatFetches, feeds: readonly CheckedFeed[]): Promise<Prepared> {
    const { machine } = this.#held.backend;
    const request = { graph: this.graph, fetches: flat.tensors, targets: flat.targets, feeds, seed: this.#seed };
    const begin = performance.now();
    let lowered = begin;
    const watch = { lower: () => void (lowered = performance.now()) };
    const { run, plan } = await inSlices(compiling(request, machine, { watch }));
    const planned = performance.now();
    const executable = await this.#held.backend.load({ lowered: run, program: plan });
    const label = labelOf(flat);
    this.#trace?.add(compileSpans(label, [begin, lowered, planned, performance.now()]));
    const kernels = this.#trace && plan ? kernelsOf(plan) : [];
    const traced = this.#trace && { label, kernels, times: new KernelTimes(kernels.length) };
    const prepared = { run, executable, plan, shapes: run.fetches.map((v) => [...v.shape]), traced };
    this.#held.cache.set(flat, feeds, run.sizeFeeds, prepared);
    this.#sizes.add(flat, feeds, run.sizeFeeds);
    return prepared;
  }

  /** Calls the executable; a short one returns without a promise in between. */
  #execute(prepared: Prepared, { structure }: FlatFetches, feeds: readonly CheckedFeed[]): unknown {
    const { run, executable, shapes, traced } = prepared;
    this.#checkInitialized(run.reads);
    // Runs that change no variable draw from a stream of their own, so an evaluation between two steps changes nothing.
    const stream = run.writes.length > 0 ? 0 : 1;
    const keys = run.counters.map((name) => `${stream}${name}`);
    const counts = keys.map((key) => this.#runsOf.get(key) ?? 0);
    const begin = traced ? performance.now() : 0;
    const inline = executable.inlineMs !== undefined;
    const finish = (values: readonly TypedArray[]): unknown => {
      for (const v of run.writes) this.#initialized.add(v);
      for (const [i, key] of keys.entries()) this.#runsOf.set(key, counts[i] + 1);
      if (traced) this.#record(prepared, begin, inline);
      if (run.prints.length > 0) this.#printing.after(run, values);
      return assemble(structure, values, shapes);
    };
    const values = executable.run(
      feeds.map((f) => f.data),
      counts.map((n) => 2 * n + stream),
    );
    return values instanceof Promise ? values.then(finish, (error) => this.#lost(error)) : finish(values);
  }

  /** Adds a run that has ended to the trace. */
  #record({ executable: { profile }, traced }: Prepared, begin: number, inline: boolean): void {
    if (!traced) return;
    const { label, kernels, times } = traced;
    if (profile) times.add(profile);
    this.#trace?.add(runSpans({ label, begin, end: performance.now(), inline, profile, kernels }));
  }

  /** After the loss of a worker nothing is known about the variables. */
  #lost(error: unknown): never {
    if (error instanceof WorkerLostError) {
      for (const v of this.#initialized) this.#lostValues.add(v);
      this.#initialized.clear();
    }
    throw error;
  }

  #checkInitialized(reads: readonly Variable[]): void {
    const missing = reads.filter((v) => !this.#initialized.has(v));
    if (missing.length === 0) return;
    const names = missing.map((v) => `  ${v.operation.name}, made at ${v.operation.line}`).join('\n');
    const cause = missing.some((v) => this.#lostValues.has(v))
      ? ' (their values were lost with the worker that computed them)'
      : '';
    throw new FailedPreconditionError(
      `These variables are used before they are initialized${cause}:\n${names}\n${howToInitialize(missing)}`,
    );
  }

  /** Waits for the runs that were asked for, then frees everything and writes the trace. Later runs fail. */
  close(): Promise<void>;
  async close(...given: unknown[]): Promise<void> {
    closeForm.take(given);
    this.#closing ??= this.#finish();
    await this.#closing;
  }

  async #finish(): Promise<void> {
    await this.#queue.drain();
    dropped.unregister(this);
    release(this.#held);
    await this.#trace?.close();
  }

  /** `await using sess = new tf.Session()` closes it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
