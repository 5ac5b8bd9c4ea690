// Steepest descent.
import { mul } from '../ops/arithmetic.ts';
import { assignSub } from '../ops/variable.ts';
import { needed } from '../tensor/kinds.ts';
import { Optimizer, type OptimizerOptions } from './optimizer.ts';
import { type Rate, rate } from './rate.ts';
import { rule } from './rule.ts';

const descent = rule(
  'GradientDescent',
  { learningRate: needed(rate) },
  {
    places: 1,
    slots: () => ({}),
    update: ({ learningRate }, { gradient, variable }) => [assignSub(variable, mul(gradient, learningRate))],
  },
);
/**
 * var ← var − learningRate · gradient.
 *
 * ```ts
 * const trainStep = new tf.train.GradientDescentOptimizer(0.01).minimize(crossEntropy);
 * ```
 */
export class GradientDescentOptimizer extends Optimizer {
  constructor(options: OptimizerOptions & { readonly learningRate: Rate });
  constructor(learningRate: Rate, options?: OptimizerOptions);
  constructor(...given: unknown[]) {
    super(descent, given);
  }
}
