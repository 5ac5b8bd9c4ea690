// Feeds: checked when `run` is called, so that nothing of a wrong shape or type ever reaches a backend.

import { FeedError, MillraceError } from '../base/errors.ts';
import { Tensor } from '../graph/tensor.ts';
import { describe, describeThrown } from '../tensor/describe.ts';
import { copyOf, type TypedArray, widens } from '../tensor/dtype.ts';
import type { Problem } from '../tensor/problem.ts';
import { compatible, type Shape, showShape } from '../tensor/shape.ts';
import { booleans } from '../tensor/typed-array.ts';
import { take } from '../tensor/values.ts';
import type { FeedPairs } from './types.ts';

/** A feed as the compiler and the backend take it. */
export interface CheckedFeed {
  readonly tensor: Tensor;
  readonly shape: readonly number[];
  /** As many elements as the shape has, if nothing has happened to the caller's memory since. */
  readonly data: TypedArray;
  /** Are the data a copy that nobody else knows of? */
  readonly isOwn: boolean;
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

/**
 * Reads the feeds, each part of the structure once.
 *
 * @throws FeedError for feeds of a wrong form, shape or dtype: names the tensor, its line, and both sides.
 */
export function checkFeeds(given: unknown): CheckedFeed[] {
  if (given === undefined) return [];
  try {
    return readPairs(given);
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw new FeedError(`The feeds cannot be read (${describeThrown(error)}). ${rightForm}`, { cause: error });
  }
}

function readPairs(given: unknown): CheckedFeed[] {
  if (!Array.isArray(given)) {
    const what = given instanceof Map ? 'a Map' : describe(given);
    throw new FeedError(`Feeds must be an array of pairs, but ${what} came. ${rightForm}`);
  }
  const seen = new Set<Tensor>();
  const feeds: CheckedFeed[] = [];
  const { length } = given;
  for (let i = 0; i < length; i++) {
    const pair: unknown = given[i];
    if (i === 0 && pair instanceof Tensor) {
      throw new FeedError(
        `Feeds must be an array of pairs, but a single pair came: put it in another pair of brackets. ${rightForm}`,
      );
    }
    const [tensor, value] = Array.isArray(pair) && pair.length === 2 ? [pair[0] as unknown, pair[1] as unknown] : [];
    if (!(tensor instanceof Tensor)) {
      throw new FeedError(`Feed number ${i + 1} is not a pair of a tensor and a value. ${rightForm}`);
    }
    if (seen.has(tensor)) throw new FeedError(`${tensor.name} is fed twice; give it one value.`);
    seen.add(tensor);
    feeds.push(checkFeed(tensor, value));
  }
  return feeds;
}

const where = (t: Tensor) => `${t.name} (${t.dtype}, ${showShape(t.shape)}), made at ${t.operation.line}`;

function checkFeed(tensor: Tensor, value: unknown): CheckedFeed {
  const taken = take(value, (problem) => refusal(tensor, value, problem), tensor.dtype);
  const { dtype, data, from } = taken;
  const isBytes = tensor.dtype === 'bool' && dtype === 'uint8';
  if (!isBytes && !widens(dtype, tensor.dtype)) {
    throw new FeedError(
      `${where(tensor)}, was fed values of dtype ${dtype}; convert them with tf.array(data, shape, '${tensor.dtype}').`,
    );
  }
  const shape = from === 'typed array' ? solveShape(tensor, taken.shape[0]) : taken.shape;
  if (!compatible(tensor.shape, shape)) {
    throw new FeedError(
      `${where(tensor)}, was fed a value of shape ${showShape(shape)}; the sizes must agree (null fits any).`,
    );
  }
  if (from === 'nested') return { tensor, shape, data, isOwn: true };
  if (!isBytes && dtype !== tensor.dtype) return { tensor, shape, data: copyOf(tensor.dtype, data), isOwn: true };
  return tensor.dtype === 'bool'
    ? { tensor, shape, data: booleans(data), isOwn: true }
    : { tensor, shape, data, isOwn: false };
}

function refusal(tensor: Tensor, value: unknown, { kind, came, detail, advice, cause }: Problem): FeedError {
  if (kind === 'dtype') return new FeedError(`${where(tensor)}: ${came}; ${advice}.`, { cause });
  const what =
    value instanceof Tensor
      ? `the tensor ${value.name}, which has no value until it runs: feed its value, await ${value.name.split(':')[0]}.eval()`
      : `${came}${detail ? `: ${detail}` : ''}`;
  const usual = 'give a number, nested arrays with rows of one length, a typed array or tf.array(…)';
  return new FeedError(`${where(tensor)}, was fed ${what}; ${advice ?? usual}.`, { cause });
}

/** The feeds as they are now: what happens to the caller's memory later changes nothing. */
export const copiesOf = (feeds: readonly CheckedFeed[]): CheckedFeed[] =>
  feeds.map((f) => (f.isOwn ? f : { ...f, data: copyOf(f.tensor.dtype, f.data), isOwn: true }));

/** The shape of a flat typed array: that of the tensor, one unknown size following from the length. */
function solveShape(tensor: Tensor, length: number): readonly number[] {
  const given: Shape = tensor.shape ?? [length];
  let unknown = 0;
  let known = 1;
  for (let i = 0; i < given.length; i++) {
    const d = given[i];
    if (d === null) unknown++;
    else known *= d;
  }
  const fits = unknown === 0 ? known === length : unknown === 1 && known > 0 && length % known === 0;
  if (!fits) {
    throw new FeedError(
      `${where(tensor)}, was fed a typed array of ${length} elements, from which its shape does not follow; use tf.array(data, shape).`,
    );
  }
  const shape: number[] = [];
  for (let i = 0; i < given.length; i++) shape.push(given[i] ?? length / known);
  return shape;
}
