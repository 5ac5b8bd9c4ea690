// Steepest descent.
import type { Tensor } from '../graph/tensor.ts';
import { mul } from '../ops/arithmetic.ts';
import { assignSub } from '../ops/variable.ts';
import { checkRate, type GradientAndVariable, Optimizer } from './optimizer.ts';

/**
 * var ← var − learningRate · gradient.
 *
 * ```ts
 * const trainStep = new tf.train.GradientDescentOptimizer(0.01).minimize(crossEntropy);
 * ```
 */
export class GradientDescentOptimizer extends Optimizer {
  readonly #learningRate: number;

  constructor(learningRate: number) {
    super('GradientDescent');
    this.#learningRate = checkRate('GradientDescentOptimizer', 'learningRate', learningRate);
  }

  protected override update(pairs: readonly GradientAndVariable[]): Tensor[] {
    return pairs.map(([g, v]) => assignSub(v, mul(g as Tensor<'float32', any>, this.#learningRate)));
  }
}
