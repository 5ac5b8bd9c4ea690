// The texts that a user sees for common mistakes; after each, the session works and the variables are as they were.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as tf from '../src/index.ts';
import { backends } from './backends.ts';

type Any = tf.Tensor<any, any>;
const api = tf as any;
const x = tf.placeholder('float32', [null, 784], { name: 'x' });
const here = /\(?tests\/errors\.test\.ts:\d+:\d+|errors\.test\.ts:\d+:\d+/;

describe('when the graph is built, the line that is wrong throws', () => {
  const cases: [string, () => unknown, new (...a: any[]) => Error, RegExp][] = [
    [
      'wrong inner dimensions',
      () => api.matmul(x, tf.zeros([783, 10])),
      tf.ShapeMismatchError,
      /^matmul: inner dimensions 784 and 783 differ: \[null, 784\] · \[783, 10\]\.\n {4}at MatMul, made at .*errors\.test\.ts:\d+:\d+$/,
    ],
    [
      'impossible broadcast',
      () => api.add(tf.zeros([2, 3]), tf.zeros([4])),
      tf.ShapeMismatchError,
      /^add: shapes \[2, 3\] and \[4\] do not broadcast: aligned at the right, sizes must be equal or one of them 1\./,
    ],
    [
      'reshape to another size',
      () => api.reshape(tf.zeros([784, 10]), [28, 28]),
      tf.ShapeMismatchError,
      /^reshape: \[784, 10\] has 7840 elements but \[28, 28\] has 784\./,
    ],
    [
      'reshape of nothing with −1',
      () => api.reshape(tf.zeros([0, 12]), [0, -1]),
      tf.ShapeMismatchError,
      /^reshape: -1 in \[0, -1\] cannot be inferred, as there are no elements whatever it is; give the size\./,
    ],
    [
      'reshape with two −1',
      () => api.reshape(x, [-1, -1]),
      tf.ShapeMismatchError,
      /^reshape: only one dimension of \[-1, -1\] may be -1\./,
    ],
    [
      'negative size',
      () => api.zeros([-3]),
      tf.ShapeMismatchError,
      /^zeros: every size must be a whole number of at least 0, but the shape is \[-3\]\./,
    ],
    [
      'a size that is not known',
      () => api.zeros(x.shape as never),
      tf.ShapeMismatchError,
      /^zeros: .* but the shape is \[null, .*\]\. What is not known yet .*: const \[batch\] = tf\.unstack\(tf\.shape\(x\)\)\./,
    ],
    [
      'an index after tf.shape',
      () => api.reshape(x, [(tf.shape(x) as never)[0], -1]),
      tf.InvalidArgumentError,
      /^reshape: the shape must be .* but \[undefined, -1\] came\. What is not known yet .*tf\.unstack\(tf\.shape\(x\)\)\./,
    ],
    [
      'negative size of a placeholder',
      () => api.placeholder('float32', [-1, 3]),
      tf.ShapeMismatchError,
      /^placeholder: every size must be .* or null .* \[-1, 3\]\./,
    ],
    [
      'unknown dtype',
      () => api.placeholder('float16'),
      tf.DTypeError,
      /^placeholder: there is no dtype the text "float16"; use 'float32'/,
    ],
    [
      'mismatched channels',
      () => api.nn.conv2d(tf.zeros([1, 8, 8, 1]), tf.zeros([5, 5, 3, 32]), { strides: [1, 1, 1, 1], padding: 'SAME' }),
      tf.ShapeMismatchError,
      /^conv2d: input has 1 channels but the filter expects 3: input \[1, 8, 8, 1\], filter \[5, 5, 3, 32\] as \[height, width, in, out\]\./,
    ],
    [
      'a wrong padding',
      () => api.nn.maxPool(tf.zeros([1, 8, 8, 1]), { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'same' }),
      tf.InvalidArgumentError,
      /^maxPool: padding must be 'SAME' or 'VALID', but the text "same" came\./,
    ],
    [
      'mixed dtypes',
      () => api.add(x, tf.zeros([784], 'int32')),
      tf.DTypeError,
      /^add: dtypes float32 and int32 differ; convert one of them with tf\.cast\(x, 'float32'\)\./,
    ],
    [
      'a fraction beside int32',
      () => api.add(tf.zeros([2], 'int32'), 0.5),
      tf.DTypeError,
      /^add: the fraction 0\.5 cannot stand beside a tensor of dtype int32; cast the tensor/,
    ],
    [
      'an axis out of range',
      () => api.reduceSum(x, 2),
      tf.ShapeMismatchError,
      /^reduceSum: axis 2 is out of range for shape \[null, 784\]\./,
    ],
    [
      'concat',
      () => api.concat([tf.zeros([2, 3]), tf.zeros([2, 4])], 0),
      tf.ShapeMismatchError,
      /^concat: shapes \[2, 3\] and \[2, 4\] do not match outside axis 0\./,
    ],
    [
      'dropout with a probability of 0',
      () => tf.nn.dropout(x, 0),
      tf.InvalidArgumentError,
      /^dropout: keepProb must be above 0 and at most 1, but 0 was given\./,
    ],
    [
      'a promise from a synchronous callback',
      () => api.nameScope('a', async () => 1),
      tf.GraphError,
      /^nameScope: the callback returned a promise\. It must be synchronous/,
    ],
    [
      'an optimizer without anything to train',
      () => new tf.Graph().asDefault(() => new tf.train.AdamOptimizer().minimize(tf.constant(1))),
      tf.InvalidArgumentError,
      /^minimize: there is nothing to train: the graph has no trainable variables\. Make the parameters with tf\.variable/,
    ],
    [
      'an optimizer with a loss that depends on no variable',
      () =>
        new tf.Graph().asDefault(() => {
          const v = tf.variable(tf.constant([1, 2]), { name: 'v' });
          return new tf.train.AdamOptimizer().minimize(tf.cast(tf.argmax(v), 'float32'));
        }),
      tf.InvalidArgumentError,
      /^minimize: the loss Cast:0 does not depend on any of the variables to train \(v\)/,
    ],
    [
      'an unknown backend',
      () => new tf.Session({ backend: 'cuda' as 'wasm' }),
      tf.InvalidArgumentError,
      /^Session: there is no backend 'cuda'; use 'auto' or 'native' or 'wasm' or 'reference'\./,
    ],
    [
      'a finalized graph',
      () => {
        const g = new tf.Graph();
        g.finalize();
        g.asDefault(() => tf.zeros([1]));
      },
      tf.GraphError,
      /^zeros: the graph is finalized, so nothing can be added to it \(at .*errors\.test\.ts:\d+:\d+\)\./,
    ],
    [
      'tensors of two graphs',
      () => new tf.Graph().asDefault(() => tf.add(tf.zeros([784]) as Any, x)),
      tf.GraphError,
      /^Add: its input x:0 belongs to another graph\. Build all of a model inside one graph/,
    ],
    [
      'a tensor in a sum',
      () => (x as unknown as number) + 1,
      tf.GraphError,
      /^Tensor\(x:0, float32, \[null, 784\]\) was used as number or text\.|^Tensor\(x:0, float32, \[null, 784\]\) was used as a number or text\. .*write a\.add\(b\)/,
    ],
    [
      'a tensor in a template',
      () => `${x}`,
      tf.GraphError,
      /was used as a number or text\. .*a\.add\(b\).*t\.name for its name/,
    ],
    [
      'a size instead of a shape',
      () => api.reshape(x, 5),
      tf.InvalidArgumentError,
      /^reshape: the shape must be an array of whole numbers and int32 scalars, or an int32 tensor of them, but the number 5 came\./,
    ],
    [
      'a tensor instead of a list of them',
      () => api.concat(x, 0),
      tf.InvalidArgumentError,
      /^concat: the first argument must be an array of tensors, but an object of class Placeholder came\./,
    ],
    ['an empty list of tensors', () => api.stack([]), tf.InvalidArgumentError, /^stack: .* but an empty one came\./],
    [
      'an axis that is a text',
      () => api.reduceSum(x, 'a'),
      tf.InvalidArgumentError,
      /^reduceSum: the axes must be an array of whole numbers, but the text "a" came\./,
    ],
    [
      'paddings that are not pairs',
      () => api.pad(x, [1, 2]),
      tf.InvalidArgumentError,
      /^pad: paddings must be an array of pairs/,
    ],
    [
      'a loss that is no tensor',
      () => new tf.train.AdamOptimizer().minimize(5 as any),
      tf.InvalidArgumentError,
      /^minimize: loss must be a tensor, but 5 came\. Write optimizer\.minimize\(loss, \{ globalStep, varList, gradLoss, name \}\) or /,
    ],
    [
      'a learning rate that is no number',
      () => new tf.train.GradientDescentOptimizer('x' as any),
      tf.InvalidArgumentError,
      /^GradientDescentOptimizer: learningRate must be a finite number of at least 0 or a scalar tensor, but the text "x" came\./,
    ],
    [
      'a value that is not a tensor',
      () => api.neg('a'),
      tf.InvalidArgumentError,
      /^neg: x must be a tensor, but the text "a" came\. Write tf\.neg\(x, \{ name \}\)\.$/,
    ],
  ];
  test.each(cases)('%s', (_, build, kind, text) => {
    let error: unknown;
    try {
      build();
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toMatch(text);
  });
});

describe.each(backends)('when it runs, on %s', (backend) => {
  const graph = new tf.Graph();
  let session: tf.Session;
  const { v, later, image, scale, y, index, picked, divisor, quotient, loss, keep, dropped, init } = graph.asDefault(
    () => {
      const variable = tf.variable(tf.constant([1, 2, 3]), { name: 'v' });
      const i = tf.placeholder('int32', [], { name: 'index' });
      const d = tf.placeholder('int32', [2], { name: 'divisor' });
      const img = tf.placeholder('float32', [null, 4], { name: 'image' });
      const s = tf.placeholder('float32', [], { name: 'scale' });
      const k = tf.placeholder('float32');
      const labels = tf.placeholder('int32', [2]);
      const all = tf.initializeAllVariables();
      return {
        v: variable,
        init: all,
        later: tf.variable(tf.constant([0]), { name: 'later' }),
        image: img,
        scale: s,
        y: tf.mul(img, s),
        index: i,
        picked: tf.assign(variable, tf.add(variable, tf.gather(variable, i) as Any) as Any),
        divisor: d,
        quotient: tf.div(tf.constant([4, 6], { dtype: 'int32' }), d),
        loss: { labels, value: tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits: tf.zeros([2, 3]) }) },
        keep: k,
        dropped: tf.nn.dropout(img, k),
      };
    },
  );
  beforeAll(async () => {
    session = new tf.Session({ graph, backend });
    await session.run(init);
  });
  afterAll(() => session.close());

  const images = tf.array([[1, 2, 3, 4]]);
  const foreign = new tf.Graph().asDefault(() => tf.constant(1));
  const run = (fetches: unknown, feeds?: unknown) => session.run(fetches as Any, feeds as any);
  const cases: [string, () => Promise<unknown>, new (...a: any[]) => Error, RegExp][] = [
    [
      'a missing feed',
      () => run(y, [[scale, 1]]),
      tf.FeedError,
      /^The placeholder image \(float32, \[null, 4\]\), made at .*errors\.test\.ts:\d+:\d+, is needed but not fed: add a pair \[image, value\] to the feeds/,
    ],
    [
      'a feed of the wrong shape',
      () =>
        run(y, [
          [image, tf.array([[1, 2, 3]])],
          [scale, 1],
        ]),
      tf.FeedError,
      /^image:0 \(float32, \[null, 4\]\), made at .*errors\.test\.ts:\d+:\d+, was fed a value of shape \[1, 3\]; the sizes must agree/,
    ],
    [
      'a feed of the wrong dtype',
      () =>
        run(y, [
          [image, new Int32Array(4)],
          [scale, 1],
        ]),
      tf.FeedError,
      /^image:0 .*was fed values of dtype int32; convert them with tf\.array\(data, shape, 'float32'\)\./,
    ],
    [
      'a typed array that does not fit',
      () =>
        run(y, [
          [image, new Float32Array(5)],
          [scale, 1],
        ]),
      tf.FeedError,
      /was fed a typed array of 5 elements, from which its shape does not follow/,
    ],
    [
      'a fraction for an int32',
      () => run(picked, [[index, 0.5]]),
      tf.FeedError,
      /^index:0 .*0\.5 does not fit dtype int32/,
    ],
    [
      'an object as feeds',
      () => run(y, { image: images }),
      tf.FeedError,
      /^Feeds must be an array of pairs, but an object came\. Feeds are pairs: run\(\[\[x, images\], \[keepProb, 0\.5\]\]\)\./,
    ],
    ['a Map as feeds', () => run(y, new Map()), tf.FeedError, /but a Map came\. Feeds are pairs/],
    [
      'a flat pair',
      () => run(y, [image, images]),
      tf.FeedError,
      /^Feeds must be an array of pairs, but a single pair came: put it in another pair of brackets\./,
    ],
    [
      'the same tensor twice',
      () =>
        run(y, [
          [image, images],
          [image, images],
        ]),
      tf.FeedError,
      /^image:0 is fed twice; give it one value\./,
    ],
    [
      'undefined as a value',
      () => run(y, [[image, undefined]]),
      tf.FeedError,
      /^image:0 .*was fed undefined; give a number, nested arrays/,
    ],
    [
      'a ragged value',
      () =>
        run(y, [
          [image, [[1, 2, 3, 4], [1]]],
          [scale, 1],
        ]),
      tf.FeedError,
      /was fed a ragged array/,
    ],
    [
      'a variable before it is initialized',
      () => run(later),
      tf.FailedPreconditionError,
      /^These variables are used before they are initialized:\n {2}later, made at .*errors\.test\.ts:\d+:\d+\nRun `await sess\.run\(tf\.globalVariablesInitializer\(\)\)` first, and make that call after `minimize`: the slots of optimizers are variables too\.$/,
    ],
    [
      'a fetch from another graph',
      () => run(foreign),
      tf.FetchError,
      /^Const:0 belongs to another graph than the session; make the session with new tf\.Session\(\{ graph \}\)\./,
    ],
    [
      'a feed of a tensor from another graph',
      () =>
        run(y, [
          [image, images],
          [scale, 1],
          [foreign, 1],
        ]),
      tf.FeedError,
      /^Const:0, made at .*errors\.test\.ts:\d+:\d+, is fed but belongs to another graph than the session; make the session with new tf\.Session\(\{ graph \}\)/,
    ],
    [
      'a fetch that is no tensor',
      () => run('y'),
      tf.FetchError,
      /^Only tensors, operations, and arrays and objects of them can be fetched, but a value of type string came\./,
    ],
    [
      'a promise as a fetch',
      () => run(Promise.resolve(y)),
      tf.FetchError,
      /but a promise \(is an await missing\?\) came/,
    ],
    [
      'a gather index out of range',
      () => run(picked, [[index, 3]]),
      tf.InvalidArgumentError,
      /^gather: index 3 is out of range in Gather: axis 0 of \[3\] has the indices 0 to 2\.\n {4}at Gather, made at .*errors\.test\.ts/,
    ],
    [
      'a negative gather index',
      () => run(picked, [[index, -1]]),
      tf.InvalidArgumentError,
      /^gather: index -1 is out of range/,
    ],
    [
      'a sparse label out of range',
      () => run(loss.value, [[loss.labels, [0, 3]]]),
      tf.InvalidArgumentError,
      /^sparseSoftmaxCrossEntropyWithLogits: label 3 is out of range in .*: there are 3 classes, 0 to 2\./,
    ],
    [
      'integer division by zero',
      () => run(quotient, [[divisor, [2, 0]]]),
      tf.InvalidArgumentError,
      /^div: integer division by zero in Div\. Make sure that no divisor is 0/,
    ],
    [
      'a fed keepProb out of range',
      () =>
        run(dropped, [
          [image, images],
          [keep, 1.5],
        ]),
      tf.InvalidArgumentError,
      /^dropout: keepProb must be above 0 and at most 1, but 1\.5 was given\./,
    ],
    [
      'keepProb of NaN',
      () =>
        run(dropped, [
          [image, images],
          [keep, Number.NaN],
        ]),
      tf.InvalidArgumentError,
      /keepProb must be above 0 and at most 1, but NaN was given/,
    ],
  ];
  test.each(cases)('%s', async (_, mistake, kind, text) => {
    const error = await mistake().then(
      () => undefined,
      (e) => e,
    );
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toMatch(text);
    expect((await session.run(v)).toArray()).toEqual([1, 2, 3]);
    expect(
      (
        await session.run(y, [
          [image, images],
          [scale, 2],
        ])
      ).toArray(),
    ).toEqual([[2, 4, 6, 8]]);
  });

  test('a gradient through nothing differentiable is null', () => {
    expect(tf.gradients(tf.cast(tf.argmax(image, 1), 'float32') as Any, [image])).toEqual([null]);
  });
});

