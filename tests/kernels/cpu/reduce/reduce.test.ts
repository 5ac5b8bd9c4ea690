// Reductions of every operation over any axes, interpreted, against the reference: along the kept and the reduced axis.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reduction } from '../../../../src/kernels/cpu/reduce/reduce.ts';
import { isParallel } from '../../../../src/loops/ir.ts';
import type { Machine } from '../../../../src/loops/machine.ts';
import type { ReduceOp } from '../../../../src/primitives/primitives.ts';
import * as p from '../../../../src/primitives/primitives.ts';
import * as s from '../../../../src/primitives/scalar.ts';
import type { DType } from '../../../../src/tensor/dtype.ts';
import {
  anyMachine,
  check,
  compute,
  expectExact,
  expected,
  Inputs,
  lies,
  machines,
  quarters,
  shapes,
  valuesOf,
} from '../../run.ts';

const numeric: readonly DType[] = ['float32', 'float64', 'int32', 'uint8'];
const operations = fc.oneof(
  fc.tuple(fc.constantFrom<ReduceOp>('sum', 'prod', 'max', 'min'), fc.constantFrom(...numeric)),
  fc.tuple(fc.constantFrom<ReduceOp>('any', 'all'), fc.constant<DType>('bool')),
);
/** Factors whose products are exact. */
const factors = (i: number) => [1, -1, 2, 0.5][Math.imul(i, 2654435761) & 3];

const cases = fc.tuple(operations, fc.integer({ min: 0, max: 4 })).chain(([[op, dtype], rank]) =>
  fc.record({
    op: fc.constant(op),
    dtype: fc.constant(dtype),
    shape: shapes(rank),
    axes: fc.subarray(Array.from({ length: rank }, (_, i) => i)),
    lies: lies(rank),
    machine: anyMachine,
  }),
);

test('all operations over any axes of all types equal the reference', () => {
  check(
    fc.property(cases, ({ op, dtype, shape, axes, lies: way, machine }) => {
      const inputs = new Inputs();
      const isProduct = op === 'prod' && (dtype === 'float32' || dtype === 'float64');
      const x = inputs.view(dtype, shape, isProduct ? factors : valuesOf(dtype, 1), way);
      expectExact({ fetches: [p.reduce(op, x, axes)] }, inputs, machine, reduction);
    }),
    200,
  );
});

test('what is reduced is computed on the way, from several arrays and positions, and so is what becomes of it', () => {
  const mapped = fc.integer({ min: 1, max: 3 }).chain((rank) =>
    fc.record({
      shape: shapes(rank),
      axes: fc.subarray(Array.from({ length: rank }, (_, i) => i)),
      lies: fc.tuple(lies(rank), lies(rank)),
      axis: fc.nat(rank - 1),
      machine: anyMachine,
    }),
  );
  check(
    fc.property(mapped, ({ shape, axes, lies: [first, second], axis, machine }) => {
      const inputs = new Inputs();
      const x = inputs.view('float32', shape, quarters(1), first);
      const y = inputs.view('float32', shape, quarters(2), second);
      const product = p.map([x, y], (a, b) => s.add(s.mul(a, b), s.cast(s.index(axis), 'float32')));
      const sum = p.reduce('sum', product, axes);
      const bias = inputs.view('float32', sum.shape, quarters(3));
      const fetches = [p.map([sum, bias], (a, b) => s.sub(s.mul(a, 0.5), b)), sum];
      expectExact({ fetches }, inputs, machine, reduction);
    }),
    100,
  );
});

test('a sum of bytes is a byte before anything is computed of it', () => {
  for (const machine of machines) {
    for (const axis of [0, 1]) {
      const inputs = new Inputs();
      const x = inputs.view('uint8', [20, 30], (i) => (i * 37) % 256);
      const sum = p.reduce('sum', x, [axis]);
      expectExact({ fetches: [p.map([sum], (v) => s.cast(v, 'float32'))] }, inputs, machine, reduction);
    }
  }
});

test('NaN and infinities go through, and an extreme of nothing is the value to begin with', () => {
  for (const machine of machines) {
    for (const op of ['max', 'min', 'sum'] as const) {
      for (const axes of [[0], [1]]) {
        const inputs = new Inputs();
        const x = inputs.view('float32', [11, 21], (i) =>
          i % 50 === 7 ? Number.NaN : i % 31 === 3 ? -Infinity : i / 4,
        );
        expectExact({ fetches: [p.reduce(op, x, axes)] }, inputs, machine, reduction);
      }
      const inputs = new Inputs();
      const none = inputs.view('float32', [5, 0], () => 0);
      const { values } = expectExact({ fetches: [p.reduce(op, none, [1])] }, inputs, machine, reduction);
      expect(values[0][4]).toBe({ max: -Infinity, min: Infinity, sum: 0 }[op]);
    }
  }
});

