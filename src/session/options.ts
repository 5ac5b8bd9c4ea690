// The options of sessions.
import { type BackendName, backends } from '../backends/registry.ts';
import { environment } from '../base/builtin.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import { Graph } from '../graph/graph.ts';
import { describe } from '../tensor/describe.ts';
import { anything, kind, text, trueOrFalse } from '../tensor/kinds.ts';
import { signature } from '../tensor/signature.ts';

/** How a session runs. */
export interface SessionOptions {
  /** The graph to run; default: the default graph at this moment. */
  graph?: Graph;
  /**
   * `'native'`: C, compiled by the system's compiler and loaded with the package koffi. `'wasm'`: WebAssembly.
   * `'auto'` (default): native where both are found, else wasm; `session.backend` says which and why. `'reference'`:
   * evaluated directly in float64, slow: for checking. The environment variable MILLRACE_BACKEND changes the default.
   */
  backend?: BackendName | undefined;
  /**
   * How many threads compute a long run; default: the cores that this process may use. The results do not depend on
   * it. One where the page is not cross-origin isolated.
   */
  threads?: number | undefined;
  /**
   * The address of a copy of the file `millrace/thread`, from which the threads of the wasm backend start: for pages
   * whose content security policy forbids workers from `blob:` addresses. All sessions share the threads. Default: they
   * bring their code along. In Node: a `file:` address.
   */
  workerUrl?: string | undefined;
  /**
   * Use only instructions that give the same bits on every machine: no fused multiply-add, which rounds once and is
   * faster where the engine has it. Default false.
   */
  portable?: boolean;
  /**
   * Allow kernels that are faster because they may mix values of a neighbourhood (Winograd's convolutions) or leave out
   * factors of zero (after relu and dropout), within what docs/numbers.md promises. Default true. false: every result
   * comes from the products and sums that define it, so that a NaN, an infinity or a huge number stays where it belongs.
   */
  fastMath?: boolean;
  /** Where random numbers start; the same seed gives the same numbers. Default 0. */
  seed?: number;
  /**
   * The path of a file to which a timeline is written when the session closes or the process ends: every run that succeeds
   * and every kernel on every thread, to be opened with https://ui.perfetto.dev or chrome://tracing. Traced runs compute the same
   * bits, a little slower; `explain` then says how long each kernel took. Needs Node. The first 100,000 events are kept.
   */
  trace?: string;
  /**
   * Takes what `tf.print` and `tf.Print` print, a text each, after the run; default: `console.error`. What it throws
   * rejects the promise of a run that has happened.
   */
  print?: (text: string) => void;
}

/** More would only wait for each other. */
const mostThreads = 256;

const isThreads = (n: unknown) => Number.isInteger(n) && (n as number) >= 1 && (n as number) <= mostThreads;
const isSeed = (n: unknown) => Number.isInteger(n) && Math.abs(n as number) < 2 ** 32;
const optionKinds = {
  graph: kind<Graph>('a graph', (v) => v instanceof Graph),
  backend: anything<BackendName>('the name of a backend'),
  workerUrl: kind<string>("an address, such as './thread.js'", text.fits),
  threads: kind<number>(`a whole number from 1 to ${mostThreads}`, isThreads),
  portable: trueOrFalse,
  fastMath: trueOrFalse,
  seed: kind<number>('a whole number of at most 32 bits', isSeed),
  trace: kind<string>("the path of a file, such as 'trace.json'", text.fits),
  print: kind<(text: string) => void>('a function that takes a text', (v) => typeof v === 'function'),
} satisfies Record<keyof SessionOptions, unknown>;
export const sessionForm = signature('new tf.Session', {}, optionKinds);

/**
 * The backend that a session asks for; of one that asks for none, that which the environment names, or `auto`.
 *
 * @throws InvalidArgumentError if there is no such backend.
 */
export function backendNamed(asked: BackendName | undefined): BackendName {
  const name = asked ?? ((environment('MILLRACE_BACKEND') || 'auto') as BackendName);
  if (typeof name === 'string' && Object.hasOwn(backends, name)) return name;
  const came = typeof name === 'string' ? `'${name}'` : describe(name);
  const names = Object.keys(backends).map((b) => `'${b}'`);
  throw new InvalidArgumentError(
    `${asked === undefined ? 'MILLRACE_BACKEND' : 'Session'}: there is no backend ${came}; use ${names.join(' or ')}.`,
  );
}
