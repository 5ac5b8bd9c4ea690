// What a run is called with, in memory that the program reads: `struct call` of prelude.ts.
import type { Piece } from '../../run/residence.ts';

/** The fields of the struct in order, all of 8 bytes; the runtime library fills the last three. */
const fields = [
  'run',
  'table',
  'arena',
  'own',
  'ownBytes',
  'most',
  'times',
  'timesOfThread',
  'threads',
  'wait',
  'now',
] as const;

export class Call {
  readonly #struct: Piece;
  readonly #fields: BigInt64Array;
  readonly #table: Piece;
  readonly #slots: BigInt64Array;

  /** `slots` are the addresses in the program's table. It lies in memory that others give back. */
  constructor(memory: { allocate(bytes: number): Piece }, slots: readonly number[]) {
    this.#struct = memory.allocate(8 * fields.length);
    this.#fields = new BigInt64Array(this.#struct.buffer, this.#struct.offset, fields.length);
    this.#table = memory.allocate(8 * slots.length);
    this.#slots = new BigInt64Array(this.#table.buffer, this.#table.offset, slots.length);
    for (const [i, address] of slots.entries()) this.point(i, address);
    this.set({ table: this.#table.address });
  }

  /** Sets what a slot of the table points to. */
  point(slot: number, address: number): void {
    this.#slots[slot] = BigInt(address);
  }

  get address(): number {
    return this.#struct.address;
  }

  /** How many threads have computed the last run. */
  get threads(): number {
    return Number(this.#fields[fields.indexOf('threads')]);
  }

  set(values: Partial<Record<(typeof fields)[number], number>>): void {
    for (const [name, value] of Object.entries(values)) {
      this.#fields[fields.indexOf(name as 'run')] = BigInt(value);
    }
  }
}
