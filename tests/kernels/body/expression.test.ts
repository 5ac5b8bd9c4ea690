// Scalar expressions as expressions of the loop IR: every operation on difficult numbers of every type, as the reference
// says; how many elements fit a vector; and what is used twice is computed once.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { machineFor } from '../../../src/backends/wasm/machine.ts';
import { lanesFor, share, Translator } from '../../../src/kernels/body/expression.ts';
import * as ir from '../../../src/loops/ir.ts';
import { scalarFunction } from '../../../src/primitives/evaluate/scalar.ts';
import * as s from '../../../src/primitives/scalar.ts';
import { allocate, type DType } from '../../../src/tensor/dtype.ts';
import { samples } from '../../loops/build.ts';
import { interpret } from '../../loops/interpret.ts';

type Operation = (a: s.Scalar, b: s.Scalar) => s.Scalar;
const common: Record<string, Operation> = {
  add: s.add,
  sub: s.sub,
  mul: s.mul,
  div: s.div,
  floorDiv: s.floorDiv,
  mod: s.mod,
  min: s.min,
  max: s.max,
  neg: s.neg,
  abs: s.abs,
  sign: s.sign,
  equal: s.equal,
  less: s.less,
  lessEqual: s.lessEqual,
  select: (a, b) => s.select(s.less(a, b), a, b),
  'max with a constant': (a) => s.max(a, 3),
  'max of a constant': (a) => s.max(3, a),
  'min with a constant': (a) => s.min(a, 3),
  'min of a constant': (a) => s.min(3, a),
  // What is stored as a byte is one anyway.
  'byte as int32': (a) => s.cast(s.cast(a, 'uint8'), 'int32'),
};
const casts = Object.fromEntries(
  (['float32', 'float64', 'int32', 'uint8', 'bool'] as const).map((to): [string, Operation] => [
    `cast to ${to}`,
    (a) => s.cast(a, to),
  ]),
);
const floats: Record<string, Operation> = { ...common, ...casts, floor: s.floor, sqrt: s.sqrt };
const operations: Record<DType, Record<string, Operation>> = {
  float32: floats,
  float64: floats,
  int32: { ...common, ...casts, and: s.and, or: s.or, xor: s.xor, not: s.not, shiftRight: (a) => s.shiftRight(a, 5) },
  uint8: { ...common, ...casts, 'sum as int32': (a, b) => s.cast(s.add(a, b), 'int32') },
  bool: {
    ...casts,
    and: s.and,
    or: s.or,
    xor: s.xor,
    not: s.not,
    equal: s.equal,
    max: s.max,
    min: s.min,
    select: (a, b) => s.select(a, b, a),
  },
};

/** What the expression is for each pair of values, interpreted. */
function translated(body: s.Scalar, dtype: DType, pairs: readonly (readonly [number, number])[]): number[] {
  const source: ir.Buffer = { name: 'x', dtype, length: 2 * pairs.length };
  const target: ir.Buffer = { name: 'y', dtype: body.dtype, length: pairs.length };
  const v: ir.LoopVariable = { name: 'v', extent: pairs.length, step: 1 };
  const translator = new Translator(1, {
    input: (i) => ir.load(source, ir.at(i, [v, 2]), ir.valueType(dtype, 1)),
    index: () => ir.constant(0, ir.valueType('int32', 1)),
  });
  const { statements, values } = share([translator.translate(body)]);
  const x = allocate(dtype, source.length);
  x.set(pairs.flat());
  const y = allocate(body.dtype, target.length);
  const inside = [...statements, ir.store(target, ir.at(0, [v, 1]), values[0])];
  const loop: ir.Statement = { kind: 'loop', variable: v, loop: 'serial', body: inside };
  interpret(
    { name: 'expression', body: [loop], flops: 0, bytes: 0 },
    new Map([
      [source, x],
      [target, y],
    ]),
  );
  return Array.from(y);
}

/** Rounded as an array of that type does it. */
const rounded = (dtype: DType, value: number): number => {
  const array = allocate(dtype, 1);
  array[0] = value;
  return array[0];
};
const isFinite64 = (dtype: DType, value: number) => (dtype === 'float32' ? Number.isFinite(Math.fround(value)) : true);

