// randomShuffle and multinomial: nothing is lost, all orders and classes come as often as they should, and again.
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

describe.each(backends)('on %s', (backend) => {
  test('a shuffle has the rows of x, in another order in each run', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const y = graph.asDefault(
      () => tf.randomShuffle(tf.reshape(tf.range(200), [100, 2]) as any, 3) as tf.Tensor<any, any>,
    );
    const [a, b] = [(await session.run(y)) as any, (await session.run(y)) as any];
    for (const found of [a, b]) {
      const rows = found.toArray() as number[][];
      expect(rows.every(([p, q]) => q === p + 1)).toBe(true);
      expect(rows.map(([p]) => p).sort((p, q) => p - q)).toEqual(Array.from({ length: 100 }, (_, i) => 2 * i));
    }
    expect(a.toArray()).not.toEqual(b.toArray());
  });

  test('classes come as often as their probabilities say, those of probability 0 never', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const share = [0.1, 0, 0.6, 0.3];
    const y = graph.asDefault(() => tf.multinomial(tf.log(tf.constant([share, [1, 0, 0, 0]])), 4000, 5));
    const [first, second] = (await session.run(y)).toArray() as number[][];
    expect(new Set(second)).toEqual(new Set([0]));
    share.forEach((p, c) => {
      const found = first.filter((k) => k === c).length / 4000;
      // Four standard deviations.
      expect(Math.abs(found - p)).toBeLessThanOrEqual(4 * Math.sqrt((p * (1 - p)) / 4000));
    });
  });
});

test('all six orders of three rows come as often', async () => {
  const graph = new tf.Graph();
  await using session = new tf.Session({ graph, backend: 'wasm' });
  const y = graph.asDefault(() => tf.randomShuffle(tf.constant([0, 1, 2]), 1));
  const counts = new Map<string, number>();
  for (let i = 0; i < 1200; i++) {
    const order = (await session.run(y)).data.join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const n of counts.values()) expect(Math.abs(n - 200)).toBeLessThan(60);
});
