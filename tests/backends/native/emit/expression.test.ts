// Every kind of expression for every type and width, and every kind of access: what C computes is what the interpreter
// computes, with each compiler of this machine, for this processor and for smaller ones.
import { expect, test } from 'vitest';
import type { BinaryOp, Buffer, Expression, ValueType } from '../../../../src/loops/ir.ts';
import * as ir from '../../../../src/loops/ir.ts';
import type { DType } from '../../../../src/tensor/dtype.ts';
import { nativeMissing } from '../../../backends.ts';
import { buffer, loop, samples, set, store, type, variable, when } from '../../../loops/build.ts';
import { skipped } from '../../../skipped.ts';
import { type Case, compilersWith, differences, toolsFor } from '../run.ts';

/** 20 × 20 pairs and more, so that any width divides their number. */
const count = 448;

/** Applies `f` to all pairs of samples of that type. */
function pairs(
  name: string,
  { dtype, lanes }: ValueType,
  f: (a: Expression, b: Expression) => Expression,
  pick = samples[dtype],
): Case {
  const both = Array.from({ length: count }, (_, k) => [pick[Math.floor(k / 20) % 20], pick[k % 20]]);
  const [a, b] = [buffer('a', dtype, count), buffer('b', dtype, count)];
  const i = variable('i', count, lanes);
  const t = type(dtype, lanes);
  const value = f(ir.load(a, ir.at(0, [i, 1]), t), ir.load(b, ir.at(0, [i, 1]), t));
  const out = buffer('out', value.type.dtype, count);
  const data: [Buffer, number[]][] = [
    [a, both.map(([x]) => x)],
    [b, both.map(([, y]) => y)],
    [out, []],
  ];
  const body = [loop(i, [store(out, ir.at(0, [i, 1]), value)], 'parallel')];
  return { name: `${name} of ${dtype} × ${lanes}`, body, data: new Map(data) };
}

const isFloat = (dtype: string) => dtype.startsWith('float');

function ofType(t: ValueType, forms: readonly ValueType[]): Case[] {
  const { dtype, lanes } = t;
  const number = dtype !== 'bool';
  const int = (value: number) => ir.constant(value, type('int32'));
  const binary: BinaryOp[] = [
    ...(number ? (['add', 'sub', 'mul', 'min', 'max', 'minFast', 'maxFast'] as const) : []),
    ...(isFloat(dtype) ? (['div', 'remainder'] as const) : (['and', 'or', 'xor'] as const)),
    ...(dtype === 'int32' ? (['mulHigh'] as const) : []),
  ];
  const unary: ir.UnaryOp[] = isFloat(dtype)
    ? ['neg', 'abs', 'sqrt', 'floor', 'nearest']
    : number
      ? ['neg', 'abs']
      : ['not'];
  const targets = forms.filter(({ dtype: to, lanes: n }) => {
    const wide = [dtype, to].includes('float64') && dtype !== 'bool';
    return n === lanes && to !== dtype && to !== 'bool' && (lanes === 1 || !wide);
  });
  const shifts = ['shiftLeft', 'shiftRight', 'shiftRightUnsigned'] as const;
  return [
    ...binary.map((op) => pairs(op, t, (a, b) => ir.binary(op, a, b))),
    ...unary.map((op) => pairs(op, t, (a, b) => ir.select(ir.compare('less', a, b), ir.unary(op, a), ir.unary(op, b)))),
    ...(['equal', 'notEqual', 'less', 'lessEqual'] as const).map((op) => pairs(op, t, (a, b) => ir.compare(op, a, b))),
    pairs('select', t, (a, b) => ir.select(ir.compare('less', b, a), a, b)),
    ...(dtype === 'int32'
      ? [
          pairs('multiplyAdd', t, (a, b) => ir.multiplyAdd(a, b, ir.binary('sub', a, b))),
          pairs('bits', t, (a) => ir.bitcast(ir.bitcast(a, 'float32'), 'int32'), samples.uint8),
          ...shifts.flatMap((op) =>
            [0, 1, 13, 31, 33].map((n) => pairs(`${op} by ${n}`, t, (a) => ir.binary(op, a, int(n)))),
          ),
          ...(lanes === 1
            ? [pairs('div', t, (a, b) => ir.binary('div', a, ir.select(ir.compare('less', int(0), b), b, int(3))))]
            : []),
        ]
      : []),
    ...samples[dtype].map((value) =>
      pairs(`constant ${value}`, t, (a, b) => ir.select(ir.compare('less', a, b), ir.constant(value, t), b)),
    ),
    ...(lanes > 1 ? [0, 1, lanes - 1].map((l) => pairs(`lane ${l}`, t, (a) => ir.splat(ir.lane(a, l), lanes))) : []),
    ...(lanes > 1
      ? [1, 3, 2 * lanes - 1].map((n) => {
          const order = Array.from({ length: lanes }, (_, l) => (l * n + 1) % (2 * lanes));
          return pairs(`shuffle ${n}`, t, (a, b) => ir.shuffle(a, b, order));
        })
      : []),
    pairs('shared parts', t, (a, b) => {
      const once = ir.select(ir.compare('lessEqual', a, b), a, b);
      return ir.select(ir.compare('equal', once, a), once, ir.select(ir.compare('equal', once, b), once, a));
    }),
    ...targets.map(({ dtype: to }) => pairs(`to ${to}`, t, (a) => ir.convert(a, to))),
    ...(dtype === 'float64' && lanes === 1
      ? [pairs('halves', t, (a, b) => ir.join(ir.half(a, false), ir.half(b, true)), samples.uint8)]
      : []),
  ];
}

