// How far results are from the exact ones, which tests/fixtures/make-numbers.py has with more digits than a float; for
// float32, JavaScript's float64 has more digits too.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import {
  type Any,
  bounds,
  errorOf,
  type Float,
  isFlushed,
  numbers,
  op,
  signedError,
  unpack,
  unpackBytes,
  using,
  variants,
} from './contract.ts';

const dtypes = ['float32', 'float64', 'int32', 'uint8'] as const;

/** All results of one op: what was found, what is right, and how far the exact result is above that. */
interface Outcome {
  readonly args: readonly ArrayLike<number>[];
  readonly found: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly rest: ArrayLike<number> | undefined;
}

/** Elementary functions as JavaScript has them, without what exp leaves out. */
const elementary: Record<string, (x: number) => number> = {
  exp: (x) => (Math.exp(x) < 2 ** -126 ? 0 : Math.exp(x)),
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  rsqrt: (x) => 1 / Math.sqrt(x),
  sin: Math.sin,
  cos: Math.cos,
};
/** Floats of all sizes, NaN and infinities among them, and many where the functions change. */
const sweep = Float32Array.of(
  ...new Float32Array(Uint32Array.from({ length: 65_551 }, (_, i) => i * 65_521).buffer),
  ...Array.from({ length: 20_011 }, (_, i) => -104 + (193 * i) / 20_010),
);

const named = (dtype: (typeof dtypes)[number]) =>
  numbers.random[dtype].flatMap(({ args, results }) =>
    Object.entries(results).map(([name, { y, rest }]) => {
      return {
        name,
        args: args.map((a) => unpack(dtype, a)),
        y: unpack(dtype, y),
        rest: rest === undefined ? undefined : unpackBytes(rest),
      };
    }),
  );

async function outcomes(dtype: (typeof dtypes)[number], options: tf.SessionOptions): Promise<Map<string, Outcome>> {
  const all = named(dtype);
  const graph = new tf.Graph();
  return await using({ ...options, graph }, async (session) => {
    const [fed, results] = graph.asDefault(() => {
      const placeholders = all.map(({ args }) => args.map((a) => tf.placeholder(dtype, [a.length]) as Any));
      return [placeholders, all.map(({ name }, i) => op(name)(...placeholders[i]))] as const;
    });
    const feeds = all.flatMap(({ args }, i) => args.map((a, k) => [fed[i][k], a] as const));
    const found = (await session.run(results, feeds as any)) as any[];
    return new Map(all.map(({ name, ...rest }, i) => [name, { ...rest, found: found[i].data }]));
  });
}

/** The largest error of an op, and for which arguments. */
function worst(name: string, dtype: Float, { args, found, y, rest }: Outcome): { error: number; at: string } {
  let most = { error: -1, at: '' };
  for (let i = 0; i < y.length; i++) {
    if (isFlushed(name, found[i], y[i], dtype)) continue;
    const error = errorOf(found[i], y[i], (rest?.[i] ?? 0) / 200, dtype);
    const at = `${name}(${args.map((a) => a[i]).join(', ')}) = ${found[i]}, right is ${y[i]}`;
    if (error > most.error) most = { error, at };
  }
  return most;
}

test('docs/numbers.md states these bounds', () => {
  const page = readFileSync(new URL('../../docs/numbers.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \|/gm)];
  const stated = rows.map(([, name, float32, float64]) => [
    name,
    { float32: Number(float32), float64: Number(float64) },
  ]);
  expect(stated).toEqual(Object.entries(bounds));
});

describe.each(variants)('on %s', (_, options) => {
  describe.each(['float32', 'float64'] as const)('random %s', (dtype) => {
    let results: Map<string, Outcome>;
    beforeAll(async () => {
      results = await outcomes(dtype, options);
    });
    test.each(Object.entries(bounds).map(([name, bound]) => [name, bound[dtype]] as const))(
      '%s within %d ulp of the exact result',
      (name, bound) => {
        const outcome = results.get(name)!;
        expect(outcome.y.length).toBeGreaterThan(250);
        const { error, at } = worst(name, dtype, outcome);
        // Where the nearest number is right, `rest` is left out.
        if (bound === 0.5) expect(error === 0 ? '' : at).toBe('');
        else expect(error <= bound ? '' : `${error} ulp: ${at}`).toBe('');
      },
    );
  });

  test.each(Object.keys(elementary).map((name) => [name, bounds[name].float32] as const))(
    'float32 %s of all sizes, and densely from −104 to 89, within %d ulp',
    async (name, bound) => {
      const graph = new tf.Graph();
      const [x, y] = graph.asDefault(() => {
        const input = tf.placeholder('float32', [sweep.length]) as Any;
        return [input, op(name)(input)];
      });
      const found = await using({ ...options, graph }, async (session) => {
        return ((await session.run(y, [[x, sweep]] as any)) as any).data as Float32Array;
      });
      const wanted = Array.from(sweep, elementary[name]);
      const nearest = wanted.map(Math.fround);
      const outcome = { args: [sweep], found, y: nearest, rest: undefined };
      // Where the nearest float is finite, so is what is left to the exact result.
      const rest = wanted.map((v, i) => (Number.isFinite(nearest[i]) ? 200 * signedError(nearest[i], v) : 0));
      const { error, at } = worst(name, 'float32', { ...outcome, rest });
      expect(error <= bound ? '' : `${error} ulp: ${at}`).toBe('');
    },
  );

  test.each(['int32', 'uint8'] as const)('random %s: every op exactly', async (dtype) => {
    const results = await outcomes(dtype, options);
    expect(results.size).toBe(9);
    for (const [name, { found, y }] of results) expect([name, ...Array.from(found)]).toEqual([name, ...Array.from(y)]);
  });
});
