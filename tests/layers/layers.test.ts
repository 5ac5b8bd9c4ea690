// Layers against NumPy (tests/fixtures/make-layers.py), their names against TensorFlow 1's, gradients through them against
// differences.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

interface Packed {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface Case {
  readonly layer: string;
  readonly x: Packed;
  readonly args: readonly unknown[];
  readonly options: Record<string, unknown>;
  readonly variables: Readonly<Record<string, Packed>>;
  readonly y: Packed;
  readonly updated?: Readonly<Record<string, Packed>>;
}
const cases = JSON.parse(readFileSync(new URL('../fixtures/layers.json', import.meta.url), 'utf8'))
  .layers as readonly Case[];
type Any = any;
const layers = tf.layers as unknown as Record<string, (...given: any[]) => Any>;

const valueOf = ({ shape, data }: Packed, dtype: tf.DType) =>
  tf.array(dtype === 'float32' ? new Float32Array(data) : new Float64Array(data), shape as number[]) as Any;
const nameOf = ({ operation: { name } }: tf.Variable<any, any>) => name;

function expectNear(found: Any, wanted: Packed, dtype: string): void {
  expect([...found.shape]).toEqual(wanted.shape);
  const size = Math.max(1, ...wanted.data.map(Math.abs));
  const worst = Math.max(...wanted.data.map((v, i) => Math.abs(v - found.data[i])));
  expect(worst / size).toBeLessThan(dtype === 'float32' ? 1e-5 : 1e-12);
}

/** Builds the layer, with the batch unknown, gives its variables their values, and asks for what `fetch` says. */
async function run<R>(
  c: Case,
  { backend, dtype }: { backend: tf.BackendName; dtype: tf.FloatDType },
  training: Any,
  check: (r: { session: tf.Session; x: Any; y: Any; graph: tf.Graph; feeds: Any[] }) => Promise<R>,
): Promise<R> {
  const graph = new tf.Graph();
  await using session = new tf.Session({ graph, backend });
  const built = graph.asDefault(() => {
    const x = tf.placeholder(dtype, [null, ...c.x.shape.slice(1)]) as Any;
    const fed = typeof training === 'boolean' ? [] : [tf.placeholder('bool', []) as Any];
    const options = 'training' in c.options ? { ...c.options, training: fed[0] ?? training } : c.options;
    return { x, fed, y: layers[c.layer](x, ...c.args, options) };
  });
  expect(graph.variables.map(nameOf).sort()).toEqual(Object.keys(c.variables).sort());
  for (const v of graph.variables) await v.load(valueOf(c.variables[nameOf(v)], dtype) as never, session);
  const feeds = [[built.x, valueOf(c.x, dtype)], ...built.fed.map((t) => [t, c.options.training])];
  return await check({ session, ...built, graph, feeds });
}

const label = (c: Case) =>
  `${c.layer} of ${JSON.stringify(c.x.shape)} ${JSON.stringify(c.args)} ${JSON.stringify(c.options)}`;
describe.each(backends)('on %s', (backend) => {
  describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
    test.each(cases.map((c) => [label(c), c] as const))('%s', async (_, c) => {
      const asTensor = c.options.training !== undefined ? ['as a tensor'] : [];
      for (const training of [c.options.training ?? false, ...asTensor]) {
        await run(c, { backend, dtype }, training, async ({ session, y, graph, feeds }) => {
          expect(y.shape.slice(1)).toEqual(c.y.shape.slice(1));
          expect(y.dtype).toBe(dtype);
          const updates = graph.getCollection(tf.GraphKeys.UPDATE_OPS);
          expect(updates.length).toBe(c.options.training === undefined || training === false ? 0 : 2);
          const [found] = (await session.run([y, ...updates] as Any, feeds as Any)) as unknown as Any[];
          expectNear(found, c.y, dtype);
          const after = c.updated ?? c.variables;
          for (const v of graph.variables) {
            expectNear(await session.run(v as Any), { ...c.variables, ...after }[nameOf(v)], dtype);
          }
        });
      }
    });
  });

