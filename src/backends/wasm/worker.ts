// The thread on which long runs are computed. Its source is a string, so that there is no file to lose in a bundle.
import { builtin, inNode } from '../../tensor/builtin.ts';
import { UnavailableError } from '../../tensor/errors.ts';
import { WorkerLostError } from '../backend.ts';

/** Messages: [id, bytes, memory] compiles, [id, arena] runs, [id] forgets. Replies: [code] or [undefined, error]. */
const source = `
const instances = new Map();
const handle = (message, reply) => {
  const [id, a, b] = message;
  try {
    if (message.length === 3) instances.set(id, new WebAssembly.Instance(new WebAssembly.Module(a), { m: { memory: b } }).exports.run);
    else if (message.length === 1) instances.delete(id);
    else reply([instances.get(id)(a)]);
  } catch (error) {
    reply([undefined, String(error)]);
  }
};
if (typeof process !== 'undefined' && process.versions && process.versions.node) {
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', (message) => handle(message, (reply) => parentPort.postMessage(reply)));
} else {
  onmessage = (event) => handle(event.data, (reply) => postMessage(reply));
}
`;

/** What both kinds of workers can do. */
interface Thread {
  post(message: unknown): void;
  /** Keeps the process alive while a run is pending, and only then. */
  hold(pending: boolean): void;
  terminate(): void;
}
type Listener = { message: (reply: [number?, string?]) => void; lost: (why: string) => void };

async function start(listener: Listener): Promise<Thread> {
  if (inNode) {
    const threads = await builtin<typeof import('node:worker_threads')>('worker_threads');
    const worker = new threads.Worker(source, { eval: true });
    worker.on('message', listener.message);
    worker.on('error', (error) => listener.lost(error.message));
    worker.on('exit', (code) => listener.lost(`it ended with code ${code}`));
    worker.unref();
    return {
      post: (message) => worker.postMessage(message),
      hold: (pending) => (pending ? worker.ref() : worker.unref()),
      terminate: () => void worker.terminate(),
    };
  }
  const { Worker: WebWorker } = globalThis as unknown as { Worker: new (url: string) => BrowserWorker };
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new WebWorker(url);
  worker.onmessage = (event) => listener.message(event.data);
  worker.onerror = (event) => listener.lost(event.message);
  return { post: (message) => worker.postMessage(message), hold: () => {}, terminate: () => worker.terminate() };
}

interface BrowserWorker {
  onmessage: (event: { data: [number?, string?] }) => void;
  onerror: (event: { message: string }) => void;
  postMessage(message: unknown): void;
  terminate(): void;
}

/** One worker, started when it is first needed, and started anew when it was lost. */
export class RunWorker {
  #thread: Promise<Thread> | undefined;
  #sent = new Set<number>();
  #pending: { resolve: (code: number) => void; reject: (error: Error) => void } | undefined;
  #closed = false;

  async run(id: number, bytes: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory, arena: number): Promise<number> {
    this.#thread ??= start({
      message: ([code, error]) => this.#settle(code, error),
      lost: (why) => this.#lose(why),
    });
    const thread = await this.#thread.catch((error: Error) => {
      this.#thread = undefined;
      throw new UnavailableError(`No worker could be started for a long run (${error.message}). Nothing has run.`);
    });
    return new Promise<number>((resolve, reject) => {
      this.#pending = { resolve, reject };
      thread.hold(true);
      if (!this.#sent.has(id)) thread.post([id, bytes, memory]);
      this.#sent.add(id);
      thread.post([id, arena]);
    }).finally(() => thread.hold(false));
  }

  #settle(code: number | undefined, error: string | undefined): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (code !== undefined) pending?.resolve(code);
    else this.#fail(pending, error ?? 'unknown');
  }

  #lose(why: string): void {
    this.#thread = undefined;
    this.#sent = new Set();
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending && !this.#closed) this.#fail(pending, why);
  }

  #fail(pending: { reject: (error: Error) => void } | undefined, why: string): void {
    pending?.reject(
      new WorkerLostError(
        `The worker of the session was lost while it ran (${why}). The values of the variables are not known any more: ` +
          'run tf.initializeAllVariables() again, or restore them.',
      ),
    );
  }

  forget(id: number): void {
    if (this.#sent.delete(id)) void this.#thread?.then((thread) => thread.post([id]));
  }

  close(): void {
    this.#closed = true;
    void this.#thread?.then((thread) => thread.terminate());
  }
}
