// What all optimizers share: minimize = computeGradients + applyGradients, as graph code over public ops.
import { gradients } from '../autodiff/gradients.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import { nameScope } from '../graph/graph.ts';
import type { Operation } from '../graph/operation.ts';
import { Tensor, type Variable } from '../graph/tensor.ts';
import { group } from '../ops/group.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { isFloat } from '../tensor/dtype.ts';
import type { Shape } from '../tensor/shape.ts';

/** A gradient and the variable that it is for; null where the loss does not depend on the variable. */
export type GradientAndVariable = readonly [
  gradient: Tensor<FloatDType, any> | null,
  variable: Variable<FloatDType, any>,
];

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
  minimize(loss: Tensor<FloatDType, Shape>, options: { varList?: readonly Variable<any, any>[] } = {}): Operation {
    const pairs = this.computeGradients(loss, options);
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
    options: { varList?: readonly Variable<any, any>[] } = {},
  ): GradientAndVariable[] {
    if (!(loss instanceof Tensor))
      throw new InvalidArgumentError('minimize: the loss must be a tensor that depends on variables.');
    const variables = options.varList ?? loss.graph.variables.filter((v) => v.trainable && isFloat(v.dtype));
    if (variables.length === 0) {
      throw new InvalidArgumentError(
        'minimize: there is nothing to train: the graph has no trainable variables. Make the parameters with tf.variable(…).',
      );
    }
    const found = gradients(loss, variables as readonly Tensor[]);
    return variables.map((v, i) => [found[i] as Tensor<FloatDType> | null, v as Variable<FloatDType, any>]);
  }

  /** An operation that changes each variable by its gradient; variables with a null gradient stay. */
  applyGradients(pairs: readonly GradientAndVariable[]): Operation {
    const used = pairs.filter(
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

/** Rates and factors must be finite numbers of at least 0. */
export function checkRate(optimizer: string, name: string, value: number): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError(`${optimizer}: ${name} must be a finite number of at least 0, but ${value} came.`);
  }
  return value;
}
