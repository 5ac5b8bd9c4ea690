// Lion: steps of one size, in the direction of the sign of a running mean.
import { add, mul } from '../ops/arithmetic.ts';
import { sign } from '../ops/math.ts';
import { assign, assignSub } from '../ops/variable.ts';
import { decayed } from './adam.ts';
import { Optimizer, type OptimizerOptions } from './optimizer.ts';
import { difference, type Rate, rate } from './rate.ts';
import { preset, rule } from './rule.ts';

const lion = rule(
  'Lion',
  {
    learningRate: preset(rate, 1e-4),
    beta1: preset(rate, 0.9),
    beta2: preset(rate, 0.99),
    weightDecay: preset(rate, 0),
  },
  {
    places: 4,
    slots: () => ({ m: 0 }),
    update: (values, { gradient, variable, slots: { m } }) => {
      const { learningRate, beta1, beta2, weightDecay } = values;
      const direction = sign(add(mul(m, beta1), mul(gradient, difference(1, beta1))));
      const next = assign(m, add(mul(m, beta2), mul(gradient, difference(1, beta2))));
      const change = mul(direction, learningRate);
      return [next, assignSub(variable, weightDecay === 0 ? change : add(decayed(variable, values), change))];
    },
  },
);
/** By name, as the constructor takes them. */
export interface LionOptions extends OptimizerOptions {
  readonly beta1?: Rate;
  readonly beta2?: Rate;
  readonly weightDecay?: Rate;
}
/**
 * var ← var − learningRate · (sign(β₁m + (1 − β₁)g) + weightDecay·var); m ← β₂m + (1 − β₂)g. Every element moves by the
 * learning rate, which is therefore three to ten times smaller than Adam's, and the decay as much larger. Slot: `m`.
 *
 * ```ts
 * const trainStep = new tf.train.LionOptimizer(1e-4, { weightDecay: 0.1 }).minimize(loss);
 * ```
 *
 * Source: Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023, algorithm 2.
 */
export class LionOptimizer extends Optimizer {
  constructor(options: LionOptions & { readonly learningRate?: Rate });
  constructor(learningRate: Rate, beta1: Rate, beta2?: Rate, weightDecay?: Rate, options?: OptimizerOptions);
  constructor(learningRate?: Rate, options?: LionOptions);
  constructor(...given: unknown[]) {
    super(lion, given);
  }
}
