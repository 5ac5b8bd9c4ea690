// Graphs: names, scopes, the default graph, control dependencies.
import { expect, test } from 'vitest';
import * as tf from '../src/index.ts';

const inGraph = <R>(build: () => R): R => new tf.Graph().asDefault(build);

test('names are unique, and scopes put theirs before', () => {
  const names = inGraph(() => {
    const x = tf.placeholder('float32', [2, 2]);
    const made = [tf.matmul(x, x), tf.matmul(x, x), tf.add(x, 1, 'sum'), tf.add(x, 1, 'sum'), tf.add(x, 1, 'sum_1')];
    tf.nameScope('layer', () => {
      made.push(tf.matmul(x, x));
      tf.nameScope('inner', () => made.push(tf.neg(x)));
    });
    tf.nameScope('layer', () => made.push(tf.neg(x)));
    return made.map((t) => t.operation.name);
  });
  expect(names).toEqual([
    'MatMul',
    'MatMul_1',
    'sum',
    'sum_1',
    'sum_1_1',
    'layer/MatMul',
    'layer/inner/Neg',
    'layer_1/Neg',
  ]);
});

test('a graph is the default for the length of a callback, also when that throws', () => {
  const outer = tf.getDefaultGraph();
  const graph = new tf.Graph();
  expect(graph.asDefault(() => tf.getDefaultGraph())).toBe(graph);
  expect(() =>
    graph.asDefault(() => {
      throw new Error('stop');
    }),
  ).toThrow('stop');
  expect(tf.getDefaultGraph()).toBe(outer);
  expect(() => graph.asDefault(() => tf.resetDefaultGraph())).toThrow('call it outside of the callback');
});

test('resetting leaves old tensors usable in sessions of their graph', async () => {
  tf.resetDefaultGraph();
  const old = tf.getDefaultGraph();
  const y = tf.constant(2).mul(4);
  tf.resetDefaultGraph();
  expect(tf.getDefaultGraph()).not.toBe(old);
  const session = new tf.Session({ graph: old });
  expect(await session.run(y)).toBe(8);
  await session.close();
});

test('a finalized graph runs but does not grow', async () => {
  const graph = new tf.Graph();
  const y = graph.asDefault(() => tf.constant([1, 2]).add(1));
  graph.finalize();
  const session = new tf.Session({ graph });
  expect((await session.run(y)).toArray()).toEqual([2, 3]);
  expect(() => y.add(1)).toThrow(tf.GraphError);
  await session.close();
});

test('what is made under control dependencies runs after them', async () => {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph });
  const { counter, after, init } = graph.asDefault(() => {
    const v = tf.variable(0);
    const step = tf.assignAdd(v, 1);
    const done = tf.controlDependencies([step], () => tf.group(tf.assignAdd(v, 10)));
    return { counter: v, after: done, init: tf.initializeAllVariables() };
  });
  await session.run(init);
  await session.run(after);
  expect(await session.run(counter)).toBe(11);
  await session.close();
});

test('a variable made under control dependencies is initialized outside of them, and so is its initial value', async () => {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph, backend: 'reference', seed: 3 });
  const made = graph.asDefault(() => {
    const count = tf.variable(0);
    const other = tf.variable(5);
    const step = tf.assignAdd(count, 1);
    const size = tf.placeholder('float32', []);
    const inside = tf.controlDependencies([step], () => {
      const fed = tf.placeholder('float32', []);
      return {
        numbers: tf.variable([1, 2]),
        zeros: tf.variable(tf.zeros([2])),
        random: tf.variable(tf.abs(tf.randomNormal([3])).add(1)),
        fromOther: tf.variable(other.mul(count.add(2))),
        fromFed: tf.variable(fed.add(size)),
        fed,
      };
    });
    const { fed, ...variables } = inside;
    return { count, size, fed, variables, init: tf.initializeAllVariables() };
  });
  const { count, size, fed, variables, init } = made;
  const feeds = [
    [size, 3],
    [fed, 4],
  ] as const;
  await session.run(init, feeds);
  expect(await session.run(count)).toBe(0);
  const { random, ...values } = await session.run(variables);
  expect(Math.min(...random.data)).toBeGreaterThan(1);
  expect(Object.values(values).map((v) => (typeof v === 'number' ? v : v.toArray()))).toEqual([[1, 2], [0, 0], 10, 7]);
  // Neither does reading them run what they were made after, nor their own initializers.
  for (const v of Object.values(variables)) await session.run(v.initializer, feeds);
  expect(await session.run(count)).toBe(0);
  await session.close();
});

