// A graph that keeps growing between runs is almost always a model built inside the training loop: said once.
import type { Graph } from '../graph/graph.ts';

const mostGrowingRuns = 20;

export class GrowthWatch {
  readonly #graph: Graph;
  #size = 0;
  #growing = 0;
  #said = false;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Called before each run. */
  check(): void {
    const { operations } = this.#graph;
    if (this.#said || operations.length === this.#size) {
      this.#growing = 0;
      return;
    }
    this.#size = operations.length;
    if (++this.#growing <= mostGrowingRuns) return;
    this.#said = true;
    const newest = operations[operations.length - 1];
    console.warn(
      `millrace: the graph grew before each of the last ${this.#growing} runs, so each had to be compiled anew. Build the graph once, before ` +
        `the loop. The newest operation is ${newest.name}, made at ${newest.line}.`,
    );
  }
}
