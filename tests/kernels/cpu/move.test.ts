// Gather and scatter, interpreted, against the reference: along any axis, by indices of any rank.
import fc from 'fast-check';
import { test } from 'vitest';
import { mostProducts } from '../../../src/kernels/body/long-sums.ts';
import { gathering, scattering } from '../../../src/kernels/cpu/move.ts';
import * as p from '../../../src/primitives/primitives.ts';
import * as s from '../../../src/primitives/scalar.ts';
import type { DType } from '../../../src/tensor/dtype.ts';
import { anyMachine, check, expectExact, Inputs, lies, machines, shapes, valuesOf } from '../run.ts';

const dtypes = fc.constantFrom<DType>('float32', 'float64', 'int32', 'uint8', 'bool');
const seeded = (seed: number, below: number) => (i: number) => ((i + 1) * (2 * seed + 1) + seed) % below;

test('elements at indices along any axis equal the reference, and go on into what is computed of them', () => {
  const cases = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 2 })).chain(([rank, indexRank]) =>
    fc.record({
      dtype: dtypes,
      shape: shapes(rank).filter((shape) => !shape.includes(0)),
      axis: fc.nat(rank - 1),
      indexShape: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: indexRank, maxLength: indexRank }),
      lies: fc.tuple(lies(rank), lies(indexRank)),
      seed: fc.nat(50),
      computes: fc.boolean(),
      machine: anyMachine,
    }),
  );
  check(
    fc.property(cases, ({ dtype, shape, axis, indexShape, lies: ways, seed, computes, machine }) => {
      const inputs = new Inputs();
      const x = inputs.view(dtype, shape, valuesOf(dtype, 1), ways[0]);
      const indices = inputs.view('int32', indexShape, seeded(seed, shape[axis]), ways[1]);
      const found = p.gather(x, indices, axis);
      const rank = found.shape.length;
      const position = rank === 0 ? s.constant(1, 'int32') : s.index(rank - 1);
      const fetch = computes ? p.map([found], (v) => s.add(s.mul(s.cast(v, 'int32'), 3), position)) : found;
      expectExact({ fetches: [fetch] }, inputs, machine, gathering);
    }),
    150,
  );
});

test('elements added at indices along any axis, often at the same one, equal the reference', () => {
  const cases = fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })).chain(([rank, indexRank]) =>
    fc.record({
      dtype: fc.constantFrom<DType>('float32', 'float64', 'int32'),
      others: shapes(rank),
      axis: fc.nat(rank),
      indexShape: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: indexRank, maxLength: indexRank }),
      size: fc.integer({ min: 1, max: 20 }),
      lies: fc.tuple(lies(rank + indexRank), lies(indexRank)),
      seed: fc.nat(50),
      machine: anyMachine,
    }),
  );
  check(
    fc.property(cases, ({ dtype, others, axis, indexShape, size, lies: ways, seed, machine }) => {
      const inputs = new Inputs();
      const shape = [...others.slice(0, axis), ...indexShape, ...others.slice(axis)];
      const x = inputs.view(dtype, shape, valuesOf(dtype, 1), ways[0]);
      const indices = inputs.view('int32', indexShape, seeded(seed, size), ways[1]);
      expectExact({ fetches: [p.scatter(x, indices, axis, size)] }, inputs, machine, scattering);
    }),
    150,
  );
});

test('many elements at few places are added with more digits, and infinities stay', () => {
  const count = 3 * mostProducts;
  for (const machine of machines) {
    for (const size of [1, 7]) {
      const inputs = new Inputs();
      const values = (i: number) => (i === 5 && size > 1 ? Infinity : 1 + 2 ** -16 - 2 ** -23);
      const x = inputs.view('float32', [count, 2], values);
      const indices = inputs.view('int32', [count], (i) => Math.floor(i / 3) % size);
      const found = p.scatter(x, indices, 0, size);
      expectExact({ fetches: [found] }, inputs, machine, scattering);
    }
  }
});
