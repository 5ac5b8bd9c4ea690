// Placeholders: tensors whose values are fed.

import { DTypeError, FeedError, ShapeMismatchError } from '../base/errors.ts';
import { Placeholder } from '../graph/tensor.ts';
import { type DType, isDType } from '../tensor/dtype.ts';
import { type Dim, type Shape, showShape } from '../tensor/shape.ts';
import { applyAll, defineOp, describe } from './define.ts';

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
  if (!isDType(dtype)) {
    throw new DTypeError(
      `placeholder: there is no dtype ${describe(dtype)}; use 'float32', 'float64', 'int32', 'uint8' or 'bool'.`,
    );
  }
  if (shape !== undefined && !Array.isArray(shape)) {
    throw new ShapeMismatchError(
      `placeholder: the shape must be an array such as [null, 784], but ${describe(shape)} came.`,
    );
  }
  const bad = shape?.some((d) => d !== null && (!Number.isInteger(d) || d < 0));
  if (bad) {
    throw new ShapeMismatchError(
      `placeholder: every size must be a whole number of at least 0, or null where it is not known yet, but the shape is ${showShape(shape)}.`,
    );
  }
  const attributes = { dtype, shape: shape && [...shape] };
  return applyAll(PlaceholderOp, [], attributes, { name: options.name, outputClass: Placeholder })[0] as Placeholder;
}
