// The WebAssembly emitter against the interpreter: memory, loops of every form, and whole programs.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Buffer, Local, Statement } from '../../../../src/loops/ir.ts';
import * as ir from '../../../../src/loops/ir.ts';
import type { DType } from '../../../../src/tensor/dtype.ts';
import { around, buffer, loop, samples, set, store, type, variable, when } from '../../../loops/build.ts';
import { instantiate, kernelOf, programOf, runBoth } from '../run.ts';

describe.each<[DType, number]>([
  ['float32', 4],
  ['float64', 2],
  ['int32', 4],
  ['uint8', 4],
  ['bool', 4],
  ['bool', 2],
])('loads of %s × %i', (dtype, lanes) => {
  test.each([1, 0, -1, 2, 3, -2])('with lane stride %i', (laneStride) => {
    const a = buffer('a', dtype, 20);
    const t = ir.valueType(dtype, lanes);
    const reach = (lanes - 1) * laneStride;
    const extent = 20 - Math.abs(reach);
    const i = variable('i', extent);
    const out = buffer('out', dtype, extent * lanes);
    const begin = Math.max(0, -reach);
    const kernel = kernelOf(
      loop(i, [store(out, ir.at(0, [i, lanes]), ir.load(a, ir.at(begin, [i, 1]), t, laneStride))]),
    );
    runBoth(
      kernel,
      new Map([
        [a, samples[dtype]],
        [out, []],
      ]),
    );
  });
  test('at computed indices, and stores there', () => {
    const a = buffer('a', dtype, 20);
    const out = buffer('out', dtype, 20);
    const order = buffer('order', 'int32', 20);
    const i = variable('i', 20);
    const index = ir.load(order, ir.at(0, [i, 1]), type('int32'));
    const value = ir.loadAt(a, index, ir.valueType(dtype, 1));
    const kernel = kernelOf(
      loop(i, [{ kind: 'storeAt', buffer: out, index: ir.index(ir.at(19, [i, -1]), type('int32')), value }]),
    );
    runBoth(
      kernel,
      new Map([
        [a, samples[dtype]],
        [order, samples.uint8.map((_, k) => (k * 7) % 20)],
        [out, []],
      ]),
    );
  });
});

test.each(['float32', 'int32', 'float64'] as const)(
  '%s vectors are loaded at computed indices, a part of which is constant',
  (dtype) => {
    const lanes = dtype === 'float64' ? 2 : 4;
    const a = buffer('a', dtype, 20);
    const out = buffer('out', dtype, 40);
    const order = buffer('order', 'int32', 10);
    const i = variable('i', 10);
    const index = ir.load(order, ir.at(0, [i, 1]), type('int32'));
    const value = ir.loadAt(a, index, ir.valueType(dtype, lanes), 3);
    const kernel = kernelOf(loop(i, [store(out, ir.at(0, [i, lanes]), value)]));
    runBoth(
      kernel,
      new Map([
        [a, samples[dtype]],
        [order, [0, 13, 5, 1, 12, 7, 7, 2, 9, 4]],
        [out, []],
      ]),
    );
  },
);

test('a serial loop may count its iterations, and have none', () => {
  const a = buffer('a', 'int32', 60);
  const counts = buffer('counts', 'int32', 6);
  const out = buffer('out', 'int32', 6);
  const [i, k] = [variable('i', 6), variable('k', 10)];
  const sum = { name: 'sum', type: type('int32') };
  const add = ir.binary('add', ir.local(sum), ir.load(a, ir.at(0, [i, 10], [k, 1]), type('int32')));
  const kernel = kernelOf(
    loop(i, [
      { kind: 'set', local: sum, value: ir.constant(0, type('int32')) },
      {
        kind: 'loop',
        variable: k,
        loop: 'serial',
        count: ir.load(counts, ir.at(0, [i, 1]), type('int32')),
        body: [{ kind: 'set', local: sum, value: add }],
      },
      store(out, ir.at(0, [i, 1]), ir.local(sum)),
    ]),
  );
  runBoth(
    kernel,
    new Map([
      [a, Array.from({ length: 60 }, (_, n) => n * n)],
      [counts, [3, 0, 10, 1, 0, 7]],
      [out, []],
    ]),
  );
});

test('bytes wrap when they are stored', () => {
  const a = buffer('a', 'int32', 20);
  const out = buffer('out', 'uint8', 20);
  for (const lanes of [1, 4]) {
    const i = variable('i', 20, lanes);
    const kernel = kernelOf(
      loop(i, [store(out, ir.at(0, [i, 1]), ir.load(a, ir.at(0, [i, 1]), type('int32', lanes)))]),
    );
    runBoth(
      kernel,
      new Map([
        [a, samples.int32],
        [out, []],
      ]),
    );
  }
});

