// Rows of every length on machines whose vectors may leave a part out: what is computed is what the reference computes,
// with the same bits on any number of threads, and the kernels are well formed.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { machineFor } from '../../../src/backends/native/toolchain/machine.ts';
import * as tf from '../../../src/index.ts';
import { verifyProgram } from '../../../src/loops/check/verify.ts';
import { bodyOf, type Statement } from '../../../src/loops/ir.ts';
import type { Machine } from '../../../src/loops/machine.ts';
import { nativeMissing } from '../../backends.ts';
import { compile } from '../../compiler/compile.ts';
import type { Feeds } from '../../models.ts';
import { skipped } from '../../skipped.ts';

type Any = tf.Tensor<any, any>;
const api = tf as any;
const nn = tf.nn as any;
type Name = 'float32' | 'float64' | 'int32' | 'uint8' | 'bool';

/** What is fed to a graph, and what is fetched from it. */
interface Graph {
  readonly graph: tf.Graph;
  readonly fetches: readonly Any[];
  readonly feeds: readonly (readonly [Any, readonly number[], tf.NDArray])[];
}

const count = (shape: readonly number[]) => shape.reduce((p, d) => p * d, 1);
/** No two of a hundred neighbours are equal or almost: what compares them is sure of the result. */
const values = (shape: readonly number[], dtype: Name, seed: number): (number | boolean)[] =>
  Array.from({ length: count(shape) }, (_, i) => {
    const wave = ((i * 37 + seed * 11) % 101) / 50 - 1.003;
    if (dtype === 'bool') return wave > 0;
    if (dtype === 'uint8') return (i * 37 + seed) % 251;
    return dtype === 'int32' ? Math.round(wave * 40) || 1 : wave;
  });

function build(make: (given: (shape: number[], dtype?: Name) => Any) => readonly Any[]): Graph {
  const graph = new tf.Graph();
  const feeds: [Any, readonly number[], tf.NDArray][] = [];
  const fetches = graph.asDefault(() =>
    make((shape, dtype = 'float32') => {
      const x = tf.placeholder(dtype, shape) as Any;
      feeds.push([x, shape, api.array(values(shape, dtype, feeds.length), shape, dtype)]);
      return x;
    }),
  );
  return { graph, fetches, feeds };
}

/** Tasks with rows of `n` elements. */
const elementwise = (n: number): Graph =>
  build((given) => {
    const [x, b, d, e] = [given([5, n]), given([n]), given([3, n], 'float64'), given([n], 'float64')];
    const [i, j, u, t] = [given([4, n], 'int32'), given([n], 'int32'), given([3, n], 'uint8'), given([3, n], 'bool')];
    const columns = given([n, 3]);
    const s = tf.add(api.tanh(x), api.exp(b));
    return [
      s,
      // Every access of its own: strided, repeated, a part of longer rows.
      api.mul(api.slice(s, [1, 0], [3, n]), api.exp(api.transpose(columns))),
      api.tanh(api.concat([x, api.slice(x, [0, 0], [5, Math.ceil(n / 2)])], 1)),
      api.div(api.mul(d, 0.7), api.add(api.abs(e), 0.5)),
      api.where(api.less(d, e), d, api.sqrt(api.abs(e))),
      api.less(d, e),
      api.logicalAnd(api.less(d, e), t),
      api.where(t, api.cast(d, 'float32'), api.slice(x, [0, 0], [3, n])),
      api.floorDiv(i, j),
      api.mod(i, j),
      api.div(i, j),
      api.add(api.mul(i, j), api.cast(api.slice(x, [0, 0], [4, n]), 'int32')),
      api.cast(api.mul(i, j), 'uint8'),
      api.add(u, api.cast(j, 'uint8')),
      api.less(x, b),
      api.logicalOr(api.logicalNot(t), api.less(api.slice(x, [1, 0], [3, n]), b)),
      api.cast(t, 'float32'),
      api.cast(t, 'float64'),
      api.cast(u, 'float32'),
      api.mul(api.cast(i, 'float64'), e),
      api.oneHot(api.mod(api.abs(i), 3), n),
      nn.dropout(x, 0.6, { seed: n }),
    ];
  });

