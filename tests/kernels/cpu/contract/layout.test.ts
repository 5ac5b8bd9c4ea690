// The ways to see a contraction as tiles: each says where the elements of both operands and of the result are.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Layout,
  layoutsOf,
  mergeSums,
  type OutAxis,
  type SumAxis,
} from '../../../../src/kernels/cpu/contract/layout.ts';
import * as p from '../../../../src/primitives/primitives.ts';
import { elements } from '../../../../src/tensor/shape.ts';
import { check, expected, type Inputs, size } from '../../run.ts';
import { contractions, taskOf, viewsOf } from './contractions.ts';

/** Calls with the position along each of some axes. */
function everywhere(sizes: readonly number[], visit: (at: readonly number[]) => void): void {
  const step = (at: readonly number[]) => {
    if (at.length === sizes.length) visit(at);
    else for (let i = 0; i < sizes[at.length]; i++) step([...at, i]);
  };
  step([]);
}

/** The contraction as a layout says. */
function summed({ row, column, rows, columns, outer, sums }: Layout, length: number, { data }: Inputs): number[] {
  const axes: readonly OutAxis[] = [rows, columns, ...outer];
  const result = Array.from({ length }, () => Number.NaN);
  const array = (v: p.View) => (v.node.kind === 'feed' ? data[v.node.feed] : []);
  const along = <A>(list: readonly A[], at: readonly number[], stride: (axis: A) => number) =>
    list.reduce((sum, axis, i) => sum + at[i] * stride(axis), 0);
  everywhere(
    axes.map((x) => x.size),
    (at) => {
      let sum = 0;
      everywhere(
        sums.map((x) => x.size),
        (k) => {
          const a = array(row)[row.offset + along(axes, at, (x) => x.row) + along(sums, k, (x) => x.row)];
          const b = array(column)[column.offset + along(axes, at, (x) => x.column) + along(sums, k, (x) => x.column)];
          sum += a * b;
        },
      );
      result[along(axes, at, (x) => x.outputs[0])] = sum;
    },
  );
  return result;
}

test('each layout sums the same products', () => {
  check(
    fc.property(contractions, (c) => {
      const { inputs, result } = viewsOf({ ...c, dtype: 'float64' });
      const layouts = layoutsOf(taskOf(result));
      const wanted = Array.from(expected({ fetches: [result] }, inputs)[0]);
      for (const layout of layouts) {
        expect(summed(layout, elements(result.shape), inputs)).toEqual(wanted);
        // The row operand is one element along the columns, and the column operand along the rows.
        expect([layout.columns.row, layout.rows.column]).toEqual([0, 0]);
        expect([...layout.sums, ...layout.outer].every((x) => x.size > 1)).toBe(true);
      }
      const [inner, more] = layouts.filter((l) => l.inner);
      expect(more).toBeUndefined();
      if (inner) expect(inner.columns.outputs).toEqual([1]);
    }),
    150,
  );
});

test('a product of matrices is seen from both sides, a convolution along its channels', () => {
  const [a, b] = [p.feed(0, 'float32', [5, 7]), p.feed(1, 'float32', [7, 3])];
  const product = p.contract(p.strided(a, [5, 3, 7], [7, 0, 1]), p.strided(b, [5, 3, 7], [0, 1, 3]), 2);
  const sides = layoutsOf(taskOf(product)).map((l) => [l.inner, l.columns.size, l.rows.size, l.row.node.id]);
  expect(sides).toEqual([
    [false, 5, 3, b.node.id],
    [true, 3, 5, a.node.id],
  ]);
});

test('summed axes that lie one in the other are walked as one', () => {
  const axis = fc.record({ size, row: fc.nat(5), column: fc.nat(5) });
  check(
    fc.property(
      fc.array(axis, { maxLength: 4 }),
      fc.boolean(),
      fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
      (given, both, joined) => {
        // Some axes continue the one after them, in one operand or in both.
        const sums: SumAxis[] = [];
        for (const [i, x] of [...given].reverse().entries()) {
          const inner = sums[0];
          const continues = inner && joined[i];
          sums.unshift(continues ? { ...x, row: inner.row * inner.size, column: inner.column * inner.size } : x);
        }
        const merged = mergeSums(sums, both);
        const walk = (axes: readonly SumAxis[], stride: (x: SumAxis) => number) => {
          const places: number[] = [];
          everywhere(
            axes.map((x) => x.size),
            (at) => places.push(axes.reduce((sum, x, i) => sum + at[i] * stride(x), 0)),
          );
          return places;
        };
        if (elements(sums.map((x) => x.size)) > 3000) return;
        expect(walk(merged, (x) => x.row)).toEqual(walk(sums, (x) => x.row));
        if (both) expect(walk(merged, (x) => x.column)).toEqual(walk(sums, (x) => x.column));
      },
    ),
  );
  const square = { size: 3, row: 1, column: 9 };
  expect(mergeSums([{ size: 2, row: 3, column: 1 }, square], false)).toEqual([{ ...square, size: 6 }]);
  expect(mergeSums([{ size: 2, row: 3, column: 1 }, square], true).length).toBe(2);
});
