// The collections of the default graph.
import { anything, text } from '../tensor/kinds.ts';
import { signature } from '../tensor/signature.ts';
import { getDefaultGraph, scope } from './graph.ts';
import { type CollectionItem, GraphKeys, keysOf } from './graph-keys.ts';
import type { Variable } from './tensor.ts';

const value = anything<unknown>('a tensor');
const addForm = signature('tf.addToCollection', { key: text, value }, {});
/**
 * Adds a value to a collection of the default graph. A list may hold a value several times; a variable is in each of
 * the collections of variables once.
 *
 * @throws InvalidArgumentError when a collection of `tf.GraphKeys` holds other things.
 * @throws GraphError for what belongs to another graph, or when the graph is finalized.
 *
 * ```ts
 * tf.addToCollection('activations', hidden);
 * ```
 */
export function addToCollection<const K extends string>(key: K, value: CollectionItem<K>): void;
export function addToCollection(...given: unknown[]): void {
  const { key, value } = addForm.take(given);
  getDefaultGraph().collect('addToCollection', [key], value);
}

const keys = anything<readonly string[]>('an array of texts');
const addToAllForm = signature('tf.addToCollections', { keys, value }, {});
/** Adds a value to several collections of the default graph; to one that is named twice, once. */
export function addToCollections<const K extends string>(keys: readonly K[], value: CollectionItem<K>): void;
export function addToCollections(...given: unknown[]): void {
  const { keys, value } = addToAllForm.take(given);
  getDefaultGraph().collect('addToCollections', keysOf('addToCollections', keys), value);
}

const getForm = signature('tf.getCollection', { key: text }, { scope }, ['scope']);
/**
 * What is in a collection of the default graph, in the order in which it was added: a copy, empty where there is no such
 * collection.
 *
 * @param scope a regular expression: only what has a name that it fits, from the beginning of the name on, as re.match
 * does in TensorFlow. `'layer1/'` is everything in that scope; beware that `'layer1'` fits `layer10/w` too.
 * @throws InvalidArgumentError for a scope that is no regular expression of JavaScript.
 *
 * ```ts
 * const updates = tf.getCollection(tf.GraphKeys.UPDATE_OPS);
 * const hidden = tf.getCollection<tf.Tensor>('activations');
 * ```
 */
export function getCollection<const K extends string>(key: K, scope?: string): CollectionItem<K>[];
export function getCollection<V>(key: string, scope?: string): V[];
export function getCollection(...given: unknown[]): unknown[] {
  const { key, scope } = getForm.take(given);
  return getDefaultGraph().collected('getCollection', key, scope);
}

const listForm = (op: string) => signature(`tf.${op}`, {}, { scope }, ['scope']);
const listed = (form: ReturnType<typeof listForm>, key: string, given: readonly unknown[]) =>
  getDefaultGraph().collected(form.op, key, form.take(given).scope) as Variable<any, any>[];

const globalForm = listForm('globalVariables');
/**
 * The variables of the default graph that a process shares with its checkpoints: all, but for local ones, in the order
 * in which they were made.
 *
 * @param scope a regular expression with which the names of variables (`layer1/w:0`) begin.
 */
export function globalVariables(scope?: string): Variable<any, any>[];
export function globalVariables(...given: unknown[]): Variable<any, any>[] {
  return listed(globalForm, GraphKeys.GLOBAL_VARIABLES, given);
}

const localForm = listForm('localVariables');
/**
 * The variables of the default graph that were made with `collections: [tf.GraphKeys.LOCAL_VARIABLES]`: they are neither
 * saved nor initialized with the global ones.
 *
 * @param scope a regular expression with which the names of variables begin.
 */
export function localVariables(scope?: string): Variable<any, any>[];
export function localVariables(...given: unknown[]): Variable<any, any>[] {
  return listed(localForm, GraphKeys.LOCAL_VARIABLES, given);
}

const trainableForm = listForm('trainableVariables');
/**
 * The variables of the default graph that optimizers change.
 *
 * @param scope a regular expression with which the names of variables begin.
 *
 * ```ts
 * const head = tf.trainableVariables('head/');
 * const step = optimizer.minimize(loss, { varList: head });      // the rest is frozen
 * ```
 */
export function trainableVariables(scope?: string): Variable<any, any>[];
export function trainableVariables(...given: unknown[]): Variable<any, any>[] {
  return listed(trainableForm, GraphKeys.TRAINABLE_VARIABLES, given);
}
