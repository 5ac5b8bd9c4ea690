// tf.train: optimizers, rates that change, the count of steps, averages.
export { AdamOptimizer } from './adam.ts';
export { cosineDecay, cosineDecayRestarts, linearCosineDecay } from './cosine-decay.ts';
export {
  type DecayFunction,
  type DecayOptions,
  exponentialDecay,
  inverseTimeDecay,
  linearWarmup,
  naturalExpDecay,
  piecewiseConstant,
  polynomialDecay,
} from './decay.ts';
export { createGlobalStep, getGlobalStep, getOrCreateGlobalStep } from './global-step.ts';
export { GradientDescentOptimizer } from './gradient-descent.ts';
export { MomentumOptimizer } from './momentum.ts';
export { ExponentialMovingAverage, type MovingAverageOptions } from './moving-average.ts';
export { type GradientAndVariable, Optimizer } from './optimizer.ts';
export type { Decayed, ScalarValue } from './scalar.ts';
