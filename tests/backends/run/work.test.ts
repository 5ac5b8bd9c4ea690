// How long a run will take: the sum of what its loops do, divided among threads where they are, and cut short where it is long.

import { expect, test } from 'vitest';
import { secondsOf } from '../../../src/backends/run/work.ts';
import { atOnce } from '../../../src/base/turns.ts';
import type { Kernel, Statement } from '../../../src/loops/ir.ts';
import * as ir from '../../../src/loops/ir.ts';
import type { Program, Repeat } from '../../../src/loops/program.ts';
import { buffer, loop, store, type, variable } from '../../loops/build.ts';

const [a, b] = ['a', 'b'].map((name) => buffer(name, 'float32', 1e9));
/** One operation or byte takes a microsecond. */
const slowly = { operations: 1e6, bytes: 1e6 };

const kernel = (body: Statement[], flops = 0, bytes = 0): Kernel => ({ name: 'k', body, flops, bytes });
const programOf = (kernels: readonly Kernel[], repeats: readonly Repeat[] = []): Program => ({
  ...{ kernels, checks: 0, repeats, places: new Map(), arenaBytes: 0, threadBytes: 0, feeds: [], fetches: [] },
  ...{ counters: [], status: undefined, messages: [], variables: [] },
});
/** b[i] = a[i] · a[i] for so many elements: three operations, and one for the loop. */
function square(count: number, kind: 'serial' | 'parallel' = 'serial', flops = 0, bytes = 0): Kernel {
  const i = variable('i', count);
  const value = ir.load(a, ir.at(0, [i, 1]), type('float32'));
  return kernel([loop(i, [store(b, ir.at(0, [i, 1]), ir.binary('mul', value, value))], kind)], flops, bytes);
}
const microseconds = (program: Program, threads = 1) => Math.round(1e6 * atOnce(secondsOf(program, slowly, threads)));

test('statements are counted as often as their loops run, shared parts of expressions once', () => {
  // A store, a load and a product each time, and a loop that counts.
  expect(microseconds(programOf([square(100)]))).toBe(100 * 4);
  const [i, j] = [variable('i', 10), variable('j', 12, 4)];
  const sum = ir.load(a, ir.at(0, [i, 1]), type('float32'));
  const inner = loop(j, [store(b, ir.at(0, [i, 4], [j, 1]), sum)]);
  expect(microseconds(programOf([kernel([loop(i, [inner])])]))).toBe(10 * (1 + 3 * 3));
});

test('divisions and roots cost more, and so do lanes that are not neighbours', () => {
  const one = (value: (x: ir.Expression) => ir.Expression, lanes = 1, stride = 1) =>
    microseconds(
      programOf([kernel([store(b, ir.at(0), value(ir.load(a, ir.at(0), ir.valueType('float32', lanes), stride)))])]),
    );
  const plain = one((x) => ir.binary('add', x, x));
  expect(one((x) => ir.binary('div', x, x))).toBeGreaterThan(5 * plain - 20);
  expect(one((x) => ir.binary('div', x, x)) - plain).toBe(
    one((x) => ir.unary('sqrt', x)) - one((x) => ir.unary('neg', x)),
  );
  const [near, far] = [1, 100].map((stride) => one((x) => x, 4, stride));
  expect(far).toBeGreaterThan(3 * near);
});

test('bytes take time too', () => {
  expect(microseconds(programOf([square(10, 'serial', 0, 5000)]))).toBe(10 * 4 + 5000);
});

test('only parallel kernels become shorter with threads', () => {
  const program = programOf([square(300, 'parallel'), square(100)]);
  expect(microseconds(program, 1)).toBe(1600);
  expect(microseconds(program, 3)).toBe(800);
});

test('repeated kernels count for each block', () => {
  const program = programOf([square(10), square(10), square(10)], [{ first: 1, end: 3, items: 10, block: 4 }]);
  expect(microseconds(program)).toBe(40 * (1 + 2 * 3));
});

test('of a long run only what vectors could not do faster is counted, without a look at its statements', () => {
  // What is said to be computed is 32 operations for each four that there are.
  const program = (count: number) => programOf([square(count, 'serial', 32 * count)]);
  expect(microseconds(program(5000))).toBe(4 * 5000);
  expect(microseconds(program(5001))).toBe(5001);
});
