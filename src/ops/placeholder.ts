// Placeholders: tensors whose values are fed.

import { FeedError } from '../base/errors.ts';
import { Placeholder } from '../graph/tensor.ts';
import type { DType } from '../tensor/dtype.ts';
import { dtype as dtypeKind, sizes, text } from '../tensor/kinds.ts';
import type { Dim, Shape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { takeShape } from '../tensor/sizes.ts';
import { applyAll, defineOp, type Named } from './define.ts';

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