  test('dropout drops that part while training, and scales the rest; a tensor says when', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const { x, training, rate, all } = graph.asDefault(() => {
      const x = tf.ones([100, 100]);
      const training = tf.placeholder('bool', []);
      const rate = tf.placeholder('float32', []);
      const all = [
        tf.layers.dropout(x),
        tf.layers.dropout(x, { rate: 0.25, training: true }),
        tf.layers.dropout(x, rate, { training, seed: 3 }),
      ];
      return { x, training, rate, all };
    });
    for (const trains of [true, false]) {
      const [rest, quarter, fed] = (await session.run(
        all as Any,
        [
          [training, trains],
          [rate, 0.8],
        ] as Any,
      )) as unknown as Any[];
      const parts = ({ data }: Any) => ({
        zeros: data.filter((v: number) => v === 0).length / 1e4,
        others: [...new Set([...data].filter((v: number) => v !== 0))],
      });
      expect(parts(rest)).toEqual({ zeros: 0, others: [1] });
      expect(Math.abs(parts(quarter).zeros - 0.25)).toBeLessThan(0.03);
      expect(parts(quarter).others).toEqual([Math.fround(1 / 0.75)]);
      if (!trains) expect(parts(fed)).toEqual({ zeros: 0, others: [1] });
      else expect(Math.abs(parts(fed).zeros - 0.8)).toBeLessThan(0.03);
    }
    expect(x.shape).toEqual([100, 100]);
  });

  test('sizes that only the run knows: those of several axes in front, of images, of all', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const { x, dense, flat, larger } = graph.asDefault(() => {
      const x = tf.placeholder('float32', [null, null, null, 3]);
      const kernelInitializer = tf.initializers.ones();
      return {
        x,
        dense: tf.layers.dense(x, 2, { kernelInitializer }),
        flat: tf.layers.flatten(x),
        larger: [
          tf.layers.conv2dTranspose(x, 4, 3, { strides: 2, padding: 'same', kernelInitializer }),
          tf.layers.conv2dTranspose(x, 4, [3, 1], { strides: 2, kernelInitializer }),
        ] as const,
      };
    });
    expect([dense, flat, ...larger].map((t) => t.shape)).toEqual([
      [null, null, null, 2],
      [null, null],
      [null, null, null, 4],
      [null, null, null, 4],
    ]);
    await session.run(graph.asDefault(() => tf.globalVariablesInitializer()));
    for (const [n, h, w] of [
      [2, 4, 5],
      [1, 3, 2],
    ]) {
      const ones = tf.array(new Float32Array(n * h * w * 3).fill(1), [n, h, w, 3]);
      const [a, b, c, d] = (await session.run([dense, flat, ...larger] as Any, [[x, ones]] as Any)) as unknown as Any[];
      expect([a, b, c, d].map((v: Any) => v.shape)).toEqual([
        [n, h, w, 2],
        [n, h * w * 3],
        [n, 2 * h, 2 * w, 4],
        [n, 2 * h + 1, 2 * w, 4],
      ]);
      expect([...a.data]).toEqual(new Array(n * h * w * 2).fill(3));
      // Of step 2, an even row meets one row of the filter, or two where windows overlap.
      expect([...d.data.filter((_: number, i: number) => i % 4 === 0).slice(0, 2 * w)]).toEqual(
        Array.from({ length: 2 * w }, (_, i) => (i % 2 === 0 ? 3 : 0)),
      );
    }
  });

  test('embedding takes rows, and only those learn', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const { y, step, init, table } = graph.asDefault(() => {
      const y = tf.layers.embedding(
        tf.constant(
          [
            [2, 0],
            [2, 2],
          ],
          'int32',
        ),
        4,
        3,
      );
      const step = new tf.train.GradientDescentOptimizer(1).minimize(tf.reduceSum(y));
      return { y, step, init: tf.globalVariablesInitializer(), table: tf.globalVariables()[0] as Any };
    });
    expect([nameOf(table), y.shape]).toEqual(['embedding/embeddings', [2, 2, 3]]);
    await session.run(init);
    const [before, taken] = (await session.run([table, y])) as unknown as Any[];
    expect([...taken.data.slice(0, 6)]).toEqual([...before.data.slice(6, 9), ...before.data.slice(0, 3)]);
    expect(Math.max(...before.data.map(Math.abs))).toBeLessThan(0.05);
    await session.run(step);
    const after = (await session.run(table)) as Any;
    const moved = [0, 1, 2, 3].map((i) => Math.round(before.data[3 * i] - after.data[3 * i]));
    expect(moved).toEqual([1, 0, 3, 0]);
  });

  test('a network of layers learns, with moving averages that end where the data are', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const { x, y, training, step, loss, init, mean } = graph.asDefault(() => {
      const x = tf.placeholder('float32', [null, 2]);
      const y = tf.placeholder('int32', [null]);
      const training = tf.placeholder('bool', []);
      let h: Any = tf.layers.batchNormalization(x, { training, momentum: 0.5 });
      h = tf.layers.dense(h, 16, { activation: tf.tanh });
      tf.losses.sparseSoftmaxCrossEntropy(y, tf.layers.dense(h, 2));
      const loss = tf.losses.getTotalLoss();
      const updates = tf.getCollection(tf.GraphKeys.UPDATE_OPS);
      const step = tf.controlDependencies(updates, () => new tf.train.AdamOptimizer(0.05).minimize(loss));
      return {
        x,
        y,
        training,
        step,
        loss,
        init: tf.globalVariablesInitializer(),
        mean: tf.globalVariables('batch_normalization/moving_mean')[0] as Any,
      };
    });
    await session.run(init);
    // The exclusive or, far from 0.
    const points = tf.array(new Float32Array([10, 10, 10, 11, 11, 10, 11, 11]), [4, 2]);
    const classes = tf.array(new Int32Array([0, 1, 1, 0]), [4]);
    const given = (trains: boolean) =>
      [
        [x, points],
        [y, classes],
        [training, trains],
      ] as Any;
    for (let i = 0; i < 120; i++) await session.run(step, given(true));
    expect(await session.run(loss as Any, given(false))).toBeLessThan(0.05);
    expect([...((await session.run(mean)) as Any).data]).toEqual([10.5, 10.5]);
  });
});

