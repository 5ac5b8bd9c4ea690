// Steepest descent.
import type { Tensor } from '../graph/tensor.ts';
import { mul } from '../ops/arithmetic.ts';
import { assignSub } from '../ops/variable.ts';
import { needed } from '../tensor/kinds.ts';
import { signature } from '../tensor/signature.ts';
import { type GradientAndVariable, Optimizer, rate } from './optimizer.ts';

const form = signature('new tf.train.GradientDescentOptimizer', {}, { learningRate: needed(rate) }, ['learningRate']);
/**
 * var ← var − learningRate · gradient.
 *
 * ```ts
 * const trainStep = new tf.train.GradientDescentOptimizer(0.01).minimize(crossEntropy);
 * ```
 */
export class GradientDescentOptimizer extends Optimizer {
  readonly #learningRate: number;

  constructor(options: { readonly learningRate: number });
  constructor(learningRate: number);
  constructor(...given: unknown[]) {
    super('GradientDescent');
    this.#learningRate = form.take(given).learningRate;
  }

  protected override update(pairs: readonly GradientAndVariable[]): Tensor[] {
    return pairs.map(([g, v]) => assignSub(v, mul(g as Tensor<'float32', any>, this.#learningRate)));
  }
}
