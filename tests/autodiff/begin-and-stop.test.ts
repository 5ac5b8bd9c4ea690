// tf.gradients: what flows into the ys, and where it stops. Values are compared with differences.
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

type Any = tf.Tensor<any, any>;
const inGraph = <R>(build: () => R): R => new tf.Graph().asDefault(build);

describe.each(backends)('on %s', (backend) => {
  test('gradYs weight the elements of the ys: values against differences', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const { x, v, weighted, numbers, mixed } = graph.asDefault(() => {
      const x = tf.placeholder('float64', [2, 3]) as Any;
      const v = tf.placeholder('float64', [2, 3]) as Any;
      const y = tf.exp(x.mul(x).mul(0.3)) as Any;
      const z = tf.reduceSum(tf.sin(x) as Any, 1) as Any;
      const w = tf.constant([2, -3], 'float64') as Any;
      const sum = (t: Any) => tf.reduceSum(t) as Any;
      return {
        x,
        v,
        weighted: tf.gradients([y, z], [x], { gradYs: [v, w] })[0] as Any,
        numbers: sum(y.mul(v)).add(sum(z.mul(w))) as Any,
        mixed: [
          tf.gradients([y, z, sum(y)], [x], { gradYs: [null, w, 2] })[0] as Any,
          tf.gradients(
            sum(y)
              .mul(3)
              .add(sum(z.mul(w))),
            [x],
          )[0] as Any,
        ],
      };
    });
    const at = Float64Array.of(0.1, -0.7, 1.2, 0.4, -1.5, 0.9);
    const weights = Float64Array.of(1, 0, -2, 0.5, 3, 0);
    const feeds = (values: Float64Array) =>
      [
        [x, values],
        [v, weights],
      ] as any;
    const found = (await session.run(weighted, feeds(at))) as any;
    const step = 1e-5;
    for (const i of at.keys()) {
      const moved = async (by: number) => {
        const values = at.slice();
        values[i] += by;
        return (await session.run(numbers, feeds(values))) as unknown as number;
      };
      expect(found.data[i]).toBeCloseTo(((await moved(step)) - (await moved(-step))) / (2 * step), 7);
    }
    const [a, b] = (await session.run(mixed, feeds(at))) as any[];
    for (const i of at.keys()) expect(a.data[i]).toBeCloseTo(b.data[i], 12);
  });

  test('sizes that are known only in the run are compared there', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const { x, v, dx, second } = graph.asDefault(() => {
      const x = tf.placeholder('float64', [null]) as Any;
      const v = tf.placeholder('float64', [null]) as Any;
      const dx = tf.gradients(tf.square(x), [x], [v])[0] as Any;
      // The derivative by the weights is the product the other way round.
      return { x, v, dx, second: tf.gradients(dx, [v], [x])[0] as Any };
    });
    const feeds = [
      [x, [1, 2]],
      [v, [10, 100]],
    ] as any;
    expect(((await session.run([dx, second], feeds)) as any[]).map((t) => t.toArray())).toEqual([
      [20, 400],
      [2, 8],
    ]);
    for (const wrong of [[1], [1, 2, 3]]) {
      await expect(
        session.run(dx, [
          [x, [1, 2]],
          [v, wrong],
        ] as any),
      ).rejects.toThrow(
        `gradients: Square:0 has shape [2], but the gradient given for it has shape [${wrong.length}]; they must be equal.`,
      );
    }
  });

  test('no gradient flows through what is stopped, though it has one itself', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const { x, total, partial, part, around } = graph.asDefault(() => {
      const x = tf.placeholder('float64', []) as Any;
      const b = x.mul(2) as Any;
      const y = x.add(b) as Any;
      const c = tf.square(x) as Any;
      const z = c.mul(x).add(tf.exp(c)) as Any;
      return {
        x,
        total: tf.gradients(y, [x, b]) as Any[],
        partial: tf.gradients(y, [x, b], { stopGradients: [x, b] }) as Any[],
        part: tf.gradients(z, [x], { stopGradients: c })[0] as Any,
        around: tf.gradients(tf.stopGradient(c).mul(x), [x])[0] as Any,
      };
    });
    const values = await session.run({ total, partial, part, around }, [[x, 3]] as any);
    expect(values).toEqual({ total: [3, 1], partial: [1, 1], part: 9, around: 9 });
  });
});

