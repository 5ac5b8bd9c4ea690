// How contractions are computed, from their shapes and the machine alone.
import { expect, test } from 'vitest';
import { machineFor } from '../../../../src/backends/wasm/machine.ts';
import { layoutsOf } from '../../../../src/kernels/cpu/contract/layout.ts';
import { costOf, type TilePlan, tilePlan } from '../../../../src/kernels/cpu/contract/tile-plan.ts';
import { groupOf, uncut } from '../../../../src/kernels/cpu/tile/blocking.ts';
import type { Contract } from '../../../../src/primitives/primitives.ts';
import * as p from '../../../../src/primitives/primitives.ts';
import { taskOf } from './contractions.ts';

const machine = machineFor(false);

/** The plans for a[m, k] · b[k, n], the first of which may be given by its columns, as may the second. */
function plansOf([m, k, n]: readonly number[], turned: { a?: boolean; b?: boolean } = {}): TilePlan[] {
  const a = p.feed(0, 'float32', [m * k]);
  const b = p.feed(1, 'float32', [k * n]);
  const product = p.contract(
    p.strided(a, [m, n, k], turned.a ? [1, 0, m] : [k, 0, 1]),
    p.strided(b, [m, n, k], turned.b ? [0, k, 1] : [0, 1, n]),
    2,
  );
  const task = taskOf(product);
  const plans = layoutsOf(task).flatMap((layout) => tilePlan(task, task.root as Contract, layout, machine) ?? []);
  return plans.sort((x, y) => costOf(x) - costOf(y));
}
const best = (...args: Parameters<typeof plansOf>): TilePlan => plansOf(...args)[0];

test('few rows read the columns where they lie, many have them packed', () => {
  expect(best([4, 100, 256]).packed).toBe(false);
  expect(best([64, 100, 256])).toMatchObject({ packed: true, inParts: false, results: 'vectors' });
  // Columns that are no neighbours are packed as soon as there is a plan at all.
  expect(plansOf([4, 100, 256], { b: true }).every((x) => x.packed || !x.layout.inner)).toBe(true);
});

test('what does not fit half of the second cache is packed in parts, and cut where a group of columns does not', () => {
  const [small, large, long] = [512, 2000, 40_000].map((k) => best([64, k, 256]));
  expect([small.inParts, large.inParts, long.inParts]).toEqual([false, true, true]);
  expect([small.cut, large.cut]).toEqual([uncut, uncut]);
  const group = groupOf(256, long.tile.vectors * long.lanes);
  expect(long.cut.size * group * 4).toBeLessThanOrEqual(machine.cache[1] / 2);
  expect(long.cut.size).toBeGreaterThan(1);
});

test('rows that are far apart are copied for many panels, unless all that a tile needs of them is at hand', () => {
  expect(best([64, 500, 256]).rows).toBe('near');
  expect(best([640, 500, 256], { a: true }).rows).toBe('copied');
  // One tile has all the rows: a few lines of the cache, or too many.
  expect(best([4, 10, 256], { a: true }).rows).toBe('near');
  expect(best([4, 2000, 256], { a: true }).rows).toBe('strided');
});

test('tiles that have all of few columns are turned; where there are more, they are stored lane by lane or not at all', () => {
  const across = (n: number) => plansOf([400, 300, n], { a: true }).filter((plan) => !plan.layout.inner);
  const [turned] = across(4);
  expect(turned).toMatchObject({ results: 'turned', packed: false, tile: { rows: 4 } });
  expect(turned.layout.rows.size).toBe(4);
  expect(across(30).map((plan) => [plan.results, plan.packed])).toEqual([['lanes', true]]);
});

test('a plan costs more the more there is to do', () => {
  const costs = [8, 32, 64, 200].map((m) => costOf(best([m, 200, 120])));
  expect(costs).toEqual([...costs].sort((x, y) => x - y));
  const deeper = [16, 64, 256, 1024].map((k) => costOf(best([32, k, 120])));
  expect(deeper).toEqual([...deeper].sort((x, y) => x - y));
});
