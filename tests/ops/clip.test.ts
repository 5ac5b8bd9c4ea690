// Clipping by value and by norms, against NumPy in float64; at a norm of 0, at one that is not finite, with nulls.
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';
import { fixture } from '../train/schedules.ts';

type Any = tf.Tensor<any, any>;
const { clipped: wanted } = fixture;
const flat = (v: any): number[] => (Array.isArray(v) ? v.flat(9) : typeof v === 'object' ? [...v.data] : [v]);

function expectClose(found: unknown, expected: unknown, size: number): void {
  const [a, b] = [flat(found), flat(expected)];
  expect(a).toHaveLength(b.length);
  for (const [i, v] of a.entries()) expect(Math.abs(v - b[i])).toBeLessThanOrEqual(size * Math.max(1, Math.abs(b[i])));
}

describe.each(backends)('on %s', (backend) => {
  /** Values of what is made in a graph of its own. */
  const run = async <R>(build: () => R): Promise<any> => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    return await session.run(graph.asDefault(build) as any);
  };

  test.each([
    ['float32', 3e-7],
    ['float64', 1e-15],
  ] as const)('%s as NumPy has it', async (dtype, size) => {
    const found = await run(() => {
      const [x, y] = [tf.constant(wanted.x, { dtype }) as Any, tf.constant(wanted.y, { dtype }) as Any];
      const [byGlobalNorm, norm] = tf.clipByGlobalNorm([x, y], 3);
      return {
        byValue: tf.clipByValue(x, -0.5, 0.75),
        byNorm: tf.clipByNorm(x, 2),
        byNormOfRows: tf.clipByNorm(x, 1.5, [1]),
        globalNorm: tf.globalNorm([x, null, y]),
        norm,
        byGlobalNorm,
      };
    });
    for (const [name, values] of Object.entries(found)) {
      const expected = wanted[name === 'norm' ? 'globalNorm' : name];
      if (name === 'byGlobalNorm') for (const i of [0, 1]) expectClose((values as any)[i], expected[i], size);
      else expectClose(values, expected, size);
    }
  });

  test('what is short enough stays, bit for bit; 0 stays 0, and has a gradient; nulls stay', async () => {
    const { list, dx, zero } = await run(() => {
      const x = tf.constant([0.1, -0.7, 1 / 3]) as Any;
      const zero = tf.zeros([2]) as Any;
      const [list] = tf.clipByGlobalNorm([x, null, zero], 49);
      const byNorm = tf.clipByNorm(x, 49);
      expect(list[1]).toBe(null);
      const dx = tf.gradients(tf.reduceSum(tf.clipByNorm(zero, 3)), [zero])[0] as Any;
      const [none] = tf.clipByGlobalNorm([zero], 1);
      return { list: [x, list[0], byNorm, list[2] as Any], dx, zero: [tf.clipByNorm(zero, 3), none[0] as Any] };
    });
    for (const same of [1, 2]) expect([...list[same].data]).toEqual([...list[0].data]);
    expect([...list[3].data]).toEqual([0, 0]);
    expect([...dx.data]).toEqual([1, 1]);
    expect(zero.map((t: any) => [...t.data])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test('an infinite norm, or NaN, makes all NaN; so does one that is given', async () => {
    const found = await run(() => {
      const x = tf.constant([1, -2]) as Any;
      const made = [Number.POSITIVE_INFINITY, Number.NaN].map((v) => tf.clipByGlobalNorm([x, tf.constant([v])], 1));
      const given = tf.clipByGlobalNorm([x], 1, tf.constant(Number.POSITIVE_INFINITY));
      const twice = tf.clipByGlobalNorm([x], 1, { useNorm: tf.constant(4) });
      return { nan: [...made, given].map(([list]) => list[0] as Any), twice: twice[0][0] as Any, norm: twice[1] };
    });
    for (const t of found.nan) expect([...t.data]).toEqual([Number.NaN, Number.NaN]);
    expect([[...found.twice.data], found.norm]).toEqual([[0.25, -0.5], 4]);
  });

  test('by value: bounds that are tensors, integers, NaN, and no gradient through what was clipped', async () => {
    const { a, b, c, dx } = await run(() => {
      const x = tf.constant([
        [-3, 0.5, 3],
        [Number.NaN, 1, -1],
      ]) as Any;
      const y = tf.constant([-3, 0.5, 3]) as Any;
      return {
        a: tf.clipByValue(x, tf.constant([-1, 0, 1]) as Any, 2),
        b: tf.clipByValue(tf.constant([-3, 5], 'int32'), 0, 2),
        c: tf.clipByValue(tf.constant([0, 5]), 3, 1),
        dx: tf.gradients(tf.clipByValue(y, -1, 1), [y])[0] as Any,
      };
    });
    expect([...a.data]).toEqual([-1, 0.5, 2, Number.NaN, 1, 1]);
    expect([[...b.data], [...c.data], [...dx.data]]).toEqual([
      [0, 2],
      [3, 3],
      [0, 1, 0],
    ]);
  });
});

test.each<[string, () => unknown, typeof tf.MillraceError, string]>([
  [
    'a bound of more elements',
    () => tf.clipByValue(tf.zeros([1, 2]), tf.zeros([3, 1]), 1),
    tf.ShapeMismatchError,
    'which does not broadcast to [1, 2], the shape of what is clipped.',
  ],
  ['a norm of 0', () => tf.clipByNorm(tf.zeros([2]), 0), tf.InvalidArgumentError, 'clipNorm must be a number above 0'],
  [
    'integers',
    () => tf.clipByNorm(tf.zeros([2], 'int32') as never, 1),
    tf.DTypeError,
    'clipByNorm: needs dtype float32',
  ],
  ['nothing', () => tf.globalNorm([null]), tf.InvalidArgumentError, 'globalNorm: there is no tensor in the list.'],
  [
    'no array',
    () => tf.clipByGlobalNorm(tf.zeros([2]) as never, 1),
    tf.InvalidArgumentError,
    'clipByGlobalNorm: expected an array of tensors (and null), but an object of class Tensor came.',
  ],
  [
    'a number in the list',
    () => tf.globalNorm([tf.zeros([2]), 1 as never]),
    tf.InvalidArgumentError,
    'one whose element [1] is the number 1 came',
  ],
  [
    'different dtypes',
    () => tf.globalNorm([tf.zeros([2]), tf.zeros([2], 'float64')]),
    tf.DTypeError,
    'dtypes float32 and float64 differ',
  ],
])('wrong: %s', (_, attempt, error, message) => {
  new tf.Graph().asDefault(() => {
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(message);
  });
});
