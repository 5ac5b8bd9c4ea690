// The memory of a session: variables, constants and one arena, at addresses that stay.

import { ResourceExhaustedError } from '../../tensor/errors.ts';
import type { MemoryLimits } from './encode.ts';

const page = 65536;
const alignment = 64;
/** Nothing lies at address 0, where mistakes end up. */
const first = 1024;

export class Storage {
  readonly memory: WebAssembly.Memory;
  readonly limits: MemoryLimits;
  readonly #free: { at: number; size: number }[] = [];
  #top = first;

  constructor(limitBytes: number, shared: boolean) {
    this.limits = { minimum: 16, maximum: Math.floor(limitBytes / page), shared };
    this.memory = new WebAssembly.Memory({ initial: 16, maximum: this.limits.maximum, shared });
  }

  /** Space for some bytes, zeroed or not. @throws ResourceExhaustedError with the need and the limit. */
  allocate(bytes: number): number {
    const size = Math.max(1, Math.ceil(bytes / alignment)) * alignment;
    const i = this.#free.findIndex((piece) => piece.size >= size);
    if (i >= 0) {
      const piece = this.#free[i];
      const { at } = piece;
      piece.at += size;
      piece.size -= size;
      if (piece.size === 0) this.#free.splice(i, 1);
      return at;
    }
    const at = this.#top;
    this.#grow(at + size);
    this.#top = at + size;
    return at;
  }

  release(at: number, bytes: number): void {
    const size = Math.max(1, Math.ceil(bytes / alignment)) * alignment;
    this.#free.push({ at, size });
    this.#free.sort((a, b) => a.at - b.at);
    for (let i = this.#free.length - 2; i >= 0; i--) {
      const [a, b] = [this.#free[i], this.#free[i + 1]];
      if (a.at + a.size === b.at) {
        a.size += b.size;
        this.#free.splice(i + 1, 1);
      }
    }
    const last = this.#free.at(-1);
    if (last && last.at + last.size === this.#top) {
      this.#top = last.at;
      this.#free.pop();
    }
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
