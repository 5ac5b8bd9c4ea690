// Threads that die or are ended: nobody waits for ever, the error says what happened, and the pool and other sessions go on.
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { encodeModule, FunctionBody } from '../../../../src/backends/wasm/emit/encode.ts';
import { pool } from '../../../../src/backends/wasm/run/pool.ts';
import { atOnce } from '../../../../src/base/turns.ts';
import * as tf from '../../../../src/index.ts';

type Any = tf.Tensor<any, any>;
/** The workers of the pool, in the order in which they were first spoken to. */
let workers: Worker[] = [];
beforeEach(() => {
  workers = [];
  const { postMessage } = Worker.prototype;
  vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (this: Worker, ...args) {
    if (!workers.includes(this)) workers.push(this);
    return postMessage.apply(this, args);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const size = 600;
/** A session with a step that computes for a while. */
async function start(threads: number, products: number) {
  const graph = new tf.Graph();
  const built = graph.asDefault(() => {
    const a = tf.placeholder('float32', [size, size]) as Any;
    const v = tf.variable(tf.zeros([size, size]));
    let y: Any = a;
    for (let i = 0; i < products; i++) y = tf.mul(tf.matmul(y, a) as Any, 0.01) as Any;
    const step = tf.assign(v, tf.add(v, y) as Any);
    return {
      a,
      v: v as tf.Variable<any, any>,
      step: step.operation,
      sum: tf.reduceSum(y) as Any,
      init: tf.initializeAllVariables(),
    };
  });
  const session = new tf.Session({ graph, threads });
  const feeds = [[built.a, new Float32Array(size * size).fill(0.1)]] as any;
  await session.run(built.init);
  await session.run(built.step, feeds);
  return { session, feeds, ...built };
}

describe.each([0, 1, 2])('when thread %i of three dies in a run', (victim) => {
  test('the run fails with WorkerLostError, a run of another session that waits goes through, and all can start again', async () => {
    const first = await start(3, 12);
    const second = await start(2, 3);
    const before = Array.from(((await second.session.run(second.v)) as any).data as Float32Array);
    workers = [];
    const lost = first.session.run(first.step, first.feeds).catch((error: unknown) => error);
    const waiting = second.session.run([second.sum, second.step], second.feeds);
    // The first run has begun when its three workers have been told.
    while (workers.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    await workers[victim].terminate();

    const error = await lost;
    expect(error).toBeInstanceOf(tf.WorkerLostError);
    expect((error as Error).message).toMatch(
      /A worker was lost while it ran .*run tf\.globalVariablesInitializer\(\) again/,
    );
    const [sum] = (await waiting) as [number, undefined];
    expect(sum).toBeGreaterThan(0);
    const after = Array.from(((await second.session.run(second.v)) as any).data as Float32Array);
    expect(after).toEqual(before.map((v) => 2 * v));

    await expect(first.session.run(first.v)).rejects.toThrow(/lost with the worker/);
    await expect(first.session.run(first.step, first.feeds)).rejects.toThrow(tf.FailedPreconditionError);
    await first.session.run(first.init);
    await first.session.run(first.step, first.feeds);
    expect(((await first.session.run(first.v)) as any).data[0]).toBeGreaterThan(0);
    await Promise.all([first.session.close(), second.session.close()]);
  });
});

test('after a loss the values of variables can be written, some or all, instead of being initialized', async () => {
  const { session, v, step, feeds } = await start(3, 12);
  const once = (await session.snapshot([v])).values[0].data[0];
  workers = [];
  const lost = session.run(step, feeds).catch((error: unknown) => error);
  // Asked for before anybody knows.
  const early = session.snapshot([v]).catch((error: unknown) => error);
  while (workers.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  await workers[0].terminate();
  expect(await lost).toBeInstanceOf(tf.WorkerLostError);
  expect((await early) as Error).toMatchObject({ message: expect.stringMatching(/lost with the worker/) });
  await expect(session.snapshot([v])).rejects.toThrow(tf.FailedPreconditionError);

  await session.resume(new Map([[v, new Float32Array(size * size).fill(100)]]));
  expect((await session.snapshot([v])).values[0].data.every((x) => x === 100)).toBe(true);
  await session.run(step, feeds);
  expect((await session.snapshot([v])).values[0].data[0]).toBeCloseTo(100 + once, 4);
  await session.close();
});

test('a thread that dies between two runs is replaced, and nothing is lost', async () => {
  const { session, step, feeds, v } = await start(3, 2);
  const once = ((await session.run(v)) as any).data[0] as number;
  workers = [];
  await session.run(step, feeds);
  expect(workers.length).toBe(3);
  await workers[1].terminate();
  await session.run(step, feeds);
  expect(((await session.run(v)) as any).data[0]).toBeCloseTo(3 * once, 4);
  await session.close();
});

test('closed sessions cost others nothing, until much of their memory is left to the threads: then new ones start, after the run', async () => {
  const kept = await start(2, 12);
  const once = ((await kept.session.run(kept.v)) as any).data[0] as number;
  const threadsOf = async (run: Promise<unknown>) => {
    workers = [];
    await run;
    return [...workers];
  };
  const next = () => threadsOf(kept.session.run(kept.step, kept.feeds));
  const first = await next();
  const few = await Promise.all([start(2, 1), start(2, 1)]);
  for (const { session } of few) await session.close();
  expect((await next()).every((w) => first.includes(w))).toBe(true);
  // Some 5 MB each.
  const many = await Promise.all(Array.from({ length: 20 }, () => start(2, 1)));
  const pending = next();
  while (workers.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  await Promise.all(many.map(({ session }) => session.close()));
  expect((await pending).every((w) => first.includes(w))).toBe(true);
  expect((await next()).some((w) => first.includes(w))).toBe(false);
  expect(((await kept.session.run(kept.v)) as any).data[0]).toBeCloseTo(5 * once, 4);
  await kept.session.close();
});

test('code that nobody needs any more is left to the threads too', async () => {
  const limits = { shared: true, minimum: 1, maximum: 1 };
  const body = new FunctionBody(4);
  body.i32(0);
  const bytes = atOnce(encodeModule(limits, [{ parameters: 4, results: 1, body, exported: 'run' }]));
  const module = new WebAssembly.Module(bytes);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const threadOf = async (codeBytes: number) => {
    workers = [];
    const job = { module, memory, codeBytes, measure: undefined };
    expect((await pool.run(job, { arena: 0, own: [0] })).code).toBe(0);
    pool.forget(job);
    return workers[0];
  };
  const first = await threadOf(1000);
  expect((await threadOf(16 * 2 ** 20)) === first).toBe(true);
  expect((await threadOf(1000)) === first).toBe(false);
});

test('when a lost run is reported its other threads write no more', async () => {
  const limits = { shared: true, minimum: 1, maximum: 1 };
  const word = 1024;
  // Counts for ever.
  const body = new FunctionBody(4);
  body.open('loop');
  body.i32(0);
  body.i32(1);
  body.atomic('i32.atomic.rmw.add', word);
  body.op('drop');
  body.branch(0);
  body.op('end');
  body.i32(0);
  const bytes = atOnce(encodeModule(limits, [{ parameters: 4, results: 1, body, exported: 'run' }]));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const job = { module: new WebAssembly.Module(bytes), memory, codeBytes: bytes.length, measure: undefined };
  const counter = () => Atomics.load(new Int32Array(memory.buffer), word / 4);
  const lost = pool.run(job, { arena: 0, own: [0, 0, 0] }).catch((error: unknown) => error);
  while (counter() === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await workers[1].terminate();
  expect(await lost).toBeInstanceOf(tf.WorkerLostError);
  const then = counter();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(counter()).toBe(then);
  pool.forget(job);
});
