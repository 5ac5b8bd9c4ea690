// Follow the regularized leader: sums of gradients, from which each step computes the variable anew.
import type { Tensor } from '../graph/tensor.ts';
import { add, div, mul, sub } from '../ops/arithmetic.ts';
import { greater } from '../ops/comparison.ts';
import { where } from '../ops/logic.ts';
import { abs, pow, sign, sqrt, square } from '../ops/math.ts';
import { assign } from '../ops/variable.ts';
import { needed } from '../tensor/kinds.ts';
import { Optimizer, type OptimizerOptions } from './optimizer.ts';
import { type RegularizationOptions, strengths, strengthsOf } from './proximal.ts';
import { from0, product, quotient, type Rate, rate, rateAbove0, upTo0 } from './rate.ts';
import { preset, rule } from './rule.ts';

type Any = Tensor<'float32', any>;

const ftrl = rule(
  'Ftrl',
  {
    learningRate: needed(rateAbove0),
    learningRatePower: preset(upTo0, -0.5),
    initialAccumulatorValue: preset(from0, 0.1),
    ...strengths,
    l2ShrinkageRegularizationStrength: preset(rate, 0),
  },
  {
    places: 5,
    slots: ({ initialAccumulatorValue }) => ({ accum: initialAccumulatorValue, linear: 0 }),
    update: (values, { gradient, variable, slots: { accum, linear } }) => {
      const { learningRate, learningRatePower, l2ShrinkageRegularizationStrength: shrinkage } = values;
      const { l1, l2 } = strengthsOf(values);
      const root = (x: Any): Any => (learningRatePower === -0.5 ? sqrt(x) : pow(x, -learningRatePower));
      // One division where TensorFlow has three: they take longer than all the rest.
      const inverse = quotient(1, learningRate);
      const nextAccum = assign(accum, add(accum, square(gradient)));
      const g = shrinkage === 0 ? gradient : add(gradient, mul(variable, product(2, shrinkage)));
      const sigma = mul(sub(root(nextAccum), root(accum)), inverse);
      const next = assign(linear, add(linear, sub(g, mul(sigma, variable))));
      const quadratic = mul(root(nextAccum), inverse);
      const divisor = l2 === 0 ? quadratic : add(quadratic, product(2, l2));
      const moved = div(sub(mul(sign(next), l1), next), divisor);
      return [nextAccum, next, assign(variable, where(greater(abs(next), l1), moved, 0))];
    },
  },
);
/** By name, as the constructor takes them. */
export interface FtrlOptions extends RegularizationOptions, OptimizerOptions {
  readonly learningRatePower?: number;
  readonly initialAccumulatorValue?: number;
  readonly l2ShrinkageRegularizationStrength?: Rate;
}
/**
 * With p = −`learningRatePower` and α = `learningRate`: accum' = accum + gradient²;
 * linear ← linear + gradient + 2·l2Shrinkage·var − (accum'ᵖ − accumᵖ)/α · var; var ← 0 where |linear| ≤ l1, elsewhere
 * (sign(linear)·l1 − linear) / (accum'ᵖ/α + 2·l2). As in TensorFlow. Slots: `accum`, `linear`.
 *
 * ```ts
 * const optimizer = new tf.train.FtrlOptimizer(0.1, { l1RegularizationStrength: 0.01, l2RegularizationStrength: 0.1 });
 * ```
 *
 * Source: McMahan et al., "Ad click prediction: a view from the trenches", KDD 2013, algorithm 1.
 */
export class FtrlOptimizer extends Optimizer {
  constructor(options: FtrlOptions & { readonly learningRate: Rate });
  constructor(
    learningRate: Rate,
    learningRatePower: number,
    initialAccumulatorValue?: number,
    l1?: Rate,
    l2?: Rate,
    options?: OptimizerOptions & { readonly l2ShrinkageRegularizationStrength?: Rate },
  );
  constructor(learningRate: Rate, options?: FtrlOptions);
  constructor(...given: unknown[]) {
    super(ftrl, given);
  }
}
