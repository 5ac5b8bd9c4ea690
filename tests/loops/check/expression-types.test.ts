// Which operands and results expressions may have: every combination of types, against what is written out here.
import { expect, test } from 'vitest';
import { expressionFault, typeFault } from '../../../src/loops/check/expression-types.ts';
import type { Expression, ValueType } from '../../../src/loops/ir.ts';
import * as ir from '../../../src/loops/ir.ts';
import { buffer } from '../build.ts';

type DType = ValueType['dtype'];
const dtypes: readonly DType[] = ['float32', 'float64', 'int32', 'bool'];
const short: Record<string, DType> = { f: 'float32', d: 'float64', i: 'int32', b: 'bool' };
/** `f`, `f4`: the types of a machine with vectors of 16 bytes. */
const names = ['f', 'd', 'i', 'b', 'f4', 'd2', 'i4', 'b4', 'b2'];
const typeOf = (name: string): ValueType => ({ dtype: short[name[0]], lanes: Number(name.slice(1) || 1) });
const a = (name: string): Expression => ir.local({ name, type: typeOf(name) });

/** Puts a type in place of the one that the expression would have. */
const as = (e: object, name: string) => ({ ...e, type: typeOf(name) }) as Expression;
const all = (f: (operand: string) => string): string => names.map(f).join(' ');
const only = (allowed: string, f = (x: string) => `${x}:${x}`): string => allowed.split(' ').map(f).join(' ');
const pairsOf = (of: string) => only(of, (x) => `${x},${x}:${x}`);
const [numbers, floats, integers] = ['f d i f4 d2 i4', 'f d f4 d2', 'i i4'];

/** What is right, as `operands:result`. */
const rules: readonly (readonly [string, number, string, (operands: Expression[]) => object])[] = [
  ...(['neg', 'abs'] as const).map((op) => [op, 1, only(numbers), ([x]: Expression[]) => ir.unary(op, x)] as const),
  ...(['sqrt', 'floor', 'nearest'] as const).map(
    (op) => [op, 1, only(floats), ([x]: Expression[]) => ir.unary(op, x)] as const,
  ),
  ['not', 1, only('b b4 b2'), ([x]) => ir.unary('not', x)],
  ...(['add', 'sub', 'mul', 'min', 'max', 'minFast', 'maxFast'] as const).map(
    (op) => [op, 2, pairsOf(numbers), ([x, y]: Expression[]) => ir.binary(op, x, y)] as const,
  ),
  ...(['and', 'or', 'xor'] as const).map(
    (op) => [op, 2, pairsOf('i i4 b b4 b2'), ([x, y]: Expression[]) => ir.binary(op, x, y)] as const,
  ),
  ['mulHigh', 2, pairsOf(integers), ([x, y]) => ir.binary('mulHigh', x, y)],
  ['remainder', 2, pairsOf(floats), ([x, y]) => ir.binary('remainder', x, y)],
  ['div', 2, pairsOf('f d i f4 d2'), ([x, y]) => ir.binary('div', x, y)],
  ...(['shiftLeft', 'shiftRight', 'shiftRightUnsigned'] as const).map(
    (op) => [op, 2, 'i,i:i i4,i:i4', ([x, y]: Expression[]) => ir.binary(op, x, y)] as const,
  ),
  ...(['equal', 'notEqual', 'less', 'lessEqual'] as const).map(
    (op) =>
      [
        op,
        2,
        all((x) => `${x},${x}:b${x.slice(1)}`),
        ([x, y]: Expression[]) => ({ ...ir.compare('less', x, y), op }),
      ] as const,
  ),
  [
    'multiplyAdd',
    3,
    only(numbers, (x) => `${x},${x},${x}:${x}`),
    ([x, y, z]) => ({ ...ir.multiplyAdd(x, x, x), b: y, c: z }),
  ],
  [
    'select',
    3,
    all((x) => `b${x.slice(1)},${x},${x}:${x}`),
    ([c, x, y]) => ({ kind: 'select', type: x.type, condition: c, a: x, b: y }),
  ],
  [
    'convert',
    1,
    'f:d f:i d:f d:i i:f i:d b:f b:d b:i f4:i4 i4:f4 b4:f4 b4:i4 b2:d2',
    ([x]) => ({ kind: 'convert', type: x.type, a: x }),
  ],
  ['bitcast', 1, 'f:i i:f f4:i4 i4:f4', ([x]) => ({ kind: 'bitcast', type: x.type, a: x })],
  ['half', 1, 'd:i', ([x]) => ({ kind: 'half', type: x.type, a: x, upper: true })],
  ['join', 2, 'i,i:d', ([x, y]) => ({ kind: 'join', type: x.type, low: x, high: y })],
  ['splat', 1, 'f:f4 d:d2 i:i4 b:b4 b:b2', ([x]) => ({ kind: 'splat', type: x.type, a: x })],
  ['lane', 1, 'f4:f d2:d i4:i b4:b b2:b', ([x]) => ({ kind: 'lane', type: x.type, a: x, lane: 1 })],
  [
    'shuffle',
    2,
    pairsOf('f4 d2 i4 b4 b2'),
    ([x, y]) => ({
      kind: 'shuffle',
      type: x.type,
      a: x,
      b: y,
      lanes: Array.from({ length: x.type.lanes }, (_, l) => 2 * l),
    }),
  ],
  [
    'loadAt',
    1,
    all((x) => `i:${x}`),
    ([x]) => ({ kind: 'loadAt', type: x.type, buffer: buffer('from', 'float32', 9), index: x, offset: 0 }),
  ],
];

