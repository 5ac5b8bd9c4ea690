// tf.train: optimizers.
export { AdadeltaOptimizer } from './adadelta.ts';
export { AdagradDAOptimizer, AdagradOptimizer } from './adagrad.ts';
export { AdamOptimizer, AdamWOptimizer } from './adam.ts';
export type { GradientAndVariable } from './arguments.ts';
export { FtrlOptimizer } from './ftrl.ts';
export { GradientDescentOptimizer } from './gradient-descent.ts';
export { LionOptimizer } from './lion.ts';
export { MomentumOptimizer } from './momentum.ts';
export { type ApplyOptions, type GradientOptions, Optimizer, type OptimizerOptions } from './optimizer.ts';
export { ProximalAdagradOptimizer, ProximalGradientDescentOptimizer, type RegularizationOptions } from './proximal.ts';
export type { Rate } from './rate.ts';
export { RMSPropOptimizer } from './rmsprop.ts';
