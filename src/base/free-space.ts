// Which parts of a stretch of memory are free: what the arena is planned with, and the memory of a session.

/** Cache lines, and vectors of any machine. */
const alignment = 64;
/** Bytes as they are taken: whole lines, and at least one. */
export const alignedSize = (bytes: number): number => Math.max(1, Math.ceil(bytes / alignment)) * alignment;

/** Pieces of free space in order of their offset; everything from `end` on is free too. */
export class FreeSpace {
  readonly #pieces: { offset: number; size: number }[] = [];
  #top = 0;
  /** The largest end that has ever been taken. */
  end = 0;

  /** The offset of a piece of that (aligned) size. */
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