test('dependencies that only an initial value has stay with it', async () => {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph, backend: 'reference' });
  const { seen, count, inits } = graph.asDefault(() => {
    const count = tf.variable(0);
    const step = tf.assignAdd(count, 1);
    const other = tf.assignAdd(count, 10);
    const seen = tf.controlDependencies([other], () =>
      tf.variable(tf.controlDependencies([step], () => count.add(100))),
    );
    return { seen, count, inits: [count.initializer, seen.initializer] };
  });
  for (const init of inits) await session.run(init);
  expect(await session.run([seen, count])).toEqual([101, 1]);
  await session.close();
});

test('an initial value that assigns is refused under control dependencies too, by initializing all', () => {
  expect(() =>
    inGraph(() => {
      const v = tf.variable(0);
      tf.controlDependencies([tf.noOp()], () => tf.variable(tf.assign(v, 3)));
      return tf.initializeAllVariables();
    }),
  ).toThrow('an initial value is computed by the assignment Assign');
});

test('null steps out of control dependencies', async () => {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph, backend: 'reference' });
  const { v, outside, inside, again } = graph.asDefault(() => {
    const v = tf.variable(0);
    return tf.controlDependencies([tf.assignAdd(v, 1)], () => {
      const [outside, inside] = tf.controlDependencies(null, () => [
        v.add(0),
        tf.controlDependencies([tf.assignAdd(v, 10)], () => v.add(0)),
      ]);
      return { v, outside, inside, again: v.add(0) };
    });
  });
  await session.run(v.initializer);
  expect(await session.run([outside, v])).toEqual([0, 0]);
  expect(await session.run(inside)).toBe(10);
  expect(await session.run(again)).toBe(11);
  expect(() => tf.controlDependencies(3 as any, () => 1)).toThrow('expected an array');
  expect(() => tf.controlDependencies(undefined as any, () => 1)).toThrow(
    'after is missing. Write tf.controlDependencies(after, () => …).',
  );
  await session.close();
});

test('100,000 operations are made in less than 5 s, and each knows its line', () => {
  const begin = performance.now();
  const last = inGraph(() => {
    let x: tf.Tensor<'float32', []> = tf.placeholder('float32', []);
    for (let i = 0; i < 50_000; i++) x = tf.neg(x);
    return x;
  });
  expect(performance.now() - begin).toBeLessThan(5000);
  expect(last.operation.line).toMatch(/graph\.test\.ts:\d+:\d+$/);
});

test('shapes are inferred while the graph is built, unknown sizes flow through', () => {
  inGraph(() => {
    const x = tf.placeholder('float32', [null, 784]);
    const image = tf.reshape(x, [-1, 28, 28, 1]);
    const h = tf.nn.conv2d(image, tf.zeros([5, 5, 1, 32]), { strides: [1, 2, 2, 1], padding: 'VALID' });
    expect(h.shape).toEqual([null, 12, 12, 32]);
    expect(tf.nn.maxPool(h, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' }).shape).toEqual([
      null,
      6,
      6,
      32,
    ]);
    expect(tf.reduceMean(h, [1, 2]).shape).toEqual([null, 32]);
    expect(tf.exp(tf.placeholder('float32')).shape).toBeUndefined();
    expect(h.dim(3)).toBe(32);
    expect(x.getShape()).toEqual([null, 784]);
  });
});
