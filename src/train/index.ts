// tf.train: optimizers, rates that change, the count of steps, averages.
export { AdadeltaOptimizer, type AdadeltaOptions } from './adadelta.ts';
export { AdagradDAOptimizer, AdagradOptimizer } from './adagrad.ts';
export { AdamOptimizer, type AdamOptions, AdamWOptimizer } from './adam.ts';
export type { GradientAndVariable } from './arguments.ts';
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
export { FtrlOptimizer, type FtrlOptions } from './ftrl.ts';
export { createGlobalStep, getGlobalStep, getOrCreateGlobalStep } from './global-step.ts';
export { GradientDescentOptimizer } from './gradient-descent.ts';
export { LionOptimizer, type LionOptions } from './lion.ts';
export { MomentumOptimizer } from './momentum.ts';
export { ExponentialMovingAverage, type MovingAverageOptions } from './moving-average.ts';
export { type ApplyOptions, type GradientOptions, Optimizer, type OptimizerOptions } from './optimizer.ts';
export { ProximalAdagradOptimizer, ProximalGradientDescentOptimizer, type RegularizationOptions } from './proximal.ts';
export type { Rate } from './rate.ts';
export { RMSPropOptimizer, type RMSPropOptions } from './rmsprop.ts';
export type { Decayed, ScalarValue } from './scalar.ts';