test.each(rules)('%s takes and gives these types, and no others', (_, count, right, make) => {
  const wanted = new Set(right.split(' '));
  const lists = Array.from({ length: count }).reduce<string[][]>(
    (all) => all.flatMap((list) => names.map((name) => [...list, name])),
    [[]],
  );
  const found = lists.flatMap((operands) =>
    names.flatMap((result) => {
      const made = as(make(operands.map(a)), result);
      // What is loaded has the type of the buffer.
      const e = made.kind === 'loadAt' ? { ...made, buffer: buffer('from', typeOf(result).dtype, 9) } : made;
      return expressionFault(e) === undefined ? [`${operands}:${result}`] : [];
    }),
  );
  expect(found.sort()).toEqual([...wanted].sort());
});

test('numbers that stand in expressions', () => {
  const fits = (e: object) => expressionFault(e as Expression) === undefined;
  const constant = (value: number, name: string) => fits({ kind: 'constant', value, type: typeOf(name) });
  expect([-(2 ** 31) - 1, -(2 ** 31), 0, 2 ** 31 - 1, 2 ** 31, 0.5, NaN].filter((v) => constant(v, 'i'))).toEqual([
    -(2 ** 31),
    0,
    2 ** 31 - 1,
  ]);
  expect([-1, 0, 0.5, 1, 2].filter((v) => constant(v, 'b4'))).toEqual([0, 1]);
  expect([-1, 0.5, NaN, 1e300].every((v) => constant(v, 'f') && constant(v, 'd2'))).toBe(true);
  const x = a('f4');
  expect([-1, 0, 3, 4, 1.5].filter((lane) => fits({ ...ir.lane(x, 0), lane }))).toEqual([0, 3]);
  for (const [lanes, right] of [
    [[0, 7, 3, 4], true],
    [[0, 1, 2], false],
    [[0, 1, 2, 3, 4], false],
    [[0, 8, 3, 4], false],
    [[0, -1, 3, 4], false],
    [[0, 0.5, 3, 4], false],
  ] as const)
    expect(fits({ ...ir.shuffle(x, x, [0, 1, 2, 3]), lanes })).toBe(right);
  const from = buffer('from', 'float32', 9);
  const index = (laneStep: number, name: string) =>
    fits({ kind: 'index', type: typeOf(name), index: ir.at(0), laneStep });
  expect([index(-3, 'i4'), index(0.5, 'i4'), index(1, 'f')]).toEqual([true, false, false]);
  const load = (laneStride: number, name: string) => fits({ ...ir.load(from, ir.at(0), typeOf(name)), laneStride });
  expect([load(-3, 'f4'), load(0.5, 'f4'), load(1, 'i4')]).toEqual([true, false, false]);
  const loadAt = (offset: number, name: string) => fits({ ...ir.loadAt(from, a('i'), typeOf(name)), offset });
  expect([loadAt(0, 'f'), loadAt(3, 'f4'), loadAt(-1, 'f'), loadAt(0.5, 'f'), loadAt(0, 'd')]).toEqual([
    ...[true, true, false, false, false],
  ]);
  const local = (name: string) => fits({ ...a('f4'), type: typeOf(name) });
  expect(names.filter(local)).toEqual(['f4']);
});

test.each([16, 32, 64])(
  'vectors of %d bytes have as many lanes as fit, masks those of numbers of either size',
  (bytes) => {
    const [narrow, wide] = [bytes / 4, bytes / 8];
    for (const dtype of dtypes) {
      const found = Array.from({ length: 20 }, (_, n) => n).filter(
        (lanes) => typeFault({ dtype, lanes }, { vectorBytes: bytes }) === undefined,
      );
      const right = { float32: [1, narrow], int32: [1, narrow], float64: [1, wide], bool: [1, wide, narrow] };
      expect([dtype, found]).toEqual([dtype, right[dtype as 'bool']]);
    }
  },
);
