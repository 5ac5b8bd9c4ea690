// Contractions in tiles, interpreted, against the reference, in every way that there is: packed as a whole, in blocks
// with sums in memory, in chunks, where they lie, with rows copied, and with results turned or stored lane by lane.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sumOfProducts, tiled } from '../../../../src/kernels/cpu/contract/contract.ts';
import { layoutsOf } from '../../../../src/kernels/cpu/contract/layout.ts';
import { costOf, tilePlan } from '../../../../src/kernels/cpu/contract/tile-plan.ts';
import type { Machine } from '../../../../src/loops/machine.ts';
import type { Contract } from '../../../../src/primitives/primitives.ts';
import * as p from '../../../../src/primitives/primitives.ts';
import * as s from '../../../../src/primitives/scalar.ts';
import type { Task } from '../../../../src/primitives/task.ts';
import {
  anyMachine,
  check,
  compute,
  expectEqual,
  expectExact,
  Inputs,
  machines,
  quarters,
  valuesOf,
} from '../../run.ts';
import { type Contraction, contractions, taskOf, viewsOf } from './contractions.ts';

/** How the cheapest tiles for a task are computed, in words. */
function waysOf(task: Task, machine: Machine): string[] {
  const plans = layoutsOf(task).flatMap((layout) => tilePlan(task, task.root as Contract, layout, machine) ?? []);
  const [plan] = plans.sort((a, b) => costOf(a) - costOf(b));
  if (!plan) return [];
  const { packed, inParts, rows, results } = plan;
  return [`${packed ? 'packed' : 'in place'}${inParts ? ' in parts' : ''}`, `rows ${rows}`, `results ${results}`];
}

/** One whose sums are kept in memory between blocks, which few random ones are. */
const clearing: Contraction = {
  dtype: 'float32',
  result: [
    { along: 'both', size: 3 },
    { along: 'row', size: 12 },
    { along: 'column', size: 5 },
  ],
  sums: [3, 11],
  orders: [
    [0, 1, 2, 3, 4, 5],
    [1, 3, 0, 5, 2, 4],
  ],
};
const tiny = machines.find(({ name }) => name === 'tiny') as Machine;

test('as tiles, in every way that there is, and as sums of products, they equal the reference', () => {
  const ways = new Set<string>();
  check(
    fc.property(contractions, anyMachine, (c, machine) => {
      const { inputs, result } = viewsOf(c);
      const { kernels, taken } = expectEqual({ fetches: [result] }, inputs, machine, tiled);
      expectExact({ fetches: [result] }, inputs, machine, sumOfProducts);
      if (taken.length === 0) return;
      for (const way of waysOf(taskOf(result), machine)) ways.add(way);
      ways.add(kernels.map((k) => /^(\w+) for/.exec(k.name)?.[1] ?? 'compute').join(', '));
    }),
    250,
    [[clearing, tiny]],
  );
  for (const way of [
    ...['packed', 'packed in parts', 'in place', 'in place in parts', 'rows near', 'rows strided', 'rows copied'],
    ...['results vectors', 'results turned', 'results lanes'],
    ...['compute', 'pack, compute', 'clear, compute', 'compute, finish'],
  ]) {
    expect(Array.from(ways)).toContain(way);
  }
});

test('with something computed of the result, positions, other arrays and other types among it', () => {
  const endings: Record<string, (x: s.Scalar, y: s.Scalar, rank: number) => s.Scalar> = {
    bias: (x, y) => s.max(s.add(x, y), 0),
    'the first position': (x, y) => s.add(s.mul(x, 2), s.mul(y, s.cast(s.index(0), x.dtype))),
    'the last position': (x, _, rank) => s.add(x, s.cast(s.index(rank - 1), x.dtype)),
    wider: (x) => s.cast(x, 'float64'),
    compared: (x, y) => s.less(x, y),
    // So much arithmetic that it is done in loops.
    long: (x, y) => Array.from({ length: 60 }).reduce<s.Scalar>((z) => s.sub(s.select(s.less(z, y), y, z), 1), x),
  };
  check(
    fc.property(contractions, anyMachine, fc.constantFrom(...Object.keys(endings)), (c, machine, ending) => {
      const { inputs, result } = viewsOf(c);
      const bias = inputs.view(c.dtype, result.shape, valuesOf(c.dtype, 5));
      const fetches = [p.map([result, bias], (x, y) => endings[ending](x, y, result.shape.length))];
      expectEqual({ fetches }, inputs, machine, tiled);
    }),
    150,
  );
});

/** Tiles of every kind: few and many columns, in a batch, turned, and with parts of vectors. */
const long = [
  { result: ['row 7', 'column 9'], sums: [1100] },
  { result: ['row 1', 'column 40'], sums: [1100] },
  { result: ['row 33', 'column 3'], sums: [1100] },
  { result: ['both 2', 'row 4', 'column 5'], sums: [3, 7, 60] },
] as const;
/** What drifts the furthest in sums of 1024 to 2048: each addition loses nearly half of a last place. */
const drifting = 1 + 2 ** -14 - 2 ** -23;

test.each(long)('long sums of products in runs, of $result by $sums', ({ result, sums }) => {
  const shape = [...result.map((axis) => Number(axis.split(' ')[1])), ...sums];
  const axes = result.map((axis) => axis.split(' ')[0]);
  const kinds = (along: string) =>
    shape.map((_, i) => (axes[i] === along ? ('repeated' as const) : ('plain' as const)));
  const order = shape.map((_, i) => i);
  const depth = sums.reduce((all, size) => all * size, 1);
  for (const machine of machines) {
    // Exactly, then where it matters what is rounded.
    for (const exact of [true, false]) {
      const inputs = new Inputs();
      const a = inputs.view('float32', shape, exact ? quarters(1) : () => drifting, {
        order,
        kinds: kinds('column'),
        lead: 0,
      });
      const b = inputs.view('float32', shape, exact ? quarters(2) : () => 1, { order, kinds: kinds('row'), lead: 0 });
      const product = p.contract(a, b, result.length);
      const wanted = { fetches: [p.map([product], (x) => s.mul(x, 2))] };
      if (exact) {
        expectEqual(wanted, inputs, machine, tiled);
        continue;
      }
      const { values } = compute(wanted, inputs, machine, tiled);
      for (const value of values[0]) expect(Math.abs(Number(value) / (2 * depth * drifting) - 1)).toBeLessThan(1e-5);
    }
  }
});
