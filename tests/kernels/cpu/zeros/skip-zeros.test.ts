// Contractions that leave out factors of zero, against plain loops in float64: chosen where relu or dropout produces an
// operand, right for every share of zeros, and dense when there are too few.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { machineFor } from '../../../../src/backends/wasm/machine.ts';
import * as tf from '../../../../src/index.ts';
import { verifyProgram } from '../../../../src/loops/check/verify.ts';
import { type Body, bodyOf, type Expression } from '../../../../src/loops/ir.ts';
import { nativeMissing } from '../../../backends.ts';
import { compile } from '../../../compiler/compile.ts';
import { skipped } from '../../../skipped.ts';

type Any = tf.Tensor<any, any>;
const lists = /lists of 25 % that are not zero, cost [\d,]+ \(taken\)/;

/** Where the operand with zeros is: relu(x) · w, relu(x)ᵀ · w, or wᵀ · relu(x), whose rows lie along the result. */
type Side = 'left' | 'transposed' | 'right';

/** The product, plus a bias. A dropout that keeps everything promises more zeros. */
function layer([m, k, n]: readonly number[], side: Side) {
  const graph = new tf.Graph();
  const { x, w, bias, y } = graph.asDefault(() => {
    const given = tf.placeholder('float32', side === 'left' ? [m, k] : [k, side === 'right' ? n : m]) as Any;
    const weight = tf.placeholder('float32', [k, side === 'right' ? m : n]) as Any;
    const added = tf.placeholder('float32', [n]) as Any;
    const hidden = tf.nn.dropout(tf.nn.relu(given) as Any, 1) as Any;
    const [a, b] = side === 'right' ? [weight, hidden] : [hidden, weight];
    const product = tf.matmul(a, b, { transposeA: side !== 'left' }) as Any;
    return { x: given, w: weight, bias: added, y: tf.add(product, added) as Any };
  });
  return { graph, x, w, bias, y };
}

/** Elements of which about that share is above zero. */
function sparse(count: number, share: number, seed: number): Float32Array {
  let state = seed * 2654435761 + 12345;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const value = (state >>> 8) / 2 ** 24;
    return value < share ? 0.1 + value : -1 - value;
  });
}

function expected(x: Float32Array, w: Float32Array, bias: Float32Array, dims: readonly number[], side: Side) {
  const [m, k, n] = dims;
  const y = Float64Array.from({ length: m * n }, (_, i) => bias[i % n]);
  const [rows, columns] = side === 'right' ? [n, m] : [m, n];
  for (let i = 0; i < rows; i++) {
    for (let l = 0; l < k; l++) {
      const factor = Math.max(0, side === 'left' ? x[i * k + l] : x[l * rows + i]);
      if (factor === 0) continue;
      for (let j = 0; j < columns; j++) y[side === 'right' ? j * n + i : i * n + j] += factor * w[l * columns + j];
    }
  }
  return y;
}

/** How far the product is from that in float64, by the largest element. */
function distance(found: Float32Array, wanted: Float64Array): number {
  let [most, scale] = [0, 1];
  for (const [i, v] of wanted.entries()) {
    // Of NaN, too.
    if (!(Math.abs(found[i] - v) <= most)) most = Math.abs(found[i] - v);
    scale = Math.max(scale, Math.abs(v));
  }
  return found.length === wanted.length ? most / scale : Number.NaN;
}

const size = (t: Any) => (t.shape as number[]).reduce((a, b) => a * b, 1);

/** Compares for each share of what is not zero; tells whether lists were used. */
async function check(
  dims: readonly number[],
  shares: readonly number[],
  side: Side,
  threads: number,
  backend: Backend,
): Promise<boolean> {
  const [m, k, n] = dims;
  const { graph, x, w, bias, y } = layer(dims, side);
  const session = new tf.Session({ graph, threads, backend });
  let listed = false;
  for (const share of shares) {
    const values = [sparse(size(x), share, m + k), sparse(size(w), 0.5, n), sparse(n, 0.5, 3)] as const;
    const feeds = [x, w, bias].map((t, i) => [t, values[i]]) as any;
    const { data } = (await session.run(y, feeds)) as any;
    const what = `${side} ${dims}, ${share} not zero`;
    expect(distance(data, expected(...values, dims, side)), what).toBeLessThan(3e-6);
    listed = lists.test(await session.explain(y, feeds));
  }
  await session.close();
  return listed;
}

