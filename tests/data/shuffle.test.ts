// The shuffle and its generator: every order is equally likely, and a seed gives the published numbers.
import { expect, test } from 'vitest';
import { shuffle, splitMix32 } from '../../src/data/shuffle.ts';

/** How often each order of so many elements comes, with so many seeds. */
function orders(elements: number, seeds: number): number[] {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < seeds; seed++) {
    const order = Uint32Array.from({ length: elements }, (_, i) => i);
    shuffle(order, splitMix32(seed));
    counts.set(order.join(), (counts.get(order.join()) ?? 0) + 1);
  }
  return [...counts.values()];
}

// Counts of fair draws are within four standard deviations, √n.
test.each([
  [1, 1],
  [2, 2],
  [3, 6],
  [4, 24],
])('all orders of %i elements come equally often', (elements, factorial) => {
  const counts = orders(elements, 1000 * factorial);
  expect(counts).toHaveLength(factorial);
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(4 * Math.sqrt(1000));
});

test('nothing is lost, doubled or made, and nothing happens to nothing', () => {
  const order = Uint32Array.from({ length: 1000 }, (_, i) => i);
  shuffle(order, splitMix32(5));
  expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  // Of 1000 elements one, on the average, is where it was.
  expect(order.filter((v, i) => v === i).length).toBeLessThan(8);
  shuffle(new Uint32Array(0), () => expect.unreachable());
});

test('draws at both ends of [0, 1) stay inside', () => {
  const almostOne = 1 - 2 ** -32;
  const [first, last] = [Uint32Array.of(0, 1, 2, 3), Uint32Array.of(0, 1, 2, 3)];
  shuffle(first, () => 0);
  shuffle(last, () => almostOne);
  expect(Array.from(first)).toEqual([1, 2, 3, 0]);
  expect(Array.from(last)).toEqual([0, 1, 2, 3]);
});

test('the generator spreads over [0, 1), differs from seed to seed, and repeats for one', () => {
  const draw = (seed: number, count: number) => {
    const random = splitMix32(seed);
    return Array.from({ length: count }, random);
  };
  const many = draw(1, 100_000);
  const buckets = new Array<number>(100).fill(0);
  for (const v of many) buckets[Math.floor(v * 100)]++;
  for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(4.5 * Math.sqrt(1000));
  expect(draw(1, 10)).toEqual(many.slice(0, 10));
  expect(new Set(Array.from({ length: 1000 }, (_, seed) => draw(seed, 1)[0])).size).toBe(1000);
});

test('the generator is SplitMix32: as written in whole numbers of any size', () => {
  const word = (v: bigint) => BigInt.asUintN(32, v);
  for (const seed of [0, 1, 7, -1, 2 ** 31, 2 ** 32 + 5]) {
    let state = word(BigInt(seed));
    const wanted = Array.from({ length: 20 }, () => {
      state = word(state + 0x9e3779b9n);
      let z = word((state ^ (state >> 16n)) * 0x21f0aaadn);
      z = word((z ^ (z >> 15n)) * 0x735a2d97n);
      return Number(z ^ (z >> 15n)) / 2 ** 32;
    });
    expect(Array.from({ length: 20 }, splitMix32(seed))).toEqual(wanted);
  }
});
