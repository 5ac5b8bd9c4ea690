// Equal nodes are one, and what is dangerous is safe: the values are those of the graph as it stands.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as tf from '../../../src/index.ts';
import { apply } from '../../../src/ops/define.ts';
import { LogGradOp } from '../../../src/ops/math.ts';
import { SoftmaxGradOp } from '../../../src/ops/softmax.ts';
import { backends } from '../../backends.ts';
import { evaluate } from '../../evaluate.ts';
import { compile, lower } from '../compile.ts';
import { buildProgram, smallRecipes } from '../random-programs.ts';
import { expectClose, valuesOf } from '../run-tasks.ts';

type Any = tf.Tensor<any, any>;
const inGraph = <R>(build: () => R): R => new tf.Graph().asDefault(build);

test('equal computations are done once, random ones are not', () => {
  const { lowered } = inGraph(() => {
    const x = tf.placeholder('float32', [4]);
    const y = tf.add(tf.exp(x), tf.exp(x));
    const r = tf.sub(tf.randomUniform([4]), tf.randomUniform([4]));
    return compile({ fetches: [y, r] as Any[], feeds: [[x, [4]]] });
  });
  const ops = lowered.nodes.filter((n) => n.kind === 'map').map((n) => (n.kind === 'map' ? n.body.op : ''));
  expect(ops.filter((op) => op === 'exp')).toHaveLength(1);
  expect(lowered.counters).toHaveLength(2);
});

test('without sharing, as for the oracle, equal computations are done each for itself', () => {
  const maps = (share: boolean) => {
    const fetches = inGraph(() => {
      const x = tf.placeholder('float32', [4]);
      return { x, y: tf.add(tf.exp(x), tf.exp(x)) as Any };
    });
    const { nodes } = lower({ fetches: [fetches.y], feeds: [[fetches.x as Any, [4]]] }, share);
    return nodes.filter((n) => n.kind === 'map').length;
  };
  expect([maps(true), maps(false)]).toEqual([2, 3]);
});

test('outputs of one operation are not equal to each other, nor what is computed from them', () => {
  inGraph(() => {
    const [a, b] = tf.unstack(tf.constant([1, 2]) as Any) as Any[];
    const values = evaluate([tf.square(a), tf.square(b), tf.square(a)] as Any[]);
    expect(values.map((v) => v.data[0])).toEqual([1, 4, 1]);
    const { nodes, fetches } = lower({ fetches: [tf.square(a), tf.square(b), tf.square(a)] as Any[] });
    expect(new Set(fetches.map((v) => v.node)).size).toBe(2);
    expect(nodes.filter((n) => n.kind === 'map')).toHaveLength(2);
  });
});

test('attributes are equal only if every number is, infinities and zeros of both signs included', () => {
  inGraph(() => {
    const index = tf.constant([0], { dtype: 'int32' });
    const masks = [Infinity, -Infinity, NaN, 0, -0, 1].map(
      (offValue) => tf.oneHot(index, 2, { onValue: 2, offValue }) as Any,
    );
    const found = (evaluate(masks) as any[]).map((mask) => mask.toArray()[0][1]);
    expect(found).toEqual([Infinity, -Infinity, NaN, 0, -0, 1]);
  });
});

test('sharing changes no value: what is fetched together is what is fetched alone, with rules and without', () => {
  fc.assert(
    fc.property(smallRecipes, (recipe) => {
      const { fetches, shapes } = buildProgram(recipe);
      const [wanted, ruled] = [false, true].map((rewrite) => valuesOf(lower({ fetches, feeds: shapes }, rewrite)));
      for (const [i, fetch] of fetches.entries()) {
        const [alone] = valuesOf(lower({ fetches: [fetch], feeds: shapes }, false));
        expect([i, alone]).toEqual([i, wanted[i]]);
        expectClose(ruled[i], wanted[i], 1e-5);
      }
    }),
    { numRuns: 40 },
  );
});

test.each(backends)(
  'the hand-written cross-entropy is right for huge logits and any labels, on %s',
  async (backend) => {
    const graph = new tf.Graph();
    const session = new tf.Session({ graph, backend });
    const { z, labels, y, loss, gradient } = graph.asDefault(() => {
      const logits = tf.placeholder('float32', [3, 4]);
      const target = tf.placeholder('float32', [3, 4]);
      const p = tf.nn.softmax(logits);
      const total = tf.neg(tf.reduceSum(tf.mul(target, tf.log(p))));
      return { z: logits, labels: target, y: p, loss: total, gradient: tf.gradients(total, [logits])[0] as Any };
    });
    const logits = [
      [1000, -1000, 0, 0],
      [-1000, 1000, 5, 0],
      [0.1, 0.2, 0.3, 0.4],
    ];
    // Labels that sum to 0, 0.5 and 3.
    const targets = [
      [0, 0, 0, 0],
      [0.5, 0, 0, 0],
      [1, 1, 0.5, 0.5],
    ];
    const feeds = [
      [z, logits],
      [labels, targets],
    ] as any;
    const result = (await session.run({ loss, gradient, y }, feeds)) as any;
    const logSoftmax = logits.map((row) => {
      const most = Math.max(...row);
      const sum = Math.log(row.reduce((s, v) => s + Math.exp(v - most), 0));
      return row.map((v) => v - most - sum);
    });
    const wanted = -targets.flatMap((row, i) => row.map((t, k) => t * logSoftmax[i][k])).reduce((a, b) => a + b, 0);
    expect(result.loss / wanted).toBeCloseTo(1, 5);
    result.gradient.toArray().forEach((row: number[], i: number) => {
      const sum = targets[i].reduce((a, b) => a + b, 0);
      for (const [k, g] of row.entries()) expect(g).toBeCloseTo(sum * Math.exp(logSoftmax[i][k]) - targets[i][k], 5);
    });
    expect(result.y.toArray()[0]).toEqual([1, 0, 0, 0]);
    // With y fed, log is the logarithm of what was fed, and the gradient is that of the formula at these values.
    const p = [
      [0.5, 0.5, 0.25, 0.25],
      [1, 0.25, 0.5, 0.125],
      [0.5, 0.5, 0.5, 0.5],
    ];
    const hot = [0, 1, 2].map((i) => [0, 1, 2, 3].map((k) => Number(i === k)));
    const fed = (await session.run({ loss, gradient }, [
      [y, p],
      [labels, hot],
    ] as any)) as any;
    expect(fed.loss).toBeCloseTo(Math.log(2) + Math.log(4) + Math.log(2), 5);
    fed.gradient.toArray().forEach((row: number[], i: number) => {
      for (const [k, g] of row.entries()) expect(g).toBeCloseTo(p[i][k] - hot[i][k], 5);
    });
    await session.close();
  },
);

