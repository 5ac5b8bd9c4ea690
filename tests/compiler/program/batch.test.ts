// Chains of tasks: what may be one, how it is cut into blocks, and that blocks compute what all items at once do.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { machineFor } from '../../../src/backends/wasm/machine.ts';
import { atOnce } from '../../../src/base/turns.ts';
import { type Batched, batch } from '../../../src/compiler/program/batch.ts';
import { readsOf, schedule } from '../../../src/compiler/program/schedule.ts';
import { fuse } from '../../../src/compiler/tasks/fuse.ts';
import * as tf from '../../../src/index.ts';
import type { Batching, Machine } from '../../../src/loops/machine.ts';
import { verifyTask } from '../../../src/primitives/verify-task.ts';
import { elements } from '../../../src/tensor/shape.ts';
import { lower, type Wanted } from '../compile.ts';
import { Arrays, expectResults, givenFor } from '../run-tasks.ts';

type Any = tf.Tensor<any, any>;
const machine = machineFor(false);
/** A machine on which small arrays are large ones. */
const scaled = (batching: Partial<Batching>): Machine => ({
  ...machine,
  batching: { ...machine.batching, ...batching },
});

function batchOf(wanted: Wanted, target: Machine) {
  const run = lower(wanted);
  const fused = atOnce(fuse(run));
  const scheduled = atOnce(schedule(fused));
  const batched = atOnce(batch(scheduled, fused, target));
  batched.tasks.forEach(verifyTask);
  return { run, fused, scheduled, batched };
}

/** What rows do each for themselves, and what needs all of them. */
const steps: Record<string, (x: Any, n: number) => Any> = {
  product: (x, n) => tf.matmul(x, wave([x.shape![1]!, 1 + (n % 5)])) as Any,
  bias: (x, n) => tf.add(x, wave([x.shape![1]!], n)) as Any,
  tanh: (x) => tf.tanh(x) as Any,
  sums: (x) => tf.sub(x, tf.reduceMean(x, [1], { keepDims: true }) as Any) as Any,
  softmax: (x) => tf.nn.softmax(x) as Any,
  largest: (x) => tf.mul(x, tf.cast(tf.expandDims(tf.argmax(x, 1) as Any, 1) as Any, 'float32') as any) as Any,
  columns: (x) => tf.sub(x, tf.reduceMean(x, [0], { keepDims: true }) as Any) as Any,
  // Cubes of cubes would be beyond float32.
  turned: (x) => tf.tanh(tf.matmul(tf.matmul(x, x, { transposeB: true }) as Any, x) as Any) as Any,
  numbered: (x) => tf.add(x, tf.randomUniform(x.shape as number[], { seed: 1 }) as Any) as Any,
  rolled: (x) =>
    tf.concat([tf.slice(x, [1, 0], [-1, -1]) as Any, tf.slice(x, [0, 0], [1, -1]) as Any] as any, 0) as Any,
  widened: (x) => tf.concat([x, tf.neg(x) as Any] as any, 1) as Any,
};
const wave = (shape: readonly number[], phase = 0): Any =>
  tf.constant(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 1.3 + phase) / 2),
    { shape },
  ) as Any;

const programs = fc.record({
  rows: fc.constantFrom(8, 12, 24, 37, 48),
  columns: fc.integer({ min: 1, max: 6 }),
  kinds: fc.array(fc.tuple(fc.constantFrom(...Object.keys(steps)), fc.nat(9)), { minLength: 2, maxLength: 8 }),
  kept: fc.nat(9),
});
type Program = typeof programs extends fc.Arbitrary<infer P> ? P : never;

function build({ rows, columns, kinds, kept }: Program): Wanted {
  return new tf.Graph().asDefault(() => {
    const x = tf.placeholder('float32', [rows, columns]) as Any;
    const made = [x];
    for (const [kind, n] of kinds) {
      const y = steps[kind](made[made.length - 1], n);
      if (elements(y.shape as number[]) <= 600) made.push(y);
    }
    return { fetches: [made[made.length - 1], made[kept % made.length]], feeds: [[x, [rows, columns]]] };
  });
}

