// Loops made one, and stores read from registers: random nests leave the same in memory, and what may not change stays.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { atOnce } from '../../../src/base/turns.ts';
import { verifyKernel } from '../../../src/loops/check/verify.ts';
import type { Buffer, Kernel, LoopVariable, Statement } from '../../../src/loops/ir.ts';
import * as ir from '../../../src/loops/ir.ts';
import { forwardStores } from '../../../src/loops/passes/forward.ts';
import { fuseLoops } from '../../../src/loops/passes/fuse-loops.ts';
import { around, buffer, loop, set, store, type, variable, when } from '../build.ts';
import { interpret } from '../interpret.ts';

const [rows, lanes, mostColumns] = [5, 4, 26];
const machine = { vectorBytes: 16, partialVectors: true, prefetches: false };
const float = type('float32');
const vector = type('float32', lanes);
/** Room for a row more before and after, and some columns beside. */
const stride = mostColumns + 6;
const matrices = ['a', 'b', 'c', 'd'].map((name) => buffer(name, 'float32', (rows + 2) * stride));
const columnsOf = ['m', 's'].map((name) => buffer(name, 'float32', rows + 2));

/** One pass over all rows: what is read, shifted by rows and columns, and where the result goes. */
const passes = fc.record({
  kind: fc.constantFrom('map', 'sum', 'spread'),
  from: fc.nat(3),
  also: fc.nat(3),
  to: fc.nat(3),
  column: fc.nat(1),
  down: fc.constantFrom(0, 0, 0, 1, -1),
  right: fc.constantFrom(0, 0, 0, 1, 4),
  copies: fc.constantFrom(1, 1, 2, 4),
  partial: fc.boolean(),
});
/** A whole number of vectors of which one, two or none are left behind several at once, and a part of one. */
const widths = fc.constantFrom(18, 22, mostColumns);
type Pass = typeof passes extends fc.Arbitrary<infer T> ? T : never;

/** The pass as kernels write it: vectors side by side, then single vectors, then a part of one or single elements. */
function nestOf(p: Pass, number: number, columns: number): Statement {
  const i = variable(`i${number}`, rows);
  const sums: ir.Local[] = [];
  const body: Statement[] = [];
  const at = (down: number, c: number, v?: LoopVariable) =>
    ir.at((1 + down) * stride + c, [i, stride], ...(v ? [[v, 1] as const] : []));
  const one = (c: number, width: number, v?: LoopVariable, count?: number): Statement[] => {
    const t = type('float32', width);
    const x = ir.load(matrices[p.from], at(p.down, c + p.right, v), t, 1, count);
    const spread = ir.load(columnsOf[p.column], ir.at(1, [i, 1]), t, 0);
    if (p.kind === 'sum') {
      const sum = { name: `s${number}_${sums.length}`, type: t };
      sums.push(sum);
      body.push(set(sum, ir.constant(0, t)));
      return [set(sum, ir.binary('maxFast', ir.local(sum), x))];
    }
    const y = p.kind === 'map' ? ir.load(matrices[p.also], at(0, c, v), t, 1, count) : spread;
    const local = { name: `t${number}_${c}`, type: t };
    return [set(local, ir.binary('sub', x, y)), store(matrices[p.to], at(0, c, v), ir.local(local), count)];
  };
  const wide = Math.floor(columns / (lanes * p.copies)) * lanes * p.copies;
  const v = variable(`v${number}`, wide, lanes * p.copies);
  const main = Array.from({ length: p.copies }, (_, u) => one(u * lanes, lanes, v)).flat();
  const steps: Statement[] = [...around(v, main)];
  const left = columns - wide;
  const vectors = Math.floor(left / lanes) * lanes;
  if (vectors > 0) {
    const w = variable(`w${number}`, vectors, lanes);
    steps.push(...around(w, one(wide, lanes, w)));
  }
  if (p.partial) steps.push(...one(wide + vectors, lanes, undefined, left - vectors));
  else {
    const r = variable(`r${number}`, left - vectors);
    steps.push(...around(r, one(wide + vectors, 1, r)));
  }
  const parts = sums.flatMap((s) => {
    const count = s.type.lanes === 1 ? 1 : p.partial && s === sums.at(-1) ? left - vectors : lanes;
    return Array.from({ length: count }, (_, l) => (s.type.lanes === 1 ? ir.local(s) : ir.lane(ir.local(s), l)));
  });
  const total =
    parts.length > 0
      ? [
          store(
            columnsOf[p.column],
            ir.at(1, [i, 1]),
            parts.reduce((a, b) => ir.binary('maxFast', a, b)),
          ),
        ]
      : [];
  return loop(i, [...body, ...steps, ...total]);
}

