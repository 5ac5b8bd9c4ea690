// What all optimizers share: minimize = computeGradients + applyGradients, as graph code over public ops.
import { gradients } from '../autodiff/gradients.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import { nameScope } from '../graph/graph.ts';
import { GraphKeys } from '../graph/graph-keys.ts';
import type { Operation } from '../graph/operation.ts';
import { Tensor, Variable } from '../graph/tensor.ts';
import { tensor } from '../ops/define.ts';
import { group } from '../ops/group.ts';
import { describe } from '../tensor/describe.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { isFloat } from '../tensor/dtype.ts';
import { anything, kind } from '../tensor/kinds.ts';
import type { Shape } from '../tensor/shape.ts';
import { type Kind, signature } from '../tensor/signature.ts';
import { readList } from '../tensor/sizes.ts';

/** A gradient and the variable that it is for; null where the loss does not depend on the variable. */
export type GradientAndVariable = readonly [
  gradient: Tensor<FloatDType, any> | null,
  variable: Variable<FloatDType, any>,
];

/** Rates and factors. */
export const rate = kind<number>('a finite number of at least 0', (v) => Number.isFinite(v) && (v as number) >= 0);

const loss = tensor as Kind<Tensor<FloatDType, Shape>>;
const varList = anything<readonly Variable[]>('an array of variables');
const minimizeForm = signature('optimizer.minimize', { loss }, { varList });
const computeForm = signature('optimizer.computeGradients', { loss }, { varList });
const applyForm = signature('optimizer.applyGradients', { pairs: anything('an array of pairs') }, {});

/** The base of all optimizers. */
export abstract class Optimizer {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  /**
   * An operation that, when run, changes the variables by one step that makes the loss smaller. A loss that is not
   * a scalar is summed.
   *
   * @param options.varList the variables to change; by default all trainable ones of the loss's graph.
   * @throws InvalidArgumentError when there is nothing to train.
   */
  minimize(loss: Tensor<FloatDType, Shape>, options?: { readonly varList?: readonly Variable<any, any>[] }): Operation;
  minimize(...given: unknown[]): Operation {
    const { loss, varList } = minimizeForm.take(given);
    const pairs = this.#gradientsOf(loss, varList);
    if (pairs.every(([gradient]) => gradient === null)) {
      const names = pairs.map(([, v]) => v.operation.name).join(', ');
      throw new InvalidArgumentError(
        `minimize: the loss ${loss.name} does not depend on any of the variables to train (${names}) through ` +
          'differentiable operations. Is the model built from tf.variable(…), and not cut by argmax, cast or stopGradient?',
      );
    }
    return this.applyGradients(pairs);
  }

  /** The gradient of the loss for each variable. */
  computeGradients(
    loss: Tensor<FloatDType, Shape>,
    options?: { readonly varList?: readonly Variable<any, any>[] },
  ): GradientAndVariable[];
  computeGradients(...given: unknown[]): GradientAndVariable[] {
    const { loss, varList } = computeForm.take(given);
    return this.#gradientsOf(loss, varList);
  }

  #gradientsOf(loss: Tensor<FloatDType, Shape>, varList: unknown): GradientAndVariable[] {
    const variables = variablesOf(loss, varList);
    const found = gradients(loss, variables as readonly Tensor[]);
    return variables.map((v, i) => [found[i] as Tensor<FloatDType> | null, v as Variable<FloatDType, any>]);
  }

  /** An operation that changes each variable by its gradient; variables with a null gradient stay. */
  applyGradients(pairs: readonly GradientAndVariable[]): Operation;
  applyGradients(...given: unknown[]): Operation {
    const used = pairsOf(applyForm.take(given).pairs).filter(
      (pair): pair is readonly [Tensor<FloatDType, any>, Variable<FloatDType, any>] => pair[0] !== null,
    );
    if (used.length === 0) throw new InvalidArgumentError('applyGradients: no gradient was given for any variable.');
    return used[0][1].graph.asDefault(() => nameScope(this.#name, () => group(...this.update(used))));
  }

  /** The assignments of one step. */
  protected abstract update(
    pairs: readonly (readonly [gradient: Tensor<FloatDType, any>, variable: Variable<FloatDType, any>])[],
  ): Tensor[];
}

/** The variables to train. */
function variablesOf(loss: Tensor, varList: unknown): readonly Variable[] {
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
function pairsOf(given: unknown): GradientAndVariable[] {
  const refuse = (came: string): never => {
    throw new InvalidArgumentError(
      `applyGradients: expected pairs [gradient, variable], as computeGradients gives them, but ${came} came.`,
    );
  };
  if (!Array.isArray(given)) return refuse(describe(given));
  return readList(given, (pair, i) => {
    const [gradient, variable] = Array.isArray(pair) && pair.length === 2 ? (pair as unknown[]) : [];
    const isPair = (gradient === null || gradient instanceof Tensor) && variable instanceof Variable;
    return isPair ? ([gradient, variable] as GradientAndVariable) : refuse(`something else as number ${i}`);
  });
}
