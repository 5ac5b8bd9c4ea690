// What runs print when they have succeeded.
import type { LoweredRun } from '../compiler/compile.ts';
import type { TypedArray } from '../tensor/dtype.ts';

/** Writes what is printed, and counts how often. */
export class Printing {
  readonly #write: (text: string) => void;
  /** In how many runs an operation has printed, by its name, where only the first ones print. */
  readonly #runsOf = new Map<string, number>();

  constructor(write: (text: string) => void = (text) => console.error(text)) {
    this.#write = write;
  }

  /** @param values those of the run's fetches: what is printed follows what the user asked for. */
  after({ prints }: LoweredRun, values: readonly TypedArray[]): void {
    const texts: string[] = [];
    let at = values.length - prints.reduce((sum, { views }) => sum + views.length, 0);
    for (const { name, views, firstN, write } of prints) {
      const own = values.slice(at, (at += views.length));
      if (Number.isFinite(firstN)) {
        const runs = this.#runsOf.get(name) ?? 0;
        if (runs >= firstN) continue;
        this.#runsOf.set(name, runs + 1);
      }
      texts.push(write(own));
    }
    for (const text of texts) this.#write(text);
  }
}