describe('gradients, against differences', () => {
  const differentiable = cases.filter((c) => !/Pooling|flatten/.test(c.layer));
  test.each(differentiable.map((c) => [label(c), c] as const))('%s', async (_, c) => {
    await run(
      c,
      { backend: 'reference', dtype: 'float64' },
      c.options.training ?? false,
      async ({ session, x, y, graph, feeds }) => {
        const trained = graph.getCollection(tf.GraphKeys.TRAINABLE_VARIABLES) as Any[];
        const { loss, found } = graph.asDefault(() => {
          const weights = tf.constant(new Float64Array(c.y.data.map((_, i) => Math.sin(i + 1))), {
            shape: c.y.shape as number[],
          }) as Any;
          const loss = tf.reduceSum(tf.mul(y, weights) as Any) as Any;
          return { loss, found: tf.gradients(loss, [x, ...trained]) as Any[] };
        });
        const gradients = (await session.run(found, feeds as Any)) as unknown as Any[];
        const h = 1e-5;
        const lossAt = async (fed: Any[]) => (await session.run(loss, fed as Any)) as unknown as number;
        for (const i of [0, 1, c.x.data.length - 1]) {
          const at = (by: number) =>
            lossAt([
              [x, valueOf({ ...c.x, data: c.x.data.map((v, k) => (k === i ? v + by : v)) }, 'float64')],
              ...feeds.slice(1),
            ]);
          expect(Math.abs(((await at(h)) - (await at(-h))) / (2 * h) - gradients[0].data[i])).toBeLessThan(1e-6);
        }
        for (const [k, v] of trained.entries()) {
          const packed = c.variables[nameOf(v)];
          const i = packed.data.length - 1;
          const at = async (by: number) => {
            await v.load(
              valueOf({ ...packed, data: packed.data.map((w, n) => (n === i ? w + by : w)) }, 'float64'),
              session,
            );
            return await lossAt(feeds);
          };
          const slope = ((await at(h)) - (await at(-h))) / (2 * h);
          await at(0);
          expect(Math.abs(slope - gradients[k + 1].data[i])).toBeLessThan(1e-6);
        }
      },
    );
  });
});