const reductions = (n: number): Graph =>
  build((given) => {
    const [x, d] = [given([5, n]), given([4, n], 'float64')];
    const [i, u, t] = [given([4, n], 'int32'), given([5, n], 'uint8'), given([3, n], 'bool')];
    const cube = given([3, 4, n]);
    const all = (y: Any, axes: readonly (number | undefined)[], ...names: string[]) =>
      names.flatMap((name) => axes.map((axis) => (axis === undefined ? api[name](y) : api[name](y, axis))));
    return [
      ...all(x, [0, 1, undefined], 'reduceSum', 'reduceMax', 'reduceMin', 'reduceMean'),
      ...all(api.exp(x), [0, 1], 'reduceSum', 'reduceProd'),
      ...all(d, [0, 1, undefined], 'reduceSum', 'reduceMax'),
      ...all(i, [0, 1, undefined], 'reduceSum', 'reduceMin', 'reduceMax'),
      ...all(u, [0, 1], 'reduceSum', 'reduceMax'),
      ...all(t, [0, 1, undefined], 'reduceAny', 'reduceAll'),
      ...all(api.less(d, 0.2), [0, 1], 'reduceAny', 'reduceAll'),
      ...all(cube, [0, 1, 2], 'reduceSum'),
      api.reduceSum(cube, [0, 2]),
      api.reduceSum(cube, [0, 1]),
      ...all(x, [0, 1], 'argmax', 'argmin'),
      ...all(i, [0, 1], 'argmax'),
      nn.softmax(x),
      nn.logSoftmax(x),
      nn.softmaxCrossEntropyWithLogits({ labels: nn.softmax(api.neg(x)), logits: x }),
      api.reduceSum(api.cast(api.less(x, 0.1), 'int32'), 1),
    ];
  });

/** Products of few and of many rows with `n` columns. */
const products = (m: number, k: number, n: number): Graph =>
  build((given) => {
    const [x, w, b, wide] = [given([m, k]), given([k, n]), given([n]), given([n, k])];
    const [one, d, dw, i, iw] = [
      given([1, k]),
      given([m, k], 'float64'),
      given([k, n], 'float64'),
      given([m, k], 'int32'),
      given([k, n], 'int32'),
    ];
    const [batch, filters] = [given([3, 2, k]), given([3, k, n])];
    return [
      nn.relu(api.add(api.matmul(x, w), b)),
      api.matmul(x, wide, { transposeB: true }),
      api.tanh(api.exp(api.tanh(api.add(api.matmul(x, w), api.exp(api.tanh(b)))))),
      api.add(api.matmul(one, w), b),
      api.matmul(x, api.matmul(x, w), { transposeA: true }),
      api.less(api.matmul(d, dw), 0.00371),
      api.matmul(d, dw),
      api.cast(api.matmul(i, iw), 'uint8'),
      api.cast(api.matmul(d, dw), 'float32'),
      api.matmul(batch, filters),
      nn.conv2d(api.reshape(api.concat([x, x, x, x], 0), [1, 2, 2 * m, k]), api.reshape(w, [1, 1, k, n]), {
        strides: [1, 1, 1, 1],
        padding: 'SAME',
      }),
    ];
  });

/** Sums that are kept in memory between blocks: in the result itself, or in an array of their own. */
const kept = (m: number, k: number, n: number): Graph =>
  build((given) => {
    const [x, w, b] = [given([m, k]), given([k, n]), given([n])];
    const product = (dtype: Name) => api.matmul(given([m, k], dtype), given([k, n], dtype));
    const scaled = api.mul(api.matmul(x, w), 1 / k);
    return [api.matmul(x, w), nn.relu(api.add(scaled, b)), product('float64'), product('int32')];
  });

/** Gradients of the first model with that many classes, as one training step computes them. */
const training = (classes: number): Graph =>
  build((given) => {
    const [x, w, b] = [given([7, 19]), given([19, classes]), given([classes])];
    const labels = api.oneHot(api.argmax(given([7, classes]), 1), classes);
    const y = nn.softmax(api.add(api.matmul(x, w), b));
    const loss = api.neg(api.reduceSum(api.mul(labels, api.log(y))));
    const [dw, db] = tf.gradients(loss, [w, b]) as Any[];
    const right = api.equal(api.argmax(y, 1), api.argmax(labels, 1));
    return [loss, dw, db, api.sub(w, api.mul(dw, 0.01)), right, api.reduceMean(api.cast(right, 'float32'))];
  });

/** More than the caches hold, so that sums are kept in memory: few rows, and more. */
const large: [number, number, number][] = [
  [2, 9000, 37],
  [9, 5003, 70],
];

const to = (max: number) => fc.integer({ min: 1, max });
const sizes = fc.record({ n: to(40), m: fc.oneof(to(3), to(20)), columns: to(70) });
const kinds: Record<string, (sizes: { n: number; m: number; columns: number }) => Graph> = {
  elementwise: ({ n }) => elementwise(n),
  reductions: ({ n }) => reductions(n),
  products: ({ n, m, columns }) => products(m, n, columns),
  training: ({ n }) => training(n),
};