/** Loads with every stride, computed indices, indices as values, counted loops and conditions. */
function accesses(vectorBytes: number): Case[] {
  const dtypes: DType[] = ['float32', 'float64', 'int32', 'uint8', 'bool'];
  const widths = (dtype: DType) =>
    dtype === 'float64' ? [vectorBytes / 8] : dtype === 'bool' ? [vectorBytes / 4, vectorBytes / 8] : [vectorBytes / 4];
  const n = 80;
  const many = (dtype: DType) => Array.from({ length: n }, (_, k) => samples[dtype][(k * 7) % 20]);
  const strided = dtypes.flatMap((dtype) =>
    widths(dtype).flatMap((lanes) =>
      [1, 0, -1, 2, 3, -2].map((stride): Case => {
        const a = buffer('a', dtype, n);
        const reach = (lanes - 1) * stride;
        const i = variable('i', n - Math.abs(reach));
        const out = buffer('out', dtype, i.extent * lanes);
        const value = ir.load(a, ir.at(Math.max(0, -reach), [i, 1]), ir.valueType(dtype, lanes), stride);
        const body = [loop(i, [store(out, ir.at(0, [i, lanes]), value)])];
        return {
          name: `load of ${dtype} × ${lanes} by ${stride}`,
          body,
          data: new Map([
            [a, many(dtype)],
            [out, []],
          ]),
        };
      }),
    ),
  );
  const computed = dtypes.map((dtype): Case => {
    const [a, out, order] = [buffer('a', dtype, n), buffer('out', dtype, n), buffer('order', 'int32', n)];
    const i = variable('i', n);
    const value = ir.loadAt(a, ir.load(order, ir.at(0, [i, 1]), type('int32')), ir.valueType(dtype, 1));
    const at = ir.index(ir.at(n - 1, [i, -1]), type('int32'));
    const data: [Buffer, number[]][] = [
      [a, many(dtype)],
      [order, many(dtype).map((_, k) => (k * 7) % n)],
      [out, []],
    ];
    return {
      name: `computed ${dtype}`,
      body: [loop(i, [{ kind: 'storeAt', buffer: out, index: at, value }])],
      data: new Map(data),
    };
  });
  const lanes = vectorBytes / 4;
  const t = type('int32', lanes);
  const [numbers, sums, counts] = [buffer('n', 'int32', 6 * lanes), buffer('s', 'int32', 6), buffer('c', 'int32', 6)];
  const [i, k] = [variable('i', 6), variable('k', 10, 2)];
  const sum = { name: 'sum', type: type('int32') };
  const zero = ir.constant(0, sum.type);
  const times = ir.load(counts, ir.at(0, [i, 1]), sum.type);
  const add = ir.binary('add', ir.local(sum), ir.index(ir.at(3, [i, 100], [k, 1]), sum.type));
  const counted: Case = {
    name: 'counted loops, conditions, indices',
    body: [
      loop(i, [
        set(sum, zero),
        { kind: 'loop', variable: k, loop: 'serial', count: times, body: [set(sum, add)] },
        when(ir.compare('less', zero, ir.local(sum)), [store(sums, ir.at(0, [i, 1]), ir.local(sum))]),
        store(numbers, ir.at(0, [i, lanes]), ir.index(ir.at(5, [i, -3]), t, 7)),
      ]),
    ],
    data: new Map([
      [numbers, []],
      [sums, [9, 9, 9, 9, 9, 9]],
      [counts, [0, 5, 1, 0, 3, 2]],
    ]),
  };
  return [...strided, ...computed, counted];
}

if (nativeMissing) skipped('expressions in C', nativeMissing);
test.each(compilersWith(['native', 'avx2', 'sse', 'portable']))(
  '%s, %s: every expression and access, on one thread and on three',
  async (cc, target) => {
    const tools = await toolsFor(cc, target);
    const { vectorBytes } = tools.machine;
    const forms = (['float32', 'float64', 'int32', 'bool'] as const).flatMap((dtype) =>
      [
        1,
        ...(dtype === 'float64' ? [] : [vectorBytes / 4]),
        ...(dtype === 'int32' || dtype === 'float32' ? [] : [vectorBytes / 8]),
      ].map((lanes) => type(dtype, lanes)),
    );
    const cases = [...forms.flatMap((t) => ofType(t, forms)), ...accesses(vectorBytes)];
    expect(cases.length).toBeGreaterThan(250);
    expect(await differences(cases, tools, [1, 3])).toEqual([]);
  },
  120_000,
);