describe('names, as TensorFlow 1 gives them', () => {
  const inGraph = <R>(build: () => R): R => new tf.Graph().asDefault(build);
  const variables = () => tf.globalVariables().map(nameOf);
  const x = () => tf.placeholder('float32', [null, 4]);
  const image = () => tf.placeholder('float32', [null, 8, 8, 3]);
  test.each<[string, () => unknown, readonly string[]]>([
    [
      'layers are counted',
      () => tf.layers.dense(tf.layers.dense(x(), 3), 2),
      ['dense/kernel', 'dense/bias', 'dense_1/kernel', 'dense_1/bias'],
    ],
    [
      'kinds apart',
      () => [tf.layers.dense(x(), 3), tf.layers.conv2d(image(), 2, 3)],
      ['dense/kernel', 'dense/bias', 'conv2d/kernel', 'conv2d/bias'],
    ],
    ['a name', () => tf.layers.dense(x(), 3, { name: 'fc' }), ['fc/kernel', 'fc/bias']],
    [
      'in a scope, twice',
      () =>
        [0, 1].map(() =>
          tf.variableScope('net', { reuse: tf.AUTO_REUSE }, () => [tf.layers.dense(x(), 3), tf.layers.dense(x(), 3)]),
        ),
      ['net/dense/kernel', 'net/dense/bias', 'net/dense_1/kernel', 'net/dense_1/bias'],
    ],
    [
      'a nameScope changes nothing',
      () => tf.nameScope('n', () => tf.layers.dense(x(), 3)),
      ['dense/kernel', 'dense/bias'],
    ],
    [
      'reuse of a name',
      () => [tf.layers.dense(x(), 3, { name: 'a' }), tf.layers.dense(x(), 3, { name: 'a', reuse: true })],
      ['a/kernel', 'a/bias'],
    ],
    [
      'reuse without a name',
      () => [tf.layers.dense(x(), 3), tf.layers.dense(x(), 3, { reuse: true })],
      ['dense/kernel', 'dense/bias'],
    ],
    [
      'convolutions of other kinds',
      () => [0, 1].map(() => tf.layers.separableConv2d(tf.layers.conv2dTranspose(image(), 2, 3), 4, 3)),
      [
        'conv2d_transpose/kernel',
        'conv2d_transpose/bias',
        'separable_conv2d/depthwise_kernel',
        'separable_conv2d/pointwise_kernel',
        'separable_conv2d/bias',
        'conv2d_transpose_1/kernel',
        'conv2d_transpose_1/bias',
        'separable_conv2d_1/depthwise_kernel',
        'separable_conv2d_1/pointwise_kernel',
        'separable_conv2d_1/bias',
      ],
    ],
    [
      'batch normalization',
      () => tf.layers.batchNormalization(x()),
      [
        'batch_normalization/moving_mean',
        'batch_normalization/moving_variance',
        'batch_normalization/gamma',
        'batch_normalization/beta',
      ],
    ],
    ['without center and scale', () => tf.layers.layerNormalization(x(), { center: false, scale: false }), []],
    ['layers without variables', () => tf.layers.flatten(tf.layers.maxPooling2d(tf.layers.dropout(image()), 2, 2)), []],
  ])('%s', (_, build, names) => {
    inGraph(() => {
      build();
      expect(variables()).toEqual(names);
    });
  });

  test('of operations', () => {
    inGraph(() => {
      const [a, b, c, d] = [
        tf.layers.dense(x(), 3, { activation: tf.nn.relu }),
        tf.layers.dense(x(), 3, { name: 'dense', reuse: true }),
        tf.layers.conv2d(image(), 2, 3, { useBias: false }),
        tf.layers.maxPooling2d(image(), 2, 2),
      ];
      expect([a, b, c, d].map((t) => t.name)).toEqual([
        'dense/Relu:0',
        'dense_1/BiasAdd:0',
        'conv2d/Conv2D:0',
        'max_pooling2d/MaxPool:0',
      ]);
    });
  });

  test('moving averages are not trained, a frozen layer neither', () => {
    inGraph(() => {
      tf.layers.batchNormalization(x());
      tf.layers.dense(x(), 2, { trainable: false });
      expect(tf.trainableVariables().map(nameOf)).toEqual(['batch_normalization/gamma', 'batch_normalization/beta']);
    });
  });

  test('penalties: of the kernel, the bias, the result, and of the scope', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend: 'reference' });
    const { l1Regularizer, l2Regularizer, l1L2Regularizer } = tf.layers;
    const losses = graph.asDefault(() => {
      const kernelInitializer = tf.initializers.constant([1, -2, 3, -4]);
      const common = { kernelInitializer, biasInitializer: tf.initializers.constant(2) };
      tf.layers.dense(tf.ones([1, 4]), 1, {
        ...common,
        name: 'a',
        kernelRegularizer: l2Regularizer(0.1),
        biasRegularizer: l1Regularizer(0.5),
        activityRegularizer: l2Regularizer(1),
      });
      tf.layers.dense(tf.ones([1, 4]), 1, {
        ...common,
        name: 'b',
        kernelRegularizer: l1L2Regularizer(0.1, 0.2),
        biasRegularizer: l2Regularizer(0),
      });
      tf.variableScope('s', { regularizer: l1Regularizer(1) }, () => tf.layers.dense(tf.ones([1, 4]), 1, common));
      return tf.losses.getRegularizationLosses();
    });
    await session.run(graph.asDefault(() => tf.globalVariablesInitializer()));
    const values = (await session.run(losses as Any)) as unknown as number[];
    const named = losses.map((t, i) => `${t.name} ${Math.round(1e4 * values[i]) / 1e4}`);
    expect(named).toEqual([
      'a/kernel/Regularizer/l2_regularizer:0 1.5',
      'a/bias/Regularizer/l1_regularizer:0 1',
      'a/l2_regularizer:0 0',
      'b/kernel/Regularizer/l1_l2_regularizer:0 4',
      's/dense/kernel/Regularizer/l1_regularizer:0 10',
      's/dense/bias/Regularizer/l1_regularizer:0 2',
    ]);
  });
});

