// Every optimizer, with a learning rate and one more hyperparameter.
import * as tf from '../../src/index.ts';

export type Make = (learningRate: any, more: any) => tf.train.Optimizer;
export const optimizers: readonly (readonly [string, Make])[] = [
  ['GradientDescent', (learningRate) => new tf.train.GradientDescentOptimizer({ learningRate })],
  ['Momentum', (learningRate, momentum) => new tf.train.MomentumOptimizer({ learningRate, momentum })],
  ['Adam', (learningRate, beta1) => new tf.train.AdamOptimizer({ learningRate, beta1 })],
  ['AdamW', (learningRate, weightDecay) => new tf.train.AdamWOptimizer({ learningRate, weightDecay })],
  ['Lion', (learningRate, beta2) => new tf.train.LionOptimizer({ learningRate, beta2 })],
  ['Adagrad', (learningRate) => new tf.train.AdagradOptimizer({ learningRate })],
  ['Adadelta', (learningRate, rho) => new tf.train.AdadeltaOptimizer({ learningRate, rho })],
  ['RMSProp', (learningRate, momentum) => new tf.train.RMSPropOptimizer({ learningRate, momentum, centered: true })],
  [
    'Ftrl',
    (learningRate, l1) =>
      new tf.train.FtrlOptimizer({
        learningRate,
        l1RegularizationStrength: l1,
        l2RegularizationStrength: l1,
        l2ShrinkageRegularizationStrength: l1,
      }),
  ],
  [
    'AdagradDA',
    (learningRate, l1) =>
      new tf.train.AdagradDAOptimizer({
        learningRate,
        globalStep: tf.variable(0, { trainable: false }),
        l1RegularizationStrength: l1,
        l2RegularizationStrength: l1,
      }),
  ],
  [
    'ProximalGradientDescent',
    (learningRate, l1) =>
      new tf.train.ProximalGradientDescentOptimizer({
        learningRate,
        l1RegularizationStrength: l1,
        l2RegularizationStrength: l1,
      }),
  ],
  [
    'ProximalAdagrad',
    (learningRate, l1) =>
      new tf.train.ProximalAdagradOptimizer({
        learningRate,
        l1RegularizationStrength: l1,
        l2RegularizationStrength: l1,
      }),
  ],
];
