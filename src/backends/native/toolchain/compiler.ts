// The system's C compiler: which one there is, what it compiles for, and what it makes of a program.
import { builtin, environment } from '../../../base/builtin.ts';
import { UnavailableError } from '../../../base/errors.ts';
import { runtimeSource } from '../runtime/pool-source.ts';
import { type DiskCache, hashOf } from './code-cache.ts';
import { askCompiler, probePatience, whatHappened } from './compiler-process.ts';
import { flagsFor, type Target } from './machine.ts';

/** A compiler that has been asked what it is. */
export interface Compiler {
  /** `clang 14.0.6` */
  readonly name: string;
  readonly command: string;
  readonly flags: readonly string[];
  /** What it defines for its target: `__AVX2__` and so on. */
  readonly macros: ReadonlySet<string>;
  /** What a compiled program depends on besides its source: the compiler, its flags, the processor. */
  readonly identity: string;
}

const common = [
  ...['-std=gnu11', '-O2', '-fPIC', '-shared', '-w', '-fvisibility=hidden'],
  // Nothing about numbers is left to the compiler; and it may not take loops apart that are right as they are.
  ...['-ffp-contract=off', '-fno-math-errno', '-fno-trapping-math', '-fwrapv', '-fno-strict-aliasing'],
  ...['-fno-tree-vectorize', '-fno-unroll-loops'],
  // GCC 12 finds wrong addresses when it rewrites how pointers move, and they move well as they are. Clang ignores it.
  '-fno-ivopts',
];

const fs = () => builtin<typeof import('node:fs')>('fs');
const path = () => builtin<typeof import('node:path')>('path');

/**
 * `$CC`, a path or words, or a compiler from the path. GCC first: it compiles faster, and clang 14 keeps moving the sums of
 * large tiles between registers where loops around them have constants of their own.
 */
function findCommand(): string[] {
  const wanted = environment('CC')?.trim();
  const candidates = wanted ? [[wanted], wanted.split(/\s+/)] : [['gcc'], ['clang'], ['cc']];
  for (const [command, ...rest] of candidates) {
    const folders = command.includes('/') ? [''] : (environment('PATH') ?? '').split(path().delimiter);
    for (const folder of folders) {
      const file = path().join(folder, command);
      try {
        fs().accessSync(file, fs().constants.X_OK);
        if (fs().statSync(file).isFile()) return [path().resolve(file), ...rest];
      } catch {
        // Not here.
      }
    }
  }
  throw new UnavailableError(
    wanted
      ? `The native backend needs a C compiler, but CC is ${wanted}, which is not found.`
      : 'The native backend needs a C compiler: gcc, clang or cc is not found in the PATH. Install one (Debian and Ubuntu: apt install gcc libc6-dev; macOS: xcode-select --install), or name one with CC.',
  );
}

/** What kind of processor this is: programs compiled for one may not run on another. */
function processor(): string {
  const { cpus, arch } = builtin<typeof import('node:os')>('os');
  let flags = '';
  try {
    const { openSync, readSync, closeSync } = fs();
    const file = openSync('/proc/cpuinfo', 'r');
    const bytes = new Uint8Array(8192);
    readSync(file, bytes);
    closeSync(file);
    const lines = new TextDecoder().decode(bytes).split('\n\n')[0].split('\n');
    flags = lines.filter((line) => /^(vendor_id|model|cpu family|stepping|flags|Features|CPU )/.test(line)).join('\n');
  } catch {
    // Other systems have no such file.
  }
  return `${arch()} ${cpus()[0]?.model} ${flags}`;
}

interface Probed {
  readonly name: string;
  readonly macros: readonly string[];
}

/** Finds the compiler and asks it, or the cache, what it is. @throws UnavailableError with what is missing. */
export function findCompiler(cache: DiskCache, target: Target): Compiler {
  if (process.platform === 'win32') {
    throw new UnavailableError('The native backend does not run on Windows itself; it runs in WSL.');
  }
  const [command, ...rest] = findCommand();
  const file = fs().realpathSync(command);
  const { mtimeMs, size } = fs().statSync(file);
  const extra = environment('MILLRACE_CFLAGS')?.split(/\s+/).filter(Boolean) ?? [];
  const flags = [...rest, ...common, ...flagsFor(target, process.arch), ...extra];
  const about = [command, file, String(mtimeMs), String(size), flags.join(' '), processor()];
  const { name, macros } = probe(cache, hashOf('compiler', ...about), command, flags);
  return { name, command, flags, macros: new Set(macros), identity: hashOf(name, ...about) };
}

function probe(cache: DiskCache, key: string, command: string, flags: readonly string[]): Probed {
  const known = cache.read(key, '.json');
  if (known) return JSON.parse(known) as Probed;
  const ask = (input: string, ...more: string[]): string => {
    const args = [...flags, ...more, '-x', 'c', '-'];
    const { status, stdout, ...ended } = askCompiler(command, args, input);
    if (status === 0) return stdout;
    throw new UnavailableError(
      `The C compiler ${command} does not work: ${command} ${args.join(' ')} ${whatHappened(ended, probePatience)}`,
    );
  };
  // Of the runtime library, so that it is known now if the system's headers are missing.
  const stdout = ask(runtimeSource, '-dM', '-E');
  const macros = stdout
    .split('\n')
    .map((line) => line.split(' ')[1])
    .filter((macro) => macro?.startsWith('__'));
  const has = (macro: string) => macros.includes(macro);
  if (has('__TINYC__') || !(has('__GNUC__') || has('__clang__'))) {
    throw new UnavailableError(
      `The native backend needs a C compiler that knows vectors, clang or gcc; ${command} is another. Name one with CC.`,
    );
  }
  const arch = { x64: '__x86_64__', arm64: '__aarch64__' }[process.arch as string];
  if (!arch || !has(arch)) {
    throw new UnavailableError(
      `The native backend runs on x86-64 and ARM64; this is ${process.arch}, and ${command} compiles for ${arch ? 'another processor' : 'it'}.`,
    );
  }
  const version = /__VERSION__ "(.*)"/.exec(stdout)?.[1] ?? '';
  const probed: Probed = {
    name: `${has('__clang__') ? 'clang' : 'gcc'} ${/\d+(\.\d+)+/.exec(version)?.[0] ?? version}`,
    macros: macros.filter((macro) => /^__(AVX|FMA|SSE|aarch64|ARM)/.test(macro)),
  };
  const folder = folderIn(cache);
  try {
    // And if it does not assemble or link: `auto` can still take another backend now, but not when a program fails.
    ask('int probe(void) { return 0; }\n', '-o', path().join(folder, 'probe.so'));
    const file = path().join(folder, 'probe.json');
    fs().writeFileSync(file, JSON.stringify(probed));
    cache.add(key, '.json', file);
  } finally {
    fs().rmSync(folder, { recursive: true, force: true });
  }
  return probed;
}

function folderIn(cache: DiskCache): string {
  try {
    return cache.workFolder();
  } catch (error) {
    throw new UnavailableError(`The native backend needs a folder to compile in: ${(error as Error).message}.`);
  }
}
