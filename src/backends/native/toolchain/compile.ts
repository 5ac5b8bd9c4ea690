// A source becomes a loaded program: from the cache, or from the compiler.
import { builtin } from '../../../base/builtin.ts';
import { UnavailableError } from '../../../base/errors.ts';
import { type DiskCache, hashOf, temporaryCache, userCache } from './code-cache.ts';
import type { Compiler } from './compiler.ts';
import { type Ended, runCompiler, whatHappened } from './compiler-process.ts';

const fs = () => builtin<typeof import('node:fs')>('fs');
const path = () => builtin<typeof import('node:path')>('path');

const suffix = '.so';
/** What compilers say where there is no space on the disk, or no memory: a program of millrace is not to blame. */
const noSpace = /No space left on device|Disk quota exceeded/;
const noMemory = /Killed signal|[Oo]ut of memory|virtual memory exhausted/;

/** What is compiled. */
export interface Source {
  readonly source: string;
  /** So many times it is compiled, each time with another UNIT from 0 on; by default once. */
  readonly units?: number;
  readonly libraries?: readonly string[];
}

/**
 * The compiled form of a source, from the cache or the compiler.
 *
 * @throws UnavailableError with what the compiler said; errors of the file system as they are (as rejections).
 */
export async function compile(
  compiler: Compiler,
  cache: DiskCache,
  { source, units = 1, libraries = [] }: Source,
): Promise<string> {
  const key = hashOf(source, compiler.identity);
  const known = cache.find(key, suffix);
  if (known) return known;
  let folder: string | undefined = cache.workFolder();
  try {
    fs().writeFileSync(path().join(folder, 'program.c'), source);
    // Relative names: what is in the path of a folder, such as a quotation mark, does not get into the assembler's text.
    const objects = Array.from({ length: units > 1 ? units : 0 }, (_, i) => `unit${i}.o`);
    const commands = objects.map((object, i) => [`-DUNIT=${i}`, '-c', 'program.c', '-o', object]);
    const last = [...(units > 1 ? objects : ['program.c']), '-o', `program${suffix}`, ...libraries, '-lm'];
    const { args, status, ...ended } = await runAll(compiler, folder, commands, last);
    const file = path().join(folder, `program${suffix}`);
    if (status === 0 && fs().existsSync(file)) return cache.add(key, suffix, file);
    const text = ended.stderr.trim().split('\n').slice(0, 8).join('\n');
    const { command, name } = compiler;
    if (noSpace.test(text)) throw Object.assign(new Error(text), { code: 'ENOSPC' });
    if (status === null || noMemory.test(text)) {
      throw new UnavailableError(
        `The C compiler ${command} (${name}) ${whatHappened(ended)} on a program of millrace. Nothing has run.`,
      );
    }
    if (status === 0) throw new UnavailableError(`The C compiler ${command} (${name}) wrote no program, and no error.`);
    const kept = cache.keep(folder);
    folder = undefined;
    throw new UnavailableError(
      `The C compiler ${command} (${name}) failed (exit code ${status}) on a program of millrace:\n${text}\n` +
        `The source was kept: ${path().join(kept, 'program.c')}\nThe command was: ${command} ${args.join(' ')}\n` +
        "Please report it with both, at millrace's issues. Until then use another compiler (CC=gcc or CC=clang), or backend: 'wasm'.",
    );
  } finally {
    if (folder) fs().rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the compiler with all arguments at once, and then with the last. How the first ended that failed, or the last. */
async function runAll(
  { command, flags }: Compiler,
  folder: string,
  commands: readonly (readonly string[])[],
  last: readonly string[],
): Promise<Ended & { readonly args: readonly string[] }> {
  const run = async (more: readonly string[]) => {
    const args = [...flags, ...more];
    return { args, ...(await runCompiler(command, args, folder)) };
  };
  const ended = await Promise.all(commands.map(run));
  return ended.find(({ status }) => status !== 0) ?? run(last);
}

/**
 * Compiles a source and opens it; `open` says in words why it cannot. Then it is compiled once more, as the entry may have
 * been of no use; and at last in a temporary folder, as where the cache lies there may be no space, or nothing may be run.
 *
 * @throws UnavailableError (as a rejection) when nothing helps.
 */
export async function load<T>(
  compiler: Compiler,
  source: Source,
  open: (file: string) => T | string | Promise<T | string>,
): Promise<T> {
  let problem = '';
  for (const cacheFor of [userCache, userCache, temporaryCache]) {
    const cache = cacheFor();
    let file: string;
    try {
      file = await compile(compiler, cache, source);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === undefined) throw error;
      problem = code === 'ENOSPC' ? `the disk of ${cache.folder} is full` : (error as Error).message;
      continue;
    }
    const opened = await open(file);
    if (typeof opened !== 'string') return opened;
    problem = opened;
    cache.remove(file);
  }
  throw new UnavailableError(
    `A compiled program cannot be kept or loaded: ${problem}. MILLRACE_CACHE names another folder for compiled programs.`,
  );
}
