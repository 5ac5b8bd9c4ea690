// Placeholders: tensors whose values are fed.

import { FeedError } from '../base/errors.ts';
import { Placeholder } from '../graph/tensor.ts';
import type { DType } from '../tensor/dtype.ts';
import type { Dim, Shape } from '../tensor/shape.ts';
import { takeShape } from '../tensor/sizes.ts';
import { checkDType } from '../tensor/values.ts';
import { applyAll, defineOp } from './define.ts';

/** @internal The compiler recognises it: it is fed, never lowered. */
export const PlaceholderOp = defineOp<{ dtype: DType; shape: Shape | undefined }>({
  name: 'Placeholder',
  infer: (_, type) => type,
  gradient: () => [],
  lower: () => {
    throw new FeedError('A placeholder must be fed.');
  },
});

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
export function placeholder<T extends DType>(dtype: T): Placeholder<T, Dim[]>;
export function placeholder<T extends DType, const S extends Shape>(
  dtype: T,
  shape: S,
  options?: { name?: string },
): Placeholder<T, [...S]>;
export function placeholder(dtype: DType, shape?: Shape, options: { name?: string } = {}): Placeholder {
  checkDType('placeholder', dtype);
  const attributes = { dtype, shape: shape === undefined ? undefined : takeShape('placeholder', shape) };
  return applyAll(PlaceholderOp, [], attributes, { name: options.name, outputClass: Placeholder })[0] as Placeholder;
}
