// tf.train: optimizers.
export { AdamOptimizer } from './adam.ts';
export { GradientDescentOptimizer } from './gradient-descent.ts';
export { MomentumOptimizer } from './momentum.ts';
export { type GradientAndVariable, Optimizer } from './optimizer.ts';
