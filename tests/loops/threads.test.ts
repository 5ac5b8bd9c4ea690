// Who does what in a kernel, and that both emitters see to it.
import { describe, expect, test } from 'vitest';
import type { Expression, Local, Statement, ValueType } from '../../src/loops/ir.ts';
import * as ir from '../../src/loops/ir.ts';
import { segmentsOf } from '../../src/loops/threads.ts';
import { compilers, differences, toolsFor } from '../backends/native/run.ts';
import { kernelOf, runBoth } from '../backends/wasm/run.ts';
import { nativeMissing } from '../backends.ts';
import { describeUnless } from '../skipped.ts';
import { buffer, loop, set, store, variable } from './build.ts';

const t: ValueType = { dtype: 'float32', lanes: 1 };
const i = variable('i', 8);
const [a, b, c] = ['a', 'b', 'c'].map((name) => buffer(name, 'float32', 8));
const x: Local = { name: 'x', type: t };
const constant = (n: number): Expression => ir.constant(n, t);
const serial = store(c, ir.at(0), constant(5));
const sets = set(x, ir.load(a, ir.at(3), t));
const ahead: Statement = { kind: 'set', local: x, value: ir.load(a, ir.at(3), t), ahead: true };
const divided = loop(
  i,
  [store(b, ir.at(0, [i, 1]), ir.binary('add', ir.local(x), ir.load(a, ir.at(0, [i, 1]), t)))],
  'parallel',
);

describe('segments', () => {
  const shapeOf = (body: readonly Statement[]) => segmentsOf(body).map((s) => [s.parallel, s.statements.length]);
  test('are cut between what one thread does and what all of them do', () => {
    expect(shapeOf([serial, divided, divided, serial, serial])).toEqual([
      [false, 1],
      [true, 2],
      [false, 2],
    ]);
    expect(shapeOf([])).toEqual([]);
  });
  test('have what is set ahead of a loop with that loop', () => {
    expect(shapeOf([ahead, divided])).toEqual([[true, 2]]);
    expect(shapeOf([ahead, serial, sets, ahead, ahead, divided, ahead])).toEqual([
      [false, 3],
      [true, 3],
      [false, 1],
    ]);
  });
});

const numbers = (n: number) => Array.from({ length: 8 }, (_, k) => k + n);
const data = () => new Map([a, b, c].map((buffer, k) => [buffer, numbers(10 * k)]));
const body = [serial, ahead, divided, set(x, constant(2)), store(c, ir.at(1), ir.local(x))];

test('wasm: what is set ahead of a parallel loop, every thread sets', () => {
  const memory = runBoth(kernelOf(...body), data());
  expect([...(memory.get(b) ?? [])]).toEqual(numbers(3));
});

describeUnless(nativeMissing, 'native', () => {
  test('what is set ahead of a parallel loop, every thread sets, of one and of three', async () => {
    const tools = await toolsFor(compilers[0], 'native');
    expect(await differences([{ name: 'sets', body, data: data() }], tools, [1, 3])).toEqual([]);
  });
});
