// Places of extremes, interpreted, against the reference: the first of equal ones, and NaN before all.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { argReduction } from '../../../../src/kernels/cpu/reduce/arg-reduce.ts';
import * as p from '../../../../src/primitives/primitives.ts';
import * as s from '../../../../src/primitives/scalar.ts';
import type { DType } from '../../../../src/tensor/dtype.ts';
import { anyMachine, check, expectExact, Inputs, lies, machines, shapes, valuesOf } from '../../run.ts';

const cases = fc.integer({ min: 1, max: 4 }).chain((rank) =>
  fc.record({
    op: fc.constantFrom('max' as const, 'min' as const),
    dtype: fc.constantFrom<DType>('float32', 'float64', 'int32', 'uint8'),
    // A place among no elements is none.
    shape: shapes(rank).filter((shape) => !shape.includes(0)),
    axes: fc.subarray(
      Array.from({ length: rank }, (_, i) => i),
      { minLength: 1 },
    ),
    lies: lies(rank),
    // Of few values many are equal.
    values: fc.constantFrom(2, 3, 1000),
    nan: fc.constantFrom(0, 5, 40),
    seed: fc.nat(100),
    machine: anyMachine,
  }),
);

test('the first largest or smallest element over any axes, or the first NaN, equals the reference', () => {
  check(
    fc.property(cases, ({ op, dtype, shape, axes, lies: way, values, nan, seed, machine }) => {
      const inputs = new Inputs();
      const isFloat = dtype === 'float32' || dtype === 'float64';
      const any = valuesOf(dtype, seed);
      const value = (i: number) => (isFloat && nan > 0 && i % nan === nan - 1 ? Number.NaN : any(i % values));
      const x = inputs.view(dtype, shape, value, way);
      expectExact({ fetches: [p.argReduce(op, x, axes)] }, inputs, machine, argReduction);
    }),
    200,
  );
});

test('of what is computed on the way, and with something done to the place', () => {
  const mapped = fc.integer({ min: 1, max: 3 }).chain((rank) =>
    fc.record({
      shape: shapes(rank).filter((shape) => !shape.includes(0)),
      axis: fc.nat(rank - 1),
      lies: fc.tuple(lies(rank), lies(rank)),
      machine: anyMachine,
    }),
  );
  check(
    fc.property(mapped, ({ shape, axis, lies: [first, second], machine }) => {
      const inputs = new Inputs();
      const x = inputs.view('float32', shape, valuesOf('float32', 1), first);
      const y = inputs.view('float32', shape, valuesOf('float32', 2), second);
      const place = p.argReduce(
        'max',
        p.map([x, y], (a, b) => s.sub(a, s.mul(b, s.cast(s.index(axis), 'float32')))),
        [axis],
      );
      expectExact({ fetches: [p.map([place], (n) => s.add(s.mul(n, 2), 1))] }, inputs, machine, argReduction);
    }),
  );
});

test('vectors are loaded along the kept axis where neighbours are, and nowhere else', () => {
  const lanesOf = (axis: number) => {
    const inputs = new Inputs();
    const x = inputs.view('float32', [40, 50], valuesOf('float32', 1));
    const { kernels } = expectExact({ fetches: [p.argReduce('max', x, [axis])] }, inputs, machines[1], argReduction);
    return /"kind":"load","type":{"dtype":"float32","lanes":(\d)}/.exec(JSON.stringify(kernels[0].body))?.[1];
  };
  expect([lanesOf(0), lanesOf(1)]).toEqual(['4', '1']);
});
