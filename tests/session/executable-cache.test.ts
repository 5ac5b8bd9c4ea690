// What is compiled is kept for its fetches, feeds and sizes: 64 runs, of which that not used for longest goes first.
import { expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { ExecutableCache } from '../../src/session/executable-cache.ts';
import { checkFeeds } from '../../src/session/feeds.ts';
import { flattenFetches } from '../../src/session/fetches.ts';

const graph = new tf.Graph();
const { x, k, y, parts, step } = graph.asDefault(() => {
  const placeholder = tf.placeholder('float32') as tf.Tensor<any, any>;
  const count = tf.placeholder('float32') as tf.Tensor<any, any>;
  const v = tf.variable(1);
  return {
    x: placeholder,
    k: count,
    y: tf.mul(placeholder, count) as tf.Tensor<any, any>,
    parts: tf.unstack(tf.constant([1, 2])),
    step: tf.assignAdd(v, 1),
  };
});
const fetch = (what: unknown) => flattenFetches(what, graph);
const feed = (...pairs: unknown[]) => checkFeeds(pairs);
const vector = (size: number) => new Float32Array(size);

test('64 are kept; the one that was not used for longest is given up first, once', () => {
  const freed: number[] = [];
  const cache = new ExecutableCache<number>((value) => freed.push(value));
  for (let n = 1; n <= 64; n++) cache.set(fetch(y), feed([x, vector(n)]), [], n);
  expect([cache.size, freed]).toEqual([64, []]);
  // Asked for, so used.
  expect(cache.get(fetch(y), feed([x, vector(1)]))).toBe(1);
  cache.set(fetch(y), feed([x, vector(65)]), [], 65);
  expect([cache.size, freed]).toEqual([64, [2]]);
  expect(cache.get(fetch(y), feed([x, vector(2)]))).toBeUndefined();
  for (let n = 66; n <= 128; n++) cache.set(fetch(y), feed([x, vector(n)]), [], n);
  expect(freed.at(-1)).toBe(1);
  expect(cache.get(fetch(y), feed([x, vector(65)]))).toBe(65);
  cache.clear();
  expect(freed).toHaveLength(128);
  expect(new Set(freed).size).toBe(128);
});

test('runs that differ in anything that is compiled are kept apart, and those that do not are one', () => {
  const cache = new ExecutableCache<string>(() => {});
  const different: Record<string, readonly [unknown, readonly unknown[]]> = {
    plain: [
      y,
      [
        [x, vector(6)],
        [k, 1],
      ],
    ],
    'another size': [
      y,
      [
        [x, vector(7)],
        [k, 1],
      ],
    ],
    'another shape of the same elements': [
      y,
      [
        [x, tf.array(vector(6), [2, 3])],
        [k, 1],
      ],
    ],
    'sizes the other way round': [
      y,
      [
        [x, tf.array(vector(6), [3, 2])],
        [k, 1],
      ],
    ],
    'an axis of one more': [
      y,
      [
        [x, tf.array(vector(6), [6, 1])],
        [k, 1],
      ],
    ],
    'a number': [
      y,
      [
        [x, 1],
        [k, 1],
      ],
    ],
    'one feed less': [y, [[x, vector(6)]]],
    'no feeds': [y, []],
    'another fetch': [
      x,
      [
        [x, vector(6)],
        [k, 1],
      ],
    ],
    'two fetches': [
      [y, x],
      [
        [x, vector(6)],
        [k, 1],
      ],
    ],
    'the other way round': [
      [x, y],
      [
        [x, vector(6)],
        [k, 1],
      ],
    ],
    'twice the same': [
      [y, y],
      [
        [x, vector(6)],
        [k, 1],
      ],
    ],
    'an output': [parts[0], []],
    'another output of the same operation': [parts[1], []],
    'a value': [step, []],
    'its operation': [step.operation, []],
  };
  for (const [name, [what, pairs]] of Object.entries(different)) {
    expect([name, cache.get(fetch(what), feed(...pairs))]).toEqual([name, undefined]);
    cache.set(fetch(what), feed(...pairs), [], name);
  }
  for (const [name, [what, pairs]] of Object.entries(different))
    expect(cache.get(fetch(what), feed(...pairs))).toBe(name);
  // The values of feeds, and the form of what is returned, are compiled into nothing.
  expect(cache.get(fetch({ result: [y] }), feed([x, vector(6).fill(3)], [k, 2]))).toBe('plain');
});
