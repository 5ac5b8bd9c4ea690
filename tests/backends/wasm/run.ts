// Runs kernels both ways, as WebAssembly and through the interpreter, and compares all memory afterwards.
import { expect } from 'vitest';
import { emitModule } from '../../../src/backends/wasm/emit.ts';
import type { Buffer, Kernel, Statement } from '../../../src/loops/ir.ts';
import type { Place, Program } from '../../../src/loops/program.ts';
import { verifyProgram } from '../../../src/loops/verify.ts';
import { sizeOf, type TypedArray, viewOf } from '../../../src/tensor/dtype.ts';
import { interpret } from '../../loops/interpret.ts';

/** Where the arena of the tests begins. */
export const arena = 4096;
const fixed = 65536;

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
  expect(next).toBeLessThan(pages * 65536);
  const addressOf = (place: Exclude<Place, { kind: 'arena' }>) =>
    place.kind === 'variable' ? addresses.get(place.key)! : 0;
  const bytes = emitModule(program, {
    addressOf,
    memory: { shared: false, minimum: pages, maximum: pages },
    fusedMultiplyAdd,
    profile,
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: { memory } });
  const view = (b: Buffer): TypedArray => {
    const place = program.places.get(b)!;
    const address = place.kind === 'arena' ? arena + place.offset : addressOf(place);
    return viewOf(b.dtype, memory.buffer, address, b.length);
  };
  return { exports: exports as Record<string, (address: number) => number>, view };
}

/** Runs the kernel both ways on the same data; returns what the buffers hold then. */
export function runBoth(kernel: Kernel, data: ReadonlyMap<Buffer, ArrayLike<number>>): Map<Buffer, TypedArray> {
  const program = programOf([kernel], [...data.keys()]);
  verifyProgram(program, { vectorBytes: 16 });
  const { exports, view } = instantiate(program);
  const memory = new Map<Buffer, TypedArray>();
  for (const [b, values] of data) {
    view(b).set(values);
    memory.set(b, view(b).slice());
  }
  interpret(kernel, memory);
  expect(exports.run(arena)).toBe(0);
  for (const [b, expected] of memory) expect([b.name, [...view(b)]]).toEqual([b.name, [...expected]]);
  return memory;
}
