// Long sums on every backend: within a millionth of the sum of sizes, and those of products within 1e-5 of it, whatever is
// summed and however it lies. The same bits on any number of threads.
import { expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

type Any = tf.Tensor<any, any>;
/** Ten million, unless MILLRACE_TEST_TERMS says 1e8, as in `npm run soak -- sums`: that takes minutes, and 4 GB. */
const most = Number(process.env.MILLRACE_TEST_TERMS ?? 1e7);
const patience = most > 1e7 ? 600_000 : 60_000;
const compiled = backends.filter((name) => name !== 'reference');

/** As many numbers as one likes, in [0, 1): always the same ones. */
const uniform = (i: number) => (Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32;
/** Sums of equal terms drift the furthest where each addition loses nearly half of a last place: here up to that many. */
const drifting = { '64': 1 + 15 * 2 ** -23, '512': 1 + 2 ** -16 - 2 ** -23, '2048': 1 + 2 ** -14 - 2 ** -23 };
const terms: Readonly<Record<string, (i: number) => number>> = {
  'a tenth': () => 0.1,
  'a number that drifts': () => drifting['64'],
  uniform,
  normal: (i) => Math.sqrt(-2 * Math.log(1 - uniform(2 * i))) * Math.cos(2 * Math.PI * uniform(2 * i + 1)),
  'mixed signs': (i) => (i % 2 === 0 ? 1 : -1) * (0.1 + uniform(i) / 1000),
  'one huge element': (i) => (i === 12_345 ? 1e8 : 0.1),
};

/** The sums of x, of the shape [outer, middle, inner], along the middle axis; and those of sizes. */
function exact(x: Float32Array, [outer, middle, inner]: readonly number[]) {
  const [sums, sizes] = [new Float64Array(outer * inner), new Float64Array(outer * inner)];
  let i = 0;
  for (let a = 0; a < outer; a++) {
    for (let b = 0; b < middle; b++) {
      for (let to = a * inner; to < (a + 1) * inner; to++) {
        const value = x[i++];
        sums[to] += value;
        sizes[to] += Math.abs(value);
      }
    }
  }
  return { sums, sizes };
}

/** The largest distance from sums, as a part of the sum of sizes. */
function errorOf(found: unknown, { sums, sizes }: ReturnType<typeof exact>, scale = 1): number {
  const values = typeof found === 'number' ? [found] : (found as tf.NDArray).data;
  return sums.reduce((most, sum, i) => Math.max(most, Math.abs(Number(values[i]) * scale - sum) / sizes[i]), 0);
}

/** What adds up the largest errors is summed in full, the others to a fifth. */
const worst = ['a number that drifts', 'mixed signs'];
test.each(Object.entries(terms))(
  'sums of %s, along every axis, of millions of numbers',
  { timeout: patience },
  async (name, term) => {
    for (const group of [compiled, ['reference'] as const]) {
      const count = group === compiled ? (worst.includes(name) ? most : most / 5) : 1e5;
      const x = new Float32Array(count);
      for (let i = 0; i < count; i++) x[i] = term(i);
      const shapes = [
        [1, count, 1],
        [10, count / 10, 1],
        [1, count / 10, 10],
        [1, count / 1000, 1000],
        [20, count / 1000, 50],
      ];
      const right = shapes.map((shape) => exact(x, shape));
      const graph = new tf.Graph();
      const { fed, sums, mean } = graph.asDefault(() => {
        const all = tf.placeholder('float32', [count]) as Any;
        const along = shapes.map((shape) => tf.reduceSum(tf.reshape(all, shape) as Any, [1]) as Any);
        return { fed: all, sums: along, mean: tf.reduceMean(all) as Any };
      });
      for (const backend of group) {
        const session = new tf.Session({ graph, backend });
        const [average, ...found] = await session.run([mean, ...sums], [[fed, x]]);
        const errors = [errorOf(average, right[0], count), ...found.map((sum, i) => errorOf(sum, right[i]))];
        for (const error of errors) expect(error, backend).toBeLessThan(1e-6);
        await session.close();
      }
    }
  },
);

test.each(backends)('%s: gradients of gather, whose indices may all be one', async (backend) => {
  // 512 are added up as they come, more of them with more digits.
  const cases = [
    { count: 512, term: drifting['512'], bound: 1e-5 },
    { count: backend === 'reference' ? 1e5 : 1e7, term: 0.1, bound: 1e-6 },
  ];
  for (const { count, term, bound } of cases) {
    const graph = new tf.Graph();
    const { indices, weights, gradient } = graph.asDefault(() => {
      const table = tf.variable(tf.zeros([3])) as Any;
      const indices = tf.placeholder('int32', [count]) as Any;
      const weights = tf.placeholder('float32', [count]) as Any;
      const gathered = tf.gather(table, indices).mul(weights) as Any;
      return { indices, weights, gradient: tf.gradients(tf.reduceSum(gathered), [table])[0] as Any };
    });
    const session = new tf.Session({ graph, backend });
    const places = Int32Array.from({ length: count }, (_, i) => (i % 256 === 0 ? 2 : 1));
    const given = new Float32Array(count).fill(term);
    const found = (await session.run(gradient, [
      [indices, places],
      [weights, given],
    ])) as tf.NDArray;
    const second = Math.ceil(count / 256);
    for (const [i, many] of [0, count - second, second].entries()) {
      const sum = many * given[0];
      expect(Math.abs(found.data[i] - sum)).toBeLessThanOrEqual(bound * sum);
    }
    await session.close();
  }
});

test.each(compiled)('%s: what is broadcast or constant, losses, bias gradients, rows of softmax', async (backend) => {
  const graph = new tf.Graph();
  const rows = 2 ** 24 + 64;
  const made = graph.asDefault(() => {
    const bias = tf.variable(tf.constant([0.5])) as Any;
    const images = tf.placeholder('float32', [rows, 1]) as Any;
    const logits = tf.placeholder('float32', [4, 1_000_003]) as Any;
    const many = tf.placeholder('float32', [3_000_001, 3]) as Any;
    const loss = tf.nn.softmaxCrossEntropyWithLogits({ labels: tf.fill([3_000_001, 3], 1 / 3), logits: many } as any);
    return {
      bias,
      images,
      logits,
      many,
      fetch: {
        filled: tf.reduceMean(tf.fill([1e7], 0.1)) as Any,
        counted: tf.reduceMean(tf.cast(tf.equal(tf.zeros([2e7]) as any, 0 as any), 'float32')) as Any,
        constant: tf.reduceSum(tf.constant(new Float32Array(1e6).fill(0.1))) as Any,
        bias: tf.gradients(tf.reduceSum(tf.add(images, bias as any) as Any), [bias])[0] as Any,
        loss: tf.reduceMean(loss as Any) as Any,
        softmax: tf.nn.softmax(logits) as Any,
      },
    };
  });
  const session = new tf.Session({ graph, backend });
  await session.run(graph.asDefault(() => tf.initializeAllVariables()));
  const found = (await session.run(made.fetch, [
    [made.images, new Float32Array(rows).fill(0.1)],
    [made.logits, new Float32Array(4 * 1_000_003).fill(0.3)],
    [made.many, new Float32Array(3 * 3_000_001).fill(0.7)],
  ])) as Record<keyof typeof made.fetch, any>;
  const near = (value: number, right: number) => expect(Math.abs(value / right - 1)).toBeLessThan(1e-6);
  near(found.filled, Math.fround(0.1));
  near(found.counted, 1);
  near(found.constant, 1e6 * Math.fround(0.1));
  near(found.bias.data[0], rows);
  near(found.loss, Math.log(3));
  for (const p of [found.softmax.data[0], found.softmax.data[4e6]]) near(p, 1 / 1_000_003);
  await session.close();
});

/** The largest distance from what is right, as a part of it. */
function furthest(found: tf.NDArray['data'], right: (i: number) => number): number {
  let most = 0;
  for (let i = 0; i < found.length; i++) most = Math.max(most, Math.abs(Number(found[i]) / right(i) - 1));
  return most;
}

/** m, k, n, and whether the first factor is transposed. */
const products = [
  [2, 1_000_000, 3, false],
  [2, 1_000_000, 3, true],
  [1, 10_000_000, 1, false],
  [16, 40_000, 40, false],
  [4, 60_000, 2, false],
  [50, 3136, 64, false],
  [64, 2040, 64, true],
] as const;
test.each(compiled)('%s: contractions of up to ten million steps', async (backend) => {
  for (const [m, k, n, transposeA] of products) {
    for (const x of [0.1, drifting['512'], drifting['2048']]) {
      const graph = new tf.Graph();
      const { a, b, y } = graph.asDefault(() => {
        const first = tf.placeholder('float32', transposeA ? [k, m] : [m, k]) as Any;
        const second = tf.placeholder('float32', [k, n]) as Any;
        return { a: first, b: second, y: tf.matmul(first, second as any, { transposeA }) as Any };
      });
      const session = new tf.Session({ graph, backend });
      const feeds = [
        [a, new Float32Array(m * k).fill(x)],
        [b, new Float32Array(k * n).fill(1)],
      ] as const;
      const { data } = (await session.run(y, feeds as any)) as tf.NDArray;
      expect(furthest(data, () => k * Math.fround(x))).toBeLessThan(1e-5);
      await session.close();
    }
  }
});

test.each(compiled)('%s: products without the factors that are zero', async (backend) => {
  for (const transposed of [false, true]) {
    const graph = new tf.Graph();
    const { x, w, y } = graph.asDefault(() => {
      const given = tf.placeholder('float32', [50, 6000]) as Any;
      const weights = tf.placeholder('float32', [6000, 1024]) as Any;
      // Dropout that drops nothing: more zeros are expected of both.
      const hidden = tf.nn.dropout(tf.nn.relu(given) as Any, 1) as Any;
      const product = tf.matmul(hidden, weights) as Any;
      return { x: given, w: weights, y: (transposed ? tf.transpose(product) : product) as Any };
    });
    const session = new tf.Session({ graph, backend });
    // A third of them.
    const given = Float32Array.from({ length: 50 * 6000 }, (_, i) => (i % 3 === 0 ? drifting['2048'] : -1));
    const feeds = [
      [x, given],
      [w, new Float32Array(6000 * 1024).fill(1)],
    ] as const;
    expect(await session.explain(y, feeds as any)).toMatch(/lists of \d+ % that are not zero[^\n]*\(taken\)/);
    const { data } = (await session.run(y, feeds as any)) as tf.NDArray;
    expect(furthest(data, () => 2000 * drifting['2048'])).toBeLessThan(1e-5);
    await session.close();
  }
});

test.each(compiled)("%s: Winograd's gradients of filters, by image and by point", async (backend) => {
  for (const [images, size, filter] of [
    [400, 28, 5],
    // So many that their sums have more digits, of images and of runs of tiles.
    [2000, 12, 3],
    [1, 800, 3],
  ]) {
    for (const value of [0.1, 1 / 3]) {
      const graph = new tf.Graph();
      const { x, d, gradient } = graph.asDefault(() => {
        const given = tf.placeholder('float32', [images, size, size, 16]) as Any;
        const w = tf.variable(tf.zeros([filter, filter, 16, 16])) as Any;
        const y = tf.nn.conv2d(given, w, { strides: [1, 1, 1, 1], padding: 'SAME' }) as Any;
        const above = tf.placeholder('float32', [images, size, size, 16]) as Any;
        return { x: given, d: above, gradient: tf.gradients(tf.mul(y, above) as Any, [w])[0] as Any };
      });
      const session = new tf.Session({ graph, backend });
      const count = images * size * size * 16;
      const feeds = [
        [x, new Float32Array(count).fill(value)],
        [d, new Float32Array(count).fill(1)],
      ] as const;
      expect(await session.explain(gradient, feeds as any)).toMatch(/winograd taps[^\n]*\(taken\)/);
      const { data } = (await session.run(gradient, feeds as any)) as tf.NDArray;
      const edge = (filter - 1) / 2;
      const along = (tap: number) => size - Math.abs(tap - edge);
      const places = (tap: number) => images * along(Math.floor(tap / filter)) * along(tap % filter);
      expect(furthest(data, (i) => places(Math.floor(i / 256)) * Math.fround(value))).toBeLessThan(1e-5);
      await session.close();
    }
  }
});

test.each(compiled)('%s: the same bits on 1, 2, 3 and 7 threads', async (backend) => {
  const graph = new tf.Graph();
  const { x, fetch } = graph.asDefault(() => {
    const given = tf.placeholder('float32', [4000, 300]) as Any;
    const row = tf.reshape(given, [1, -1]) as Any;
    return {
      x: given,
      fetch: [
        tf.reduceSum(given),
        tf.reduceMax(given),
        tf.reduceSum(given, [0]),
        tf.reduceSum(given, [1]),
        tf.matmul(given, given as any, { transposeA: true } as any),
        tf.matmul(row, tf.transpose(row) as any),
      ] as Any[],
    };
  });
  const data = Float32Array.from({ length: 4000 * 300 }, (_, i) => terms.normal(i));
  const results: unknown[] = [];
  for (const threads of [1, 2, 3, 7]) {
    const session = new tf.Session({ graph, backend, threads });
    results.push(await session.run(fetch, [[x, data]]));
    await session.close();
  }
  for (const other of results.slice(1)) expect(other).toEqual(results[0]);
});
