// Where variables, constants and the arena lie, on the memories of both backends.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HostMemory } from '../../../src/backends/native/run/host-memory.ts';
import { type Allocator, type Piece, type ProgramMemory, Residence } from '../../../src/backends/run/residence.ts';
import { LinearMemory } from '../../../src/backends/wasm/run/linear-memory.ts';
import { InternalError, ResourceExhaustedError } from '../../../src/base/errors.ts';
import { atOnce } from '../../../src/base/turns.ts';
import type { Buffer } from '../../../src/loops/ir.ts';
import type { LastingPlace, Place, Program } from '../../../src/loops/program.ts';
import type { VariableState } from '../../../src/primitives/primitives.ts';
import type { TypedArray } from '../../../src/tensor/dtype.ts';

/** Buffers of JavaScript, whose addresses are made up: far apart, and not aligned. */
function hostMemory(limit: number): Allocator {
  const addresses = new Map<ArrayBuffer, number>();
  return new HostMemory(
    {
      address: (memory) => {
        const buffer = memory as ArrayBuffer;
        if (!addresses.has(buffer)) addresses.set(buffer, 2 ** 33 * (1 + addresses.size) + 8);
        return addresses.get(buffer) as number;
      },
      advise: () => {},
    },
    limit,
  );
}
const memories: [string, (limit: number) => Allocator][] = [
  ['host memory', hostMemory],
  ['shared linear memory', (limit) => new LinearMemory(limit, true)],
  ['linear memory that is not shared', (limit) => new LinearMemory(limit, false)],
];
const mega = 2 ** 20;
const limit = 128 * mega;

const buffer = (length: number): Buffer => ({ name: 'b', dtype: 'float32', length });
/** A program of buffers in the arena, one after another, and others at places that last. */
function programOf(
  inArena: readonly Buffer[],
  lasting: ReadonlyMap<Buffer, LastingPlace> = new Map(),
  threadBytes = 0,
) {
  const places = new Map<Buffer, Place>(lasting);
  let arenaBytes = 0;
  for (const b of inArena) {
    places.set(b, { kind: 'arena', offset: arenaBytes });
    arenaBytes += 4 * b.length;
  }
  const program: Program = {
    ...{ kernels: [], checks: 0, repeats: [], places, arenaBytes, threadBytes, feeds: [], fetches: [], counters: [] },
    ...{ status: undefined, messages: [] },
    variables: [...lasting].flatMap(([{ dtype, length }, place]) =>
      place.kind === 'variable' ? [{ key: place.key, dtype, length }] : [],
    ),
  };
  return program;
}
const stateOf = (key: number, length: number): VariableState => ({
  ...{ key, name: `v${key}`, dtype: 'float32', shape: [length] },
});