test('a tile of a matrix product, with rests in every axis', () => {
  const [M, N, K] = [7, 13, 5];
  const a = buffer('a', 'float32', M * K);
  const b = buffer('b', 'float32', K * N);
  const c = buffer('c', 'float32', M * N);
  const body: Statement[] = [];
  for (const [m0, rows, height] of [
    [0, 4, 4],
    [4, 3, 3],
  ]) {
    for (const [n0, columns, lanes] of [
      [0, 12, 4],
      [12, 1, 1],
    ]) {
      const [m, n, k] = [variable('m', rows, height), variable('n', columns, lanes), variable('k', K)];
      const t = type('float32', lanes);
      const sums = Array.from({ length: height }, (_, r): Local => ({ name: `c${r}`, type: t }));
      const right = ir.load(b, ir.at(n0, [k, N], [n, 1]), t);
      const left = (r: number) => ir.load(a, ir.at((m0 + r) * K, [m, K], [k, 1]), t, lanes === 1 ? 1 : 0);
      body.push(
        ...around(
          m,
          around(n, [
            ...sums.map((s) => set(s, ir.constant(0, t))),
            loop(
              k,
              sums.map((s, r) => set(s, ir.multiplyAdd(left(r), right, ir.local(s)))),
            ),
            ...sums.map((s, r) => store(c, ir.at((m0 + r) * N + n0, [m, N], [n, 1]), ir.local(s))),
          ]),
          'parallel',
        ),
      );
    }
  }
  const fill = (n: number) => Array.from({ length: n }, (_, i) => Math.sin(i));
  const memory = runBoth(
    kernelOf(...body),
    new Map([
      [a, fill(M * K)],
      [b, fill(K * N)],
      [c, []],
    ]),
  );
  const sum = fill(K).reduce((s, _, k) => s + Math.sin(2 * K + k) * Math.sin(k * N + 3), 0);
  expect(memory.get(c)![2 * N + 3]).toBeCloseTo(sum, 5);
});

test('loops in loops, conditions and indices as values', () => {
  const out = buffer('out', 'int32', 64);
  const t = type('int32');
  const [i, u, w] = [variable('i', 4), variable('u', 4, 2), variable('w', 2)];
  const twice = ir.index(ir.at(1, [i, 100], [u, 10], [w, 1]), t);
  const vector = ir.index(ir.at(-5, [i, 3]), type('int32', 4), -2);
  const kernel = kernelOf(
    loop(i, [
      loop(u, [loop(w, [store(out, ir.at(0, [i, 8], [u, 2], [w, 1]), ir.binary('add', twice, twice))])]),
      store(out, ir.at(4, [i, 8]), ir.constant(-1, type('int32', 4))),
      {
        kind: 'if',
        condition: ir.compare('less', ir.index(ir.at(0, [i, 1]), t), ir.constant(2, t)),
        body: [
          store(out, ir.at(32 + 16, [i, 4]), vector),
          {
            kind: 'if',
            condition: ir.compare('equal', ir.index(ir.at(0, [i, 1]), t), ir.constant(0, t)),
            body: [store(out, ir.at(32, [i, 1]), ir.constant(7, t))],
          },
        ],
      },
    ]),
  );
  runBoth(kernel, new Map([[out, Array.from({ length: 64 }, (_, k) => k)]]));
});

test('loops in conditions, and loops without an array that moves with them', () => {
  const out = buffer('out', 'int32', 24);
  const t = type('int32');
  const [i, j, k] = [variable('i', 4), variable('j', 3), variable('k', 5)];
  const count: Local = { name: 'count', type: t };
  const first = ir.load(out, ir.at(20), t);
  const kernel = kernelOf(
    loop(i, [
      set(count, ir.index(ir.at(10, [i, 2]), t)),
      when(ir.compare('notEqual', ir.index(ir.at(0, [i, 1]), t), ir.constant(2, t)), [
        loop(k, [set(count, ir.binary('add', ir.local(count), first))]),
        loop(j, [
          store(out, ir.at(0, [i, 3], [j, 1]), ir.binary('sub', ir.local(count), ir.index(ir.at(0, [j, 1]), t))),
        ]),
      ]),
      loop(j, [store(out, ir.at(12, [j, 4]), ir.index(ir.at(0, [i, -7]), t))]),
    ]),
  );
  runBoth(kernel, new Map([[out, Array.from({ length: 24 }, (_, n) => n)]]));
});

test('values that a loop does not change are loaded before it, unless it stores them', () => {
  const a = buffer('a', 'float32', 8);
  const c = buffer('c', 'float32', 8);
  const i = variable('i', 8);
  const t = type('float32');
  const first = (b: Buffer) => ir.load(b, ir.at(0), t);
  const kernel = kernelOf(
    loop(i, [
      store(
        c,
        ir.at(0, [i, 1]),
        ir.binary('add', first(a), ir.binary('add', first(c), ir.load(a, ir.at(0, [i, 1]), t))),
      ),
    ]),
  );
  runBoth(
    kernel,
    new Map([
      [a, [1, 2, 3, 4, 5, 6, 7, 8]],
      [c, [10, 0, 0, 0, 0, 0, 0, 0]],
    ]),
  );
});

