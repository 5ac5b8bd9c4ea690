// tf.array: host arrays from what users have.

import { ShapeMismatchError } from '../base/errors.ts';
import type { DType } from './dtype.ts';
import { type DTypeOfGiven, hostArray, type NDArray, type ShapeOfGiven } from './ndarray.ts';
import { refusalOf } from './problem.ts';
import { elements, showShape } from './shape.ts';
import { takeSizes } from './sizes.ts';
import { plainView } from './typed-array.ts';
import { checkDType, ownData, take } from './values.ts';

/**
 * A host array from nested JavaScript arrays, a flat list with a shape, a typed array with a shape, or another host
 * array, for another shape or element type.
 *
 * Numbers become float32, booleans bool; typed arrays keep their element type and their memory, which is not copied,
 * unless `dtype` says otherwise: what is written to it later is what later runs are fed.
 *
 * @throws ShapeMismatchError when the nesting is ragged or the number of elements does not fit the shape.
 * @throws DTypeError when a value does not fit the element type (a fraction in an int32).
 * @throws InvalidArgumentError for what is no number, or no array of numbers.
 *
 * ```ts
 * tf.array([[1, 2], [3, 4]]);                        // float32 [2, 2]
 * tf.array(new Float32Array(50 * 784), [50, 784]);
 * tf.array([3, 1, 2], [3], 'int32');
 * ```
 */
export function array<
  const V,
  const S extends readonly number[] = Extract<ShapeOfGiven<V>, readonly number[]>,
  T extends DType = DTypeOfGiven<V>,
>(data: V, shape?: S, dtype?: T): NDArray<NoInfer<T>, [...S]> {
  if (dtype !== undefined) checkDType('array', dtype);
  const given = shape === undefined ? undefined : takeSizes('array', shape);
  const refuse = refusalOf('array');
  const taken = take(data, refuse, dtype);
  const sizes = given ?? taken.shape;
  if (elements(sizes) !== elements(taken.shape)) {
    throw new ShapeMismatchError(
      `array: ${elements(taken.shape)} elements do not fill shape ${showShape(sizes)}, which has ${elements(sizes)}.`,
    );
  }
  const target: DType = dtype ?? taken.dtype;
  const values = target === taken.dtype ? plainView(target, taken.data) : ownData(taken, target, refuse);
  return hostArray<DType, [...S]>(target, sizes, values) as NDArray<T, [...S]>;
}
