// Loads that a loop does not change: they go before it, and the kernel does the same.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { atOnce } from '../../../src/base/turns.ts';
import { printKernel } from '../../../src/loops/check/print.ts';
import { verifyKernel } from '../../../src/loops/check/verify.ts';
import type { Buffer, Expression, Kernel, LoopVariable, Statement, ValueType } from '../../../src/loops/ir.ts';
import * as ir from '../../../src/loops/ir.ts';
import { hoist, hoistLoads } from '../../../src/loops/passes/hoist.ts';
import { buffersOf, patternOf, withBuffers } from '../../../src/loops/patterns.ts';
import { touchedBy } from '../../../src/loops/touching.ts';
import { buffer, loop, store, variable, when } from '../build.ts';
import { interpret } from '../interpret.ts';

const f32: ValueType = { dtype: 'float32', lanes: 1 };
const f32x4: ValueType = { dtype: 'float32', lanes: 4 };
const a: Buffer = { name: 'a', dtype: 'float32', length: 64 };
const b: Buffer = { name: 'b', dtype: 'float32', length: 64 };
const kernel = (body: readonly Statement[]): Kernel => ({ name: 'sample', body, flops: 12, bytes: 34 });
const text = (body: readonly Statement[]) =>
  printKernel(kernel(body))
    .split('\n')
    .slice(1)
    .map((l) => l.slice(2));

test('invariant loads leave innermost loops, once for equal addresses, as far as registers go', () => {
  const [i, j] = [variable('i', 4), variable('j', 16, 4)];
  const scalar = (n: number) => ir.load(a, ir.at(n, [i, 1]), f32x4, 0);
  const sum = ir.binary(
    'add',
    scalar(0),
    ir.binary('add', scalar(0), ir.binary('add', scalar(1), ir.load(a, ir.at(0, [j, 1]), f32x4))),
  );
  const body = [loop(i, [loop(j, [{ kind: 'store', buffer: b, index: ir.at(0, [i, 16], [j, 1]), value: sum }])])];
  expect(text(atOnce(hoistLoads(body, 5)))).toEqual([
    'for i < 4',
    '  hoisted0: float32x4 = a[i x4 by 0]',
    '  for j < 16 step 4',
    '    b[16*i + j x4] = (hoisted0 + (hoisted0 + (a[1 + i x4 by 0] + a[j x4])))',
  ]);
});

test('invariant loads of different parts of one vector leave a loop each for itself', () => {
  const i = variable('i', 8, 4);
  const part = (count?: number) => ir.load(a, ir.at(0), f32x4, 1, count);
  const sum = [part(2), part(), part(3)].reduce((x, y) => ir.binary('add', x, y), part(2));
  expect(text(atOnce(hoistLoads([loop(i, [store(b, ir.at(0, [i, 1]), sum, 3)])], 16)))).toEqual([
    'hoisted0: float32x4 = a[0 x2]',
    'hoisted1: float32x4 = a[0 x4]',
    'hoisted2: float32x4 = a[0 x3]',
    'for i < 8 step 4',
    '  b[i x3] = (((hoisted0 + hoisted0) + hoisted1) + hoisted2)',
  ]);
});

test('a load of what the loop stores stays where it is, also under a condition', () => {
  const i = variable('i', 8);
  const add = (from: Buffer, to: Buffer) => store(to, ir.at(0, [i, 1]), ir.load(from, ir.at(3), f32));
  const condition = ir.load({ name: 'flag', dtype: 'bool', length: 1 }, ir.at(0), { dtype: 'bool', lanes: 1 });
  for (const body of [[add(a, a)], [add(a, b), when(condition, [add(b, a)])]]) {
    const printed = text(atOnce(hoistLoads([loop(i, body)], 16)));
    expect(printed.filter((line) => line.includes('= a[3]'))).toEqual([
      expect.stringMatching(/^ +[ab]\[i\] = a\[3\]$/),
    ]);
  }
  const somewhere: Statement = {
    kind: 'storeAt',
    buffer: a,
    index: ir.index(ir.at(0, [i, 1]), { dtype: 'int32', lanes: 1 }),
    value: ir.load(a, ir.at(3), f32),
  };
  for (const body of [[somewhere], [when(condition, [somewhere])]]) {
    expect(
      text(atOnce(hoistLoads([loop(i, body)], 16))).filter((line) => line.includes('hoisted') && line.includes('a[')),
    ).toEqual([]);
  }
  expect(text(atOnce(hoistLoads([loop(i, [when(condition, [add(a, b)])])], 16)))).toEqual([
    'hoisted0: bool = flag[0]',
    'hoisted1: float32 = a[3]',
    'for i < 8',
    '  if hoisted0',
    '    b[i] = hoisted1',
  ]);
});

