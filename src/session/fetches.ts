// Fetches: any structure of tensors and operations, taken apart for the compiler and put together again with values.
// The caller's objects are read once, when `run` is called; what happens to them later changes nothing.

import { FetchError, MillraceError } from '../base/errors.ts';
import type { Graph } from '../graph/graph.ts';
import { Operation } from '../graph/operation.ts';
import { Tensor } from '../graph/tensor.ts';
import { describeThrown } from '../tensor/describe.ts';
import type { TypedArray } from '../tensor/dtype.ts';
import { hostArray } from '../tensor/ndarray.ts';
import { mostAxes } from '../tensor/shape.ts';

/** The structure of the fetches: a tensor, an operation, a list, or names with what they stand for. */
export type Structure =
  | Tensor
  | Operation
  | readonly Structure[]
  | { readonly fields: readonly (readonly [string, Structure])[] };

/** The tensors and operations of a structure, in order, and the structure itself. */
export interface FlatFetches {
  readonly tensors: readonly Tensor[];
  readonly targets: readonly Operation[];
  readonly structure: Structure;
}

/** So many tensors and operations are more than anybody fetches; an object may refer to itself again and again. */
const mostFetches = 1e6;
const form = 'Only tensors, operations, and arrays and objects of them can be fetched';

/** @throws FetchError for anything that is not a tensor or operation of the graph. */
export function flattenFetches(fetches: unknown, graph: Graph): FlatFetches {
  try {
    return new Reader(graph).read(fetches);
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw new FetchError(`The fetches cannot be read (${describeThrown(error)}).`, { cause: error });
  }
}

class Reader {
  readonly #graph: Graph;
  readonly #tensors: Tensor[] = [];
  readonly #targets: Operation[] = [];
  #count = 0;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  read(fetches: unknown): FlatFetches {
    const structure = this.#visit(fetches, undefined);
    return { tensors: this.#tensors, targets: this.#targets, structure };
  }

  #visit(f: unknown, place: Place | undefined): Structure {
    if (++this.#count > mostFetches) throw new FetchError(`${form}, but there are more than ${mostFetches} here.`);
    if (f instanceof Tensor || f instanceof Operation) return this.#leaf(f);
    const depth = (place?.depth ?? 0) + 1;
    if (depth > mostAxes) {
      throw new FetchError(`${form}, but these are nested more than ${mostAxes} deep: do they contain themselves?`);
    }
    if (Array.isArray(f)) {
      const list: Structure[] = [];
      const { length } = f;
      for (let i = 0; i < length; i++) list.push(this.#visit(f[i], { in: place, key: i, depth }));
      return list;
    }
    if (!isPlainObject(f)) throw new FetchError(`${form}, but ${describe(f)} came${nameOf(place)}.`);
    const fields = Object.entries(f);
    return { fields: fields.map(([key, v]) => [key, this.#visit(v, { in: place, key, depth })] as const) };
  }

  #leaf(f: Tensor | Operation): Tensor | Operation {
    if (f.graph !== this.#graph) {
      throw new FetchError(
        `${f.name} belongs to another graph than the session; make the session with new tf.Session({ graph }).`,
      );
    }
    if (f instanceof Tensor) this.#tensors.push(f);
    else this.#targets.push(f);
    return f;
  }
}

/** Where in the structure something is. */
interface Place {
  readonly in: Place | undefined;
  readonly key: string | number;
  readonly depth: number;
}

/** ` at losses[1]` */
function nameOf(place: Place | undefined): string {
  let name = '';
  for (let at = place; at; at = at.in) {
    name = typeof at.key === 'number' ? `[${at.key}]${name}` : `${at.in ? '.' : ''}${at.key}${name}`;
  }
  return name && ` at ${name}`;
}

/** `{ loss, accuracy }`, of any realm, or without a prototype; not an instance of a class. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
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
  structure: Structure,
  values: readonly TypedArray[],
  shapes: readonly (readonly number[])[],
): unknown {
  let next = 0;
  const build = (f: Structure): unknown => {
    if (f instanceof Operation) return undefined;
    if (f instanceof Tensor) {
      const data = values[next];
      const shape = shapes[next++];
      if (shape.length > 0) return hostArray(f.dtype, shape, data);
      return f.dtype === 'bool' ? data[0] !== 0 : data[0];
    }
    if ('fields' in f) return Object.fromEntries(f.fields.map(([name, v]) => [name, build(v)]));
    return f.map(build);
  };
  return build(structure);
}
