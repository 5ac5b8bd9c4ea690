// What optimizers are called with: the variables to train, pairs of gradients and variables, the count of steps.
import { InvalidArgumentError } from '../base/errors.ts';
import { GraphKeys } from '../graph/graph-keys.ts';
import { Tensor, Variable } from '../graph/tensor.ts';
import { describe } from '../tensor/describe.ts';
import { type FloatDType, isFloat } from '../tensor/dtype.ts';
import { kind } from '../tensor/kinds.ts';
import type { Kind } from '../tensor/signature.ts';
import { readList } from '../tensor/sizes.ts';

/** A gradient and the variable that it is for; null where the loss does not depend on the variable. */
export type GradientAndVariable = readonly [
  gradient: Tensor<FloatDType, any> | null,
  variable: Variable<FloatDType, any>,
];
export type UsedPair = readonly [gradient: Tensor<FloatDType, any>, variable: Variable<FloatDType, any>];

/** What counts steps. */
export const globalStep: Kind<Variable<any, any>> = {
  ...kind(
    'a scalar variable of numbers',
    (v) => v instanceof Variable && v.dtype !== 'bool' && v.dtype !== 'uint8' && v.shape?.length === 0,
  ),
  advice: (v) =>
    v instanceof Variable
      ? `${v.name} has dtype ${v.dtype} and shape [${v.shape}]`
      : Array.isArray(v)
        ? 'give variables as { varList }'
        : 'make it with tf.variable(0, { trainable: false })',
};

/** The variables to train. */
export function variablesOf(loss: Tensor, varList: unknown): readonly Variable[] {
  if (varList === undefined) {
    const all = loss.graph.getCollection(GraphKeys.TRAINABLE_VARIABLES).filter((v) => isFloat(v.dtype));
    if (all.length > 0) return all;
    throw new InvalidArgumentError(
      'minimize: there is nothing to train: the graph has no trainable variables. Make the parameters with tf.variable(…).',
    );
  }
  const refuse = (came: string): never => {
    throw new InvalidArgumentError(`minimize: varList must be an array of variables, but ${came} came.`);
  };
  if (!Array.isArray(varList)) return refuse(describe(varList));
  if (varList.length === 0) refuse('an empty one');
  return readList(varList, (v) => (v instanceof Variable ? v : refuse(`one with ${describe(v)}`)));
}

/** Each pair is read once. */
export function pairsOf(given: unknown): GradientAndVariable[] {
  const refuse = (came: string): never => {
    throw new InvalidArgumentError(
      `applyGradients: expected pairs [gradient, variable], as computeGradients gives them, but ${came} came.`,
    );
  };
  if (!Array.isArray(given)) return refuse(describe(given));
  const seen = new Set<Variable>();
  return readList(given, (pair, i) => {
    const [gradient, variable] = Array.isArray(pair) && pair.length === 2 ? (pair as unknown[]) : [];
    const isPair = (gradient === null || gradient instanceof Tensor) && variable instanceof Variable;
    if (!isPair) return refuse(`something else as number ${i}`);
    // Of two steps in one run, one would be lost.
    if (seen.has(variable)) return refuse(`a second one for ${variable.operation.name}`);
    seen.add(variable);
    return [gradient, variable] as unknown as GradientAndVariable;
  });
}
