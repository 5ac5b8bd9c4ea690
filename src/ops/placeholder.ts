// Placeholders: tensors whose values are fed.

import { FeedError, ShapeMismatchError } from '../base/errors.ts';
import { Placeholder, Tensor } from '../graph/tensor.ts';
import type { DType } from '../tensor/dtype.ts';
import { anything, dtype as dtypeKind, sizes, text } from '../tensor/kinds.ts';
import type { DTypeOfGiven } from '../tensor/ndarray.ts';
import { compatible, type Dim, type Shape, showShape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { takeShape } from '../tensor/sizes.ts';
import { constant } from './constant.ts';
import { type AnyTensor, applyAll, defineOp, type Named } from './define.ts';

/** @internal The compiler recognises it: it is fed, never lowered. */
export const PlaceholderOp = defineOp<{ dtype: DType; shape: Shape | undefined }>({
  name: 'Placeholder',
  infer: (_, type) => type,
  gradient: () => [],
  lower: () => {
    throw new FeedError('A placeholder must be fed.');
  },
});

const form = signature('tf.placeholder', { dtype: dtypeKind }, { shape: sizes, name: text }, ['shape', 'name']);
/**
 * A tensor whose value is given with each run: `run([[x, value]])`.
 *
 * @param dtype its element type, such as `'float32'` or `tf.float32`.
 * @param shape its sizes, `null` for one that may differ from run to run. Without it any shape may be fed.
 * @throws DTypeError for an unknown dtype, ShapeMismatchError for sizes that cannot be.
 *
 * ```ts
 * const x = tf.placeholder('float32', [null, 784]);
 * const keepProb = tf.placeholder('float32');
 * ```
 */
export function placeholder<T extends DType, const S extends Shape>(
  dtype: T,
  options: { readonly shape: S; readonly name?: string },
): Placeholder<T, [...S]>;
export function placeholder<T extends DType = any>(
  dtype: T,
  options?: { readonly name?: string },
): Placeholder<T, Dim[]>;
export function placeholder<T extends DType, const S extends Shape>(
  dtype: T,
  shape: S,
  name?: Named,
): Placeholder<T, [...S]>;
export function placeholder(...given: unknown[]): Placeholder<any, any> {
  const { dtype, shape, name } = form.take(given);
  const attributes = { dtype, shape: shape === undefined ? undefined : takeShape('placeholder', shape) };
  return applyAll(PlaceholderOp, [], attributes, { name, outputClass: Placeholder })[0] as Placeholder;
}

/** Its value where it is not fed; what is fed takes its place before anything is lowered. */
const PlaceholderWithDefaultOp = defineOp({
  name: 'PlaceholderWithDefault',
  infer: ([x]) => x,
  gradient: (_, [dy]) => [dy],
  lower: ([x]) => x,
});
const defaultForm = signature(
  'tf.placeholderWithDefault',
  { input: anything<unknown>('a tensor, a number, a typed array or nested arrays'), shape: sizes },
  { name: text },
  ['name'],
);
/**
 * A placeholder that need not be fed: where it is not, its value is that of `input`.
 *
 * @param input the default: a tensor, or what `tf.constant` takes.
 * @param shape the sizes that may be fed, `null` for one that may differ from run to run.
 * @throws ShapeMismatchError when the default does not have that shape.
 *
 * ```ts
 * const training = tf.placeholderWithDefault(false, []);
 * const keepProb = tf.placeholderWithDefault(1, []);
 * ```
 */
export function placeholderWithDefault<const V, const S extends Shape>(
  input: V,
  shape: S,
  name?: Named,
): Placeholder<V extends Tensor<infer T, any> ? T : DTypeOfGiven<V>, [...S]>;
export function placeholderWithDefault(...given: unknown[]): Placeholder<any, any> {
  const { input, shape, name = 'PlaceholderWithDefault' } = defaultForm.take(given);
  const x = input instanceof Tensor ? input : (constant(input) as AnyTensor);
  const wanted = takeShape('placeholderWithDefault', shape);
  if (!compatible(wanted, x.shape)) {
    throw new ShapeMismatchError(
      `placeholderWithDefault: the default has the shape ${showShape(x.shape)}, which is not ${showShape(wanted)} (null fits any size).`,
    );
  }
  // Other sizes than those of the default may be fed.
  const outputs = [{ dtype: x.dtype, shape: wanted }];
  const definition = PlaceholderWithDefaultOp;
  const fields = { definition, inputs: [x], attributes: {}, outputs, name, outputClass: Placeholder };
  return x.graph.add(fields).outputs[0] as Placeholder;
}
