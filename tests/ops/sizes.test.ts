// Sizes that the graph computes: given as tensors, known when a run is compiled.
import { beforeEach, describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

beforeEach(() => tf.resetDefaultGraph());
const shapeOf = ({ shape }: tf.Tensor) => shape;

describe('what is known when the graph is built', () => {
  test('numbers stay, tensors are null', () => {
    const x = tf.placeholder('float32', [null, 28, 28]);
    const [batch] = tf.unstack(tf.shape(x));
    expect(shapeOf(tf.shape(x))).toEqual([3]);
    expect(shapeOf(tf.zeros([batch, 10]))).toEqual([null, 10]);
    expect(shapeOf(tf.reshape(x, [batch, -1]))).toEqual([null, null]);
    expect(shapeOf(tf.reshape(x, [batch, 784]))).toEqual([null, 784]);
    expect(shapeOf(tf.tile(tf.ones([1, 3]), [batch, 2]))).toEqual([null, 6]);
    expect(shapeOf(tf.randomNormal([batch, 4]))).toEqual([null, 4]);
    expect(shapeOf(tf.slice(x, [0, 1, 2], [batch, 3, -1]))).toEqual([null, 3, 26]);
  });

  test('what is taken out of shapes, and put together again, is as known as before', () => {
    const x = tf.placeholder('float32', [null, 7, 5, 3]);
    const [batch, rows] = tf.unstack(tf.shape(x));
    const channels = tf.constant(16, 'int32');
    expect(shapeOf(tf.zeros([batch, rows]))).toEqual([null, 7]);
    expect(shapeOf(tf.zeros(tf.stack([batch, rows, channels])))).toEqual([null, 7, 16]);
    const middle = tf.stridedSlice(tf.shape(x), [1], [3]);
    expect(shapeOf(tf.zeros(tf.concat([middle, tf.constant([2], 'int32')], 0)))).toEqual([7, 5, 2]);
    expect(shapeOf(tf.zeros(tf.stridedSlice(tf.shape(x), [-1], [0], [-2], { endMask: 1 })))).toEqual([3, 7]);
    expect(shapeOf(tf.zeros(tf.slice(tf.shape(x), [1], [-1])))).toEqual([7, 5, 3]);
    const last = tf.stridedSlice(tf.shape(x), [-1], [0], { shrinkAxisMask: 1 });
    expect(shapeOf(tf.zeros(tf.reshape(tf.identity(last), [1])))).toEqual([3]);
    expect(shapeOf(tf.zeros(tf.gather(tf.shape(x), tf.constant([3, 0, 1], 'int32'))))).toEqual([3, null, 7]);
    // So layers know the sizes that they need.
    const h = tf.layers.dense(tf.reshape(x, tf.stack([batch, tf.constant(105, 'int32')])), 4);
    expect(shapeOf(h)).toEqual([null, 4]);
  });

  test('of a whole shape what its op says: sizes of constants and of shapes', () => {
    const x = tf.placeholder('float32', [null, 3]);
    expect(shapeOf(tf.ones(tf.shape(x)))).toEqual([null, 3]);
    expect(shapeOf(tf.reshape(x, tf.constant([3, -1], 'int32')))).toEqual([3, null]);
    expect(shapeOf(tf.zeros(tf.placeholder('int32', [2])))).toEqual([null, null]);
    expect(shapeOf(tf.zeros(tf.placeholder('int32', [null])))).toBeUndefined();
    expect(shapeOf(tf.zeros(tf.placeholder('int32')))).toBeUndefined();
  });
});

describe.each(backends)('on %s', (backend) => {
  const run = (fetches: tf.Tensor, feeds: [tf.Tensor, unknown][] = []) =>
    new tf.Session({ backend, graph: fetches.graph }).run(fetches, feeds as never);

  test('shape, size and rank of what is fed', async () => {
    const x = tf.placeholder('float32');
    const all = tf.concat([tf.shape(x), tf.stack([tf.size(x), tf.rank(x)])], 0);
    expect((await run(all, [[x, tf.array(new Float32Array(12), [2, 3, 2])]])).data).toEqual(
      Int32Array.of(2, 3, 2, 12, 3),
    );
    expect((await run(all, [[x, 7]])).data).toEqual(Int32Array.of(1, 0));
  });

  test('sizes computed of shapes: flatten, pairs, halves', async () => {
    const x = tf.placeholder('float32', [null, 2, 3]);
    const [batch, rows] = tf.unstack(tf.shape(x));
    const flat = tf.reshape(x, [batch.mul(rows), 3]);
    const feeds: [tf.Tensor, unknown][] = [
      [
        x,
        tf.array(
          Float32Array.from({ length: 24 }, (_, i) => i),
          [4, 2, 3],
        ),
      ],
    ];
    expect((await run(flat, feeds)).shape).toEqual([8, 3]);
    const half = tf.slice(x, [tf.floorDiv(batch, 2), 0, 0], [tf.floorDiv(batch, 2), 1, -1]);
    expect(await run(half, feeds)).toEqual(tf.array(Float32Array.of(12, 13, 14, 18, 19, 20), [2, 1, 3]));
    const tiled = tf.tile(tf.constant([[1, 2]]), tf.stack([batch, tf.constant(2, 'int32')]));
    expect((await run(tiled, feeds)).shape).toEqual([4, 4]);
    expect((await run(tf.fill([batch, 2], 7), feeds)).data).toEqual(new Float32Array(8).fill(7));
    expect((await run(tf.ones(tf.shape(x), 'int32'), feeds)).data).toEqual(new Int32Array(24).fill(1));
    expect((await run(tf.randomUniform(tf.shape(x)), feeds)).shape).toEqual([4, 2, 3]);
  });

  test('an empty batch is flattened to rows of the size that they would have', async () => {
    const x = tf.placeholder('float32', [null, null, 4]);
    const flat = tf.layers.flatten(x);
    expect(shapeOf(flat)).toEqual([null, null]);
    for (const batch of [0, 2])
      expect((await run(flat, [[x, tf.array(new Float32Array(batch * 12), [batch, 3, 4])]])).shape).toEqual([
        batch,
        12,
      ]);
  });

  test('numbers that are no whole ones by their dtype give no sizes', async () => {
    const x = tf.placeholder('float32', [3], { name: 'data' });
    for (const size of [() => tf.cast(tf.slice(x, [0], [1]), 'int32'), () => tf.reshape(tf.argmax(x, 0), [1])])
      expect(() => tf.zeros(size())).toThrow(
        /^zeros: the shape depends on data:0, made at .*sizes\.test\.ts:\d+:\d+, whose dtype is float32: sizes come from shapes, constants and fed int32/,
      );
    const y = tf.add(tf.constant([1.5]), 1);
    const zeros = tf.zeros(tf.cast(y, 'int32'));
    expect((await run(zeros, [])).shape).toEqual([2]);
    await expect(run(zeros, [[y, [3]]])).rejects.toThrow(
      /the shape depends on Add.*, made at .*, whose dtype is float32/,
    );
  });

  test('shapes to repeat to: one for all, or some of its sizes', async () => {
    const x = tf.placeholder('float32', [null, 1]);
    const [rows] = tf.unstack(tf.shape(x));
    const wide = tf.broadcastTo(x, [2, rows, 3]);
    expect(shapeOf(wide)).toEqual([2, null, 3]);
    const like = tf.broadcastTo(x, tf.shape(tf.zeros([rows, 2])));
    expect(shapeOf(like)).toEqual([null, 2]);
    const feeds: [tf.Tensor, unknown][] = [[x, [[1], [2]]]];
    expect(await run(wide, feeds)).toEqual(tf.array(Float32Array.of(1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2), [2, 2, 3]));
    expect((await run(like, feeds)).data).toEqual(Float32Array.of(1, 1, 2, 2));
    const [dx] = tf.gradients(tf.reduceSum(tf.square(wide)), [x]);
    expect((await run(dx!, feeds)).data).toEqual(Float32Array.of(12, 24));
    const n = tf.placeholder('int32', []);
    await expect(run(tf.broadcastTo(tf.ones([3]), [n]), [[n, 4]])).rejects.toThrow(
      /broadcastTo: \[3\] cannot be repeated to \[4\]/,
    );
  });

  test('shapes of transposed convolutions: with the batch of the input, in either format', async () => {
    const x = tf.placeholder('float32', [null, null, 3, 1]);
    const [batch, rows] = tf.unstack(tf.shape(x));
    const filter = tf.constant([[[[1]], [[2]]]]);
    const strides = [1, 2, 2, 1] as const;
    const up = tf.nn.conv2dTranspose(x, filter, [batch, rows.mul(2), 6, 1], strides, 'SAME');
    expect(shapeOf(up)).toEqual([null, null, 6, 1]);
    const feeds: [tf.Tensor, unknown][] = [[x, tf.array(Float32Array.of(1, 2, 3, 4, 5, 6), [1, 2, 3, 1])]];
    const wanted = tf.array(
      Float32Array.of(1, 2, 2, 4, 3, 6, 0, 0, 0, 0, 0, 0, 4, 8, 5, 10, 6, 12, 0, 0, 0, 0, 0, 0),
      [1, 4, 6, 1],
    );
    expect(await run(up, feeds)).toEqual(wanted);
    // As TensorFlow's programs write it.
    const all = tf.stack([batch, rows.mul(2), tf.constant(6, 'int32'), tf.constant(1, 'int32')]);
    const same = tf.nn.conv2dTranspose(x, filter, { outputShape: all, strides, padding: 'SAME' });
    expect(await run(same, feeds)).toEqual(wanted);
    const second = tf.nn.conv2dTranspose(tf.transpose(x, [0, 3, 1, 2]), filter, {
      outputShape: tf.shape(tf.transpose(up, [0, 3, 1, 2])),
      strides: [1, 1, 2, 2],
      padding: 'SAME',
      dataFormat: 'NCHW',
    });
    expect(await run(second, feeds)).toEqual(tf.array(wanted.data, [1, 1, 4, 6]));
    const [dx] = tf.gradients(tf.reduceSum(tf.mul(up, up)), [x]);
    expect((await run(dx!, feeds)).data).toEqual(Float32Array.of(10, 20, 30, 40, 50, 60));
    const fed = tf.placeholder('int32', [4]);
    const given = tf.nn.conv2dTranspose(x, filter, { outputShape: fed, strides, padding: 'SAME' });
    expect((await run(given, [...feeds, [fed, [1, 3, 5, 1]]])).shape).toEqual([1, 3, 5, 1]);
    await expect(run(given, [...feeds, [fed, [1, 5, 5, 1]]])).rejects.toThrow(
      /conv2dTranspose: a convolution of 5 × 5 gives 3 × 3, but the input is 2 × 3/,
    );
    await expect(run(given, [...feeds, [fed, [2, 3, 5, 1]]])).rejects.toThrow(/has a batch of 2, but the input/);
    await expect(run(given, [...feeds, [fed, [1, 0, 5, 1]]])).rejects.toThrow(/outputShape must be four sizes/);
  });

  test('ranges whose bounds the graph computes', async () => {
    const n = tf.placeholder('int32', []);
    expect(shapeOf(tf.range(n))).toEqual([null]);
    expect(await run(tf.range(n), [[n, 4]])).toEqual(tf.array(Int32Array.of(0, 1, 2, 3), [4]));
    expect((await run(tf.range(10, n, n.neg()), [[n, 3]])).data).toEqual(Int32Array.of(10, 7, 4));
    expect((await run(tf.range(n, 2), [[n, 4]])).data).toEqual(Int32Array.of());
    await expect(run(tf.range(0, 3, n), [[n, 0]])).rejects.toThrow(/delta not 0/);
    // As a mask for sequences of different lengths.
    const lengths = tf.placeholder('int32', [null]);
    const x = tf.placeholder('float32', [null, null]);
    const mask = tf.less(tf.range(tf.unstack(tf.shape(x), { axis: 0 })[1]), tf.expandDims(lengths, 1));
    const feeds: [tf.Tensor, unknown][] = [
      [
        x,
        [
          [1, 1, 1],
          [1, 1, 1],
        ],
      ],
      [lengths, [2, 0]],
    ];
    expect((await run(tf.cast(mask, 'float32').mul(x), feeds)).data).toEqual(Float32Array.of(1, 1, 0, 0, 0, 0));
  });

  test('a fed size is part of what a run is known by', async () => {
    const n = tf.placeholder('int32', []);
    const y = tf.zeros([n, 2]).add(1);
    const session = new tf.Session({ backend });
    for (const size of [3, 5, 3, 0]) expect((await session.run(y, [[n, size]])).shape).toEqual([size, 2]);
    // Concurrent, and beside a run to which the size means nothing.
    const twice = n.mul(2);
    const results = await Promise.all(
      [2, 9, 2].flatMap((k) => [session.run(y, [[n, k]]), session.run(twice, [[n, k]])]),
    );
    expect(results.map((r) => (typeof r === 'number' ? r : r.shape))).toEqual([[2, 2], 4, [9, 2], 18, [2, 2], 4]);
    await session.close();
  });

  test('gradients go through, whatever the sizes', async () => {
    const x = tf.placeholder('float32', [null, 3]);
    const [batch] = tf.unstack(tf.shape(x));
    const y = tf.reduceSum(tf.square(tf.slice(tf.tile(tf.reshape(x, [3, batch]), [2, 1]), [1, 0], [4, batch])));
    const [dx] = tf.gradients(y, [x]);
    const value = tf.array(
      Float32Array.from({ length: 6 }, (_, i) => i + 1),
      [2, 3],
    );
    // Rows 1, 2, 0, 1 of [[1, 2], [3, 4], [5, 6]].
    expect((await run(dx!, [[x, value]])).data).toEqual(Float32Array.of(2, 4, 12, 16, 10, 12));
    const [ddx] = tf.gradients(tf.reduceSum(dx!), [x]);
    expect((await run(ddx!, [[x, value]])).data).toEqual(Float32Array.of(2, 2, 4, 4, 2, 2));
  });
});

describe('what cannot be a size', () => {
  const message = (build: () => unknown): string => {
    try {
      build();
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };
  test('a variable, random numbers and floats are refused when the graph is built, with both lines', () => {
    const v = tf.variable(tf.constant(3, 'int32'), { name: 'count' });
    expect(message(() => tf.zeros([v.add(1), 2]))).toMatch(
      /zeros: .*the variable count, made at .*sizes\.test\.ts:\d+/,
    );
    expect(message(() => tf.reshape(tf.ones([4]), tf.randomUniform([1], { maxval: 3, dtype: 'int32' })))).toMatch(
      /reshape: .*the random numbers randomUniform, made at .*sizes\.test\.ts/,
    );
    expect(() => tf.zeros([tf.constant(2) as never])).toThrow(tf.DTypeError);
    expect(() => tf.zeros([tf.constant([2], 'int32')])).toThrow(tf.ShapeMismatchError);
    expect(() => tf.zeros(tf.constant(2, 'int32'))).toThrow(tf.ShapeMismatchError);
    // Of a variable its shape is known.
    expect(shapeOf(tf.zeros(tf.shape(tf.variable(tf.zeros([2, 3])))))).toEqual([2, 3]);
  });

  test('what is wrong is said when the run is compiled, and nothing has happened', async () => {
    const session = new tf.Session({ backend: 'wasm' });
    const n = tf.placeholder('int32', []);
    await expect(session.run(tf.zeros([n, 2]), [[n, -1]])).rejects.toThrow(tf.ShapeMismatchError);
    await expect(session.run(tf.reshape(tf.ones([6]), [n, 4]), [[n, 2]])).rejects.toThrow(/6 elements/);
    const sizes = tf.placeholder('int32');
    await expect(session.run(tf.zeros(sizes), [[sizes, [[1, 2]]]])).rejects.toThrow(tf.FeedError);
    await session.close();
  });
});