type Backend = 'wasm' | 'native';
const backends: Backend[] = nativeMissing ? ['wasm'] : ['wasm', 'native'];
if (nativeMissing) skipped('lists on native', nativeMissing);

describe.each(backends)('%s', (backend) => {
  test.each<[number[], Side, number]>([
    [[50, 600, 500], 'left', 2],
    [[64, 333, 270], 'transposed', 1],
    // Rows and columns that fill no tile, no vector; tiles of rows, and none.
    [[600, 200, 517], 'right', 2],
    [[517, 290, 192], 'right', 1],
  ])('%j, zeros %s, threads: %i: whatever the share of zeros is, all is as in float64', async (dims, side, threads) => {
    expect(await check(dims, [0, 0.01, 0.3, 0.5, 0.9, 1], side, threads, backend)).toBe(true);
  });

  test('shapes of all kinds, those with rests and single rows too', async () => {
    // Lists are worth it for long sums and many columns.
    const size = (min: number) => fc.oneof(fc.integer({ min, max: 300 }), fc.integer({ min: 200, max: 400 }));
    const shape = fc.tuple(fc.integer({ min: 1, max: 60 }), size(1), size(20));
    let listed = 0;
    await fc.assert(
      fc.asyncProperty(
        shape,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom<Side>('left', 'transposed', 'right'),
        async ([m, k, n], share, side) => {
          // Lists of short sums are not worth it on the right, where sums are turned.
          const dims = side === 'right' ? [n + 60, k + 200, m + 20] : [m, k, n];
          if (await check(dims, [share], side, 1, backend)) listed++;
        },
      ),
      { numRuns: backend === 'wasm' ? 80 : 15 },
    );
    expect(listed).toBeGreaterThan(backend === 'wasm' ? 5 : 0);
  });
});

/** So many elements that are not zero are multiplied from lists; with one more all products are computed. */
function limitOf(body: Body): number | undefined {
  for (const s of body) {
    if (s.kind === 'if' && s.condition.kind === 'compare') {
      const { a, b } = s.condition;
      const counts = (x: Expression) => x.kind === 'load' && x.buffer.name.startsWith('total');
      if (counts(a) && b.kind === 'constant') return b.value;
      if (counts(b) && a.kind === 'constant') return a.value;
    }
    const inside = limitOf(bodyOf(s));
    if (inside !== undefined) return inside;
  }
  return undefined;
}

test.each<[number[], Side]>([
  [[50, 600, 500], 'left'],
  [[64, 333, 270], 'transposed'],
  [[600, 200, 517], 'right'],
])('%j, zeros %s: as many as the limit, one fewer, one more', async (dims, side) => {
  const [m, k, n] = dims;
  const { graph, x, w, bias, y } = layer(dims, side);
  const { program } = compile({ fetches: [y], feeds: [x, w, bias].map((t) => [t, t.shape as number[]]) });
  const limit = limitOf(program.kernels.flatMap((kernel) => kernel.body)) as number;
  expect(limit).toBeGreaterThan(100);
  expect(limit).toBeLessThan(size(x) - 100);
  const session = new tf.Session({ graph, backend: 'wasm', threads: 1 });
  const [ws, added] = [sparse(k * (side === 'right' ? m : n), 0.5, n), sparse(n, 0.5, 3)];
  for (const count of [limit - 1, limit, limit + 1]) {
    // Spread over all rows.
    const xs = new Float32Array(size(x)).fill(-1);
    for (let i = 0; i < count; i++) xs[Math.floor((i * xs.length) / count)] = 1 + (i % 7);
    expect(xs.filter((v) => v > 0)).toHaveLength(count);
    const { data } = (await session.run(y, [
      [x, xs],
      [w, ws],
      [bias, added],
    ] as any)) as any;
    expect(distance(data, expected(xs, ws, added, dims, side)), `${count} elements`).toBeLessThan(3e-6);
  }
  await session.close();
});

