// The largest elements of rows, by blocks or of all at once: both give the same.
import { beforeEach, describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

beforeEach(() => tf.resetDefaultGraph());
type Any = any;

/** NaN first, then the larger ones; of the same the first. */
function sorted(row: readonly number[], k: number): number[] {
  const key = (v: number) => (Number.isNaN(v) ? [1, 0] : [0, v]);
  const [of, as] = [
    (i: number) => key(row[i]),
    (a: number[], b: number[]) => b[0] - a[0] || (a[1] === b[1] ? 0 : b[1] > a[1] ? 1 : -1),
  ];
  return row
    .map((_, i) => i)
    .sort((a, b) => as(of(a), of(b)) || a - b)
    .slice(0, k);
}

describe.each(backends)('on %s', (backend) => {
  // Of 40 elements, the first few are found by blocks, 20 are not.
  test.each([1, 3, 20])('ties, zeros of both signs, infinities and NaN: the first %i', async (k) => {
    await using session = new tf.Session({ backend });
    const values = [-Infinity, NaN, 3, -0, 0, Infinity, 3, NaN];
    const rows = [
      Array.from({ length: 40 }, (_, i) => values[(i * 5) % 8]),
      new Array(40).fill(-Infinity),
      Array.from({ length: 40 }, (_, i) => (i === 17 ? -Infinity : NaN)),
      Array.from({ length: 40 }, (_, i) => [-0, 0][i % 2]),
      Array.from({ length: 40 }, (_, i) => (i === 39 ? -1 : -Infinity)),
    ];
    for (const dtype of ['float32', 'float64'] as const) {
      const x = tf.cast(tf.constant(rows), dtype);
      const [largest, indices] = (await session.run(tf.nn.topK(x as Any, k))) as Any[];
      const wanted = rows.map((row) => sorted(row, k));
      expect([...indices.data]).toEqual(wanted.flat());
      expect([...largest.data]).toEqual(wanted.flatMap((is, r) => is.map((i) => rows[r][i])));
    }
  });

  test('the least integers there are', async () => {
    await using session = new tf.Session({ backend });
    const least = tf.fill([2, 48], -(2 ** 31), { dtype: 'int32' } as Any) as Any;
    const zeros = tf.zeros([2, 48], 'uint8');
    const found = (await session.run([tf.nn.topK(least, 3)[1], tf.nn.topK(zeros, 3)[1]])) as Any[];
    for (const { data } of found) expect([...data]).toEqual([0, 1, 2, 0, 1, 2]);
  });

  test('its gradient, where rows are long', async () => {
    await using session = new tf.Session({ backend });
    const x = tf.constant(
      Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)),
      { shape: [1, 32] },
    ) as Any;
    const [dx] = tf.gradients(tf.reduceSum(tf.square(tf.nn.topK(x, 2)[0])), [x]) as Any[];
    const { data } = (await session.run(dx)) as Any;
    const at = sorted(
      Array.from({ length: 32 }, (_, i) => Math.sin(i)),
      2,
    );
    expect([...data].flatMap((v, i) => (v === 0 ? [] : [[i, v]])).sort()).toEqual(
      at.map((i) => [i, Math.fround(2 * Math.fround(Math.sin(i)))]).sort(),
    );
  });
});
