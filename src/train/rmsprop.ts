// RMSProp: steps divided by the root of a running mean of squared gradients.
import { add, div, mul, sub } from '../ops/arithmetic.ts';
import { sqrt, square } from '../ops/math.ts';
import { assign, assignSub } from '../ops/variable.ts';
import { needed, trueOrFalse } from '../tensor/kinds.ts';
import { Optimizer, type OptimizerOptions } from './optimizer.ts';
import { difference, type Rate, rate } from './rate.ts';
import { preset, rule } from './rule.ts';

const rmsProp = rule(
  'RMSProp',
  {
    learningRate: needed(rate),
    decay: preset(rate, 0.9),
    momentum: preset(rate, 0),
    epsilon: preset(rate, 1e-10),
    centered: preset(trueOrFalse, false),
  },
  {
    places: 4,
    slots: ({ centered }): Record<'rms' | 'mg' | 'momentum', number> =>
      // Without `mg` where it is not used: its place in the names goes to `momentum`.
      centered ? { rms: 1, mg: 0, momentum: 0 } : ({ rms: 1, momentum: 0 } as any),
    update: ({ learningRate, decay, momentum, epsilon, centered }, { gradient, variable, slots }) => {
      const rest = difference(1, decay);
      const mean = assign(slots.rms, add(mul(slots.rms, decay), mul(square(gradient), rest)));
      const means = centered ? [assign(slots.mg, add(mul(slots.mg, decay), mul(gradient, rest)))] : [];
      const spread = centered ? sub(mean, square(means[0])) : mean;
      const change = div(mul(gradient, learningRate), sqrt(add(spread, epsilon)));
      const next = assign(slots.momentum, add(mul(slots.momentum, momentum), change));
      return [mean, ...means, next, assignSub(variable, next)];
    },
  },
);
/** By name, as the constructor takes them. */
export interface RMSPropOptions extends OptimizerOptions {
  readonly decay?: Rate;
  readonly momentum?: Rate;
  readonly epsilon?: Rate;
  readonly centered?: boolean;
}
/**
 * rms ← decay·rms + (1 − decay)·gradient²; mom ← momentum·mom + learningRate · gradient / √(rms + ε); var ← var − mom.
 * Centered, with the variance in place of the mean square: mg ← decay·mg + (1 − decay)·gradient, and rms − mg² under
 * the root. As in TensorFlow: `rms` begins with 1, and ε stands under the root. Slots: `rms`, `momentum`, centered also
 * `mg`.
 *
 * ```ts
 * const trainStep = new tf.train.RMSPropOptimizer(1e-3, { momentum: 0.9, centered: true }).minimize(loss);
 * ```
 *
 * Sources: Tieleman and Hinton, "Lecture 6.5 – RMSProp", Coursera 2012; centered: Graves, "Generating sequences with
 * recurrent neural networks", arXiv 1308.0850, section 4.2.
 */
export class RMSPropOptimizer extends Optimizer {
  constructor(options: RMSPropOptions & { readonly learningRate: Rate });
  constructor(
    learningRate: Rate,
    decay: Rate,
    momentum?: Rate,
    epsilon?: Rate,
    options?: OptimizerOptions & { readonly centered?: boolean },
  );
  constructor(learningRate: Rate, options?: RMSPropOptions);
  constructor(...given: unknown[]) {
    super(rmsProp, given);
  }
}