test('a y that is stopped is a constant, and what leads only through stops has no gradient', () => {
  inGraph(() => {
    const x = tf.placeholder('float32', [2]);
    const y = tf.square(x);
    const z = tf.exp(y);
    const before = tf.getDefaultGraph().operations.length;
    expect(tf.gradients(z, [x], { stopGradients: [y] })).toEqual([null]);
    expect(tf.gradients(z, [x], { stopGradients: [z] })).toEqual([null]);
    // Ones, and nothing else was made.
    expect(
      tf
        .getDefaultGraph()
        .operations.slice(before)
        .map(({ type }) => type),
    ).not.toContain('Mul');
    const parts = tf.getDefaultGraph().asDefault(() => tf.unstack(tf.zeros([2, 2]).add(x)));
    const [dx] = tf.gradients(parts, [x], { stopGradients: [parts[0]] });
    expect(dx).not.toBe(null);
    expect(tf.gradients(parts, [x], { stopGradients: parts })).toEqual([null]);
  });
});

test('the scope has the name that is given', () => {
  inGraph(() => {
    const x = tf.placeholder('float32', []);
    const [dx] = tf.gradients(tf.square(x), [x], { name: 'backward' });
    expect(dx?.name).toMatch(/^backward\//);
    expect(tf.gradients(tf.exp(x), [x])[0]?.name).toMatch(/^gradients\//);
  });
});

test.each<[string, (x: Any, y: Any) => unknown, typeof tf.MillraceError, string]>([
  [
    'too few',
    (x, y) => tf.gradients([y, y], [x], { gradYs: [null] }),
    tf.InvalidArgumentError,
    'gradients: gradYs must have a gradient for each y, but 1 came for 2 ys; null stands for ones.',
  ],
  [
    'of another shape',
    (x, y) => tf.gradients(y, [x], { gradYs: [tf.zeros([2])] }),
    tf.ShapeMismatchError,
    'gradients: Square:0 has shape [2, 3], but the gradient given for it has shape [2]; they must be equal.',
  ],
  [
    'a number for a matrix',
    (x, y) => tf.gradients(y, [x], 1),
    tf.ShapeMismatchError,
    'gradients: Square:0 has shape [2, 3], but the gradient given for it has shape []',
  ],
  [
    'of another dtype',
    (x, y) => tf.gradients(y, [x], { gradYs: tf.zeros([2, 3], 'float64') }),
    tf.DTypeError,
    'gradients: Square:0 has dtype float32, but the gradient given for it has dtype float64; use tf.cast.',
  ],
  [
    'arrays',
    (x, y) => tf.gradients(y, [x], { gradYs: [[1, 2, 3]] as never }),
    tf.InvalidArgumentError,
    'gradients: gradYs has tensors, numbers and null, but an array came for Square:0.',
  ],
  [
    'a stop that is no tensor',
    (x, y) => tf.gradients(y, [x], { stopGradients: ['x'] as never }),
    tf.InvalidArgumentError,
    'gradients: stopGradients must be an array of tensors, but the text "x" came',
  ],
  [
    'a stop of another graph',
    (x, y) => tf.gradients(y, [x], { stopGradients: inGraph(() => tf.zeros([])) }),
    tf.GraphError,
    'gradients: all tensors must belong to one graph.',
  ],
])('wrong: %s', (_, attempt, error, message) => {
  inGraph(() => {
    const x = tf.placeholder('float32', [2, 3]);
    const y = tf.square(x);
    expect(() => attempt(x, y)).toThrow(error);
    expect(() => attempt(x, y)).toThrow(message);
  });
});
