// Ties, NaN, integers at their limits, and what is stated in words in the docs; on every backend.
import { afterAll, describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

type Any = tf.Tensor<any, any>;
const NaN_ = Number.NaN;

describe.each(backends)('on %s', (backend) => {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph, backend });
  afterAll(() => session.close());
  const value = async (build: () => Any): Promise<any> => {
    const result = (await session.run(graph.asDefault(build))) as any;
    return typeof result === 'object' ? result.toArray() : result;
  };
  const c = (v: unknown, dtype?: tf.DType) => tf.constant(v as any, dtype ? { dtype } : {}) as Any;

  test('argmax and argmin take the first of equal elements; NaN counts as extreme', async () => {
    expect(
      await value(() =>
        tf.argmax(
          c([
            [1, 3, 3],
            [2, 2, 2],
          ]),
          1,
        ),
      ),
    ).toEqual([1, 0]);
    expect(await value(() => tf.argmin(c([[1, 0, 0, 0, 0]]), 1))).toEqual([1]);
    expect(await value(() => tf.argmax(c([[1, NaN_, 3, NaN_]]), 1))).toEqual([1]);
    expect(await value(() => tf.argmin(c([[NaN_, 0]]), 1))).toEqual([0]);
    expect(await value(() => tf.argmax(c([[1], [5], [5]]), 0))).toEqual([1]);
    const wide = Array.from({ length: 3 }, (_, r) => Array.from({ length: 9 }, (_, k) => (k * (r + 1)) % 5));
    expect(await value(() => tf.argmax(c(wide), 0))).toEqual(
      wide[0].map((_, k) => [0, 1, 2].reduce((b, r) => (wide[r][k] > wide[b][k] ? r : b), 0)),
    );
  });

  test('NaN propagates through maximum, minimum, relu, reduceMax and sums; comparisons with it are false', async () => {
    const x = () => c([1, NaN_, -2, 5, NaN_]);
    expect(await value(() => tf.maximum(x(), 0 as any))).toEqual([1, NaN_, 0, 5, NaN_]);
    expect(await value(() => tf.minimum(c([0, 0, 0, 0, NaN_]), x()))).toEqual([0, NaN_, -2, 0, NaN_]);
    expect(await value(() => tf.nn.relu(x()))).toEqual([1, NaN_, 0, 5, NaN_]);
    expect(await value(() => tf.reduceMax(x()))).toBeNaN();
    expect(await value(() => tf.reduceSum(x()))).toBeNaN();
    expect(await value(() => tf.less(x(), 2))).toEqual([true, false, true, false, false]);
    expect(await value(() => tf.equal(x(), x()))).toEqual([true, false, true, true, false]);
    expect(await value(() => tf.notEqual(x(), x()))).toEqual([false, true, false, false, true]);
  });

  test('the gradient of maxPool goes to the first of equal elements', async () => {
    const dx = await value(() => {
      const x = tf.zeros([1, 2, 4, 1]) as Any;
      const y = tf.nn.maxPool(x, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' }) as Any;
      return tf.reshape(tf.gradients(y, [x])[0] as Any, [2, 4]);
    });
    expect(dx).toEqual([
      [1, 0, 1, 0],
      [0, 0, 0, 0],
    ]);
  });

  test('the gradient of reduceMax is shared by equal elements, that of maximum goes to the first operand', async () => {
    expect(
      await value(() => {
        const x = c([2, 5, 5, 1]);
        return tf.gradients(tf.reduceMax(x) as Any, [x])[0] as Any;
      }),
    ).toEqual([0, 0.5, 0.5, 0]);
    expect(
      await value(() => {
        const [a, b] = [c([1, 2]), c([1, 3])];
        return tf.concat(tf.gradients(tf.maximum(a, b) as Any, [a, b]) as Any[], 0) as Any;
      }),
    ).toEqual([1, 0, 0, 1]);
  });

  test('int32 wraps; division truncates toward zero, floorDiv rounds down, mod has the sign of the divisor', async () => {
    const i = (v: number[]) => c(v, 'int32');
    expect(await value(() => tf.add(i([2147483647]), 1))).toEqual([-2147483648]);
    expect(await value(() => tf.mul(i([65536, 123456789]), i([65536, 987654321])))).toEqual([
      0,
      Math.imul(123456789, 987654321),
    ]);
    expect(await value(() => tf.div(i([-7, 7, -2147483648]), i([2, -2, -1])))).toEqual([-3, -3, -2147483648]);
    expect(await value(() => tf.floorDiv(i([-7, 7, 6]), i([2, -2, 3])))).toEqual([-4, -4, 2]);
    expect(await value(() => tf.mod(i([-7, 7, 7]), i([3, -3, 3])))).toEqual([2, -2, 1]);
    expect(await value(() => tf.reduceMean(i([-3, -4])))).toBe(-3);
    expect(await value(() => tf.reduceSum(i([2147483647, 1])))).toBe(-2147483648);
    expect(await value(() => tf.reduceProd(i([65536, 65536, 3])))).toBe(0);
  });

  test('uint8 wraps at 256', async () => {
    const u = (v: number[]) => c(v, 'uint8');
    expect(await value(() => tf.add(u([250, 1]), u([10, 1])))).toEqual([4, 2]);
    expect(await value(() => tf.sub(u([1, 2, 3, 4, 5]), u([2, 1, 1, 1, 9])))).toEqual([255, 1, 2, 3, 252]);
    expect(await value(() => tf.reduceSum(u([200, 100])))).toBe(44);
    expect(await value(() => tf.cast(tf.reduceSum(u([200, 200])), 'int32'))).toBe(144);
    expect(await value(() => tf.reduceMean(tf.fill([300], 200, 'uint8') as Any))).toBe(200);
  });

  test('casts saturate, and NaN becomes 0', async () => {
    expect(await value(() => tf.cast(c([3e9, -3e9, NaN_, 1.9, -1.9]), 'int32'))).toEqual([
      2147483647, -2147483648, 0, 1, -1,
    ]);
    expect(await value(() => tf.cast(c([0, -2, NaN_]), 'bool'))).toEqual([false, true, true]);
    expect(await value(() => tf.cast(c([300, -1], 'int32'), 'uint8'))).toEqual([44, 255]);
  });

  test('reductions of nothing: 0, 1, NaN, −∞, ∞, false, true', async () => {
    const none = () => tf.zeros([0, 2]) as Any;
    expect(await value(() => tf.reduceSum(none(), 0))).toEqual([0, 0]);
    expect(await value(() => tf.reduceProd(none(), 0))).toEqual([1, 1]);
    expect(await value(() => tf.reduceMean(none(), 0))).toEqual([NaN_, NaN_]);
    expect(await value(() => tf.reduceMax(none(), 0))).toEqual([-Infinity, -Infinity]);
    expect(await value(() => tf.reduceMin(none(), 0))).toEqual([Infinity, Infinity]);
    expect(await value(() => tf.reduceAny(tf.zeros([0, 2], 'bool') as Any, 0))).toEqual([false, false]);
    expect(await value(() => tf.reduceAll(tf.zeros([0, 2], 'bool') as Any, 0))).toEqual([true, true]);
  });

  test('dropout: 1 is the identity bit for bit, 0.5 keeps about half and doubles it, the gradient uses the same choice', async () => {
    const data = Float32Array.from({ length: 4000 }, (_, i) => Math.sin(i) * 3 + 5);
    const { x, keep, y, dx } = graph.asDefault(() => {
      const input = tf.placeholder('float32', [null]);
      const keepProb = tf.placeholder('float32');
      const output = tf.nn.dropout(input, keepProb) as Any;
      return { x: input, keep: keepProb, y: output, dx: tf.gradients(output, [input])[0] as Any };
    });
    const whole = (await session.run(y, [
      [x, data],
      [keep, 1],
    ] as any)) as any;
    expect(whole.data).toEqual(data);
    const half = (await session.run({ y, dx }, [
      [x, data],
      [keep, 0.5],
    ] as any)) as any;
    let kept = 0;
    data.forEach((v, i) => {
      expect([0, Math.fround(v / 0.5)]).toContain(half.y.data[i]);
      expect(half.dx.data[i]).toBe(half.y.data[i] === 0 ? 0 : 2);
      if (half.y.data[i] !== 0) kept++;
    });
    expect(Math.abs(kept / 4000 - 0.5)).toBeLessThan(0.04);
  });

  test('zerosLike and onesLike: of another dtype where one is named, and of sizes that a run has', async () => {
    const x = graph.asDefault(() => tf.placeholder('float32', [null, 2]));
    const fetched = graph.asDefault(() => [
      tf.zerosLike(x),
      tf.onesLike(x, 'int32'),
      tf.onesLike(x, { dtype: 'bool', name: 'all' }),
      tf.zerosLike(tf.equal(x, 1), 'float64', 'none'),
    ]);
    expect(fetched.slice(2).map(({ name }) => name)).toEqual(['all:0', 'none:0']);
    const values = await session.run(fetched, [
      [
        x,
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ] as any);
    expect(values.map(({ dtype }: any) => dtype)).toEqual(['float32', 'int32', 'bool', 'float64']);
    expect(values.map((v: any) => v.toArray())).toEqual([
      [
        [0, 0],
        [0, 0],
      ],
      [
        [1, 1],
        [1, 1],
      ],
      [
        [true, true],
        [true, true],
      ],
      [
        [0, 0],
        [0, 0],
      ],
    ]);
    expect(() => graph.asDefault(() => tf.zerosLike(x, 'int64' as any))).toThrow(/int64/);
  });

  test('random tensors have the right distribution', async () => {
    const n = 20_000;
    for (const dtype of ['float32', 'float64'] as const) {
      const { u, z, t } = graph.asDefault(() => ({
        u: tf.randomUniform([n], { dtype, minval: 2, maxval: 4 }) as Any,
        z: tf.randomNormal([n], { dtype, mean: 1, stddev: 2 }) as Any,
        t: tf.truncatedNormal([n], { dtype, stddev: 0.1 }) as Any,
      }));
      const r = (await session.run({ u, z, t })) as any;
      const mean = (a: number[]) => a.reduce((x, y) => x + y, 0) / a.length;
      const deviation = (a: number[]) => {
        const middle = mean(a);
        return Math.sqrt(mean(a.map((v) => (v - middle) ** 2)));
      };
      const [us, zs, ts] = [r.u, r.z, r.t].map((a) => Array.from(a.data as Float32Array));
      expect(Math.min(...us)).toBeGreaterThanOrEqual(2);
      expect(Math.max(...us)).toBeLessThan(4);
      expect(mean(us)).toBeCloseTo(3, 1);
      expect(mean(zs)).toBeCloseTo(1, 1);
      expect(deviation(zs)).toBeCloseTo(2, 1);
      // Of a normal distribution cut at two deviations: 0.8796 of the deviation.
      expect(deviation(ts)).toBeCloseTo(0.08796, 2);
      expect(Math.max(...ts.map(Math.abs))).toBeLessThanOrEqual(0.2);
      expect(zs.filter((v) => Math.abs(v - 1) > 4).length / n).toBeCloseTo(0.0455, 2);
    }
  });
});

test('both backends draw the same random numbers', async () => {
  const graph = new tf.Graph();
  const r = graph.asDefault(() => tf.randomUniform([3, 7]));
  const [a, b] = backends.map((backend) => new tf.Session({ graph, backend, seed: 5 }));
  expect((await a.run(r)).toArray()).toEqual((await b.run(r)).toArray());
  await Promise.all([a.close(), b.close()]);
});
