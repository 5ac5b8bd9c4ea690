// Whatever is fed, what a run computes with is what was there when it was called, and nothing else; what cannot be so is
// refused. Host arrays, constants and initial values come through the same door.
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';
import { givenArrays, givenBytes } from '../given-arrays.ts';

type Any = tf.Tensor<any, any>;
const any = tf as any;
/** Too little for native to read it where it lies, enough for that, and enough for a run that is not done at once. */
const sizes = { small: 16, large: 4096, long: 2 ** 20 };
/** Loops: a function called for each of a million elements, three times a test, would take longer than all runs. */
function numbers(n: number, seed: number): Float32Array {
  const all = new Float32Array(n);
  for (let i = 0; i < n; i++) all[i] = ((i * 7 + seed) % 13) + 1;
  return all;
}
const resize = (data: tf.TypedArray, bytes: number) => (data.buffer as any).resize(bytes);
const shrinking = (n: number) => new Float32Array(new (ArrayBuffer as any)(4 * n, { maxByteLength: 4 * n }));

/** The values, each with so much added. */
function expectSame(data: Float32Array, values: Float32Array, more = 0): void {
  let wrong = 0;
  while (wrong < values.length && data[wrong] === values[wrong] + more) wrong++;
  expect({ length: data.length, wrong, is: data[wrong] }).toEqual({
    length: wrong,
    wrong: values.length,
    is: undefined,
  });
}

async function rejection(run: Promise<unknown>): Promise<Error> {
  return run.then(
    () => new Error('it was not refused'),
    (error) => error,
  );
}

