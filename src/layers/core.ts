// Layers without variables: dropout, flatten.
import { ShapeMismatchError } from '../base/errors.ts';
import { Tensor } from '../graph/tensor.ts';
import { mul, sub } from '../ops/arithmetic.ts';
import { constant } from '../ops/constant.ts';
import { type AnyTensor, floats, requireDType, tensor } from '../ops/define.ts';
import { identity, where } from '../ops/logic.ts';
import { dropout as drop } from '../ops/nn.ts';
import { reshape } from '../ops/shape.ts';
import { sizesOf } from '../ops/shape-of.ts';
import type { SizeTensor } from '../ops/sizes.ts';
import type { DType, FloatDType } from '../tensor/dtype.ts';
import { kind, text, wholeNumber } from '../tensor/kinds.ts';
import type { Flatten, FlattenError } from '../tensor/layer-rules.ts';
import { elements, isKnown, type Shape, showShape } from '../tensor/shape.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import { inLayer, type Training, trainingKind, trainingOf } from './layer.ts';

/** What dropout is made with. */
export interface DropoutOptions<T extends FloatDType> {
  /** Which part of the elements is dropped: a number from 0 to below 1, or a scalar tensor; default 0.5. */
  readonly rate?: number | Tensor<T, any> | undefined;
  /** A stream of random numbers of its own. */
  readonly seed?: number | undefined;
  /** false (default): the input stays as it is. A bool tensor: as each run has it. */
  readonly training?: Training | undefined;
  readonly name?: string | undefined;
}
const rateKind = kind<number | AnyTensor>(
  'a number from 0 to below 1, or a scalar tensor',
  (v) => v instanceof Tensor || (typeof v === 'number' && v >= 0 && v < 1),
);
const dropoutForm = signature(
  'tf.layers.dropout',
  { inputs: tensor },
  { rate: rateKind, seed: wholeNumber, training: trainingKind, name: text },
  ['rate'],
);
/**
 * While training, sets a part `rate` of the elements to 0, and scales the others by 1 / (1 − rate); else the input.
 *
 * Beware: `tf.nn.dropout` takes the part that is kept.
 *
 * ```ts
 * const training = tf.placeholder('bool', []);
 * const h = tf.layers.dropout(x, { rate: 0.4, training });
 * ```
 *
 * Source: Srivastava et al., "Dropout", JMLR 15, 2014. Reference: tf.layers.dropout of TensorFlow 1.
 */
export function dropout<T extends FloatDType = any, S extends Shape = any>(
  inputs: Tensor<T, S>,
  rate: number | Tensor<NoInfer<T>, any>,
  options?: Omit<DropoutOptions<NoInfer<T>>, 'rate'>,
): Tensor<T, S>;
export function dropout<T extends FloatDType = any, S extends Shape = any>(
  inputs: Tensor<T, S>,
  options?: DropoutOptions<NoInfer<T>>,
): Tensor<T, S>;
export function dropout(...given: unknown[]): AnyTensor {
  const { inputs: x, rate = 0.5, seed, training = false, name } = dropoutForm.take(given);
  requireDType('dropout', x, floats);
  return inLayer('dropout', x, { name }, () => {
    const trains = trainingOf(training);
    if (trains === false) return identity(x) as AnyTensor;
    const keep = typeof rate === 'number' ? 1 - rate : (sub(1, rate) as AnyTensor);
    const dropped = drop(x, keep, seed === undefined ? {} : { seed }) as AnyTensor;
    return trains === true ? dropped : (where(trains, dropped, x) as AnyTensor);
  });
}

const flattenForm = signature('tf.layers.flatten', { inputs: tensor }, { name: text }, ['name']);
/**
 * All axes but the first as one.
 *
 * @throws ShapeMismatchError for a scalar.
 *
 * ```ts
 * tf.layers.flatten(images);      // [null, 7, 7, 64] → [null, 3136]
 * ```
 *
 * Reference: tf.layers.flatten of TensorFlow 1.
 */
export function flatten<T extends DType = any, A extends Shape = any>(
  inputs: Tensor<T, A> & ShapeError<FlattenError<A>>,
  name?: string | { readonly name?: string | undefined },
): Tensor<T, Flatten<A>>;
export function flatten(...given: unknown[]): AnyTensor {
  const { inputs, name } = flattenForm.take(given);
  const { shape } = inputs;
  if (!shape || shape.length === 0) {
    throw new ShapeMismatchError(`flatten: input must have at least 1 axis, but its shape is ${showShape(shape)}.`);
  }
  return inLayer('flatten', inputs, { name }, () => {
    const [batch, ...rest] = shape;
    if (isKnown(rest)) return reshape(inputs, [batch ?? -1, elements(rest)]) as AnyTensor;
    const [rows, ...sizes] = sizesOf(inputs);
    // Not -1: an empty batch has no elements by which it could be told.
    const row = sizes.reduce((product, d) => mul(product as SizeTensor, d) as SizeTensor, constant(1, 'int32'));
    return reshape(inputs, [rows, row]) as AnyTensor;
  });
}