/** What is wrong with chains, found from the tasks alone. */
function faults({ tasks, chains, windows, within }: Batched, checks: number): string[] {
  const found: string[] = [];
  const ordered = [...chains].sort((a, b) => a.first - b.first);
  for (const [i, { first, end, items, block, parallel }] of ordered.entries()) {
    if (first >= end || end > tasks.length || (i > 0 && first < ordered[i - 1].end)) found.push(`chain ${i} is none`);
    if (first < checks && end > checks) found.push(`chain ${i} reaches beyond the checks`);
    if (!(block >= 1 && block <= items)) found.push(`${block} of ${items} items`);
    if (parallel && items % block !== 0) found.push(`blocks of ${block} of ${items} in parallel`);
    for (const task of tasks.slice(first, end)) {
      if (task.shape[0] !== block) found.push(`a task of ${task.shape[0]} in blocks of ${block}`);
      for (const { node } of task.outputs) {
        const window = windows.get(node);
        if (!window && !within.has(node)) found.push('a result is neither a part of an array nor of the block');
        if (elements(node.shape) !== block * (window?.item ?? elements(node.shape) / block))
          found.push('a window of another size');
        if (window && elements(window.of.shape) !== items * window.item) found.push('items of another size');
      }
    }
  }
  for (const [i, task] of tasks.entries()) {
    const chain = chains.find((c) => i >= c.first && i < c.end);
    for (const { node } of [...readsOf(task), ...task.outputs]) {
      const made = tasks.findIndex((t) => t.outputs.some((o) => o.node === node));
      if (within.has(node) && !(chain && made >= chain.first && made < chain.end))
        found.push(`task ${i} reads a block of another chain`);
    }
  }
  return found;
}

