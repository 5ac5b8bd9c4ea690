// Learning rates that follow a cosine. Formulas: tf.train of TensorFlow 1 (python/training/learning_rate_decay.py).
import { add, div, mul, sub } from '../ops/arithmetic.ts';
import { equal, greaterEqual } from '../ops/comparison.ts';
import type { AnyTensor } from '../ops/define.ts';
import { where } from '../ops/logic.ts';
import { cos, floor, log, maximum, minimum, pow } from '../ops/math.ts';
import { text } from '../tensor/kinds.ts';
import { signature } from '../tensor/signature.ts';
import { above0, type Decayed, from1, type ScalarValue, scalar, scheduled } from './scalar.ts';

/** ½ (1 + cos πp): from 1 to 0 as p goes from 0 to 1. */
const halfCosine = (p: AnyTensor): AnyTensor => mul(add(cos(mul(p, Math.PI)), 1), 0.5);
/** From 1 to alpha as a share goes from 1 to 0. */
const downTo = (alpha: AnyTensor, share: AnyTensor): AnyTensor => add(mul(sub(1, alpha), share), alpha);

const cosineForm = signature(
  'tf.train.cosineDecay',
  { learningRate: scalar, globalStep: scalar, decaySteps: above0 },
  { alpha: scalar, name: text },
  ['alpha', 'name'],
);
/**
 * learningRate · ((1 − alpha) · ½ (1 + cos (π · globalStep / decaySteps)) + alpha); after decaySteps it stays at
 * learningRate · alpha.
 *
 * @param options.alpha the share of the rate at the end, default 0.
 *
 * Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.
 */
export function cosineDecay<R extends ScalarValue>(
  learningRate: R,
  globalStep: ScalarValue,
  decaySteps: ScalarValue,
  alpha: ScalarValue,
  name?: string,
): Decayed<R>;
export function cosineDecay<R extends ScalarValue>(
  learningRate: R,
  globalStep: ScalarValue,
  decaySteps: ScalarValue,
  options?: { readonly alpha?: ScalarValue; readonly name?: string },
): Decayed<R>;
export function cosineDecay(...given: unknown[]): AnyTensor {
  const { learningRate, globalStep, decaySteps, alpha = 0, name = 'CosineDecay' } = cosineForm.take(given);
  return scheduled(name, [learningRate, globalStep, decaySteps, alpha], ([rate, step, every, least]) =>
    mul(rate, downTo(least, halfCosine(div(minimum(step, every), every)))),
  );
}

const restartsForm = signature(
  'tf.train.cosineDecayRestarts',
  { learningRate: scalar, globalStep: scalar, firstDecaySteps: above0 },
  { tMul: from1, mMul: scalar, alpha: scalar, name: text },
  ['tMul', 'mMul', 'alpha', 'name'],
);
/**
 * `cosineDecay` again and again: the first period has `firstDecaySteps` steps, each further one `tMul` times as many as
 * the one before, and begins with `mMul` times its rate.
 *
 * @param options.tMul at least 1, default 2; `mMul` default 1; `alpha` the share of the rate at the end of a period, default 0.
 *
 * Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.
 */
export function cosineDecayRestarts<R extends ScalarValue>(
  ...given: [
    learningRate: R,
    globalStep: ScalarValue,
    firstDecaySteps: ScalarValue,
    tMul: ScalarValue,
    mMul?: ScalarValue,
    alpha?: ScalarValue,
    name?: string,
  ]
): Decayed<R>;
export function cosineDecayRestarts<R extends ScalarValue>(
  learningRate: R,
  globalStep: ScalarValue,
  firstDecaySteps: ScalarValue,
  options?: {
    readonly tMul?: ScalarValue;
    readonly mMul?: ScalarValue;
    readonly alpha?: ScalarValue;
    readonly name?: string;
  },
): Decayed<R>;
export function cosineDecayRestarts(...given: unknown[]): AnyTensor {
  const { learningRate, globalStep, firstDecaySteps, ...options } = restartsForm.take(given);
  const { tMul = 2, mMul = 1, alpha = 0, name = 'CosineDecayRestarts' } = options;
  const scalars = [learningRate, globalStep, firstDecaySteps, tMul, mMul, alpha];
  return scheduled(name, scalars, ([rate, step, every, longer, lower, least]) => {
    const periods = div(step, every);
    const { restart, p } = tMul === 1 ? equalPeriods(periods) : growingPeriods(periods, longer);
    return mul(rate, downTo(least, mul(pow(lower, restart), halfCosine(p))));
  });
}

