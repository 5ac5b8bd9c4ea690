// What was just stored is read from a register: random programs leave the same in memory.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { atOnce } from '../../../src/base/turns.ts';
import { printKernel } from '../../../src/loops/check/print.ts';
import { verifyKernel } from '../../../src/loops/check/verify.ts';
import type { Buffer, Kernel, Local, LoopVariable, Statement } from '../../../src/loops/ir.ts';
import * as ir from '../../../src/loops/ir.ts';
import { forwardStores } from '../../../src/loops/passes/forward.ts';
import { buffer, loop, set, store, type, variable, when } from '../build.ts';
import { interpret } from '../interpret.ts';

const machine = { vectorBytes: 16, partialVectors: true, prefetches: false };
const float = type('float32');
const vector = type('float32', 4);
const int = type('int32');
const buffers = ['a', 'b', 'c'].map((name) => buffer(name, 'float32', 40));
const [a, b, c] = buffers;
const kernelOf = (body: readonly Statement[]): Kernel => ({ name: 'test', body, flops: 0, bytes: 0 });
const text = (body: readonly Statement[]) =>
  printKernel(kernelOf(body))
    .split('\n')
    .slice(1)
    .map((line) => line.slice(2));

function resultOf(body: readonly Statement[]): Map<Buffer, Float32Array> {
  const memory = new Map(
    buffers.map((x, n) => [x, Float32Array.from({ length: 40 }, (_, i) => Math.sin(i * 1.7 + n))]),
  );
  interpret(kernelOf(body), memory);
  return memory;
}

/** The program as it is and forwarded, with nothing of its own. */
function sameAsBefore(body: readonly Statement[]): void {
  const after = atOnce(forwardStores(body, () => false));
  verifyKernel(kernelOf(after), machine);
  expect(resultOf(after)).toEqual(resultOf(body));
}

const load = (from: Buffer, index: ir.Affine, t = float) => ir.load(from, index, t);
const add = (x: ir.Expression, y: ir.Expression) => ir.binary('add', x, y);
const one = ir.constant(1, float);

test('a load of what was stored becomes the register, and a store to what nothing reads any more goes', () => {
  const body = [
    store(a, ir.at(0), load(b, ir.at(0), vector)),
    store(c, ir.at(4), add(load(a, ir.at(0), vector), load(a, ir.at(0), vector))),
  ];
  expect(text(atOnce(forwardStores(body, () => false)))).toEqual([
    'kept0: float32x4 = b[0 x4]',
    'a[0 x4] = kept0',
    'c[4 x4] = (kept0 + kept0)',
  ]);
  expect(text(atOnce(forwardStores(body, (x) => x === a)))).toEqual([
    'kept0: float32x4 = b[0 x4]',
    'c[4 x4] = (kept0 + kept0)',
  ]);
});

test('one element of a register is loaded for all lanes, other elements are loaded from memory', () => {
  const body = [
    store(a, ir.at(3), load(b, ir.at(0))),
    store(c, ir.at(0), ir.load(a, ir.at(3), vector, 0)),
    store(c, ir.at(4), ir.load(a, ir.at(3), vector)),
  ];
  expect(text(atOnce(forwardStores(body, () => false))).slice(2)).toEqual([
    'c[0 x4] = splat(kept0)',
    'c[4 x4] = a[3 x4]',
  ]);
  sameAsBefore(body);
});

test('what a loop changes is known neither in it nor after it', () => {
  const v = variable('v', 4);
  const body = [
    store(a, ir.at(0), one),
    loop(v, [store(a, ir.at(0), add(load(a, ir.at(0)), one))]),
    store(b, ir.at(0), load(a, ir.at(0))),
  ];
  sameAsBefore(body);
  expect(resultOf(atOnce(forwardStores(body, () => false))).get(b)?.[0]).toBe(5);
});

test('nor is what a condition changes, or a register that was set again', () => {
  const less = ir.compare('less', load(b, ir.at(0)), one);
  const t: Local = { name: 't', type: float };
  sameAsBefore([
    store(a, ir.at(0), one),
    when(less, [store(a, ir.at(0), load(b, ir.at(3)))]),
    store(c, ir.at(0), load(a, ir.at(0))),
  ]);
  sameAsBefore([
    set(t, load(b, ir.at(1))),
    store(a, ir.at(0), ir.local(t)),
    set(t, load(b, ir.at(2))),
    store(c, ir.at(0), add(load(a, ir.at(0)), ir.local(t))),
  ]);
});

