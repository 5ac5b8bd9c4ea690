// Kernels of equal structure are built once and compiled once: the same program and the same bits as without that.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createWasm } from '../../../src/backends/wasm/backend.ts';
import type { machineFor } from '../../../src/backends/wasm/machine.ts';
import * as tf from '../../../src/index.ts';
import { printProgram } from '../../../src/loops/check/print.ts';
import { verifyProgram } from '../../../src/loops/check/verify.ts';
import type { Kernel } from '../../../src/loops/ir.ts';
import type { Program } from '../../../src/loops/program.ts';
import type { TypedArray } from '../../../src/tensor/dtype.ts';
import { compile } from '../compile.ts';

type Any = tf.Tensor<any, any>;

const wave = (shape: readonly number[], seed: number): Any =>
  tf.constant(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 12.9898 + seed) / 3),
    { shape },
  ) as Any;

/** What a layer may do, with parameters of its own where it has some. */
const steps: Record<string, (y: Any, layer: number) => Any> = {
  product: (y, layer) => tf.matmul(y, tf.variable(wave([y.shape![1]!, y.shape![1]!], layer)) as Any) as Any,
  'product with a constant': (y, layer) => tf.matmul(y, wave([y.shape![1]!, y.shape![1]!], layer)) as Any,
  bias: (y, layer) => tf.add(y, tf.variable(wave([y.shape![1]!], layer)) as Any) as Any,
  tanh: (y) => tf.tanh(y) as Any,
  relu: (y) => tf.nn.relu(y) as Any,
  scale: (y) => tf.mul(y, 1.25) as Any,
  'scale of its own': (y, layer) => tf.mul(y, 1 + layer / 16) as Any,
  'negative zero': (y, layer) => tf.mul(y, layer % 2 === 0 ? 0 : -0) as Any,
  'largest of numbers': (y, layer) => tf.maximum(tf.mul(y, 0.5 + layer) as Any, layer / 8 - 0.5) as Any,
  'row means': (y) => tf.sub(y, tf.reduceMean(y, [1], { keepDims: true }) as Any) as Any,
  'column means': (y) => tf.sub(y, tf.reduceMean(y, [0], { keepDims: true }) as Any) as Any,
  softmax: (y) => tf.nn.softmax(y) as Any,
  reverse: (y) => tf.transpose(tf.transpose(y) as Any) as Any,
  dropout: (y) => tf.nn.dropout(y, 0.5) as Any,
  gather: (y) => tf.gather(y, tf.argmax(y, 0) as Any) as Any,
};

/** Those whose numbers differ from layer to layer; that of a scale is folded with the loss's own in the last one. */
const ownNumbers = { scale: true, 'scale of its own': true, 'negative zero': true, 'largest of numbers': true };

const recipes = fc.record({
  layers: fc.integer({ min: 9, max: 12 }),
  rows: fc.constantFrom(1, 7, 8, 24, 70),
  columns: fc.constantFrom(1, 6, 16, 33),
  kinds: fc.array(fc.constantFrom(...Object.keys(steps)), { minLength: 1, maxLength: 4 }),
  train: fc.boolean(),
});

/** Primitives are numbered on from whatever was made before. */
function renumbered(program: string): string {
  const numbers = new Map<string, number>();
  return program.replace(/([a-z]+)\d+(?=\[|:)/g, (name, kind) => {
    numbers.set(name, numbers.get(name) ?? numbers.size);
    return `${kind}#${numbers.get(name)}`;
  });
}

/** Runs a program twice on fresh storage, after the one that initializes its variables. */
async function run(init: Program, program: Program, lowered: any, feed: TypedArray, threads: number) {
  const backend = createWasm({ threads, portable: false, fastMath: true, profile: false });
  const start = await backend.load({ lowered, program: init });
  await start.run(
    [],
    init.counters.map(() => 0),
  );
  const executable = await backend.load({ lowered, program });
  const results: Uint8Array[] = [];
  for (let i = 0; i < 2; i++) {
    const values = await executable.run(
      [feed],
      program.counters.map(() => i),
    );
    results.push(...values.map((v) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength)));
  }
  for (const e of [start, executable]) e.dispose();
  backend.close();
  return results;
}

test('random layers, repeated: the program is the same as built kernel by kernel, and so is every bit', async () => {
  let mostShared = 0;
  await fc.assert(
    fc.asyncProperty(recipes, async ({ layers, rows, columns, kinds, train }) => {
      const graph = new tf.Graph();
      const { x, y, targets, init } = graph.asDefault(() => {
        const input = tf.placeholder('float32', [rows, columns]) as Any;
        let last = input;
        for (let i = 0; i < layers; i++) for (const kind of kinds) last = steps[kind](last, i);
        const loss = tf.reduceSum(tf.square(last) as Any) as Any;
        const step =
          train && graph.variables.length > 0 ? [new tf.train.AdamOptimizer(0.01).minimize(loss) as tf.Operation] : [];
        return { x: input, y: last, targets: step, init: tf.initializeAllVariables() };
      });
      const machine = createWasm({ threads: 1, portable: false, fastMath: true, profile: false }).machine as ReturnType<
        typeof machineFor
      >;
      const wanted = { fetches: [y, ...graph.variables], targets, feeds: [[x, [rows, columns]]] } as const;
      const { program: shared, lowered } = compile(wanted, machine);
      const { program: alone } = compile(wanted, machine, { shareStructures: false });
      verifyProgram(shared, machine);
      // Numbers in which layers differ lie in memory where kernels are shared; the rest is the same, statement by statement.
      if (!kinds.some((kind) => kind in ownNumbers))
        expect(renumbered(printProgram(shared))).toBe(renumbered(printProgram(alone)));
      expect(shared.tasks.map((t) => t.offers)).toEqual(alone.tasks.map((t) => t.offers));
      expect(shared.tasks.map((t) => t.kernels)).toEqual(alone.tasks.map((t) => t.kernels));
      const bodies = new Map<unknown, number>();
      for (const k of shared.kernels as readonly Kernel[])
        if (k.shared) bodies.set(k.shared.pattern, (bodies.get(k.shared.pattern) ?? 1) + 1);
      mostShared = Math.max(mostShared, ...bodies.values());
      const feed = Float32Array.from({ length: rows * columns }, (_, i) => Math.cos(i));
      const { program: first } = compile({ targets: [init] }, machine);
      const results = await run(first, alone, lowered, feed, 1);
      for (const threads of [1, 3]) expect(await run(first, shared, lowered, feed, threads)).toEqual(results);
    }),
    {
      numRuns: 15,
      interruptAfterTimeLimit: 110_000,
      examples: [
        ...Object.keys(steps).map((kind) => ({ rows: 8, columns: 16, kinds: [kind, 'product'] })),
        { rows: 1, columns: 6, kinds: ['scale', 'product', 'row means'] },
        // Few rows of which most are zeros: sums outside loops, under a condition.
        { rows: 7, columns: 33, kinds: ['negative zero', 'product', 'largest of numbers'] },
      ].map((recipe) => [{ layers: 9, train: true, ...recipe }]),
    },
  );
  expect(mostShared).toBeGreaterThan(8);
});
