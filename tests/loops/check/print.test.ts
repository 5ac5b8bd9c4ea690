// Kernels and programs as text.
import { expect, test } from 'vitest';
import { printKernel, printProgram } from '../../../src/loops/check/print.ts';
import type { Buffer, Kernel, Local, Statement, ValueType } from '../../../src/loops/ir.ts';
import * as ir from '../../../src/loops/ir.ts';
import { loop, store, variable } from '../build.ts';

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

test('a kernel is printed loop by loop, what is shared by name', () => {
  const [i, j] = [variable('i', 4), variable('j', 16, 4)];
  const sum: Local = { name: 'sum', type: f32x4 };
  const x = ir.load(a, ir.at(3, [i, 16], [j, -1]), f32x4);
  const row = ir.load(a, ir.at(0, [i, 1]), f32x4, 0);
  const printed = printKernel(
    kernel([
      loop(
        i,
        [
          { kind: 'set', local: sum, value: ir.constant(0, f32x4) },
          loop(j, [{ kind: 'set', local: sum, value: ir.multiplyAdd(row, x, ir.local(sum)) }]),
          {
            kind: 'store',
            buffer: b,
            index: ir.at(0, [i, 4]),
            value: ir.binary('mul', x, ir.binary('max', x, ir.local(sum))),
          },
          {
            kind: 'if',
            condition: ir.compare(
              'less',
              ir.index(ir.at(1, [i, 1]), { dtype: 'int32', lanes: 1 }),
              ir.constant(2, { dtype: 'int32', lanes: 1 }),
            ),
            body: [
              {
                kind: 'storeAt',
                buffer: b,
                index: ir.convert(ir.load(a, ir.at(0), f32), 'int32'),
                value: ir.lane(ir.local(sum), 2),
              },
            ],
          },
        ],
        'parallel',
      ),
    ]),
  );
  expect(printed).toBe(`kernel sample (12 flops, 34 bytes)
  parallel for i < 4
    sum: float32x4 = 0
    for j < 16 step 4
      sum: float32x4 = multiplyAdd(a[i x4 by 0], a[3 + 16*i - j x4], sum)
    let $0: float32x4 = a[3 + 16*i - j x4]
    b[4*i x4] = ($0 * max($0, sum))
    if ((1 + i) < 2)
      b[at to int32(a[0])] = sum.2`);
});

test('parts of vectors are printed with the lanes that they touch', () => {
  const i = variable('i', 4);
  const part = ir.load(a, ir.at(1, [i, 8]), f32x4, 1, 3);
  const some = ir.load(a, ir.at(0), f32x4, 5, 2);
  const broadcast = ir.load(a, ir.at(9), f32x4, 0, 2);
  const sum = ir.binary('add', part, ir.binary('add', some, broadcast));
  expect(text([loop(i, [store(b, ir.at(0, [i, 4]), sum, 3)])])).toEqual([
    'for i < 4',
    '  b[4*i x3] = (a[1 + 8*i x3] + (a[0 x2 by 5] + a[9 x4 by 0]))',
  ]);
});

test('printing what is shared many times over stays short', () => {
  let e = ir.load(a, ir.at(0), f32);
  for (let n = 0; n < 60; n++) e = ir.binary('add', e, e);
  expect(text([{ kind: 'store', buffer: b, index: ir.at(0), value: e }])).toHaveLength(61);
});

test('a program is printed with its places', () => {
  const body: Statement[] = [{ kind: 'store', buffer: b, index: ir.at(0), value: ir.constant(-0, f32) }];
  const printed = printProgram({
    kernels: [kernel(body), kernel(body)],
    checks: 1,
    arenaBytes: 256,
    threadBytes: 0,
    repeats: [],
    feeds: [],
    fetches: [],
    counters: [],
    status: a,
    messages: [],
    variables: [],
    places: new Map([
      [a, { kind: 'arena', offset: 64 }],
      [b, { kind: 'variable', key: 2 }],
    ]),
  });
  expect(printed).toBe(`program, arena of 256 bytes
  a: float32[64] at arena + 64
  b: float32[64] at variable 2
kernel sample (12 flops, 34 bytes)
  b[0] = -0
stop if a check failed
kernel sample (12 flops, 34 bytes)
  b[0] = -0`);
});
