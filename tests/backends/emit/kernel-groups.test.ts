// Kernels that share a function: enough of them, with no more addresses given than allowed, and only those that differ.
import { expect, test } from 'vitest';
import type { Origin } from '../../../src/backends/emit/addresses.ts';
import { groupsOf } from '../../../src/backends/emit/kernel-groups.ts';
import { atOnce } from '../../../src/base/turns.ts';
import type { Buffer, Kernel } from '../../../src/loops/ir.ts';
import * as ir from '../../../src/loops/ir.ts';
import { ownBuffer, withBuffers } from '../../../src/loops/patterns.ts';
import { buffer, loop, store, type, variable } from '../../loops/build.ts';

const i = variable('i', 4);
/** out = in + table, element by element. */
const [input, table, output] = ['in', 'table', 'out'].map((name) => buffer(name, 'float32', 4));
const at = ir.at(0, [i, 1]);
const load = (b: Buffer) => ir.load(b, at, type('float32'));
const first: Kernel = {
  ...{ name: 'k', flops: 0, bytes: 0 },
  body: [loop(i, [store(output, at, ir.binary('add', load(input), load(table)))])],
};
/** Kernels like the first, with an input and output of their own. */
const like = (count: number): Kernel[] => [
  first,
  ...Array.from({ length: count - 1 }, (_, n) => {
    const own = new Map([input, output].map((b) => [b, buffer(`${b.name}${n}`, 'float32', 4)]));
    return withBuffers(first, new Map([...own, [table, table]]));
  }),
];
/** Buffers lie one after another in the order in which they are first asked for. */
function placed(): (b: Buffer) => Origin {
  const origins = new Map<Buffer, Origin>();
  return (b) => {
    let origin = origins.get(b);
    if (!origin) origins.set(b, (origin = { base: 'arena', offset: 16 * origins.size }));
    return origin;
  };
}

test('from `fewest` on they share one, and what lies at one place for all is not given', () => {
  const originOf = placed();
  for (const count of [2, 3]) {
    const kernels = like(count);
    const groups = atOnce(groupsOf(kernels, originOf, { fewest: 3, mostGiven: 10 }));
    if (count < 3) {
      expect(groups.size).toBe(0);
      continue;
    }
    const [group, ...others] = kernels.map((k) => groups.get(k));
    expect(others.every((g) => g === group)).toBe(true);
    expect(new Set(group?.given)).toEqual(new Set([input, output]));
    // Its own function finds the addresses among its parameters, in the order of `given`, and the table where it is.
    expect(group?.given.map((b) => group.originOf(b))).toEqual([0, 1].map((n) => ({ base: `given ${n}`, offset: 0 })));
    expect(group?.originOf(table)).toEqual(originOf(table));
  }
});

test('a group that would be given too many addresses is none', () => {
  const originOf = placed();
  const kernels = like(4);
  expect(atOnce(groupsOf(kernels, originOf, { fewest: 2, mostGiven: 2 })).size).toBe(4);
  expect(atOnce(groupsOf(kernels, originOf, { fewest: 2, mostGiven: 1 })).size).toBe(0);
});

test('kernels that are at one place with everything are given nothing', () => {
  const originOf = (): Origin => ({ base: 'arena', offset: 0 });
  const kernels = like(3);
  const groups = atOnce(groupsOf(kernels, originOf, { fewest: 2, mostGiven: 0 }));
  expect(groups.get(kernels[2])?.given).toEqual([]);
  expect(ownBuffer(kernels[1], table)).toBe(table);
});
