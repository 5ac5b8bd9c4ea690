// Learning rates that change with the number of steps. Formulas: tf.train of TensorFlow 1
// (python/training/learning_rate_decay.py).
import { InvalidArgumentError } from '../base/errors.ts';
import { add, div, mul, neg, sub } from '../ops/arithmetic.ts';
import { equal, greater } from '../ops/comparison.ts';
import type { AnyTensor } from '../ops/define.ts';
import { where } from '../ops/logic.ts';
import { ceil, exp, floor, minimum, pow } from '../ops/math.ts';
import { describe } from '../tensor/describe.ts';
import { anything, text, trueOrFalse } from '../tensor/kinds.ts';
import { signature } from '../tensor/signature.ts';
import { readList } from '../tensor/sizes.ts';
import { above0, type Decayed, type ScalarValue, scalar, scheduled } from './scalar.ts';

/** Of decays by steps. */
export interface DecayOptions {
  /** Change the rate only after every `decaySteps` steps. Default false. */
  readonly staircase?: boolean | undefined;
  readonly name?: string | undefined;
}

/** learningRate, globalStep, decaySteps and decayRate, and whether in steps. */
export interface DecayFunction {
  <R extends ScalarValue>(
    learningRate: R,
    globalStep: ScalarValue,
    decaySteps: ScalarValue,
    decayRate: ScalarValue,
    options?: DecayOptions,
  ): Decayed<R>;
  <R extends ScalarValue>(
    ...given: [
      learningRate: R,
      globalStep: ScalarValue,
      decaySteps: ScalarValue,
      decayRate: ScalarValue,
      staircase: boolean,
      name?: string,
    ]
  ): Decayed<R>;
}

/** A decay by p = globalStep / decaySteps, in steps its floor. */
function decayBy(
  call: string,
  formula: (rate: AnyTensor, decayRate: AnyTensor, p: AnyTensor) => AnyTensor,
): DecayFunction {
  const form = signature(
    `tf.train.${call}`,
    { learningRate: scalar, globalStep: scalar, decaySteps: above0, decayRate: scalar },
    { staircase: trueOrFalse, name: text },
    ['staircase', 'name'],
  );
  const decay = (...given: unknown[]) => {
    const {
      learningRate,
      globalStep,
      decaySteps,
      decayRate,
      staircase = false,
      name = scopeOf(call),
    } = form.take(given);
    return scheduled(name, [learningRate, globalStep, decaySteps, decayRate], ([rate, step, every, by]) => {
      const p = div(step, every);
      return formula(rate, by, staircase ? floor(p) : p);
    });
  };
  return decay as DecayFunction;
}

/** `ExponentialDecay` */
export const scopeOf = (call: string): string => call[0].toUpperCase() + call.slice(1);

/**
 * learningRate · decayRate^(globalStep / decaySteps); with `staircase` of the floor of the exponent.
 *
 * ```ts
 * const globalStep = tf.train.getOrCreateGlobalStep();
 * const rate = tf.train.exponentialDecay(0.1, globalStep, 1000, 0.96, { staircase: true });   // or (…, 0.96, true)
 * const step = new tf.train.GradientDescentOptimizer(rate).minimize(loss, { globalStep });
 * ```
 */
export const exponentialDecay: DecayFunction = decayBy('exponentialDecay', (rate, by, p) => mul(rate, pow(by, p)));

/** learningRate · e^(−decayRate · globalStep / decaySteps); with `staircase` of the floor of the quotient. */
export const naturalExpDecay: DecayFunction = decayBy('naturalExpDecay', (rate, by, p) =>
  mul(rate, exp(neg(mul(by, p)))),
);

/** learningRate / (1 + decayRate · globalStep / decaySteps); with `staircase` of the floor of the quotient. */
export const inverseTimeDecay: DecayFunction = decayBy('inverseTimeDecay', (rate, by, p) =>
  div(rate, add(mul(by, p), 1)),
);

const polynomialForm = signature(
  'tf.train.polynomialDecay',
  { learningRate: scalar, globalStep: scalar, decaySteps: above0 },
  { endLearningRate: scalar, power: scalar, cycle: trueOrFalse, name: text },
  ['endLearningRate', 'power', 'cycle', 'name'],
);
/**
 * (learningRate − endLearningRate) · (1 − globalStep / decaySteps)^power + endLearningRate; after decaySteps it stays at
 * endLearningRate. With `cycle` it begins anew instead, from what is lower: decaySteps is then the next multiple of itself
 * that is not below globalStep.
 *
 * @param options.endLearningRate default 0.0001; `power` default 1, a straight line; `cycle` default false.
 */
