// What to do about variables that have no value yet.
import { GraphKeys } from '../graph/graph-keys.ts';
import type { Variable } from '../graph/tensor.ts';

/** By the collections that variables without a value are in. */
export function howToInitialize(missing: readonly Variable[]): string {
  const isIn = (key: string) => (v: Variable) => v.graph.isCollected(key, v);
  const lines: string[] = [];
  if (missing.some(isIn(GraphKeys.GLOBAL_VARIABLES))) {
    lines.push(
      'Run `await sess.run(tf.globalVariablesInitializer())` first, and make that call after `minimize`: the slots of optimizers are variables too.',
    );
  }
  if (missing.some(isIn(GraphKeys.LOCAL_VARIABLES))) {
    lines.push('Run `await sess.run(tf.localVariablesInitializer())` for the local ones.');
  }
  const isNowhere = (v: Variable) => !isIn(GraphKeys.GLOBAL_VARIABLES)(v) && !isIn(GraphKeys.LOCAL_VARIABLES)(v);
  const other = missing.find(isNowhere);
  if (other) {
    lines.push(
      `${other.operation.name} is neither among the global nor among the local variables: run its own \`initializer\`, or tf.variablesInitializer([…]).`,
    );
  }
  return lines.join('\n');
}
