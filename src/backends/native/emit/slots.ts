// The table that a program is called with: pointers to what lies outside the arena, so that its text knows no address.

import { InternalError } from '../../../base/errors.ts';
import type { Buffer } from '../../../loops/ir.ts';
import type { ArenaPlace, LastingPlace, Place, Program } from '../../../loops/program.ts';
import type { Origin } from '../../emit/addresses.ts';

/** What a slot points to: a feed's is in the arena, or wherever it lies. */
export type Slot = LastingPlace | ArenaPlace;

/** The slots of a program, each there when its place is first asked for, and where buffers begin. */
export class Slots {
  readonly #program: Program;
  readonly #all: Slot[] = [];
  readonly #numbers = new Map<number | Slot, number>();
  readonly #fed: ReadonlySet<Place | undefined>;
  readonly #origins = new Map<Buffer, Origin>();

  constructor(program: Program) {
    this.#program = program;
    this.#fed = new Set(program.feeds.map((port) => port && program.places.get(port.buffer)));
  }

  get all(): readonly Slot[] {
    return this.#all;
  }

  originOf(buffer: Buffer): Origin {
    let origin = this.#origins.get(buffer);
    if (!origin) this.#origins.set(buffer, (origin = this.#find(buffer)));
    return origin;
  }

  #find(buffer: Buffer): Origin {
    const place = this.#program.places.get(buffer);
    if (!place) throw new InternalError(`The buffer ${buffer.name} is used but has no place in memory.`);
    const inArena = (p: Place): p is ArenaPlace => p.kind === 'arena' && !this.#fed.has(p);
    if (inArena(place) || place.kind === 'thread') return { base: place.kind, offset: place.offset };
    if (place.kind !== 'window') return { base: this.#slotOf(place), offset: 0 };
    const { of, itemBytes } = place;
    if (inArena(of)) return { base: `arena ${itemBytes}`, offset: of.offset };
    return { base: `${this.#slotOf(of)} ${itemBytes}`, offset: 0 };
  }

  /** Buffers of one variable share a slot. */
  #slotOf(place: Slot): `slot${number}` {
    const key = place.kind === 'variable' ? place.key : place;
    let number = this.#numbers.get(key);
    if (number === undefined) this.#numbers.set(key, (number = this.#all.push(place) - 1));
    return `slot${number}`;
  }
}
