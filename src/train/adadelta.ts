// Adadelta: a rate for each element from running means of squared gradients and of squared changes.
import { add, div, mul } from '../ops/arithmetic.ts';
import { sqrt, square } from '../ops/math.ts';
import { assign, assignSub } from '../ops/variable.ts';
import { Optimizer, type OptimizerOptions } from './optimizer.ts';
import { difference, type Rate, rate } from './rate.ts';
import { preset, rule } from './rule.ts';

const adadelta = rule(
  'Adadelta',
  { learningRate: preset(rate, 0.001), rho: preset(rate, 0.95), epsilon: preset(rate, 1e-8) },
  {
    places: 3,
    slots: () => ({ accum: 0, accum_update: 0 }),
    update: ({ learningRate, rho, epsilon }, { gradient, variable, slots: { accum, accum_update } }) => {
      const rest = difference(1, rho);
      const next = assign(accum, add(mul(accum, rho), mul(square(gradient), rest)));
      // The root of the quotient, because roots take long.
      const change = mul(sqrt(div(add(accum_update, epsilon), add(next, epsilon))), gradient);
      const changes = assign(accum_update, add(mul(accum_update, rho), mul(square(change), rest)));
      return [next, changes, assignSub(variable, mul(change, learningRate))];
    },
  },
);
/** By name, as the constructor takes them. */
export interface AdadeltaOptions extends OptimizerOptions {
  readonly rho?: Rate;
  readonly epsilon?: Rate;
}
/**
 * accum ← ρ·accum + (1 − ρ)·gradient²; change = √(accumUpdate + ε) / √(accum + ε) · gradient;
 * accumUpdate ← ρ·accumUpdate + (1 − ρ)·change²; var ← var − learningRate·change. As in TensorFlow, where the rate is
 * 0.001 unless given; the paper has none, which is 1. Slots: `accum`, `accum_update`.
 *
 * ```ts
 * const trainStep = new tf.train.AdadeltaOptimizer(1, { rho: 0.95, epsilon: 1e-6 }).minimize(loss);
 * ```
 *
 * Source: Zeiler, "ADADELTA: an adaptive learning rate method", arXiv 1212.5701, algorithm 1.
 */
export class AdadeltaOptimizer extends Optimizer {
  constructor(options: AdadeltaOptions & { readonly learningRate?: Rate });
  constructor(learningRate: Rate, rho: Rate, epsilon?: Rate, options?: OptimizerOptions);
  constructor(learningRate?: Rate, options?: AdadeltaOptions);
  constructor(...given: unknown[]) {
    super(adadelta, given);
  }
}
