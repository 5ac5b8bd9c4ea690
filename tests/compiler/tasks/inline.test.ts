// Which maps are computed where they are read.
import { expect, test } from 'vitest';
import { atOnce } from '../../../src/base/turns.ts';
import { inline } from '../../../src/compiler/tasks/inline.ts';
import type { Primitive, View } from '../../../src/primitives/primitives.ts';
import * as p from '../../../src/primitives/primitives.ts';
import * as s from '../../../src/primitives/scalar.ts';
import { lowered } from '../../primitives/lowered.ts';

/** Is each of these views' nodes inline in a run that computes what is fetched? */
function inlineOf(views: readonly View[], fetches: readonly View[]): boolean[] {
  const { nodes } = lowered({ fetches });
  const inlined = atOnce(inline(nodes, new Set<Primitive>(fetches.map((v) => v.node))));
  return views.map((v) => inlined.has(v.node));
}

const x = p.feed(0, 'float32', [4, 6]);
const y = p.feed(1, 'float32', [4, 6]);
const row = p.feed(2, 'float32', [6]);
const neg = (v: View) => p.map([v], (a) => s.neg(a));
const exp = (v: View) => p.map([v], (a) => s.exp(a));
const add = (a: View, b: View) => p.map([a, b], (u, v) => s.add(u, v));
const sum = (v: View) => p.reduce('sum', v, [1]);

test('what is read once is, whatever it costs, by a map, a reduction, a part of an array or a check', () => {
  for (const read of [neg, sum, (v: View) => p.pad(v, [1, 0], [0, 0]), (v: View) => p.concat([v, y], 0)]) {
    const value = exp(add(x, y));
    expect(inlineOf([value], [read(value)])).toEqual([true]);
  }
});

test('what is kept is stored, and so is what is read by something that cannot compute', () => {
  const value = exp(x);
  expect(inlineOf([value], [value, neg(value)])).toEqual([false]);
  expect(inlineOf([value], [p.contract(p.broadcastTo(value, [4, 6]), y, 1)])).toEqual([false]);
  const index = p.map([p.feed(3, 'int32', [2])], (a) => s.add(a, 1));
  expect(inlineOf([value, index], [p.gather(value, index, 0)])).toEqual([false, false]);
});

test('what is read more often is stored, unless it is cheap and reads one array', () => {
  const twice = (value: View): View[] => [sum(value), p.reduce('max', value, [0])];
  const costly = exp(x);
  const cheap = neg(x);
  const ofTwo = add(x, y);
  // A row that is the same for all, or one number for a row, costs whoever walks along rows nothing.
  const perRow = add(x, p.broadcastTo(p.reshape(sum(y), [4, 1]), [4, 6]));
  expect(inlineOf([costly], twice(costly))).toEqual([false]);
  expect(inlineOf([cheap], twice(cheap))).toEqual([true]);
  expect(inlineOf([ofTwo], twice(ofTwo))).toEqual([false]);
  expect(inlineOf([perRow], twice(perRow))).toEqual([true]);
  // A bias is an array for whoever walks along rows.
  const biased = add(x, p.broadcastTo(row, [4, 6]));
  expect(inlineOf([biased], twice(biased))).toEqual([false]);
});

test('what is read once for each of many elements is stored, unless it is cheap', () => {
  const small = exp(row);
  expect(inlineOf([small], [add(x, p.broadcastTo(small, [4, 6]))])).toEqual([false]);
  const cheap = neg(row);
  expect(inlineOf([cheap], [add(x, p.broadcastTo(cheap, [4, 6]))])).toEqual([true]);
});

test('what is one constant is inline wherever it is read', () => {
  const two = p.map([p.constant(new Float32Array([1]), 'float32', [])], (a) => s.add(a, 1));
  const four = p.map([two, two], (a, b) => s.add(a, b));
  const spread = p.broadcastTo(four, [4, 6]);
  expect(inlineOf([two, four], [add(x, spread), exp(add(y, spread)), sum(add(x, spread))])).toEqual([true, true]);
});

test('it is not, where the view of it is no view of what it reads', () => {
  // Columns of three of what is four wide: rows run into each other.
  const value = exp(p.transpose(x, [1, 0]));
  const cut = p.reshape(value, [3, 8]);
  expect(cut.node).toBe(value.node);
  expect(inlineOf([value], [sum(cut)])).toEqual([false]);
  // A map that knows its index needs it along its own axes.
  const indexed = p.map([x], (a) => s.add(a, s.cast(s.index(1), 'float32')));
  expect(inlineOf([indexed], [neg(p.transpose(indexed, [1, 0]))])).toEqual([true]);
  expect(inlineOf([indexed], [neg(p.strided(indexed, [11], [2]))])).toEqual([false]);
});

test('chains are stored once in 64 steps, or where they have cost much, so that expressions stay short', () => {
  const storedOf = (f: (v: View) => View) => {
    const chain: View[] = [f(x)];
    for (let i = 1; i < 200; i++) chain.push(f(chain[i - 1]));
    return inlineOf(chain, [sum(chain[199])]).flatMap((inlined, i) => (inlined ? [] : [i]));
  };
  expect(storedOf(neg)).toEqual([64, 129, 194]);
  expect(storedOf(exp)).toEqual([20, 41, 62, 83, 104, 125, 146, 167, 188]);
});
