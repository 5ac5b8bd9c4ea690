// Checks, interpreted: the first element that fails is noted, with its check's number and its value, and no later one.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checking } from '../../../src/kernels/cpu/check.ts';
import * as p from '../../../src/primitives/primitives.ts';
import * as s from '../../../src/primitives/scalar.ts';
import type { DType } from '../../../src/tensor/dtype.ts';
import { elements } from '../../../src/tensor/shape.ts';
import { anyMachine, check, compute, Inputs, lies, machines, shapes } from '../run.ts';

test('the first of the elements that fail, in order of their places, whatever lies where in memory', () => {
  const cases = fc.integer({ min: 0, max: 3 }).chain((rank) =>
    fc.record({
      dtype: fc.constantFrom<DType>('float32', 'float64', 'int32', 'uint8', 'bool'),
      shape: shapes(rank),
      lies: lies(rank),
      limit: fc.integer({ min: 0, max: 8 }),
      machine: anyMachine,
    }),
  );
  check(
    fc.property(cases, ({ dtype, shape, lies: way, limit, machine }) => {
      const inputs = new Inputs();
      const value = (i: number) => (dtype === 'bool' ? Number(i % 9 < limit) : (i * 5) % 9);
      const x = inputs.view(dtype, shape, value, way);
      const failing = dtype === 'bool' ? p.check([x], (v) => v, '') : p.check([x], (v) => s.less(v, limit), '');
      const { status, taken } = compute({ checks: [failing] }, inputs, machine, checking);
      expect(taken).toEqual(['check']);
      // The elements in order, as the strides say.
      const values: number[] = [];
      const walk = (axis: number, at: number) => {
        if (axis === shape.length) values.push(inputs.data[0][at]);
        else for (let i = 0; i < shape[axis]; i++) walk(axis + 1, at + i * x.strides[axis]);
      };
      if (elements(shape) > 0) walk(0, x.offset);
      const first = values.findIndex((v) => (dtype === 'bool' ? v === 0 : v >= limit));
      expect(Array.from(status)).toEqual(first < 0 ? [0, 0, 0] : [1, first, values[first]]);
    }),
    150,
  );
});

test('of two checks that fail the first one counts, and a condition may be of several arrays and places', () => {
  for (const machine of machines) {
    const inputs = new Inputs();
    const x = inputs.view('int32', [3, 7], (i) => i);
    const y = inputs.view('int32', [7], (i) => i * 3);
    // x[1, 0] = 7 is the first that is not below 7 + 3 · 0.
    const one = () => p.check([x, y], (a, b) => s.less(a, s.add(b, s.add(s.mul(s.index(0), 0), 7))), '');
    const two = () => p.check([x], (a) => s.less(a, 3), '');
    const holds = () => p.check([x], (a) => s.less(a, 100), '');
    const run = (...checks: (() => p.Check)[]) =>
      Array.from(compute({ checks: checks.map((make) => make()) }, inputs, machine, checking).status);
    expect(run(one, two)).toEqual([1, 7, 7]);
    expect(run(two, one)).toEqual([1, 3, 3]);
    expect(run(holds, two)).toEqual([2, 3, 3]);
  }
});
