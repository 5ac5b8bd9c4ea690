// Loops over iteration spaces: every element once, at the right place in every array, as many at once as there can be.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  inSteps,
  mergeAxes,
  nest,
  type Position,
  piecesOf,
  type StridedAccess,
  spaceOver,
} from '../../../src/kernels/body/nest.ts';
import * as ir from '../../../src/loops/ir.ts';
import { elements, rowMajor } from '../../../src/tensor/shape.ts';
import { interpret } from '../../loops/interpret.ts';
import { anyMachine, check, shapes, size } from '../run.ts';

/** Some strides that arrays have: as they come, with axes in another order, repeated, backwards. */
const access = (shape: readonly number[]): fc.Arbitrary<StridedAccess> =>
  fc
    .record({
      turned: fc.boolean(),
      factors: fc.array(fc.constantFrom(1, 1, 1, 0, 2), { minLength: shape.length, maxLength: shape.length }),
      offset: fc.nat(5),
    })
    .map(({ turned, factors, offset }) => {
      const order = turned ? rowMajor([...shape].reverse()).reverse() : rowMajor(shape);
      return { strides: order.map((n, i) => n * factors[i]), offset };
    });
const spaces = fc
  .integer({ min: 0, max: 4 })
  .chain((rank) => shapes(rank))
  .chain((shape) =>
    fc.record({ shape: fc.constant(shape), accesses: fc.array(access(shape), { minLength: 1, maxLength: 3 }) }),
  );

/** The indices of each access for all elements, in row-major order. */
function walked(shape: readonly number[], accesses: readonly StridedAccess[]): number[][] {
  const places: number[][] = [];
  const step = (axis: number, at: readonly number[]) => {
    if (axis === shape.length) places.push([...at]);
    else
      for (let i = 0; i < shape[axis]; i++)
        step(
          axis + 1,
          at.map((n, k) => n + i * accesses[k].strides[axis]),
        );
  };
  if (elements(shape) > 0)
    step(
      0,
      accesses.map((a) => a.offset),
    );
  return places;
}

test('merged axes walk through the same elements in the same order, and as few as can be', () => {
  check(
    fc.property(spaces, fc.boolean(), ({ shape, accesses }, firstAlone) => {
      const merged = mergeAxes(shape, accesses, firstAlone);
      const again = merged.offsets.map((offset, k) => ({ offset, strides: merged.strides[k] }));
      expect(walked(merged.shape, again)).toEqual(walked(shape, accesses));
      expect(merged.shape).not.toContain(1);
      if (!firstAlone) {
        const joins = (i: number) => again.every((a) => a.strides[i] === a.strides[i + 1] * merged.shape[i + 1]);
        expect(merged.shape.slice(1).some((_, i) => joins(i))).toBe(false);
      }
    }),
    300,
  );
});

test('the first axis stays alone where it has to', () => {
  const dense = { strides: [12, 4, 1], offset: 0 };
  expect(mergeAxes([2, 3, 4], [dense]).shape).toEqual([24]);
  expect(mergeAxes([2, 3, 4], [dense], true).shape).toEqual([2, 12]);
});

test('a nest comes to every element once, with its index in all arrays and its position along all axes', () => {
  check(
    fc.property(spaces, anyMachine, fc.boolean(), ({ shape, accesses }, machine, parallel) => {
      const count = elements(shape);
      const lanes = machine.vectorBytes / 4;
      const dense = { strides: rowMajor(shape), offset: 0 };
      const space = spaceOver(shape, [...accesses, dense]);
      // For each element its index in each array, then its position along each axis.
      const columns = accesses.length + shape.length;
      const targets = Array.from(
        { length: columns },
        (_, i): ir.Buffer => ({ name: `b${i}`, dtype: 'int32', length: count }),
      );
      const type = (p: Position) => ir.valueType('int32', p.lanes);
      const body = nest(
        space,
        lanes,
        machine,
        (p) => [
          ...accesses.map((_, k) =>
            ir.store(targets[k], p.at(accesses.length), ir.index(p.at(k), type(p), p.step(k)), p.count),
          ),
          ...shape.map((_, a) => ir.store(targets[accesses.length + a], p.at(accesses.length), p.axis(a), p.count)),
        ],
        parallel ? 'parallel' : 'serial',
      );
      const memory = new Map(targets.map((b) => [b, new Int32Array(count).fill(-1)]));
      interpret({ name: 'nest', body, flops: 0, bytes: 0 }, memory);
      const places = walked(shape, [
        ...accesses,
        ...shape.map((_, a) => ({ strides: shape.map((_, i) => Number(i === a)), offset: 0 })),
      ]);
      const found = places.map((_, i) => targets.map((b) => memory.get(b)?.[i]));
      expect(found).toEqual(places);
      if (parallel && count > 0 && shape.length > 1 && shape[0] > 1) expect(body.every(ir.isParallel)).toBe(true);
    }),
    200,
  );
});

test('an axis is cut into vectors and a rest, and into steps and a rest, without a gap', () => {
  check(
    fc.property(size, fc.constantFrom(1, 2, 4, 8), anyMachine, (length, lanes, machine) => {
      const pieces = piecesOf(length, lanes, machine);
      const steps = inSteps(length, lanes);
      for (const parts of [
        pieces.map((x) => ({ ...x, elements: x.count ?? x.extent })),
        steps.map((x) => ({ ...x, elements: x.extent })),
      ]) {
        let next = 0;
        for (const { begin, elements: n } of parts) {
          expect(begin).toBe(next);
          next += n;
        }
        expect(next).toBe(length);
      }
      // What fills vectors is done in vectors; a rest of several elements too, where it can be.
      const alone = pieces.reduce((sum, { lanes: n, extent }) => sum + (n === 1 ? extent : 0), 0);
      expect(alone).toBe(lanes === 1 ? length : machine.partialVectors && length % lanes > 1 ? 0 : length % lanes);
      expect(steps.every(({ extent, step }) => extent % step === 0)).toBe(true);
      expect(steps.length).toBeLessThanOrEqual(2);
    }),
    300,
  );
  expect(piecesOf(0, 4, { partialVectors: true })).toEqual([]);
  expect(inSteps(0, 4)).toEqual([]);
});