describe.each(Object.keys(operations) as DType[])('%s', (dtype) => {
  const values = samples[dtype].map((v) => rounded(dtype, v));
  const pairs = values.flatMap((a) => values.map((b) => [a, b] as const));
  test.each(Object.keys(operations[dtype]))('%s', (name) => {
    const body = operations[dtype][name](s.input(0, dtype), s.input(1, dtype));
    const found = translated(body, dtype, pairs);
    const value = scalarFunction(body);
    for (const [i, [a, b]] of pairs.entries()) {
      const exact = value({ input: (leaf) => [a, b][leaf.value], index: () => 0 });
      // A quotient that is rounded before it is rounded down may be another one.
      if ((name === 'mod' || name === 'floorDiv') && dtype === 'float32') {
        const bound = Math.abs(a) * 1e-6 + Math.abs(b);
        if (isFinite64(dtype, exact) && Number.isFinite(a) && Math.abs(a / b) < 1e6)
          expect(Math.abs(found[i] - exact)).toBeLessThanOrEqual(name === 'mod' ? bound : 1);
        continue;
      }
      const wanted = rounded(body.dtype, exact);
      const where = `${name}(${a}, ${b})`;
      // The sign of a zero is not told from the other one.
      expect([where, found[i] === 0 ? 0 : found[i]]).toEqual([where, wanted === 0 ? 0 : wanted]);
    }
  });
});

test('lanes are those of the widest type, and one where types or operations do not go together', () => {
  const machine = machineFor(false);
  const x = s.input(0, 'float32');
  expect(lanesFor(machine, [s.add(x, 1)], ['float32'])).toBe(4);
  expect(lanesFor(machine, [s.add(s.input(0, 'float64'), 1)], ['float64'])).toBe(2);
  expect(lanesFor(machine, [s.cast(x, 'float64')], ['float32', 'float64'])).toBe(1);
  expect(lanesFor(machine, [s.less(s.input(0, 'float64'), 1)], ['float64', 'bool'])).toBe(1);
  expect(lanesFor(machine, [s.pow(x, x)], ['float32'])).toBe(1);
  expect(lanesFor(machine, [s.div(s.input(0, 'int32'), 3)], ['int32'])).toBe(1);
  expect(lanesFor(machine, [s.cast(x, 'int32'), s.less(x, 0)], ['float32', 'int32', 'bool'])).toBe(4);
});

test('what is used more than once is computed once, and no value twice', () => {
  const nodes = fc.array(fc.tuple(fc.nat(99), fc.nat(99), fc.constantFrom('add', 'mul', 'max')), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(nodes, (list) => {
      const type = ir.valueType('float32', 1);
      const x: ir.Buffer = { name: 'x', dtype: 'float32', length: 2 };
      const made: ir.Expression[] = [ir.load(x, ir.at(0), type), ir.load(x, ir.at(1), type)];
      const values = [3, -2];
      for (const [a, b, op] of list) {
        const [i, j] = [a % made.length, b % made.length];
        made.push(ir.binary(op, made[i], made[j]));
        values.push(
          { add: values[i] + values[j], mul: values[i] * values[j], max: Math.max(values[i], values[j]) }[op],
        );
      }
      const roots = made.slice(-2);
      const { statements, values: shared } = share(roots, 't');
      // Every operation is in the statements and values at most once.
      let operations = 0;
      const count = (e: ir.Expression): void => {
        if (e.kind === 'binary') operations++;
        ir.forEachOperand(e, count);
      };
      for (const st of statements) for (const e of ir.expressionsOf(st)) count(e);
      shared.forEach(count);
      expect(operations).toBeLessThanOrEqual(list.length);
      const y: ir.Buffer = { name: 'y', dtype: 'float64', length: 2 };
      const body = [...statements, ...shared.map((e, i) => ir.store(y, ir.at(i), ir.convert(e, 'float64')))];
      const found = new Float64Array(2);
      interpret(
        { name: 'share', body, flops: 0, bytes: 0 },
        new Map([
          [x, Float32Array.of(3, -2)],
          [y, found],
        ] as never),
      );
      if (values.slice(-2).every((v) => Math.abs(v) < 2 ** 24)) expect(Array.from(found)).toEqual(values.slice(-2));
    }),
    { numRuns: 200 },
  );
});
