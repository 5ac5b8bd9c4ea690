// Size values: what sizes of tensors depend on is computed when a run is compiled, of constants, shapes and small feeds.

import { FeedError, InvalidArgumentError } from '../../base/errors.ts';
import type { Variable } from '../../graph/tensor.ts';
import { causeOf, noSizes } from '../../ops/sizes.ts';
import { evaluate } from '../../primitives/evaluate/evaluate.ts';
import * as p from '../../primitives/primitives.ts';
import { isFloat } from '../../tensor/dtype.ts';
import { mostAxes, showShape } from '../../tensor/shape.ts';
import type { CompileRequest } from './request.ts';

/** Computes sizes, and notes of which feeds. */
export class SizeValues {
  readonly #feeds: CompileRequest['feeds'];
  readonly #variableOf: (key: number) => Variable;
  readonly #used = new Set<number>();

  constructor(feeds: CompileRequest['feeds'], variableOf: (key: number) => Variable) {
    this.#feeds = feeds;
    this.#variableOf = variableOf;
  }

  /** The feeds on whose numbers sizes depend. */
  get feeds(): readonly number[] {
    return [...this.#used];
  }

  /**
   * The numbers of a tensor that gives sizes.
   *
   * @throws InvalidArgumentError where they depend on what is known only in the run, FeedError for feeds that are no
   * scalars or vectors.
   */
  of(view: p.View): readonly number[] {
    const nodes = new Set<p.Primitive>([view.node]);
    for (const node of nodes) {
      this.#look(node);
      for (const v of p.operands(node)) nodes.add(v.node);
    }
    const sorted = [...nodes].sort((a, b) => a.id - b.id);
    const { fetches } = evaluate(
      { nodes: sorted, feeds: [], fetches: [view], updates: [], checks: [] },
      {
        feeds: this.#feeds.map(({ data }) => data ?? []),
        variable: () => [],
        counter: () => 0,
      },
    );
    return Array.from(fetches[0]);
  }

  #look(node: p.Primitive): void {
    if (node.kind === 'read') {
      const { operation } = this.#variableOf(node.variable.key);
      throw new InvalidArgumentError(`the shape depends on ${causeOf(operation.name, operation.line)('the variable')}`);
    }
    if (node.kind === 'counter') {
      throw new InvalidArgumentError(
        `the shape depends on random numbers: sizes must be known when a run is compiled.`,
      );
    }
    if (node.kind !== 'feed') return;
    const { tensor, shape, data } = this.#feeds[node.feed];
    if (isFloat(tensor.dtype)) throw new InvalidArgumentError(`the shape depends on ${noSizes(tensor)}`);
    if (shape.length > 1 || node.shape.some((d) => d > mostAxes) || !data) {
      throw new FeedError(
        `${tensor.name}, made at ${tensor.operation.line}, gives sizes, so a scalar or a vector of at most ${mostAxes} numbers must be fed, but ${showShape(shape)} was.`,
      );
    }
    this.#used.add(node.feed);
  }
}
