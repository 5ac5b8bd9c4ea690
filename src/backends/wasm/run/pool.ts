// The threads on which long runs are computed: one pool a process, shared by all sessions, one run at a time. The
// source of a thread is a string, so that there is no file to lose in a bundle.
import { builtin, inNode } from '../../../base/builtin.ts';
import { UnavailableError } from '../../../base/errors.ts';
import { WorkerLostError } from '../../backend.ts';
import type { Action } from '../../emit/steps.ts';
import { profiledRun, type ThreadPart, type Timing } from './profile.ts';

/** What a thread is told: of a job, to run it, or to forget it. Jobs are known by their keys. */
type Message =
  | { kind: 'load'; key: number; module: WebAssembly.Module; memory: WebAssembly.Memory; measure: Job['measure'] }
  | { kind: 'run'; key: number; part: ThreadPart }
  | { kind: 'forget'; key: number };

/** What a thread answers to a run; or that it could not do what it was told. */
type Reply = { kind: 'done'; code: number; timing: Timing | undefined } | { kind: 'failed'; error: string };

/** A string, whatever tools make of functions: `Message` in, `Reply` out. */
const source = `
const jobs = new Map();
const profiledRun = ${profiledRun};
const answer = (message) => {
  const { kind, key } = message;
  if (kind === 'load') {
    const { module, memory, measure } = message;
    const { exports } = new WebAssembly.Instance(module, { m: { memory } });
    jobs.set(key, { exports, measure });
    return undefined;
  }
  if (kind === 'forget') {
    jobs.delete(key);
    return undefined;
  }
  const { exports, measure } = jobs.get(key);
  if (measure) {
    const timing = profiledRun(exports, measure, message.part);
    return { kind: 'done', code: timing.code, timing };
  }
  const { arena, own, thread, threads } = message.part;
  return { kind: 'done', code: exports.run(arena, own, thread, threads), timing: undefined };
};
const handle = (message, send) => {
  let reply;
  try {
    reply = answer(message);
  } catch (error) {
    reply = { kind: 'failed', error: String(error) };
  }
  if (reply) send(reply);
};
if (typeof process !== 'undefined' && process.versions && process.versions.node) {
  const { parentPort } = process.getBuiltinModule('node:worker_threads');
  parentPort.on('message', (message) => handle(message, (reply) => parentPort.postMessage(reply)));
} else {
  onmessage = (event) => handle(event.data, (reply) => postMessage(reply));
}
`;

/** What both kinds of workers can do. */
interface Thread {
  post(message: Message): void;
  /** Keeps the process alive while a run is pending, and only then. */
  hold(pending: boolean): void;
  /** Resolves when the thread computes no more, where that can be known. */
  terminate(): Promise<unknown>;
}
type Listener = { message: (reply: Reply) => void; lost: (why: string) => void };

function start(listener: Listener): Thread {
  if (inNode) {
    const threads = builtin<typeof import('node:worker_threads')>('worker_threads');
    const worker = new threads.Worker(source, { eval: true });
    worker.on('message', listener.message);
    worker.on('error', (error) => listener.lost(error.message));
    worker.on('exit', (code) => listener.lost(`it ended with code ${code}`));
    worker.unref();
    return {
      post: (message) => worker.postMessage(message),
      hold: (pending) => (pending ? worker.ref() : worker.unref()),
      terminate: () => worker.terminate(),
    };
  }
  const { Worker: WebWorker } = globalThis as unknown as { Worker: new (url: string) => BrowserWorker };
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new WebWorker(url);
  worker.onmessage = (event) => listener.message(event.data);
  worker.onerror = (event) => listener.lost(event.message);
  return {
    post: (message) => worker.postMessage(message),
    hold: () => {},
    terminate: async () => worker.terminate(),
  };
}

interface BrowserWorker {
  onmessage: (event: { data: Reply }) => void;
  onerror: (event: { message: string }) => void;
  postMessage(message: unknown): void;
  terminate(): void;
}

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
}

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
  /** What the present threads have been told of, and how many bytes of it nobody needs any more. */
  #seen = new WeakSet<WebAssembly.Memory>();
  #kept = 0;
  readonly #keys = new Map<Job, number>();
  #nextKey = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #pending:
    | { waiting: number; timings: Timing[]; resolve: (outcome: Outcome) => void; reject: (error: Error) => void }
    | undefined;

  /** Runs a job when all that were asked for before are done. */
  run(job: Job, spaces: RunSpaces): Promise<Outcome> {
    const result = this.#tail.then(() => this.#run(job, spaces));
    this.#tail = result.catch(() => {});
    return result;
  }

  async #run(job: Job, { arena, own }: RunSpaces): Promise<Outcome> {
    const threads = own.length;
    const members = this.#start(threads);
    let key = this.#keys.get(job);
    if (key === undefined) this.#keys.set(job, (key = this.#nextKey++));
    return new Promise<Outcome>((resolve, reject) => {
      this.#pending = { waiting: threads, timings: [], resolve, reject };
      for (const { thread, knows } of members) {
        thread.hold(true);
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

  /** Begins to start threads that a run will need soon. If that fails, the run says so. */
  prepare(threads: number): void {
    try {
      this.#start(threads);
    } catch {
      // The run will try again.
    }
  }

  /** The first threads of the pool, started where they are missing. */
  #start(count: number): PoolMember[] {
    try {
      while (this.#members.length < count) {
        const member: PoolMember = {
          knows: new Set(),
          thread: start({
            message: (reply) => this.#reply(member, reply),
            lost: (why) => this.#lose(member, why),
          }),
        };
        this.#members.push(member);
      }
    } catch (error) {
      throw new UnavailableError(
        `No worker could be started for a long run (${(error as Error).message}). Nothing has run.`,
      );
    }
    return this.#members.slice(0, count);
  }

  #reply(member: PoolMember, reply: Reply): void {
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
    if (this.#kept > mostKept && !this.#pending) void this.#end();
  }
}

/** The pool of this process. */
export const pool = new ThreadPool();