/** Nests of up to three loops that copy between buffers with random strides of either sign. */
const randomNest = fc.record({
  loops: fc.array(
    fc.record({
      iterations: fc.integer({ min: 2, max: 6 }),
      step: fc.integer({ min: 1, max: 3 }),
      /** How much of the last step there is. */
      last: fc.integer({ min: 1, max: 3 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  accesses: fc.array(
    fc.record({
      dtype: fc.constantFrom<DType>('float32', 'float64', 'int32', 'uint8', 'bool'),
      vector: fc.boolean(),
      from: fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 3, maxLength: 3 }),
      to: fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 3, maxLength: 3 }),
      laneStride: fc.integer({ min: -2, max: 3 }),
      depth: fc.integer({ min: 0, max: 2 }),
      slack: fc.integer({ min: 0, max: 3 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

test('random nests with random strides do what the interpreter does', () => {
  fc.assert(
    fc.property(randomNest, ({ loops, accesses }) => {
      const variables = loops.map(({ iterations, step, last }, k) =>
        variable('ijk'[k], (iterations - 1) * step + Math.min(step, last), step),
      );
      const data = new Map<Buffer, ArrayLike<number>>();
      const shifted = (strides: number[], depth: number, reach: number, slack: number) => {
        const terms = variables.slice(0, depth + 1).map((v, k) => [v, strides[k]] as const);
        const [low, high] = ir.range(ir.at(0, ...terms));
        const constant = slack - Math.min(0, reach) - low;
        return { index: ir.at(constant, ...terms), length: constant + high + Math.max(0, reach) + 1 };
      };
      const bodies: Statement[][] = loops.map(() => []);
      for (const [n, x] of accesses.entries()) {
        const lanes = !x.vector ? 1 : x.dtype === 'float64' ? 2 : 4;
        const depth = Math.min(x.depth, loops.length - 1);
        const source = shifted(x.from, depth, (lanes - 1) * x.laneStride, x.slack);
        const target = shifted(x.to, depth, lanes - 1, x.slack);
        const a = buffer(`a${n}`, x.dtype, source.length);
        const b = buffer(`b${n}`, x.dtype, target.length);
        data.set(
          a,
          Array.from({ length: a.length }, (_, i) => samples[x.dtype][(i * 3) % 20]),
        );
        data.set(
          b,
          Array.from({ length: b.length }, (_, i) => samples[x.dtype][i % 20]),
        );
        const t = ir.valueType(x.dtype, lanes);
        const old = ir.load(b, target.index, t);
        const value = ir.load(a, source.index, t, x.laneStride);
        const either = ir.select(ir.compare('less', old, value), value, ir.load(b, target.index, t));
        bodies[depth].push(store(b, target.index, x.slack === 0 ? value : either));
      }
      const nest = (k: number): Statement[] =>
        k === loops.length ? [] : [loop(variables[k], [...bodies[k], ...nest(k + 1), ...bodies[k]])];
      runBoth(kernelOf(...nest(0)), data);
    }),
    { numRuns: 300 },
  );
});

describe('a program', () => {
  const t = type('float64');
  const status = buffer('status', 'float64', 3);
  const spare = buffer('spare', 'float64', 3);
  const weight = buffer('weight', 'float64', 1);
  const check = kernelOf({
    kind: 'if',
    condition: ir.compare('less', ir.load(spare, ir.at(1), t), ir.constant(0, t)),
    body: [store(status, ir.at(0), ir.constant(2, t))],
  });
  const update = kernelOf(store(weight, ir.at(0), ir.constant(5, t)));
  const program = { ...programOf([check, update], [status, spare, weight]), checks: 1, status };

  test('goes on after checks that hold, and stops before variables are written when one fails', () => {
    const { call, view } = instantiate(program);
    view(spare)[1] = 1;
    expect(call('run')).toBe(0);
    expect(view(weight)[0]).toBe(5);
    view(weight)[0] = 3;
    view(spare)[1] = -1;
    expect(call('run')).toBe(1);
    expect([view(weight)[0], view(status)[0]]).toEqual([3, 2]);
  });

  test('exports its kernels only for profiling', () => {
    expect(instantiate(program).names).toEqual(['run']);
    const { names, call, view } = instantiate(program, false, true);
    expect(names).toEqual(['failed', 'k0', 'k1', 'run']);
    call('k1');
    expect(view(weight)[0]).toBe(5);
  });

  test('says which buffer has no place', () => {
    expect(() => instantiate({ ...program, places: new Map() })).toThrow(/status.*no place|spare.*no place/);
  });
});
