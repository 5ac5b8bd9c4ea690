// The memory plan: live buffers never overlap, and little is wasted. The checker is written apart from the planner.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atOnce } from '../../../src/base/turns.ts';
import { type Lifetime, planMemory } from '../../../src/compiler/program/memory.ts';

const lifetimes = fc.array(
  fc.record({
    length: fc.integer({ min: 0, max: 5000 }),
    begin: fc.integer({ min: -1, max: 40 }),
    span: fc.integer({ min: 0, max: 15 }),
  }),
  { maxLength: 60 },
);
const make = (items: readonly { length: number; begin: number; span: number }[]): Lifetime[] =>
  items.map(({ length, begin, span }, i) => ({
    buffer: { name: `b${i}`, dtype: 'float32', length },
    begin,
    end: begin + span,
  }));

describe('planMemory', () => {
  test('buffers that are needed at one time never share a byte, and all lie inside the arena, aligned', () => {
    fc.assert(
      fc.property(lifetimes, (items) => {
        const all = make(items);
        const { offsets, bytes } = atOnce(planMemory(all));
        const placed = all.map((l) => {
          const offset = offsets.get(l.buffer)!;
          return { ...l, offset, stop: offset + l.buffer.length * 4 };
        });
        for (const [i, a] of placed.entries()) {
          expect(a.offset % 64).toBe(0);
          expect(a.stop).toBeLessThanOrEqual(bytes);
          for (const b of placed.slice(i + 1)) {
            const together = a.begin <= b.end && b.begin <= a.end;
            const overlap = a.offset < b.stop && b.offset < a.stop;
            expect(together && overlap).toBe(false);
          }
        }
      }),
    );
  });

  test('the arena is at most 1.5 times the lower bound for chains of equal buffers', () => {
    const chain = make(Array.from({ length: 50 }, (_, i) => ({ length: 1000, begin: i, span: 1 })));
    const { bytes, lowerBound } = atOnce(planMemory(chain));
    expect(bytes).toBeLessThanOrEqual(1.5 * lowerBound);
  });

  test('is linear: 50,000 buffers take less than a second', () => {
    const many = make(Array.from({ length: 50_000 }, (_, i) => ({ length: (i * 37) % 900, begin: i, span: i % 7 })));
    const begin = performance.now();
    atOnce(planMemory(many));
    expect(performance.now() - begin).toBeLessThan(1000);
  });
});
