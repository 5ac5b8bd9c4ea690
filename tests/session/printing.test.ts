// What runs print: after they have succeeded, in the order of the graph, where the session says.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';
import { lower } from '../compiler/compile.ts';

beforeEach(() => tf.resetDefaultGraph());
type Any = any;

/** A session, and what it has printed. */
function printing(backend: tf.BackendName) {
  const lines: string[] = [];
  return { session: new tf.Session({ backend, print: (text) => lines.push(text) }), lines };
}

describe.each(backends)('on %s', (backend) => {
  test('tf.Print is its input, and prints the first elements as TensorFlow 1 does', async () => {
    const { session, lines } = printing(backend);
    const x = tf.constant([
      [0.1, 2],
      [-3.25, 4],
    ]);
    const n = tf.range(10);
    const y = tf.Print(x, [x, n, tf.constant(true), tf.reduceSum(x)], 'values: ');
    expect(await session.run(y)).toEqual(await session.run(x));
    expect(lines).toEqual(['values: [[0.1 2][-3.25...]...][0 1 2...][true][2.85]']);
    await session.run(tf.Print(x, [x, n], { summarize: -1 }));
    await session.run(tf.Print(x, [tf.zeros([0, 3]), tf.zeros([0]), tf.zeros([2, 1, 2])], { summarize: 2 }));
    expect(lines.slice(1)).toEqual(['[[0.1 2][-3.25 4]][0 1 2 3 4 5 6 7 8 9]', '[][][[[0 0]]...]']);
    await session.close();
  });

  test('tf.print shows both ends of each axis, as NumPy does', async () => {
    const { session, lines } = printing(backend);
    const table = tf.reshape(tf.range(64), [8, 8]);
    await session.run([
      tf.print('range:', tf.range(7), 'of', 7, true),
      tf.print(table, { summarize: 1 }),
      tf.print(tf.transpose(table), { summarize: 0 }),
      tf.print(tf.reshape(tf.range(8), [2, 2, 2])),
      tf.print(tf.constant([[1.5]]), tf.constant(3, 'int32'), tf.zeros([0])),
      tf.print('no tensor'),
      tf.print(tf.range(9), { summarize: -1, name: 'all' }),
    ]);
    expect(lines).toEqual([
      'range: [0 1 2 ... 4 5 6] of 7 true',
      '[[0 ... 7]\n ...\n [56 ... 63]]',
      '[...]',
      '[[[0 1]\n  [2 3]]\n\n [[4 5]\n  [6 7]]]',
      '[[1.5]] 3 []',
      'no tensor',
      '[0 1 2 3 4 5 6 7 8]',
    ]);
    await session.close();
  });

  test('float32 as short as it can be said, float64 whole', async () => {
    const { session, lines } = printing(backend);
    const v = new Float64Array([1 / 3, -0, 1e-7, 16777217, NaN, -Infinity]);
    await session.run(tf.print(tf.constant(v), tf.cast(tf.constant(v), 'float32')));
    expect(lines).toEqual([
      '[0.3333333333333333 -0 1e-7 16777217 NaN -Infinity] [0.33333334 -0 1e-7 16777216 NaN -Infinity]',
    ]);
    await session.close();
  });

  test('only the runs print that need it, in the order of the graph', async () => {
    const { session, lines } = printing(backend);
    const x = tf.placeholder('float32', []);
    const first = tf.print('first', x);
    const y = tf.controlDependencies([first], () => tf.mul(x, 2));
    const z = tf.Print(tf.add(y, 1), [y], 'second ');
    const other = tf.add(x, 5);
    // Equal ones are two, also on backends that compute equal things once.
    const twice = tf.group(tf.print('again'), tf.print('again'));
    expect(await session.run([z, other], [[x, 3]])).toEqual([7, 8]);
    expect(await session.run(other, [[x, 1]])).toBe(6);
    expect(lines).toEqual(['first 3', 'second [6]']);
    await session.run([twice, first], [[x, 1]]);
    expect(lines.slice(2)).toEqual(['first 1', 'again', 'again']);
    await session.close();
  });

  test('variables as the run sees them there; nothing of a run that failed', async () => {
    const { session, lines } = printing(backend);
    const v = tf.variable(tf.constant(1), { name: 'v' });
    const x = tf.placeholder('float32', []);
    const before = tf.print('before', v);
    const step = tf.controlDependencies([before], () => tf.assignAdd(v, x));
    const after = tf.controlDependencies([step], () => tf.print('after', tf.identity(v)));
    const checked = tf.controlDependencies([after], () => tf.assert(tf.less(x, 10), 'too large'));
    await session.run(tf.globalVariablesInitializer());
    await session.run(checked, [[x, 2]]);
    await expect(session.run(checked, [[x, 20]])).rejects.toThrow(/too large/);
    await session.run(checked, [[x, 4]]);
    expect(lines).toEqual(['before 1', 'after 3', 'before 3', 'after 7']);
    await session.close();
  });

  test('firstN counts the runs of a session that succeed', async () => {
    const x = tf.placeholder('float32', []);
    const y = tf.Print(tf.checkNumerics(x, 'x'), [x], { message: 'x = ', firstN: 2 });
    const never = tf.Print(x, [x], { firstN: 0 });
    for (const { session, lines } of [printing(backend), printing(backend)]) {
      await session.run(y, [[x, 1]]);
      await expect(session.run(y, [[x, NaN]])).rejects.toThrow(tf.InvalidArgumentError);
      // Of other fetches, it is the same operation.
      await session.run([y, x, never], [[x, 2]]);
      await session.run(y, [[x, 3]]);
      expect(lines).toEqual(['x = [1]', 'x = [2]']);
      await session.close();
    }
  });

  test('concurrent runs: each prints its own, in their order', async () => {
    const { session, lines } = printing(backend);
    const x = tf.placeholder('float32', [null]);
    const y = tf.Print(tf.reduceSum(tf.square(x)), [x], 'x ');
    const feed = (i: number) => tf.array(new Float32Array(5).fill(i), [5]);
    const values = await Promise.all(Array.from({ length: 20 }, (_, i) => session.run(y, [[x, feed(i)]])));
    expect(values).toEqual(Array.from({ length: 20 }, (_, i) => 5 * i * i));
    expect(lines).toEqual(Array.from({ length: 20 }, (_, i) => `x [${i} ${i} ${i}...]`));
    await session.close();
  });

  test('gradients go through, and sizes', async () => {
    const { session, lines } = printing(backend);
    const x = tf.placeholder('float32', [null, 3]);
    const seen = tf.Print(x, [x], 'x ');
    const [dx] = tf.gradients(tf.reduceSum(tf.square(seen)), [x]) as Any[];
    const rows = tf.zeros([tf.size(seen), 2]);
    const value = [[1, 2, 3]];
    expect(((await session.run(dx, [[x, value]] as Any)) as Any).data).toEqual(Float32Array.of(2, 4, 6));
    expect((await session.run(rows as tf.Tensor, [[x, value]])).shape).toEqual([3, 2]);
    expect(lines).toEqual(['x [[1 2 3]]', 'x [[1 2 3]]']);
    await session.close();
  });
});

