// Views of views: every element is the one that reading twice finds.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compose, decompose } from '../../../src/compiler/tasks/compose.ts';
import * as p from '../../../src/primitives/primitives.ts';
import { elements, rowMajor } from '../../../src/tensor/shape.ts';
import { indices } from '../run-tasks.ts';

type View = p.View;
const dot = (index: readonly number[], strides: readonly number[]) =>
  strides.reduce((sum, n, i) => sum + index[i] * n, 0);
/** The places that a view reads, in order. */
const places = (v: View): number[] => Array.from(indices(v.shape), (index) => v.offset + dot(index, v.strides));

const nat = fc.nat(1000);
const changes = fc.array(fc.tuple(fc.constantFrom('transpose', 'slice', 'reverse', 'broadcast', 'reshape'), nat, nat), {
  maxLength: 3,
});
type Changes = typeof changes extends fc.Arbitrary<infer T> ? T : never;
const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });

/** A view as lowering makes them; a reshape that needs a copy is left out. */
function viewOf(begin: View, made: Changes): View {
  let v = begin;
  for (const [kind, a, b] of made) {
    const axis = a % v.shape.length;
    if (kind === 'transpose')
      v = p.transpose(
        v,
        v.shape.map((_, i) => (i + a) % v.shape.length),
      );
    else if (kind === 'reverse') v = p.reverse(v, [axis]);
    else if (kind === 'slice') {
      const from = b % v.shape[axis];
      const begins = v.shape.map((_, i) => (i === axis ? from : 0));
      const step = 1 + (a % 2);
      const sizes = v.shape.map((d, i) => (i === axis ? Math.ceil((d - from) / step) : d));
      v = p.slice(
        v,
        begins,
        sizes,
        v.shape.map((_, i) => (i === axis ? step : 1)),
      );
    } else if (kind === 'broadcast') v = p.broadcastTo(v, [1 + (b % 3), ...v.shape.map((d) => d)]);
    else {
      const all = elements(v.shape);
      const first = [2, 3, 4, 6].find((d, i) => all % d === 0 && i >= b % 4) ?? 1;
      const strides = p.reshapedStrides(v, [first, all / first]);
      if (strides) v = { ...v, shape: [first, all / first], strides };
    }
  }
  return v;
}
const node = (shape: readonly number[]): View => p.feed(0, 'float32', shape);

test('a view of a view reads what reading twice finds', () => {
  const seen = { composed: 0, apart: 0 };
  fc.assert(
    fc.property(shapes, changes, changes, (shape, inside, outside) => {
      const inner = viewOf(node(shape), inside);
      // The outer view is over an array of the inner one's shape.
      const outer = viewOf(node(inner.shape), outside);
      const one = compose(outer, inner);
      seen[one ? 'composed' : 'apart']++;
      if (!one) return;
      expect(one.node).toBe(inner.node);
      expect(one.shape).toEqual(outer.shape);
      const elementsOfInner = places(inner);
      expect(places(one)).toEqual(places(outer).map((i) => elementsOfInner[i]));
    }),
    { numRuns: 2000 },
  );
  expect(seen.composed).toBeGreaterThan(1000);
  expect(seen.apart).toBeGreaterThan(20);
});

test('without reshapes it always is one', () => {
  const plain = (made: Changes) => made.filter(([kind]) => kind !== 'reshape');
  fc.assert(
    fc.property(shapes, changes, changes, (shape, inside, outside) => {
      const inner = viewOf(node(shape), plain(inside));
      expect(compose(viewOf(node(inner.shape), plain(outside)), inner)).toBeDefined();
    }),
    { numRuns: 500 },
  );
});

test('decomposed, a view says the index along each axis of its node', () => {
  let decomposed = 0;
  fc.assert(
    fc.property(shapes, changes, (shape, made) => {
      const v = viewOf(node(shape), made);
      const axes = decompose(v);
      if (!axes) return;
      decomposed++;
      const flat = Array.from(indices(v.shape), (index) => {
        const at = axes.map(({ offset, coefficients }) => offset + dot(index, coefficients));
        for (const [d, i] of at.entries()) expect(i >= 0 && i < shape[d]).toBe(true);
        return dot(at, rowMajor(shape));
      });
      expect(flat).toEqual(places(v));
    }),
    { numRuns: 1000 },
  );
  expect(decomposed).toBeGreaterThan(500);
});

test('a step that carries from one axis into another is not an index along them', () => {
  const x = node([2, 3]);
  // Diagonal steps of 2 in rows of 3.
  expect(decompose(p.strided(x, [3], [2]))).toBeUndefined();
  expect(decompose(p.strided(x, [2], [4]))).toBeUndefined();
  expect(decompose(p.strided(x, [2, 2], [3, 1], 1))).toEqual([
    { offset: 0, coefficients: [1, 0] },
    { offset: 1, coefficients: [0, 1] },
  ]);
});