test('random programs of rows: chains are well formed, and block after block computes the same', () => {
  const seen = { parallel: 0, repeated: 0, numbered: 0 };
  const machines = [
    // Everything in parallel, as many blocks as there should be.
    scaled({ leastCost: 1, leastBlocks: 4 }),
    // Blocks that follow each other, some of which overlap the one before.
    scaled({ enoughBytes: 64, blockBytes: 256, blockMultiple: 4, leastBlocks: 8 }),
    // Chains of two tasks at most.
    scaled({ leastCost: 1, mostTasks: 2 }),
  ];
  fc.assert(
    fc.property(programs, fc.constantFrom(...machines), (program, target) => {
      const { run, fused, scheduled, batched } = batchOf(build(program), target);
      expect(faults(batched, scheduled.checks)).toEqual([]);
      const { mostTasks } = target.batching;
      for (const c of batched.chains) {
        seen[c.parallel ? 'parallel' : 'repeated']++;
        if (c.parallel) expect(c.end - c.first).toBeLessThanOrEqual(mostTasks);
      }
      if (program.kinds.some(([kind]) => kind === 'numbered')) seen.numbered++;
      const given = givenFor(run);
      const arrays = new Arrays(given, scheduled.inPlace);
      arrays.runBatched(batched);
      expectResults(arrays, fused, run, given);
    }),
    { numRuns: 400 },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(20);
});

describe('a chain', () => {
  const inGraph = (body: (x: Any) => Any, rows = 32): Wanted =>
    new tf.Graph().asDefault(() => {
      const x = tf.placeholder('float32', [rows, 6]) as Any;
      return { fetches: [body(x)], feeds: [[x, [rows, 6]]] };
    });
  const busy = scaled({ leastCost: 1 });
  const lengths = (wanted: Wanted, target = busy) => batchOf(wanted, target).batched.chains.map((c) => c.end - c.first);
  const product = (x: Any) => tf.matmul(x, wave([6, 6])) as Any;

  test('is of tasks that compute each item from the same one', () => {
    expect(lengths(inGraph((x) => product(tf.nn.softmax(product(x)) as Any)))).toEqual([6]);
    // What needs all items ends a chain; the difference after it and the next product are one again.
    expect(lengths(inGraph((x) => product(steps.columns(product(x), 0))))).toEqual([2]);
    expect(lengths(inGraph((x) => product(steps.rolled(product(x), 0))))).toEqual([]);
    expect(
      lengths(inGraph((x) => tf.matmul(product(x), tf.tanh(product(x)) as Any, { transposeB: true }) as Any)),
    ).toEqual([2]);
  });

  test('ends where something depends on the number of the item, in what a reduction sums too', () => {
    const random = (x: Any) => tf.randomUniform(x.shape as number[], { seed: 1 }) as Any;
    const sums = (x: Any, y: Any) => tf.reduceSum(tf.mul(x, y) as Any, [1], { keepDims: true }) as Any;
    expect(lengths(inGraph((x) => product(tf.mul(product(x), sums(product(x), x)) as Any)))).not.toEqual([]);
    const wanted = inGraph((x) => product(tf.mul(product(x), sums(product(x), random(x))) as Any));
    const { batched } = batchOf(wanted, busy);
    const numbered = batched.tasks.findIndex((t) => t.operandBody && t.operands.some((v) => v.node.kind === 'counter'));
    expect(numbered).toBeGreaterThanOrEqual(0);
    expect(batched.chains.some((c) => numbered >= c.first && numbered < c.end)).toBe(false);
  });

  test('has items enough for its blocks, and none that are shared by too much', () => {
    expect(lengths(inGraph((x) => product(product(x)), 7))).toEqual([]);
    expect(lengths(inGraph((x) => product(product(x)), 8))).toEqual([2]);
    expect(
      lengths(
        inGraph((x) => product(product(x))),
        scaled({ leastCost: 1, mostShared: 6 * 6 * 4 - 1 }),
      ),
    ).toEqual([]);
  });

  test('of little work is one block, of one thread; of more as many blocks as it is worth', () => {
    const blocks = (leastCost: number) => {
      const { chains } = batchOf(
        inGraph((x) => product(product(x))),
        scaled({ leastCost }),
      ).batched;
      return chains.map((c) => c.items / c.block);
    };
    expect(blocks(1e9)).toEqual([1]);
    expect(blocks(1)).toEqual([8]);
  });

  test('without products is one of many threads, though large: nothing is gained by many items at once', () => {
    const large = scaled({ leastCost: 1, enoughBytes: 1, blockBytes: 6 * 4 * machine.batching.blockMultiple });
    const kinds = (body: (x: Any) => Any) => batchOf(inGraph(body, 96), large).batched.chains.map((c) => c.parallel);
    const sums = (x: Any) => steps.sums(tf.tanh(x) as Any, 0);
    expect(kinds((x) => sums(sums(x)))).toEqual([true]);
    expect(kinds((x) => sums(product(sums(x))))).toEqual([false]);
  });

  test('in parallel is cut where it is too long, and the pieces hand each other whole arrays', () => {
    const long = inGraph((x) => {
      let y = x;
      for (let i = 0; i < 11; i++) y = product(y);
      return y;
    });
    const { batched } = batchOf(long, scaled({ leastCost: 1, mostTasks: 4 }));
    expect(batched.chains.map((c) => [c.first, c.end]).sort((a, b) => a[0] - b[0])).toEqual([
      [0, 4],
      [4, 8],
      [8, 11],
    ]);
    expect(batched.within.size).toBe(3 + 3 + 2);
  });
});

test('random numbers inside a reduction are those of their items, in sessions too', async () => {
  const graph = new tf.Graph();
  const { x, y } = graph.asDefault(() => {
    const given = tf.placeholder('float32', [256, 1000]) as Any;
    const random = tf.randomUniform([256, 1000], { seed: 3 }) as Any;
    const sums = tf.reduceSum(tf.mul(given, random) as Any, [1], { keepDims: true }) as Any;
    return { x: given, y: tf.sub(tf.nn.softmax(given) as Any, sums) as Any };
  });
  const feeds = [[x, new Float32Array(256_000).fill(1)]] as never;
  const results: Float32Array[] = [];
  for (const backend of ['reference', 'wasm'] as const) {
    const session = new tf.Session({ graph, backend, seed: 4 });
    results.push(((await session.run(y, feeds)) as unknown as tf.NDArray).data as Float32Array);
    await session.close();
  }
  const [wanted, found] = results;
  const firstOf = (array: Float32Array) => Array.from({ length: 256 }, (_, i) => array[i * 1000]);
  for (const [i, v] of firstOf(wanted).entries()) expect(Math.abs(firstOf(found)[i] - v)).toBeLessThan(0.01);
  expect(new Set(firstOf(found)).size).toBeGreaterThan(250);
});