const kernelOf = (body: readonly Statement[]): Kernel => ({ name: 'test', body, flops: 0, bytes: 0 });

function resultOf(body: readonly Statement[]): Map<Buffer, Float32Array> {
  const all = [...matrices, ...columnsOf];
  const memory = new Map(
    all.map((b, n) => [b, Float32Array.from({ length: b.length }, (_, i) => Math.sin(i * 1.7 + n))]),
  );
  interpret(kernelOf(body), memory);
  return memory;
}

let fused = 0;
test('random passes over the rows of matrices leave the same bits', () => {
  fc.assert(
    fc.property(fc.array(passes, { minLength: 2, maxLength: 6 }), fc.subarray(matrices), widths, (all, own, width) => {
      const body = all.map((p, n) => nestOf(p, n, width));
      const once = atOnce(fuseLoops(body));
      if (once.length < body.length) fused++;
      const result = atOnce(forwardStores(once, (b) => own.includes(b)));
      verifyKernel(kernelOf(result), machine);
      const wanted = resultOf(body);
      const got = resultOf(result);
      for (const [b, values] of wanted) if (!own.includes(b)) expect(got.get(b)).toEqual(values);
    }),
    { numRuns: 500 },
  );
  expect(fused).toBeGreaterThan(100);
});

const [a, b, c] = matrices;
/** for v: to[v + shift] = −from[v] */
const negate = (from: Buffer, to: Buffer, shift = 0, v = variable('v', 16, 4)): Statement =>
  loop(v, [store(to, ir.at(shift, [v, 1]), ir.unary('neg', ir.load(from, ir.at(0, [v, 1]), vector)))]);

test('what a later iteration needs of an earlier loop keeps the loops apart', () => {
  expect(atOnce(fuseLoops([negate(a, b), negate(b, c)]))).toHaveLength(1);
  expect(atOnce(fuseLoops([negate(a, b, 4), negate(b, c)]))).toHaveLength(2);
  expect(atOnce(fuseLoops([negate(a, b), negate(c, a, 4)]))).toHaveLength(2);
});

test('a loop passes what does not concern it, and nothing else', () => {
  const other = store(c, ir.at(60), ir.constant(1, float));
  expect(atOnce(fuseLoops([negate(a, b), other, negate(b, c)]))).toHaveLength(2);
  const inTheWay = store(b, ir.at(3), ir.constant(1, float));
  expect(atOnce(fuseLoops([negate(a, b), inTheWay, negate(b, c)]))).toHaveLength(3);
});

test('loops that carry many registers stay apart', () => {
  const sum = (from: Buffer, count: number): Statement[] => {
    const v = variable('v', 16, 4);
    const sums = Array.from({ length: count }, (_, n) => ({ name: `${from.name}${n}`, type: vector }));
    const add = sums.map((s) => set(s, ir.binary('add', ir.local(s), ir.load(from, ir.at(0, [v, 1]), vector))));
    const stores = sums.map((s, n) => store(c, ir.at(4 * n), ir.local(s)));
    return [...sums.map((s) => set(s, ir.constant(0, vector))), loop(v, add), ...stores.slice(0, 1)];
  };
  const loops = (body: readonly Statement[]) => body.filter((s) => s.kind === 'loop').length;
  const small = atOnce(fuseLoops([...sum(a, 4), ...sum(b, 4)].filter((s) => s.kind !== 'store')));
  expect(loops(small)).toBe(1);
  const large = atOnce(fuseLoops([...sum(a, 8), ...sum(b, 8)].filter((s) => s.kind !== 'store')));
  expect(loops(large)).toBe(2);
});

