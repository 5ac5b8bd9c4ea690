// Pass 7, plan memory: lifetimes → offsets in one arena. Events in order of time; freed space is merged and reused,
// the best fitting piece first.
import type { Buffer } from '../loops/ir.ts';
import { sizeOf } from '../tensor/dtype.ts';

/** A buffer is needed from step `begin` to step `end`, both included. */
export interface Lifetime {
  readonly buffer: Buffer;
  readonly begin: number;
  readonly end: number;
}

export interface MemoryPlan {
  readonly offsets: ReadonlyMap<Buffer, number>;
  /** Size of the arena. */
  readonly bytes: number;
  /** The largest number of bytes that are needed at one time: no plan can be smaller. */
  readonly lowerBound: number;
}

/** Cache lines, and vectors of any machine. */
const alignment = 64;
const sizeFor = (b: Buffer) => Math.max(1, Math.ceil((b.length * sizeOf(b.dtype)) / alignment)) * alignment;

export function planMemory(lifetimes: readonly Lifetime[]): MemoryPlan {
  const offsets = new Map<Buffer, number>();
  const space = new FreeSpace();
  const begins = [...lifetimes].sort((a, b) => a.begin - b.begin || sizeFor(b.buffer) - sizeFor(a.buffer));
  const ends = [...lifetimes].sort((a, b) => a.end - b.end);
  let ended = 0;
  let live = 0;
  let lowerBound = 0;
  for (const { buffer, begin } of begins) {
    for (; ended < ends.length && ends[ended].end < begin; ended++) {
      const old = ends[ended].buffer;
      space.free(offsets.get(old) as number, sizeFor(old));
      live -= sizeFor(old);
    }
    const size = sizeFor(buffer);
    offsets.set(buffer, space.take(size));
    live += size;
    lowerBound = Math.max(lowerBound, live);
  }
  return { offsets, bytes: space.end, lowerBound };
}

/** Pieces of free space in order of their offset; everything from `end` on is free too. */
class FreeSpace {
  readonly #pieces: { offset: number; size: number }[] = [];
  #top = 0;
  end = 0;

  take(size: number): number {
    let best = -1;
    for (const [i, piece] of this.#pieces.entries()) {
      if (piece.size >= size && (best < 0 || piece.size < this.#pieces[best].size)) best = i;
    }
    if (best >= 0) {
      const piece = this.#pieces[best];
      const { offset } = piece;
      piece.offset += size;
      piece.size -= size;
      if (piece.size === 0) this.#pieces.splice(best, 1);
      return offset;
    }
    const offset = this.#top;
    this.#top += size;
    this.end = Math.max(this.end, this.#top);
    return offset;
  }

  free(offset: number, size: number): void {
    let i = this.#pieces.findIndex((piece) => piece.offset > offset);
    if (i < 0) i = this.#pieces.length;
    this.#pieces.splice(i, 0, { offset, size });
    this.#join(i);
    this.#join(i - 1);
    const last = this.#pieces.at(-1);
    if (last && last.offset + last.size === this.#top) {
      this.#top = last.offset;
      this.#pieces.pop();
    }
  }

  /** Merges a piece with the next one where they touch. */
  #join(i: number): void {
    const [a, b] = [this.#pieces[i], this.#pieces[i + 1]];
    if (!a || !b || a.offset + a.size !== b.offset) return;
    a.size += b.size;
    this.#pieces.splice(i + 1, 1);
  }
}