describe.each(memories)('%s', (_, memoryOf) => {
  test('arenas, variables and constants of random programs are apart, stay, and views find them', () => {
    const load = fc.record({
      kind: fc.constant('load' as const),
      arena: fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 3 }),
      variables: fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }),
      constant: fc.integer({ min: 1, max: 5000 }),
      threadBytes: fc.integer({ min: 0, max: 5000 }),
    });
    const other = fc.record({ kind: fc.constantFrom('run' as const, 'dispose' as const), which: fc.nat() });
    const threads = 3;
    fc.assert(
      fc.property(fc.array(fc.oneof(load, other), { maxLength: 25 }), (steps) => {
        const residence = new Residence(memoryOf(limit), threads);
        interface Loaded {
          readonly memory: ProgramMemory;
          readonly arena: readonly Buffer[];
          readonly threadBytes: number;
          /** The buffer of the constant, and what it is filled with. */
          readonly constant: readonly [Buffer, number];
        }
        const programs: Loaded[] = [];
        const variables = new Map<number, { buffer: Buffer; value: number }>();
        let next = 0;
        for (const step of steps) {
          if (step.kind === 'load') {
            const constant = [buffer(step.constant), ++next] as const;
            const place: LastingPlace = { kind: 'constant', data: new Float32Array(step.constant).fill(next) };
            const lasting = new Map<Buffer, LastingPlace>([[constant[0], place]]);
            for (const key of step.variables) lasting.set(buffer(100 * (key + 1)), { kind: 'variable', key });
            const arena = step.arena.map(buffer);
            const memory = residence.place(programOf(arena, lasting, step.threadBytes));
            memory.pieceOf(place);
            for (const [b, place] of lasting) {
              if (place.kind !== 'variable') continue;
              const known = variables.get(place.key);
              // Another program's view of it shows what is there.
              if (known) expect(memory.view(b)[b.length - 1]).toBe(known.value);
              memory.view(b).fill(++next);
              variables.set(place.key, { buffer: b, value: next });
            }
            programs.push({ memory, arena, threadBytes: step.threadBytes, constant });
          } else if (programs.length > 0) {
            const at = step.which % programs.length;
            const { memory, arena, threadBytes, constant } = programs[at];
            if (step.kind === 'dispose') {
              memory.release();
              programs.splice(at, 1);
              continue;
            }
            const { address, bytes } = memory.begin();
            const spaces = Array.from({ length: threads }, (_, thread) => memory.ownOf(thread));
            for (const [i, b] of arena.entries()) memory.view(b).fill(1e6 + i);
            for (const [i, b] of arena.entries()) expect(memory.view(b).every((v) => v === 1e6 + i)).toBe(true);
            const arenaBytes = 4 * arena.reduce((sum, b) => sum + b.length, 0);
            const ends = [address + arenaBytes, ...spaces.map((space) => space + threadBytes)];
            expect(spaces.every((space, i) => space % 64 === 0 && space >= ends[i])).toBe(true);
            expect(ends[threads]).toBeLessThanOrEqual(address + bytes);
            expect(memory.view(constant[0]).every((v) => v === constant[1])).toBe(true);
          }
        }
        for (const [key, { buffer: b, value }] of variables) {
          const [read] = atOnce(residence.reading([stateOf(key, b.length)]));
          expect(read.every((v) => v === value)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  // The memory around the arena grows, or it does not.
  test.each([mega, 1000])('after a program of %i numbers came, views of a smaller one lie in the new arena', (size) => {
    const residence = new Residence(memoryOf(limit), 1);
    const [small, large] = [buffer(100), buffer(size)];
    const memory = residence.place(programOf([small]));
    const before = memory.begin();
    memory.view(small).fill(1);
    expect(memory.hasMoved).toBe(false);
    // Behind it there is no space now.
    residence.variable({ key: 1, dtype: 'float32', length: 10 });
    const other = residence.place(programOf([large]));
    expect(memory.hasMoved).toBe(true);
    const after = memory.begin();
    expect(after).not.toBe(before);
    memory.view(small).fill(2);
    other.begin();
    expect(other.view(large)[99]).toBe(2);
    expect(other.view(large)[100]).not.toBe(2);
  });

  test('views of what stays are right after the memory has grown', () => {
    const residence = new Residence(memoryOf(limit), 1);
    const stays = buffer(10);
    const place: LastingPlace = { kind: 'constant', data: new Float32Array(10).fill(4) };
    const memory = residence.place(programOf([], new Map([[stays, place]])));
    memory.begin();
    expect([...memory.view(stays)]).toEqual(new Array(10).fill(4));
    // It needs no larger arena, but more memory.
    residence.variable({ key: 1, dtype: 'float32', length: mega });
    memory.begin();
    expect([...memory.view(stays)]).toEqual(new Array(10).fill(4));
  });

  test('a larger arena takes the place of the one before', () => {
    const residence = new Residence(memoryOf(limit), 1);
    for (const size of [30, 60, 100, 120]) residence.place(programOf([buffer((size / 4) * mega)]));
  });

  test('what is too large is refused with need and limit; the others go on, and what was given back is there again', () => {
    const memory = memoryOf(limit);
    const residence = new Residence(memory, 1);
    const small = buffer(100);
    const program = residence.place(programOf([small]));
    expect(() => residence.place(programOf([buffer(100 * mega)]))).toThrow(ResourceExhaustedError);
    expect(() => residence.place(programOf([buffer(100 * mega)]))).toThrow(
      /This run needs 40\d MB of memory in all, but .* 128 MB\. Nothing has run/,
    );
    program.begin();
    program.view(small).fill(3);
    const half = (limit / 4) * 0.6;
    for (let i = 0; i < 5; i++) {
      const place: LastingPlace = { kind: 'constant', data: new Float32Array(half) };
      const other = residence.place(programOf([small], new Map([[buffer(half), place]])));
      other.pieceOf(place);
      other.allocate(100);
      other.release();
    }
    program.begin();
    expect(program.view(small)[99]).toBe(3);
  });

  test('values that do not fit: none is written, and the error says so', () => {
    const residence = new Residence(memoryOf(limit), 1);
    const [a, b] = [stateOf(1, 10), stateOf(2, 40 * mega)];
    atOnce(residence.writing(new Map([[a, new Float32Array(10).fill(1)]])));
    const values = new Map([
      [a, new Float32Array(10).fill(2)],
      [b, new Float32Array(40 * mega)],
    ]);
    expect(() => atOnce(residence.writing(values))).toThrow(
      /needs 16\d MB of memory in all to keep these values of variables, but .*No variable has changed/,
    );
    expect([...atOnce(residence.reading([a]))[0]]).toEqual(new Array(10).fill(1));
  });

  test('large values are copied in parts, with turns for others between them', () => {
    const residence = new Residence(memoryOf(limit), 1);
    const state = stateOf(1, mega + 7);
    const value = Float32Array.from({ length: mega + 7 }, (_, i) => i);
    /** How many turns there are, and the result. */
    const turns = <T>(steps: Generator<void, T>): [number, T] => {
      for (let count = 0; ; count++) {
        const { done, value } = steps.next();
        if (done) return [count, value];
      }
    };
    expect(turns(residence.writing(new Map([[state, value]])))[0]).toBeGreaterThanOrEqual(8);
    const [count, [read]] = turns<TypedArray[]>(residence.reading([state]));
    expect(count).toBeGreaterThanOrEqual(8);
    expect(read.every((v, i) => v === i)).toBe(true);
  });

  test('one key with two sizes is a mistake', () => {
    const residence = new Residence(memoryOf(limit), 1);
    const place: LastingPlace = { kind: 'variable', key: 1 };
    residence.place(programOf([], new Map([[buffer(10), place]]))).pieceOf(place);
    expect(() => atOnce(residence.reading([stateOf(1, 11)]))).toThrow(InternalError);
  });
});

test('large pieces of host memory begin at the border of a large page, others at that of a line', () => {
  const memory = hostMemory(limit);
  const pieces: Piece[] = [1, 1000, 3 * mega, 4 * mega, 9 * mega].map((bytes) => memory.allocate(bytes));
  expect(pieces.map(({ address, bytes }) => address % (bytes < 4 * mega ? 64 : 2 * mega))).toEqual([0, 0, 0, 0, 0]);
  for (const { buffer: b, offset, bytes } of pieces) expect(offset + bytes).toBeLessThanOrEqual(b.byteLength);
});
