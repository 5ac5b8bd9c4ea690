// What a session promises: order, state, failure, randomness, and the event loop left to the user.
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

let sessions: tf.Session[] = [];
const open = (options: tf.SessionOptions): tf.Session => {
  const session = new tf.Session(options);
  sessions.push(session);
  return session;
};
afterEach(async () => {
  await Promise.all(sessions.map((s) => s.close()));
  sessions = [];
  vi.restoreAllMocks();
});
type Any = tf.Tensor<any, any>;

describe.each(backends)('on %s', (backend) => {
  const start = <R>(build: () => R) => {
    const graph = new tf.Graph();
    const built = graph.asDefault(build);
    return { session: open({ graph, backend }), graph, ...built };
  };

  test('fetches come back in the structure in which they were asked for', async () => {
    const { session, a, b, op } = start(() => ({ a: tf.constant(2), b: tf.constant([[true, false]]), op: tf.noOp() }));
    expect(await session.run(a)).toBe(2);
    expect(await session.run(op)).toBeUndefined();
    const { list, nested } = await session.run({ list: [a, a, op], nested: { b } });
    expect(list).toEqual([2, 2, undefined]);
    expect(nested.b.toArray()).toEqual([[true, false]]);
    expect(nested.b.shape).toEqual([1, 2]);
    expect(await session.run([])).toEqual([]);
  });

  test('a fetched array is a copy of its own', async () => {
    const { session, v, init } = start(() => {
      const variable = tf.variable(tf.constant([1, 2]));
      return { v: variable, init: tf.initializeAllVariables() };
    });
    await session.run(init);
    const first = await session.run(v);
    first.data[0] = 99;
    expect((await session.run(v)).toArray()).toEqual([1, 2]);
  });

  test('any tensor can be fed: placeholders, results, variables, constants', async () => {
    const { session, x, y, z, v, c } = start(() => {
      const placeholder = tf.placeholder('float32', [null]);
      const variable = tf.variable(tf.constant([5, 5]));
      const constant = tf.constant([1, 1]);
      const sum = tf.add(placeholder, constant);
      return { x: placeholder, y: sum, z: tf.mul(sum as any, variable as any) as Any, v: variable, c: constant };
    });
    const product = await session.run(z, [
      [y, [2, 3]],
      [v, [10, 100]],
    ] as any);
    expect((product as tf.NDArray).toArray()).toEqual([20, 300]);
    expect(
      (
        await session.run(y, [
          [x, [1, 2]],
          [c, [10, 10]],
        ] as any)
      ).toArray(),
    ).toEqual([11, 12]);
    expect(((await session.run(x, [[x, new Float32Array([4])]] as any)) as any).toArray()).toEqual([4]);
  });

  test('feeds are copied when run is called', async () => {
    const { session, x, y } = start(() => {
      const placeholder = tf.placeholder('float32', [2]);
      return { x: placeholder, y: tf.mul(placeholder, 2) };
    });
    const data = new Float32Array([1, 2]);
    const pending = [session.run(y, [[x, data]]), session.run(y, [[x, data]])];
    data.fill(100);
    for (const result of await Promise.all(pending)) expect(result.toArray()).toEqual([2, 4]);
  });

  test('tf.feeds keeps pairs with their types', async () => {
    const { session, x, k, y } = start(() => {
      const placeholder = tf.placeholder('float32', [null, 2]);
      const factor = tf.placeholder('float32', []);
      return { x: placeholder, k: factor, y: tf.mul(placeholder, factor) };
    });
    const given = tf.feeds(
      [
        x,
        tf.array([
          [1, 2],
          [3, 4],
        ]),
      ],
      [k, 3],
    );
    expect((await session.run(y, given)).toArray()).toEqual([
      [3, 6],
      [9, 12],
    ]);
  });

  test('a read sees the value from before an update, unless a path leads from the update to it', async () => {
    const { session, v, update, after, init } = start(() => {
      const variable = tf.variable(10);
      const add = tf.assignAdd(variable, 1);
      return {
        v: variable,
        update: add,
        after: tf.controlDependencies([add], () => tf.mul(variable, 2)),
        init: tf.initializeAllVariables(),
      };
    });
    await session.run(init);
    expect(await session.run([v, update, after])).toEqual([10, 11, 22]);
    expect(await session.run(v)).toBe(11);
  });

  test('variables can be swapped, and assignments of one variable follow each other', async () => {
    const { session, a, b, swap, twice, init } = start(() => {
      const first = tf.variable(tf.constant([1, 2]));
      const second = tf.variable(tf.constant([3, 4]));
      return {
        a: first,
        b: second,
        swap: tf.group(tf.assign(first, second), tf.assign(second, first)),
        twice: tf.group(tf.assignAdd(first, 1), tf.assignAdd(first, 10)),
        init: tf.initializeAllVariables(),
      };
    });
    await session.run(init);
    await session.run(swap);
    expect((await session.run([a, b])).map((x) => x.toArray())).toEqual([
      [3, 4],
      [1, 2],
    ]);
    await session.run(twice);
    expect((await session.run(a)).toArray()).toEqual([14, 15]);
  });

  test('an update that reads its variable in another order gets the old values throughout', async () => {
    const { session, v, turn, init } = start(() => {
      const variable = tf.variable(
        tf.constant([
          [1, 2],
          [3, 4],
        ]),
      );
      return {
        v: variable,
        turn: tf.assign(variable, tf.transpose(variable) as Any),
        init: tf.initializeAllVariables(),
      };
    });
    await session.run(init);
    await session.run(turn);
    expect((await session.run(v)).toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    const product = session.graph.asDefault(() => tf.assign(v, tf.matmul(v, v) as Any));
    await session.run(product);
    expect((await session.run(v)).toArray()).toEqual([
      [7, 15],
      [10, 22],
    ]);
  });

  test('initial values that depend on other variables are computed from their initial values', async () => {
    const { session, a, b, change, init } = start(() => {
      const first = tf.variable(tf.randomNormal([3]));
      const second = tf.variable(tf.mul(first, 2));
      return { a: first, b: second, change: tf.assign(first, tf.zeros([3])), init: tf.initializeAllVariables() };
    });
    for (let i = 0; i < 2; i++) {
      await session.run(init);
      const [x, y] = await session.run([a, b]);
      expect(Array.from(y.data)).toEqual(Array.from(x.data, (v) => v * 2));
      await session.run(change);
    }
  });

  test('a failed run leaves every variable as it was, and later runs work', async () => {
    const { session, v, i, step, init } = start(() => {
      const variable = tf.variable(tf.constant([1, 2, 3]));
      const index = tf.placeholder('int32', []);
      const picked = tf.gather(variable, index) as Any;
      return {
        v: variable,
        i: index,
        step: tf.group(tf.assignAdd(variable, 1), tf.assign(variable, tf.add(variable, picked) as Any)),
        init: tf.initializeAllVariables(),
      };
    });
    await session.run(init);
    await expect(session.run(step, [[i, 3]])).rejects.toThrow('index 3 is out of range');
    expect((await session.run(v)).toArray()).toEqual([1, 2, 3]);
    await session.run(step, [[i, 1]]);
    // The second assignment reads the values from before the first: no path leads from one to the other.
    expect((await session.run(v)).toArray()).toEqual([3, 4, 5]);
  });

  test('the same seed gives the same random numbers; each run of an op gives new ones; other runs do not matter', async () => {
    const build = () => {
      const graph = new tf.Graph();
      return { graph, ...graph.asDefault(() => ({ r: tf.randomNormal([5]), other: tf.randomUniform([3]) })) };
    };
    const [one, two] = [build(), build()];
    const [a, b] = [open({ graph: one.graph, backend, seed: 7 }), open({ graph: two.graph, backend, seed: 7 })];
    const first = (await a.run(one.r)).toArray();
    const second = (await a.run(one.r)).toArray();
    expect(second).not.toEqual(first);
    await b.run(two.other);
    expect((await b.run(two.r)).toArray()).toEqual(first);
    await b.run(two.other);
    expect((await b.run(two.r)).toArray()).toEqual(second);
    const c = open({ graph: one.graph, backend, seed: 8 });
    expect((await c.run(one.r)).toArray()).not.toEqual(first);
  });

  test('failed runs do not count for the random numbers', async () => {
    const { session, graph, bad, r, i } = start(() => {
      const index = tf.placeholder('int32', []);
      const random = tf.randomUniform([4]);
      return { i: index, r: random, bad: tf.gather(random, index) };
    });
    await expect(session.run(bad, [[i, 9]])).rejects.toThrow('out of range');
    const other = open({ graph, backend });
    expect((await session.run(r)).toArray()).toEqual((await other.run(r)).toArray());
  });

  test('runs finish in the order in which they were asked for', async () => {
    const { session, v, step, init } = start(() => {
      const variable = tf.variable(0);
      return { v: variable, step: tf.assignAdd(variable, 1), init: tf.initializeAllVariables() };
    });
    const pending = [session.run(init) as Promise<unknown>];
    for (let i = 0; i < 50; i++) pending.push(session.run(step));
    pending.push(session.run(v));
    const results = await Promise.all(pending);
    expect(results.slice(1)).toEqual([...Array.from({ length: 50 }, (_, i) => i + 1), 50]);
  });

  test('a script that forgets await is told so', async () => {
    const { session, x, y } = start(() => {
      const placeholder = tf.placeholder('float32', [10]);
      return { x: placeholder, y: tf.mul(placeholder, 2) };
    });
    const results = await Promise.allSettled(
      Array.from({ length: 5_000 }, () => session.run(y, [[x, new Float32Array(10)]])),
    );
    const refused = results.find((r) => r.status === 'rejected');
    expect((refused as PromiseRejectedResult).reason.message).toMatch(/an await is probably missing/);
    expect((await session.run(y, [[x, new Float32Array(10).fill(1)]])).data[0]).toBe(2);
  });

  test('timers tick while short runs follow each other', async () => {
    const { session, x, y } = start(() => {
      const placeholder = tf.placeholder('float32', [100]);
      return { x: placeholder, y: tf.reduceSum(tf.exp(placeholder)) };
    });
    const data = new Float32Array(100);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    // Busy machines give a process little time: what counts is that the timer comes, however many runs there are.
    const begin = performance.now();
    while (ticks <= 10 && performance.now() - begin < 10_000) await session.run(y, [[x, data]]);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10);
  });

  test('a closed session refuses to run, and closing waits for what was asked for', async () => {
    const { session, a } = start(() => ({ a: tf.constant(3) }));
    const pending = session.run(a);
    await session.close();
    expect(await pending).toBe(3);
    await expect(session.run(a)).rejects.toThrow('The session is closed');
    await session.close();
  });

  test('a session that is disposed of is closed', async () => {
    const { session, a } = start(() => ({ a: tf.constant(3) }));
    await session[Symbol.asyncDispose]();
    await expect(session.run(a)).rejects.toThrow('closed');
  });

  test('a graph that grows between runs is warned about once, with the line', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { session, a, graph } = start(() => ({ a: tf.constant(1) }));
    for (let i = 0; i < 60; i++) await session.run(graph.asDefault(() => tf.add(a, 1)));
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0][0]).toMatch(
      /graph grew before each of the last \d+ runs.*Build the graph once.*session\.test\.ts:\d+/s,
    );
  });
});

test('InteractiveSession is the default until it is closed; a second one warns', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  tf.resetDefaultGraph();
  const a = tf.constant(4);
  const v = tf.variable(1);
  const first = new tf.InteractiveSession();
  await tf.initializeAllVariables().run();
  expect(await a.add(1).eval()).toBe(5);
  expect(await v.assignAdd(2).eval()).toBe(3);
  expect(warn).not.toHaveBeenCalled();
  const second = new tf.InteractiveSession();
  expect(warn).toHaveBeenCalledTimes(1);
  await second.close();
  expect(await v.eval()).toBe(3);
  await first.close();
  await expect(a.eval()).rejects.toThrow(`${a.name}.eval() needs a default session`);
});

test('a session is not portable unless it is asked to be, and has fast math unless it is not to', async () => {
  const describe = async (options: tf.SessionOptions) => {
    const session = new tf.Session(options);
    await session.close();
    return session.backend.description;
  };
  expect(await describe({})).toBe(await describe({ portable: false, fastMath: true }));
  expect(await describe({ portable: true })).toMatch(/plain SIMD/);
  expect(await describe({ fastMath: false })).not.toBe(await describe({}));
});
