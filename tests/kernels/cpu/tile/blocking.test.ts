// The sizes of tiles and blocks: what has to fit fits, and nothing that is allowed would cost less.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { divisorNear } from '../../../../src/kernels/body/nest.ts';
import { bestTile, blockCount, cutFor, groupOf, tileCost, uncut } from '../../../../src/kernels/cpu/tile/blocking.ts';
import { elements } from '../../../../src/tensor/shape.ts';
import { anyMachine, check } from '../../run.ts';

const sizes = fc.integer({ min: 1, max: 70 });

test('the best tile fits the registers, and no other one that does costs noticeably less', () => {
  check(
    fc.property(sizes, sizes, anyMachine, (rows, vectors, machine) => {
      const { sums, registers } = machine;
      const fits = (r: number, v: number) => r * v <= sums.most && r * v + v + 1 <= registers;
      const best = bestTile(rows, vectors, machine);
      expect(fits(best.rows, best.vectors)).toBe(true);
      expect(best.rows <= rows && best.vectors <= vectors).toBe(true);
      const lowest = tileCost(rows, vectors, best, machine);
      for (let r = 1; r <= rows; r++) {
        for (let v = 1; v <= Math.min(4, vectors) && fits(r, v); v++) {
          // Each better one has to be a thousandth better than the best before it.
          expect(tileCost(rows, vectors, { rows: r, vectors: v }, machine)).toBeGreaterThan(lowest * 0.99);
        }
      }
    }),
    150,
  );
});

test('a tile has at least the rows that it is asked for', () => {
  check(
    fc.property(fc.integer({ min: 4, max: 30 }), sizes, anyMachine, (rows, vectors, machine) => {
      expect(bestTile(rows, vectors, machine, 4).rows).toBeGreaterThanOrEqual(4);
    }),
  );
});

test('a cut leaves blocks that fit half of the second cache, and together they are all that is summed', () => {
  const sums = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 3 });
  check(
    fc.property(sums, fc.integer({ min: 4, max: 4000 }), fc.boolean(), anyMachine, (all, bytes, packed, machine) => {
      const cut = cutFor(all, bytes, machine, packed);
      const budget = machine.cache[1] / 2;
      if (cut === uncut) {
        expect(packed && elements(all) * bytes <= budget).toBe(true);
        return;
      }
      const { axis, size } = cut;
      expect(size >= 1 && size <= all[axis]).toBe(true);
      // One step along the cut axis may be more than there is room for: it is not cut any further.
      const block = size * elements(all.slice(axis + 1)) * bytes;
      if (packed && size > 1) expect(block).toBeLessThanOrEqual(budget);
      expect(blockCount(all, cut)).toBe(elements(all.slice(0, axis)) * Math.ceil(all[axis] / size));
    }),
    300,
  );
});

test('a divisor is one, near what was wanted, where there is one', () => {
  check(
    fc.property(sizes, sizes, (size, wanted) => {
      const found = divisorNear(size, wanted);
      const near = Array.from({ length: wanted }, (_, i) => i + 1).filter((d) => size % d === 0 && d >= wanted * 0.6);
      expect(found).toBe(near.at(-1) ?? wanted);
    }),
    300,
  );
});

test('groups of columns are whole panels', () => {
  check(
    fc.property(fc.integer({ min: 1, max: 3000 }), fc.constantFrom(4, 8, 16, 48), (columns, width) => {
      const group = groupOf(columns, width);
      expect(group % width).toBe(0);
      expect(group <= Math.max(columns, width)).toBe(true);
    }),
  );
});
