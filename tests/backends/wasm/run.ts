// Runs kernels both ways, as WebAssembly and through the interpreter, and compares all memory afterwards.
import { expect } from 'vitest';
import { emitModule } from '../../../src/backends/wasm/emit/emit.ts';
import { verifyProgram } from '../../../src/loops/check/verify.ts';
import type { Buffer, Kernel, Statement } from '../../../src/loops/ir.ts';
import type { LastingPlace, Place, Program } from '../../../src/loops/program.ts';
import { sizeOf, type TypedArray, viewOf } from '../../../src/tensor/dtype.ts';
import { interpret } from '../../loops/interpret.ts';

/** Where the arena of the tests begins. */
export const arena = 4096;
const fixed = 65536;
/** Where a thread's own space begins in them. */
const own = 3 * 65536;

export const kernelOf = (...body: Statement[]): Kernel => ({ name: 'test', body, flops: 0, bytes: 0 });

/** A program over these buffers, most of them in the arena, every third one a variable at a fixed address. */
export function programOf(kernels: readonly Kernel[], buffers: readonly Buffer[]): Program {
  let offset = 16;
  const places = new Map<Buffer, Place>();
  for (const [i, b] of buffers.entries()) {
    if (i % 3 === 2) {
      places.set(b, { kind: 'variable', key: i });
      continue;
    }
    places.set(b, { kind: 'arena', offset });
    offset += Math.ceil((b.length * sizeOf(b.dtype)) / 16) * 16;
  }
  const variables = buffers.map((b, key) => ({ key, dtype: b.dtype, length: b.length }));
  return {
    kernels,
    checks: 0,
    places,
    arenaBytes: offset,
    threadBytes: 0,
    repeats: [],
    feeds: [],
    fetches: [],
    counters: [],
    status: undefined,
    messages: [],
    variables,
  };
}

export function instantiate(program: Program, fusedMultiplyAdd = false, profile = false) {
  const pages = 4;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const addresses = new Map<number, number>();
  let next = fixed;
  for (const v of program.variables) {
    addresses.set(v.key, next);
    next += Math.ceil((v.length * sizeOf(v.dtype)) / 16) * 16;
  }
  expect(next).toBeLessThan(own);
  const addressOf = (place: LastingPlace): number => (place.kind === 'variable' ? addresses.get(place.key)! : 0);
  const bytes = emitModule(program, {
    addressOf,
    memory: { shared: false, minimum: pages, maximum: pages },
    fusedMultiplyAdd,
    profile,
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: { memory } });
  const view = (b: Buffer): TypedArray => {
    const place = program.places.get(b)!;
    const address =
      place.kind === 'arena'
        ? arena + place.offset
        : place.kind === 'thread'
          ? own + place.offset
          : addressOf(place as LastingPlace);
    return viewOf(b.dtype, memory.buffer, address, b.length);
  };
  type Code = (...parameters: number[]) => number;
  /** Calls a function of the module, as one of several threads. */
  const call = (name: string, thread = 0, threads = 1) => {
    const start = name === 'run' ? [] : [0];
    return (exports[name] as Code)(arena, own, ...start, thread, threads);
  };
  return { names: Object.keys(exports).sort(), call, view };
}

/** Runs the kernel both ways on the same data, on one thread and divided among several; returns what the buffers hold then. */
export function runBoth(kernel: Kernel, data: ReadonlyMap<Buffer, ArrayLike<number>>): Map<Buffer, TypedArray> {
  const program = programOf([kernel], [...data.keys()]);
  verifyProgram(program, { vectorBytes: 16, partialVectors: false, prefetches: false });
  const { call, view } = instantiate(program);
  const memory = new Map<Buffer, TypedArray>();
  for (const [b, values] of data) {
    view(b).set(values);
    memory.set(b, view(b).slice());
  }
  const before = [...memory].map(([b, values]) => [b, values.slice()] as const);
  interpret(kernel, memory);
  // A kernel has no barrier inside, so its threads may as well run one after another, in any order.
  for (const threads of [1, 2, 3, 7]) {
    for (const [b, values] of before) view(b).set(values);
    for (let thread = threads - 1; thread >= 0; thread--) expect(call('run', thread, threads)).toBe(0);
    for (const [b, expected] of memory)
      expect([threads, b.name, [...view(b)]]).toEqual([threads, b.name, [...expected]]);
  }
  return memory;
}
