// Chains of tasks in one kernel: the values of the reference, well formed, the same bits on any number of threads; and of
// softmax, cross-entropy and its gradient, how often a row is passed over.

import { expect, test } from 'vitest';
import { machineFor } from '../../../src/backends/wasm/machine.ts';
import * as tf from '../../../src/index.ts';
import { verifyProgram } from '../../../src/loops/check/verify.ts';
import { bodyOf, type Statement } from '../../../src/loops/ir.ts';
import type { Machine } from '../../../src/loops/machine.ts';
import type { Program } from '../../../src/loops/program.ts';
import { touchedBy } from '../../../src/loops/touching.ts';
import { compile } from '../compile.ts';

type Any = tf.Tensor<any, any>;

const conv = (x: Any, f: Any): Any => tf.nn.conv2d(x, f, { strides: [1, 1, 1, 1], padding: 'SAME' }) as Any;
const pool = (x: Any): Any => tf.nn.maxPool(x, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' }) as Any;
const noise = (shape: readonly number[], seed: number, scale = 1): Any =>
  tf.constant(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => scale * Math.sin(i * 12.9898 + seed)),
    { shape },
  ) as Any;

/** What it is, the shape of what goes in, what comes out, and a kernel that must be in a chain. */
const networks: [string, number[], (x: Any) => Any, string?][] = [
  [
    'convolutions with bias, relu and pooling, and their gradient',
    [24, 14, 13, 4],
    (x) => {
      const h = pool(tf.nn.relu(conv(x, noise([3, 3, 4, 8], 1)).add(noise([8], 2))) as Any);
      const y = pool(tf.nn.relu(conv(h, noise([5, 5, 8, 4], 3)).add(noise([4], 4))) as Any);
      return tf.gradients(tf.reduceSum(tf.square(y) as Any) as Any, [x])[0] as Any;
    },
  ],
  ['a prime number of images', [23, 14, 14, 8], (x) => pool(tf.tanh(conv(x, noise([3, 3, 8, 8], 5))) as Any)],
  [
    'rows: a product, softmax, and what follows from it',
    [768, 96],
    (x) => {
      const p = tf.nn.softmax(tf.matmul(x, noise([96, 64], 6)) as Any) as Any;
      return tf.sub(tf.mul(p, p) as Any, tf.reduceSum(p, 1, { keepDims: true }) as Any) as Any;
    },
  ],
  [
    'a product with a factor that is mostly zero: every block has lists of its own',
    [256, 8],
    (x) => {
      const h = tf.matmul(x, noise([8, 256], 7)) as Any;
      const gated = tf.mul(tf.nn.relu(h) as Any, tf.nn.relu(tf.sub(0.1, h) as Any) as Any) as Any;
      return tf.tanh(tf.matmul(gated, noise([256, 128], 8)) as Any) as Any;
    },
    'count of what is not zero',
  ],
  [
    'a chain so long that it is cut',
    [256, 24],
    (x) => {
      let y = x;
      for (let i = 0; i < 70; i++) y = tf.add(x, tf.tanh(tf.matmul(y, noise([24, 24], i, 0.1)) as Any) as Any) as Any;
      return y;
    },
  ],
];

test.each(networks)('%s', async (_, shape, network, kernel = '') => {
  const graph = new tf.Graph();
  const [x, y] = graph.asDefault(() => {
    const input = tf.placeholder('float32', shape) as Any;
    return [input, network(input)];
  });
  const machine = machineFor(false);
  const { program } = compile({ fetches: [y], feeds: [[x, shape]] });
  verifyProgram(program, machine);
  const merged = program.kernels.filter((k) => k.name.includes(', '));
  expect(merged.filter(({ name }) => name.includes(kernel)).length).toBeGreaterThan(0);
  expect(program.threadBytes).toBeGreaterThan(0);
  for (const { name } of merged) expect(name.split(', ').length).toBeLessThanOrEqual(64);

  const count = shape.reduce((a, b) => a * b);
  const feeds = [
    [
      x,
      tf.array(
        Float32Array.from({ length: count }, (_2, i) => Math.cos(i * 3.7)),
        shape,
      ),
    ],
  ] as never;
  const values = async (options: tf.SessionOptions): Promise<Float32Array> => {
    const sess = new tf.Session({ graph, ...options });
    const { data } = (await sess.run(y, feeds)) as unknown as { data: Float32Array };
    await sess.close();
    return data;
  };
  const wanted = await values({ backend: 'reference' });
  const one = await values({ threads: 1 });
  const scale = Math.max(...Array.from(wanted, Math.abs));
  expect(Math.max(...Array.from(wanted, (v, i) => Math.abs(v - one[i]))) / scale).toBeLessThan(1e-5);
  for (const threads of [2, 3, 7]) expect(await values({ threads })).toEqual(one);
});

// ---- rows
type Shape = readonly [rows: number, columns: number];

const narrow = machineFor(true);
const wide: Machine = { ...narrow, vectorBytes: 64, partialVectors: true };

