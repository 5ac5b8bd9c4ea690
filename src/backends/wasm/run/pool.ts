// The threads on which long runs are computed: one pool a process, shared by all sessions, one run at a time.
import { UnavailableError } from '../../../base/errors.ts';
import { WorkerLostError } from '../../backend.ts';
import type { Action } from '../../emit/steps.ts';
import type { Timing } from './profile.ts';
import { type Reply, startThread, type Thread } from './thread.ts';

/** A module on a memory: what the threads are told once. */
export interface Job {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** The size of the module. */
  readonly codeBytes: number;
  /** What a run does step by step, if it is to be measured. */
  readonly measure: readonly Action[] | undefined;
}

/** Where the arena of a run begins, and where the space of each of its threads. */
export interface RunSpaces {
  readonly arena: number;
  readonly own: readonly number[];
}

/** What came of a run, with the times of each thread if it was measured. */
export interface Outcome {
  readonly code: number;
  readonly timings: readonly Timing[];
}

interface PoolMember {
  readonly thread: Thread;
  readonly knows: Set<Job>;
  /** Rejects with NoThreadsError when the thread is lost before it has begun. */
  readonly started: Promise<void>;
  begun: boolean;
  readonly begin: () => void;
  readonly fail: (error: NoThreadsError) => void;
}

/** Threads cannot be started here: nothing has run. */
export class NoThreadsError extends UnavailableError {}

/**
 * How many bytes that nobody needs any more, memories of closed sessions and code, the threads may keep. They let go of
 * them only when their garbage is collected, and an idle thread makes none: with more, the threads are ended, and the
 * next run starts new ones, which takes some 25 ms.
 */
const mostKept = 64 * 2 ** 20;
/** Bytes that an engine makes of a byte of code, roughly. */
const machineCode = 5;

class ThreadPool {
  #members: PoolMember[] = [];
  #workerUrl: string | undefined;
  /** What keeps threads from being started, once that is known: it is not tried again. */
  #unavailable: NoThreadsError | undefined;
  /** Is a run waiting for its threads to begin? */
  #starting = false;
  /** What the present threads have been told of, and how many bytes of it nobody needs any more. */
  #seen = new WeakSet<WebAssembly.Memory>();
  #kept = 0;
  readonly #keys = new Map<Job, number>();
  #nextKey = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #pending:
    | { waiting: number; timings: Timing[]; resolve: (outcome: Outcome) => void; reject: (error: Error) => void }
    | undefined;

