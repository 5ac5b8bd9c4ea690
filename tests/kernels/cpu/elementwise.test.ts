// Tasks without a root, interpreted, against the reference: all types, shapes and ways for arrays to lie in memory.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { elementwise } from '../../../src/kernels/cpu/elementwise.ts';
import * as p from '../../../src/primitives/primitives.ts';
import * as s from '../../../src/primitives/scalar.ts';
import type { DType } from '../../../src/tensor/dtype.ts';
import { anyMachine, check, expectExact, Inputs, lies, machines, shapes, valuesOf } from '../run.ts';

type Body = (x: s.Scalar, y: s.Scalar) => s.Scalar;
const numbers: Record<string, Body> = {
  sum: (x, y) => s.add(s.mul(x, 2), y),
  larger: (x, y) => s.max(x, y),
  chosen: (x, y) => s.select(s.less(x, y), s.sub(x, y), y),
  'the same twice': (x, y) => s.mul(s.sub(x, y), s.sub(x, y)),
  compared: (x, y) => s.lessEqual(x, y),
  'as float64': (x, y) => s.add(s.cast(x, 'float64'), s.cast(y, 'float64')),
  'as bytes': (x) => s.cast(s.cast(x, 'int32'), 'uint8'),
  first: (x) => x,
  'a constant': (x) => s.constant(3, x.dtype),
};
const flags: Record<string, Body> = {
  both: (x, y) => s.and(x, y),
  not: (x) => s.not(x),
  'as a number': (x) => s.cast(x, 'float32'),
};
const bodiesOf = (dtype: DType) => (dtype === 'bool' ? flags : numbers);

const cases = fc
  .tuple(fc.constantFrom<DType>('float32', 'float64', 'int32', 'uint8', 'bool'), fc.integer({ min: 0, max: 4 }))
  .chain(([dtype, rank]) =>
    fc.record({
      dtype: fc.constant(dtype),
      shape: shapes(rank),
      lies: fc.tuple(lies(rank), lies(rank)),
      bodies: fc.subarray(Object.keys(bodiesOf(dtype)), { minLength: 1, maxLength: 3 }),
      machine: anyMachine,
    }),
  );

test('maps of two arrays of all types equal the reference, several in one pass too', () => {
  check(
    fc.property(cases, ({ dtype, shape, lies: [first, second], bodies, machine }) => {
      const inputs = new Inputs();
      const x = inputs.view(dtype, shape, valuesOf(dtype, 1), first);
      const y = inputs.view(dtype, shape, valuesOf(dtype, 2), second);
      const fetches = bodies.map((name) => p.map([x, y], bodiesOf(dtype)[name]));
      expectExact({ fetches }, inputs, machine, elementwise);
    }),
    200,
  );
});

test('positions are those of the axes, whatever could be merged', () => {
  const positions = fc
    .integer({ min: 1, max: 3 })
    .chain((rank) => fc.record({ shape: shapes(rank), axis: fc.nat(rank - 1), lies: lies(rank), machine: anyMachine }));
  check(
    fc.property(positions, ({ shape, axis, lies: way, machine }) => {
      const inputs = new Inputs();
      const x = inputs.view('int32', shape, valuesOf('int32', 1), way);
      const fetches = [p.map([x], (v) => s.add(s.mul(s.index(axis), 100), v))];
      expectExact({ fetches }, inputs, machine, elementwise);
    }),
  );
});

test('what is around an array is filled, and its elements lie apart where they should', () => {
  const pads = fc.integer({ min: 1, max: 3 }).chain((rank) => {
    const small = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: rank, maxLength: rank });
    const steps = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: rank, maxLength: rank });
    return fc.record({ shape: shapes(rank), low: small, high: small, steps, lies: lies(rank), machine: anyMachine });
  });
  check(
    fc.property(pads, ({ shape, low, high, steps, lies: way, machine }) => {
      const inputs = new Inputs();
      const x = inputs.view('float32', shape, valuesOf('float32', 1), way);
      const fetches = [
        p.pad(
          p.map([x], (v) => s.add(v, 1)),
          low,
          high,
          9,
          steps,
        ),
      ];
      expectExact({ fetches }, inputs, machine, elementwise);
    }),
  );
});

test('arrays are put one after another along any axis', () => {
  const joins = fc.integer({ min: 1, max: 3 }).chain((rank) =>
    fc.record({
      shape: shapes(rank),
      axis: fc.nat(rank - 1),
      lies: fc.array(lies(rank), { minLength: 2, maxLength: 3 }),
      machine: anyMachine,
    }),
  );
  check(
    fc.property(joins, ({ shape, axis, lies: ways, machine }) => {
      const inputs = new Inputs();
      const parts = ways.map((way, i) => {
        const own = shape.map((n, d) => (d === axis ? n + i : n));
        return p.map([inputs.view('float32', own, valuesOf('float32', i), way)], (v) => s.neg(v));
      });
      expectExact({ fetches: [p.concat(parts, axis)] }, inputs, machine, elementwise);
    }),
  );
});

test('as many elements at once as the widest type allows', () => {
  const names = (dtype: DType, body: (x: s.Scalar) => s.Scalar) => {
    const inputs = new Inputs();
    const fetches = [p.map([inputs.view(dtype, [40], valuesOf(dtype, 1))], body)];
    return machines.slice(0, 3).map((machine) => expectExact({ fetches }, inputs, machine, elementwise).taken[0]);
  };
  expect(names('float32', (x) => s.add(x, 1))).toEqual(['elementwise ×1', 'elementwise ×4', 'elementwise ×8']);
  expect(names('float64', (x) => s.add(x, 1))).toEqual(['elementwise ×1', 'elementwise ×2', 'elementwise ×4']);
  expect(names('float32', (x) => s.cast(x, 'float64'))).toEqual(['elementwise ×1', 'elementwise ×1', 'elementwise ×1']);
});
