// Contractions that are large enough to be cut into blocks, or odd enough to leave rests, against plain loops.
import { expect, test } from 'vitest';
import { machineFor } from '../../../../src/backends/wasm/machine.ts';
import * as tf from '../../../../src/index.ts';
import { verifyProgram } from '../../../../src/loops/check/verify.ts';
import { backends } from '../../../backends.ts';
import { compile } from '../../../compiler/compile.ts';

const machine = machineFor(false);

type Any = tf.Tensor<any, any>;
const numbers = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * 0.7 + seed) + (i % 7) / 10);

async function compute(
  build: (...xs: Any[]) => Any,
  inputs: readonly (readonly [Float32Array, number[]])[],
  { backend, explained }: { backend?: tf.SessionOptions['backend']; explained?: (text: string) => void } = {},
): Promise<Float32Array> {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph, ...(backend && { backend }) });
  const [xs, y] = graph.asDefault(() => {
    const made = inputs.map(([, shape]) => tf.placeholder('float32', shape) as Any);
    return [made, build(...made)];
  });
  verifyProgram(compile({ fetches: [y], feeds: xs.map((x, i) => [x, inputs[i][1]] as const) }).program, machine);
  const feeds = xs.map((x, i) => [x, tf.array(...inputs[i])]) as any;
  const result = (await session.run(y, feeds)) as any;
  explained?.(await session.explain(y, feeds));
  await session.close();
  return result.data;
}

function expectClose(found: Float32Array, wanted: Float64Array): void {
  expect(found.length).toBe(wanted.length);
  const scale = wanted.reduce((m, v) => Math.max(m, Math.abs(v)), 1);
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) worst = Math.max(worst, Math.abs(found[i] - wanted[i]) / scale);
  expect(worst).toBeLessThan(6e-6);
}

const shapes: [number, number, number][] = [
  [5, 700, 300],
  [33, 513, 260],
  [64, 1000, 150],
  [1, 900, 200],
  [1, 3137, 131],
  [4, 1021, 257],
  [7, 2048, 70],
  [50, 1024, 331],
  [130, 129, 1030],
  [9, 4099, 33],
  [8, 3, 2001],
];
test.each(shapes)(
  'matmul %i × %i × %i with bias and relu, all transpositions, within 6e-6 of float64',
  async (m, k, n) => {
    const a = numbers(m * k, 1);
    const b = numbers(k * n, 2);
    const bias = numbers(n, 3);
    for (const [ta, tb] of [
      [false, false],
      [true, false],
      [false, true],
    ]) {
      const wanted = new Float64Array(m * n);
      for (let i = 0; i < m; i++) {
        for (let l = 0; l < k; l++) {
          const v = ta ? a[l * m + i] : a[i * k + l];
          for (let j = 0; j < n; j++) wanted[i * n + j] += v * (tb ? b[j * k + l] : b[l * n + j]);
        }
        for (let j = 0; j < n; j++) wanted[i * n + j] = Math.max(0, wanted[i * n + j] + bias[j]);
      }
      const found = await compute(
        (x, w, c) => tf.nn.relu(tf.add(tf.matmul(x, w, { transposeA: ta, transposeB: tb }), c) as Any),
        [
          [a, ta ? [k, m] : [m, k]],
          [b, tb ? [n, k] : [k, n]],
          [bias, [n]],
        ],
      );
      expectClose(found, wanted);
    }
  },
);

// Few columns fill no vectors, many rows do: sums lie across, and tiles of them are turned before they are stored.
const narrow: [number, number, number][] = [
  [784, 50, 10],
  [517, 333, 6],
  [131, 640, 5],
  [96, 210, 9],
];
test.each(backends.filter((b) => b !== 'reference'))(
  '%s: gradients of weights for few classes, within 6e-6 of float64, some of them turned',
  async (backend) => {
    const offers: string[] = [];
    for (const [m, k, n] of narrow) {
      const [a, b, w] = [numbers(m * k, 1), numbers(k * n, 2), numbers(m * n, 3)];
      const wanted = Float64Array.from(w);
      for (let i = 0; i < m; i++) {
        for (let l = 0; l < k; l++) for (let j = 0; j < n; j++) wanted[i * n + j] -= 0.1 * a[l * m + i] * b[l * n + j];
      }
      const found = await compute(
        (x, y, v) => tf.sub(v, tf.mul(tf.matmul(x, y, { transposeA: true }), 0.1)) as Any,
        [
          [a, [k, m]],
          [b, [k, n]],
          [w, [m, n]],
        ],
        { backend, explained: (text) => offers.push(/offers: (.*)/.exec(text)?.[1] ?? '') },
      );
      expectClose(found, wanted);
    }
    expect(offers.filter((text) => /across, cost [\d,]+ \(taken\)/.test(text))).not.toEqual([]);
  },
);

