// Lists of the elements that are not zero: in order, with their steps, and their products with a packed panel.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loop, variable } from '../../../../src/kernels/body/nest.ts';
import type { TilePlan } from '../../../../src/kernels/cpu/contract/tile-plan.ts';
import { Tiling } from '../../../../src/kernels/cpu/contract/tiling.ts';
import { tileInMemory } from '../../../../src/kernels/cpu/tile/register-tile.ts';
import { counting, listing, listRuns, listsFor } from '../../../../src/kernels/cpu/zeros/lists.ts';
import { verifyKernel } from '../../../../src/loops/check/verify.ts';
import * as ir from '../../../../src/loops/ir.ts';
import * as p from '../../../../src/primitives/primitives.ts';
import { allocate, type TypedArray } from '../../../../src/tensor/dtype.ts';
import { interpret } from '../../../loops/interpret.ts';
import { check, machines, quarters } from '../../run.ts';

const unexpected = (): never => {
  throw new Error('lists ask for nothing else');
};

test('the lists of rows that lie along either axis, and the products of them', () => {
  const cases = fc.record({
    rows: fc.integer({ min: 1, max: 6 }),
    depth: fc.integer({ min: 2, max: 20 }),
    turned: fc.boolean(),
    offset: fc.nat(3),
    vectors: fc.integer({ min: 1, max: 3 }),
    // One of so many elements is not zero; NaN is not zero either.
    share: fc.constantFrom(1, 2, 5, 1000),
    machine: fc.constantFrom(...machines.slice(0, 3)),
  });
  check(
    fc.property(cases, ({ rows, depth, turned, offset, vectors, share, machine }) => {
      const lanes = machine.vectorBytes / 4;
      const width = vectors * lanes;
      const memory = new Map<ir.Buffer, TypedArray>();
      const add =
        (own: boolean) =>
        (name: string, dtype: ir.Buffer['dtype'], length: number): ir.Buffer => {
          const buffer = { name, dtype, length, ...(own && { private: true }) };
          memory.set(buffer, allocate(dtype, length).fill(77));
          return buffer;
        };
      const x = p.feed(0, 'float32', [offset + rows * depth]);
      const source = add(false)('x', 'float32', offset + rows * depth);
      const data = memory.get(source) as TypedArray;
      for (const i of data.keys()) data[i] = i % share === 0 ? i + 1 : 0;
      if (share === 5) data[offset] = Number.NaN;
      const sum = { size: depth, row: turned ? rows : 1, column: 1 };
      const axis = { number: 0, size: rows, row: turned ? 1 : depth, column: 0, outputs: [1] };
      const layout = { row: { ...x, offset }, rows: axis, sums: [sum], outer: [] };
      const buffers = {
        of: () => source,
        scratch: add(false),
        own: add(true),
        status: unexpected,
        checkNumber: unexpected,
      };
      const plan = { layout, machine, tile: { rows: 1, vectors } };
      const t = new Tiling(plan as unknown as TilePlan, buffers);
      const lists = listsFor(t, rows, depth);
      const run = (body: readonly ir.Statement[]) => {
        const kernel = { name: 'lists', body, flops: 0, bytes: 0 };
        verifyKernel(kernel, machine);
        interpret(kernel, memory);
      };
      const total = add(false)('total', 'int32', 1);
      run(listing(t, lists));
      run(counting(rows, lists, total));
      const at = (m: number, k: number) => data[offset + m * axis.row + k * sum.row];
      const listed = Array.from({ length: rows }, (_, m) =>
        Array.from({ length: depth }, (_, k) => [k, at(m, k)]).filter(([, v]) => v !== 0),
      );
      const [counts, steps, values] = [lists.counts, lists.steps, lists.values].map((b) => memory.get(b) as TypedArray);
      for (const [m, entries] of listed.entries()) {
        expect(counts[m]).toBe(entries.length);
        const found = entries.map((_, e) => [steps[m * depth + e], values[m * depth + e]]);
        expect(found).toEqual(entries);
      }
      expect(memory.get(total)?.[0]).toBe(listed.flat().length);

      // The products with a panel, into which each step's columns are packed.
      const panel = add(false)('panel', 'float32', depth * width);
      const columns = memory.get(panel) as TypedArray;
      for (const i of columns.keys()) columns[i] = quarters(3)(i);
      const result = add(false)('result', 'float32', rows * width);
      const m = variable('m', rows);
      const runs = listRuns(lists, ir.at(0, [m, 1]), { buffer: panel, vectors, lanes, depth }, 0);
      const shape = { id: 0, dtype: 'float32', height: 1, vectors, lanes } as const;
      const place = (_: number, u: number) => ir.at(u * lanes, [m, width]);
      const tile = tileInMemory(shape, runs, { high: result, low: undefined }, place);
      run(loop(m, tile));
      const wanted = listed.flatMap((entries) =>
        Array.from({ length: width }, (_, c) => entries.reduce((sum, [k, v]) => sum + v * columns[k * width + c], 0)),
      );
      expect(Array.from(memory.get(result) ?? [])).toEqual(wanted);
    }),
    120,
  );
});
