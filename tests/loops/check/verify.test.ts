// What the verifier refuses, and that it says where; and that it accepts what kernels really do.
import { describe, expect, test } from 'vitest';
import { InternalError } from '../../../src/base/errors.ts';
import { verifyKernel, verifyProgram } from '../../../src/loops/check/verify.ts';
import type { Buffer, Expression, Local, Statement, ValueType } from '../../../src/loops/ir.ts';
import * as ir from '../../../src/loops/ir.ts';
import type { Place, Program } from '../../../src/loops/program.ts';
import { loop, set, store, variable } from '../build.ts';
import { a, b, f32, f32x4, i, int, kernel, machine, verify, zero, zeros } from './sample.ts';

const j = variable('j', 64, 4);
const sum: Local = { name: 'sum', type: f32 };

test('a refusal names the kernel and the statement', () => {
  expect(() => verify(store(b, ir.at(64), zero))).toThrow(InternalError);
  expect(() => verify(store(b, ir.at(64), zero))).toThrow(
    'Kernel "sample", statement "b[64] = 0": b[64] reaches elements 64 to 64, and there are 64.',
  );
});

describe('bounds', () => {
  test('hold to the last element, vectors and steps included', () => {
    verify(loop(j, [store(b, ir.at(0, [j, 1]), ir.load(a, ir.at(0, [j, 1]), f32x4))]));
    verify(loop(i, [store(b, ir.at(63, [i, -4]), ir.load(a, ir.at(3, [i, 4]), f32))]));
    verify(loop(i, [store(b, ir.at(0, [i, 4]), ir.load(a, ir.at(63, [i, -1]), f32x4, -16))]));
  });
  test.each<[string, Statement]>([
    ['above', loop(i, [store(b, ir.at(4, [i, 4]), zero)])],
    ['below', loop(i, [store(b, ir.at(0, [i, -1]), zero)])],
    ['above, by its lanes', loop(i, [store(b, ir.at(1, [i, 4]), zeros)])],
    ['above, in a load', loop(i, [store(b, ir.at(0), ir.load(a, ir.at(49, [i, 1]), f32))])],
    ['below, by the lane stride', store(b, ir.at(0), ir.load(a, ir.at(2), f32x4, -1))],
    ['above, by the lane stride', store(b, ir.at(0), ir.load(a, ir.at(0), f32x4, 22))],
  ])('are refused when they are left %s', (_, s) => expect(() => verify(s)).toThrow(/reaches elements/));
  test('a variable belongs to a loop around', () => {
    expect(() => verify(loop(j, [store(b, ir.at(0, [i, 1]), zero)]))).toThrow(/variable i belongs to no loop/);
    expect(() => verify(loop(i, [loop(i, [store(b, ir.at(0), zero)])]))).toThrow(/belongs to a loop around/);
    expect(() =>
      verify(
        loop(i, [
          store(
            b,
            {
              constant: 0,
              terms: [
                [i, 1],
                [i, 2],
              ],
            },
            zero,
          ),
        ]),
      ),
    ).toThrow(/two terms/);
  });
});

test('a loop has two iterations at least, unless it counts them', () => {
  const once = (extent: number, step?: number) => variable('once', extent, step);
  for (const v of [once(1), once(4, 4), once(3, 8)])
    expect(() => verify(loop(v, [store(b, ir.at(0), zero)]))).toThrow(/what is done once needs no loop/);
  for (const v of [once(0), once(1.5), once(4, 0), once(4, -1)])
    expect(() => verify(loop(v, [store(b, ir.at(0), zero)]))).toThrow(/must be whole numbers from 1/);
  const count = ir.load({ name: 'counts', dtype: 'int32', length: 1 }, ir.at(0), int);
  verify({ kind: 'loop', variable: once(1), loop: 'serial', count, body: [store(b, ir.at(0), zero)] });
});

