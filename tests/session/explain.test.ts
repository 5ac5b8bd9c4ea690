// What `explain` tells of a run: everything that the compiler decided, without running anything.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { explain } from '../../src/compiler/explain.ts';
import * as tf from '../../src/index.ts';
import { compile } from '../compiler/compile.ts';

const dir = mkdtempSync(join(tmpdir(), 'millrace-explain-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
beforeEach(() => tf.resetDefaultGraph());

/** A matrix product with relu, and a step that trains it. */
function model() {
  const x = tf.placeholder('float32', [null, 300], { name: 'x' });
  const weights = tf.variable(tf.constant(0.01, { shape: [300, 400] }), { name: 'weights' });
  const loss = tf.reduceSum(tf.square(tf.nn.relu(tf.matmul(x, weights))));
  const step = new tf.train.GradientDescentOptimizer(0.001).minimize(loss);
  return { x, weights, loss, step, init: tf.initializeAllVariables() };
}
const numbersIn = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((m) => m.slice(1).map(toNumber));
const toNumber = (text: string) => Number(text.replaceAll(',', ''));

test('tasks, offers, kernels and the map of the memory; variables need no values, and get none', async () => {
  const { x, weights, loss, step } = model();
  const session = new tf.Session({ threads: 3, portable: true });
  const text = await session.explain([loss, step], [[x, new Float32Array(64 * 300)]]);
  expect(text).toMatch(/^wasm: .*128-bit vectors \(plain SIMD\), 3 threads, fast math\n/);
  expect(text).toMatch(new RegExp(`\\n${loss.name}, ${step.name}: \\d+ tasks, \\d+ kernels, .*threads of the pool\\n`));
  expect(text).toMatch(/task 0: contract \[64,400\] of %id\d+\[64,400,300\]/);
  expect(text).toMatch(/offers: tiles \d×\d+, packed, cost [\d,]+ \(taken\); sum of products, cost [\d,]+\n/);
  expect(text).toMatch(/kernel \d: contract \d×\d+, parallel, 15,360,000 FLOP, [\d,]+ bytes\n/);
  expect(text).toMatch(/variables \(outside the arena\): 1\n {2}\w+ float32\[120000\], 480,000 bytes: weights\n/);
  expect(text).not.toMatch(/ ms|\d %\)|NaN|undefined/);
  // The cheapest offer is the one that is taken.
  for (const [, line] of text.matchAll(/offers: (.*)/g)) {
    const costs = numbersIn(line, /cost ([\d,]+)/g).map(([cost]) => cost);
    expect(costs).toEqual([...costs].sort((a, b) => a - b));
  }
  await expect(session.run(weights)).rejects.toThrow('before they are initialized');
  await session.close();
  await expect(session.explain(loss)).rejects.toThrow('The session is closed');
});

test('the arena is as large as its map says, and its lower bound follows from the lifetimes', async () => {
  const { x, loss, step } = model();
  const session = new tf.Session({ threads: 1 });
  const text = await session.explain([loss, step], [[x, new Float32Array(64 * 300)]]);
  await session.close();
  const [arena, ratio, lower] = numbersIn(text, /arena: ([\d,]+) bytes, ([\d.]+) times the ([\d,]+) that/g)[0];
  const map = text.slice(text.indexOf('arena:'), text.indexOf("each thread's own space"));
  const lines = [...map.matchAll(/at ([\d,]+): \w+ \w+\[\d+\], ([\d,]+) bytes, (.*)/g)];
  const last = numbersIn(text, /([\d,]+) tasks,/g)[0][0];
  const step_ = (word: string) =>
    word === 'before' ? -1 : word === 'after' ? last : Number(word.replace('task ', ''));
  const buffers = lines.map(([, at, bytes, when]) => {
    const [begin, end = begin] = when.split(' to ').map(step_);
    return { at: toNumber(at), bytes: Math.ceil(toNumber(bytes) / 64) * 64, begin, end };
  });
  expect(buffers.length).toBeGreaterThan(3);
  expect(Math.max(...buffers.map((b) => b.at + b.bytes))).toBe(arena);
  const needed = Array.from({ length: last + 2 }, (_, i) =>
    buffers.filter((b) => b.begin <= i - 1 && i - 1 <= b.end).reduce((sum, b) => sum + b.bytes, 0),
  );
  expect(Math.max(...needed)).toBe(lower);
  expect(ratio).toBeCloseTo(arena / lower, 2);
  for (const a of buffers) {
    for (const b of buffers) {
      const together = a !== b && a.begin <= b.end && b.begin <= a.end;
      expect(together && a.at < b.at + b.bytes && b.at < a.at + a.bytes).toBe(false);
    }
  }
});

test('after runs of a session with trace it has the times of the kernels, whose shares make 100 %', async () => {
  const { x, loss, step, init } = model();
  const session = new tf.Session({ threads: 2, trace: join(dir, 'times.json') });
  const feeds = tf.feeds([x, new Float32Array(64 * 300).fill(0.1)]);
  await session.run(init);
  expect(await session.explain([loss, step], feeds)).not.toMatch(/ ms/);
  for (let i = 0; i < 5; i++) await session.run([loss, step], feeds);
  const text = await session.explain([loss, step], feeds);
  expect(text).toMatch(/kernels took [\d.]+ ms in all; times are medians of the last 5 runs, of the slowest thread\n/);
  const [kernels] = numbersIn(text, /([\d,]+) kernels,/g)[0];
  const times = numbersIn(text, /kernel \d+: .* bytes, ([\d.]+) ms \(([\d.]+) %\)/g);
  expect(times.length).toBe(kernels);
  expect(times.reduce((sum, [, share]) => sum + share, 0)).toBeCloseTo(100, -0.5);
  expect(text).toMatch(/kernel \d+: contract .* GFLOP\/s/);
  for (let i = 0; i < 50; i++) await session.run([loss, step], feeds);
  expect(await session.explain([loss, step], feeds)).toMatch(/medians of the last 32 runs/);
  await session.close();
});

test('short times have thousandths of a millisecond, long ones tenths', () => {
  const x = tf.placeholder('float32', [8]) as tf.Tensor<any, any>;
  const { lowered, program: plan } = compile({ fetches: [tf.exp(x) as typeof x], feeds: [[x, [8]]] });
  const written = [
    [0.0123, '0.012'],
    [9.9994, '9.999'],
    [10, '10.0'],
    [1234.56, '1234.6'],
  ] as const;
  for (const [ms, text] of written) {
    const explained = explain({ lowered, plan, inline: true, measured: { runs: 3, medians: [ms] } });
    expect(explained).toContain(`kernels took ${text} ms in all; times are medians of the last 3 runs`);
    expect(explained).toContain(`bytes, ${text} ms (`);
  }
});

test('what it compiles is what the next run uses; a short run is said to be one', async () => {
  const x = tf.placeholder('float32', [null]);
  const y = tf.exp(x);
  const session = new tf.Session();
  expect(await session.explain(y, [[x, [1, 2]]])).toMatch(
    /: 1 task, 1 kernel, .*; short: runs on the calling thread\n/,
  );
  // It is on the spot only when it is compiled, and when this turn of the event loop is young.
  await new Promise((resolve) => setImmediate(resolve));
  let done = false;
  void session.run(y, [[x, [1, 2]]]).then(() => {
    done = true;
  });
  await Promise.resolve().then(() => {});
  expect(done).toBe(true);
  await session.close();
});

test('tasks that are run in blocks of a batch are said to be, with the arrays that stand for the block', async () => {
  const x = tf.placeholder('float32', [null, 64]);
  const y = tf.reduceMean(tf.tanh(tf.matmul(x, tf.fill([64, 256], 0.1))), [1]);
  const session = new tf.Session();
  const text = await session.explain(y, [[x, new Float32Array(64 * 40_000)]]);
  expect(text).toMatch(/kernel \d+: contract [^,]*, parallel, \d+ times, /);
  expect(text).toMatch(/\n {2}\w+ float32\[\d+\] is a block of feed\d+\n/);
  await session.close();
});

test('the reference backend shows its primitives', async () => {
  const a = tf.constant([1, 2]);
  const session = new tf.Session({ backend: 'reference' });
  const text = await session.explain(a.add(1));
  expect(text).toMatch(/^reference: .*\n.*: This backend evaluates these primitives one after another:\n%0 = /);
  expect(text).toMatch(/map float32\[2\] add\(in0, in1\)/);
  await session.close();
});

test('wrong feeds and fetches are refused as by run', async () => {
  const x = tf.placeholder('float32', [3]);
  const session = new tf.Session();
  await expect(session.explain(x)).rejects.toBeInstanceOf(tf.FeedError);
  await expect(session.explain(x, [[x, [1, 2]]] as any)).rejects.toBeInstanceOf(tf.FeedError);
  await expect(session.explain('x' as any)).rejects.toBeInstanceOf(tf.FetchError);
  await session.close();
});

test('what stands behind its arguments is refused, with the right form', async () => {
  const session = new tf.Session();
  const y = tf.constant(1);
  const explain = session.explain.bind(session) as (...given: unknown[]) => Promise<string>;
  await expect(explain(y, [], 3)).rejects.toThrow(tf.InvalidArgumentError);
  await expect(explain(y, [], 3)).rejects.toThrow(/3 arguments came.* Write session\.explain/);
  await session.close();
});
