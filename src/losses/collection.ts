// The losses of a graph, and their sum.
import { GraphError, InvalidArgumentError } from '../base/errors.ts';
import { getDefaultGraph, scope as scopeKind } from '../graph/graph.ts';
import { GraphKeys } from '../graph/graph-keys.ts';
import type { Tensor } from '../graph/tensor.ts';
import { addN } from '../ops/arithmetic.ts';
import { constant } from '../ops/constant.ts';
import { type AnyTensor, type Named, tensor } from '../ops/define.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { text, trueOrFalse } from '../tensor/kinds.ts';
import { signature } from '../tensor/signature.ts';

type Loss = Tensor<FloatDType, any>;

const addForm = signature('tf.losses.addLoss', { loss: tensor }, { lossCollection: text }, ['lossCollection']);
/** Adds a loss of your own to `tf.GraphKeys.LOSSES`, or to another collection. The losses of `tf.losses` are there already. */
export function addLoss(loss: Tensor<FloatDType, any>, lossCollection?: string): void;
export function addLoss(...given: unknown[]): void {
  const { loss, lossCollection = GraphKeys.LOSSES } = addForm.take(given);
  loss.graph.collect('addLoss', [lossCollection], loss);
}

const getForm = signature('tf.losses.getLosses', {}, { scope: scopeKind, lossCollection: text }, [
  'scope',
  'lossCollection',
]);
/**
 * The losses of the default graph, without penalties for weights.
 *
 * @param scope only those whose names begin so: see `tf.getCollection`.
 */
export function getLosses(scope?: string, lossCollection?: string): Loss[];
export function getLosses(...given: unknown[]): Loss[] {
  const { scope, lossCollection = GraphKeys.LOSSES } = getForm.take(given);
  return getDefaultGraph().collected('getLosses', lossCollection, scope) as Loss[];
}

const penaltiesForm = signature('tf.losses.getRegularizationLosses', {}, { scope: scopeKind }, ['scope']);
/** The penalties of regularizers in the default graph: what is in `tf.GraphKeys.REGULARIZATION_LOSSES`. */
export function getRegularizationLosses(scope?: string): Loss[];
export function getRegularizationLosses(...given: unknown[]): Loss[] {
  return getDefaultGraph().collected(
    'getRegularizationLosses',
    GraphKeys.REGULARIZATION_LOSSES,
    penaltiesForm.take(given).scope,
  ) as Loss[];
}

const penaltyForm = signature('tf.losses.getRegularizationLoss', {}, { scope: scopeKind, name: text }, [
  'scope',
  'name',
]);
/** The sum of the penalties of regularizers; 0 where there are none. */
export function getRegularizationLoss(scope?: string, name?: Named): Tensor<FloatDType, []>;
export function getRegularizationLoss(...given: unknown[]): AnyTensor {
  const { scope, name = 'total_regularization_loss' } = penaltyForm.take(given);
  const losses = getRegularizationLosses(scope);
  return losses.length === 0 ? (constant(0, { name }) as AnyTensor) : summed('getRegularizationLoss', losses, name);
}

const totalForm = signature(
  'tf.losses.getTotalLoss',
  {},
  { addRegularizationLosses: trueOrFalse, name: text, scope: scopeKind },
  ['addRegularizationLosses', 'name', 'scope'],
);
/**
 * The sum of all losses of the default graph, and of all penalties for weights.
 *
 * @param addRegularizationLosses with the penalties? Default true.
 * @param scope only those whose names begin so.
 * @throws InvalidArgumentError when there are none. GraphError when their element types differ.
 *
 * ```ts
 * tf.losses.softmaxCrossEntropy(labels, logits);
 * const step = optimizer.minimize(tf.losses.getTotalLoss());
 * ```
 *
 * Reference: tf.losses.get_total_loss of TensorFlow 1.
 */
export function getTotalLoss(addRegularizationLosses: boolean, name?: string, scope?: string): Tensor<FloatDType, []>;
export function getTotalLoss(options?: {
  readonly addRegularizationLosses?: boolean | undefined;
  readonly name?: string | undefined;
  readonly scope?: string | undefined;
}): Tensor<FloatDType, []>;
export function getTotalLoss(...given: unknown[]): AnyTensor {
  const { addRegularizationLosses = true, name = 'total_loss', scope } = totalForm.take(given);
  const losses = [...getLosses(scope), ...(addRegularizationLosses ? getRegularizationLosses(scope) : [])];
  if (losses.length > 0) return summed('getTotalLoss', losses, name);
  const where = scope === undefined ? '' : ` whose names begin with '${scope}'`;
  throw new InvalidArgumentError(
    `getTotalLoss: there are no losses${where}. The functions of tf.losses add theirs; tf.losses.addLoss(loss) adds one of your own.`,
  );
}

function summed(op: string, losses: readonly Loss[], name: string): AnyTensor {
  const other = losses.find((t) => t.dtype !== losses[0].dtype);
  if (!other) return addN(losses as AnyTensor[], name) as AnyTensor;
  throw new GraphError(
    `${op}: losses differ in dtype: ${losses[0].name} is ${losses[0].dtype}, made at ${losses[0].operation.line}; ${other.name} is ${other.dtype}, made at ${other.operation.line}.`,
  );
}
