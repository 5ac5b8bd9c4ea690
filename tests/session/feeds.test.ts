// Feeds as the session keeps them: what is its own is not copied again, what is the caller's is.
import { expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { checkFeeds, copiesOf } from '../../src/session/feeds.ts';

const floats = tf.placeholder('float32', [null]);
const flags = tf.placeholder('bool', [null]);

test.each([
  ['nested numbers', floats, [1, 2], true],
  ['bytes for floats', floats, Uint8Array.of(1, 2), true],
  ['bytes for booleans', flags, Uint8Array.of(1, 2), true],
  ['booleans', flags, tf.array([true, false]), true],
  ['a typed array', floats, Float32Array.of(1, 2), false],
  ['a host array', floats, tf.array([1, 2]), false],
] as const)('%s are copied once', (_, tensor, value, own) => {
  const [feed] = checkFeeds([[tensor, value]]);
  const [copy] = copiesOf([feed]);
  expect(feed.isOwn).toBe(own);
  expect(feed.data === copy.data).toBe(own);
  expect(copy).toEqual({ ...feed, isOwn: true });
  expect(feed.data.constructor).toBe(tensor.dtype === 'bool' ? Uint8Array : Float32Array);
  expect(Array.from(feed.data)).toEqual(tensor.dtype === 'bool' ? [1, Number(feed.data[1])] : [1, 2]);
});

test('an error of a later run that waited is that of its check, and its stack can be read', async () => {
  const graph = new tf.Graph();
  const { at, picked } = graph.asDefault(() => {
    const at = tf.placeholder('int32', []);
    return { at, picked: tf.gather(tf.constant([1, 2, 3]), at) };
  });
  const session = new tf.Session({ graph });
  expect(await session.run(picked, [[at, 1]])).toBe(2);
  // Both wait for their turn: what is before them in the queue has to be compiled.
  const [, first, second] = await Promise.allSettled([
    session.run(
      graph.asDefault(() => tf.neg(picked)),
      [[at, 0]],
    ),
    session.run(picked, [[at, 7]]),
    session.run(picked, [[at, 2]]),
  ]);
  const error = (first as PromiseRejectedResult).reason as Error;
  expect(error).toBeInstanceOf(tf.InvalidArgumentError);
  expect(error.stack).toContain(error.message);
  expect((second as PromiseFulfilledResult<number>).value).toBe(3);
  await session.close();
});
