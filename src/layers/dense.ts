// Layers that are products with a matrix: dense, embedding.
import { ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import { add } from '../ops/arithmetic.ts';
import { type AnyTensor, floats, indexTypes, requireDType, tensor } from '../ops/define.ts';
import { gather } from '../ops/gather.ts';
import { matmul } from '../ops/matmul.ts';
import { reshape } from '../ops/shape.ts';
import { sizesOf } from '../ops/shape-of.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { dtype as dtypeKind } from '../tensor/kinds.ts';
import type { Dense, DenseError } from '../tensor/layer-rules.ts';
import { type Shape, showShape } from '../tensor/shape.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import { type Initializer, randomUniform } from '../variables/initializers.ts';
import type { Regularizer } from '../variables/scope.ts';
import {
  type Activation,
  activated,
  biased,
  countKind,
  initializerKind,
  inLayer,
  type KernelOptions,
  kernelKinds,
  kernelOf,
  knownSize,
  regularizerKind,
  type TrainableOptions,
  trainableKinds,
  weight,
} from './layer.ts';

const form = signature('tf.layers.dense', { inputs: tensor, units: countKind }, kernelKinds, ['activation', 'useBias']);
/**
 * activation(inputs · kernel + bias): a layer in which every unit sees all of the last axis. The other axes stay.
 *
 * Variables: `dense/kernel` [in, units] and `dense/bias` [units].
 *
 * @param inputs floats of at least 2 axes; the size of the last must be known.
 * @throws ShapeMismatchError for another shape; for `reuse`, see `tf.getVariable`.
 *
 * ```ts
 * const hidden = tf.layers.dense(x, 128, { activation: tf.nn.relu });      // [null, 784] → [null, 128]
 * const logits = tf.layers.dense(hidden, 10, { name: 'logits' });          // logits/kernel, logits/bias
 * ```
 *
 * Reference: tf.layers.dense of TensorFlow 1.
 */
export function dense<T extends FloatDType = any, A extends Shape = any, const U extends number = number>(
  inputs: Tensor<T, A> & ShapeError<DenseError<A>>,
  units: U,
  activation: Activation<NoInfer<T>, Dense<A, U>> | null,
  useBias?: boolean,
  options?: Omit<KernelOptions<NoInfer<T>, Dense<A, U>>, 'activation' | 'useBias'>,
): Tensor<T, Dense<A, U>>;
export function dense<T extends FloatDType = any, A extends Shape = any, const U extends number = number>(
  inputs: Tensor<T, A> & ShapeError<DenseError<A>>,
  units: U,
  options?: KernelOptions<NoInfer<T>, Dense<A, U>>,
): Tensor<T, Dense<A, U>>;
export function dense(...given: unknown[]): AnyTensor {
  const { inputs, units, ...options } = form.take(given);
  const { dtype, shape } = inputs;
  requireDType('dense', { dtype, shape }, floats);
  if (!shape || shape.length < 2) {
    throw new ShapeMismatchError(
      `dense: input must have at least 2 axes, but its shape is ${showShape(shape)}; use tf.reshape.`,
    );
  }
  const size = knownSize('dense', shape, -1);
  return inLayer('dense', inputs, options, () => {
    const kernel = kernelOf([size, units], dtype, options);
    const addBias = (y: AnyTensor, bias: AnyTensor) => add(y, bias, 'BiasAdd') as AnyTensor;
    return activated('dense', biased('dense', product(inputs, kernel, shape), addBias, options), options);
  });
}

/** The rows along the last axis times a matrix. */
function product(x: AnyTensor, kernel: AnyTensor, shape: Shape): AnyTensor {
  if (shape.length === 2) return matmul(x, kernel) as AnyTensor;
  const [size, units] = kernel.shape as [number, number];
  const rows = matmul(reshape(x, [-1, size]) as AnyTensor, kernel) as AnyTensor;
  const lead = shape.slice(0, -1);
  const known = lead.filter((d) => d === null).length > 1 ? sizesOf(x).slice(0, -1) : lead.map((d) => d ?? -1);
  return reshape(rows, [...known, units]) as AnyTensor;
}

/** What an embedding is made with. */
export interface EmbeddingOptions<T extends FloatDType> extends TrainableOptions {
  /** Default: uniform in ±0.05. */
  readonly embeddingsInitializer?: Initializer | undefined;
  readonly embeddingsRegularizer?: Regularizer | null | undefined;
  /** Default float32. */
  readonly dtype?: T | undefined;
}
const embeddingForm = signature(
  'tf.layers.embedding',
  { ids: tensor, inputDim: countKind, outputDim: countKind },
  {
    embeddingsInitializer: initializerKind,
    embeddingsRegularizer: regularizerKind,
    dtype: dtypeKind,
    ...trainableKinds,
  },
);
/**
 * A vector of `outputDim` numbers for each of the ids 0 … inputDim − 1, which training finds.
 *
 * Variable: `embedding/embeddings` [inputDim, outputDim].
 *
 * @param ids int32 or uint8, of any shape. A run with an id out of range fails with an InvalidArgumentError.
 *
 * ```ts
 * const vectors = tf.layers.embedding(words, 10000, 64);      // [null, 20] → [null, 20, 64]
 * ```
 *
 * Reference: Embedding of Keras, embed_sequence of TensorFlow 1.
 */
export function embedding<
  I extends Shape,
  const N extends number,
  const D extends number,
  T extends FloatDType = 'float32',
>(
  ids: Tensor<'int32' | 'uint8', I>,
  inputDim: N,
  outputDim: D,
  options?: EmbeddingOptions<T>,
): Tensor<NoInfer<T>, [...I, D]>;
export function embedding(...given: unknown[]): AnyTensor {
  const { ids, inputDim, outputDim, dtype = 'float32', ...options } = embeddingForm.take(given);
  requireDType('embedding', { dtype, shape: undefined }, floats);
  requireDType('embedding ids', ids, indexTypes);
  const {
    embeddingsInitializer: initializer = randomUniform(),
    embeddingsRegularizer: regularizer,
    trainable,
  } = options;
  return inLayer('embedding', ids, options, () => {
    const embeddings = weight('embeddings', [inputDim, outputDim], {
      initializer,
      regularizer,
      trainable,
      dtype: dtype as FloatDType,
    });
    return gather(embeddings, ids) as AnyTensor;
  });
}