test('vectors lie along the axis on which neighbours are', () => {
  const takenFor = (shape: number[], axes: number[]) => {
    const inputs = new Inputs();
    const x = inputs.view('float32', shape, quarters(1));
    const { taken, kernels } = expectExact({ fetches: [p.reduce('sum', x, axes)] }, inputs, machines[1], reduction);
    const text = JSON.stringify(kernels.map((k) => k.body));
    // Only partial results along the reduced axis are added up lane by lane.
    return [taken[0], text.includes('"shuffle"') ? 'along the reduced axis' : 'along the kept axis'];
  };
  expect(takenFor([40, 50], [0])).toEqual(['reduce ×4', 'along the kept axis']);
  expect(takenFor([40, 50], [1])).toEqual(['reduce ×4', 'along the reduced axis']);
  expect(takenFor([3], [])).toEqual(['reduce ×1', 'along the kept axis']);
});

/** Of the absolute values' sum, how far float32 sums are from those in float64. */
function errorsOf(shape: readonly number[], axes: readonly number[], x: (i: number) => number, machine: Machine) {
  const inputs = new Inputs();
  const view = inputs.view('float32', shape, x);
  const wanted = { fetches: [p.reduce('sum', view, axes), p.reduce('sum', p.map([view], s.abs), axes)] };
  const { values, kernels } = compute(wanted, inputs, machine, reduction);
  const [right, sizes] = expected(wanted, inputs);
  return { errors: Array.from(right, (y, i) => Math.abs(values[0][i] - y) / sizes[i]), kernels };
}
/** A part of the last place by which a sum of equal terms drifts the furthest from 32 terms on. */
const drifting = 1 + 33 * 2 ** -23;
const mixed = (i: number) => (i % 7 === 3 ? 1e5 : Math.sin(i * 12.9898));

test.each([
  ['rows', [2, 6000], [1]],
  ['rows whose length is no multiple of anything', [1, 9973], [1]],
  ['rows of few elements', [1500, 5], [0, 1]],
  ['columns', [1000, 11], [0]],
  ['columns, over two axes', [10, 25, 2, 5], [0, 2]],
  ['every second element', [2, 1500, 2], [1]],
] as const)('a long sum along %s is within a millionth of the sum of sizes', (_, shape, axes) => {
  for (const machine of machines.slice(0, 3)) {
    for (const x of [() => 0.1, () => drifting, mixed]) {
      for (const error of errorsOf(shape, axes, x, machine).errors) expect(error).toBeLessThan(1e-6);
    }
  }
});

test('an infinity among many numbers stays one, and opposite ones are NaN', () => {
  for (const machine of machines) {
    for (const [shape, axes] of [
      [[2, 3000], [1]],
      [[3000, 8], [0]],
    ] as const) {
      const inputs = new Inputs();
      const x = inputs.view('float32', shape, (i) => (i === 4000 ? Infinity : i / 4));
      const y = inputs.view('float32', shape, (i) => (i === 4000 || i === 4008 ? (i - 4004) * Infinity : 1));
      const fetches = [p.reduce('sum', x, axes), p.reduce('sum', y, axes)];
      expectExact({ fetches }, inputs, machine, reduction);
    }
  }
});

describe('in parts, for the threads to share', () => {
  const [scalar, wasm, parts] = machines;
  test.each([
    ['all', [280_000], [0], parts],
    ['two rows', [2, 140_001], [1], wasm],
    ['columns', [20_000, 14], [0], wasm],
    ['columns of parts of vectors', [20_000, 14], [0], parts],
    ['one by one', [280_000], [0], scalar],
  ] as const)('%s', (_, shape, axes, machine) => {
    const { errors, kernels } = errorsOf(shape, axes, () => 0.1, machine);
    for (const error of errors) expect(error).toBeLessThan(1e-6);
    expect(kernels[0].body.some(isParallel)).toBe(true);
    expect(kernels.map((k) => k.name)).toContain('parts of reduce sum');
  });

  test('of every operation and type', () => {
    for (const [op, dtype] of [
      ['max', 'float32'],
      ['sum', 'uint8'],
      ['sum', 'float64'],
      ['any', 'bool'],
    ] as const) {
      const inputs = new Inputs();
      const x = inputs.view(dtype, [270_000], valuesOf(dtype, 1));
      const { kernels } = expectExact({ fetches: [p.reduce(op, x, [0])] }, inputs, wasm, reduction);
      expect(kernels.map((k) => k.name)).toContain(`parts of reduce ${op}`);
    }
  });
});
