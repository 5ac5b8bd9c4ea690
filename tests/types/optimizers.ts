// Optimizers: rates are numbers or scalars, slots have the type of their variable, arguments come by name or by place.
import * as tf from 'millrace';

const w = tf.variable(tf.zeros([3, 2]), { name: 'w' });
const b = tf.variable(tf.zeros([2], 'float64'));
const globalStep = tf.variable(0, { trainable: false });
const loss = tf.reduceSum(tf.square(w));
const rate = tf.placeholder('float32', []);
const fine: tf.Tensor<'float64', []> = tf.constant(0.1, 'float64');

new tf.train.GradientDescentOptimizer(rate);
new tf.train.GradientDescentOptimizer({ learningRate: rate, name: 'Descent' });
new tf.train.MomentumOptimizer(rate, fine, { useNesterov: true });
new tf.train.AdagradOptimizer(0.1, 0.5, { name: 'A' });
new tf.train.AdagradOptimizer(0.1, { initialAccumulatorValue: 1 });
new tf.train.AdagradDAOptimizer(rate, globalStep, 0.1, 0.01, 0.01);
new tf.train.AdagradDAOptimizer({ learningRate: 0.1, globalStep, l1RegularizationStrength: rate });
new tf.train.AdadeltaOptimizer();
new tf.train.AdadeltaOptimizer(1, { rho: 0.9 });
new tf.train.AdadeltaOptimizer(1, 0.9, 1e-6);
new tf.train.RMSPropOptimizer(1e-3, 0.9, 0.1, 1e-8, { centered: true });
new tf.train.RMSPropOptimizer({ learningRate: 1e-3, momentum: rate });
new tf.train.AdamOptimizer(rate, rate);
new tf.train.AdamWOptimizer(1e-3, { weightDecay: 0.1 });
new tf.train.AdamWOptimizer(1e-3, 0.1, 0.9, 0.999, 1e-8);
new tf.train.LionOptimizer({ weightDecay: 0.1 });
new tf.train.LionOptimizer(rate, 0.9, 0.99, 0.1);
new tf.train.FtrlOptimizer(0.1, -0.5, 0.1, 0.01, 0.01, { l2ShrinkageRegularizationStrength: 0.01 });
new tf.train.FtrlOptimizer(0.1, { l1RegularizationStrength: rate });
new tf.train.ProximalGradientDescentOptimizer(0.1, 0.01, 0.01);
new tf.train.ProximalAdagradOptimizer(0.1, { l2RegularizationStrength: 0.1 });

const optimizer: tf.train.Optimizer = new tf.train.AdamOptimizer({ learningRate: rate });
const step: tf.Operation = optimizer.minimize(loss, globalStep, [w]);
optimizer.minimize(loss, undefined, [w, b]);
optimizer.minimize(loss, { globalStep, varList: [w, b], gradLoss: tf.constant(2), name: 'train' });
const pairs: tf.train.GradientAndVariable[] = optimizer.computeGradients(loss, [w], { gradLoss: tf.constant(2) });
optimizer.applyGradients(pairs, { globalStep, name: 'train' });
optimizer.applyGradients(pairs, globalStep, 'train');
const m: tf.Variable<'float32', [3, 2]> | null = optimizer.getSlot(w, 'm');
const n: tf.Variable<'float64', [2]> | null = optimizer.getSlot(b, 'm');
const names: string[] = optimizer.getSlotNames();
const all: tf.Variable[] = optimizer.variables();
const given: tf.train.Rate[] = [1, rate, fine];

export { all, given, m, n, names, step };