test('batches of products, also with a transposed result, within 6e-6 of float64', async () => {
  const [batch, m, k, n] = [3, 17, 40, 23];
  const a = numbers(batch * m * k, 1);
  const b = numbers(batch * k * n, 2);
  const wanted = new Float64Array(batch * m * n);
  for (let z = 0; z < batch; z++) {
    for (let i = 0; i < m; i++) {
      for (let l = 0; l < k; l++) {
        for (let j = 0; j < n; j++) wanted[z * m * n + j * m + i] += a[(z * m + i) * k + l] * b[(z * k + l) * n + j];
      }
    }
  }
  const found = await compute(
    (x, w) => tf.transpose(tf.matmul(x, w), [0, 2, 1]) as Any,
    [
      [a, [batch, m, k]],
      [b, [batch, k, n]],
    ],
  );
  expectClose(found, wanted);
});

test.each([
  [6, 28, 28, 3, 40, 5],
  [4, 17, 13, 9, 33, 3],
  [2, 9, 9, 130, 70, 3],
])(
  'convolution of %i images %i × %i × %i with %i filters of %i²: output and both gradients within 6e-6 of float64',
  async (batch, h, w, ci, co, k) => {
    const x = numbers(batch * h * w * ci, 1);
    const f = numbers(k * k * ci * co, 2);
    const low = Math.floor((k - 1) / 2);
    const y = new Float64Array(batch * h * w * co);
    const dx = new Float64Array(x.length);
    const df = new Float64Array(f.length);
    // dy is 1 everywhere but for a pattern, so that the gradients are not all alike.
    const dy = numbers(y.length, 3);
    for (let n = 0; n < batch; n++) {
      for (let i = 0; i < h; i++) {
        for (let j = 0; j < w; j++) {
          for (let p = 0; p < k; p++) {
            for (let q = 0; q < k; q++) {
              const r = i + p - low;
              const s = j + q - low;
              if (r < 0 || s < 0 || r >= h || s >= w) continue;
              for (let c = 0; c < ci; c++) {
                const xi = ((n * h + r) * w + s) * ci + c;
                const fi = ((p * k + q) * ci + c) * co;
                const yi = ((n * h + i) * w + j) * co;
                let sum = 0;
                for (let o = 0; o < co; o++) {
                  y[yi + o] += x[xi] * f[fi + o];
                  sum += dy[yi + o] * f[fi + o];
                  df[fi + o] += dy[yi + o] * x[xi];
                }
                dx[xi] += sum;
              }
            }
          }
        }
      }
    }
    const conv = (a: Any, b: Any) => tf.nn.conv2d(a, b, { strides: [1, 1, 1, 1], padding: 'SAME' }) as Any;
    const inputs: [Float32Array, number[]][] = [
      [x, [batch, h, w, ci]],
      [f, [k, k, ci, co]],
      [dy, [batch, h, w, co]],
    ];
    expectClose(await compute((a, b) => conv(a, b), inputs.slice(0, 2)), y);
    expectClose(await compute((a, b, d) => tf.gradients(tf.mul(conv(a, b), d) as Any, [a, b])[0] as Any, inputs), dx);
    expectClose(await compute((a, b, d) => tf.gradients(tf.mul(conv(a, b), d) as Any, [a, b])[1] as Any, inputs), df);
  },
);

