// Where the things lie that the programs of a session compute with: variables and the arena, which all programs share,
// and the constants of each. For every backend whose memory JavaScript can read and write.

import { InternalError, ResourceExhaustedError } from '../../base/errors.ts';
import { alignedSize } from '../../base/free-space.ts';
import type { Buffer } from '../../loops/ir.ts';
import type { ArenaPlace, LastingPlace, Program } from '../../loops/program.ts';
import { sizeOf, type TypedArray, viewOf } from '../../tensor/dtype.ts';
import type { ViewOf } from './ports.ts';

/** A piece of memory: where it lies for JavaScript, and where for programs. */
export interface Piece {
  /** The memory around it, which is another object after it has grown. */
  readonly buffer: ArrayBuffer;
  readonly offset: number;
  /** For programs. It stays as long as the piece is not released. */
  readonly address: number;
  readonly bytes: number;
}

/** The memory of a session, which the backend gives. */
export interface Allocator {
  /** Space for so many bytes, from a multiple of 64 on; what is in it is not defined. @throws ResourceExhaustedError */
  allocate(bytes: number): Piece;
  release(piece: Piece): void;
}

/** The error of an allocator that cannot give what makes `bytes` in all. */
export const outOfMemory = (bytes: number, why: string): ResourceExhaustedError =>
  new ResourceExhaustedError(
    `This run needs ${megabytes(bytes)} of memory in all, but ${why}. Nothing has run. Use a smaller batch, or evaluate in parts.`,
  );

export const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en')} MB`;

/** A variable as a program knows it. */
type Stored = Program['variables'][number];

/** What the programs of a session share: the storage of its variables, and the arena. */
export class Residence {
  readonly #allocator: Allocator;
  readonly #threads: number;
  readonly #variables = new Map<number, Piece>();
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
  variable({ key, dtype, length }: Stored): Piece {
    let piece = this.#variables.get(key);
    if (!piece) this.#variables.set(key, (piece = this.#allocator.allocate(length * sizeOf(dtype))));
    return piece;
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
    this.#arena = this.#allocator.allocate(bytes);
    return this.#arena;
  }
}

/** The memory of one program: its constants, and its part of what all programs share. */
export class ProgramMemory {
  readonly #residence: Residence;
  readonly #allocator: Allocator;
  readonly #program: Program;
  readonly #variables: ReadonlyMap<number, Stored>;
  readonly #constants = new Map<LastingPlace, Piece>();
  readonly #views = new Map<Buffer, TypedArray>();
  #arena: Piece | undefined;

  constructor(residence: Residence, allocator: Allocator, program: Program) {
    this.#residence = residence;
    this.#allocator = allocator;
    this.#program = program;
    this.#variables = new Map(program.variables.map((v) => [v.key, v]));
  }

  /** Where something lies that outlives the run: a variable, or a constant, which is put there. */
  pieceOf(place: LastingPlace): Piece {
    if (place.kind === 'variable') return this.#residence.variable(this.#variables.get(place.key) as Stored);
    let piece = this.#constants.get(place);
    if (!piece) {
      const { data } = place;
      piece = this.#allocator.allocate(data.byteLength);
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      new Uint8Array(piece.buffer, piece.offset, data.byteLength).set(bytes);
      this.#constants.set(place, piece);
    }
    return piece;
  }

  /** Begins a run: it uses the arena that there is now, which may be another one than in the run before. */
  begin(): Piece {
    this.#arena = this.#residence.reserve(this.#program);
    return this.#arena;
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

  /** The elements of a port's buffer. */
  readonly view: ViewOf = (buffer) => {
    const place = this.#program.places.get(buffer) as ArenaPlace | LastingPlace;
    const inArena = place.kind === 'arena';
    const piece = inArena ? this.arena : this.pieceOf(place);
    const offset = piece.offset + (inArena ? place.offset : 0);
    let view = this.#views.get(buffer);
    // The arena may have moved, and the memory around it may have grown.
    if (!view || view.buffer !== piece.buffer || view.byteOffset !== offset) {
      view = viewOf(buffer.dtype, piece.buffer, offset, buffer.length);
      this.#views.set(buffer, view);
    }
    return view;
  };

  /** Gives the constants back. The program is not run any more. */
  release(): void {
    for (const piece of this.#constants.values()) this.#allocator.release(piece);
    this.#constants.clear();
  }
}
