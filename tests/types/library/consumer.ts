// What a user of the library sees: the same types as if the helpers were its own.
import type { Operation, Tensor, Variable } from 'millrace';
import * as tf from 'millrace';
import { adam, type normed, sgd } from './again.js';
import { batch, means, product, sum } from './names.js';
import * as library from './network.js';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

const layer = library.dense(library.x, 10);
same<typeof layer.y, Tensor<'float32', [null, 10]>>(true);
same<typeof layer.w, Variable<'float32', [784, 10]>>(true);
const image = tf.zeros([8, 28, 28, 1]);
const block = library.convolutionBlock(image, tf.zeros([5, 5, 1, 32]));
same<typeof block, Tensor<'float32', [8, 14, 14, 32]>>(true);
same<typeof normed, Tensor<'float32', [null, 784]>>(true);
const normal = library.layerNorm(tf.zeros([3, 4], 'float64'));
same<typeof normal, Tensor<'float64', [3, 4]>>(true);
const rows = library.rows(tf.zeros([4, 8]));
same<typeof rows, Tensor<'float32', [2, 16]>>(true);
const found = library.lookup(tf.zeros([10, 3]), tf.zeros([2], 'int32'));
same<typeof found, Tensor<'float32', [2, 3]>>(true);
const both = library.joined(tf.zeros([2, 3]), tf.ones([4, 3]));
same<typeof both, Tensor<'float32', [6, 3]>>(true);
const turned = library.turned(tf.zeros([2, 3]));
same<typeof turned, Tensor<'float32', [3, 2, 1]>>(true);
const longer = library.longer(tf.zeros([5]));
same<typeof longer, Tensor<'float32', [7]>>(true);
const made = library.constant([1, 2, 3]);
same<typeof made, Tensor<'float32', [3]>>(true);
const products = product(tf.zeros([2, 3]), tf.zeros([3, 4]));
same<typeof products, Tensor<'float32', [2, 4]>>(true);
const mean = means(tf.zeros([2, 3]));
same<typeof mean, Tensor<'float32', [3]>>(true);
const added = sum(tf.zeros([2, 1]), tf.zeros([3]));
same<typeof added, Tensor<'float32', [2, 3]>>(true);

const { step } = library.training(tf.reduceMean(layer.y));
same<typeof step, Operation>(true);
adam.minimize(tf.reduceMean(layer.y));
sgd.minimize(tf.reduceMean(layer.y));
new library.Nesterov(0.1).minimize(tf.reduceMean(layer.y));
const digits = await library.digits('MNIST_data');
await step.run(library.feeds(digits.test.images));
const values = await library.evaluate(new tf.Session(), { loss: tf.reduceMean(layer.y), step });
same<typeof values, { loss: number; step: undefined }>(true);
export const labels = batch(digits);

// @ts-expect-error
library.dense(tf.zeros([784]), 10);
// @ts-expect-error
library.feeds(digits.test.labels);
// @ts-expect-error
sum(tf.zeros([2]), tf.zeros([3]));
