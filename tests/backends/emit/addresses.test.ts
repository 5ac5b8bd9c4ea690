// Pointers that only add, against addresses computed from every index.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AddressBase, Addresses, type Pointer, type Scope } from '../../../src/backends/emit/addresses.ts';
import { atOnce } from '../../../src/base/turns.ts';
import type { Affine, Buffer, LoopVariable, Statement } from '../../../src/loops/ir.ts';
import * as ir from '../../../src/loops/ir.ts';
import { sizeOf } from '../../../src/tensor/dtype.ts';
import { buffer, loop, store, type, variable } from '../../loops/build.ts';

/** Where the bases are in these tests. */
const bases = new Map<AddressBase, number>([
  ['arena', 1_000_000],
  ['thread', 5_000_000],
]);
const buffers: readonly Buffer[] = [buffer('a', 'float32', 1), buffer('b', 'float64', 1), buffer('c', 'uint8', 1)];
const origins = new Map(
  buffers.map((b, i) => [b, { base: (['arena', 'thread', 'absolute'] as const)[i], offset: 64 * i }]),
);

interface Nest {
  readonly step: number;
  readonly accesses: readonly {
    readonly to: number;
    readonly constant: number;
    readonly coefficients: readonly number[];
  }[];
  readonly loops: readonly Nest[];
}
const nest: fc.Memo<Nest> = fc.memo((depth) =>
  fc.record({
    step: fc.integer({ min: 1, max: 4 }),
    accesses: fc.array(
      fc.record({
        to: fc.nat({ max: 3 }),
        constant: fc.integer({ min: -20, max: 20 }),
        coefficients: fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 4, maxLength: 4 }),
      }),
      { maxLength: 3 },
    ),
    loops: depth > 1 ? fc.array(nest(depth - 1), { maxLength: 2 }) : fc.constant([]),
  }),
);

/** Statements that access buffers, or compute an index, at sums of the variables around them. */
function statementsOf({ accesses, loops }: Nest, around: readonly LoopVariable[]): Statement[] {
  const stores = accesses.map(({ to, constant, coefficients }): Statement => {
    const index = ir.at(constant, ...around.map((v, i) => [v, coefficients[i]] as const));
    if (to < buffers.length) return store(buffers[to], index, ir.constant(1, type('float32')));
    return store(buffers[0], ir.at(0), ir.index(index, type('int32')));
  });
  const inner = loops.map((n, i) => {
    const v = variable(`v${around.length}${i}`, 3 * n.step, n.step);
    return loop(v, statementsOf(n, [...around, v]));
  });
  // What is accessed after the loops shares pointers with what was before.
  return [...stores.slice(0, 1), ...inner, ...stores.slice(1)];
}

/** Walks the loops as an emitter does, with the pointers as numbers in `locals`, and looks at each access. */
function follow(
  addresses: Addresses,
  statements: readonly Statement[],
  scope: Scope,
  values: ReadonlyMap<LoopVariable, number>,
  locals: Map<number, number>,
): void {
  const valueOf = (a: Affine) => a.terms.reduce((sum, [v, n]) => sum + n * (values.get(v) as number), a.constant);
  const reached = (pointer: Pointer | undefined, base: number) =>
    pointer ? (locals.get(pointer.local) as number) : base;
  let loops = 0;
  for (const s of statements) {
    if (s.kind === 'loop') {
      const inner = scope.loops[loops++];
      for (const p of inner.pointers.values()) {
        const from = p.parent ? (locals.get(p.parent.local) as number) : (bases.get(p.base) ?? 0);
        locals.set(p.local, from + (p.folded ?? 0) - (p.parent?.folded ?? 0));
      }
      addresses.enter(inner);
      for (let v = 0; v < s.variable.extent; v += s.variable.step) {
        follow(addresses, s.body, inner, new Map([...values, [s.variable, v]]), locals);
        for (const p of inner.pointers.values()) locals.set(p.local, (locals.get(p.local) as number) + p.bump);
      }
      addresses.leave();
    } else if (s.kind === 'store') {
      const { base, offset } = origins.get(s.buffer) as { base: AddressBase; offset: number };
      const address = addresses.element(s.buffer, s.index);
      const begin = bases.get(base) ?? 0;
      expect(reached(address.pointer, begin) + address.offset).toBe(
        begin + offset + valueOf(s.index) * sizeOf(s.buffer.dtype),
      );
      if (s.value.kind === 'index') {
        const value = addresses.index(s.value.index);
        expect(reached(value.pointer, 0) + value.offset).toBe(valueOf(s.value.index));
      }
    }
  }
}

const analysed = (statements: readonly Statement[], next = 0) => {
  const addresses = new Addresses(
    (b) => origins.get(b) as { base: AddressBase; offset: number },
    new Map([...bases].map(([base], i) => [base, 100 + i])),
    () => next++,
  );
  return { addresses, scope: atOnce(addresses.analyse(statements)) };
};

test('in every iteration of random nests each access is where its index says', () => {
  fc.assert(
    fc.property(nest(4), (n) => {
      const statements = statementsOf(n, []);
      const { addresses, scope } = analysed(statements);
      addresses.enter(scope);
      follow(addresses, statements, scope, new Map(), new Map());
      addresses.leave();
    }),
    { numRuns: 200 },
  );
});

test('offsets from a pointer are never negative: WebAssembly has no others', () => {
  fc.assert(
    fc.property(nest(3), (n) => {
      const statements = statementsOf(n, []);
      const { addresses, scope } = analysed(statements);
      const walk = (all: readonly Statement[], inside: Scope): void => {
        let loops = 0;
        for (const s of all) {
          if (s.kind === 'store') {
            const { pointer, offset } = addresses.element(s.buffer, s.index);
            if (pointer) expect(offset).toBeGreaterThanOrEqual(0);
          } else if (s.kind === 'loop') {
            const inner = inside.loops[loops++];
            addresses.enter(inner);
            walk(s.body, inner);
            addresses.leave();
          }
        }
      };
      addresses.enter(scope);
      walk(statements, scope);
      addresses.leave();
    }),
    { numRuns: 200 },
  );
});

test('accesses whose addresses differ by a constant share a pointer', () => {
  const i = variable('i', 10);
  const one = ir.constant(1, type('float32'));
  const at = (constant: number, n = 2) => store(buffers[0], ir.at(constant, [i, n]), one);
  // What does not move with the loop has none.
  const { scope } = analysed([loop(i, [at(0), at(7), at(3, 5), at(1, 0)])]);
  expect([...scope.loops[0].pointers.values()].map(({ bump, folded }) => [bump, folded])).toEqual([
    [8, 0],
    [20, 12],
  ]);
});

test('a load downwards counts from its last lane', () => {
  const i = variable('i', 10);
  const value = ir.load(buffers[0], ir.at(6, [i, 1]), ir.valueType('float32', 4), -2);
  const { scope } = analysed([loop(i, [store(buffers[1], ir.at(0), value)])]);
  expect([...scope.loops[0].pointers.values()].map(({ folded }) => folded)).toEqual([0]);
});
