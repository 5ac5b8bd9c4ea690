// The trace of a session: a timeline that viewers open, which changes no bit of what is computed.
import { spawnSync } from 'node:child_process';
import fs, { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import * as tf from '../../src/index.ts';

const dir = mkdtempSync(join(tmpdir(), 'millrace-trace-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
beforeEach(() => tf.resetDefaultGraph());
afterEach(() => void vi.restoreAllMocks());

interface Event {
  readonly name: string;
  readonly ph: string;
  readonly ts: number;
  readonly dur: number;
  readonly tid: number;
  readonly args: Record<string, any>;
}
function read(file: string): { spans: Event[]; tracks: Map<number, string>; events: Event[]; otherData: any } {
  const { traceEvents: events, otherData } = JSON.parse(readFileSync(file, 'utf8'));
  const named = events.filter((e: Event) => e.name === 'thread_name');
  return {
    events,
    otherData,
    spans: events.filter((e: Event) => e.ph === 'X'),
    tracks: new Map(named.map((e: Event) => [e.tid, e.args.name])),
  };
}
/** Two spans of a track lie apart, or one within the other. */
function expectNested(spans: readonly Event[]): void {
  const nanoseconds = (us: number) => Math.round(us * 1000);
  const open = new Map<number, number[]>();
  const sorted = spans.map((s) => ({ ...s, begin: nanoseconds(s.ts), end: nanoseconds(s.ts) + nanoseconds(s.dur) }));
  sorted.sort((a, b) => a.begin - b.begin || b.end - a.end);
  for (const { tid, begin, end } of sorted) {
    const ends = open.get(tid) ?? [];
    open.set(tid, ends);
    while (ends.length > 0 && (ends.at(-1) as number) <= begin) ends.pop();
    expect(end).toBeGreaterThanOrEqual(begin);
    if (ends.length > 0) expect(end).toBeLessThanOrEqual(ends.at(-1) as number);
    ends.push(end);
  }
}
const within = (spans: readonly Event[], outer: Event) =>
  spans.filter((s) => s !== outer && s.ts >= outer.ts - 0.001 && s.ts + s.dur <= outer.ts + outer.dur + 0.001);

/** A network with dropout, a check (of keepProb) and Adam; `large` decides whether a step runs on the pool. */
function network(large: boolean) {
  const [batch, width] = large ? [128, 256] : [8, 16];
  const x = tf.placeholder('float32', [null, width]);
  const keepProb = tf.placeholder('float32', []);
  const w1 = tf.variable(tf.truncatedNormal([width, width], { stddev: 0.1 }));
  const w2 = tf.variable(tf.truncatedNormal([width, 10], { stddev: 0.1 }));
  const hidden = tf.nn.dropout(tf.nn.relu(tf.matmul(x, w1)), keepProb);
  const loss = tf.reduceSum(tf.square(tf.nn.softmax(tf.matmul(hidden, w2))));
  const step = new tf.train.AdamOptimizer(0.01).minimize(loss);
  const data = tf.array(
    Float32Array.from({ length: batch * width }, (_, i) => Math.sin(i)),
    [batch, width],
  );
  const feeds = (keep: number) => tf.feeds([x, data], [keepProb, keep]);
  return { feeds, w1, w2, loss, step, init: tf.initializeAllVariables() };
}

test('the code of a session without a trace reads no clocks', async () => {
  const { Module } = WebAssembly;
  let largest = 0;
  WebAssembly.Module = class extends Module {
    constructor(bytes: Uint8Array<ArrayBuffer>) {
      super(bytes);
      largest = Math.max(largest, bytes.length);
    }
  };
  const codeOf = async (options: tf.SessionOptions) => {
    tf.resetDefaultGraph();
    const { feeds, loss, step, init } = network(true);
    const session = new tf.Session({ ...options, threads: 1 });
    await session.run(init);
    largest = 0;
    await session.run([loss, step], feeds(0.5));
    await session.close();
    return largest;
  };
  try {
    const without = await codeOf({});
    expect(without).toBeGreaterThan(0);
    expect(without).toBeLessThan(await codeOf({ trace: join(dir, 'clocks.json') }));
  } finally {
    WebAssembly.Module = Module;
  }
});

test('a long run: compiling, copying and every kernel of every thread, properly nested', async () => {
  const { feeds, loss, step, init } = network(true);
  const file = join(dir, 'long.json');
  const session = new tf.Session({ trace: file, threads: 3 });
  await session.run(init);
  for (let i = 0; i < 3; i++) await session.run([loss, step], feeds(0.5));
  const text = await session.explain([loss, step], feeds(0.5));
  const title = session.backend.description;
  await session.close();

  const { events, spans, tracks } = read(file);
  expect(events.find((e) => e.name === 'process_name')?.args.name).toBe(`millrace, ${title}`);
  expect([...tracks.values()]).toEqual(['calling thread', 'thread 0', 'thread 1', 'thread 2']);
  expectNested(spans);
  const label = `${loss.name}, ${step.name}`;
  const compile = spans.find((s) => s.name === 'compile' && s.args.fetches === label) as Event;
  const parts = within(spans, compile).filter((s) => s.tid === 0);
  expect(parts.map((s) => s.name)).toEqual(['lower', 'plan', 'load']);

  const listed = [...text.matchAll(/kernel (\d+): (.*), (parallel|one thread), ([\d,]+) FLOP, ([\d,]+) bytes/g)];
  const runs = spans.filter((s) => s.name === 'run' && s.args.fetches === label);
  expect(runs.length).toBe(3);
  for (const run of runs) {
    const inside = within(spans, run);
    expect(inside.filter((s) => s.tid === 0).map((s) => s.name)).toEqual(['copy in', 'kernels', 'copy out']);
    for (const tid of [1, 2, 3]) {
      const expected = listed.filter(([, , , how]) => how === 'parallel' || tid === 1);
      const found = inside.filter((s) => s.tid === tid);
      expect(found.map((s) => `${s.args.kernel} ${s.name} ${s.args.flops} ${s.args.bytes}`)).toEqual(
        expected.map(
          ([, k, name, , flops, bytes]) => `${k} ${name} ${flops.replaceAll(',', '')} ${bytes.replaceAll(',', '')}`,
        ),
      );
      const kernels = inside.find((s) => s.name === 'kernels' && s.tid === 0) as Event;
      expect(within(found, kernels).length).toBe(found.length);
    }
  }
});

test('a short run: its kernels lie on the calling thread, within their run', async () => {
  const { feeds, step, init } = network(false);
  const file = join(dir, 'short.json');
  const session = new tf.InteractiveSession({ trace: file });
  await init.run();
  await step.run(feeds(0.5));
  await session.close();
  const { spans, tracks } = read(file);
  expect([...tracks.values()]).toEqual(['calling thread']);
  expectNested(spans);
  const run = spans.find((s) => s.name === 'run' && s.args.fetches === step.name) as Event;
  const names = within(spans, run).map((s) => s.name);
  expect(names.slice(0, 2)).toEqual(['copy in', 'kernels']);
  expect(names.at(-1)).toBe('copy out');
  expect(names.length).toBeGreaterThan(6);
});

describe.each([true, false])('on the pool: %s', (large) => {
  test.each([1, 2, 3])('the same bits with and without trace, on %i threads', async (threads) => {
    const { feeds, w1, w2, loss, step, init } = network(large);
    const values: unknown[] = [];
    for (const trace of [undefined, join(dir, `bits${threads}${large}.json`)]) {
      const session = new tf.Session({ threads, seed: 3, ...(trace !== undefined && { trace }) });
      await session.run(init);
      const losses: number[] = [];
      for (let i = 0; i < 10; i++) {
        const [value] = await session.run([loss, step], feeds(0.5));
        losses.push(value);
      }
      const { first, second } = await session.run({ first: w1, second: w2 });
      values.push([losses, Array.from(first.data), Array.from(second.data)]);
      await session.close();
    }
    expect(values[1]).toEqual(values[0]);
  });

  test('a check that fails stops a traced run before anything is written', async () => {
    const { feeds, w2, loss, step, init } = network(large);
    const session = new tf.Session({ threads: 2, trace: join(dir, `failed${large}.json`) });
    await session.run(init);
    const before = await session.run(w2);
    const run = session.run([loss, step], feeds(2));
    await expect(run).rejects.toBeInstanceOf(tf.InvalidArgumentError);
    expect(await session.run(w2)).toEqual(before);
    await session.run([loss, step], feeds(1));
    await session.close();
    expectNested(read(join(dir, `failed${large}.json`)).spans);
  });
});

test('a batch that is treated in blocks: each kernel of each block, and the same bits', async () => {
  const x = tf.placeholder('float32', [null, 64]);
  const y = tf.reduceMean(tf.tanh(tf.matmul(x, tf.fill([64, 256], 0.1))), [1]);
  const rows = 40_001;
  const feeds = tf.feeds([
    x,
    tf.array(
      Float32Array.from({ length: 64 * rows }, (_, i) => Math.sin(i)),
      [rows, 64],
    ),
  ]);
  const plain = new tf.Session({ threads: 2 });
  const expected = await plain.run(y, feeds);
  await plain.close();
  const file = join(dir, 'blocks.json');
  const session = new tf.Session({ threads: 2, trace: file });
  const found = await session.run(y, feeds);
  const [, kernel, times] = /kernel (\d+): contract [^,]*, parallel, (\d+) times, /.exec(
    await session.explain(y, feeds),
  ) as RegExpExecArray;
  await session.close();
  expect(found.data).toEqual(expected.data);
  const { spans } = read(file);
  expectNested(spans);
  expect(spans.filter((s) => s.tid > 0 && s.args.kernel === Number(kernel)).length).toBe(2 * Number(times));
});

test('the reference backend has runs without kernels', async () => {
  const file = join(dir, 'reference.json');
  const session = new tf.Session({ backend: 'reference', trace: file });
  await session.run(tf.constant(1).add(2));
  await session.close();
  expect(read(file).spans.map((s) => s.name)).toEqual(['compile', 'lower', 'plan', 'load', 'run']);
});

test('at most 100,000 events are kept, whole runs, and the file and the console say that there were more', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const x = tf.placeholder('float32', [4]);
  const y = tf.reduceSum(tf.exp(x));
  const file = join(dir, 'bounded.json');
  const session = new tf.Session({ trace: file });
  const feeds = tf.feeds([x, [1, 2, 3, 4]]);
  for (let i = 0; i < 22_000; i++) await session.run(y, feeds);
  await session.close();
  const { spans, events, otherData } = read(file);
  expect(spans.length).toBeLessThanOrEqual(100_000);
  expect(spans.length).toBeGreaterThan(99_900);
  expectNested(spans);
  const runs = spans.filter((s) => s.name === 'run').length;
  expect(spans.filter((s) => s.name === 'copy out').length).toBe(runs);
  const each = (spans.length - 4) / runs;
  expect(otherData.droppedEvents).toBe((22_000 - runs) * each);
  const mark = events.find((e) => e.ph === 'i') as Event;
  expect(mark.name).toBe(`${otherData.droppedEvents} later events were left out`);
  // It stands where the last of the others ends.
  expect(mark.ts).toBeCloseTo(Math.max(...spans.slice(-1000).map(({ ts, dur }) => ts + dur)), 1);
  expect(warn.mock.calls.length).toBe(1);
  expect(warn.mock.calls[0][0]).toMatch(/^millrace: the trace .*bounded\.json is full: .* Close the session sooner/);
});

test('a file that cannot be written is refused when the session is made, and one file has one session', async () => {
  const open = (trace: unknown) => new tf.Session({ trace } as tf.SessionOptions);
  expect(() => open(join(dir, 'missing', 'a.json'))).toThrow(tf.InvalidArgumentError);
  expect(() => open(join(dir, 'missing', 'a.json'))).toThrow(
    /trace file .*a\.json cannot be written \(ENOENT.*\)\. Give trace the path of a file in a folder that exists/,
  );
  expect(() => open(dir)).toThrow(/EISDIR/);
  expect(() => open('')).toThrow(/must be the path of a file, such as 'trace.json', but the text "" came/);
  expect(() => open(true)).toThrow(/but true came/);
  const first = open(join(dir, 'shared.json'));
  expect(() => open(join(dir, 'other', '..', 'shared.json'))).toThrow(/belongs to a session that is still open/);
  await first.close();
  await open(join(dir, 'shared.json')).close();
});

test('what a session with a trace holds of the process it gives back: its file, and the wait for the end', async () => {
  const close = vi.spyOn(fs, 'closeSync');
  const open = vi.spyOn(fs, 'openSync');
  syncBuiltinESMExports();
  const before = process.listenerCount('exit');
  const names = ['one', 'two'].map((name) => join(dir, `${name}.json`));
  const sessions = names.map((trace) => new tf.Session({ trace }));
  expect(process.listenerCount('exit')).toBe(before + 1);
  await sessions[0].close();
  expect(process.listenerCount('exit')).toBe(before + 1);
  await sessions[1].close();
  expect(process.listenerCount('exit')).toBe(before);
  const opened = open.mock.results.map(({ value }) => value as number);
  expect(opened.length).toBeGreaterThan(1);
  expect(close.mock.calls.map(([file]) => file)).toEqual(opened);
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

test('a file that cannot be written any more: closing says so, and everything else is closed', async () => {
  const folder = join(dir, 'folder');
  mkdirSync(folder);
  const session = new tf.Session({ trace: join(folder, 'a.json') });
  const a = tf.constant(1);
  await session.run(a);
  rmSync(folder, { recursive: true });
  await expect(session.close()).rejects.toThrow(/trace file .* cannot be written/);
  await expect(session.run(a)).rejects.toThrow('The session is closed');
});

describe.each([false, true])('in a process of its own, minified: %s', (minify) => {
  const bundle = join(dir, `millrace-${minify}.mjs`);
  const run = async (source: string) => {
    const entry = fileURLToPath(new URL('../../src/index.ts', import.meta.url));
    const options = { bundle: true, format: 'esm', target: 'es2022', logLevel: 'error' } as const;
    await build({ ...options, entryPoints: [entry], outfile: bundle, minify });
    const file = join(dir, 'program.mjs');
    writeFileSync(file, source.replace('MILLRACE', JSON.stringify(`./millrace-${minify}.mjs`)));
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: dir, encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  const large = `
    import * as tf from MILLRACE;
    const x = tf.placeholder('float32', [300, 300]);
    const sess = new tf.Session({ trace: 'process.json', threads: 2 });
    const feeds = [[x, tf.array(new Float32Array(90000), [300, 300])]];
    for (let i = 0; i < 3; i++) await sess.run(tf.reduceSum(tf.matmul(x, x)), feeds);`;

  test.each([
    ['ends by itself', ''],
    ['calls process.exit()', 'process.chdir("/"); process.exit(0);'],
    ['ends during a run', 'void sess.run(tf.matmul(x, x), feeds); process.exit(0);'],
  ])('a session that is not closed writes its trace when the process %s', async (_, ending) => {
    expect(await run(`${large}\n${ending}`)).toEqual({ status: 0, stdout: '', stderr: '' });
    const { spans, tracks } = read(join(dir, 'process.json'));
    expectNested(spans);
    expect([...tracks.values()]).toEqual(['calling thread', 'thread 0', 'thread 1']);
    expect(spans.filter((s) => s.name === 'run').length).toBe(3);
  });

  test('in a browser it is refused', async () => {
    const { stdout, stderr } = await run(`
      const { log } = console;
      delete globalThis.process;
      const tf = await import(MILLRACE);
      try { new tf.Session({ trace: 'a.json' }); } catch (error) { log(error instanceof tf.InvalidArgumentError, error.message); }`);
    expect(stderr).toBe('');
    expect(stdout).toBe(
      'true Session: trace writes a file, which a page in a browser cannot do. Leave the option out here, and trace the same program in Node.\n',
    );
  });
});
