// Runs many kernels both ways, as one C program and through the interpreter, and compares all memory afterwards.
import { spawnSync } from 'node:child_process';
import { emitProgram } from '../../../src/backends/native/emit/emit.ts';
import { Call } from '../../../src/backends/native/run/call.ts';
import { HostMemory } from '../../../src/backends/native/run/host-memory.ts';
import { startRuntime } from '../../../src/backends/native/run/runtime.ts';
import { userCache } from '../../../src/backends/native/toolchain/code-cache.ts';
import { load } from '../../../src/backends/native/toolchain/compile.ts';
import { findCompiler } from '../../../src/backends/native/toolchain/compiler.ts';
import { machineFor, type Target } from '../../../src/backends/native/toolchain/machine.ts';
import { alignedSize } from '../../../src/base/free-space.ts';
import { verifyProgram } from '../../../src/loops/check/verify.ts';
import type { Buffer, Kernel, Statement } from '../../../src/loops/ir.ts';
import type { Place, Program } from '../../../src/loops/program.ts';
import { sizeOf, type TypedArray, viewOf } from '../../../src/tensor/dtype.ts';
import { nativeMissing } from '../../backends.ts';
import { interpret } from '../../loops/interpret.ts';

/** The compilers of this machine, the one that is taken first. */
export const compilers = nativeMissing
  ? []
  : ['gcc', 'clang'].filter((name) => spawnSync(name, ['--version']).status === 0);

/**
 * Compilers with the machines that they compile for: the first with all, the others for this one. The text is that of
 * the machine, whatever the compiler: `npm run soak -- compilers` takes all with all.
 */
export const compilersWith = (targets: readonly Target[]): [string, Target][] =>
  compilers.flatMap((cc, i) =>
    targets
      .filter((target) => i === 0 || target === 'native' || process.env.MILLRACE_TEST_COMPILERS !== undefined)
      .map((target): [string, Target] => [cc, target]),
  );

/** A compiler and the machine that it compiles for, as the backend would find them. */
export async function toolsFor(cc: string, target: Target) {
  process.env.CC = cc;
  const compiler = findCompiler(userCache(), target);
  const machine = machineFor(compiler.macros, target);
  const runtime = await startRuntime(compiler);
  return { compiler, machine, runtime };
}
export type Tools = Awaited<ReturnType<typeof toolsFor>>;

/** A kernel and what its buffers hold before it runs. */
export interface Case {
  readonly name: string;
  readonly body: readonly Statement[];
  readonly data: ReadonlyMap<Buffer, ArrayLike<number>>;
}

/** The differences between the program of all these cases and the interpreter, on each of these numbers of threads. */
export async function differences(
  cases: readonly Case[],
  { compiler, machine, runtime }: Tools,
  counts: readonly number[],
): Promise<string[]> {
  const places = new Map<Buffer, Place>();
  const buffers = cases.flatMap(({ data }) => [...data.keys()]);
  let arenaBytes = 0;
  for (const [i, b] of buffers.entries()) {
    if (i % 3 === 2) {
      places.set(b, { kind: 'variable', key: i });
      continue;
    }
    places.set(b, { kind: 'arena', offset: arenaBytes });
    arenaBytes += alignedSize(b.length * sizeOf(b.dtype));
  }
  const kernels: Kernel[] = cases.map(({ name, body }) => ({ name, body, flops: 0, bytes: 0 }));
  const program: Program = {
    ...{ kernels, checks: 0, places, arenaBytes, threadBytes: 0, repeats: [], feeds: [], fetches: [], counters: [] },
    ...{ status: undefined, messages: [] },
    variables: buffers.map((b, key) => ({ key, dtype: b.dtype, length: b.length })),
  };
  verifyProgram(program, machine);
  const { slots, ...source } = emitProgram(program, { machine, profile: false });
  const library = await load(compiler, source, runtime.open);
  const storage = new HostMemory(runtime, 2 ** 32);
  const arena = storage.allocate(arenaBytes);
  const variables = new Map(program.variables.map((v) => [v.key, storage.allocate(v.length * sizeOf(v.dtype))]));
  const pieces = slots.map((place) => variables.get((place as { key: number }).key)!);
  const call = new Call(
    storage,
    pieces.map((piece) => piece.address),
  );
  const view = (b: Buffer): TypedArray => {
    const place = places.get(b) as { kind: string; key: number; offset: number };
    const piece = place.kind === 'arena' ? arena : variables.get(place.key)!;
    return viewOf(b.dtype, piece.buffer, piece.offset + (place.offset ?? 0), b.length);
  };
  const memory = new Map<Buffer, TypedArray>();
  const reset = (to: (b: Buffer) => TypedArray) => {
    for (const { data } of cases)
      for (const [b, values] of data) {
        to(b).fill(0);
        to(b).set(values);
      }
  };
  for (const b of buffers) memory.set(b, view(b).slice());
  reset((b) => memory.get(b)!);
  for (const kernel of kernels) interpret(kernel, memory);
  const found: string[] = [];
  for (const threads of counts) {
    reset(view);
    call.set({ run: library.run, arena: arena.address, own: arena.address, most: threads });
    if (runtime.execute(call.address) !== 0) throw new Error('the program did not run');
    for (const { name, data } of cases)
      for (const b of data.keys()) {
        const [got, wanted] = [view(b), memory.get(b)!];
        const at = wanted.findIndex((x, k) => !Object.is(x, got[k]));
        if (at >= 0) found.push(`${name}, ${threads} threads: ${b.name}[${at}] is ${got[at]}, not ${wanted[at]}`);
      }
  }
  library.close();
  return found;
}
