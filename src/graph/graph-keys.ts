// What a graph collects beside its operations: lists by name, such as its variables.
import { GraphError, InvalidArgumentError } from '../base/errors.ts';
import { addTo } from '../base/multimap.ts';
import { describe } from '../tensor/describe.ts';
import { text } from '../tensor/kinds.ts';
import { readList } from '../tensor/sizes.ts';
import type { Graph } from './graph.ts';
import { Operation } from './operation.ts';
import { Tensor, Variable } from './tensor.ts';

/**
 * The names of the collections that millrace itself writes or reads; any other text names one of your own.
 *
 * ```ts
 * tf.addToCollection(tf.GraphKeys.LOSSES, penalty);
 * const losses = tf.getCollection(tf.GraphKeys.LOSSES);
 * ```
 *
 * Reference: tf.GraphKeys of TensorFlow 1.
 */
export const GraphKeys = {
  /** Variables that `globalVariablesInitializer` initializes and that a Saver saves: all, unless told otherwise. */
  GLOBAL_VARIABLES: 'variables',
  /** Variables of one process, such as counts of a metric: `localVariablesInitializer` initializes them. */
  LOCAL_VARIABLES: 'local_variables',
  /** The local variables of metrics: `tf.variablesInitializer(tf.getCollection(tf.GraphKeys.METRIC_VARIABLES))` begins anew. */
  METRIC_VARIABLES: 'metric_variables',
  /** Variables that optimizers change. */
  TRAINABLE_VARIABLES: 'trainable_variables',
  /** Variables of which an ExponentialMovingAverage keeps the average. */
  MOVING_AVERAGE_VARIABLES: 'moving_average_variables',
  /** The variable that counts the steps of training. */
  GLOBAL_STEP: 'global_step',
  SUMMARIES: 'summaries',
  /** Operations that a training step runs too: `tf.controlDependencies(tf.getCollection(tf.GraphKeys.UPDATE_OPS), …)`. */
  UPDATE_OPS: 'update_ops',
  LOSSES: 'losses',
  REGULARIZATION_LOSSES: 'regularization_losses',
} as const;

/** What the collections of `tf.GraphKeys` hold. */
export interface CollectionTypes {
  variables: Variable<any, any>;
  local_variables: Variable<any, any>;
  metric_variables: Variable<any, any>;
  trainable_variables: Variable<any, any>;
  moving_average_variables: Variable<any, any>;
  global_step: Variable<any, any>;
  update_ops: Operation | Tensor<any, any>;
  losses: Tensor<any, any>;
  regularization_losses: Tensor<any, any>;
}
/** What a collection of that name holds. */
export type CollectionItem<K extends string> = K extends keyof CollectionTypes ? CollectionTypes[K] : unknown;

const isVariable = (v: unknown) => v instanceof Variable;
const isTensor = (v: unknown) => v instanceof Tensor;
const variables = 'variables';
const held: Readonly<Record<keyof CollectionTypes, readonly [what: string, fits: (v: unknown) => boolean]>> = {
  variables: [variables, isVariable],
  local_variables: [variables, isVariable],
  metric_variables: [variables, isVariable],
  trainable_variables: [variables, isVariable],
  moving_average_variables: [variables, isVariable],
  global_step: [variables, isVariable],
  update_ops: ['operations and tensors', (v) => v instanceof Operation || isTensor(v)],
  losses: ['tensors', isTensor],
  regularization_losses: ['tensors', isTensor],
};

const heldBy = (key: string) =>
  Object.hasOwn(held, key) ? held[key as keyof CollectionTypes] : (['anything', () => true] as const);

/** The names of collections, as a function takes them. */
export function keysOf(op: string, given: unknown): readonly string[] {
  const refuse = (came: string): never => {
    throw new InvalidArgumentError(`${op}: expected an array of names of collections, but ${came} came.`);
  };
  if (!Array.isArray(given)) return refuse(describe(given));
  return readList(given, (key) => (text.fits(key) ? (key as string) : refuse(`one with ${describe(key)}`)));
}

/** The collections of a graph. */
export class Collections {
  readonly #graph: Graph;
  readonly #lists = new Map<string, unknown[]>();
  /** Of collections of variables: each is in them once. */
  readonly #variables = new Map<string, Set<unknown>>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Adds to all of them, or, where one holds other things, to none. */
  add(op: string, keys: ReadonlySet<string>, value: unknown): void {
    for (const key of keys) {
      const [what, fits] = heldBy(key);
      if (!fits(value))
        throw new InvalidArgumentError(`${op}: the collection '${key}' holds ${what}, but ${describe(value)} came.`);
    }
    if ((value instanceof Tensor || value instanceof Operation) && value.graph !== this.#graph) {
      throw new GraphError(
        `${op}: ${value.name} belongs to another graph, so it cannot be in a collection of this one.`,
      );
    }
    for (const key of keys) this.#addTo(key, value);
  }

  #addTo(key: string, value: unknown): void {
    if (heldBy(key)[0] === variables) {
      const known = this.#variables.get(key) ?? new Set();
      if (known.has(value)) return;
      this.#variables.set(key, known.add(value));
    }
    addTo(this.#lists, key, value);
  }

  /** A copy; with a scope, of what has a name that fits it from its beginning. */
  get(op: string, key: string, scope?: string): unknown[] {
    const list = this.#lists.get(key) ?? [];
    if (scope === undefined) return [...list];
    const fits = beginning(op, scope);
    return list.filter((item) => (item instanceof Tensor || item instanceof Operation) && fits(item.name));
  }

  /** Is the variable in a collection of variables? */
  has(key: string, variable: Variable): boolean {
    return this.#variables.get(key)?.has(variable) ?? false;
  }
}

/** `re.match`: does the regular expression fit from the beginning? Most scopes are plain text, which is compared as it is. */
function beginning(op: string, scope: string): (name: string) => boolean {
  if (/^[\w/-]*$/.test(scope)) return (name) => name.startsWith(scope);
  let expression: RegExp;
  try {
    expression = new RegExp(`^(?:${scope})`, 'u');
  } catch (error) {
    throw new InvalidArgumentError(
      `${op}: the scope ${JSON.stringify(scope)} is no regular expression (${(error as Error).message}). A scope is matched with the ` +
        "beginning of names, as re.match does in TensorFlow: 'layer1/', or 'layer[12]/'.",
    );
  }
  return (name) => expression.test(name);
}
