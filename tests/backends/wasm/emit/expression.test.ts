// Every kind of expression for every type: what WebAssembly computes is what the interpreter computes.
import v8 from 'node:v8';
import { describe, expect, test } from 'vitest';
import type { BinaryOp, Expression, ValueType } from '../../../../src/loops/ir.ts';
import * as ir from '../../../../src/loops/ir.ts';
import { buffer, loop, samples, store, type, variable } from '../../../loops/build.ts';
import { instantiate, kernelOf, programOf, runBoth } from '../run.ts';

/** Applies `f` to all pairs of samples of that type. */
function pairs(
  dtype: ValueType['dtype'],
  lanes: number,
  f: (a: Expression, b: Expression) => Expression,
  pick = samples[dtype],
): void {
  const n = 20;
  const both = pick.flatMap((x) => pick.map((y) => [x, y]));
  const [a, b] = [buffer('a', dtype, n * n), buffer('b', dtype, n * n)];
  const i = variable('i', n * n, lanes);
  const t = type(dtype, lanes);
  const value = f(ir.load(a, ir.at(0, [i, 1]), t), ir.load(b, ir.at(0, [i, 1]), t));
  const out = buffer('out', value.type.dtype, n * n);
  runBoth(
    kernelOf(loop(i, [store(out, ir.at(0, [i, 1]), value)])),
    new Map([
      [a, both.map(([x]) => x)],
      [b, both.map(([, y]) => y)],
      [out, []],
    ]),
  );
}

const forms: [ValueType['dtype'], number][] = [
  ['float32', 1],
  ['float32', 4],
  ['float64', 1],
  ['float64', 2],
  ['int32', 1],
  ['int32', 4],
  ['bool', 1],
  ['bool', 4],
  ['bool', 2],
];
const isFloat = (dtype: string) => dtype.startsWith('float');

describe.each(forms)('%s × %i', (dtype, lanes) => {
  const number = dtype !== 'bool';
  const logic: BinaryOp[] = isFloat(dtype) ? [] : ['and', 'or', 'xor'];
  const arithmetic: BinaryOp[] = number ? ['add', 'sub', 'mul', 'min', 'max', 'minFast', 'maxFast'] : [];
  const ops: BinaryOp[] = [
    ...arithmetic,
    ...logic,
    ...(isFloat(dtype) ? (['div', 'remainder'] as const) : []),
    ...(dtype === 'int32' ? (['mulHigh'] as const) : []),
  ];
  test.each(ops)('%s', (op) => pairs(dtype, lanes, (a, b) => ir.binary(op, a, b)));
  test.each(['equal', 'notEqual', 'less', 'lessEqual'] as const)('%s', (op) => {
    pairs(dtype, lanes, (a, b) => ir.compare(op, a, b));
  });
  test('select', () => pairs(dtype, lanes, (a, b) => ir.select(ir.compare('less', b, a), a, b)));
  if (isFloat(dtype))
    test.each(['neg', 'abs', 'sqrt', 'floor', 'nearest'] as const)('%s', (op) => {
      pairs(dtype, lanes, (a, b) => ir.select(ir.compare('less', a, b), ir.unary(op, a), ir.unary(op, b)));
    });
  if (dtype === 'int32') test.each(['neg', 'abs'] as const)('%s', (op) => pairs(dtype, lanes, (a) => ir.unary(op, a)));
  if (dtype === 'bool') test('not', () => pairs(dtype, lanes, (a) => ir.unary('not', a)));
  if (number) test('multiplyAdd', () => pairs(dtype, lanes, (a, b) => ir.multiplyAdd(a, b, ir.binary('sub', a, b))));
  test('constants', () => {
    for (const value of samples[dtype])
      pairs(dtype, lanes, (a, b) => ir.select(ir.compare('less', a, b), ir.constant(value, a.type), b));
  });
  if (lanes > 1)
    test('splat and lane', () => {
      for (let l = 0; l < lanes; l++) pairs(dtype, lanes, (a) => ir.splat(ir.lane(a, l), lanes));
    });
  if (lanes > 1)
    test('shuffle', () => {
      const mixed = Array.from({ length: lanes }, (_, l) => (l * 3 + 1) % (2 * lanes));
      for (const order of [mixed, mixed.map(() => lanes)]) pairs(dtype, lanes, (a, b) => ir.shuffle(a, b, order));
    });
  if (dtype === 'int32')
    test.each(['shiftLeft', 'shiftRight', 'shiftRightUnsigned'] as const)('%s', (op) => {
      for (const amount of [0, 1, 13, 31])
        pairs(dtype, lanes, (a) => ir.binary(op, a, ir.constant(amount, type('int32'))));
    });
  test('shared parts', () => {
    pairs(dtype, lanes, (a, b) => {
      const once = ir.select(ir.compare('lessEqual', a, b), a, b);
      return ir.select(ir.compare('equal', once, a), once, ir.select(ir.compare('equal', once, b), once, a));
    });
  });
  const targets = forms.filter(([to, n]) => {
    const narrow = lanes === 1 || (to !== 'float64' && dtype !== 'float64') || dtype === 'bool';
    return n === lanes && to !== dtype && to !== 'bool' && narrow && !(lanes === 2 && to !== 'float64');
  });
  if (targets.length > 0) test.each(targets)('converted to %s', (to) => pairs(dtype, lanes, (a) => ir.convert(a, to)));
});