test('only what is shown is fetched', () => {
  const x = tf.placeholder('float32', [null, 1000]);
  const shown = tf.controlDependencies([tf.print(x), tf.print(x, { summarize: 1 })], () => tf.Print(x, [x], 'x'));
  const { fetches, prints } = lower({ fetches: [shown], feeds: [[x, [500, 1000]]] });
  expect(fetches.map(({ shape }) => shape)).toEqual([[500, 1000], [6, 6], [2, 2], [3]]);
  expect(prints.map(({ name }) => name)).toEqual(['Print', 'Print_1', 'PrintData']);
  expect(lower({ fetches: [tf.add(x, 1)], feeds: [[x, [500, 1000]]] }).prints).toEqual([]);
});

test('by default it goes to console.error', async () => {
  const written = vi.spyOn(console, 'error').mockImplementation(() => {});
  try {
    await new tf.Session({ backend: 'wasm' }).run(tf.print('here', tf.ones([2])));
    expect(written.mock.calls).toEqual([['here [1 1]']]);
  } finally {
    written.mockRestore();
  }
});

test('what the sink throws, the run rejects with; it has happened', async () => {
  const v = tf.variable(tf.constant(1));
  const step = tf.controlDependencies([tf.print('x')], () => tf.assignAdd(v, 1));
  const print = () => {
    throw new Error('the disk is full');
  };
  const session = new tf.Session({ backend: 'wasm', print });
  await session.run(tf.globalVariablesInitializer());
  await expect(session.run(step)).rejects.toThrow('the disk is full');
  expect(await session.run(v)).toBe(2);
  await session.close();
});

test('the sink may run the session again', async () => {
  const x = tf.constant(7);
  const inner: unknown[] = [];
  const session: tf.Session = new tf.Session({ backend: 'wasm', print: () => inner.push(session.run(x)) });
  await session.run(tf.print('x'));
  await session.run(tf.print('y'));
  expect(await Promise.all(inner)).toEqual([7, 7]);
  await session.close();
});

test.each<[string, () => unknown, RegExp]>([
  [
    'no array',
    () => tf.Print(tf.ones([1]), tf.ones([1]) as Any),
    /^Print: data must be an array of tensors, but an object of class Tensor came\. Write tf\.Print/,
  ],
  [
    'a number among the data',
    () => tf.Print(tf.ones([1]), [1] as Any),
    /^Print: data must be an array of tensors, but one whose element \[0\] is the number 1/,
  ],
  ['an array', () => tf.print([tf.ones([1])] as Any), /^print: expected texts, numbers and tensors, but an array/],
  [
    'half an element',
    () => tf.print('x', { summarize: 0.5 }),
    /^print: summarize must be a whole number of at least -1, but 0\.5 came/,
  ],
  ['an unknown option', () => tf.print('x', { end: '' } as Any), /^print: there is no option end/],
  ['a stream', () => new tf.Session({ print: 'stderr' as Any }), /print must be a function that takes a text/],
])('refused: %s', (_, build, message) => {
  expect(build).toThrow(message);
});