test('kernels of one structure are rewritten once, each with its own buffers, in the order in which they were', () => {
  const i = variable('i', 8);
  const x = ir.binary('add', ir.load(b, ir.at(0, [i, 1]), f32), ir.load(a, ir.at(3), f32));
  const built = kernel([loop(i, [store(buffer('c', 'float32', 8), ir.at(0, [i, 1]), x)])]);
  const pattern: Kernel = { ...built, buffers: buffersOf(built) };
  const d = buffer('d', 'float32', 64);
  const other = withBuffers(pattern, new Map([[a, d]]));
  const [first, second, third] = atOnce(hoist([pattern, other, kernel([])], { registers: 16 }));
  expect(patternOf(second)).toBe(first);
  expect(text(second.body)).toEqual(['hoisted0: float32 = d[3]', 'for i < 8', '  c[i] = (b[i] + hoisted0)']);
  // The load of a comes first now, and b is still the first buffer.
  expect(buffersOf(first).map((x) => x.name)).toEqual(['b', 'a', 'c']);
  expect(buffersOf(second).map((x) => x.name)).toEqual(['b', 'd', 'c']);
  expect(third.body).toEqual([]);
});

const matrices = ['m', 'n', 'o', 'p'].map((name) => buffer(name, 'float32', 200));
const coefficient = fc.constantFrom(0, 0, 1, 2, -1);
const access = fc.record({ of: fc.nat(3), i: coefficient, j: coefficient, begin: fc.nat(20), spread: fc.boolean() });
const nests = fc.record({
  stores: fc.array(fc.record({ to: access, from: fc.array(access, { minLength: 1, maxLength: 3 }) }), {
    minLength: 1,
    maxLength: 3,
  }),
  lanes: fc.constantFrom(1, 4),
  under: fc.boolean(),
  counted: fc.boolean(),
  between: fc.boolean(),
  registers: fc.constantFrom(4, 6, 16),
});

/** Loads of an innermost loop that could go before it. */
function invariantLoads(statements: readonly Statement[], inside?: { v: LoopVariable; stored: ReadonlySet<Buffer> }) {
  const found: (Expression & { kind: 'load' })[] = [];
  const visit = (e: Expression): void => {
    const moves = e.kind === 'load' && e.index.terms.some(([v]) => v === inside?.v);
    if (e.kind === 'load' && inside && !moves && !inside.stored.has(e.buffer)) found.push(e);
    ir.forEachOperand(e, visit);
  };
  for (const s of statements) {
    if (inside) ir.expressionsOf(s).forEach(visit);
    const { written } = touchedBy(ir.bodyOf(s));
    const innermost = s.kind === 'loop' && !s.body.some((x) => x.kind === 'loop');
    found.push(...invariantLoads(ir.bodyOf(s), innermost ? { v: s.variable, stored: written } : inside));
  }
  return found;
}

test('random nests leave the same bits, and no load of a single number stays that could go', () => {
  const seen = { moved: 0, stayed: 0 };
  fc.assert(
    fc.property(nests, ({ stores, lanes, under, counted, between, registers }) => {
      const [i, j] = [variable('i', 5), variable('j', 12, 4)];
      const t = { dtype: 'float32', lanes } as const;
      const index = (x: { i: number; j: number; begin: number }) => ir.at(60 + x.begin, [i, x.i], [j, x.j]);
      const load = (x: { of: number; i: number; j: number; begin: number; spread: boolean }) =>
        ir.load(matrices[x.of], index(x), t, x.spread ? 0 : 1);
      const inner = stores.map(({ to, from }) =>
        store(
          matrices[to.of],
          index(to),
          from.map(load).reduce((x, y) => ir.binary('add', x, y)),
        ),
      );
      const int: ValueType = { dtype: 'int32', lanes: 1 };
      const some = ir.compare('less', ir.index(ir.at(0, [i, 1]), int), ir.constant(3, int));
      const nest = [
        {
          ...loop(j, under ? [when(some, inner)] : inner),
          ...(counted && { count: ir.index(ir.at(0), int) }),
        } as Statement,
      ];
      const body = [loop(i, between ? [...nest, store(matrices[0], ir.at(0, [i, 1]), ir.constant(1, f32))] : nest)];
      const after = atOnce(hoistLoads(body, registers));
      verifyKernel(kernel(after), { vectorBytes: 16, partialVectors: false, prefetches: false });
      const results = [body, after].map((statements) => {
        const memory = new Map(
          matrices.map((m, k) => [m, Float32Array.from({ length: 200 }, (_, n) => Math.sin(n + k))]),
        );
        interpret(kernel(statements), memory);
        return memory;
      });
      expect(results[1]).toEqual(results[0]);
      const left = invariantLoads(after);
      seen.moved += invariantLoads(body).length - left.length;
      seen.stayed += left.length;
      expect(left.filter((e) => e.type.lanes === 1)).toEqual([]);
      // Vectors stay only where there are too few registers for them.
      if (registers === 16) expect(left).toEqual([]);
    }),
    { numRuns: 500 },
  );
  expect(Math.min(seen.moved, seen.stayed)).toBeGreaterThan(50);
});