test('division of integers truncates', () => {
  pairs('int32', 1, (a, b) =>
    ir.binary('div', a, ir.select(ir.compare('less', ir.constant(0, b.type), b), b, ir.constant(3, b.type))),
  );
});

test.each([1, 4])('bit patterns of float32 and int32, %i lanes', (lanes) => {
  pairs(
    'float32',
    lanes,
    (a) => ir.bitcast(a, 'int32'),
    samples.float32.map((x) => (Number.isNaN(x) ? 9 : x)),
  );
  pairs('int32', lanes, (a) => ir.bitcast(a, 'float32'), samples.int32);
});

test('halves of float64 are taken and joined', () => {
  const numbers = samples.float32.map((x) => (Number.isNaN(x) ? 9 : x));
  for (const upper of [false, true]) pairs('float64', 1, (a) => ir.half(a, upper), numbers);
  pairs('float64', 1, (a, b) => ir.join(ir.half(a, false), ir.half(b, true)), numbers);
});

describe.each([
  ['float32', 4],
  ['float64', 2],
] as const)('the relaxed multiply-add of %s', (dtype, width) => {
  // Node 20 has the instruction behind a flag.
  if (process.versions.node.startsWith('20.')) v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
  const square = (lanes: number, x: number): number[] => {
    const [a, out] = [buffer('a', dtype, 4), buffer('out', dtype, 4)];
    const i = variable('i', 4, lanes);
    const value = ir.load(a, ir.at(0, [i, 1]), type(dtype, lanes));
    const lessOne = ir.multiplyAdd(value, value, ir.constant(-1, value.type));
    const program = programOf([kernelOf(loop(i, [store(out, ir.at(0, [i, 1]), lessOne)]))], [a, out]);
    const { call, view } = instantiate(program, true);
    view(a).fill(x);
    call('run');
    return [...view(out)];
  };
  const e = dtype === 'float32' ? 2 ** -23 : 2 ** -52;
  const round = dtype === 'float32' ? Math.fround : (x: number) => x;

  test('rounds once or twice, in scalars as in vectors', () => {
    // (1 + 3e)² − 1; rounded twice, the last part is lost.
    const vector = square(width, 1 + 3 * e);
    expect([6 * e, round(6 * e + 9 * e * e)]).toContain(vector[0]);
    expect(new Set(vector).size).toBe(1);
    expect(square(1, 1 + 3 * e)).toEqual(vector);
  });
});
