// The runtime library as JavaScript sees it, through koffi. Loaded only when the native backend is asked for.
import { builtin } from '../../../base/builtin.ts';
import { UnavailableError } from '../../../base/errors.ts';
import type { TypedArray } from '../../../tensor/dtype.ts';
import { runtimeSource } from '../runtime/pool-source.ts';
import { load } from '../toolchain/compile.ts';
import type { Compiler } from '../toolchain/compiler.ts';

/** What is used of koffi. */
type Foreign = ((...args: unknown[]) => unknown) & { async: (...args: unknown[]) => void };
interface Koffi {
  load(path: string): { func(name: string, result: string, parameters: readonly string[]): Foreign };
}

/** A compiled program that has been loaded; `run` is the address of its function. */
export interface Library {
  readonly run: number;
  close(): void;
}

/** See pool-source.ts. Addresses are numbers: they are below 2⁵³. */
export interface Runtime {
  /** Runs on this thread, and those of the pool if it is free. */
  execute(call: number): number;
  /** Runs on other threads, when the pool is free. */
  executeAsync(call: number): Promise<number>;
  /** The present time on the clock of profiled runs, in milliseconds. */
  now(): number;
  address(memory: ArrayBuffer | TypedArray): number;
  advise(address: number, bytes: number): void;
  /** A compiled program, or why it cannot be loaded. */
  open(path: string): Library | string;
}

let koffi: Koffi | undefined;

/** Finds koffi beside millrace, or where the program was started. @throws UnavailableError if it is not installed. */
export function loadKoffi(): Koffi {
  if (koffi) return koffi;
  const { createRequire } = builtin<typeof import('node:module')>('module');
  const { join } = builtin<typeof import('node:path')>('path');
  let problem: NodeJS.ErrnoException | undefined;
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      // A name that bundlers do not follow.
      const name = ['kof', 'fi'].join('');
      koffi = createRequire(from)(name) as Koffi;
      return koffi;
    } catch (error) {
      problem ??= error as NodeJS.ErrnoException;
    }
  }
  const { message, code } = problem as NodeJS.ErrnoException;
  const remedy = code === 'ERR_DLOPEN_DISABLED' ? 'Allow it: node --allow-addons' : 'Install it: npm install koffi';
  throw new UnavailableError(
    `The native backend loads its programs with the package koffi, which cannot be loaded here (${message.split('\n')[0]}). ${remedy}`,
  );
}

const runtimes = new Map<string, Promise<Runtime>>();

/** The runtime, from the cache or the compiler; one for all who ask. Rejects if it cannot be compiled or loaded. */
export function startRuntime(compiler: Compiler): Promise<Runtime> {
  const key = compiler.identity;
  let runtime = runtimes.get(key);
  if (!runtime) {
    const libraries = process.platform === 'linux' ? ['-lpthread', '-ldl'] : [];
    runtime = load(compiler, { source: runtimeSource, libraries }, (file) => bind(loadKoffi(), file));
    runtimes.set(key, runtime);
    runtime.catch(() => runtimes.delete(key));
  }
  return runtime;
}

/** The runtime in a file, or why it cannot be loaded. */
function bind(ffi: Koffi, path: string): Runtime | string {
  let library: ReturnType<Koffi['load']>;
  try {
    library = ffi.load(path);
  } catch (error) {
    return (error as Error).message;
  }
  const func = (name: string, result: string, ...parameters: string[]) =>
    library.func(`millrace_${name}`, result, parameters);
  const execute = func('execute', 'int', 'uint64_t', 'int');
  const now = func('now', 'double');
  const address = func('address', 'uint64_t', 'void *');
  const advise = func('advise', 'void', 'uint64_t', 'uint64_t');
  const open = func('open', 'uint64_t', 'const char *');
  const symbol = func('symbol', 'uint64_t', 'uint64_t', 'const char *');
  const lastError = func('error', 'const char *');
  const close = func('close', 'void', 'uint64_t');
  return {
    execute: (call) => execute(call, 0) as number,
    executeAsync: (call) =>
      new Promise((resolve, reject) => {
        execute.async(call, 1, (error: Error | null, code: number) => (error ? reject(error) : resolve(code)));
      }),
    now: () => now() as number,
    address: (memory) => Number(address(memory instanceof ArrayBuffer ? new Uint8Array(memory) : memory)),
    advise: (at, bytes) => void advise(at, bytes),
    open: (file) => {
      const handle = Number(open(file));
      const run = handle === 0 ? 0 : Number(symbol(handle, 'millrace_run'));
      if (run === 0) return String(lastError());
      return { run, close: () => void close(handle) };
    },
  };
}