export function polynomialDecay<R extends ScalarValue>(
  ...given: [
    learningRate: R,
    globalStep: ScalarValue,
    decaySteps: ScalarValue,
    endLearningRate: ScalarValue,
    power?: ScalarValue,
    cycle?: boolean,
    name?: string,
  ]
): Decayed<R>;
export function polynomialDecay<R extends ScalarValue>(
  learningRate: R,
  globalStep: ScalarValue,
  decaySteps: ScalarValue,
  options?: {
    readonly endLearningRate?: ScalarValue;
    readonly power?: ScalarValue;
    readonly cycle?: boolean;
    readonly name?: string;
  },
): Decayed<R>;
export function polynomialDecay(...given: unknown[]): AnyTensor {
  const { learningRate, globalStep, decaySteps, ...options } = polynomialForm.take(given);
  const { endLearningRate = 0.0001, power = 1, cycle = false, name = 'PolynomialDecay' } = options;
  const scalars = [learningRate, globalStep, decaySteps, endLearningRate, power];
  return scheduled(name, scalars, ([rate, step, every, end, exponent]) => {
    const rounds = where(equal(step, 0), 1, ceil(div(step, every)));
    const p = cycle ? div(step, mul(every, rounds)) : div(minimum(step, every), every);
    return add(mul(sub(rate, end), pow(sub(1, p), exponent)), end);
  });
}

const scalars = anything<readonly ScalarValue[]>('an array of numbers');
const piecewiseForm = signature(
  'tf.train.piecewiseConstant',
  { x: scalar, boundaries: scalars, values: scalars },
  { name: text },
  ['name'],
);
/**
 * values[0] for x ≤ boundaries[0], values[1] for x up to boundaries[1] (which belongs to it), and so on; the last value
 * above the last boundary.
 *
 * @throws InvalidArgumentError when there is not one value more than there are boundaries, or these do not increase.
 *
 * ```ts
 * const rate = tf.train.piecewiseConstant(globalStep, [10000, 20000], [0.1, 0.01, 0.001]);
 * ```
 */
export function piecewiseConstant<const V extends ScalarValue>(
  x: ScalarValue,
  boundaries: readonly ScalarValue[],
  values: readonly V[],
  name?: string | { readonly name?: string },
): Decayed<V>;
export function piecewiseConstant(...given: unknown[]): AnyTensor {
  const { x, name = 'PiecewiseConstant', ...lists } = piecewiseForm.take(given);
  const boundaries = listOf('boundaries', lists.boundaries);
  const values = listOf('values', lists.values);
  if (values.length !== boundaries.length + 1) {
    throw new InvalidArgumentError(
      `piecewiseConstant: there must be one value more than there are boundaries, but ${values.length} values and ${boundaries.length} boundaries came.`,
    );
  }
  for (const [i, b] of boundaries.entries()) {
    const before = boundaries[i - 1];
    if (typeof b === 'number' && typeof before === 'number' && b <= before)
      throw new InvalidArgumentError(`piecewiseConstant: boundaries must increase, but ${b} comes after ${before}.`);
  }
  return scheduled(name, [...values, x, ...boundaries], (all) => {
    const step = all[values.length];
    return boundaries.reduce<AnyTensor>(
      (found, _, i) => where(greater(step, all[values.length + 1 + i]), all[i + 1], found),
      all[0],
    );
  });
}

function listOf(what: string, given: unknown): readonly ScalarValue[] {
  const refuse = (came: string): never => {
    throw new InvalidArgumentError(
      `piecewiseConstant: ${what} must be an array of numbers and scalar tensors, but ${came} came.`,
    );
  };
  if (!Array.isArray(given)) return refuse(describe(given));
  return readList(given, (v) => (scalar.fits(v) ? (v as ScalarValue) : refuse(`one with ${describe(v)}`)));
}

const warmupForm = signature(
  'tf.train.linearWarmup',
  { learningRate: scalar, globalStep: scalar, warmupSteps: above0 },
  { name: text },
  ['name'],
);
/**
 * learningRate · min(1, globalStep / warmupSteps): from 0 on a straight line, then the rate itself, which may be a decay.
 *
 * Source: Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017, section 2.2.
 *
 * ```ts
 * const decayed = tf.train.cosineDecay(0.1, globalStep, 10000);
 * const rate = tf.train.linearWarmup(decayed, globalStep, 500);
 * ```
 */
export function linearWarmup<R extends ScalarValue>(
  learningRate: R,
  globalStep: ScalarValue,
  warmupSteps: ScalarValue,
  name?: string | { readonly name?: string },
): Decayed<R>;
export function linearWarmup(...given: unknown[]): AnyTensor {
  const { learningRate, globalStep, warmupSteps, name = 'LinearWarmup' } = warmupForm.take(given);
  return scheduled(name, [learningRate, globalStep, warmupSteps], ([rate, step, over]) =>
    mul(rate, minimum(div(step, over), 1)),
  );
}
