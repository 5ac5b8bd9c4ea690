// How long each kernel of a compiled run took, over its last runs.
import type { RunProfile } from '../backends/backend.ts';

/** The first runs, in which an engine still improves its code, are soon forgotten. */
const mostRuns = 32;

export class KernelTimes {
  readonly #runs: Float64Array[] = [];
  readonly #kernels: number;
  #next = 0;

  /** For a program of so many kernels. */
  constructor(kernels: number) {
    this.#kernels = kernels;
  }

  /** Of each kernel the time of its calls, on the thread that took longest. */
  add({ calls, threads }: RunProfile): void {
    const sums = new Float64Array(this.#kernels);
    for (const [i, k] of calls.entries()) sums[k] += Math.max(...threads.map((t) => t[2 * i + 1] - t[2 * i]));
    this.#runs[this.#next] = sums;
    this.#next = (this.#next + 1) % mostRuns;
  }

  /** Undefined before the first run. */
  get measured(): { runs: number; medians: number[] } | undefined {
    const runs = this.#runs.length;
    if (runs === 0) return undefined;
    const medians = Array.from(this.#runs[0], (_, k) => {
      const sorted = this.#runs.map((times) => times[k]).sort((a, b) => a - b);
      return (sorted[(runs - 1) >> 1] + sorted[runs >> 1]) / 2;
    });
    return { runs, medians };
  }
}
