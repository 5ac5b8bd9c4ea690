// Draws: rows in a random order, and classes with given probabilities.
import { InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import type { DType, FloatDType } from '../tensor/dtype.ts';
import { text, wholeNumber } from '../tensor/kinds.ts';
import { type Dim, type Shape, showShape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { mul } from './arithmetic.ts';
import { lessEqual } from './comparison.ts';
import { cumsum } from './cumsum.ts';
import { type AnyTensor, apply, defineOp, floats, requireDType, tensor } from './define.ts';
import { gather } from './gather.ts';
import { cast } from './logic.ts';
import { uniformLike } from './random.ts';
import { reduceMax, reduceSum } from './reduce.ts';
import { expandDims } from './shape.ts';
import { slice } from './slice.ts';
import { softmax } from './softmax.ts';
import { tile } from './tile.ts';
import { placesOf, ranksOf } from './top-k.ts';

/** A number for each row of x. */
const RowsLikeOp = defineOp({
  name: 'RowsLike',
  infer: ([x]) => {
    if (x.shape?.length === 0)
      throw new ShapeMismatchError('randomShuffle: needs at least one axis, but a scalar came.');
    return { dtype: 'float64', shape: x.shape && [x.shape[0]] };
  },
  gradient: () => [null],
  lower: (_, { outputs: [{ shape }] }) => p.constant(new Float64Array(1), 'float64', shape),
});
/** The places of numbers in their order. */
const OrderOp = defineOp({
  name: 'Order',
  infer: ([keys]) => ({ dtype: 'int32', shape: keys.shape }),
  gradient: () => [null],
  lower: ([keys]) => {
    const [n] = keys.shape;
    return p.reshape(placesOf(ranksOf(p.reshape(keys, [1, n])), n), [n]);
  },
});
const shuffleForm = signature('tf.randomShuffle', { x: tensor }, { seed: wholeNumber, name: text }, ['seed', 'name']);
/**
 * x with its rows, the parts along axis 0, in a random order: another one in each run. Each row's number is compared with
 * every other, so tens of thousands of rows are too many; shuffle data sets outside of the graph.
 *
 * ```ts
 * tf.randomShuffle(tf.constant([1, 2, 3]), 7);
 * ```
 */
export function randomShuffle<T extends DType = any, A extends Shape = any>(
  x: Tensor<T, A>,
  seed?: number | { readonly seed?: number; readonly name?: string },
  name?: string,
): Tensor<T, A>;
export function randomShuffle(...given: unknown[]): AnyTensor {
  const { x, seed, name = 'randomShuffle' } = shuffleForm.take(given);
  const keys = uniformLike(apply(RowsLikeOp, [x], {}) as AnyTensor, name, seed);
  return gather(x, apply(OrderOp, [keys], {}) as AnyTensor) as AnyTensor;
}

const multinomialForm = signature(
  'tf.multinomial',
  { logits: tensor, numSamples: wholeNumber },
  { seed: wholeNumber, name: text },
  ['seed', 'name'],
);
/**
 * So many classes (int32) drawn for each row of logits [batch, classes], class c with the probability softmax(logits)[c]:
 * other ones in each run. No gradient flows through them. A row that has NaN, or nothing but −∞, gives class 0.
 *
 * @throws InvalidArgumentError for a numSamples below 1; ShapeMismatchError for logits that are no matrix.
 *
 * ```ts
 * tf.multinomial(tf.log(tf.constant([[0.9, 0.1]])), 5);       // [1, 5]
 * ```
 */
export function multinomial<A extends Shape = any, const N extends number = number>(
  logits: Tensor<FloatDType, A>,
  numSamples: N,
  seed?: number | { readonly seed?: number; readonly name?: string },
  name?: string,
): Tensor<'int32', [A extends readonly [infer B extends Dim, any] ? B : Dim, N]>;
export function multinomial(...given: unknown[]): AnyTensor {
  const { logits, numSamples, seed, name = 'multinomial' } = multinomialForm.take(given);
  requireDType('multinomial', logits, floats, 'logarithms of probabilities are fractions');
  if (logits.shape && logits.shape.length !== 2)
    throw new ShapeMismatchError(
      `multinomial: logits must be [batch, classes], but their shape is ${showShape(logits.shape)}.`,
    );
  if (numSamples < 1)
    throw new InvalidArgumentError(`multinomial: numSamples must be at least 1, but ${numSamples} came.`);
  const bounds = cumsum(softmax(logits as Tensor<FloatDType>), 1) as AnyTensor;
  // However the sums are rounded, a number is less than the largest of them: so it is one of a class.
  const total = reduceMax(bounds, 1, { keepDims: true });
  const first = slice(logits, [0, 0], [-1, 1]) as AnyTensor;
  const numbers = mul(uniformLike(tile(first, [1, numSamples]) as AnyTensor, name, seed), total as AnyTensor);
  const isPassed = lessEqual(expandDims(bounds, 1) as AnyTensor, expandDims(numbers, 2) as AnyTensor);
  return reduceSum(cast(isPassed as AnyTensor, 'int32'), 2) as AnyTensor;
}