const endings: [string, 'float32' | 'float64' | 'int32', (product: Any) => Any][] = [
  ['a cast to float64', 'float32', (c) => tf.cast(c, 'float64') as Any],
  ['a cast to float32', 'float64', (c) => tf.cast(c, 'float32') as Any],
  ['exp in float64', 'float64', (c) => tf.exp(tf.mul(c, 0.1) as Any)],
  ['pow', 'float32', (c) => tf.pow(tf.abs(c), 1.5) as Any],
  ['integer division', 'int32', (c) => tf.div(c, 3) as Any],
  ['a comparison', 'float32', (c) => tf.less(c, 0.5) as Any],
  ['a comparison in float64', 'float64', (c) => tf.less(c, 0.5) as Any],
  ['a cast to int32', 'float32', (c) => tf.cast(c, 'int32') as Any],
  ['a cast to uint8', 'int32', (c) => tf.cast(c, 'uint8') as Any],
  ['dropout', 'float32', (c) => tf.nn.dropout(c, 0.6, { seed: 3 }) as Any],
  [
    'so much arithmetic that it is done in loops',
    'float32',
    (c) =>
      tf.tanh(tf.mul(tf.exp(tf.tanh(tf.sub(tf.tanh(c), tf.tanh(tf.mul(c, 0.3) as Any) as Any) as Any)), 0.5) as Any),
  ],
  ['a choice by a comparison', 'float32', (c) => tf.where(tf.greater(c, 0), c, tf.mul(c, 0.1) as Any) as Any],
];
test.each(endings)('a product that ends in %s equals the reference', async (_, dtype, ending) => {
  for (const [m, k, n] of [
    [13, 5, 11],
    [9, 700, 300],
  ]) {
    const graph = new tf.Graph();
    const [a, b, y] = graph.asDefault(() => {
      const x = tf.placeholder(dtype, [m, k]) as Any;
      const w = tf.placeholder(dtype, [k, n]) as Any;
      return [x, w, ending(tf.matmul(x, w) as Any)];
    });
    verifyProgram(
      compile({
        fetches: [y],
        feeds: [
          [a, [m, k]],
          [b, [k, n]],
        ],
      }).program,
      machine,
    );
    const whole = (v: number) => (dtype === 'int32' ? Math.round(v * 9) : v);
    const value = (shape: number[], seed: number) =>
      tf.array(Array.from(numbers(shape[0] * shape[1], seed), whole), shape as [number, number], dtype);
    const feeds = [
      [a, value([m, k], 1)],
      [b, value([k, n], 2)],
    ] as any;
    const [reference, wasm] = [new tf.Session({ graph, backend: 'reference' }), new tf.Session({ graph })];
    const wanted = Array.from(((await reference.run(y, feeds)) as any).data as Float64Array);
    const found = Array.from(((await wasm.run(y, feeds)) as any).data as Float64Array);
    const scale = Math.max(1, ...wanted.map(Math.abs));
    let different = 0;
    for (const [i, v] of wanted.entries()) if (Math.abs(found[i] - v) > 1e-5 * scale) different++;
    // Rounding may decide a comparison or a truncation of a sum that is almost on the edge.
    expect(different).toBeLessThanOrEqual(dtype === 'float32' ? 1 : 0);
    await Promise.all([reference.close(), wasm.close()]);
  }
});

test.each([
  ['by Winograd', 3, 8, 12, [11, 9]],
  ['by Winograd in the gradient of a filter', 5, 4, 8, [14, 14]],
  ['directly', 3, 3, 5, [7, 6]],
])('a convolution %s that ends in dropout equals the reference, gradients too', async (_, k, ci, co, [h, w]) => {
  const graph = new tf.Graph();
  const [x, f, ...outputs] = graph.asDefault(() => {
    const image = tf.placeholder('float32', [9, h, w, ci]) as Any;
    const filter = tf.placeholder('float32', [k, k, ci, co]) as Any;
    const y = tf.nn.conv2d(image, filter, { strides: [1, 1, 1, 1], padding: 'SAME' }) as Any;
    const dropped = tf.nn.dropout(tf.nn.relu(y) as Any, 0.7, { seed: 5 }) as Any;
    const [dx, df] = tf.gradients(tf.reduceSum(tf.mul(dropped, dropped) as Any) as Any, [image, filter]) as Any[];
    return [image, filter, dropped, tf.nn.dropout(df, 0.5, { seed: 6 }) as Any, dx];
  });
  const feeds = [
    [x, tf.array(numbers(9 * h * w * ci, 1), [9, h, w, ci])],
    [f, tf.array(numbers(k * k * ci * co, 2), [k, k, ci, co])],
  ] as any;
  const [reference, wasm] = [new tf.Session({ graph, backend: 'reference' }), new tf.Session({ graph })];
  const wanted = (await reference.run(outputs, feeds)) as any[];
  const found = (await wasm.run(outputs, feeds)) as any[];
  wanted.forEach(({ data }, i) => {
    const scale = Math.max(...Array.from(data as Float32Array, Math.abs));
    const worst = Math.max(...Array.from(data as Float32Array, (v, j) => Math.abs(found[i].data[j] - v)));
    expect(worst / scale).toBeLessThan(2e-5);
  });
  await Promise.all([reference.close(), wasm.close()]);
});
