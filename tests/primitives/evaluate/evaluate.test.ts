// Each kind of primitive on the oracle, against values worked out by hand.
import { describe, expect, test } from 'vitest';
import { InvalidArgumentError } from '../../../src/base/errors.ts';
import { evaluate, type Given } from '../../../src/primitives/evaluate/evaluate.ts';
import type { View } from '../../../src/primitives/primitives.ts';
import * as p from '../../../src/primitives/primitives.ts';
import * as s from '../../../src/primitives/scalar.ts';
import type { DType } from '../../../src/tensor/dtype.ts';
import { lowered, values, type Wanted } from '../../primitives/lowered.ts';

const nothing: Given = {
  feeds: [],
  variable: (key) => {
    throw new Error(`variable ${key} is not given`);
  },
  counter: (name) => {
    throw new Error(`counter ${name} is not given`);
  },
};
const run = (wanted: Wanted, given: Partial<Given> = {}) => evaluate(lowered(wanted), { ...nothing, ...given });
const result = (v: View, given?: Partial<Given>): number[] => [...run({ fetches: [v] }, given).fetches[0]];
const count = (n: number, dtype: DType = 'float64', shape = [n]) =>
  values(
    dtype,
    Array.from({ length: n }, (_, i) => i),
    shape,
  );

describe('sources', () => {
  test('feeds come by their number, counters by their name, variables by their key', () => {
    const state = { key: 42, name: 'v', dtype: 'float32', shape: [2] } as const;
    const first = p.feed(0, 'float32', [2]);
    const second = p.feed(1, 'float32', [2]);
    const sum = p.map([p.read(state), second, p.counter('noise')], (v, f, c) =>
      s.add(s.sub(v, f), s.cast(c, 'float32')),
    );
    const given = {
      feeds: [
        [100, 200],
        [1, 2],
      ],
      variable: (key: number) => (key === 42 ? [10, 20] : []),
      counter: (name: string) => (name === 'noise' ? 3 : Number.NaN),
    };
    expect(result(sum, given)).toEqual([12, 21]);
    expect(result(first, given)).toEqual([100, 200]);
  });
  test('a constant of one element fills its shape', () => {
    expect(result(p.constant(Int32Array.of(7), 'int32', [2, 2]))).toEqual([7, 7, 7, 7]);
  });
});

describe('views', () => {
  const x = count(6, 'float64', [2, 3]);
  test.each<[string, View, number[]]>([
    ['transposed', p.transpose(x, [1, 0]), [0, 3, 1, 4, 2, 5]],
    ['reversed', p.reverse(x, [1]), [2, 1, 0, 5, 4, 3]],
    ['sliced with a step', p.slice(x, [0, 0], [2, 2], [1, 2]), [0, 2, 3, 5]],
    ['broadcast', p.broadcastTo(p.slice(x, [1, 0], [1, 3]), [2, 3]), [3, 4, 5, 3, 4, 5]],
    ['as overlapping windows', p.strided(x, [2, 3], [1, 1], 2), [2, 3, 4, 3, 4, 5]],
    ['empty', p.slice(x, [0, 0], [0, 3]), []],
  ])('%s are read by their strides, when fetched and when computed with', (_, v, wanted) => {
    expect(result(v)).toEqual(wanted);
    expect(result(p.map([v], (e) => s.add(e, 1)))).toEqual(wanted.map((n) => n + 1));
  });
});

test('map: the index is the position along an axis', () => {
  const x = p.constant(Int32Array.of(100), 'int32', [2, 3]);
  const y = p.map([x], (v) => s.add(v, s.add(s.mul(s.index(0), 10), s.index(1))));
  expect(result(y)).toEqual([100, 101, 102, 110, 111, 112]);
});

describe('reduce', () => {
  const x = values('float64', [3, -1, 2, 1, 5, -4], [2, 3]);
  test.each([
    ['sum', [4, 2]],
    ['prod', [-6, -20]],
    ['max', [3, 5]],
    ['min', [-1, -4]],
  ] as const)('%s along the rows', (op, wanted) => expect(result(p.reduce(op, x, [1]))).toEqual(wanted));
  test.each([
    ['any', [1, 0, 1]],
    ['all', [0, 0, 1]],
  ] as const)('%s along the columns', (op, wanted) => {
    expect(result(p.reduce(op, values('bool', [1, 0, 1, 0, 0, 1], [2, 3]), [0]))).toEqual(wanted);
  });
  test('of nothing gives the identity', () => {
    const none = values('int32', [], [2, 0]);
    expect(result(p.reduce('sum', none, [1]))).toEqual([0, 0]);
    expect(result(p.reduce('max', none, [1]))).toEqual([-(2 ** 31), -(2 ** 31)]);
    expect(result(p.reduce('min', values('float32', [], [0]), [0]))).toEqual([Infinity]);
  });
  test('max and min give NaN when there is one', () => {
    const some = values('float32', [1, Number.NaN, 2]);
    expect(result(p.reduce('max', some, [0]))).toEqual([Number.NaN]);
    expect(result(p.reduce('min', some, [0]))).toEqual([Number.NaN]);
  });
  test('integers wrap, large products of floats do not', () => {
    expect(result(p.reduce('sum', values('int32', [2 ** 31 - 1, 1]), [0]))).toEqual([-(2 ** 31)]);
    expect(result(p.reduce('prod', values('int32', [123456789, 987654321]), [0]))).toEqual([-67153019]);
    expect(result(p.reduce('prod', values('float64', [1e10, 1e10]), [0]))).toEqual([1e20]);
  });
  test('uint8 has wrapped before its result is used', () => {
    const sum = p.reduce('sum', values('uint8', [200, 200]), [0]);
    expect(result(p.map([sum], (v) => s.cast(v, 'int32')))).toEqual([144]);
  });
});

