// What picks among elements: extremes, windows, branches, positions, with −∞, NaN, zeros of both signs and nothing at all.
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { type Any, using, variants } from './contract.ts';

const nan = Number.NaN;
const hard = [-Infinity, Infinity, nan, 0, -0, 1, -1, 2.5];

/** The same numbers every time. */
function* draws(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}
const random = draws(7);
const among = <T>(list: readonly T[]): T => list[Math.floor(random.next().value * list.length)];
const flat = (v: any): number[] => (typeof v === 'object' ? Array.from(v.data) : [v]);

/** Is b to be picked rather than a, which comes first? NaN is the most extreme, and there is one order of zeros. */
const isLarger = (a: number, b: number) => !Number.isNaN(a) && (Number.isNaN(b) || b > a);

interface Windows {
  readonly size: [number, number];
  readonly ksize: [number, number];
  readonly strides: [number, number];
  readonly padding: 'SAME' | 'VALID';
}
/** For each window of an image its elements, as numbers of pixels. */
function windowsOf({ size, ksize, strides, padding }: Windows): number[][] {
  const axes = [0, 1].map((a) => {
    const out =
      padding === 'SAME' ? Math.ceil(size[a] / strides[a]) : Math.floor((size[a] - ksize[a]) / strides[a]) + 1;
    const before = padding === 'SAME' ? Math.floor(Math.max(0, (out - 1) * strides[a] + ksize[a] - size[a]) / 2) : 0;
    return Array.from({ length: out }, (_, o) =>
      Array.from({ length: ksize[a] }, (_x, k) => o * strides[a] - before + k).filter((i) => i >= 0 && i < size[a]),
    );
  });
  return axes[0].flatMap((rows) => axes[1].map((columns) => rows.flatMap((r) => columns.map((c) => r * size[1] + c))));
}
const pools: Windows[] = (['SAME', 'VALID'] as const).flatMap((padding) => [
  { size: [2, 2], ksize: [2, 2], strides: [1, 1], padding },
  { size: [4, 4], ksize: [2, 2], strides: [2, 2], padding },
  { size: [5, 7], ksize: [3, 3], strides: [2, 2], padding },
  { size: [5, 6], ksize: [3, 3], strides: [1, 1], padding },
  { size: [6, 5], ksize: [4, 2], strides: [2, 1], padding },
  { size: [7, 9], ksize: [5, 5], strides: [3, 2], padding },
]);
const images: ((i: number) => number)[] = [
  () => -Infinity,
  (i) => (i % 3 === 0 ? -Infinity : -1e30),
  () => among([-Infinity, -Infinity, -Infinity, 1]),
  () => among(hard),
  () => among([-Infinity, -1, -2]),
];

