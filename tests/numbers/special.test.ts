// Zeros, subnormal numbers, infinities, NaN, the limits of integers and what lies beside them: every scalar op on every
// dtype, on every backend, in vectors and one by one, with operands that are fed and with constants.
import { beforeAll, describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { type Any, bounds, errorOf, type Float, isFlushed, numbers, op, unpack, using, variants } from './contract.ts';

const dtypes = ['float32', 'float64', 'int32', 'uint8'] as const;
const isFloat = (dtype: string): dtype is Float => dtype.startsWith('float');
const divides = new Set(['div', 'floorDiv', 'mod']);

/** What an op should give for each of the arguments of its group. */
interface Check {
  readonly name: string;
  readonly dtype: tf.DType;
  readonly wanted: readonly number[];
}
/** Checks with the same arguments: columns of equal length. */
interface Group {
  readonly dtype: tf.DType;
  readonly args: readonly (readonly number[])[];
  readonly checks: readonly Check[];
}

const list = (dtype: string, data: string) => Array.from(unpack(dtype as tf.DType, data));
const checksOf = (table: Record<string, string>, prefix: string, dtypeOf: (key: string) => string): Check[] =>
  Object.entries(table).map(([key, data]) => {
    return { name: prefix + key, dtype: dtypeOf(key) as tf.DType, wanted: list(dtypeOf(key), data) };
  });

function groupsOf(dtype: (typeof dtypes)[number]): Group[] {
  const { x, a, b, unary, binary, compare, cast } = numbers.special[dtype];
  const pairs = [list(dtype, a), list(dtype, b)];
  // Integers are not divided by 0.
  const apart = (c: Check) => !isFloat(dtype) && divides.has(c.name);
  const two = [...checksOf(binary, '', () => dtype), ...checksOf(compare, '', () => 'bool')];
  const divisible = pairs.map((values) => values.filter((_, i) => pairs[1][i] !== 0));
  return [
    {
      dtype,
      args: [list(dtype, x)],
      checks: [...checksOf(unary, '', () => dtype), ...checksOf(cast, 'cast ', (to) => to)],
    },
    { dtype, args: pairs, checks: two.filter((c) => !apart(c)) },
    { dtype, args: divisible, checks: two.filter(apart) },
  ].filter(({ checks }) => checks.length > 0);
}

const build = ({ name }: Check, args: readonly any[]): Any =>
  name.startsWith('cast ') ? tf.cast(args[0], name.slice(5) as tf.DType) : op(name)(...args);

const show = (v: number) => (Object.is(v, -0) ? '-0' : String(v));

/** The results at some places that are not as they should be, as text. */
function faults(
  { name, wanted, dtype }: Check,
  args: Group['args'],
  found: ArrayLike<number>,
  at?: number[],
): string[] {
  expect(found.length).toBe(at?.length ?? wanted.length);
  const bound = isFloat(dtype) ? (bounds[name]?.[dtype] ?? 0.5) : 0.5;
  return Array.from(found, Number)
    .flatMap((x, k) => {
      const i = at ? at[k] : k;
      const y = wanted[i];
      // The exact result is within half an ulp of y.
      const isRight =
        bound === 0.5
          ? Object.is(x, y)
          : errorOf(x, y, 0, dtype as Float) <= bound + 0.5 || isFlushed(name, x, y, dtype as Float);
      return isRight ? [] : [`${name}(${args.map((a) => show(a[i])).join(', ')}) = ${show(x)}, right is ${show(y)}`];
    })
    .slice(0, 5);
}

const flat = (v: any): ArrayLike<number> => (typeof v === 'object' ? v.data : [Number(v)]);

describe.each(variants)('on %s', (_, options) => {
  describe.each(dtypes)('%s', (dtype) => {
    const groups = groupsOf(dtype);
    const all = groups.flatMap((group) => group.checks.map((check) => ({ group, check })));
    const inVectors = new Map<Check, ArrayLike<number>>();
    const oneByOne = new Map<Check, number[]>();

    beforeAll(async () => {
      const graph = new tf.Graph();
      await using({ ...options, graph }, async (session) => {
        for (const { args, checks } of groups) {
          const build_ = (shape: number[]) =>
            graph.asDefault(() => {
              const fed = args.map(() => tf.placeholder(dtype, shape) as Any);
              return [fed, checks.map((c) => build(c, fed))] as const;
            });
          const [vectors, results] = build_([args[0].length]);
          const feeds = vectors.map((p, k) => [p, args[k]] as const);
          const found = (await session.run(results, feeds as any)) as any[];
          for (const [i, c] of checks.entries()) inVectors.set(c, flat(found[i]));
          const [scalars, one] = build_([]);
          for (const c of checks) oneByOne.set(c, []);
          for (const i of args[0].keys()) {
            const values = (await session.run(one, scalars.map((p, k) => [p, args[k][i]] as const) as any)) as any[];
            for (const [k, c] of checks.entries()) oneByOne.get(c)!.push(Number(values[k]));
          }
        }
      });
    });

    test.each(all.map(({ check, group }) => [check.name, check, group] as const))(
      '%s of special arguments',
      (_name, check, { args }) => {
        expect(check.wanted.length).toBeGreaterThan(10);
        expect(faults(check, args, inVectors.get(check)!)).toEqual([]);
        expect(faults(check, args, oneByOne.get(check)!)).toEqual([]);
      },
    );

    const constants = isFloat(dtype) ? [0, -0, 1, -2.5, Number.NaN] : dtype === 'int32' ? [0, 1, -1, 7] : [0, 1, 7];
    test.each(constants)('with the constant %s on either side', async (constant) => {
      const graph = new tf.Graph();
      const wrong = await using({ ...options, graph }, async (session) => {
        const runs = groups
          .filter(({ args }) => args.length === 2)
          .flatMap(({ args, checks }) =>
            [0, 1].flatMap((side) => {
              const at = [...args[0].keys()].filter((i) => Object.is(args[side][i], constant));
              if (at.length === 0) return [];
              return graph.asDefault(() => {
                const fed = tf.placeholder(dtype, [at.length]) as Any;
                const feed = at.map((i) => args[1 - side][i]);
                const c = tf.constant(constant, { dtype }) as Any;
                const results = checks.map((check) => build(check, side === 0 ? [c, fed] : [fed, c]));
                return [{ args, checks, at, fed, feed, results }];
              });
            }),
          );
        expect(runs.length).toBeGreaterThan(1);
        const feeds = runs.map(({ fed, feed }) => [fed, feed] as const);
        const found = (await session.run(
          runs.map((r) => r.results),
          feeds as any,
        )) as any[][];
        return runs.flatMap(({ args, checks, at }, r) =>
          checks.flatMap((check, i) => faults(check, args, flat(found[r][i]), at)),
        );
      });
      expect(wrong).toEqual([]);
    });
  });
});
