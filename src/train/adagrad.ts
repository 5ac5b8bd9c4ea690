// Adagrad: a rate for each element, that falls as its squared gradients add up; and its form by dual averaging.
import type { Variable } from '../graph/tensor.ts';
import { add, div, mul, neg } from '../ops/arithmetic.ts';
import { cast } from '../ops/logic.ts';
import { sqrt, square } from '../ops/math.ts';
import { assign, assignSub } from '../ops/variable.ts';
import { needed } from '../tensor/kinds.ts';
import { globalStep } from './arguments.ts';
import { Optimizer, type OptimizerOptions } from './optimizer.ts';
import { type RegularizationOptions, softThreshold, strengths, strengthsOf } from './proximal.ts';
import { above0, product, type Rate, rate } from './rate.ts';
import { preset, rule } from './rule.ts';

const adagrad = rule(
  'Adagrad',
  { learningRate: needed(rate), initialAccumulatorValue: preset(above0, 0.1) },
  {
    places: 2,
    slots: ({ initialAccumulatorValue }) => ({ accumulator: initialAccumulatorValue }),
    update: ({ learningRate }, { gradient, variable, slots: { accumulator } }) => {
      const next = assign(accumulator, add(accumulator, square(gradient)));
      return [next, assignSub(variable, div(mul(gradient, learningRate), sqrt(next)))];
    },
  },
);
/**
 * accumulator ← accumulator + gradient²; var ← var − learningRate · gradient / √accumulator. As in TensorFlow, the
 * accumulator begins with 0.1 and nothing is added to the root. Slot: `accumulator`.
 *
 * ```ts
 * const trainStep = new tf.train.AdagradOptimizer(0.1, { initialAccumulatorValue: 1 }).minimize(loss);
 * ```
 *
 * Source: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", JMLR
 * 12, 2011.
 */
export class AdagradOptimizer extends Optimizer {
  constructor(
    options: OptimizerOptions & {
      readonly learningRate: Rate;
      readonly initialAccumulatorValue?: number;
    },
  );
  constructor(learningRate: Rate, initialAccumulatorValue: number, options?: OptimizerOptions);
  constructor(learningRate: Rate, options?: OptimizerOptions & { readonly initialAccumulatorValue?: number });
  constructor(...given: unknown[]) {
    super(adagrad, given);
  }
}

const dualAveraging = rule(
  'AdagradDA',
  {
    learningRate: needed(rate),
    globalStep: needed(globalStep),
    initialGradientSquaredAccumulatorValue: preset(above0, 0.1),
    ...strengths,
  },
  {
    places: 5,
    slots: ({ initialGradientSquaredAccumulatorValue: initial }) => ({
      gradient_accumulator: 0,
      gradient_squared_accumulator: initial,
    }),
    update: (values, { gradient, variable, slots }) => {
      const { learningRate } = values;
      const { l1, l2 } = strengthsOf(values);
      // The number of this step, from 1 on.
      const steps = add(cast(values.globalStep as Variable<any, []>, variable.dtype), 1);
      const [g, gg] = [slots.gradient_accumulator, slots.gradient_squared_accumulator];
      const nextG = assign(g, add(g, gradient));
      const nextGG = assign(gg, add(gg, square(gradient)));
      const shrunk = softThreshold(nextG, l1 === 0 ? 0 : mul(steps, l1));
      const root = sqrt(nextGG);
      const divisor = l2 === 0 ? root : add(root, mul(steps, product(l2, learningRate)));
      return [nextG, nextGG, assign(variable, neg(div(mul(shrunk, learningRate), divisor)))];
    },
  },
);
/**
 * Adagrad by dual averaging, for sparse linear models. With T = globalStep + 1: g ← g + gradient, gg ← gg + gradient²,
 * var ← −learningRate · sign(g) · max(|g| − l1·T, 0) / (l2·T·learningRate + √gg). The variable's own value does not
 * count: it begins anew from the sums. As in TensorFlow. Slots: `gradient_accumulator`, `gradient_squared_accumulator`.
 *
 * ```ts
 * const globalStep = tf.variable(0, { trainable: false });
 * const optimizer = new tf.train.AdagradDAOptimizer(0.1, globalStep, { l1RegularizationStrength: 0.001 });
 * const trainStep = optimizer.minimize(loss, { globalStep });     // which also counts
 * ```
 *
 * Source: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", JMLR
 * 12, 2011.
 */
export class AdagradDAOptimizer extends Optimizer {
  constructor(
    options: RegularizationOptions &
      OptimizerOptions & {
        readonly learningRate: Rate;
        readonly globalStep: Variable<any, any>;
        readonly initialGradientSquaredAccumulatorValue?: number;
      },
  );
  constructor(
    learningRate: Rate,
    globalStep: Variable<any, any>,
    initialGradientSquaredAccumulatorValue: number,
    l1?: Rate,
    l2?: Rate,
    options?: OptimizerOptions,
  );
  constructor(
    learningRate: Rate,
    globalStep: Variable<any, any>,
    options?: RegularizationOptions & OptimizerOptions & { readonly initialGradientSquaredAccumulatorValue?: number },
  );
  constructor(...given: unknown[]) {
    super(dualAveraging, given);
  }
}