/** What compilers define for the machines that have parts of vectors. */
const macros = { avx512: ['__AVX512F__', '__AVX512DQ__', '__FMA__', '__AVX2__'], avx2: ['__FMA__', '__AVX2__'] };
const described: [string, Machine][] = Object.entries(macros).map(([name, of]) => [
  name,
  machineFor(new Set(of), 'native'),
]);
/** Verifies the kernels, and returns how many of their stores leave a part of a vector out. */
function verify({ fetches, feeds }: Graph, machine: Machine): number {
  const shapes = feeds.map(([x, shape]) => [x, shape] as const);
  const { program } = compile({ fetches, feeds: shapes }, machine);
  verifyProgram(program, machine);
  const parts = (s: Statement): number =>
    s.kind === 'store' && s.count !== undefined ? 1 : bodyOf(s).reduce((sum, inner) => sum + parts(inner), 0);
  return program.kernels.flatMap(({ body }) => body).reduce((sum, s) => sum + parts(s), 0);
}

describe.each(described)('kernels for %s are well formed', (_, machine) => {
  test('with rows of 1 to 40 elements', () => {
    for (let n = 1; n <= 40; n += n < 18 ? 1 : 4) {
      const parts = [elementwise, reductions, training].map((make) => verify(make(n), machine));
      if (n > 1 && n < 8) expect(Math.min(...parts)).toBeGreaterThan(2);
    }
  });
  test('with products of all sizes', () => {
    for (let n = 1; n <= 70; n += 4) verify(products(1 + (n % 17), 1 + ((n * 7) % 40), n), machine);
    expect(verify(products(5, 9, 23), machine)).toBeGreaterThan(5);
    expect(large.map((of) => verify(kept(...of), machine) > 2)).toEqual(large.map(() => true));
  });
});

interface Result {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number | boolean>;
}

/** The same results as fetched, and so much more to do that all threads take part. */
async function run({ graph, fetches, feeds }: Graph, options: tf.SessionOptions, busy: boolean): Promise<Result[]> {
  const work = graph.asDefault(() => {
    const x = api.exp(api.mul(api.ones([400, 400]), 0.001));
    return api.reduceSum(
      api.matmul(x, api.add(x, api.reduceSum(fetches[0].dtype === 'bool' ? x : api.cast(fetches[0], 'float32')))),
    );
  });
  const session = new tf.Session({ graph, seed: 3, ...options });
  const given = feeds.map(([x, , value]) => [x, value]) as unknown as Feeds;
  const results = (await session.run(busy ? [...fetches, work] : [...fetches], given)) as unknown[];
  await session.close();
  return fetches.map(({ dtype }, k) => {
    const result = results[k] as tf.NDArray | number | boolean;
    return typeof result === 'object' ? result : { dtype, shape: [], data: [result] };
  });
}

async function check(graph: Graph): Promise<void> {
  const wanted = await run(graph, { backend: 'reference' }, false);
  const found = await run(graph, { backend: 'native', threads: 1 }, true);
  for (const threads of [2, 3]) {
    const other = await run(graph, { backend: 'native', threads }, true);
    expect(other.map((x) => x.data)).toEqual(found.map((x) => x.data));
  }
  wanted.forEach(({ data, dtype, shape }, k) => {
    expect(found[k].shape).toEqual(shape);
    const numbers = Array.from(data, Number);
    const scale = dtype.startsWith('float') ? Math.max(1, ...numbers.map(Math.abs)) : 0;
    numbers.forEach((v, i) => {
      const f = Number(found[k].data[i]);
      if (Object.is(f, v) || f === v || Math.abs(f - v) <= 2e-5 * scale) return;
      throw new Error(`${graph.fetches[k].name} (number ${k}, of ${shape}), element ${i}: ${f}, expected ${v}`);
    });
  });
}

if (nativeMissing) skipped('rows of every length in C', nativeMissing);
else
  describe.each(['native', 'avx2'])('in C, on %s', (target) => {
    test.each(Object.entries(kinds))('%s: as the reference, the same bits on 1, 2 and 3 threads', async (_, make) => {
      process.env.MILLRACE_NATIVE_TARGET = target;
      await fc.assert(
        fc.asyncProperty(sizes, (of) => check(make(of))),
        { numRuns: 3 },
      );
    });
    test.each(large)('sums kept in memory: %i × %i × %i', async (...of) => {
      process.env.MILLRACE_NATIVE_TARGET = target;
      await check(kept(...of));
    });
  });