test.each(backends)(
  'a softmax written twice is one to the rules, on %s, whether or not nodes are shared',
  async (backend) => {
    const graph = new tf.Graph();
    const session = new tf.Session({ graph, backend });
    const { x, other, d, same, different } = graph.asDefault(() => {
      const [x, other, d] = [0, 1, 2].map(() => tf.placeholder('float32', [2, 3]) as Any);
      const twice = (a: Any, b: Any) =>
        apply(SoftmaxGradOp, [tf.nn.softmax(a), apply(LogGradOp, [tf.nn.softmax(b), d], {})], { axis: -1 });
      return { x, other, d, same: twice(x.mul(2), x.mul(2)), different: twice(x, other) };
    });
    // Probabilities of 0, by which nothing may be divided.
    const logits = [
      [500, -500, 0],
      [0, 500, 500],
    ];
    const target = [
      [0, 0, 1],
      [1, 0.5, 0],
    ];
    const gradient = (await session.run(same, [
      [x, logits],
      [d, target],
    ] as any)) as any;
    const expected = [
      [-1, 0, 1],
      [1, -0.25, -0.75],
    ];
    expect(gradient.toArray()).toEqual(expected);
    // Two that differ keep the formula: p·(d/q − Σ d·p/q), here with p = q = 1/3.
    const even = [
      [1, 1, 1],
      [2, 2, 2],
    ];
    const plain = (await session.run(different, [
      [x, even],
      [other, even],
      [d, target],
    ] as any)) as any;
    plain
      .toArray()
      .flat()
      .forEach((v: number, i: number) => {
        const row = target[Math.floor(i / 3)];
        expect(v).toBeCloseTo(row[i % 3] - row.reduce((a, b) => a + b, 0) / 3, 5);
      });
    await session.close();
  },
);

/** What may lie between the gradient of a logarithm and that of its softmax; each keeps one gradient of that by two. */
const between: Record<string, (g: Any) => Any> = {
  'a sign': (g) => tf.neg(g) as Any,
  'a quotient': (g) => tf.div(g, 2) as Any,
  'a factor': (g) => tf.mul(g, 2) as Any,
  'a factor before it': (g) => tf.mul(2, g) as Any,
  'a sum': (g) => tf.add(g, g) as Any,
  'a sum of many': (g) => tf.addN([g, tf.neg(g), g]) as Any,
  'all of them': (g) => tf.add(tf.neg(tf.mul(tf.div(g, 4), 2)), g) as Any,
};
const factors = [-1, 0.5, 2, 2, 2, 1, 0.5];
test.each(Object.keys(between))('nothing is divided by probabilities of 0 behind %s', async (name) => {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph });
  const found = graph.asDefault(() => {
    const [x, d] = [tf.constant([500, -500, 0]), tf.constant([0, 0, 1])].map((t) => tf.reshape(t, [1, 3]) as Any);
    const y = tf.nn.softmax(x);
    return apply(SoftmaxGradOp, [y, between[name](apply(LogGradOp, [y, d], {}) as Any)], { axis: -1 });
  });
  const factor = factors[Object.keys(between).indexOf(name)];
  const { data } = (await session.run(found as Any)) as any;
  expect(Array.from(data as Float32Array, (v) => v + 0)).toEqual([-factor, 0, factor].map((v) => v + 0));
  await session.close();
});

test.each(backends)(
  'the gradient of several losses of one softmax is right for huge logits, on %s',
  async (backend) => {
    const graph = new tf.Graph();
    const session = new tf.Session({ graph, backend });
    const logits = [[1000, -1000, 0]];
    const found = graph.asDefault(() => {
      const z = tf.constant(logits) as Any;
      const p = tf.nn.softmax(z) as Any;
      const loss = (labels: number[]) =>
        tf.neg(tf.reduceSum(tf.mul(tf.constant([labels]), tf.log(p)) as Any) as Any) as Any;
      const [two, three] = [
        tf.add(loss([1, 0, 0]), loss([0, 2, 0])),
        tf.addN([loss([1, 0, 0]), loss([0, 2, 0]), loss([0, 0, 0.5])]),
      ] as Any[];
      return [two, three].map((y) => tf.gradients(y, [z])[0] as Any);
    });
    // Σ labels · p − labels, where p is [1, 0, 0].
    expect(((await session.run(found)) as any[]).map((g) => g.toArray())).toEqual([[[2, -2, 0]], [[2.5, -2, -0.5]]]);
    await session.close();
  },
);
