// Graphs: append-only lists of operations, name scopes, control dependencies, and the default graph.

import { GraphError, InvalidArgumentError } from '../base/errors.ts';
import { captureSite, lineOf } from '../base/stack.ts';
import { describe } from '../tensor/describe.ts';
import { anything, callback, kind, text } from '../tensor/kinds.ts';
import { signature } from '../tensor/signature.ts';
import { readList } from '../tensor/sizes.ts';
import { type CollectionItem, Collections, GraphKeys, keysOf } from './graph-keys.ts';
import { Operation, type OperationFields } from './operation.ts';
import { Tensor, type Variable } from './tensor.ts';

const newGraphForm = signature('new tf.Graph', {}, {});
const asDefaultForm = signature('graph.asDefault', { build: callback }, {});
const finalizeForm = signature('graph.finalize', {}, {});
/** Of names; an empty one fits all. */
export const scope = kind<string>('a text', (v) => typeof v === 'string');
const collected = anything<unknown>('a tensor');
const addForm = signature('graph.addToCollection', { key: text, value: collected }, {});
const keys = anything<readonly string[]>('an array of texts');
const addToAllForm = signature('graph.addToCollections', { keys, value: collected }, {});
const getForm = signature('graph.getCollection', { key: text }, { scope }, ['scope']);

/** An operation to be made. Its name is made unique; by default it is that of the op. */
interface NewOperation extends Pick<OperationFields, 'definition' | 'inputs' | 'attributes' | 'outputs'> {
  readonly name?: string | undefined;
  readonly outputClass?: typeof Tensor | undefined;
}

/**
 * A graph of operations. Building it computes nothing; a session runs it.
 *
 * ```ts
 * const g = new tf.Graph();
 * const y = g.asDefault(() => tf.constant(2).add(3));
 * await new tf.Session({ graph: g }).run(y);          // 5
 * ```
 */
export class Graph {
  /** In the order in which they were made. */
  readonly operations: Operation[] = [];
  readonly #collections = new Collections(this);
  #finalized = false;
  readonly #names = new Map<string, number>();
  #scope = '';
  /** Scopes whose name an operation has. */
  readonly #owned = new Set<string>();
  #controls: readonly Operation[] = [];
  /** Where the random numbers of operations that are made now begin, beside the session's seed. @internal */
  seed = 0;

  constructor();
  constructor(...given: unknown[]) {
    newGraphForm.take(given);
  }

  /** Makes this the default graph while `build` runs, and returns what it returns. `build` must be synchronous. */
  asDefault<R>(build: () => R): R;
  asDefault(...given: unknown[]): unknown {
    const { build } = asDefaultForm.take(given);
    stack.push(this);
    try {
      return callBack('asDefault', build);
    } finally {
      stack.pop();
    }
  }

  /** Forbids further operations: adding one throws a GraphError. */
  finalize(): void;
  finalize(...given: unknown[]): void {
    finalizeForm.take(given);
    this.#finalized = true;
  }

  /** The global variables, in the order in which they were made: a copy of the collection `tf.GraphKeys.GLOBAL_VARIABLES`. */
  get variables(): Variable<any, any>[] {
    return this.collected('variables', GraphKeys.GLOBAL_VARIABLES) as Variable<any, any>[];
  }

  /** Adds a value to a collection of this graph, as `tf.addToCollection` does to one of the default graph. */
  addToCollection<const K extends string>(key: K, value: CollectionItem<K>): void;
  addToCollection(...given: unknown[]): void {
    const { key, value } = addForm.take(given);
    this.collect('addToCollection', [key], value);
  }

  /** Adds a value to several collections of this graph. */
  addToCollections<const K extends string>(keys: readonly K[], value: CollectionItem<K>): void;
  addToCollections(...given: unknown[]): void {
    const { keys, value } = addToAllForm.take(given);
    this.collect('addToCollections', keysOf('addToCollections', keys), value);
  }

  /** A copy of a collection of this graph; with a scope, of what has a name that begins so: see `tf.getCollection`. */
  getCollection<const K extends string>(key: K, scope?: string): CollectionItem<K>[];
  getCollection<V>(key: string, scope?: string): V[];
  getCollection(...given: unknown[]): unknown[] {
    const { key, scope } = getForm.take(given);
    return this.collected('getCollection', key, scope);
  }

  /** Adds to all of the collections, or to none. @internal */
  collect(op: string, keys: readonly string[], value: unknown): void {
    if (this.#finalized) {
      throw new GraphError(`${op}: the graph is finalized, so nothing can be added to its collections.`);
    }
    this.#collections.add(op, new Set(keys), value);
  }

  /** @internal */
  collected(op: string, key: string, scope?: string): unknown[] {
    return this.#collections.get(op, key, scope);
  }

  /** Is the variable in a collection of variables? @internal */
  isCollected(key: string, variable: Variable<any, any>): boolean {
    return this.#collections.has(key, variable);
  }

  /** @internal */
  add(wanted: NewOperation): Operation {
    const { definition, inputs, name = definition.name, outputClass = Tensor } = wanted;
    const site = captureSite();
    if (this.#finalized) {
      throw new GraphError(`${name}: the graph is finalized, so nothing can be added to it (at ${lineOf(site)}).`);
    }
    const foreign = inputs.find((t) => t.graph !== this);
    if (foreign) {
      throw new GraphError(
        `${name}: its input ${foreign.name} belongs to another graph. Build all of a model inside one graph: ` +
          `one \`graph.asDefault(() => …)\`, or no resetDefaultGraph() in between.`,
      );
    }
    const operation = new Operation({
      graph: this,
      id: this.operations.length,
      name: this.#named(name),
      definition,
      inputs,
      attributes: wanted.attributes,
      outputs: wanted.outputs,
      controls: this.#controls,
      site,
      outputClass,
    });
    this.operations.push(operation);
    return operation;
  }

