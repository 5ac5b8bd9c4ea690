// The memory of a session: buffers of JavaScript, whose addresses stay.

import { alignedSize } from '../../../base/free-space.ts';
import { type Allocator, megabytes, type Piece, Shortage } from '../../run/residence.ts';
import type { Runtime } from './runtime.ts';

const lineBytes = 64;
const largePage = 2 ** 21;
/** From this size on, pieces begin at the border of a large page. */
const large = 2 * largePage;

/** Pieces are buffers of their own, which are freed when nothing refers to them any more. */
export class HostMemory implements Allocator {
  readonly #runtime: Pick<Runtime, 'address' | 'advise'>;
  readonly #limit: number;
  #held = 0;

  /** Of so many bytes at most. */
  constructor(runtime: Pick<Runtime, 'address' | 'advise'>, limit: number) {
    this.#runtime = runtime;
    this.#limit = limit;
  }

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
    const total = this.#held + bytes;
    if (total > this.#limit) throw new Shortage(total, `this machine has ${megabytes(this.#limit)}`);
    let buffer: ArrayBuffer;
    try {
      buffer = new ArrayBuffer(bytes);
    } catch {
      throw new Shortage(total, `the system gave no more than ${megabytes(this.#held)}`);
    }
    try {
      // Engines let arrays see less than buffers hold.
      new Uint8Array(buffer);
      return buffer;
    } catch {
      throw new Shortage(total, `no array of this engine holds ${megabytes(bytes)}`);
    }
  }
}