test('a store into the middle of a vector, at a place that moves, makes it unknown', () => {
  const w = variable('w', 4);
  const body = [
    loop(w, [
      store(a, ir.at(0), ir.splat(one, 4)),
      store(a, ir.at(2, [w, 1]), ir.constant(5, float)),
      store(b, ir.at(0, [w, 4]), load(a, ir.at(0), vector)),
    ]),
  ];
  sameAsBefore(body);
});

test('what lies right before a store, right after it, or in another array stays known', () => {
  const body = [
    ...[a, b].map((x) => store(x, ir.at(4), ir.splat(one, 4))),
    store(a, ir.at(3), ir.constant(2, float)),
    store(a, ir.at(8), ir.constant(3, float)),
    ...[a, b].map((x) => store(c, ir.at(0), load(x, ir.at(4), vector))),
    store(c, ir.at(9), add(load(a, ir.at(3)), load(a, ir.at(8)))),
  ];
  expect(loadsIn(atOnce(forwardStores(body, () => false)))).toBe(0);
  sameAsBefore(body);
});

test('a store at a computed place makes a buffer unknown', () => {
  const at = ir.convert(ir.binary('mul', load(b, ir.at(0)), ir.constant(0, float)), 'int32');
  const body: Statement[] = [
    store(a, ir.at(0), one),
    { kind: 'storeAt', buffer: a, index: at, value: ir.constant(7, float) },
    store(c, ir.at(0), load(a, ir.at(0))),
  ];
  sameAsBefore(body);
  expect(resultOf(atOnce(forwardStores(body, () => false))).get(c)?.[0]).toBe(7);
});

test('types that do not come back as they were are loaded', () => {
  const bytes = buffer('bytes', 'uint8', 8);
  const flags = buffer('flags', 'bool', 8);
  const body = [
    store(bytes, ir.at(0), ir.constant(300, int)),
    store(flags, ir.at(0), ir.constant(1, type('bool'))),
    store(a, ir.at(0), ir.convert(ir.load(bytes, ir.at(0), int), 'float32')),
    when(ir.load(flags, ir.at(0), type('bool')), [store(a, ir.at(1), one)]),
  ];
  expect(text(atOnce(forwardStores(body, () => false))).slice(2)).toEqual([
    'a[0] = to float32(bytes[0])',
    'if flags[0]',
    '  a[1] = 1',
  ]);
});

test('padding that is stored is not read from a register', () => {
  const part = ir.store(a, ir.at(0), ir.load(b, ir.at(0), vector, 1, 3), 3);
  const padded = store(c, ir.at(0), ir.load(a, ir.at(0), vector, 1, 3));
  expect(text(atOnce(forwardStores([part, padded], () => false))).at(-1)).toBe('c[0 x4] = a[0 x3]');
});

// ---- random programs
interface Place {
  readonly of: number;
  readonly begin: number;
  readonly i: number;
  readonly j: number;
  readonly vector: boolean;
  readonly part: boolean;
}
interface Store {
  readonly kind: 'store';
  readonly to: Place;
  readonly value: 'constant' | 'load' | 'sum' | 'local';
  readonly from: Place;
}
type Step =
  | Store
  | { readonly kind: 'set'; readonly from: Place; readonly add: boolean }
  | { readonly kind: 'loop'; readonly body: readonly Step[] }
  | { readonly kind: 'if'; readonly body: readonly Step[] };

