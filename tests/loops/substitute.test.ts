// Statements with other indices: texts of small kernels before and after.
import { expect, test } from 'vitest';
import { printKernel } from '../../src/loops/check/print.ts';
import type { Buffer, Kernel, Statement, ValueType } from '../../src/loops/ir.ts';
import * as ir from '../../src/loops/ir.ts';
import { rewriter, substitute } from '../../src/loops/substitute.ts';
import { loop, store, variable } from './build.ts';

const f32: ValueType = { dtype: 'float32', lanes: 1 };
const f32x4: ValueType = { dtype: 'float32', lanes: 4 };
const a: Buffer = { name: 'a', dtype: 'float32', length: 64 };
const b: Buffer = { name: 'b', dtype: 'float32', length: 64 };
const kernel = (body: readonly Statement[]): Kernel => ({ name: 'sample', body, flops: 12, bytes: 34 });
const text = (body: readonly Statement[]) =>
  printKernel(kernel(body))
    .split('\n')
    .slice(1)
    .map((l) => l.slice(2));

test('parts of vectors stay what they are where a variable becomes a constant', () => {
  const i = variable('i', 2);
  const part = store(b, ir.at(0, [i, 3]), ir.load(a, ir.at(0, [i, 3]), f32x4, 1, 3), 3);
  expect(text(substitute([part], i, 1))).toEqual(['b[3 x3] = a[3 x3]']);
});

test('a variable becomes another one and a constant, wherever it is', () => {
  const [i, j] = [variable('i', 8, 2), variable('j', 8, 4)];
  const x = ir.load(a, ir.at(1, [i, 4]), f32);
  const int: ValueType = { dtype: 'int32', lanes: 1 };
  const position = ir.index(ir.at(0, [i, 1]), int);
  const body = [
    loop(variable('k', 3), [store(b, ir.at(0, [i, 1]), x)]),
    {
      kind: 'if' as const,
      condition: ir.compare('less', position, ir.constant(3, int)),
      body: [store(b, ir.at(9), x)],
    },
    { kind: 'prefetch' as const, buffer: a, index: ir.at(0, [i, 2], [j, 1]) },
  ];
  expect(text(substitute(body, i, 2, j))).toEqual([
    'for k < 3',
    '  b[2 + j] = a[9 + 4*j]',
    'if ((2 + j) < 3)',
    '  b[9] = a[9 + 4*j]',
    'prefetch a[4 + j + 2*j]',
  ]);
});

test('an expression of any kind changes when one of its operands does, whichever; else it is the same object', () => {
  const [x, n, d, xs] = (['float32', 'int32', 'float64', 'float32'] as const).map((dtype, k) =>
    ir.local({ name: `local${k}`, type: { dtype, lanes: k === 3 ? 4 : 1 } }),
  );
  const less = ir.compare('less', x, ir.constant(1, f32));
  const two = ir.constant(2, f32);
  const all: ir.Expression[] = [
    ...[ir.unary('neg', x), ir.convert(x, 'int32'), ir.bitcast(x, 'int32'), ir.half(d, true), ir.splat(x, 4)],
    ...[
      ir.lane(xs, 1),
      ir.loadAt(a, n, f32),
      ir.binary('sub', x, two),
      less,
      ir.multiplyAdd(x, two, ir.constant(3, f32)),
    ],
    ...[
      ir.shuffle(xs, ir.constant(2, f32x4), [0, 1, 4, 5]),
      ir.select(ir.compare('less', n, ir.constant(1, n.type)), x, two),
      ir.join(n, ir.constant(2, n.type)),
    ],
  ];
  const kinds = new Set<string>();
  for (const e of all) {
    kinds.add(e.kind);
    const operands: ir.Expression[] = [];
    ir.forEachOperand(e, (operand) => operands.push(operand));
    expect(rewriter((part) => part)(e)).toBe(e);
    for (const [k, operand] of operands.entries()) {
      const other = ir.local({ name: 'other', type: operand.type });
      const changed = rewriter((part) => (part === operand ? other : part))(e);
      const found: ir.Expression[] = [];
      ir.forEachOperand(changed, (part) => found.push(part));
      expect([e.kind, found]).toEqual([e.kind, operands.map((part, i) => (i === k ? other : part))]);
      expect({ ...changed, ...Object.fromEntries(namesOf(e).map((name) => [name, 0])) }).toEqual({
        ...e,
        ...Object.fromEntries(namesOf(e).map((name) => [name, 0])),
      });
    }
  }
  expect(kinds.size).toBe(13);
});

/** The fields of an expression that are operands. */
const namesOf = (e: ir.Expression) => ['a', 'b', 'c', 'condition', 'low', 'high', 'index'].filter((name) => name in e);
