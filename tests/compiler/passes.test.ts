// Softmax, cross-entropy and its gradient: how often a row is passed over, and that the results are right.
import { expect, test } from 'vitest';
import { machineFor } from '../../src/backends/wasm/machine.ts';
import * as tf from '../../src/index.ts';
import { verifyProgram } from '../../src/loops/check/verify.ts';
import { bodyOf, type Statement, touchedBy } from '../../src/loops/ir.ts';
import type { Machine } from '../../src/loops/machine.ts';
import type { Program } from '../../src/loops/program.ts';
import { compile } from './compile.ts';

type Any = tf.Tensor<any, any>;
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
      for (const [i, x] of array.entries()) expect(Math.abs(one[k][i] - x) / scale).toBeLessThan(1e-5);
    }
    expect(await values({ backend: 'wasm', threads: 3 })).toEqual(one);
  },
);
