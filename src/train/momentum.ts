// Descent with momentum.
import { add, mul } from '../ops/arithmetic.ts';
import { assign, assignSub } from '../ops/variable.ts';
import { needed, trueOrFalse } from '../tensor/kinds.ts';
import { Optimizer, type OptimizerOptions } from './optimizer.ts';
import { type Rate, rate } from './rate.ts';
import { preset, rule } from './rule.ts';

const withMomentum = rule(
  'Momentum',
  { learningRate: needed(rate), momentum: needed(rate), useNesterov: preset(trueOrFalse, false) },
  {
    places: 2,
    slots: () => ({ momentum: 0 }),
    update: ({ learningRate, momentum, useNesterov }, { gradient, variable, slots }) => {
      const accumulator = slots.momentum;
      const next = assign(accumulator, add(mul(accumulator, momentum), gradient));
      const direction = useNesterov ? add(gradient, mul(next, momentum)) : next;
      return [next, assignSub(variable, mul(direction, learningRate))];
    },
  },
);
/**
 * accumulator ← momentum · accumulator + gradient; var ← var − learningRate · accumulator. With Nesterov's form,
 * var ← var − learningRate · (gradient + momentum · accumulator). As in TensorFlow. Slot: `momentum`.
 *
 * ```ts
 * const trainStep = new tf.train.MomentumOptimizer(0.01, 0.9, { useNesterov: true }).minimize(loss);
 * ```
 *
 * Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013.
 */
export class MomentumOptimizer extends Optimizer {
  constructor(
    options: OptimizerOptions & {
      readonly learningRate: Rate;
      readonly momentum: Rate;
      readonly useNesterov?: boolean;
    },
  );
  constructor(learningRate: Rate, momentum: Rate, options?: OptimizerOptions & { readonly useNesterov?: boolean });
  constructor(...given: unknown[]) {
    super(withMomentum, given);
  }
}
