// Where an op's promise ends: shapes that only a run knows, bytes that are no booleans, bounds, assignments in the way.
import { afterAll, describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

type Any = tf.Tensor<any, any>;

describe.each(backends)('on %s', (backend) => {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph, backend });
  afterAll(() => session.close());
  const build = <R>(f: () => R): R => graph.asDefault(f);
  const run = async (fetches: any, feeds: any = []): Promise<any> => {
    const plain = (v: any): any => (v?.toArray ? v.toArray() : Array.isArray(v) ? v.map(plain) : v);
    return plain(await session.run(fetches, feeds));
  };

  test('second derivatives of sparse cross-entropy and of products', async () => {
    const [labels, logits, w] = build(() => [
      tf.placeholder('int32', [2]) as Any,
      tf.placeholder('float64', [2, 3]) as Any,
      tf.placeholder('float64', [2]) as Any,
    ]);
    const dense = build(() => {
      const oneHot = tf.cast(
        tf.equal(tf.expandDims(labels, 1), tf.constant([[0, 1, 2]], { dtype: 'int32' })),
        'float64',
      );
      return tf.nn.softmaxCrossEntropyWithLogits({ labels: oneHot as Any, logits }) as Any;
    });
    const sparse = build(() => tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits } as any) as Any);
    const second = (loss: Any) =>
      build(() => {
        const [g] = tf.gradients(tf.reduceSum(tf.mul(w, loss) as Any), [logits]) as Any[];
        return tf.gradients(tf.reduceSum(tf.mul(g, tf.exp(g)) as Any), [logits, w]) as Any[];
      });
    const feeds = [
      [labels, [2, 0]],
      [
        logits,
        [
          [0.3, -1, 2],
          [1, 0.2, -0.4],
        ],
      ],
      [w, [0.7, -1.3]],
    ];
    const [wanted, found] = [await run(second(dense), feeds), await run(second(sparse), feeds)];
    expect(found.flat(2).map((v: number) => v.toFixed(10))).toEqual(wanted.flat(2).map((v: number) => v.toFixed(10)));

    const x = build(() => tf.placeholder('float64', [2, 3]) as Any);
    const hessian = build(() => {
      const [g] = tf.gradients(tf.reduceSum(tf.reduceProd(x, 1) as Any), [x]) as Any[];
      return tf.gradients(tf.reduceSum(tf.mul(g, tf.constant([[1, 2, 3]], { dtype: 'float64' })) as Any), [
        x,
      ])[0] as Any;
    });
    // f = abc: g = (bc, ac, ab); Σ c·g = bc + 2ac + 3ab
    expect(
      await run(hessian, [
        [
          x,
          [
            [2, 5, 7],
            [0, 0, 4],
          ],
        ],
      ]),
    ).toEqual([
      [2 * 7 + 3 * 5, 7 + 3 * 2, 5 + 2 * 2],
      [8, 4, 0],
    ]);
  });

  test('any byte but 0 is true where bytes are given for booleans', async () => {
    const p = build(() => tf.placeholder('bool', [3]));
    const seen = build(() => [p, tf.logicalNot(p), tf.logicalAnd(p, true), tf.cast(p, 'float32')]);
    const wanted = [
      [true, false, true],
      [false, true, false],
      [true, false, true],
      [1, 0, 1],
    ];
    const show = (v: any[]) => v.map((row, i) => (i < 3 ? row.map(Boolean) : row));
    for (const given of [new Uint8Array([2, 0, 255]), tf.array(new Uint8Array([2, 0, 255]), [3], 'bool')]) {
      const found = await run(seen, [[p, given]]);
      expect(show(found)).toEqual(wanted);
      expect(found[0].map(Number)).toEqual([1, 0, 1]);
    }
  });

  test('the gradient of addN has the shape of each of its operands', async () => {
    const [a, b] = build(() => [tf.placeholder('float32', [2, 3]), tf.placeholder('float32', [null, 3])] as Any[]);
    const g = build(() => tf.gradients(tf.addN([a, b]), [a, b])) as Any[];
    expect(
      await run(g, [
        [
          a,
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
        ],
        [b, [[1, 2, 3]]],
      ]),
    ).toEqual([
      [
        [1, 1, 1],
        [1, 1, 1],
      ],
      [[2, 2, 2]],
    ]);
  });

  test('squeeze keeps an axis of unknown size also for a batch of one', async () => {
    const p = build(() => tf.placeholder('float32', [null, 1, 3]));
    const sum = build(() => tf.reduceSum(tf.squeeze(p), 1));
    expect(await run(sum, [[p, [[[1, 2, 3]]]]])).toEqual([6]);
    expect(await run(sum, [[p, [[[1, 2, 3]], [[4, 5, 6]]]]])).toEqual([6, 15]);
  });

  test('every division of whole numbers by 0 fails the run, and those of fractions do not', async () => {
    const [a, b, f] = build(() => [
      tf.placeholder('int32', [2]) as Any,
      tf.placeholder('int32', [2]) as Any,
      tf.placeholder('float32', [2]) as Any,
    ]);
    for (const op of [tf.div, tf.floorDiv, tf.mod] as ((x: Any, y: Any) => Any)[]) {
      const quotient = build(() => op(a, b));
      const feeds = (divisor: number) => [
        [a, [7, 8]],
        [b, [3, divisor]],
      ];
      await expect(run(quotient, feeds(0))).rejects.toThrow(/^\w+: integer division by zero in/);
      expect((await run(quotient, feeds(5)))[1]).toBe(op === tf.mod ? 3 : 1);
      expect(
        await run(
          build(() => op(f, tf.zeros([2]))),
          [[f, [1, 1]]],
        ),
      ).toEqual(op === tf.mod ? [NaN, NaN] : [Infinity, Infinity]);
    }
  });

  test('a mean of whole numbers is refused where it is one of nothing, and only there', async () => {
    const mean = (shape: number[], axis?: number) =>
      build(() => tf.reduceMean(tf.zeros(shape, 'int32') as Any, axis as number));
    for (const axis of [1, undefined]) expect(() => mean([3, 0], axis)).toThrow(/a mean of no int32 was asked for/);
    expect(await run([mean([3, 2]), mean([3, 0], 0), mean([0, 0], 1)])).toEqual([0, [], []]);
  });

  test('a variable cannot be fed and assigned to in one run', async () => {
    const a = build(() => tf.variable(1));
    const init = build(() => tf.initializeAllVariables());
    await run(init);
    const added = build(() => tf.assignAdd(a, 5));
    await expect(run([added, a], [[a, 100]])).rejects.toThrow(/is fed in a run that assigns to it \(AssignAdd/);
    expect(await run(a)).toBe(1);
    expect(
      await run(
        build(() => tf.mul(a, 2)),
        [[a, 100]],
      ),
    ).toBe(200);
  });

  test('uniform numbers stay below the upper bound', async () => {
    const x = build(() => tf.randomUniform([400_000], { minval: 1000, maxval: 1001 }));
    const [least, most] = build(() => [tf.reduceMin(x), tf.reduceMax(x)]);
    const [low, high] = await run([least, most]);
    expect(low).toBeGreaterThanOrEqual(1000);
    expect(high).toBeLessThan(1001);
  });
});

