// How the models and optimizers of the catalog are built.
import * as tf from 'millrace';
import type { ModelName, OptimizerName } from './catalog.ts';
import { convolution } from './convolution.ts';
import type { Model } from './model.ts';
import { softmax } from './softmax.ts';

export const builders: Readonly<Record<ModelName, (optimizer: tf.train.Optimizer) => Model>> = {
  softmax,
  convolution,
};

export const optimizers: Readonly<Record<OptimizerName, (rate: tf.train.Rate) => tf.train.Optimizer>> = {
  GradientDescent: (rate) => new tf.train.GradientDescentOptimizer(rate),
  Momentum: (rate) => new tf.train.MomentumOptimizer(rate, 0.9),
  Adagrad: (rate) => new tf.train.AdagradOptimizer(rate),
  RMSProp: (rate) => new tf.train.RMSPropOptimizer(rate),
  Adam: (rate) => new tf.train.AdamOptimizer(rate),
  AdamW: (rate) => new tf.train.AdamWOptimizer(rate),
  Lion: (rate) => new tf.train.LionOptimizer(rate),
};