describe.each(backends)('on %s', (backend) => {
  const graph = new tf.Graph();
  const build = () => {
    const x = tf.placeholder('float32', [null]) as Any;
    const u = tf.placeholder('uint8', [null]) as Any;
    const b = tf.placeholder('bool', [null]) as Any;
    const square = tf.reshape(x, [1024, 1024]) as Any;
    const product = tf.slice(tf.matmul(square, tf.ones([1024, 64])) as Any, [0, 0], [1, 1]);
    return {
      x,
      u,
      b,
      // The sum of the first row comes back beside the elements: a long run.
      long: [tf.add(x, 1), product] as Any[],
      short: [tf.add(x, 1)] as Any[],
      bytes: tf.add(tf.cast(u, 'float32') as Any, 0.5) as Any,
      ones: tf.reduceSum(tf.cast(b, 'int32') as Any) as Any,
    };
  };
  const { x, u, b, long, short, bytes, ones } = graph.asDefault(build);
  let session: tf.Session;
  beforeAll(() => {
    session = new tf.Session({ graph, backend, threads: 2 });
  });
  afterAll(() => session.close());
  const run = (fetches: unknown, feeds?: unknown) => session.run(fetches as Any, feeds as any) as Promise<any>;

  const lengths = Object.entries(sizes).filter(([name]) => name !== 'long' || backend !== 'reference');
  describe.each(lengths)('%s', (name, n) => {
    test.each(Object.entries(givenArrays))('fed %s: the first run, a later one, one that waits', async (_, make) => {
      const own = new tf.Session({ graph, backend, threads: 2 });
      for (let round = 0; round < 3; round++) {
        const values = numbers(n, round);
        const { data, spoil } = make(values);
        const before = round === 2 ? own.run(short, [[x, [1, 2]]] as any) : undefined;
        const result = own.run(name === 'long' ? long : short, [[x, data]] as any) as Promise<any[]>;
        spoil();
        const [sum, product] = await result;
        expect(sum.shape).toEqual([n]);
        expectSame(sum.data, values, 1);
        expect(Object.getPrototypeOf(sum.data)).toBe(Float32Array.prototype);
        if (product) expect(product.data[0]).toBe(values.subarray(0, 1024).reduce((a, v) => a + v));
        await before;
      }
      await own.close();
    });
  });

  test.each(Object.entries(givenArrays))('a host array, a constant and an initial value of %s', async (_, make) => {
    for (const n of [16, 4096]) {
      const values = numbers(n, 5);
      const [host, fixed, initial] = [make(values), make(values), make(values)];
      const array = tf.array(host.data, [n / 2, 2]);
      expect(array.toArray().flat()).toEqual(Array.from(values));
      expect(String(array)).toContain(`NDArray(float32, [${n / 2}, 2])`);
      const made = new tf.Graph();
      const { c, v, y } = made.asDefault(() => ({
        c: tf.constant(fixed.data),
        v: any.variable(initial.data) as tf.Variable,
        y: tf.placeholder('float32', [null, 2]),
      }));
      expect(c.shape).toEqual([n]);
      fixed.spoil();
      initial.spoil();
      const own = new tf.Session({ graph: made, backend });
      await own.run(v.initializer);
      const result = own.run([c, v as Any, y], [[y, array]] as any) as Promise<any[]>;
      host.spoil();
      for (const fetched of await result) expectSame(fetched.data, values);
      await own.close();
    }
  });

  test.each(Object.entries(givenBytes))('bytes: %s', async (_, make) => {
    for (const n of [10, 5000]) {
      const values = Uint8Array.from({ length: n }, (_, i) => (i * 5) % 256);
      for (let round = 0; round < 3; round++) {
        for (const wrap of [(d: any) => d, (d: any) => tf.array(d, [n])]) {
          const { data, spoil } = make(values);
          const result = run(bytes, [[u, wrap(data)]]);
          spoil();
          expect((await result).data).toEqual(Float32Array.from(values, (v) => v + 0.5));
        }
      }
      const { data, spoil } = make(values);
      const fixed = graph.asDefault(() => tf.constant(data));
      spoil();
      expect(fixed.dtype).toBe('uint8');
      expect((await run(fixed)).data).toEqual(values);
    }
  });

  test('booleans from bytes: what is not 0 is true, whatever the array says of itself', async () => {
    class None extends Uint8Array {
      override every(): boolean {
        return true;
      }
    }
    for (const n of [8, 8192]) {
      for (const data of [new None(n), Buffer.alloc(n), new Uint8Array(new SharedArrayBuffer(n))]) {
        for (let i = 0; i < n; i += 4) data[i] = 3 + i;
        for (let round = 0; round < 3; round++) {
          for (const given of [data, tf.array(data, [n], 'bool')]) {
            const result = run(ones, [[b, given]]);
            Uint8Array.prototype.fill.call(data, 1);
            expect(await result).toBe(n / 4);
            Uint8Array.prototype.fill.call(data, 0);
            for (let i = 0; i < n; i += 4) data[i] = 3;
          }
        }
        const fixed = graph.asDefault(() => tf.constant(tf.array(data, [n], 'bool')));
        expect((await run(fixed)).data.reduce((a: number, v: number) => a + v, 0)).toBe(n / 4);
      }
    }
  });

  test('a host array whose buffer has shrunk or is gone is refused, before the first run and between later ones', async () => {
    const n = 65536;
    for (const runs of [0, 3]) {
      for (let i = 0; i < runs; i++) await run(short, [[x, numbers(n, i)]]);
      const data = shrinking(n);
      const array = tf.array(data, [n]);
      resize(data, 4096);
      expect(await rejection(run(short, [[x, array]]))).toMatchObject({
        name: 'FeedError',
        message: expect.stringMatching(
          /was fed a host array: its shape is \[65536\], but its data have 1024 elements now; its buffer was resized/,
        ),
      });
      const fixed = tf.array(new Float32Array(shrinking(n).buffer, 0, n), [n]);
      resize(fixed.data, 4096);
      const transferred = tf.array(new Float32Array(n), [n]);
      structuredClone(transferred.data.buffer, { transfer: [transferred.data.buffer as ArrayBuffer] });
      const memory = new WebAssembly.Memory({ initial: 4, maximum: 8 });
      const grown = tf.array(new Float32Array(memory.buffer, 0, n), [n]);
      memory.grow(1);
      for (const lost of [fixed, transferred, grown]) {
        const text = /array( of class Float32Array)?( came)?: its buffer was transferred or has shrunk/;
        for (const value of [lost, lost.data]) {
          const error = await rejection(run(short, [[x, value]]));
          expect(error).toBeInstanceOf(tf.FeedError);
          expect(error.message).toMatch(text);
          expect(() => graph.asDefault(() => tf.constant(value))).toThrow(text);
          expect(() => graph.asDefault(() => any.variable(value))).toThrow(text);
          expect(() => any.array(value)).toThrow(text);
        }
        expect(() => lost.toArray()).toThrow(tf.FailedPreconditionError);
        expect(String(lost)).toMatch(/its buffer was resized or transferred/);
      }
    }
    expect((await run(short, [[x, [1, 2]]]))[0].toArray()).toEqual([2, 3]);
  });

  test('memory that changes while run is called: refused, or seen as it is then', async () => {
    const n = 4096;
    for (let round = 0; round < 3; round++) {
      const data = shrinking(n);
      const other = tf.array(data, [n]);
      const list = [0];
      const get = () => {
        resize(data, 64);
        return 0;
      };
      Object.defineProperty(list, 0, { get });
      const feeds = [
        [x, other],
        [u, list],
      ];
      expect((await rejection(run([...short, bytes], feeds))).message).toMatch(/fed with 4096 elements and has 16 now/);
      const fetches = {
        get a() {
          resize(data, 4);
          return short[0];
        },
      };
      resize(data, 4 * n);
      expect((await rejection(run(fetches, [[x, other]]))).message).toMatch(
        /its shape is \[4096\], but its data have 1 elements now/,
      );
    }
  });

  test('another thread that writes to what is fed: a run checks and uses the same numbers', async () => {
    const n = 2048;
    const shared = new Int32Array(new SharedArrayBuffer(4 * n));
    const made = new tf.Graph();
    const { i, picked } = made.asDefault(() => {
      const indices = tf.placeholder('int32', [null]) as Any;
      return { i: indices, picked: tf.gather(tf.constant([5, 6, 7, 8]) as Any, indices) as Any };
    });
    const source = `const { workerData: a } = require('worker_threads');
      for (;;) { for (let k = 0; k < a.length; k++) a[k] = k & 3; a[Date.now() % a.length] = 2 ** 30; Atomics.wait(a, 0, 0, 0.01); }`;
    const writer = new Worker(source, { eval: true, workerData: shared });
    const own = new tf.Session({ graph: made, backend, threads: 2 });
    const outcomes = { refused: 0, done: 0 };
    for (let round = 0; round < 300; round++) {
      const result = await own.run(picked, [[i, round % 2 ? shared : tf.array(shared, [n])]] as any).then(
        (value) => value as tf.NDArray,
        (error: Error) => error,
      );
      if (result instanceof Error) expect(result.message).toMatch(/^gather: index 1073741824 is out of range/);
      else expect([5, 6, 7, 8]).toEqual(expect.arrayContaining([...new Set(result.data)]));
      outcomes[result instanceof Error ? 'refused' : 'done']++;
    }
    await writer.terminate();
    expect(outcomes.refused + outcomes.done).toBe(300);
    await own.close();
  });

  test('host arrays and shapes cannot be changed, and lies about them count for nothing', async () => {
    const shape = [1024];
    const array: any = tf.array(new Float32Array(1024), shape as [number]);
    shape[0] = 4096;
    for (const change of [
      () => (array.shape[0] = 4096),
      () => (array.shape = [4096]),
      () => (array.data = new Float32Array(4096)),
      () => (array.dtype = 'float64'),
      () => (array.other = 1),
      () => ((x.shape as any)[0] = 5),
    ]) {
      expect(change).toThrow(TypeError);
    }
    const copy: any = Object.create(Object.getPrototypeOf(array));
    Object.assign(copy, { dtype: 'float32', shape: [4096], data: new Float32Array(1) });
    const proxy = new Proxy(array, { get: (of, key) => (key === 'shape' ? [4096] : of[key]) });
    for (const lie of [copy, proxy, { dtype: 'float32', shape: [4096], data: new Float32Array(1) }]) {
      expect(await rejection(run(short, [[x, lie]]))).toBeInstanceOf(tf.FeedError);
    }
    expect((await run(short, [[x, array]]))[0].shape).toEqual([1024]);
    const fetched = (await run(short, [[x, array]]))[0];
    expect(() => (fetched.shape[0] = 5)).toThrow(TypeError);
    expect((await run(short, [[x, fetched]]))[0].data).toEqual(new Float32Array(1024).fill(2));
  });

  test('the fetches are read when run is called, and once', async () => {
    for (let round = 0; round < 3; round++) {
      const own = new tf.Session({ graph, backend });
      const a = graph.asDefault(() => tf.constant(1));
      const c = graph.asDefault(() => tf.constant([1, 2]));
      const growing: Record<string, Any> = { a };
      const first = own.run(growing);
      growing.b = c;
      expect(await first).toEqual({ a: 1 });
      const shrinking: Record<string, Any> = { a, c };
      const second = own.run(shrinking);
      delete shrinking.a;
      expect(await second).toMatchObject({ a: 1, c: { shape: [2] } });
      const list: Any[] = [a, c];
      const third = own.run(list);
      list.reverse();
      expect((await third)[0]).toBe(1);
      let reads = 0;
      const counted = {
        get a() {
          return reads++ === 0 ? a : c;
        },
      };
      const traps: string[] = [];
      const seen = new Proxy([a, c], {
        get: (of, key) => {
          traps.push(String(key));
          return (of as any)[key];
        },
      });
      expect(await own.run(counted as any)).toEqual({ a: 1 });
      expect(await own.run(seen as any)).toHaveLength(2);
      expect(traps).toEqual(['length', '0', '1']);
      expect(reads).toBe(1);
      await own.close();
    }
  });

  test('fetches of every plain form', async () => {
    const a = graph.asDefault(() => tf.constant(4));
    const bare = Object.assign(Object.create(null), { a });
    expect(await run(bare)).toEqual({ a: 4 });
    expect(await run(Object.assign(runInNewContext('({})'), { a }))).toEqual({ a: 4 });
    const list = runInNewContext('[]');
    list.push(a, { b: a });
    expect(await run(list)).toEqual([4, { b: 4 }]);
    expect(Object.entries(await run(JSON.parse('{"__proto__": []}')))).toEqual([['__proto__', []]]);
  });

  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  const twice = Array.from({ length: 40 }).reduce((inner: unknown) => [inner, inner], []);
  const thrower = new Proxy([], {
    get: () => {
      throw new Error('my own');
    },
  });
  const { proxy: revoked, revoke } = Proxy.revocable([], {});
  revoke();
  test.each<[string, unknown, RegExp]>([
    ['a hole', Object.assign(new Array(3), [short[0]]), /but undefined came at \[1\]\./],
    ['text deep inside', { a: [short[0], { b: 'text' }] }, /but a value of type string came at a\[1\]\.b\./],
    ['a promise', [Promise.resolve(1)], /but a promise \(is an await missing\?\) came at \[0\]\./],
    ['an instance of a class', new (class Own {})(), /but a value of type object came\./],
    ['a list that contains itself', cyclic, /nested more than 64 deep: do they contain themselves\?/],
    ['an object that contains itself', loop, /nested more than 64 deep: do they contain themselves\?/],
    ['one list very often', twice, /there are more than 1000000 here/],
    ['a list that throws', thrower, /^The fetches cannot be read \(Error: my own\)\.$/],
    ['a revoked proxy', revoked, /^The fetches cannot be read \(TypeError/],
  ])('refused as fetches: %s', async (_, fetches, text) => {
    const error = await rejection(run(fetches));
    expect(error).toBeInstanceOf(tf.FetchError);
    expect(error.message).toMatch(text);
  });

  test.each<[string, unknown, RegExp]>([
    ['holes instead of pairs', new Array(1), /^Feed number 1 is not a pair/],
    ['a pair of holes', [new Array(2)], /^Feed number 1 is not a pair/],
    ['a pair with one more', [[x, [1], [2]]], /^Feed number 1 is not a pair/],
    ['null', null, /^Feeds must be an array of pairs, but null came/],
    ['a promise', Promise.resolve([]), /^Feeds must be an array of pairs, but an object of class Promise came/],
    ['a list that throws', thrower, /^The feeds cannot be read \(Error: my own\)\. Feeds are pairs/],
    ['a pair that throws', [thrower], /^The feeds cannot be read \(Error: my own\)/],
    ['a revoked proxy', revoked, /^The feeds cannot be read \(TypeError/],
    ['a value that throws', [[x, thrower]], /was fed a value that cannot be read: Error: my own; give a number/],
  ])('refused as feeds: %s', async (_, feeds, text) => {
    const error = await rejection(run(short, feeds));
    expect(error).toBeInstanceOf(tf.FeedError);
    expect(error.message).toMatch(text);
  });

  test('a run for which there is no memory is refused, and the session goes on', async () => {
    const large = graph.asDefault(() => tf.zeros([2 ** 40]));
    expect(await rejection(run(large))).toBeInstanceOf(tf.ResourceExhaustedError);
    expect((await run(short, [[x, [1]]]))[0].toArray()).toEqual([2]);
  });

  test('pairs of another realm are pairs', async () => {
    const feeds = runInNewContext('[[]]');
    feeds[0].push(x, runInNewContext('[1, 2]'));
    expect((await run(short, feeds))[0].toArray()).toEqual([2, 3]);
  });
});