/** The loss as the library has it, and as the tutorial writes it. */
const losses: Record<string, (labels: Any, logits: Any) => Any> = {
  'cross-entropy of logits': (labels, logits) => tf.nn.softmaxCrossEntropyWithLogits({ labels, logits }) as Any,
  'logarithm of softmax': (labels, logits) =>
    tf.neg(tf.reduceSum(tf.mul(labels, tf.log(tf.nn.softmax(logits) as Any) as Any) as Any, [1]) as Any) as Any,
};

function model(loss: (labels: Any, logits: Any) => Any, shape: Shape) {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const logits = tf.placeholder('float32', shape) as Any;
    const labels = tf.placeholder('float32', shape) as Any;
    const mean = tf.reduceMean(loss(labels, logits)) as Any;
    return { graph, logits, labels, mean, gradient: tf.gradients(mean, [logits])[0] as Any };
  });
}

/** The loss and its gradient. */
function programOf(name: string, shape: Shape, machine: Machine): Program {
  const { logits, labels, mean, gradient } = model(losses[name], shape);
  const { program } = compile(
    { fetches: [mean, gradient], feeds: [logits, labels].map((t) => [t, shape] as const) },
    machine,
  );
  verifyProgram(program, machine);
  return program;
}

/** Loops over all rows of the matrices, and in them loops over more than half of a row. */
function passesOf({ kernels }: Program, [rows, columns]: Shape) {
  const found = { overRows: 0, overColumns: 0 };
  const visit = (statements: readonly Statement[], done: number) => {
    for (const s of statements) {
      if (s.kind !== 'loop') continue;
      const { read, written } = touchedBy(s.body);
      const matrix = [...read, ...written].some((b) => b.length === rows * columns);
      const all = done * s.variable.extent;
      if (matrix && all === rows) found.overRows++;
      if (matrix && done >= rows && s.variable.extent > columns / 2) found.overColumns++;
      visit(s.body, all);
    }
  };
  for (const k of kernels) visit(k.body, 1);
  return found;
}

const sizes = [
  [64, 1000],
  [64, 50_000],
] as const;
const cases = Object.keys(losses).flatMap((name) =>
  sizes.flatMap((s) => [narrow, wide].map((m) => [name, s, m] as const)),
);

test.each(cases)('%s of %j: the largest, the sums, the gradient: three loops over a row', (name, shape, machine) => {
  const program = programOf(name, shape, machine);
  // All rows are passed over once, and nothing as long as a row is stored but the gradient.
  expect(passesOf(program, shape)).toEqual({ overRows: 1, overColumns: 3 });
});

test.each(Object.keys(losses))('%s: a row that fits a vector stays in registers', (name) => {
  const shape = [50, 10] as const;
  const program = programOf(name, shape, wide);
  expect(passesOf(program, shape)).toEqual({ overRows: 1, overColumns: 0 });
  const [kernel] = program.kernels;
  const stored: string[] = [];
  const visit = (statements: readonly Statement[]) => {
    for (const s of statements) {
      if (s.kind === 'store') stored.push(s.buffer.name);
      visit(bodyOf(s));
    }
  };
  visit(kernel.body);
  // The row's gradient, and its loss.
  expect(stored).toHaveLength(2);
});

const shapes = [
  [50, 10],
  [8, 1],
  [9, 4],
  [16, 37],
  [64, 1000],
  [8, 5003],
] as const;
const everything = Object.keys(losses).flatMap((name) => shapes.map((s) => [name, s] as const));

test.each(everything)(
  '%s of %j: the values of the reference, the same bits on 1 and 3 threads',
  async (name, shape) => {
    const { graph, logits, labels, mean, gradient } = model(losses[name], shape);
    const count = shape[0] * shape[1];
    const given = (f: (i: number) => number) =>
      tf.array(
        Float32Array.from({ length: count }, (_, i) => f(i)),
        shape as never,
      );
    const feeds = [
      [logits, given((i) => 8 * Math.sin(i * 12.9898))],
      [labels, given((i) => (i % 7) / 7)],
    ] as never;
    const values = async (options: tf.SessionOptions) => {
      const session = new tf.Session({ graph, ...options });
      const results = (await session.run([mean, gradient] as never, feeds)) as unknown as (
        | number
        | { data: Float32Array }
      )[];
      await session.close();
      return results.map((r) => (typeof r === 'number' ? [r] : Array.from(r.data)));
    };
    const wanted = await values({ backend: 'reference' });
    const one = await values({ backend: 'wasm', threads: 1 });
    for (const [k, array] of wanted.entries()) {
      const scale = Math.max(1e-3, ...array.map(Math.abs));
      expect(Math.max(...Array.from(array, (x, i) => Math.abs(one[k][i] - x))) / scale).toBeLessThan(1e-5);
    }
    expect(await values({ backend: 'wasm', threads: 3 })).toEqual(one);
  },
);