test('lists are taken where relu and dropout make zeros, not elsewhere, and the program is well formed', async () => {
  const shape = [50, 3000, 1000];
  const { graph, x, w, bias, y } = layer(shape, 'left');
  const dense = graph.asDefault(() => tf.matmul(x, w) as Any);
  const session = new tf.Session({ graph });
  const sizes = [
    [x, [50, 3000]],
    [w, [3000, 1000]],
    [bias, [1000]],
  ] as const;
  const feeds = sizes.map(([t, s]) => [t, tf.array(new Float32Array(s.reduce((a: number, b) => a * b, 1)), s as any)]);
  expect(await session.explain(y, feeds as any)).toMatch(lists);
  expect(await session.explain(dense, feeds.slice(0, 2) as any)).not.toMatch(/lists of/);
  // Nor where lists would take more memory than they are worth.
  const large = layer([1000, 3000, 1000], 'left');
  const wide = new tf.Session({ graph: large.graph });
  const given = [
    [large.x, tf.array(new Float32Array(1000 * 3000), [1000, 3000] as any)],
    [large.w, feeds[1][1]],
    [large.bias, feeds[2][1]],
  ];
  expect(await wide.explain(large.y, given as any)).not.toMatch(/lists of/);
  await wide.close();
  await session.close();
  for (const fused of [false, true]) {
    const { program } = compile({ fetches: [y], feeds: sizes.map(([t, s]) => [t, s] as const) });
    verifyProgram(program, machineFor(fused));
  }
});

test('a factor of zero counts for nothing, even times NaN; what is NaN itself counts; dense operands count in full', async () => {
  const [m, k, n] = [50, 600, 500];
  const { graph, x, w, bias, y } = layer([m, k, n], 'left');
  const session = new tf.Session({ graph });
  const run = async (xs: Float32Array, ws: Float32Array): Promise<Float32Array> => {
    const feeds = [
      [x, xs],
      [w, ws],
      [bias, new Float32Array(n)],
    ] as any;
    expect(await session.explain(y, feeds)).toMatch(lists);
    return ((await session.run(y, feeds)) as any).data;
  };
  const ones = () => new Float32Array(k * n).fill(1);
  const xs = sparse(m * k, 0.2, 1);
  for (let i = 0; i < m; i++) xs[i * k + 7] = -1;
  const ws = ones();
  ws.fill(Number.NaN, 7 * n, 8 * n);
  expect((await run(xs, ws)).every(Number.isFinite)).toBe(true);
  // A NaN of the operand itself is no zero.
  xs[3 * k + 7] = Number.NaN;
  const spread = await run(xs, ones());
  expect(spread.every((v, i) => Number.isNaN(v) === (Math.floor(i / n) === 3))).toBe(true);
  // Too few zeros: all products are computed, with what IEEE arithmetic says of them.
  const full = new Float32Array(m * k).fill(1);
  full[7] = 0;
  const all = await run(full, ws);
  expect(all.every(Number.isNaN)).toBe(true);
  await session.close();
});

test('the same bits with 1, 2, 3 and 7 threads', async () => {
  const shape = [50, 900, 700];
  const [m, k, n] = shape;
  const results = await Promise.all(
    [1, 2, 3, 7].map(async (threads) => {
      const { graph, x, w, bias, y } = layer(shape, 'left');
      const session = new tf.Session({ graph, threads });
      const feeds = [
        [x, sparse(m * k, 0.3, 5)],
        [w, sparse(k * n, 0.5, 6)],
        [bias, sparse(n, 0.5, 7)],
      ] as any;
      const { data } = (await session.run(y, feeds)) as any;
      await session.close();
      return data as Float32Array;
    }),
  );
  for (const r of results.slice(1)) expect(r).toEqual(results[0]);
});