const place = fc.record<Place>({
  of: fc.nat(2),
  begin: fc.integer({ min: 0, max: 6 }),
  i: fc.constantFrom(0, 0, 0, 1, 4),
  j: fc.constantFrom(0, 0, 0, 1, 4),
  vector: fc.boolean(),
  part: fc.boolean(),
});
const simple: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('store' as const),
    to: place,
    value: fc.constantFrom('constant', 'load', 'sum', 'local'),
    from: place,
  }),
  fc.record({ kind: fc.constant('set' as const), from: place, add: fc.boolean() }),
);
const steps = (body: fc.Arbitrary<Step>) => fc.array(body, { minLength: 1, maxLength: 4 });
const inner = fc.oneof(
  { weight: 4, arbitrary: simple },
  fc.record({ kind: fc.constantFrom('loop' as const, 'if' as const), body: steps(simple) }),
);
const storeOf = (to: Place, from: Place): Step => ({ kind: 'store', to, value: 'load', from });
/** What is stored in an array, and loaded again after others near it. */
const again = fc
  .record({ at: place, others: fc.array(place, { minLength: 1, maxLength: 2 }), from: place, to: place })
  .map(({ at, others, from, to }): Step => {
    const near = others.map((other) => storeOf({ ...other, of: at.of }, from));
    return {
      kind: 'loop',
      body: [storeOf(at, from), ...near, storeOf({ ...to, vector: at.vector, part: at.part }, at)],
    };
  });
const outer = fc.oneof(
  { weight: 2, arbitrary: simple },
  { weight: 1, arbitrary: again },
  fc.record({ kind: fc.constantFrom('loop' as const, 'if' as const), body: steps(inner) }),
);

const locals = [
  { name: 's', type: float },
  { name: 'v', type: vector },
];

function statementsOf(all: readonly Step[], loops: readonly LoopVariable[]): Statement[] {
  const [i, j] = loops;
  const indexOf = ({ begin, ...p }: Place) =>
    ir.at(begin, ...(i ? [[i, p.i] as const] : []), ...(j ? [[j, p.j] as const] : []));
  const countOf = (p: Place, wide: boolean) => (wide && p.part ? 3 : undefined);
  const read = (p: Place, wide: boolean) =>
    ir.load(buffers[p.of], indexOf(p), wide ? vector : float, 1, countOf(p, wide));
  return all.map((s): Statement => {
    if (s.kind === 'loop') {
      const v = variable(`v${loops.length}`, 3);
      return loop(v, statementsOf(s.body, [...loops, v]));
    }
    if (s.kind === 'if') {
      const condition = ir.compare('less', load(c, ir.at(39)), ir.constant(2, float));
      return when(condition, statementsOf(s.body, loops));
    }
    const wide = s.kind === 'set' ? s.from.vector : s.to.vector;
    const local = locals[Number(wide)];
    if (s.kind === 'set') {
      const value = read(s.from, wide);
      return set(local, s.add ? add(ir.local(local), value) : value);
    }
    const value = {
      constant: () => ir.splat(ir.constant(s.to.begin, float), wide ? 4 : 1),
      load: () => read(s.from, wide),
      sum: () => add(read(s.from, wide), ir.local(local)),
      local: () => ir.local(local),
    }[s.value]();
    return store(buffers[s.to.of], indexOf(s.to), value, countOf(s.to, wide));
  });
}

function loadsIn(body: readonly Statement[]): number {
  let count = 0;
  const visit = (e: ir.Expression): void => {
    if (e.kind === 'load') count++;
    ir.forEachOperand(e, visit);
  };
  const walk = (s: Statement): void => {
    ir.expressionsOf(s).forEach(visit);
    ir.bodyOf(s).forEach(walk);
  };
  body.forEach(walk);
  return count;
}

test('random programs leave the same in memory, whatever is their own', () => {
  let fewer = 0;
  fc.assert(
    fc.property(fc.array(outer, { minLength: 2, maxLength: 7 }), fc.subarray(buffers), (made, own) => {
      const begin = locals.map((l) => set(l, ir.splat(ir.constant(0.5, float), l.type.lanes)));
      const body = [...begin, ...statementsOf(made, [])];
      const after = atOnce(forwardStores(body, (x) => own.includes(x)));
      verifyKernel(kernelOf(after), machine);
      if (loadsIn(after) < loadsIn(body)) fewer++;
      const [wanted, found] = [resultOf(body), resultOf(after)];
      for (const x of buffers) if (!own.includes(x)) expect([x.name, found.get(x)]).toEqual([x.name, wanted.get(x)]);
    }),
    { numRuns: 3000 },
  );
  expect(fewer).toBeGreaterThan(300);
});
