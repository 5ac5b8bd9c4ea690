// Descent with momentum.
import type { Tensor } from '../graph/tensor.ts';
import { add, mul } from '../ops/arithmetic.ts';
import { assign, assignSub } from '../ops/variable.ts';
import { needed, trueOrFalse } from '../tensor/kinds.ts';
import { signature } from '../tensor/signature.ts';
import { type GradientAndVariable, Optimizer, rate } from './optimizer.ts';
import { slot } from './slot.ts';

const form = signature(
  'new tf.train.MomentumOptimizer',
  {},
  { learningRate: needed(rate), momentum: needed(rate), useNesterov: trueOrFalse },
  ['learningRate', 'momentum'],
);
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

  constructor(options: { readonly learningRate: number; readonly momentum: number; readonly useNesterov?: boolean });
  constructor(learningRate: number, momentum: number, options?: { readonly useNesterov?: boolean });
  constructor(...given: unknown[]) {
    super('Momentum');
    const { learningRate, momentum, useNesterov = false } = form.take(given);
    this.#learningRate = learningRate;
    this.#momentum = momentum;
    this.#useNesterov = useNesterov;
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