describe('parts of vectors', () => {
  const all = { float32: 4, float64: 2, int32: 4, uint8: 4, bool: 4 } as const;
  test.each(Object.entries(all))('of %s end where the buffer does, whole ones do not fit there', (name, lanes) => {
    const dtype = name as keyof typeof all;
    const type = ir.valueType(dtype, lanes);
    const from: Buffer = { name: 'from', dtype, length: 11 };
    const to: Buffer = { name: 'to', dtype, length: 11 };
    for (let count = 1; count < lanes; count++) {
      const end = ir.at(11 - count);
      const part = ir.load(from, end, type, 1, count);
      verify(store(to, end, part, count));
      expect(() => verify(store(to, end, ir.load(from, end, type), count))).toThrow(/from\[.*reaches elements/);
      expect(() => verify(store(to, end, part))).toThrow(/to\[.*reaches elements/);
      expect(() => verify(store(to, ir.at(12 - count), part, count))).toThrow(/to\[.*reaches elements/);
      expect(() => verify(store(to, end, ir.load(from, ir.at(-1), type, 1, count), count))).toThrow(/from\[.*reaches/);
    }
  });
  test('reach as far as their last element, with any stride', () => {
    verify(store(b, ir.at(0), ir.load(a, ir.at(61), f32x4, 2, 2)));
    verify(store(b, ir.at(0), ir.load(a, ir.at(2), f32x4, -1, 3)));
    expect(() => verify(store(b, ir.at(0), ir.load(a, ir.at(62), f32x4, 2, 2)))).toThrow(/62 to 64/);
    expect(() => verify(store(b, ir.at(0), ir.load(a, ir.at(1), f32x4, -1, 3)))).toThrow(/-1 to 1/);
    verify(loop(j, [store(b, ir.at(1, [j, 1]), ir.load(a, ir.at(1, [j, 1]), f32x4, 1, 3), 3)]));
    expect(() => verify(loop(j, [store(b, ir.at(2, [j, 1]), zeros, 3)]))).toThrow(/2 to 64/);
  });
  test.each([0, -1, 4, 5, 1.5, Number.NaN])('have more than none of the lanes and not all of them: %d', (count) => {
    expect(() => verify(store(b, ir.at(8), ir.load(a, ir.at(8), f32x4, 1, count)))).toThrow(/are not a part of them/);
    expect(() => verify(store(b, ir.at(8), zeros, count))).toThrow(/are not a part of them/);
  });
  test('are no scalars and no broadcasts', () => {
    expect(() => verify(store(b, ir.at(0), zero, 1))).toThrow(/1 of 1 lanes/);
    expect(() => verify(store(b, ir.at(0), ir.load(a, ir.at(0), f32, 1, 1)))).toThrow(/1 of 1 lanes/);
    const broadcast = { ...ir.load(a, ir.at(0), f32x4, 0), count: 2 };
    expect(() => verify(store(b, ir.at(0), broadcast))).toThrow(/a broadcast has all its lanes/);
    // Which is what is made where somebody asks for a part of one.
    verify(store(b, ir.at(0), ir.load(a, ir.at(0), f32x4, 0, 2)));
  });
  test('are refused where the machine has none', () => {
    const whole = { vectorBytes: 16, partialVectors: false, prefetches: false };
    verifyKernel(kernel(store(b, ir.at(0), ir.load(a, ir.at(0), f32x4))), whole);
    const parts = [store(b, ir.at(0), zeros, 3), store(b, ir.at(0), ir.load(a, ir.at(0), f32x4, 1, 3))];
    for (const s of parts) expect(() => verifyKernel(kernel(s), whole)).toThrow(/no parts of vectors/);
  });
});

test('prefetches may go beyond their buffer, but not where the machine has none', () => {
  const fetching = { vectorBytes: 16, partialVectors: false, prefetches: true };
  const at = (index: number): Statement => ({ kind: 'prefetch', buffer: a, index: ir.at(index) });
  verifyKernel(kernel(at(a.length)), fetching);
  expect(() => verifyKernel(kernel(at(0)), { ...fetching, prefetches: false })).toThrow(/does not prefetch/);
});

test('shuffles pick lanes that there are, of vectors of their type', () => {
  const x = ir.load(a, ir.at(0), f32x4);
  verify(store(b, ir.at(0), ir.shuffle(x, x, [7, 0, 3, 4])));
  for (const lanes of [
    [0, 1, 2],
    [0, 1, 2, 8],
    [0, 1, 2, -1],
  ])
    expect(() => verify(store(b, ir.at(0), ir.shuffle(x, x, lanes)))).toThrow(/cannot pick lanes/);
  const whole = ir.convert(x, 'int32');
  expect(() => verify(store(b, ir.at(0), ir.shuffle(x, whole, [0, 1, 2, 3])))).toThrow(/cannot pick lanes/);
});

describe('types', () => {
  const x = ir.load(a, ir.at(0), f32);
  const xs = ir.load(a, ir.at(0), f32x4);
  const n = ir.constant(1, int);
  const as = (e: Expression, dtype: ValueType['dtype'], lanes: number) =>
    ({ ...e, type: { dtype, lanes } }) as Expression;
  test.each<[string, Expression]>([
    ['sum of float32 and int32', ir.binary('add', x, n)],
    ['sum of a vector and a scalar', ir.binary('add', xs, x)],
    ['vectors of three lanes', ir.load(a, ir.at(0), { dtype: 'float32', lanes: 3 })],
    ['float32 loaded as int32', ir.load(a, ir.at(0), int)],
    ['vectors of int32 divided', ir.lane(ir.binary('div', ir.splat(n, 4), ir.splat(n, 4)), 0)],
    ['bits of float32', ir.binary('and', x, x)],
    ['shift by a vector', ir.lane(ir.binary('shiftLeft', ir.splat(n, 4), ir.splat(n, 4)), 0)],
    ['choice by a number', ir.select(n, x, x)],
    ['choice of vectors by a scalar', ir.select(ir.compare('less', x, x), xs, xs)],
    ['product and sum of two types', ir.multiplyAdd(x, x, n)],
    ['root of int32', ir.unary('sqrt', n)],
    ['not of a number', ir.unary('not', x)],
    ['lane 4 of 4', ir.lane(xs, 4)],
    ['lane of a scalar', ir.lane(x, 0)],
    ['splat of a vector', as(ir.splat(xs, 4), 'float32', 4)],
    ['conversion to bool', as(ir.convert(x, 'int32'), 'bool', 1)],
    ['vector of float32 converted to float64', as(ir.convert(xs, 'int32'), 'float64', 4)],
    ['bits of float64', as(ir.bitcast(x, 'int32'), 'float64', 1)],
    ['half of a float32', ir.half(x, true)],
    ['float64 joined from float32', ir.join(x, x)],
    ['constant that is no int32', ir.constant(0.5, int)],
    ['load at a float index', ir.loadAt(a, x, f32)],
  ])('are refused: %s', (_, e) => {
    expect(() => verify(set({ name: 'value', type: e.type }, e))).toThrow(InternalError);
  });
  test('of what is stored, set and tested', () => {
    expect(() => verify(store(a, ir.at(0), n))).toThrow('a takes float32, not int32');
    expect(() => verify(set(sum, xs))).toThrow('sum takes float32, not float32x4');
    expect(() => verify({ kind: 'if', condition: x, body: [] })).toThrow(/not a bool scalar/);
    expect(() => verify({ kind: 'storeAt', buffer: a, index: n, value: n })).toThrow(/takes float32, not/);
  });
});

describe('locals', () => {
  const use = store(b, ir.at(0), ir.local(sum));
  test('are set before they are read', () => {
    verify(set(sum, zero), use);
    verify(set(sum, zero), loop(i, [set(sum, ir.binary('add', ir.local(sum), zero))]), use);
    verify(loop(i, [set(sum, zero)]), use);
    expect(() => verify(use)).toThrow(/local sum may not have been set/);
    expect(() => verify(loop(i, [use, set(sum, zero)]))).toThrow(/may not have been set/);
  });
  test('that only a condition sets do not count after it', () => {
    const condition = ir.compare('less', zero, zero);
    expect(() => verify({ kind: 'if', condition, body: [set(sum, zero)] }, use)).toThrow(/may not have been set/);
    verify(set(sum, zero), { kind: 'if', condition, body: [set(sum, zero), use] }, use);
  });
  test('carry nothing from one parallel iteration to another', () => {
    const add = set(sum, ir.binary('add', ir.local(sum), zero));
    expect(() => verify(set(sum, zero), loop(i, [add], 'parallel'))).toThrow(/may not have been set/);
    expect(() => verify(loop(i, [set(sum, zero)], 'parallel'), use)).toThrow(/may not have been set/);
  });
  test('of the first thread are its own: others see what is set ahead of a parallel loop', () => {
    const divided = loop(i, [store(b, ir.at(0, [i, 1]), ir.local(sum))], 'parallel');
    const alone = store(a, ir.at(0), zero);
    expect(() => verify(set(sum, zero), divided)).toThrow(/local sum may not have been set/);
    const ahead = (value: Expression): Statement => ({ kind: 'set', local: sum, value, ahead: true });
    const loaded = ahead(ir.load(a, ir.at(0), f32));
    verify(loaded, divided);
    verify(loaded, divided, store(a, ir.at(1), ir.local(sum)));
    verify(store(a, ir.at(1), zero), loaded, divided);
    expect(() => verify(alone, loaded, divided)).toThrow(/a parallel loop and another statement both touch a/);
    expect(() => verify(loaded, alone, divided)).toThrow(/no load ahead of a loop/);
    expect(() => verify(ahead(zero), divided)).toThrow(/no load ahead of a loop/);
  });
});

describe('counted loops', () => {
  const some = ir.load({ name: 'counts', dtype: 'int32', length: 1 }, ir.at(0), int);
  const counted = (count: Expression, kind: 'serial' | 'parallel', ...body: Statement[]): Statement => ({
    kind: 'loop',
    variable: i,
    loop: kind,
    count,
    body,
  });
  test('are serial, with an int32 for a count', () => {
    verify(counted(some, 'serial', store(b, ir.at(0, [i, 1]), zero)));
    expect(() => verify(counted(some, 'parallel', store(b, ir.at(0, [i, 1]), zero)))).toThrow(/only a serial loop/);
    expect(() => verify(counted(zero, 'serial', store(b, ir.at(0, [i, 1]), zero)))).toThrow(
      /the number of iterations takes int32, not float32/,
    );
  });
  test('may have no iteration: what they set may not have been set', () => {
    const setting = counted(some, 'serial', set(sum, zero));
    expect(() => verify(setting, store(b, ir.at(0), ir.local(sum)))).toThrow(/sum may not have been set/);
    verify(set(sum, zero), setting, store(b, ir.at(0), ir.local(sum)));
  });
  test('their counts are read like everything else', () => {
    const counts: Buffer = { name: 'counts', dtype: 'int32', length: 16 };
    const next = ir.load(counts, ir.at(0), int);
    const outer = variable('outer', 16);
    const inside = { ...counted(next, 'serial', store(b, ir.at(0, [outer, 4]), zero)), variable: variable('k', 4) };
    const store1 = store(counts, ir.at(0, [outer, 1]), ir.constant(1, int));
    expect(() => verify(loop(outer, [inside, store1], 'parallel'))).toThrow(/the same element of counts/);
  });
});

describe('a program', () => {
  const places = new Map<Buffer, Place>([
    [a, { kind: 'arena', offset: 0 }],
    [b, { kind: 'variable', key: 3 }],
  ]);
  const copy = kernel(store(b, ir.at(0), ir.load(a, ir.at(0), f32)));
  const program: Program = {
    kernels: [copy],
    checks: 0,
    places,
    arenaBytes: 256,
    threadBytes: 0,
    repeats: [],
    feeds: [],
    fetches: [],
    counters: [],
    status: undefined,
    messages: [],
    variables: [{ key: 3, dtype: 'float32', length: 64 }],
  };
  test('with a place for everything is accepted', () => verifyProgram(program, machine));
  test.each<[string, Partial<Program>, RegExp]>([
    ['an arena that is too small', { arenaBytes: 255 }, /a lies at 0 of an arena of 255 bytes/],
    [
      'a buffer without a place',
      { places: new Map([[a, { kind: 'arena', offset: 0 }]]) },
      /b is used but has no place/,
    ],
    ['a variable that is not listed', { variables: [] }, /64 elements of variable 3/],
    ['a variable written before the checks', { checks: 1, status: a }, /stores to b before the checks/],
    [
      'a constant written',
      {
        places: new Map<Buffer, Place>([
          [a, { kind: 'arena', offset: 0 }],
          [b, { kind: 'constant', data: new Float32Array(64) }],
        ]),
      },
      /stores to the constant b/,
    ],
    ['checks without a status', { checks: 1 }, /no status buffer/],
    [
      'two buffers of a kernel that share bytes',
      {
        places: new Map<Buffer, Place>([
          [a, { kind: 'arena', offset: 0 }],
          [b, { kind: 'arena', offset: 252 }],
        ]),
        arenaBytes: 512,
      },
      /b and a share bytes/,
    ],
    ['a kernel that does not list its buffers', { kernels: [{ ...copy, buffers: [b] }] }, /does not list a/],
  ])('is refused for %s', (_, change, message) => {
    expect(() => verifyProgram({ ...program, ...change }, machine)).toThrow(message);
  });
});