describe.each(variants)('on %s', (_, options) => {
  test('pooling: padding never wins, counts for nothing and hides nothing; nor in gradients', async () => {
    const graph = new tf.Graph();
    const wrong = await using({ ...options, graph }, async (session) => {
      const found: string[] = [];
      for (const w of pools) {
        const windows = windowsOf(w);
        const [x, dy, ...results] = graph.asDefault(() => {
          const input = tf.placeholder('float64', [1, ...w.size, 1]) as Any;
          const weights = tf.placeholder('float64', [windows.length]) as Any;
          const attributes = { ksize: [1, ...w.ksize, 1], strides: [1, ...w.strides, 1], padding: w.padding } as any;
          const ys = [tf.nn.maxPool(input, attributes), tf.nn.avgPool(input, attributes)] as Any[];
          const sums = ys.map((y) => tf.reduceSum(tf.mul(tf.reshape(y, [windows.length]), weights)) as Any);
          // Where an image is not finite its gradient is asked for, not the sum.
          return [input, weights, ...ys, ...sums.map((sum) => tf.gradients(sum, [input])[0] as Any)];
        });
        const weights = windows.map((_w, i) => i + 1);
        for (const pixel of images) {
          const image = Array.from({ length: w.size[0] * w.size[1] }, (_p, i) => pixel(i));
          const runs = (await session.run(results, [
            [x, tf.array(Float64Array.from(image), [1, ...w.size, 1])],
            [dy, weights],
          ] as any)) as any[];
          const best = windows.map((all) => all.reduce((a, b) => (isLarger(image[a], image[b]) ? b : a)));
          const gradients = [0, 1].map((kind) => {
            const sums = image.map(() => 0);
            for (const [i, all] of windows.entries()) {
              for (const p of kind === 0 ? [best[i]] : all) sums[p] += weights[i] / (kind === 0 ? 1 : all.length);
            }
            return sums;
          });
          const means = windows.map((all) => all.reduce((sum, p) => sum + image[p], 0) / all.length);
          const wanted = [best.map((p) => image[p]), means, ...gradients];
          for (const [k, y] of wanted.entries()) {
            const same = flat(runs[k]).every((v, i) => Object.is(v, y[i]) || v === y[i] || Math.abs(v - y[i]) < 1e-12);
            if (!same) found.push(`${k} of ${JSON.stringify(w)} for ${image}: ${flat(runs[k])}, right is ${y}`);
          }
        }
      }
      return found;
    });
    expect(wrong.slice(0, 3)).toEqual([]);
  });

  test.each(['float32', 'float64'] as const)(
    'reduceMax, reduceMin, argmax and argmin of %s along any axis',
    async (dtype) => {
      const graph = new tf.Graph();
      await using({ ...options, graph }, async (session) => {
        for (const [rows, columns] of [
          [3, 5],
          [2, 37],
          [40, 3],
        ]) {
          const [x, ...results] = graph.asDefault(() => {
            const input = tf.placeholder(dtype, [rows, columns]) as Any;
            const f = tf as any;
            return [
              input,
              ...[0, 1].flatMap((axis) =>
                ['reduceMax', 'reduceMin', 'argmax', 'argmin'].map((name) => f[name](input, axis) as Any),
              ),
            ];
          });
          for (const palette of [hard, [0, -0], [-0], [nan, 0], [-Infinity], [Infinity, -0, 0], [-0, -1]]) {
            const data = Array.from({ length: rows * columns }, () => among(palette));
            const runs = (await session.run(results, [
              [x, tf.array(dtype === 'float32' ? Float32Array.from(data) : Float64Array.from(data), [rows, columns])],
            ] as any)) as any[];
            const lines = [
              Array.from({ length: columns }, (_c, c) =>
                Array.from({ length: rows }, (_r, r) => data[r * columns + c]),
              ),
              Array.from({ length: rows }, (_r, r) => data.slice(r * columns, (r + 1) * columns)),
            ];
            const first = (line: number[], larger: (a: number, b: number) => boolean) =>
              line.reduce((best, v, i) => (larger(line[best], v) ? i : best), 0);
            const wanted = lines.flatMap((all) => [
              all.map((line) => Math.max(...line)),
              all.map((line) => Math.min(...line)),
              all.map((line) => first(line, isLarger)),
              all.map((line) => first(line, (a, b) => isLarger(-a, -b))),
            ]);
            expect(runs.map(flat)).toEqual(wanted);
          }
        }
      });
    },
  );

  test('where takes nothing of the other branch, nor does its gradient', async () => {
    const graph = new tf.Graph();
    await using({ ...options, graph }, async (session) => {
      const [c, a, b, y, da, db] = graph.asDefault(() => {
        const condition = tf.placeholder('bool', [9]) as Any;
        const [p, q] = [tf.placeholder('float32', [9]), tf.placeholder('float32', [9])] as Any[];
        const chosen = tf.where(condition, p, q) as Any;
        const weights = tf.constant([1, 2, 3, 4, 5, 6, 7, 8, 9]) as Any;
        return [condition, p, q, chosen, ...tf.gradients(tf.mul(chosen, weights), [p, q])] as Any[];
      });
      const takes = [true, false, true, true, false, false, true, false, true];
      const bad = [nan, Infinity, -Infinity];
      const first = takes.map((t, i) => (t ? i : bad[i % 3]));
      const second = takes.map((t, i) => (t ? bad[i % 3] : -i));
      const run = (await session.run([y, da, db], [
        [c, takes],
        [a, first],
        [b, second],
      ] as any)) as any[];
      expect(run.map(flat)).toEqual([
        takes.map((t, i) => (t ? i : -i)),
        takes.map((t, i) => (t ? i + 1 : 0)),
        takes.map((t, i) => (t ? 0 : i + 1)),
      ]);
    });
  });

  test('relu, maximum and minimum know one zero, in chains and epilogues too', async () => {
    const graph = new tf.Graph();
    await using({ ...options, graph }, async (session) => {
      const [x, ...results] = graph.asDefault(() => {
        const input = tf.placeholder('float32', [3, 7]) as Any;
        const one = tf.constant([[1]]) as Any;
        const product = tf.matmul(tf.reshape(input, [21, 1]), one) as Any;
        return [
          input,
          tf.div(tf.constant(1), tf.nn.relu(input)),
          tf.div(tf.constant(1), tf.nn.relu(tf.neg(tf.abs(input)))),
          tf.div(tf.constant(1), tf.maximum(tf.mul(product, 0), 0 as any)),
          tf.div(tf.constant(1), tf.minimum(input, tf.constant(-0) as Any)),
        ] as Any[];
      });
      const data = Float32Array.from({ length: 21 }, (_v, i) => (i % 2 ? -0 : 0));
      const run = (await session.run(results, [[x, tf.array(data, [3, 7])]] as any)) as any[];
      const all = (v: number) => Array.from({ length: 21 }, () => v);
      expect(run.map(flat)).toEqual([all(Infinity), all(Infinity), all(Infinity), all(-Infinity)]);
    });
  });

  test('the position of nothing, a mean of no integers, and what picks from nothing are errors with op and line', async () => {
    const graph = new tf.Graph();
    await using({ ...options, graph }, async (session) => {
      const refused = async (build: (x: Any) => Any, shape: number[], dtype: tf.DType = 'float32') => {
        const [x, y] = graph.asDefault(() => {
          const input = tf.placeholder(
            dtype,
            shape.map(() => null),
          ) as Any;
          return [input, build(input)];
        });
        const data = new Float32Array(0);
        const fed = tf.array(dtype === 'float32' ? data : Int32Array.from(data), shape);
        return await session.run(y, [[x, fed]] as any).then(
          (value) => `gave ${flat(value)}`,
          (error) => `${error.name}: ${error.message}`,
        );
      };
      const at = /\n {4}at .*, made at .*picks\.test\.ts/;
      const picks = { argmax: tf.argmax, argmin: tf.argmin } as Record<string, (x: Any, axis: number) => Any>;
      for (const [name, pick] of Object.entries(picks)) {
        const message = await refused((x) => pick(x, 0), [0, 2]);
        expect(message).toMatch(
          new RegExp(`^InvalidArgumentError: ${name}: axis 0 of shape \\[0, 2\\] has no elements`),
        );
        expect(message).toMatch(at);
        expect(await refused((x) => pick(x, -1), [0, 2])).toBe('gave ');
        expect(() => graph.asDefault(() => pick(tf.zeros([3, 0]), 1))).toThrow(/axis 1 of shape \[3, 0\]/);
      }
      const mean = await refused((x) => tf.reduceMean(x, 1) as Any, [3, 0], 'int32');
      expect(mean).toMatch(
        /^InvalidArgumentError: reduceMean: a mean of no int32 was asked for: the shape is \[3, 0\]/,
      );
      expect(mean).toMatch(at);
      expect(await refused((x) => tf.reduceMean(x, 1) as Any, [0, 0], 'int32')).toBe('gave ');
      expect(await refused((x) => tf.reduceMean(x, 1) as Any, [2, 0])).toBe('gave NaN,NaN');
      const gathered = await refused((x) => tf.gather(x, tf.constant([0], { dtype: 'int32' })) as Any, [0, 2]);
      expect(gathered).toMatch(/index 0 is out of range in .*: axis 0 of \[0, 2\] has no elements/);
      const loss = await refused(
        (x) => {
          const labels = tf.constant([0, 0], { dtype: 'int32' });
          return tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits: x as any }) as Any;
        },
        [2, 0],
      );
      expect(loss).toMatch(/label 0 is out of range in .*: there are no classes/);
    });
  });
});
