// The memory of a session: variables, constants and one arena, at addresses that stay.

import { ResourceExhaustedError } from '../../../base/errors.ts';
import { alignedSize, FreeSpace } from '../../../base/free-space.ts';
import type { MemoryLimits } from '../emit/encode.ts';

const page = 65536;
const initialPages = 16;
/** 64 MB: less is not worth having. */
const leastPages = 1024;
/** Nothing lies at address 0, where mistakes end up. */
const first = 1024;

export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  readonly limits: MemoryLimits;
  readonly #space = new FreeSpace();

  /** Engines that will not promise so much address space are asked for half, and again. */
  constructor(limitBytes: number, shared: boolean) {
    for (let maximum = Math.floor(limitBytes / page); ; maximum = Math.floor(maximum / 2)) {
      try {
        this.memory = new WebAssembly.Memory({ initial: initialPages, maximum, shared });
        this.limits = { minimum: initialPages, maximum, shared };
        return;
      } catch (error) {
        if (maximum / 2 < leastPages) throw error;
      }
    }
  }

  /** Space for some bytes, zeroed or not. @throws ResourceExhaustedError with the need and the limit. */
  allocate(bytes: number): number {
    const size = alignedSize(bytes);
    const at = this.#space.take(size);
    try {
      this.#grow(first + at + size);
    } catch (error) {
      this.#space.free(at, size);
      throw error;
    }
    return first + at;
  }

  release(at: number, bytes: number): void {
    this.#space.free(at - first, alignedSize(bytes));
  }

  #grow(end: number): void {
    const have = this.memory.buffer.byteLength;
    if (end <= have) return;
    const limit = this.limits.maximum * page;
    const need = Math.ceil((end - have) / page);
    const fail = (why: string): never => {
      throw new ResourceExhaustedError(
        `This run needs ${megabytes(end)} of memory in all, but ${why}. Nothing has run. Use a smaller batch, or evaluate in parts.`,
      );
    };
    if (end > limit) fail(`WebAssembly can have at most ${megabytes(limit)}`);
    try {
      this.memory.grow(need);
    } catch {
      fail(`the system gave no more than ${megabytes(have)}`);
    }
  }
}

const megabytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en')} MB`;
