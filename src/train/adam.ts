// Adam: steps scaled by running means of the gradient and of its square.
import type { Tensor } from '../graph/tensor.ts';
import { add, div, mul, sub } from '../ops/arithmetic.ts';
import { sqrt, square } from '../ops/math.ts';
import { assign, assignSub } from '../ops/variable.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { signature } from '../tensor/signature.ts';
import { type GradientAndVariable, Optimizer, rate } from './optimizer.ts';
import { scalarSlot, slot } from './slot.ts';

const form = signature(
  'new tf.train.AdamOptimizer',
  {},
  { learningRate: rate, beta1: rate, beta2: rate, epsilon: rate },
  ['learningRate', 'beta1', 'beta2', 'epsilon'],
);
/**
 * m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², var ← var − α·m / (√v + ε) with the learning rate corrected for the
 * first steps, α = learningRate·√(1 − β₂ᵗ) / (1 − β₁ᵗ). As in TensorFlow: the correction is of the rate, and ε is added
 * to the uncorrected √v.
 *
 * ```ts
 * const trainStep = new tf.train.AdamOptimizer(1e-4).minimize(crossEntropy);
 * new tf.train.AdamOptimizer(1e-4, { beta1: 0.5 });        // or (1e-4, 0.5), as in TensorFlow
 * ```
 *
 * Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015 (the form before its section 2.1).
 */
export class AdamOptimizer extends Optimizer {
  readonly #learningRate: number;
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #epsilon: number;

  constructor(learningRate: number, beta1: number, beta2?: number, epsilon?: number);
  constructor(options: {
    readonly learningRate?: number;
    readonly beta1?: number;
    readonly beta2?: number;
    readonly epsilon?: number;
  });
  constructor(
    learningRate?: number,
    options?: { readonly beta1?: number; readonly beta2?: number; readonly epsilon?: number },
  );
  constructor(...given: unknown[]) {
    super('Adam');
    const { learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = form.take(given);
    this.#learningRate = learningRate;
    this.#beta1 = beta1;
    this.#beta2 = beta2;
    this.#epsilon = epsilon;
  }

  protected override update(pairs: readonly GradientAndVariable[]): Tensor[] {
    const updates: Tensor[] = [];
    const rates = new Map<FloatDType, Tensor<'float32', []>>();
    for (const dtype of new Set(pairs.map(([, v]) => v.dtype))) {
      // β₁ᵗ and β₂ᵗ, from t = 1 on
      const power1 = scalarSlot(dtype, this.#beta1, 'beta1Power');
      const power2 = scalarSlot(dtype, this.#beta2, 'beta2Power');
      const correction = div(sqrt(sub(1, power2)), sub(1, power1));
      rates.set(dtype, mul(correction, this.#learningRate));
      updates.push(assign(power1, mul(power1, this.#beta1)), assign(power2, mul(power2, this.#beta2)));
    }
    for (const [gradient, variable] of pairs) {
      const g = gradient as Tensor<'float32', any>;
      const m = slot(variable, 'm');
      const v = slot(variable, 'v');
      const nextM = assign(m, add(mul(m, this.#beta1), mul(g, 1 - this.#beta1)));
      const nextV = assign(v, add(mul(v, this.#beta2), mul(square(g), 1 - this.#beta2)));
      const scale = rates.get(variable.dtype) as Tensor<'float32', any>;
      const step = div(mul(nextM, scale), add(sqrt(nextV), this.#epsilon));
      updates.push(nextM, nextV, assignSub(variable, step));
    }
    return updates;
  }
}
