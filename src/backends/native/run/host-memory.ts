// The memory of a session: pieces of JavaScript's memory at addresses that stay.

import { ResourceExhaustedError } from '../../../base/errors.ts';
import { alignedSize } from '../../../base/free-space.ts';
import type { Runtime } from './runtime.ts';

/** Where a piece lies for JavaScript and for the program. It is freed when nothing refers to it any more. */
export interface Piece {
  readonly buffer: ArrayBuffer;
  readonly offset: number;
  readonly address: number;
  readonly bytes: number;
}

const lineBytes = 64;
const largePage = 2 ** 21;
/** From this size on, pieces begin at the border of a large page. */
const large = 2 * largePage;

export class HostMemory {
  readonly #runtime: Runtime;
  readonly #limit: number;
  #held = 0;

  constructor(runtime: Runtime, limit: number) {
    this.#runtime = runtime;
    this.#limit = limit;
  }

  /** Space for some bytes. @throws ResourceExhaustedError with the need and the limit. */
  allocate(need: number): Piece {
    const bytes = alignedSize(need);
    const alignment = bytes >= large ? largePage : lineBytes;
    const buffer = this.#take(bytes + alignment);
    const begin = this.#runtime.address(buffer);
    const offset = (alignment - (begin % alignment)) % alignment;
    if (bytes >= large) this.#runtime.advise(begin + offset, bytes);
    this.#held += bytes;
    return { buffer, offset, address: begin + offset, bytes };
  }

  release({ bytes }: Piece): void {
    this.#held -= bytes;
  }

  #take(bytes: number): ArrayBuffer {
    const fail = (why: string): never => {
      throw new ResourceExhaustedError(
        `This run needs ${megabytes(this.#held + bytes)} of memory in all, but ${why}. Nothing has run. Use a smaller batch, or evaluate in parts.`,
      );
    };
    if (this.#held + bytes > this.#limit) fail(`this machine has ${megabytes(this.#limit)}`);
    try {
      return new ArrayBuffer(bytes);
    } catch {
      return fail(`the system gave no more than ${megabytes(this.#held)}`);
    }
  }
}

const megabytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en')} MB`;