test('out of memory names the need and the limit before anything runs', async () => {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph });
  const [n, y, small] = graph.asDefault(() => {
    const a = tf.placeholder('float32', [null, 1]);
    const product = tf.matmul(a, a, { transposeB: true });
    return [a, tf.add(tf.exp(product), tf.transpose(tf.exp(product)) as Any) as Any, tf.reduceSum(a)];
  });
  const big = tf.array(new Float32Array(40_000), [40_000, 1]);
  await expect(session.run(y, [[n, big]])).rejects.toThrow(
    /^This run needs [\d,]+ MB of memory in all, but WebAssembly can have at most 4,096 MB\. Nothing has run\./,
  );
  expect(await session.run(small, [[n, tf.array([[2], [3]])]])).toBe(5);
  await session.close();
});

test('lines in messages are those of the user', () => {
  expect(x.operation.line).toMatch(here);
});

describe('the stack of an error begins at the line of the user', () => {
  const first = (error: any) => error.stack.slice(error.stack.indexOf('\n    at ') + 1).split('\n')[0];
  const caught = (f: () => unknown): any => {
    try {
      return f();
    } catch (error) {
      return error;
    }
  };
  test.each<[string, () => unknown]>([
    ['an argument', () => caught(() => api.matmul(x, 3))],
    ['a shape', () => caught(() => api.matmul(x, tf.zeros([3, 3])))],
    ['a method', () => caught(() => api.add(x, 1).reshape([0.5]))],
    ['deep in gradients', () => caught(() => tf.gradients(tf.argmax(x) as Any, [x]))],
    ['a constructor', () => caught(() => new tf.Session({ threads: 0 }))],
    ['an optimizer', () => caught(() => new tf.train.AdamOptimizer().minimize(tf.constant('a' as any) as Any))],
    ['a feed', () => new tf.Session().run(x, [[x, 'a' as any]]).catch((e) => e)],
    ['a fetch', () => new tf.Session().run('x' as any).catch((e) => e)],
    ['a feed that is missing, found when the run is compiled', () => new tf.Session().run(x).catch((e) => e)],
    [
      'a run that fails',
      () => new tf.Session().run(tf.gather(tf.constant([1]), tf.constant([7], 'int32'))).catch((e) => e),
    ],
  ])('%s', async (_, make) => {
    const error = await make();
    expect(error).toBeInstanceOf(tf.MillraceError);
    expect(first(error)).toMatch(here);
    // All of the message stands before it.
    expect((error as Error).stack?.startsWith(`${(error as Error).name}: ${(error as Error).message}\n    at `)).toBe(
      true,
    );
  });

  test('a bug of ours keeps all frames', () => {
    const error = new tf.InternalError('x');
    expect(error.stack).toMatch(/^(InternalError|Error): x\n/);
    expect(Object.getOwnPropertyDescriptor(error, 'stack')?.get === undefined || error.stack !== undefined).toBe(true);
  });

  test('a stack may be replaced, and is made only when it is asked for', () => {
    const error = new tf.FeedError('x');
    error.message += ', and more';
    expect(error.stack).toMatch(/^FeedError: x, and more\n {4}at .*errors\.test/);
    error.stack = 'mine';
    expect(error.stack).toBe('mine');
    expect(Object.keys(error)).toEqual([]);
  });
});

test('callbacks that call themselves without end, and sums of very many, are no overflow of the stack', async () => {
  const nest = (): unknown => tf.nameScope('a', nest);
  expect(nest).toThrow(/^nameScope: callbacks are nested more than 500 deep\. Does one call itself without end\?/);
  const graph = new tf.Graph();
  const self = (): unknown => graph.asDefault(self);
  expect(self).toThrow(tf.GraphError);
  expect(tf.getDefaultGraph()).not.toBe(graph);
  const session = new tf.Session();
  const one = tf.placeholder('float32', []);
  expect(await session.run(tf.addN(new Array(20_000).fill(one)), [[one, 0.5]])).toBe(10_000);
  await session.close();
});

test('what a feed that is missing should be depends on its type', async () => {
  const session = new tf.Session();
  for (const [dtype, value] of [
    ['float32', '0.5'],
    ['int32', '1'],
    ['uint8', '1'],
    ['bool', 'true'],
  ] as const) {
    const p = tf.placeholder(dtype, [], { name: dtype });
    await expect(session.run(p)).rejects.toThrow(`as in run([[${p.operation.name}, ${value}], …])`);
  }
  await session.close();
});
