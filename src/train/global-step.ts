// The variable that counts the steps of training.
import { GraphError } from '../base/errors.ts';
import { controlDependencies, Graph, getDefaultGraph } from '../graph/graph.ts';
import { GraphKeys } from '../graph/graph-keys.ts';
import type { Variable } from '../graph/tensor.ts';
import { variable } from '../ops/variable.ts';
import { kind } from '../tensor/kinds.ts';
import { signature } from '../tensor/signature.ts';

const graphKind = kind<Graph>('a graph', (v) => v instanceof Graph);
const formOf = (call: string) => signature(`tf.train.${call}`, {}, { graph: graphKind }, ['graph']);

const getForm = formOf('getGlobalStep');
/**
 * The variable that counts steps: what is in the collection `tf.GraphKeys.GLOBAL_STEP`; null where there is none.
 *
 * @param graph by default the default graph.
 * @throws GraphError when there are several.
 */
export function getGlobalStep(graph?: Graph): Variable<'int32', []> | null;
export function getGlobalStep(...given: unknown[]): Variable<'int32', []> | null {
  return found(getForm.op, getForm.take(given).graph ?? getDefaultGraph());
}

const createForm = formOf('createGlobalStep');
/**
 * Makes the variable that counts steps: an int32 scalar of 0, called `global_step` whatever scope is around, which is not
 * trained, in the collections `GLOBAL_VARIABLES` and `GLOBAL_STEP`.
 *
 * @throws GraphError when the graph has one.
 */
export function createGlobalStep(graph?: Graph): Variable<'int32', []>;
export function createGlobalStep(...given: unknown[]): Variable<'int32', []> {
  const { graph = getDefaultGraph() } = createForm.take(given);
  const known = found(createForm.op, graph);
  if (!known) return made(graph);
  throw new GraphError(
    `createGlobalStep: the graph has ${known.operation.name}, made at ${known.operation.line}; tf.train.getOrCreateGlobalStep() takes it.`,
  );
}

const orCreateForm = formOf('getOrCreateGlobalStep');
/**
 * The variable that counts steps, made if there is none. `minimize` adds 1 to it, decays read it, and a Saver notes it.
 *
 * ```ts
 * const globalStep = tf.train.getOrCreateGlobalStep();
 * const step = new tf.train.AdamOptimizer(1e-4).minimize(loss, { globalStep });
 * ```
 */
export function getOrCreateGlobalStep(graph?: Graph): Variable<'int32', []>;
export function getOrCreateGlobalStep(...given: unknown[]): Variable<'int32', []> {
  const { graph = getDefaultGraph() } = orCreateForm.take(given);
  return found(orCreateForm.op, graph) ?? made(graph);
}

function found(op: string, graph: Graph): Variable<'int32', []> | null {
  const all = graph.getCollection(GraphKeys.GLOBAL_STEP);
  if (all.length < 2) return all[0] ?? null;
  const names = all.map((v) => `${v.operation.name}, made at ${v.operation.line}`).join('\n  ');
  throw new GraphError(`${op}: the collection '${GraphKeys.GLOBAL_STEP}' has more than one variable:\n  ${names}`);
}

function made(graph: Graph): Variable<'int32', []> {
  const collections = [GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP];
  const make = () => variable(0, { dtype: 'int32', trainable: false, collections, name: 'global_step' });
  return graph.asDefault(() => controlDependencies(null, () => graph.withScope('', make)));
}
