// The three runs of a model, each one program of its own. The page shows their text below the model's.
import type * as tf from 'millrace';
import type { Batch } from 'millrace/mnist';
import type { Model, Rate } from './model.ts';

/** Takes one step, and gives the loss and the accuracy before it. The rate is fed: it may be another one each time. */
export const train = (sess: tf.Session, model: Model, batch: Batch<true, true>, rate: Rate) =>
  sess.run([model.crossEntropy, model.accuracy, model.trainStep], [...feeds(model, batch, 0.5), rate]);

/** How many of these images are recognised, and the probabilities of the digits for each. */
export const evaluate = (sess: tf.Session, model: Model, batch: Batch<true, true>) =>
  sess.run([model.accuracy, model.y], feeds(model, batch, 1));

/** The probabilities of the digits for one image. */
export const predict = (sess: tf.Session, model: Model, image: tf.FeedValue<'float32', [1, 784]>) =>
  sess.run(model.y, [[model.x, image], ...kept(model, 1)]);

export const feeds = (model: Model, { images, labels }: Batch<true, true>, keep: number) =>
  [[model.x, images], [model.y_, labels], ...kept(model, keep)] as const;

/** Of the neurons before the last layer, half are dropped while it trains, and none when it is asked. */
const kept = ({ keepProb }: Model, keep: number) => (keepProb ? ([[keepProb, keep]] as const) : []);