/** The number of a period, and which part of it has passed. */
interface Period {
  readonly restart: AnyTensor;
  readonly p: AnyTensor;
}

function equalPeriods(periods: AnyTensor): Period {
  const restart = floor(periods);
  return { restart, p: sub(periods, restart) };
}

/** Period n begins after (1 − tⁿ) / (1 − t) first ones; where t is 1, after n. */
function growingPeriods(periods: AnyTensor, longer: AnyTensor): Period {
  const isOne = equal(longer, 1);
  const t = where(isOne, 2, longer);
  const begin = (n: AnyTensor) => div(sub(1, pow(t, n)), sub(1, t));
  const found = maximum(floor(div(log(sub(1, mul(periods, sub(1, t)))), log(t))), 0);
  // The logarithm may be rounded to either side of a whole number.
  const next = add(found, 1);
  const late = where(greaterEqual(periods, begin(next)), next, found);
  const growing = where(greaterEqual(periods, begin(late)), late, sub(late, 1));
  const equalOnes = equalPeriods(periods);
  return {
    restart: where(isOne, equalOnes.restart, growing),
    p: where(isOne, equalOnes.p, div(sub(periods, begin(growing)), pow(t, growing))),
  };
}

const linearForm = signature(
  'tf.train.linearCosineDecay',
  { learningRate: scalar, globalStep: scalar, decaySteps: above0 },
  { numPeriods: scalar, alpha: scalar, beta: scalar, name: text },
  ['numPeriods', 'alpha', 'beta', 'name'],
);
/**
 * learningRate · ((alpha + 1 − p) · ½ (1 + cos (2π · numPeriods · p)) + beta) with p = min(1, globalStep / decaySteps).
 *
 * @param options.numPeriods default 0.5; `alpha` default 0; `beta` default 0.001.
 *
 * Source: Bello et al., "Neural optimizer search with reinforcement learning", ICML 2017.
 */
export function linearCosineDecay<R extends ScalarValue>(
  ...given: [
    learningRate: R,
    globalStep: ScalarValue,
    decaySteps: ScalarValue,
    numPeriods: ScalarValue,
    alpha?: ScalarValue,
    beta?: ScalarValue,
    name?: string,
  ]
): Decayed<R>;
export function linearCosineDecay<R extends ScalarValue>(
  learningRate: R,
  globalStep: ScalarValue,
  decaySteps: ScalarValue,
  options?: {
    readonly numPeriods?: ScalarValue;
    readonly alpha?: ScalarValue;
    readonly beta?: ScalarValue;
    readonly name?: string;
  },
): Decayed<R>;
export function linearCosineDecay(...given: unknown[]): AnyTensor {
  const { learningRate, globalStep, decaySteps, ...options } = linearForm.take(given);
  const { numPeriods = 0.5, alpha = 0, beta = 0.001, name = 'LinearCosineDecay' } = options;
  const scalars = [learningRate, globalStep, decaySteps, numPeriods, alpha, beta];
  return scheduled(name, scalars, ([rate, step, every, periods, more, least]) => {
    const p = div(minimum(step, every), every);
    const cosine = halfCosine(mul(mul(periods, 2), p));
    return mul(rate, add(mul(add(more, sub(1, p)), cosine), least));
  });
}
