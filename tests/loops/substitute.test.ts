// Statements with other indices: texts of small kernels before and after.
import { expect, test } from 'vitest';
import { printKernel } from '../../src/loops/check/print.ts';
import type { Buffer, Kernel, Statement, ValueType } from '../../src/loops/ir.ts';
import * as ir from '../../src/loops/ir.ts';
import { substitute } from '../../src/loops/substitute.ts';
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