describe('what is refused', () => {
  const ones = (...shape: (number | null)[]) => tf.placeholder('float32', shape) as Any;
  test.each<[string, () => unknown, RegExp]>([
    ['a vector', () => tf.layers.dense(ones(3), 2), /^dense: input must have at least 2 axes, but its shape is \[3\]/],
    [
      'an unknown last size',
      () => tf.layers.dense(ones(3, null), 2),
      /^dense: the size of axis -1 must be known.*\[3, null\]/,
    ],
    [
      'integers',
      () => tf.layers.dense(tf.zeros([2, 3], 'int32') as Any, 2),
      /^dense: needs dtype float32 or float64, but int32 came/,
    ],
    [
      'no units',
      () => tf.layers.dense(ones(2, 3), 0),
      /^dense: units must be a whole number of at least 1, but 0 came/,
    ],
    [
      'an activation that returns none',
      () => tf.layers.dense(ones(2, 3), 2, { activation: (() => 1) as Any }),
      /^dense: the activation must return a tensor, but the number 1 came/,
    ],
    [
      'a matrix as images',
      () => tf.layers.conv2d(ones(2, 3), 2, 3),
      /^conv2d: input must be \[batch, height, width, channels\], but its shape is \[2, 3\]/,
    ],
    [
      'a window of three sizes',
      () => tf.layers.conv2d(ones(2, 5, 5, 3), 2, [1, 2, 3] as Any),
      /^conv2d: kernelSize must be a whole number of at least 1, or two of them, but \[1,2,3\] came/,
    ],
    [
      'a window that does not fit',
      () => tf.layers.conv2d(ones(2, 5, 5, 3), 2, 7),
      /a window of 7 does not fit into a size of 5/,
    ],
    [
      'an unknown padding',
      () => tf.layers.conv2d(ones(2, 5, 5, 3), 2, 3, { padding: 'full' as Any }),
      /^conv2d: padding must be 'same' or 'valid', but the text "full" came/,
    ],
    ['rows of rank 2', () => tf.layers.conv1d(ones(2, 3), 2, 3), /^conv1d: input must be \[batch, width, channels\]/],
    [
      'an axis that is not there',
      () => tf.layers.batchNormalization(ones(2, 3), { axis: 2 }),
      /^batchNormalization: axis 2 is out of range for shape \[2, 3\]/,
    ],
    [
      'a rate of 1',
      () => tf.layers.dropout(ones(2), 1),
      /^dropout: rate must be a number from 0 to below 1, or a scalar tensor, but 1 came/,
    ],
    ['a scalar to flatten', () => tf.layers.flatten(ones()), /^flatten: input must have at least 1 axis/],
    [
      'unknown channels to spread',
      () => tf.layers.conv2dTranspose(ones(2, 5, 5, null), 2, 3),
      /^conv2dTranspose: the size of axis -1 must be known.*\[2, 5, 5, null\]/,
    ],
    [
      'unknown channels, which are second',
      () => tf.layers.separableConv2d(ones(2, null, 5, 5), 2, 3, { dataFormat: 'channels_first' }),
      /^separableConv2d: the size of axis 1 must be known.*\[2, null, 5, 5\]/,
    ],
    [
      'a matrix as images with the channels second',
      () => tf.layers.maxPooling2d(ones(2, 3), 2, 2, { dataFormat: 'channels_first' }),
      /^maxPooling2d: input must be \[batch, channels, height, width\], but its shape is \[2, 3\]/,
    ],
    [
      'a format of ops',
      () => tf.layers.conv2d(ones(2, 5, 5, 3), 2, 3, { dataFormat: 'NCHW' as Any }),
      /^conv2d: dataFormat must be 'channels_last' or 'channels_first', but the text "NCHW" came/,
    ],
    [
      'a window that does not fit when its elements lie apart',
      () => tf.layers.conv2d(ones(2, 5, 5, 3), 2, 3, { dilationRate: 3 }),
      /a window of 7 does not fit into a size of 5/,
    ],
    [
      'a layer of another size under the same name',
      () => [3, 4].map((units) => tf.layers.dense(ones(2, 3), units, { name: 'a', reuse: tf.AUTO_REUSE })),
      /^getVariable: the variable a\/kernel has shape \[3, 3\], but \[3, 4\] is asked for/,
    ],
    [
      'a name that is there',
      () => [0, 1].map(() => tf.layers.dense(ones(2, 3), 2, { name: 'a' })),
      /^getVariable: there is a variable a\/kernel already/,
    ],
    [
      'a negative penalty',
      () => tf.layers.l2Regularizer(-1),
      /^l2Regularizer: scale must be a finite number of at least 0, but -1 came/,
    ],
  ])('%s', (_, build, text) => {
    expect(() => new tf.Graph().asDefault(build)).toThrow(text);
  });
});
