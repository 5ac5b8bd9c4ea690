// Where the things lie that the programs of a session compute with: variables and the arena, which all programs share,
// and the constants of each. For every backend whose memory JavaScript can read and write.

import { InternalError, ResourceExhaustedError } from '../../base/errors.ts';
import { alignedSize } from '../../base/free-space.ts';
import { atOnce, type Sliced } from '../../base/turns.ts';
import type { Buffer } from '../../loops/ir.ts';
import type { ArenaPlace, LastingPlace, Program } from '../../loops/program.ts';
import type { VariableState } from '../../primitives/primitives.ts';
import { copying, copyingInto } from '../../tensor/copying.ts';
import { sizeOf, type TypedArray, viewOf } from '../../tensor/dtype.ts';
import { elements } from '../../tensor/shape.ts';
import { checkValue } from '../backend.ts';
import type { ViewOf } from './ports.ts';

/** A piece of memory: where it lies for JavaScript, and where for programs. */
export interface Piece {
  /** The memory around it: another object after it has grown, for all pieces of that memory. */
  readonly buffer: ArrayBuffer;
  readonly offset: number;
  /** For programs. It stays as long as the piece is not released. */
  readonly address: number;
  readonly bytes: number;
}

/** The memory of a session, which the backend gives. */
export interface Allocator {
  /** Space for so many bytes, from a multiple of 64 on; what is in it is not defined. @throws Shortage */
  allocate(bytes: number): Piece;
  release(piece: Piece): void;
}

/** An allocator cannot give what would make `bytes` in all. The message goes on after "but". */
export class Shortage extends Error {
  readonly bytes: number;

  constructor(bytes: number, why: string) {
    super(why);
    this.bytes = bytes;
  }
}

export const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en')} MB`;

const noSpaceForRun = ({ bytes, message }: Shortage): string =>
  `This run needs ${megabytes(bytes)} of memory in all, but ${message}. Nothing has run. Use a smaller batch, or evaluate in parts.`;
const noSpaceForValues = ({ bytes, message }: Shortage): string =>
  `The session needs ${megabytes(bytes)} of memory in all to keep these values of variables, but ${message}. No variable has changed. ` +
  'Make the variables smaller, or keep fewer of them in one session.';

/** @throws ResourceExhaustedError with the need, the limit, and what to do. */
function allocateFrom(allocator: Allocator, bytes: number, noSpace = noSpaceForRun): Piece {
  try {
    return allocator.allocate(bytes);
  } catch (error) {
    throw error instanceof Shortage ? new ResourceExhaustedError(noSpace(error)) : error;
  }
}

/** A variable as a program knows it. */
type Stored = Program['variables'][number];

const storedAs = ({ key, dtype, shape }: VariableState): Stored => ({ key, dtype, length: elements(shape) });

/** What the programs of a session share: the storage of its variables, and the arena. */
export class Residence {
  readonly #allocator: Allocator;
  readonly #threads: number;
  readonly #variables = new Map<number, { readonly stored: Stored; readonly piece: Piece }>();
  #arena: Piece | undefined;

  /** Programs run on so many threads at most, each of which needs space of its own. */
  constructor(allocator: Allocator, threads: number) {
    this.#allocator = allocator;
    this.#threads = threads;
  }

