// Fetches: any structure of tensors and operations, taken apart for the compiler and put together again with values.

import { FetchError } from '../base/errors.ts';
import type { Graph } from '../graph/graph.ts';
import { Operation } from '../graph/operation.ts';
import { Tensor } from '../graph/tensor.ts';
import type { TypedArray } from '../tensor/dtype.ts';
import { hostArray } from '../tensor/ndarray.ts';

/** The tensors and operations of a structure, in order. */
export interface FlatFetches {
  readonly tensors: readonly Tensor[];
  readonly targets: readonly Operation[];
}

/** @throws FetchError for anything that is not a tensor or operation of the graph. */
export function flattenFetches(fetches: unknown, graph: Graph): FlatFetches {
  const tensors: Tensor[] = [];
  const targets: Operation[] = [];
  const visit = (f: unknown): void => {
    if (f instanceof Tensor || f instanceof Operation) {
      if (f.graph !== graph) {
        throw new FetchError(
          `${f.name} belongs to another graph than the session; make the session with new tf.Session({ graph }).`,
        );
      }
      if (f instanceof Tensor) tensors.push(f);
      else targets.push(f);
    } else if (Array.isArray(f)) f.forEach(visit);
    else if (typeof f === 'object' && f !== null && Object.getPrototypeOf(f) === Object.prototype)
      Object.values(f).forEach(visit);
    else
      throw new FetchError(
        `Only tensors, operations, and arrays and objects of them can be fetched, but ${describe(f)} came.`,
      );
  };
  visit(fetches);
  return { tensors, targets };
}

const mostNames = 4;

/** `cross_entropy:0, train_step`: for texts that tell one run from another. */
export function labelOf({ tensors, targets }: FlatFetches): string {
  const names = [...tensors, ...targets].map((f) => f.name);
  const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : '';
  return `${names.slice(0, mostNames).join(', ') || 'nothing'}${more}`;
}

const describe = (f: unknown): string =>
  f instanceof Promise
    ? 'a promise (is an await missing?)'
    : f === undefined || f === null
      ? String(f)
      : `a value of type ${typeof f}`;

/** The values in the structure of the fetches; scalars as plain numbers and booleans. */
export function assemble(
  fetches: unknown,
  values: readonly TypedArray[],
  shapes: readonly (readonly number[])[],
): unknown {
  let next = 0;
  const build = (f: unknown): unknown => {
    if (f instanceof Operation) return undefined;
    if (f instanceof Tensor) {
      const data = values[next];
      const shape = shapes[next++];
      if (shape.length > 0) return hostArray(f.dtype, shape, data);
      return f.dtype === 'bool' ? data[0] !== 0 : data[0];
    }
    if (Array.isArray(f)) return f.map(build);
    return Object.fromEntries(Object.entries(f as object).map(([key, value]) => [key, build(value)]));
  };
  return build(fetches);
}
