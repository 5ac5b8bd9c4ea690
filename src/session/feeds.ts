// Feeds: checked when `run` is called, so that nothing of a wrong shape or type ever reaches a backend.

import { DTypeError, FeedError } from '../base/errors.ts';
import { Tensor } from '../graph/tensor.ts';
import { type DType, dtypeOfArray, type TypedArray } from '../tensor/dtype.ts';
import { booleans, convert, flatten, isNDArray } from '../tensor/ndarray.ts';
import { compatible, elements, type Shape, showShape } from '../tensor/shape.ts';
import type { FeedPairs } from './types.ts';

/** A feed as the compiler and the backend take it. */
export interface CheckedFeed {
  readonly tensor: Tensor;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/**
 * Feeds in a variable, with their types: `run` takes them as they are.
 *
 * ```ts
 * const test = tf.feeds([x, mnist.test.images], [y_, mnist.test.labels]);
 * await accuracy.eval(test);
 * ```
 */
export function feeds<const P extends readonly Tensor<any, any>[]>(...pairs: FeedPairs<P>): FeedPairs<P> {
  return pairs;
}

const rightForm = 'Feeds are pairs: run([[x, images], [keepProb, 0.5]]).';

/** @throws FeedError for feeds of a wrong form, shape or dtype: names the tensor, its line, and both sides. */
export function checkFeeds(given: unknown): CheckedFeed[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) {
    const what =
      given instanceof Map ? 'a Map' : typeof given === 'object' ? 'an object' : `${typeof given} ${String(given)}`;
    throw new FeedError(`Feeds must be an array of pairs, but ${what} came. ${rightForm}`);
  }
  if (given[0] instanceof Tensor) {
    throw new FeedError(
      `Feeds must be an array of pairs, but a single pair came: put it in another pair of brackets. ${rightForm}`,
    );
  }
  const seen = new Set<Tensor>();
  return given.map((pair: unknown, i) => {
    if (!Array.isArray(pair) || pair.length !== 2 || !(pair[0] instanceof Tensor)) {
      throw new FeedError(`Feed number ${i + 1} is not a pair of a tensor and a value. ${rightForm}`);
    }
    const [tensor, value] = pair as [Tensor, unknown];
    if (seen.has(tensor)) throw new FeedError(`${tensor.name} is fed twice; give it one value.`);
    seen.add(tensor);
    return checkFeed(tensor, value);
  });
}

const where = (t: Tensor) => `${t.name} (${t.dtype}, ${showShape(t.shape)}), made at ${t.operation.line}`;

function checkFeed(tensor: Tensor, value: unknown): CheckedFeed {
  const { shape, data } = hostValue(tensor, value);
  if (!compatible(tensor.shape, shape)) {
    throw new FeedError(
      `${where(tensor)}, was fed a value of shape ${showShape(shape)}; the sizes must agree (null fits any).`,
    );
  }
  return { tensor, shape, data: tensor.dtype === 'bool' ? booleans(data) : data };
}

function hostValue(tensor: Tensor, value: unknown): { shape: readonly number[]; data: TypedArray } {
  if (isNDArray(value)) {
    checkDType(tensor, value.dtype);
    return value;
  }
  const typed = dtypeOfArray(value);
  if (typed !== undefined) {
    const data = value as TypedArray;
    checkDType(tensor, tensor.dtype === 'bool' && typed === 'uint8' ? 'bool' : typed);
    return { shape: solveShape(tensor, data.length), data };
  }
  const flat = flatten(value);
  if (!flat) {
    const came =
      value === undefined
        ? 'undefined'
        : value === null
          ? 'null'
          : Array.isArray(value)
            ? 'a ragged array'
            : value instanceof Tensor
              ? `the tensor ${value.name}, which has no value until it runs: feed its value, await ${value.name.split(':')[0]}.eval()`
              : typeof value;
    throw new FeedError(
      `${where(tensor)}, was fed ${came}; give a number, nested arrays with rows of one length, a typed array or tf.array(…).`,
    );
  }
  try {
    return { shape: flat.shape, data: convert(flat.values, tensor.dtype) };
  } catch (error) {
    if (error instanceof DTypeError) throw new FeedError(`${where(tensor)}: ${error.message}`);
    throw error;
  }
}

function checkDType(tensor: Tensor, dtype: DType): void {
  if (dtype !== tensor.dtype) {
    throw new FeedError(
      `${where(tensor)}, was fed values of dtype ${dtype}; convert them with tf.array(data, shape, '${tensor.dtype}').`,
    );
  }
}

/** The shape of a flat typed array: that of the tensor, one unknown size following from the length. */
function solveShape(tensor: Tensor, length: number): readonly number[] {
  const shape: Shape = tensor.shape ?? [length];
  const unknown = shape.filter((d) => d === null).length;
  const known = elements(shape.filter((d) => d !== null));
  const fits = unknown === 0 ? known === length : unknown === 1 && known > 0 && length % known === 0;
  if (!fits) {
    throw new FeedError(
      `${where(tensor)}, was fed a typed array of ${length} elements, from which its shape does not follow; use tf.array(data, shape).`,
    );
  }
  return shape.map((d) => d ?? length / known);
}