  /** Gives a program what it needs. @throws ResourceExhaustedError */
  place(program: Program): ProgramMemory {
    this.reserve(program);
    return new ProgramMemory(this, this.#allocator, program);
  }

  /** The storage of a variable, the same for all programs; there from now on. */
  variable(stored: Stored, noSpace = noSpaceForRun): Piece {
    const { key, dtype, length } = stored;
    const known = this.#variables.get(key);
    if (!known) {
      const piece = allocateFrom(this.#allocator, length * sizeOf(dtype), noSpace);
      this.#variables.set(key, { stored, piece });
      return piece;
    }
    if (known.stored.dtype !== dtype || known.stored.length !== length) {
      throw new InternalError(
        `The variable number ${key} has ${known.stored.length} elements of ${known.stored.dtype}, not ${length} of ${dtype}.`,
      );
    }
    return known.piece;
  }

  /** See `Backend.readVariables`; no run may begin before it is done. */
  *reading(variables: readonly VariableState[]): Sliced<TypedArray[]> {
    const values: TypedArray[] = [];
    for (const state of variables) {
      const { key, dtype, length } = storedAs(state);
      if (length > 0 && !this.#variables.has(key)) {
        throw new InternalError(`The variable ${state.name} is read, but nothing has given it a value.`);
      }
      values.push(yield* copying(dtype, this.#elementsOf(state)));
    }
    return values;
  }

  /** See `Backend.writeVariables`; no run may begin before it is done. */
  *writing(values: ReadonlyMap<VariableState, TypedArray>): Sliced<void> {
    for (const [state, value] of values) {
      checkValue(state, value);
      this.#elementsOf(state);
      yield;
    }
    // From here on nothing can fail.
    for (const [state, value] of values) yield* copyingInto(this.#elementsOf(state), value);
  }

  #elementsOf(state: VariableState): TypedArray {
    const stored = storedAs(state);
    const { buffer, offset } = this.variable(stored, noSpaceForValues);
    return viewOf(stored.dtype, buffer, offset, stored.length);
  }

  /** The present arena; undefined where there was no space for another. */
  get arena(): Piece | undefined {
    return this.#arena;
  }

  /** Makes the arena, with the threads' own space behind it, large enough for a program. No run may be using it. */
  reserve({ arenaBytes, threadBytes }: Program): Piece {
    const bytes = alignedSize(arenaBytes) + this.#threads * alignedSize(threadBytes);
    if (this.#arena && bytes <= this.#arena.bytes) return this.#arena;
    if (this.#arena) this.#allocator.release(this.#arena);
    this.#arena = undefined;
    this.#arena = allocateFrom(this.#allocator, bytes);
    return this.#arena;
  }
}

/** The memory of one program: what it alone has, such as constants, and its part of what all programs share. */
export class ProgramMemory {
  readonly #residence: Residence;
  readonly #allocator: Allocator;
  readonly #program: Program;
  readonly #variables: ReadonlyMap<number, Stored>;
  readonly #own: Piece[] = [];
  readonly #constants = new Map<LastingPlace, Piece>();
  readonly #views = new Map<Buffer, TypedArray>();
  #arena: Piece | undefined;
  /** The memory around the arena when the last run began. */
  #around: ArrayBuffer | undefined;

  constructor(residence: Residence, allocator: Allocator, program: Program) {
    this.#residence = residence;
    this.#allocator = allocator;
    this.#program = program;
    this.#variables = new Map(program.variables.map((v) => [v.key, v]));
  }

  /** Where something lies that outlives the run: a variable, or a constant, which is put there. */
  pieceOf(place: LastingPlace): Piece {
    if (place.kind === 'variable') return this.#residence.variable(this.#variables.get(place.key) as Stored);
    return this.#constants.get(place) ?? atOnce(this.#placed(place));
  }

  /** Puts all constants in place. @throws ResourceExhaustedError */
  *placing(): Sliced<void> {
    for (const place of this.#program.places.values()) if (place.kind === 'constant') yield* this.#placed(place);
  }

  *#placed(place: LastingPlace & { kind: 'constant' }): Sliced<Piece> {
    const { data } = place;
    const piece = this.allocate(data.byteLength);
    this.#constants.set(place, piece);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    yield* copyingInto(new Uint8Array(piece.buffer, piece.offset, data.byteLength), bytes);
    return piece;
  }

  /** Space for the program alone, besides what it says itself. @throws ResourceExhaustedError */
  allocate(bytes: number): Piece {
    const piece = allocateFrom(this.#allocator, bytes);
    this.#own.push(piece);
    return piece;
  }

  /** Begins a run: it uses the arena that there is now, which may be another one than in the run before. */
  begin(): Piece {
    const arena = this.#residence.reserve(this.#program);
    const { buffer } = arena;
    // Views are of another arena, or of the memory as it was before it grew.
    if (arena !== this.#arena || buffer !== this.#around) this.#views.clear();
    this.#arena = arena;
    this.#around = buffer;
    return arena;
  }

  /** Would a run that began now use another arena than the last one? */
  get hasMoved(): boolean {
    return this.#arena !== this.#residence.arena;
  }

  /** The arena of the last run that has begun. */
  get arena(): Piece {
    if (!this.#arena) throw new InternalError('a program is read or written before its first run');
    return this.#arena;
  }

  /** The address of a thread's own space. */
  ownOf(thread: number): number {
    const { arenaBytes, threadBytes } = this.#program;
    return this.arena.address + alignedSize(arenaBytes) + thread * alignedSize(threadBytes);
  }

  /** The elements of a port's buffer, in a run that has begun. */
  readonly view: ViewOf = (buffer) => {
    let view = this.#views.get(buffer);
    if (!view) {
      const place = this.#program.places.get(buffer) as ArenaPlace | LastingPlace;
      const inArena = place.kind === 'arena';
      const piece = inArena ? this.arena : this.pieceOf(place);
      const offset = piece.offset + (inArena ? place.offset : 0);
      view = viewOf(buffer.dtype, piece.buffer, offset, buffer.length);
      this.#views.set(buffer, view);
    }
    return view;
  };

  /** Gives back what the program alone has. It is not run any more. */
  release(): void {
    for (const piece of this.#own.splice(0)) this.#allocator.release(piece);
    this.#constants.clear();
  }
}