  /** The address of the threads' code, for threads that are started from now on; undefined: they bring it along. */
  startFrom(workerUrl: string | undefined): void {
    if (workerUrl === undefined || workerUrl === this.#workerUrl) return;
    this.#workerUrl = workerUrl;
    this.#unavailable = undefined;
  }

  /** Are there threads, or is it not known yet that there are none? */
  get mayStart(): boolean {
    return this.#unavailable === undefined;
  }

  /** Runs a job when all that were asked for before are done. */
  run(job: Job, spaces: RunSpaces): Promise<Outcome> {
    const result = this.#tail.then(() => this.#run(job, spaces));
    this.#tail = result.catch(() => {});
    return result;
  }

  async #run(job: Job, { arena, own }: RunSpaces): Promise<Outcome> {
    const threads = own.length;
    if (this.#unavailable) throw this.#unavailable;
    const members = this.#start(threads);
    this.#starting = true;
    for (const { thread } of members) thread.hold(true);
    try {
      await Promise.all(members.map(({ started }) => started));
    } catch (error) {
      await this.#end();
      throw error;
    } finally {
      this.#starting = false;
    }
    let key = this.#keys.get(job);
    if (key === undefined) this.#keys.set(job, (key = this.#nextKey++));
    return new Promise<Outcome>((resolve, reject) => {
      this.#pending = { waiting: threads, timings: [], resolve, reject };
      for (const { thread, knows } of members) {
        if (!knows.has(job))
          thread.post({ kind: 'load', key, module: job.module, memory: job.memory, measure: job.measure });
        knows.add(job);
      }
      this.#seen.add(job.memory);
      for (const [i, { thread }] of members.entries()) {
        thread.post({ kind: 'run', key, part: { arena, own: own[i], thread: i, threads } });
      }
    }).finally(() => {
      for (const { thread } of members) thread.hold(false);
      this.#renew();
    });
  }

  /** Begins to start threads that a run will need soon. If that fails, the run does without. */
  prepare(threads: number): void {
    try {
      if (!this.#unavailable) this.#start(threads);
    } catch {
      // The run hears of it.
    }
  }

  /** The first threads of the pool, started where they are missing. */
  #start(count: number): PoolMember[] {
    try {
      while (this.#members.length < count) this.#members.push(this.#member());
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const flag = code === 'ERR_ACCESS_DENIED' ? ': --allow-worker is missing' : '';
      throw this.#without(`${message}${flag}`);
    }
    return this.#members.slice(0, count);
  }

  /** Threads cannot be started, which is said once. */
  #without(why: string): NoThreadsError {
    if (!this.#unavailable)
      console.warn(`millrace: no threads can be started here (${why}), so one computes, the one that calls.`);
    this.#unavailable ??= new NoThreadsError(why);
    return this.#unavailable;
  }

  #member(): PoolMember {
    let [begin, fail]: [() => void, (error: NoThreadsError) => void] = [() => {}, () => {}];
    const started = new Promise<void>((resolve, reject) => {
      [begin, fail] = [resolve, reject];
    });
    // Who needs it hears of it.
    started.catch(() => {});
    const thread = startThread(this.#workerUrl, {
      message: (reply) => this.#reply(member, reply),
      lost: (why) => this.#lose(member, why),
    });
    const member: PoolMember = { knows: new Set(), thread, started, begun: false, begin, fail };
    return member;
  }

  #reply(member: PoolMember, reply: Reply): void {
    if (reply.kind === 'started') {
      member.begun = true;
      member.begin();
      return;
    }
    const pending = this.#pending;
    if (!pending) return;
    if (reply.kind === 'failed') {
      void this.#fail(reply.error);
      return;
    }
    if (reply.timing) pending.timings[this.#members.indexOf(member)] = reply.timing;
    if (--pending.waiting > 0) return;
    this.#pending = undefined;
    pending.resolve({ code: reply.code, timings: pending.timings });
  }

  #lose(member: PoolMember, why: string): void {
    if (!this.#members.includes(member)) return;
    if (!member.begun) member.fail(this.#without(why));
    void this.#fail(why);
  }

  /** Ends all threads; new ones start with the next run. */
  async #end(): Promise<void> {
    const members = this.#members;
    this.#members = [];
    this.#seen = new WeakSet();
    this.#kept = 0;
    await Promise.allSettled(members.map(({ thread }) => thread.terminate()));
  }

  /** Without one thread the others would wait for it for ever. */
  async #fail(why: string): Promise<void> {
    const pending = this.#pending;
    this.#pending = undefined;
    // Until they have ended the others may still write: what the session does next must not be overwritten.
    await this.#end();
    pending?.reject(
      new WorkerLostError(
        `A worker was lost while it ran (${why}). The values of the session's variables are not known any more: ` +
          'run tf.globalVariablesInitializer() again.',
      ),
    );
  }

  forget(job: Job): void {
    const key = this.#keys.get(job);
    if (key === undefined) return;
    this.#keys.delete(job);
    let known = false;
    for (const { thread, knows } of this.#members) {
      if (!knows.delete(job)) continue;
      thread.post({ kind: 'forget', key });
      known = true;
    }
    if (known) this.#keep(job.codeBytes * machineCode);
  }

  /** A memory whose jobs have all been forgotten is not needed any more. */
  release(memory: WebAssembly.Memory): void {
    if (this.#seen.has(memory)) this.#keep(memory.buffer.byteLength);
  }

  #keep(bytes: number): void {
    this.#kept += bytes;
    this.#renew();
  }

  #renew(): void {
    if (this.#kept > mostKept && !this.#pending && !this.#starting) void this.#end();
  }
}

/** The pool of this process. */
export const pool = new ThreadPool();
