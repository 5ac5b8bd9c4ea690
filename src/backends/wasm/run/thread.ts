// A thread of the pool, and what is said to it. Its source is a string, so that there is no file to lose in a bundle;
// dist/thread.js is the same text as a file, for pages that forbid workers made of strings.
import { builtin, inNode } from '../../../base/builtin.ts';
import type { Action } from '../../emit/steps.ts';
import { profiledRun, type ThreadPart, type Timing } from './profile.ts';

/** What a thread is told: of a job, to run it, or to forget it. Jobs are known by their keys. */
export type Message =
  | {
      kind: 'load';
      key: number;
      module: WebAssembly.Module;
      memory: WebAssembly.Memory;
      measure: readonly Action[] | undefined;
    }
  | { kind: 'run'; key: number; part: ThreadPart }
  | { kind: 'forget'; key: number };

/** What a thread answers to a run; that it has started; or that it could not do what it was told. */
export type Reply =
  | { kind: 'started' }
  | { kind: 'done'; code: number; timing: Timing | undefined }
  | { kind: 'failed'; error: string };

/** A string, whatever tools make of functions: `Message` in, `Reply` out. */
export const threadSource = `
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
  // What imports the file instead of starting a thread from it gets nothing.
  if (parentPort) {
    parentPort.on('message', (message) => handle(message, (reply) => parentPort.postMessage(reply)));
    parentPort.postMessage({ kind: 'started' });
  }
} else {
  onmessage = (event) => handle(event.data, (reply) => postMessage(reply));
  postMessage({ kind: 'started' });
}
`;

/** What both kinds of workers can do. */
export interface Thread {
  post(message: Message): void;
  /** Keeps the process alive while a run is pending, and only then. */
  hold(pending: boolean): void;
  /** Resolves when the thread computes no more, where that can be known. */
  terminate(): Promise<unknown>;
}
export type Listener = { message: (reply: Reply) => void; lost: (why: string) => void };

/** Starts a thread, from the file at `workerUrl` where one is named. */
export function startThread(workerUrl: string | undefined, listener: Listener): Thread {
  if (inNode) {
    const threads = builtin<typeof import('node:worker_threads')>('worker_threads');
    const worker = workerUrl
      ? new threads.Worker(new URL(workerUrl), { execArgv: [] })
      : new threads.Worker(threadSource, { eval: true });
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
  const { Worker: WebWorker } = globalThis as unknown as {
    Worker: new (url: string, options?: { type: 'module' }) => BrowserWorker;
  };
  const worker = workerUrl
    ? new WebWorker(workerUrl, { type: 'module' })
    : new WebWorker(URL.createObjectURL(new Blob([threadSource], { type: 'text/javascript' })));
  worker.onmessage = (event) => listener.message(event.data);
  // What could not even be loaded has no message.
  worker.onerror = (event) => listener.lost(event.message || notLoaded(workerUrl));
  return {
    post: (message) => worker.postMessage(message),
    hold: () => {},
    terminate: async () => worker.terminate(),
  };
}

const notLoaded = (workerUrl: string | undefined): string =>
  workerUrl
    ? `its file could not be loaded: ${workerUrl} must be a copy of millrace/thread, from this origin, and a page that is ` +
      'cross-origin isolated asks for the header Cross-Origin-Embedder-Policy: require-corp with it'
    : "the page's content security policy may forbid workers from blob: addresses: serve a copy of the file " +
      "millrace/thread, and name its address with new tf.Session({ workerUrl: '…' })";

interface BrowserWorker {
  onmessage: (event: { data: Reply }) => void;
  onerror: (event: { message: string }) => void;
  postMessage(message: unknown): void;
  terminate(): void;
}