test.each([
  [32, 4, 'of steps as large'],
  [32, 8, 'of larger steps'],
  [16, 4, 'so short that they are written out'],
])('a loop over elements becomes one in runs, as a sum in runs of %d by %d, %s', (size, step) => {
  const elements = 2 * size + 10;
  const v = variable('v', elements - (elements % 4), 4);
  const map = negate(a, b, 0, v);
  const sum = { name: 'sum', type: type('float32', 4) };
  const adding = (at: ir.Affine): Statement[] =>
    Array.from({ length: step / 4 }, (_, u) =>
      set(sum, ir.binary('add', ir.local(sum), ir.load(b, ir.plus(at, 4 * u), vector))),
    );
  const run = variable('run', 2 * size, size);
  const inside = variable('inside', size, step);
  const total = store(c, ir.at(0, [run, 1]), ir.local(sum));
  const body = [
    map,
    loop(run, [set(sum, ir.constant(0, vector)), loop(inside, adding(ir.at(0, [run, 1], [inside, 1]))), total]),
  ];
  const result = atOnce(fuseLoops(body));
  const [first, ...others] = result.filter((s) => s.kind === 'loop');
  expect([first.variable.extent, first.variable.step]).toEqual([2 * size, size]);
  expect(ir.bodyOf(first).filter((s) => s.kind === 'loop')).toHaveLength(1);
  // What no run has.
  expect(others.every((s) => s.variable.extent <= 8)).toBe(true);
  verifyKernel(kernelOf(result), machine);
  expect(resultOf(result)).toEqual(resultOf(body));
});

test.each([
  ['do not end with its last step', 56, 32, 60],
  ['reach further', 96, 32, 64],
  ['leave as much as one of them', 64, 32, 96],
])('a loop stays apart from runs that %s', (_, extent, size, elements) => {
  const sum = { name: 'sum', type: vector };
  const [run, inside] = [variable('run', extent, size), variable('inside', size, 4)];
  // Of another array, so that nothing else is in the way.
  const add = set(sum, ir.binary('add', ir.local(sum), ir.load(c, ir.at(0, [inside, 1]), vector)));
  const runs = loop(run, [set(sum, ir.constant(0, vector)), loop(inside, [add])]);
  const body = [negate(a, b, 0, variable('v', elements, 4)), runs];
  expect(atOnce(fuseLoops(body))).toEqual(body);
});

test.each(['in them', 'after them'])(
  'a register that only a condition sets is carried through iterations that are written out, read %s',
  (where) => {
    const last = { name: 'last', type: vector };
    const v = variable('v', 32, 4);
    const here = ir.at(0, [v, 1]);
    // Last so in the fifth of eight iterations: the first of a pair.
    const large = ir.compare('less', ir.constant(0.8, float), ir.load(a, here, float));
    const body = [
      set(last, ir.constant(0, vector)),
      loop(v, [
        when(large, [set(last, ir.load(a, here, vector))]),
        store(b, here, where === 'in them' ? ir.local(last) : ir.constant(1, vector)),
      ]),
      negate(c, matrices[3], 0, variable('w', 32, 8)),
      store(b, ir.at(40), ir.local(last)),
    ];
    const result = atOnce(fuseLoops(body));
    expect(result.filter((s) => s.kind === 'loop')).toHaveLength(1);
    verifyKernel(kernelOf(result), machine);
    expect(resultOf(result)).toEqual(resultOf(body));
  },
);
