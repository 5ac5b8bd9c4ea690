// What the page asks of a model, whichever it is.
import type * as tf from 'millrace';

export type Images = tf.Tensor<'float32', [null, 784]>;
export type Labels = tf.Tensor<'float32', [null, 10]>;

/** A box of the picture: the name that its output has in the listing, what it does, and the variables that it learns. */
export interface Layer {
  readonly name: string;
  readonly what: string;
  readonly output: tf.Tensor<'float32'>;
  readonly variables: readonly tf.Variable<'float32'>[];
}

/** A network that is trained: its tensors, under the names that they have in the listing. */
export interface Model {
  readonly x: Images;
  readonly y_: Labels;
  /** The probabilities. */
  readonly y: Labels;
  /** How many of the neurons are kept, where there is dropout. */
  readonly keepProb?: tf.Tensor<'float32', []>;
  readonly crossEntropy: tf.Tensor<'float32', []>;
  readonly trainStep: tf.Operation;
  readonly accuracy: tf.Tensor<'float32', []>;
  readonly layers: readonly Layer[];
  /** What looks at the image itself: [784, 10], or [5, 5, 1, 32]. */
  readonly filters: tf.Variable<'float32'>;
}

/** The learning rate of the optimizer, which is a placeholder, and its value. */
export type Rate = readonly [tf.Tensor<'float32', []>, number];