test('an initial value that is computed by an assignment is refused', () => {
  const graph = new tf.Graph();
  graph.asDefault(() => {
    const a = tf.variable(1);
    tf.variable(tf.assignAdd(a, 5));
    expect(() => tf.initializeAllVariables()).toThrow(
      /computed by the assignment AssignAdd.*made at .*limits\.test\.ts/,
    );
  });
});

test('uniform integers need whole bounds that fit', () => {
  expect(() => tf.randomUniform([2], { dtype: 'int32' })).toThrow(
    /int32 needs whole numbers as bounds, and maxval given/,
  );
  expect(() => tf.randomUniform([2], { dtype: 'int32', minval: 0.5, maxval: 3 })).toThrow(/whole numbers/);
  expect(() => tf.randomUniform([2], { dtype: 'uint8', maxval: 300 })).toThrow(/from 0 to 256/);
});

test('a distribution has finite parameters in order', () => {
  const api = tf as any;
  const given = [NaN, Infinity, -Infinity];
  const bad = [
    ...given.flatMap((v) => [{ mean: v }, { stddev: v }]).map((o) => () => api.randomNormal([2], o)),
    ...given.flatMap((v) => [{ mean: v }, { stddev: v }]).map((o) => () => api.truncatedNormal([2], o)),
    ...given.flatMap((v) => [{ minval: v }, { maxval: v }]).map((o) => () => api.randomUniform([2], o)),
    () => api.randomNormal([2], { stddev: -1 }),
    () => api.truncatedNormal([2], { stddev: -1 }),
    () => api.randomUniform([2], { minval: 1, maxval: 0 }),
    () => api.randomUniform([2], { minval: 3, maxval: 1, dtype: 'int32' }),
  ];
  for (const f of bad) expect(f).toThrow(/the bounds, mean and deviation must be finite and in order/);
  for (const f of [
    () => api.randomNormal([2], { stddev: 0, mean: -2 }),
    () => api.randomUniform([2], { minval: 1, maxval: 1 }),
  ]) {
    expect(f).not.toThrow();
  }
});

