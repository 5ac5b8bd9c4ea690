// Gradients against central differences in float64 graphs, second derivatives included.
import { describe, expect, test } from 'vitest';
import * as tf from '../src/index.ts';
import { backends } from './backends.ts';

type Any = tf.Tensor<any, any>;
const nn = tf.nn as any;
const api = tf as any;

/** Numbers without pattern, away from 0 and from each other. */
function numbers(count: number, seed: number): Float64Array {
  let state = seed * 2654435761;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state >>> 0) / 2 ** 32) * 3.2 - 1.6 + 0.037;
  });
}

interface Check {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly f: (...xs: Any[]) => Any;
  /** Makes the inputs suitable, such as positive. */
  readonly prepare?: (v: number) => number;
}
const conv = { strides: [1, 2, 1, 1], padding: 'SAME' };
const window = { ksize: [1, 2, 3, 1], strides: [1, 2, 1, 1], padding: 'SAME' };
const positive = (v: number) => Math.abs(v) + 0.3;
const checks: Check[] = [
  ...['add', 'sub', 'mul', 'maximum', 'minimum'].map((op) => ({ name: op, shapes: [[2, 3], [3]], f: api[op] })),
  { name: 'div', shapes: [[2, 3], [3]], f: api.div, prepare: positive },
  { name: 'pow', shapes: [[2, 3], [3]], f: api.pow, prepare: positive },
  { name: 'mod', shapes: [[2, 3], [3]], f: (a, b) => api.mod(a, api.add(api.abs(b), 5)) },
  ...['neg', 'abs', 'square', 'exp', 'tanh', 'sigmoid'].map((op) => ({ name: op, shapes: [[7]], f: api[op] })),
  ...['sqrt', 'rsqrt', 'log'].map((op) => ({ name: op, shapes: [[7]], f: api[op], prepare: positive })),
  { name: 'relu', shapes: [[9]], f: nn.relu },
  { name: 'addN', shapes: [[3], [3], [3]], f: (...xs) => api.addN(xs) },
  { name: 'where', shapes: [[4], [4]], f: (a, b) => api.where(api.less(a, 0), a, api.square(b)) },
  {
    name: 'matmul',
    shapes: [
      [3, 4],
      [4, 2],
    ],
    f: api.matmul,
  },
  {
    name: 'matmul transposed',
    shapes: [
      [4, 3],
      [2, 4],
    ],
    f: (a, b) => api.matmul(a, b, { transposeA: true, transposeB: true }),
  },
  { name: 'reduceMean', shapes: [[3, 4]], f: (x) => api.reduceMean(x, 0) },
  { name: 'reduceMax', shapes: [[3, 4]], f: (x) => api.reduceMax(x, 1) },
  { name: 'reduceProd', shapes: [[3, 4]], f: (x) => api.reduceProd(x, [0, 1]) },
  { name: 'transpose', shapes: [[2, 3, 4]], f: (x) => api.transpose(x, [2, 0, 1]) },
  {
    name: 'concat',
    shapes: [
      [2, 3],
      [2, 2],
    ],
    f: (a, b) => api.concat([a, b], 1),
  },
  { name: 'slice', shapes: [[4, 5]], f: (x) => api.slice(x, [1, 0], [2, -1]) },
  {
    name: 'pad',
    shapes: [[2, 3]],
    f: (x) =>
      api.pad(x, [
        [1, 0],
        [2, 1],
      ]),
  },
  { name: 'tile', shapes: [[2, 3]], f: (x) => api.tile(x, [2, 3]) },
  {
    name: 'stack',
    shapes: [
      [2, 3],
      [2, 3],
    ],
    f: (a, b) => api.stack([a, b], 1),
  },
  { name: 'unstack', shapes: [[3, 2]], f: (x) => api.mul(...(api.unstack(x).slice(0, 2) as [Any, Any])) },
  { name: 'gather', shapes: [[4, 3]], f: (x) => api.gather(x, tf.constant([3, 0, 3], { dtype: 'int32' })) },
  { name: 'softmax', shapes: [[3, 4]], f: nn.softmax },
  { name: 'logSoftmax', shapes: [[3, 4]], f: nn.logSoftmax },
  { name: 'log of softmax', shapes: [[3, 4]], f: (x) => api.log(nn.softmax(x)) },
  {
    name: 'log of softmax, scaled and added',
    shapes: [[3, 4]],
    f: (x) => {
      const y = nn.softmax(x);
      return api.add(api.mul(api.log(y), 3), api.neg(api.div(api.log(y), 2)));
    },
  },
  {
    name: 'cross-entropy',
    shapes: [
      [3, 4],
      [3, 4],
    ],
    f: (labels, logits) => nn.softmaxCrossEntropyWithLogits({ labels, logits }),
  },
  {
    name: 'conv2d',
    shapes: [
      [2, 5, 4, 2],
      [3, 2, 2, 3],
    ],
    f: (x, w) => nn.conv2d(x, w, conv),
  },
  { name: 'maxPool', shapes: [[1, 5, 4, 2]], f: (x) => nn.maxPool(x, window) },
  { name: 'avgPool', shapes: [[1, 5, 4, 2]], f: (x) => nn.avgPool(x, window) },
  { name: 'l2Loss', shapes: [[5]], f: nn.l2Loss },
];

