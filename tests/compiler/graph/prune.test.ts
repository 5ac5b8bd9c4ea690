// What a run needs: nothing above a fed tensor, everything that a control dependency asks for.
import { expect, test } from 'vitest';
import { atOnce } from '../../../src/base/turns.ts';
import { prune } from '../../../src/compiler/graph/prune.ts';
import * as tf from '../../../src/index.ts';

type Any = tf.Tensor<any, any>;
const inGraph = <R>(build: () => R): R => new tf.Graph().asDefault(build);

test('keeps what the fetches need and nothing above a fed tensor', () => {
  const { a, b, c } = inGraph(() => {
    const p = tf.placeholder('float32', [2]);
    const q = tf.exp(p);
    return { a: p, b: q, c: tf.add(q, 1) };
  });
  const request = { graph: a.graph, targets: [], seed: 0 };
  const names = (feeds: Any[]) =>
    atOnce(prune({ ...request, fetches: [c], feeds: feeds.map((tensor) => ({ tensor, shape: [2] })) })).map(
      (o) => o.type,
    );
  expect(names([a])).toEqual(['Exp', 'Const', 'Add']);
  expect(names([b])).toEqual(['Const', 'Add']);
});
