// Memory stays flat: over many runs, many shapes, and many sessions.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';

type Any = tf.Tensor<any, any>;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
/** Megabytes of the heap and of the process, after everything that nobody needs has gone. */
async function memory(): Promise<{ heap: number; process: number }> {
  for (let i = 0; i < 4; i++) {
    collect();
    await turn();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: (heapUsed + external) / 2 ** 20, process: rss / 2 ** 20 };
}

/** What WebAssembly has made since, by references that do not keep it (spies would keep what they return). */
interface Made {
  /** How many are there still, and how many were made. */
  alive(): number;
  made(): number;
}
const { Module, Memory } = WebAssembly;
afterEach(() => {
  Object.assign(WebAssembly, { Module, Memory });
});
const counted = (refs: readonly WeakRef<object>[]): Made => ({
  made: () => refs.length,
  alive: () => refs.filter((r) => r.deref() !== undefined).length,
});
function trackMemories(): Made & { largest(): number } {
  const refs: WeakRef<WebAssembly.Memory>[] = [];
  class Tracked extends Memory {
    constructor(options: ConstructorParameters<typeof Memory>[0]) {
      super(options);
      refs.push(new WeakRef(this));
    }
  }
  Object.assign(WebAssembly, { Memory: Tracked });
  return { ...counted(refs), largest: () => Math.max(...refs.map((r) => r.deref()?.buffer.byteLength ?? 0)) };
}
function trackModules(): Made {
  const refs: WeakRef<WebAssembly.Module>[] = [];
  class Tracked extends Module {
    constructor(bytes: Uint8Array<ArrayBuffer>) {
      super(bytes);
      refs.push(new WeakRef(this));
    }
  }
  Object.assign(WebAssembly, { Module: Tracked });
  return counted(refs);
}

test('100,000 runs of a small program that trains: less than 3 MB more of heap, and 24 MB of the process', async () => {
  const graph = new tf.Graph();
  const { x, loss, step, init } = graph.asDefault(() => {
    const given = tf.placeholder('float32', [null, 8]) as Any;
    const w = tf.variable(tf.constant(0.1, { shape: [8, 4] }) as Any) as Any;
    const sum = tf.reduceSum(tf.square(tf.tanh(tf.matmul(given, w)) as Any) as Any) as Any;
    return {
      x: given,
      loss: sum,
      step: new tf.train.MomentumOptimizer(0.01, 0.9).minimize(sum),
      init: tf.initializeAllVariables(),
    };
  });
  const session = new tf.Session({ graph });
  await session.run(init);
  const value = tf.array(new Float32Array(24).fill(0.3), [3, 8]);
  const feeds = [[x, value]] as any;
  const run = async (count: number) => {
    for (let i = 0; i < count; i++) await session.run([loss, step], feeds);
  };
  await run(10_000);
  const before = await memory();
  const begin = performance.now();
  await run(100_000);
  const seconds = (performance.now() - begin) / 1000;
  const after = await memory();
  await session.close();
  console.log(
    `100,000 runs: ${seconds.toFixed(1)} s, heap +${(after.heap - before.heap).toFixed(1)} MB, process +${(after.process - before.process).toFixed(1)} MB`,
  );
  expect(after.heap - before.heap).toBeLessThan(3);
  expect(after.process - before.process).toBeLessThan(24);
});

test('64 compiled runs are kept, those used last; the code and the constants of others are given back', async () => {
  const graph = new tf.Graph();
  const { x, y } = graph.asDefault(() => {
    const given = tf.placeholder('float32', [null]) as Any;
    // A megabyte of constants in each program.
    const large = tf.constant(Float32Array.from({ length: 2 ** 18 }, (_, i) => i % 7)) as Any;
    return { x: given, y: tf.mul(tf.reduceSum(given) as Any, tf.reduceMax(tf.square(large) as Any) as Any) as Any };
  });
  const modules = trackModules();
  const memories = trackMemories();
  const session = new tf.Session({ graph, threads: 2 });
  const run = async (n: number) => {
    expect(await session.run(y, [[x, new Float32Array(n).fill(1)]] as any)).toBe(36 * n);
  };
  for (let n = 1; n <= 64; n++) await run(n);
  expect(modules.made()).toBe(64);
  for (let n = 64; n >= 1; n--) await run(n);
  expect(modules.made()).toBe(64);
  const full = memories.largest();
  // The one that was not used for longest is 64 now.
  await run(65);
  expect(modules.made()).toBe(65);
  await run(1);
  await run(63);
  expect(modules.made()).toBe(65);
  await run(64);
  expect(modules.made()).toBe(66);
  for (let n = 66; n <= 300; n++) await run(n);
  expect(modules.made()).toBe(66 + 235);
  // One more program is there while it takes the place of another.
  expect(memories.largest()).toBeLessThan(full + 4 * 2 ** 20);
  await memory();
  expect(modules.alive()).toBeLessThanOrEqual(70);
  await session.close();
  await memory();
  expect(modules.alive()).toBeLessThanOrEqual(4);
});

test('100 sessions one after another, with runs here and on the pool: their memories go', async () => {
  const graph = new tf.Graph();
  const { a, step, sum, init } = graph.asDefault(() => {
    const given = tf.placeholder('float32', [256, 256]) as Any;
    const v = tf.variable(tf.zeros([1024, 1024]));
    const product = tf.reduceSum(tf.matmul(given, given) as Any) as Any;
    return {
      a: given,
      step: (tf.assignAdd(v, product.reshape([1, 1]).add(tf.zeros([1024, 1024])) as Any) as Any)
        .operation as tf.Operation,
      sum: tf.reduceSum(given) as Any,
      init: tf.initializeAllVariables(),
    };
  });
  const feeds = [[a, new Float32Array(256 * 256).fill(0.01)]] as any;
  const memories = trackMemories();
  const use = async (): Promise<void> => {
    const session = new tf.Session({ graph, threads: 2 });
    await session.run(init);
    await session.run(step, feeds);
    expect(await session.run(sum, feeds)).toBeCloseTo(655.36, 1);
    await session.close();
  };
  for (let i = 0; i < 20; i++) await use();
  const before = await memory();
  const begin = performance.now();
  for (let i = 0; i < 100; i++) await use();
  const seconds = (performance.now() - begin) / 1000;
  const after = await memory();
  console.log(
    `100 sessions of 5 MB: ${seconds.toFixed(1)} s, ${memories.alive()} of ${memories.made()} memories alive, ` +
      `heap +${(after.heap - before.heap).toFixed(1)} MB, process +${(after.process - before.process).toFixed(1)} MB`,
  );
  expect(memories.made()).toBe(120);
  expect(memories.alive()).toBeLessThan(10);
  expect(after.heap - before.heap).toBeLessThan(6);
  // A hundred memories would be more than half a gigabyte.
  expect(after.process - before.process).toBeLessThan(200);
});
