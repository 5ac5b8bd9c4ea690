// Proximal descent: what a step shrinks toward zero besides (l1 and l2 regularization), in closed form.
import type { Tensor } from '../graph/tensor.ts';
import { add, div, mul, sub } from '../ops/arithmetic.ts';
import { maximum, minimum, sqrt, square } from '../ops/math.ts';
import { assign } from '../ops/variable.ts';
import { needed } from '../tensor/kinds.ts';
import { Optimizer, type OptimizerOptions } from './optimizer.ts';
import { above0, product, type Rate, rate, type Scalar, sum } from './rate.ts';
import { preset, rule } from './rule.ts';

type Any = Tensor<'float32', any>;

/** What a proximal step takes besides the learning rate. */
export const strengths = {
  l1RegularizationStrength: preset(rate, 0),
  l2RegularizationStrength: preset(rate, 0),
};
type Strengths = Readonly<Record<keyof typeof strengths, Scalar>>;
/** Both strengths. */
export const strengthsOf = (values: Strengths): { readonly l1: Scalar; readonly l2: Scalar } => ({
  l1: values.l1RegularizationStrength,
  l2: values.l2RegularizationStrength,
});
/** By name, as constructors take them. */
export interface RegularizationOptions {
  readonly l1RegularizationStrength?: Rate;
  readonly l2RegularizationStrength?: Rate;
}

/** sign(x) · max(|x| − threshold, 0): what of x is beyond the threshold, on either side. */
export const softThreshold = (x: Any, threshold: Scalar | Any): Any =>
  threshold === 0 ? x : sub(x, maximum(minimum(x, threshold as Scalar), product(-1, threshold as Scalar)));

/** The variable after a step with the rate learningRate / root. */
function proximal(
  { variable, gradient }: { readonly variable: Any; readonly gradient: Any },
  values: Strengths & { readonly learningRate: Scalar },
  root: Any | 1,
): Any {
  const { l1, l2 } = strengthsOf(values);
  const { learningRate } = values;
  const scaledBy = (rate: Any | Scalar) => (l1 === 0 ? 0 : product(l1, rate as Scalar));
  if (l2 === 0) {
    const rate = root === 1 ? learningRate : div(learningRate as 1, root);
    return softThreshold(sub(variable, mul(gradient, rate as Scalar)), scaledBy(rate));
  }
  // Numerator and denominator times the root: one division, where 1 / √accumulator would be a second.
  const scaled = root === 1 ? variable : mul(variable, root);
  const shrunk = softThreshold(sub(scaled, mul(gradient, learningRate)), scaledBy(learningRate));
  return div(shrunk, sum(root as Scalar, product(l2, learningRate)));
}

const descent = rule(
  'ProximalGradientDescent',
  { learningRate: needed(rate), ...strengths },
  {
    places: 3,
    slots: () => ({}),
    update: (values, parts) => [assign(parts.variable, proximal(parts, values, 1))],
  },
);
/**
 * u = var − learningRate · gradient; var ← sign(u) · max(|u| − learningRate·l1, 0) / (1 + learningRate·l2), with
 * l1 = `l1RegularizationStrength` and l2 = `l2RegularizationStrength`. As in TensorFlow.
 *
 * ```ts
 * const optimizer = new tf.train.ProximalGradientDescentOptimizer(0.1, { l1RegularizationStrength: 0.001 });
 * ```
 *
 * Source: Duchi and Singer, "Efficient learning using forward-backward splitting", NIPS 2009.
 */
export class ProximalGradientDescentOptimizer extends Optimizer {
  constructor(options: RegularizationOptions & OptimizerOptions & { readonly learningRate: Rate });
  constructor(learningRate: Rate, l1: Rate, l2?: Rate, options?: OptimizerOptions);
  constructor(learningRate: Rate, options?: RegularizationOptions & OptimizerOptions);
  constructor(...given: unknown[]) {
    super(descent, given);
  }
}

const adagrad = rule(
  'ProximalAdagrad',
  { learningRate: needed(rate), initialAccumulatorValue: preset(above0, 0.1), ...strengths },
  {
    places: 4,
    slots: ({ initialAccumulatorValue }) => ({ accumulator: initialAccumulatorValue }),
    update: (values, parts) => {
      const next = assign(parts.slots.accumulator, add(parts.slots.accumulator, square(parts.gradient)));
      return [next, assign(parts.variable, proximal(parts, values, sqrt(next)))];
    },
  },
);
/**
 * accumulator ← accumulator + gradient², and then the step of `ProximalGradientDescentOptimizer` with a rate for each
 * element, learningRate / √accumulator. As in TensorFlow. Slot: `accumulator`.
 *
 * ```ts
 * const optimizer = new tf.train.ProximalAdagradOptimizer(0.1, { l1RegularizationStrength: 0.001 });
 * ```
 *
 * Sources: Duchi and Singer, "Efficient learning using forward-backward splitting", NIPS 2009; Duchi, Hazan and Singer,
 * "Adaptive subgradient methods for online learning and stochastic optimization", JMLR 12, 2011.
 */
export class ProximalAdagradOptimizer extends Optimizer {
  constructor(
    options: RegularizationOptions &
      OptimizerOptions & {
        readonly learningRate: Rate;
        readonly initialAccumulatorValue?: number;
      },
  );
  constructor(learningRate: Rate, initialAccumulatorValue: number, l1?: Rate, l2?: Rate, options?: OptimizerOptions);
  constructor(
    learningRate: Rate,
    options?: RegularizationOptions & OptimizerOptions & { readonly initialAccumulatorValue?: number },
  );
  constructor(...given: unknown[]) {
    super(adagrad, given);
  }
}