  /** In a scope an operation may have the name of the scope itself, as TensorFlow's training steps do. */
  #named(name: string): string {
    const isOwner = name === this.#scope && !this.#owned.has(name);
    if (!isOwner) return this.uniqueName(this.#scope + name);
    this.#owned.add(name);
    return name.slice(0, -1);
  }

  /** `MatMul`, `MatMul_1`, … @internal */
  uniqueName(name: string): string {
    let unique = name;
    for (let n = this.#names.get(name) ?? 0; ; n++) {
      unique = n === 0 ? name : `${name}_${n}`;
      this.#names.set(name, n + 1);
      if (n === 0 || !this.#names.has(unique)) break;
    }
    if (unique !== name) this.#names.set(unique, 1);
    return unique;
  }

  /** What stands before the names of operations that are made now: `layer1/`, or nothing. @internal */
  get scope(): string {
    return this.#scope;
  }

  /** A new scope inside the one around; or one that is there, by its whole name: `layer1/`, or '' for none. @internal */
  withScope<R>(name: string, build: () => R, what = 'nameScope'): R {
    const before = this.#scope;
    this.#scope = name === '' || name.endsWith('/') ? name : `${this.uniqueName(before + name)}/`;
    try {
      return callBack(what, build);
    } finally {
      this.#scope = before;
    }
  }

  /** What the operations that are made now run after. @internal */
  get controls(): readonly Operation[] {
    return this.#controls;
  }

  /** Without operations: outside of all that were given around this. @internal */
  withControls<R>(operations: readonly Operation[] | null, build: () => R): R {
    const before = this.#controls;
    this.#controls = operations ? [...new Set([...before, ...operations])] : [];
    try {
      return callBack('controlDependencies', build);
    } finally {
      this.#controls = before;
    }
  }
}

/** Deeper than any model: the stack of the engine would soon be full. */
const mostNested = 500;
let nested = 0;

function callBack<R>(what: string, build: () => R): R {
  if (nested >= mostNested) {
    throw new GraphError(
      `${what}: callbacks are nested more than ${mostNested} deep. Does one call itself without end?`,
    );
  }
  nested++;
  try {
    const result = build();
    if (typeof (result as { then?: unknown } | null | undefined)?.then !== 'function') return result;
  } finally {
    nested--;
  }
  throw new GraphError(
    `${what}: the callback returned a promise. It must be synchronous: build the graph inside it, and await outside.`,
  );
}

const stack: Graph[] = [new Graph()];

const defaultGraphForm = signature('tf.getDefaultGraph', {}, {});
/** The graph to which operations without inputs are added. */
export function getDefaultGraph(): Graph;
export function getDefaultGraph(...given: unknown[]): Graph {
  if (given.length > 0) defaultGraphForm.take(given);
  return stack[stack.length - 1];
}

const resetForm = signature('tf.resetDefaultGraph', {}, {});
/** Replaces the default graph by an empty one. Sessions of the old graph go on working. */
export function resetDefaultGraph(): void;
export function resetDefaultGraph(...given: unknown[]): void {
  resetForm.take(given);
  if (stack.length > 1) {
    throw new GraphError('resetDefaultGraph: called inside graph.asDefault(); call it outside of the callback.');
  }
  stack[0] = new Graph();
}

const nameScopeForm = signature('tf.nameScope', { name: text, build: callback }, {});
/**
 * Puts `name/` before the names of the operations made in the callback, which must be synchronous.
 *
 * ```ts
 * const w = tf.nameScope('layer1', () => tf.variable(tf.zeros([2]), { name: 'w' }));   // layer1/w
 * ```
 */
export function nameScope<R>(name: string, build: () => R): R;
export function nameScope(...given: unknown[]): unknown {
  const { name, build } = nameScopeForm.take(given);
  return getDefaultGraph().withScope(name, build);
}

const after = anything<readonly (Operation | Tensor)[] | null>('an array of operations and tensors');
const controlForm = signature('tf.controlDependencies', { after, build: callback }, {});
/**
 * The operations made in the (synchronous) callback run after all of the given ones; variables that they read have
 * the values from after these. Where one callback is inside another, after those of both.
 *
 * A variable made in the callback is initialized outside of it, with what of its initial value was made there: to
 * initialize it runs none of the given operations.
 *
 * @param after operations and tensors; `null` steps out of all dependencies.
 *
 * ```ts
 * const next = tf.controlDependencies([trainStep], () => w.add(0));     // w after the step
 * const step = tf.controlDependencies(updates, () => optimizer.minimize(loss));
 * ```
 */
export function controlDependencies<R>(after: readonly (Operation | Tensor)[] | null, build: () => R): R;
export function controlDependencies(...given: unknown[]): unknown {
  const { after, build } = controlForm.take(given);
  if (after === null) return getDefaultGraph().withControls(null, build);
  if (!Array.isArray(after)) refuseControl(after);
  const operations = readList(after, (x) =>
    x instanceof Operation ? x : x instanceof Tensor ? x.operation : refuseControl(x),
  );
  return (operations[0]?.graph ?? getDefaultGraph()).withControls(operations, build);
}

function refuseControl(came: unknown): never {
  throw new InvalidArgumentError(
    `controlDependencies: expected an array of operations and tensors (or null, for none), but ${describe(came)} came. Write tf.controlDependencies([step], () => w.add(0)).`,
  );
}
