// The event loop stays the user's while large graphs are compiled and run for the first time. Nothing is judged by the
// clock alone, which other programs delay: only pieces of work, by the whole of which they are part.
import { expect, test } from 'vitest';
import { emitting as emittingC } from '../../src/backends/native/emit/emit.ts';
import { secondsOf } from '../../src/backends/run/work.ts';
import { emitting } from '../../src/backends/wasm/emit/emit.ts';
import { machineFor } from '../../src/backends/wasm/machine.ts';
import type { Sliced } from '../../src/base/turns.ts';
import { compiling, type Plan } from '../../src/compiler/compile.ts';
import * as tf from '../../src/index.ts';

type Any = tf.Tensor<any, any>;
interface Large {
  readonly graph: tf.Graph;
  readonly x: Any;
  readonly size: number;
  readonly fetches: readonly Any[];
  readonly targets: readonly tf.Operation[];
}

/** Operations of which none equals another, in thousands of kernels. */
function largeGraph(operations: number, size: number): Large {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const x = tf.placeholder('float32', [size, size]) as Any;
    let y: Any = x;
    for (let i = 0; graph.operations.length < operations; i++) {
      const w = tf.constant(
        Float32Array.from({ length: size * size }, (_, k) => Math.sin(i + k) / size),
        { shape: [size, size] },
      ) as Any;
      const scaled = tf.mul(tf.sub(tf.nn.softmax(tf.matmul(y, w) as Any), y) as Any, 0.3 + i / 1e5) as Any;
      y = tf.maximum(tf.add(scaled, tf.transpose(y) as Any) as Any, tf.neg(tf.tanh(y) as Any) as Any) as Any;
    }
    return { graph, x, size, fetches: [y], targets: [] };
  });
}

/** A step of training with two variables, and two of the optimizer's, for each layer. */
function largeTraining(layers: number, size: number): Large {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const x = tf.placeholder('float32', [size, size]) as Any;
    let y: Any = x;
    for (let i = 0; i < layers; i++) {
      const w = tf.variable(tf.zeros([size, size]) as Any) as Any;
      const b = tf.variable(tf.zeros([size]) as Any) as Any;
      y = tf.add(y, tf.tanh(tf.add(tf.matmul(y, w) as Any, b) as Any) as Any) as Any;
    }
    const step = new tf.train.MomentumOptimizer(0.01, 0.9).minimize(tf.reduceSum(y) as Any);
    return { graph, x, size, fetches: [], targets: [step] };
  });
}

/** Kernels of thousands of statements each. */
function longChain(operations: number, size: number): Large {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const x = tf.placeholder('float32', [size, size]) as Any;
    let y: Any = x;
    for (let i = 0; i < operations; i++) y = tf.tanh(tf.mul(y, 1.1) as Any) as Any;
    return { graph, x, size, fetches: tf.gradients(y, [x]) as Any[], targets: [] };
  });
}

/** The milliseconds between yields. */
function drive<T>(steps: Sliced<T>): { value: T; pieces: number[] } {
  const pieces: number[] = [];
  for (;;) {
    const begin = performance.now();
    const { done, value } = steps.next();
    pieces.push(performance.now() - begin);
    if (done) return { value, pieces };
  }
}

const passes = ['compile', 'estimate', 'emit', 'emit C'] as const;

/** Compiles, and tells how long each piece took. */
function compileOnce({ graph, x, size, fetches, targets }: Large): Record<(typeof passes)[number], number[]> {
  const request = { graph, fetches, targets, feeds: [{ tensor: x, shape: [size, size] }], seed: 0 };
  const machine = machineFor(false);
  const compiled = drive(compiling(request, machine));
  const plan = compiled.value.plan as Plan;
  const memory = { shared: true, minimum: 16, maximum: 65535 };
  const options = { addressOf: () => 1024, memory, fusedMultiplyAdd: false, profile: false };
  return {
    compile: compiled.pieces,
    estimate: drive(secondsOf(plan, { operations: 4e9, bytes: 1e10 }, 1)).pieces,
    emit: drive(emitting(plan, options)).pieces,
    'emit C': drive(emittingC(plan, { machine, profile: false })).pieces,
  };
}

test.each([
  ['a graph of 8000 operations', () => largeGraph(8000, 9)],
  ['a training step with 2000 variables', () => largeTraining(500, 6)],
  ['a chain of 600 operations with its gradient', () => longChain(300, 8)],
])('%s: between two yields no pass does more than a sixteenth of all work', (_, build) => {
  const large = build();
  // Of each piece the shortest time: collecting garbage, compiling the compiler and other programs come at any place.
  const runs = Array.from({ length: 4 }, () => compileOnce(large));
  const times = passes.map((name) => {
    const pieces = runs[0][name].map((_, i) => Math.min(...runs.map((r) => r[name][i])));
    return { name, pieces, time: pieces.reduce((a, b) => a + b) };
  });
  const all = times.reduce((sum, { time }) => sum + time, 0);
  for (const { name, pieces, time } of times) {
    const longest = pieces.reduce((a, b) => Math.max(a, b));
    const at = pieces.indexOf(longest);
    console.log(`${name}: ${time.toFixed(0)} ms in ${pieces.length} pieces, ${longest.toFixed(1)} ms in number ${at}`);
    expect(longest / all, `piece ${at} of ${name}`).toBeLessThan(1 / 16);
  }
});

test('a session compiles in slices, and makes the first run of much code on the pool, later ones here', async () => {
  const { graph, x, fetches } = largeGraph(8000, 4);
  const session = new tf.Session({ graph });
  const feeds = [[x, new Float32Array(16).fill(0.5)]] as any;
  let last = performance.now();
  let late = 0;
  let ticks = 0;
  const tick = () => {
    const now = performance.now();
    late = Math.max(late, now - last);
    last = now;
    ticks++;
  };
  const timer = setInterval(tick, 5);
  const begin = performance.now();
  const first = await session.run(fetches[0], feeds);
  const took = performance.now() - begin;
  tick();
  clearInterval(timer);
  console.log(`first run: ${took.toFixed(0)} ms, ${ticks} ticks, ${late.toFixed(0)} ms without one at most`);
  expect(ticks).toBeGreaterThan(10);
  // Planning alone is half of it.
  expect(late).toBeLessThan(took / 4);

  const other = new tf.Session({ graph });
  expect(await session.explain(fetches[0], feeds)).toContain('runs on the calling thread');
  expect(await other.explain(fetches[0], feeds)).toContain('runs on the threads of the pool');
  expect(await other.explain(tf.reduceSum(x) as Any, feeds)).toContain('runs on the calling thread');
  expect(await session.run(fetches[0], feeds)).toEqual(first);
  await Promise.all([session.close(), other.close()]);
});