describe.each(backends)('on %s', (backend) => {
  test.each(checks)(
    '$name: gradient, and gradient of the gradient, within 1e-6 of central differences',
    async ({ f, shapes, prepare }) => {
      const graph = new tf.Graph();
      const session = new tf.Session({ graph, backend });
      const { xs, loss, first, penalty, second } = graph.asDefault(() => {
        const inputs = shapes.map((shape) => tf.placeholder('float64', shape) as Any);
        const y = f(...inputs);
        const weights = tf.constant(numbers(64, 7).slice(0, 1), { shape: [] });
        const total = tf.reduceSum(api.mul(api.mul(y, y), weights)) as Any;
        const gradients = tf.gradients(total, inputs) as (Any | null)[];
        const squares = gradients.flatMap((g) => (g ? [tf.reduceSum(api.square(g)) as Any] : []));
        const sum = squares.length > 0 ? (api.addN(squares) as Any) : total;
        return {
          xs: inputs,
          loss: total,
          first: gradients,
          penalty: sum,
          second: tf.gradients(sum, inputs) as (Any | null)[],
        };
      });
      const values = shapes.map((shape, i) => {
        const data = numbers(
          shape.reduce((a, b) => a * b, 1),
          i + 1,
        );
        return prepare ? data.map(prepare) : data;
      });
      const feeds = (at?: { input: number; element: number; step: number }) =>
        xs.map((x, i) => {
          const data = values[i].slice();
          if (at?.input === i) data[at.element] += at.step;
          return [x, tf.array(data, shapes[i] as number[])];
        }) as any;
      for (const [scalar, gradients] of [
        [loss, first],
        [penalty, second],
      ] as const) {
        for (const [input, g] of gradients.entries()) {
          if (!g) continue;
          const found = (await session.run(g, feeds())) as any;
          for (const element of values[input].keys()) {
            const step = 1e-5;
            const up = (await session.run(scalar, feeds({ input, element, step }))) as unknown as number;
            const down = (await session.run(scalar, feeds({ input, element, step: -step }))) as unknown as number;
            const wanted = (up - down) / (2 * step);
            const got = typeof found === 'number' ? found : found.data[element];
            expect(Math.abs(got - wanted) / Math.max(1, Math.abs(wanted))).toBeLessThan(1e-6);
          }
        }
      }
      await session.close();
    },
  );
});

test('no gradient flows through argmax, comparisons, casts to int and stopGradient', () => {
  const x = tf.placeholder('float32', [3]);
  const through = [
    tf.cast(tf.argmax(x), 'float32'),
    tf.cast(tf.less(x, 1), 'float32'),
    tf.stopGradient(x),
    tf.cast(tf.cast(x, 'int32'), 'float32'),
  ];
  for (const y of through) expect(tf.gradients(y as Any, [x])).toEqual([null]);
});

test.each(backends)(
  'gradients reach tensors whose rank is not known when the graph is built, on %s',
  async (backend) => {
    const graph = new tf.Graph();
    const session = new tf.Session({ graph, backend });
    const { x, gs } = graph.asDefault(() => {
      const input = tf.placeholder('float32') as Any;
      const ys = [
        tf.reduceMean(input, -1),
        tf.reduceMax(input, 0),
        tf.reduceProd(input),
        tf.reduceSum(tf.mul(input, 2), [0, 1], { keepDims: true }),
      ];
      return { x: input, gs: ys.map((y) => tf.gradients(y as Any, [input])[0] as Any) };
    });
    const found = (await session.run(gs, [
      [
        x,
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ] as any)) as any[];
    expect(found.map((g) => g.toArray())).toEqual([
      [
        [0.5, 0.5],
        [0.5, 0.5],
      ],
      [
        [0, 0],
        [1, 1],
      ],
      [
        [24, 12],
        [8, 6],
      ],
      [
        [2, 2],
        [2, 2],
      ],
    ]);
    await session.close();
  },
);
