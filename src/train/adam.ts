// Adam: steps scaled by running means of the gradient and of its square; and with weight decay apart from the gradient.
import type { Tensor, Variable } from '../graph/tensor.ts';
import { add, div, mul, sub } from '../ops/arithmetic.ts';
import { sqrt, square } from '../ops/math.ts';
import { assign, assignSub } from '../ops/variable.ts';
import { Optimizer, type OptimizerOptions } from './optimizer.ts';
import { difference, product, type Rate, rate, type Scalar } from './rate.ts';
import { type MakeScalar, type Parts, preset, rule } from './rule.ts';

const learningRate = preset(rate, 0.001);
const betas = {
  beta1: preset(rate, 0.9),
  beta2: preset(rate, 0.999),
  epsilon: preset(rate, 1e-8),
};
type Values = Readonly<Record<'learningRate' | keyof typeof betas, Scalar>>;
const slots = () => ({ m: 0, v: 0 });

/** α, and the powers of β₁ and β₂, from t = 1 on. */
function prepare({ learningRate, beta1, beta2 }: Values, scalar: MakeScalar) {
  const power1 = scalar('beta1_power', beta1);
  const power2 = scalar('beta2_power', beta2);
  const correction = div(sqrt(sub(1, power2)), sub(1, power1));
  const shared = mul(correction, learningRate);
  return { shared, updates: [assign(power1, mul(power1, beta1)), assign(power2, mul(power2, beta2))] };
}

/** The new means, and what is subtracted from the variable. */
function step(
  { beta1, beta2, epsilon }: Values,
  { gradient: g, slots: { m, v }, shared: scale }: Parts<'m' | 'v', Tensor<'float32', any>>,
) {
  const nextM = assign(m, add(mul(m, beta1), mul(g, difference(1, beta1))));
  const nextV = assign(v, add(mul(v, beta2), mul(square(g), difference(1, beta2))));
  return { means: [nextM, nextV], change: div(mul(nextM, scale), add(sqrt(nextV), epsilon)) };
}

const adam = rule(
  'Adam',
  { learningRate, ...betas },
  {
    places: 4,
    slots,
    prepare,
    update: (values, parts) => {
      const { means, change } = step(values, parts);
      return [...means, assignSub(parts.variable, change)];
    },
  },
);

/** By name, as the constructors take them. */
export interface AdamOptions extends OptimizerOptions {
  readonly learningRate?: Rate;
  readonly beta1?: Rate;
  readonly beta2?: Rate;
  readonly epsilon?: Rate;
}
/**
 * m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², var ← var − α·m / (√v + ε) with the learning rate corrected for the
 * first steps, α = learningRate·√(1 − β₂ᵗ) / (1 − β₁ᵗ). As in TensorFlow: the correction is of the rate, and ε is added
 * to the uncorrected √v. Slots: `m`, `v`; besides, the scalars `beta1_power` and `beta2_power`.
 *
 * ```ts
 * const trainStep = new tf.train.AdamOptimizer(1e-4).minimize(crossEntropy);
 * new tf.train.AdamOptimizer(1e-4, { beta1: 0.5 });        // or (1e-4, 0.5), as in TensorFlow
 * ```
 *
 * Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015 (the form before its section 2.1).
 */
export class AdamOptimizer extends Optimizer {
  constructor(learningRate: Rate, beta1: Rate, beta2?: Rate, epsilon?: Rate, options?: OptimizerOptions);
  constructor(options: AdamOptions);
  constructor(learningRate?: Rate, options?: Omit<AdamOptions, 'learningRate'>);
  constructor(...given: unknown[]) {
    super(adam, given);
  }
}

const adamW = rule(
  'AdamW',
  { learningRate, weightDecay: preset(rate, 0.004), ...betas },
  {
    places: 5,
    slots,
    prepare,
    update: (values, parts) => {
      const { means, change } = step(values, parts);
      return [...means, assignSub(parts.variable, add(decayed(parts.variable, values), change))];
    },
  },
);
/** What weight decay takes from a variable. */
export const decayed = (
  variable: Variable<'float32', any>,
  { learningRate, weightDecay }: { readonly learningRate: Scalar; readonly weightDecay: Scalar },
): Tensor<'float32', any> => mul(variable, product(learningRate, weightDecay));

/**
 * Adam with weight decay apart from the gradient: var ← var − learningRate·weightDecay·var − α·m / (√v + ε), with m, v
 * and α as `AdamOptimizer` has them. The decay is scaled by the learning rate, as in tf.keras.optimizers.AdamW and
 * PyTorch. Slots: `m`, `v`; besides, the scalars `beta1_power` and `beta2_power`.
 *
 * ```ts
 * const trainStep = new tf.train.AdamWOptimizer(1e-3, { weightDecay: 0.01 }).minimize(loss);
 * ```
 *
 * Source: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2.
 */
export class AdamWOptimizer extends Optimizer {
  constructor(options: AdamOptions & { readonly weightDecay?: Rate });
  constructor(
    learningRate: Rate,
    weightDecay: Rate,
    beta1?: Rate,
    beta2?: Rate,
    epsilon?: Rate,
    options?: OptimizerOptions,
  );
  constructor(learningRate?: Rate, options?: Omit<AdamOptions, 'learningRate'> & { readonly weightDecay?: Rate });
  constructor(...given: unknown[]) {
    super(adamW, given);
  }
}