test('labels have the shape of the logits without their last axis', () => {
  const loss = (labels: tf.Shape, logits: tf.Shape) => () =>
    (tf.nn.sparseSoftmaxCrossEntropyWithLogits as any)({
      labels: tf.placeholder('int32', labels),
      logits: tf.placeholder('float32', logits),
    });
  for (const labels of [[3], [], [2, 3], [2, 1], [2, 10]]) {
    expect(loss(labels, [2, 10])).toThrow(/labels \[.*\] must have the shape of the logits \[2, 10\] without/);
  }
  for (const labels of [[2], [null]]) expect(loss(labels, [2, 10])).not.toThrow();
  expect(loss([3], [null, 10])).not.toThrow();
});

test.each<[string, () => unknown, RegExp]>([
  [
    'gradients of one tensor, not of an array',
    () => tf.gradients(x(), x() as any),
    /const \[dx\] = tf\.gradients\(y, \[x\]\)/,
  ],
  [
    'gradients of undefined',
    () => tf.gradients(undefined as any, [x()]),
    /ys is missing\. Write tf\.gradients\(ys, xs, \{ gradYs, stopGradients, name \}\)/,
  ],
  ['new tf.Variable', () => new (tf.Variable as any)(tf.zeros([1])), /write tf\.variable\(…\)/],
  ['assignment to a constant', () => tf.assign(tf.constant([1]) as any, 2), /must be a variable/],
  [
    'conv2d without options',
    () => (tf.nn.conv2d as any)(x(), x()),
    /strides is missing\. Write tf\.nn\.conv2d\(x, filter, \{ strides, padding, dilations, groups, dataFormat, name \}\) or/,
  ],
  [
    'maxPool without options',
    () => (tf.nn.maxPool as any)(x()),
    /ksize is missing\. Write tf\.nn\.maxPool\(x, \{ ksize, strides, padding, dataFormat, name \}\) or/,
  ],
  ['an axis that is text', () => (tf.argmax as any)(x(), '0'), /axis must be a whole number, but the text "0" came/],
  [
    'control dependencies without an array',
    () => tf.controlDependencies(tf.noOp() as any, () => 1),
    /expected an array/,
  ],
  [
    'a name scope without a callback',
    () => (tf.nameScope as any)('layer'),
    /a function is missing\. Write tf\.nameScope\(name, \(\) => …\)/,
  ],
  [
    'a loss by position',
    () => (tf.nn.softmaxCrossEntropyWithLogits as any)(x(), x()),
    /2 arguments came, but it takes only options\. Write .*\(\{ labels, logits, name \}\)/,
  ],
])('%s is refused in words', (_, f, message) => {
  const error = new tf.Graph().asDefault(() => {
    try {
      return f();
    } catch (caught) {
      return caught;
    }
  });
  expect(error).toBeInstanceOf(tf.MillraceError);
  expect((error as Error).message).toMatch(message);
});
const x = () => tf.placeholder('float32', [1, 2, 2, 1]) as Any;
