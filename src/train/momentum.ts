// Descent with momentum.
import type { Tensor } from '../graph/tensor.ts';
import { add, mul } from '../ops/arithmetic.ts';
import { assign, assignSub } from '../ops/variable.ts';
import { checkRate, type GradientAndVariable, Optimizer } from './optimizer.ts';
import { slot } from './slot.ts';

/**
 * accumulator ← momentum · accumulator + gradient; var ← var − learningRate · accumulator. With Nesterov's form,
 * var ← var − learningRate · (gradient + momentum · accumulator). As in TensorFlow.
 *
 * Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013.
 */
export class MomentumOptimizer extends Optimizer {
  readonly #learningRate: number;
  readonly #momentum: number;
  readonly #useNesterov: boolean;

  constructor(learningRate: number, momentum: number, options: { useNesterov?: boolean } = {}) {
    super('Momentum');
    this.#learningRate = checkRate('MomentumOptimizer', 'learningRate', learningRate);
    this.#momentum = checkRate('MomentumOptimizer', 'momentum', momentum);
    this.#useNesterov = options.useNesterov ?? false;
  }

  protected override update(pairs: readonly GradientAndVariable[]): Tensor[] {
    return pairs.flatMap(([gradient, v]) => {
      const g = gradient as Tensor<'float32', any>;
      const accumulator = slot(v, 'Momentum');
      const next = assign(accumulator, add(mul(accumulator, this.#momentum), g));
      const direction = this.#useNesterov ? add(g, mul(next, this.#momentum)) : next;
      return [next, assignSub(v, mul(direction, this.#learningRate))];
    });
  }
}
