// Whether iterations, or statements, could meet in memory: exactly where trying all of them finds that they do.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mayMeet } from '../../../src/loops/check/races.ts';
import { verifyKernel } from '../../../src/loops/check/verify.ts';
import type { Buffer, LoopVariable, Statement } from '../../../src/loops/ir.ts';
import * as ir from '../../../src/loops/ir.ts';
import { loop, set, store, variable } from '../build.ts';
import { a, b, f32, f32x4, i, int, kernel, machine, verify, zero, zeros } from './sample.ts';

describe('races', () => {
  const [m, n, k] = [variable('m', 8, 4), variable('n', 8, 4), variable('k', 3)];
  const tile = [0, 1, 2, 3].map((r) => store(b, ir.at(8 * r, [m, 8], [n, 1]), zeros));
  const refused = (...body: Statement[]) =>
    expect(() => verify(...body)).toThrow(/two iterations could touch the same/);
  test('are not seen in tiles, whichever loop is parallel', () => {
    verify(loop(m, [loop(n, tile)], 'parallel'));
    verify(loop(n, [loop(m, tile)], 'parallel'));
    verify(loop(n, [loop(k, [loop(m, tile)])], 'parallel'));
    const rest = variable('rest', 3);
    const wide = variable('wide', 8, 4);
    const rows = [
      store(b, ir.at(40, [rest, 8], [n, 1]), zeros),
      loop(wide, [store(b, ir.at(0, [wide, 8], [n, 1]), zeros)]),
    ];
    verify(loop(n, [loop(rest, rows)], 'parallel'));
  });
  test('are seen where iterations store to one element', () => {
    refused(loop(i, [store(b, ir.at(0), zero)], 'parallel'));
    refused(loop(i, [store(b, ir.at(0, [i, 2]), zeros)], 'parallel'));
    refused(loop(m, [loop(n, [store(b, ir.at(0, [m, 1], [n, 1]), zeros)])], 'parallel'));
    refused(loop(i, [loop(k, [store(b, ir.at(0, [i, 2], [k, 1]), zero)])], 'parallel'));
    refused(loop(n, [store(b, ir.at(0, [n, 1]), zeros), store(b, ir.at(7, [n, 1]), zeros)], 'parallel'));
  });
  test('are not seen between panels of two widths, one after the other', () => {
    const [channel, panel, u] = [variable('channel', 3), variable('panel', 2), variable('u', 2, 1)];
    const wide = (width: number) =>
      loop(panel, [loop(u, [store(b, ir.at(0, [panel, 24], [channel, width], [u, 4]), zeros)])]);
    const narrow = (begin: number) => store(b, ir.at(begin, [channel, 4]), zeros);
    verify(loop(channel, [wide(8), narrow(48)], 'parallel'));
    refused(loop(channel, [wide(8), narrow(44)], 'parallel'));
    refused(loop(channel, [wide(4), narrow(48)], 'parallel'));
    // Both walk from one place, and only the same iteration meets itself.
    const [even, odd] = [store(b, ir.at(0, [channel, 8]), zeros), store(b, ir.at(8, [channel, 16]), zeros)];
    refused(loop(channel, [even, odd], 'parallel'));
    const crossing = variable('crossing', 2);
    const [slow, fast] = [store(b, ir.at(8, [crossing, 8]), zeros), store(b, ir.at(0, [crossing, 16]), zeros)];
    verify(loop(crossing, [slow, fast], 'parallel'));
  });
  test('are seen where an element that all iterations read is stored by one', () => {
    const fixed = ir.load(b, ir.at(2), f32);
    refused(loop(i, [store(b, ir.at(0, [i, 1]), fixed)], 'parallel'));
    verify(loop(i, [store(b, ir.at(3, [i, 1]), fixed)], 'parallel'));
  });
  test('are seen where one iteration reads what another stores', () => {
    const next = ir.load(b, ir.at(1, [i, 1]), f32);
    refused(loop(i, [store(b, ir.at(0, [i, 1]), next)], 'parallel'));
    verify(loop(i, [store(b, ir.at(0, [i, 1]), ir.load(b, ir.at(0, [i, 1]), f32))], 'parallel'));
    refused(loop(i, [store(b, ir.at(0, [i, 1]), ir.loadAt(b, ir.constant(0, int), f32))], 'parallel'));
    refused(loop(i, [{ kind: 'storeAt', buffer: b, index: ir.constant(0, int), value: zero }], 'parallel'));
  });
  test('are seen between buffers that share storage', () => {
    const body = kernel(loop(i, [store(b, ir.at(0, [i, 1]), ir.load(a, ir.at(1, [i, 1]), f32))], 'parallel'));
    const apart = (buffer: Buffer) => ({ storage: 0, offset: buffer === a ? 256 : 0 });
    verifyKernel(body, machine, apart);
    expect(() => verifyKernel(body, machine, () => ({ storage: 0, offset: 0 }))).toThrow(/two iterations/);
    verifyKernel(body, machine, (buffer) => ({ storage: 0, offset: buffer === a ? 0 : 4 }));
  });
  test('are not seen between parts of vectors that touch neighbours', () => {
    const rows = variable('rows', 9);
    const part = (begin: number, count?: number) => store(b, ir.at(begin, [rows, 7]), zeros, count);
    verify(loop(rows, [part(0), part(4, 3)], 'parallel'));
    verify(loop(rows, [part(0, 3), part(3)], 'parallel'));
    refused(loop(variable('fewer', 8), [store(b, ir.at(0), zeros, 3)], 'parallel'));
    const eight = variable('eight', 8);
    const wide = (begin: number, count?: number) => store(b, ir.at(begin, [eight, 7]), zeros, count);
    refused(loop(eight, [wide(0), wide(4)], 'parallel'));
    refused(loop(eight, [wide(0), wide(5, 3)], 'parallel'));
    const read = (count?: number) => ir.load(b, ir.at(4, [eight, 7]), f32x4, 1, count);
    verify(loop(eight, [store(b, ir.at(4, [eight, 7]), read(3), 3)], 'parallel'));
    refused(loop(eight, [wide(0), store(a, ir.at(0, [eight, 4]), read())], 'parallel'));
    verify(loop(eight, [wide(0), store(a, ir.at(0, [eight, 4]), read(3))], 'parallel'));
    const strided = (count: number) => ir.load(b, ir.at(0, [eight, 7]), f32x4, 4, count);
    refused(loop(eight, [wide(0, 2), store(a, ir.at(0, [eight, 4]), strided(3))], 'parallel'));
    verify(loop(eight, [wide(0, 2), store(a, ir.at(0, [eight, 4]), strided(2))], 'parallel'));
    const rest = store(b, ir.at(61), zeros, 3);
    verify(loop(eight, [store(b, ir.at(0, [eight, 7]), zeros)], 'parallel'), rest);
    expect(() => verify(loop(eight, [store(b, ir.at(9, [eight, 7]), zeros)], 'parallel'), rest)).toThrow(
      /both touch b/,
    );
    const before = store(b, ir.at(6), zeros, 3);
    verify(loop(eight, [store(b, ir.at(9, [eight, 7]), zeros, 3)], 'parallel'), before);
  });
  test('only outermost loops are parallel', () => {
    expect(() => verify(loop(k, [loop(i, [store(b, ir.at(0, [i, 1]), zero)], 'parallel')]))).toThrow(
      /only the outermost/,
    );
  });
  test('are found exactly where trying all iterations finds them', () => {
    const stride = fc.integer({ min: -6, max: 6 });
    const access = fc.record({
      i: stride,
      j: stride,
      constant: fc.integer({ min: 0, max: 3 }),
      lanes: fc.integer({ min: 1, max: 4 }),
    });
    const sizes = fc.record({
      i: fc.integer({ min: 2, max: 5 }),
      j: fc.integer({ min: 2, max: 4 }),
      step: fc.integer({ min: 1, max: 3 }),
    });
    const seen = { race: 0, none: 0 };
    fc.assert(
      fc.property(sizes, fc.array(access, { minLength: 1, maxLength: 3 }), (size, accesses) => {
        const big: Buffer = { name: 'big', dtype: 'float32', length: 200 };
        const [v, w] = [variable('v', size.i * size.step, size.step), variable('w', size.j)];
        const statements = accesses.map((x) =>
          store(big, ir.at(100 + x.constant, [v, x.i], [w, x.j]), zeros, x.lanes === 4 ? undefined : x.lanes),
        );
        const owner = new Map<number, number>();
        let race = false;
        for (let p = 0; p < size.i; p++) {
          for (let q = 0; q < size.j; q++) {
            for (const x of accesses) {
              for (let l = 0; l < x.lanes; l++) {
                const element = x.constant + x.i * p * size.step + x.j * q + l;
                if ((owner.get(element) ?? p) !== p) race = true;
                owner.set(element, p);
              }
            }
          }
        }
        seen[race ? 'race' : 'none']++;
        const run = () => verify(loop(v, [loop(w, statements)], 'parallel'));
        if (race) expect(run).toThrow(/two iterations/);
        else run();
      }),
      { numRuns: 2000 },
    );
    expect(Math.min(seen.race, seen.none)).toBeGreaterThan(50);
  });
});

