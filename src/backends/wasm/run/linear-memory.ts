// The memory of a session: one linear memory, which grows, with pieces at addresses that stay.

import { alignedSize, FreeSpace } from '../../../base/free-space.ts';
import { type Allocator, megabytes, type Piece, Shortage } from '../../run/residence.ts';
import type { MemoryLimits } from '../emit/encode.ts';

const page = 65536;
const initialPages = 16;
/** 64 MB: less is not worth having. */
const leastPages = 1024;
const mostCounted = 64 * 2 ** 20;
/** Nothing lies at address 0, where mistakes end up. */
const first = 1024;

export class LinearMemory implements Allocator {
  readonly memory: WebAssembly.Memory;
  readonly limits: MemoryLimits;
  readonly #space = new FreeSpace();
  /**
   * Garbage collectors do not count shared memory: they would look for sessions that nobody closed, and nobody has any
   * more, when there is no room left for others.
   */
  readonly #counted: ArrayBuffer[] = [];
  #countedBytes = 0;

  /** Engines that will not promise so much address space are asked for half, and again. */
  constructor(limitBytes: number, shared: boolean) {
    for (let maximum = Math.floor(limitBytes / page); ; maximum = Math.floor(maximum / 2)) {
      try {
        this.memory = new WebAssembly.Memory({ initial: initialPages, maximum, shared });
        this.limits = { minimum: initialPages, maximum, shared };
        this.#count(initialPages * page);
        return;
      } catch (error) {
        if (maximum / 2 < leastPages) throw error;
      }
    }
  }

  allocate(bytes: number): Piece {
    const size = alignedSize(bytes);
    const at = this.#space.take(size);
    try {
      this.#grow(first + at + size);
    } catch (error) {
      this.#space.free(at, size);
      throw error;
    }
    const { memory } = this;
    const address = first + at;
    return {
      get buffer() {
        return memory.buffer;
      },
      offset: address,
      address,
      bytes: size,
    };
  }

  release({ address, bytes }: Piece): void {
    this.#space.free(address - first, bytes);
  }

  #grow(end: number): void {
    const have = this.memory.buffer.byteLength;
    if (end <= have) return;
    const limit = this.limits.maximum * page;
    if (end > limit) throw new Shortage(end, `WebAssembly can have at most ${megabytes(limit)}`);
    try {
      this.memory.grow(Math.ceil((end - have) / page));
    } catch {
      throw new Shortage(end, `the system gave no more than ${megabytes(have)}`);
    }
    this.#count(end - have);
  }

  /** Memory of the kind that collectors count: as much as was shared, up to 64 MB. It is never touched, so it takes none. */
  #count(bytes: number): void {
    if (!this.limits.shared || this.#countedBytes >= mostCounted) return;
    const more = Math.min(bytes, mostCounted - this.#countedBytes);
    this.#counted.push(new ArrayBuffer(more));
    this.#countedBytes += more;
  }
}
