// Operands of which the graph does not even know the rank: what an op says of its result's shape, it keeps.
import { expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { compatible } from '../../src/tensor/shape.ts';

type Any = tf.Tensor<any, any>;
const api = tf as any;
const nn = tf.nn as any;

const conv = { strides: [1, 2, 1, 1], padding: 'SAME' };
const window = { ksize: [1, 2, 3, 1], strides: [1, 2, 1, 1], padding: 'VALID' };
const indices = [3, 0] as const;
/** The op, and the shapes of its operands; those of ints are filled with the indices. */
const ops: [name: string, f: (...xs: Any[]) => Any, ...shapes: (readonly number[])[]][] = [
  ['add', api.add, [2, 3], [3]],
  ['addN', (...xs) => api.addN(xs), [2, 3], [2, 3]],
  ['where', (x, y) => api.where(api.less(x, y), x, y), [2, 3], [2, 3]],
  ['matmul', api.matmul, [2, 3], [3, 4]],
  ['conv2d', (x, w) => nn.conv2d(x, w, conv), [2, 5, 4, 1], [3, 2, 1, 3]],
  ['conv2d, VALID', (x, w) => nn.conv2d(x, w, { ...conv, padding: 'VALID' }), [2, 5, 4, 1], [3, 2, 1, 3]],
  ['maxPool', (x) => nn.maxPool(x, window), [2, 5, 4, 1]],
  ['avgPool', (x) => nn.avgPool(x, window), [2, 5, 4, 1]],
  ['gather', (x, i) => api.gather(x, api.cast(i, 'int32')), [4, 3], [2]],
  ['gather along 1', (x, i) => api.gather(x, api.cast(i, 'int32'), { axis: 1 }), [3, 4], [2]],
  ['oneHot', (i) => api.oneHot(api.cast(i, 'int32'), 5), [2]],
  ['concat', (x, y) => api.concat([x, y], 1), [2, 3], [2, 2]],
  ['stack', (x, y) => api.stack([x, y], 1), [2, 3], [2, 3]],
  ['slice', (x) => api.slice(x, [1, 0], [2, -1]), [4, 5]],
  [
    'pad',
    (x) =>
      api.pad(x, [
        [1, 0],
        [2, 1],
      ]),
    [2, 3],
  ],
  ['tile', (x) => api.tile(x, [2, 3]), [2, 3]],
  ['transpose', (x) => api.transpose(x), [2, 3]],
  ['transpose by a list', (x) => api.transpose(x, [1, 0]), [2, 3]],
  ['reshape', (x) => api.reshape(x, [-1, 2]), [2, 3]],
  ['expandDims', (x) => api.expandDims(x, 1), [2, 3]],
  ['squeeze', (x) => api.squeeze(x, [1]), [2, 1, 3]],
  ['reduceSum', (x) => api.reduceSum(x, 1), [2, 3]],
  ['reduceMean, kept', (x) => api.reduceMean(x, [0], { keepDims: true }), [2, 3]],
  ['argmax', (x) => api.argmax(x, 1), [2, 3]],
  ['softmax', nn.softmax, [2, 3]],
  ['dropout', (x) => nn.dropout(x, 1), [2, 3]],
  ['cross-entropy', (labels, logits) => nn.softmaxCrossEntropyWithLogits({ labels, logits }), [2, 4], [2, 4]],
  [
    'sparse cross-entropy',
    (i, logits) => nn.sparseSoftmaxCrossEntropyWithLogits({ labels: api.cast(i, 'int32'), logits }),
    [2],
    [2, 4],
  ],
  ['clipByNorm', (x) => api.clipByNorm(x, 2, [1]), [2, 3]],
];

test.each(ops)('%s', async (_, f, ...shapes) => {
  const values = shapes.map((shape) => {
    const size = shape.reduce((n, d) => n * d, 1);
    const data = shape.length === 1 && shape[0] === 2 ? indices : Array.from({ length: size }, (_v, i) => i - 2.5);
    return tf.array(Float32Array.from(data), shape);
  });
  const graph = new tf.Graph();
  // Any of the operands may be the one that is not known.
  const calls = Array.from({ length: 2 ** shapes.length }, (_v, known) =>
    graph.asDefault(() => {
      const xs = shapes.map(
        (shape, i) => (known & (1 << i) ? tf.placeholder('float32', shape) : tf.placeholder('float32')) as Any,
      );
      return { xs, y: f(...xs) };
    }),
  );
  const session = new tf.Session({ graph, backend: 'wasm' });
  for (const { xs, y } of calls) {
    const found = (await session.run(y, xs.map((x, i) => [x, values[i]]) as any)) as any;
    const why = `${JSON.stringify(y.shape)} was said, ${JSON.stringify(found.shape)} came`;
    expect(y.shape?.every((d: unknown) => d === null || Number.isInteger(d)) ?? true, why).toBe(true);
    expect(compatible(y.shape, found.shape), why).toBe(true);
    if (xs.every((x) => x.shape)) expect(y.shape, 'of known sizes').toEqual(found.shape);
  }
  await session.close();
});
