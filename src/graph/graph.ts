// Graphs: append-only lists of operations, name scopes, control dependencies, and the default graph.

import { GraphError } from '../base/errors.ts';
import { Operation, type OperationFields } from './operation.ts';
import { captureSite, lineOf } from './site.ts';
import { Tensor, type Variable } from './tensor.ts';

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
  /** The variables, in the order in which they were made. */
  readonly variables: Variable[] = [];
  #finalized = false;
  readonly #names = new Map<string, number>();
  #scope = '';
  #controls: readonly Operation[] = [];

  /** Makes this the default graph while `build` runs, and returns what it returns. `build` must be synchronous. */
  asDefault<R>(build: () => R): R {
    stack.push(this);
    try {
      return synchronous('asDefault', build());
    } finally {
      stack.pop();
    }
  }

  /** Forbids further operations: adding one throws a GraphError. */
  finalize(): void {
    this.#finalized = true;
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
      name: this.uniqueName(this.#scope + name),
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

  /** @internal */
  withScope<R>(name: string, build: () => R): R {
    const before = this.#scope;
    this.#scope = `${this.uniqueName(before + name)}/`;
    try {
      return synchronous('nameScope', build());
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
      return synchronous('controlDependencies', build());
    } finally {
      this.#controls = before;
    }
  }
}

function synchronous<R>(what: string, result: R): R {
  if (typeof (result as { then?: unknown } | null | undefined)?.then === 'function') {
    throw new GraphError(
      `${what}: the callback returned a promise. It must be synchronous: build the graph inside it, and await outside.`,
    );
  }
  return result;
}

const stack: Graph[] = [new Graph()];

/** The graph to which operations without inputs are added. */
export function getDefaultGraph(): Graph {
  return stack[stack.length - 1];
}

/** Replaces the default graph by an empty one. Sessions of the old graph go on working. */
export function resetDefaultGraph(): void {
  if (stack.length > 1) {
    throw new GraphError('resetDefaultGraph: called inside graph.asDefault(); call it outside of the callback.');
  }
  stack[0] = new Graph();
}

/**
 * Puts `name/` before the names of the operations made in the callback, which must be synchronous.
 *
 * ```ts
 * const w = tf.nameScope('layer1', () => tf.variable(tf.zeros([2]), { name: 'w' }));   // layer1/w
 * ```
 */
export function nameScope<R>(name: string, build: () => R): R {
  if (typeof build !== 'function') {
    throw new GraphError("nameScope: expected a name and a callback; write tf.nameScope('layer1', () => …).");
  }
  return getDefaultGraph().withScope(name, build);
}

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
export function controlDependencies<R>(after: readonly (Operation | Tensor)[] | null, build: () => R): R {
  if ((after !== null && !Array.isArray(after)) || typeof build !== 'function') {
    throw new GraphError(
      'controlDependencies: expected an array (or null, for none) and a callback; write tf.controlDependencies([step], () => w.add(0)).',
    );
  }
  if (after === null) return getDefaultGraph().withControls(null, build);
  const operations = after.map((x) => (x instanceof Operation ? x : x.operation));
  return (operations[0]?.graph ?? getDefaultGraph()).withControls(operations, build);
}