describe('argReduce', () => {
  test('takes the first of equals, and NaN before all', () => {
    expect(result(p.argReduce('max', values('float32', [1, 3, 3, 2]), [0]))).toEqual([1]);
    expect(result(p.argReduce('min', values('float32', [1, 3, 1, 2]), [0]))).toEqual([0]);
    expect(result(p.argReduce('max', values('float32', [1, Number.NaN, 9, Number.NaN]), [0]))).toEqual([1]);
    expect(result(p.argReduce('min', values('float32', [-9, 1, Number.NaN]), [0]))).toEqual([2]);
  });
  test('counts row-major over the reduced axes in the order given', () => {
    const x = values('int32', [0, 1, 9, 3, 4, 5], [2, 3]);
    expect(result(p.argReduce('max', x, [0, 1]))).toEqual([2]);
    expect(result(p.argReduce('max', x, [1, 0]))).toEqual([4]);
  });
});

describe('contract', () => {
  const matmul = (a: View, b: View) => {
    const shape = [a.shape[0], b.shape[1], a.shape[1]];
    return p.contract(
      p.strided(a, shape, [a.strides[0], 0, a.strides[1]]),
      p.strided(b, shape, [0, b.strides[1], b.strides[0]]),
      2,
    );
  };
  test('a matrix product', () => {
    const a = values('float64', [1, 2, 3, 4, 5, 6], [2, 3]);
    const b = values('float64', [1, 0, 0, 1, 2, 2], [3, 2]);
    expect(result(matmul(a, b))).toEqual([7, 8, 16, 17]);
  });
  test('over nothing gives 0', () => {
    expect(result(matmul(values('float64', [], [1, 0]), values('float64', [], [0, 2])))).toEqual([0, 0]);
  });
  test('integers wrap with every term', () => {
    const big = values('int32', [123456789, 2 ** 31 - 1]);
    expect(result(p.contract(big, values('int32', [987654321, 1]), 0))).toEqual([(-67153019 + (2 ** 31 - 1)) | 0]);
    const bytes = values('uint8', [20, 20]);
    expect(result(p.map([p.contract(bytes, bytes, 0)], (v) => s.cast(v, 'int32')))).toEqual([800 & 255]);
  });
});

describe('pad, concat, gather, scatter', () => {
  test('pad surrounds, and parts by steps', () => {
    expect(result(p.pad(count(4, 'float64', [2, 2]), [1, 0], [0, 1], 9))).toEqual([9, 9, 9, 0, 1, 9, 2, 3, 9]);
    expect(result(p.pad(values('int32', [1, 2, 3]), [1], [2], 0, [2]))).toEqual([0, 1, 0, 2, 0, 3, 0, 0]);
  });
  test('concat joins along its axis, parts of size 0 included', () => {
    const parts = [count(2, 'int32', [2, 1]), values('int32', [], [2, 0]), count(4, 'int32', [2, 2])];
    expect(result(p.concat(parts, 1))).toEqual([0, 0, 1, 1, 2, 3]);
  });
  const x = count(6, 'float64', [2, 3]);
  test('gather takes by index along its axis', () => {
    const indices = values('int32', [2, 0, 2, 1], [2, 2]);
    expect(result(p.gather(x, indices, 1))).toEqual([2, 0, 2, 1, 5, 3, 5, 4]);
    expect(result(p.gather(p.transpose(x, [1, 0]), values('int32', [1]), 0))).toEqual([1, 4]);
  });
  test('scatter adds what falls on the same place', () => {
    expect(result(p.scatter(x, values('int32', [3, 0, 3]), 1, 4))).toEqual([1, 0, 0, 2, 4, 0, 0, 8]);
    expect(result(p.scatter(values('uint8', [200, 100]), values('int32', [0, 0]), 0, 1))).toEqual([44]);
  });
});

describe('check', () => {
  const positive = (x: View) =>
    p.check([x], (v) => s.less(s.constant(0, 'int32'), v), 'x must be positive, not {value}.');
  test('throws its message with the first value that fails', () => {
    const bad = { checks: [positive(values('int32', [3, -5, -7]))] };
    expect(() => run(bad)).toThrow(InvalidArgumentError);
    expect(() => run(bad)).toThrow('x must be positive, not -5.');
  });
  test('is silent where it holds, and on nothing', () => {
    expect(run({ checks: [positive(values('int32', [3, 5])), positive(values('int32', []))] }).fetches).toEqual([]);
  });
});

describe('rounding', () => {
  test('float32 is computed in float64 and rounded where it leaves', () => {
    const tenth = p.constant(Float32Array.of(0.1), 'float32', []);
    const sum = p.map([tenth], (v) => s.add(v, s.constant(2 ** -40, 'float32')));
    const back = p.map([sum, tenth], s.sub);
    const { fetches } = run({ fetches: [sum, back] });
    expect(fetches[0]).toEqual(Float32Array.of(0.1));
    expect(fetches[1]).toEqual(Float32Array.of(2 ** -40));
  });
  test('updates have the dtype of their variable', () => {
    const variable = { key: 3, name: 'v', dtype: 'float32', shape: [1] } as const;
    const value = p.map([p.read(variable)], (v) => s.div(v, 3));
    const { updates } = run({ updates: [{ variable, value }] }, { variable: () => [1] });
    expect(updates).toEqual([{ key: 3, dtype: 'float32', data: Float32Array.of(1 / 3) }]);
  });
});
