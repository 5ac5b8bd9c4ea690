// Sizes that tensors give: of what they may be computed, and what a run is known by.
import { expect, test } from 'vitest';
import * as tf from '../../../src/index.ts';
import { lower } from '../compile.ts';

type Any = tf.Tensor<any, any>;
const inGraph = <R>(build: () => R): R => new tf.Graph().asDefault(build);
const fed = (tensor: Any, shape: readonly number[], data: readonly number[]) => [tensor, shape, data] as const;

test('are computed of constants, shapes and feeds; only feeds whose numbers count are part of the run', () => {
  const { run, n, y } = inGraph(() => {
    const [x, n] = [tf.placeholder('float32', [null, 3]), tf.placeholder('int32', [])];
    const rows = tf.add(tf.unstack(tf.shape(x))[0], n);
    const y = tf.fill([rows, 2], 1) as Any;
    return { n, y, run: lower({ fetches: [y], feeds: [fed(x, [4, 3], []), fed(n, [], [5])] }) };
  });
  expect(y.shape).toEqual([null, 2]);
  expect(run.fetches[0].shape).toEqual([9, 2]);
  expect(run.sizeFeeds).toEqual([n]);
  // Nothing of it is left in the run.
  expect(run.nodes.map((node) => node.kind)).toEqual(['constant']);
});

test('that are fed, whatever the graph says of them', () => {
  const run = inGraph(() => {
    const v = tf.variable(tf.zeros([2, 3]));
    const size = tf.size(v);
    return lower({ fetches: [tf.zeros([size]) as Any], feeds: [fed(size, [], [7])] });
  });
  expect(run.fetches[0].shape).toEqual([7]);
});

test('refuse what is known only in the run, with both lines', () => {
  const refusal = (build: () => Parameters<typeof lower>[0]): string => {
    try {
      inGraph(() => lower(build()));
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
    return 'nothing';
  };
  const sizes = () => tf.placeholder('int32');
  const vector = Array.from({ length: 65 }, () => 1);
  expect(
    refusal(() => {
      const s = sizes();
      return { fetches: [tf.ones(s) as Any], feeds: [fed(s, [65], vector)] };
    }),
  ).toMatch(
    /^FeedError: Placeholder:0, made at .*size-values\.test\.ts.* a vector of at most 64 numbers must be fed, but \[65\]/,
  );
  expect(
    refusal(() => {
      const s = sizes();
      return { fetches: [tf.ones(s) as Any], feeds: [fed(s, [1, 2], [1, 2])] };
    }),
  ).toMatch(/^FeedError: .*but \[1, 2\] was/);
});