describe('statements of one thread', () => {
  const x: Buffer = { name: 'x', dtype: 'float32', length: 1000 };
  const y: Buffer = { name: 'y', dtype: 'float32', length: 1000 };
  const write = (index: ir.Affine, count?: number) =>
    store(x, index, count ? zeros : zero, count === 4 ? undefined : count);
  const read = (index: ir.Affine) => store(y, ir.at(0), ir.load(x, index, f32));

  test('meet where a loop around moves only one of them', () => {
    const [o, w] = [variable('o', 4), variable('w', 8)];
    const stored = [loop(w, [write(ir.at(64, [w, 1]))])];
    const loaded = [loop(variable('u', 8), [read(ir.at(0, [o, 64]))])];
    expect(mayMeet(stored, loaded)).toBe(true);
    expect(mayMeet(stored, [read(ir.at(0, [o, 128]))])).toBe(false);
    expect(mayMeet([write(ir.at(3, [o, 64]))], [read(ir.at(3, [o, 64]))])).toBe(true);
    // Where the loop around is, it is for both.
    expect(mayMeet([write(ir.at(0, [o, 64]))], [read(ir.at(64, [o, 64]))])).toBe(false);
  });

  test('do not meet where both only read, or in buffers of which none is stored', () => {
    expect(mayMeet([read(ir.at(3))], [store(b, ir.at(0), ir.load(x, ir.at(3), f32))])).toBe(false);
    expect(mayMeet([write(ir.at(3))], [store(y, ir.at(0), ir.load(b, ir.at(3), f32))])).toBe(false);
  });

  test('a search that would take too long gives up, and fears a meeting', () => {
    // Sums of even numbers are never odd, but only trying them all shows it.
    const meetingOf = (count: number): boolean => {
      const large: Buffer = { name: 'large', dtype: 'float32', length: 2 ** 24 };
      const loops = Array.from({ length: count }, (_, k) => variable(`v${k}`, 2));
      const strides = loops.map((_, k) => 2 * (1000 + ((k * 7919) % 4001)));
      const sum = strides.reduce((p, q) => p + q, 0);
      const index = ir.at(0, ...loops.map((v, k) => [v, strides[k]] as const));
      const nest = loops.reduceRight<Statement[]>((inside, v) => [loop(v, inside)], [store(large, index, zero)]);
      const odd = 2 * Math.floor(sum / 4) + 1;
      return mayMeet(nest, [store(y, ir.at(0), ir.load(large, ir.at(odd), f32))]);
    };
    expect(meetingOf(6)).toBe(false);
    expect(meetingOf(30)).toBe(true);
  });

  test('are found exactly where trying all iterations finds them', () => {
    const stride = fc.integer({ min: -5, max: 5 });
    const access = fc.record({
      write: fc.boolean(),
      outer: stride,
      shared: stride,
      own: stride,
      constant: fc.integer({ min: 0, max: 12 }),
      lanes: fc.integer({ min: 1, max: 4 }),
    });
    type Access = typeof access extends fc.Arbitrary<infer A> ? A : never;
    const some = fc.array(access, { minLength: 1, maxLength: 2 });
    const sizes = fc.record({
      outer: fc.integer({ min: 2, max: 3 }),
      shared: fc.integer({ min: 2, max: 4 }),
      own: fc.integer({ min: 2, max: 3 }),
      step: fc.integer({ min: 1, max: 3 }),
    });
    const seen = { meet: 0, apart: 0 };
    fc.assert(
      fc.property(sizes, some, some, fc.boolean(), (size, first, second, inLoop) => {
        const outer = variable('outer', size.outer);
        const shared = variable('shared', (size.shared - 1) * size.step + 1, size.step);
        /** Accesses inside a loop of their own; the shared one is around both, or one of the loops around. */
        const bodyOf = (accesses: readonly Access[], name: string): Statement[] => {
          const own: LoopVariable = variable(name, size.own);
          return [
            loop(
              own,
              accesses.map((t) => {
                const index = ir.at(200 + t.constant, [outer, t.outer], [shared, t.shared], [own, t.own]);
                const count = t.lanes === 4 ? undefined : t.lanes;
                if (t.write) return store(x, index, zeros, count);
                return set({ name: 't', type: f32x4 }, ir.load(x, index, f32x4, 1, count));
              }),
            ),
          ];
        };
        /** The elements that are touched at these values of the loops around. */
        const touched = (accesses: readonly Access[], o: number, s: number) =>
          accesses.flatMap((t) =>
            Array.from({ length: size.own * t.lanes }, (_, n) => ({
              write: t.write,
              at: t.constant + t.outer * o + t.shared * s * size.step + t.own * Math.floor(n / t.lanes) + (n % t.lanes),
            })),
          );
        let meet = false;
        for (let o = 0; o < size.outer; o++) {
          for (let s = 0; s < size.shared; s++) {
            for (let u = 0; u < size.shared; u++) {
              // Around both, it is where it is; as the loop in question, it is in two different iterations.
              if (inLoop ? s === u : s !== u) continue;
              const others = touched(second, o, u);
              meet ||= touched(first, o, s).some((p) => others.some((q) => p.at === q.at && (p.write || q.write)));
            }
          }
        }
        seen[meet ? 'meet' : 'apart']++;
        expect(mayMeet(bodyOf(first, 'p'), bodyOf(second, 'q'), inLoop ? shared : undefined)).toBe(meet);
      }),
      { numRuns: 3000 },
    );
    expect(Math.min(seen.meet, seen.apart)).toBeGreaterThan(200);
  });
});
