// Panels: every column of the operand is where a tile will read it, and zeros follow where there are no columns.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { axisLoop } from '../../../../src/kernels/cpu/contract/axis-loop.ts';
import { pack } from '../../../../src/kernels/cpu/contract/pack.ts';
import type { TilePlan } from '../../../../src/kernels/cpu/contract/tile-plan.ts';
import { type PackedBlock, Tiling } from '../../../../src/kernels/cpu/contract/tiling.ts';
import { packingWay, uncut } from '../../../../src/kernels/cpu/tile/blocking.ts';
import { verifyKernel } from '../../../../src/loops/check/verify.ts';
import type * as ir from '../../../../src/loops/ir.ts';
import * as p from '../../../../src/primitives/primitives.ts';
import { allocate } from '../../../../src/tensor/dtype.ts';
import { elements, rowMajor } from '../../../../src/tensor/shape.ts';
import { interpret } from '../../../loops/interpret.ts';
import { anyMachine, check, Inputs, machines, quarters } from '../../run.ts';

const unexpected = (): never => {
  throw new Error('packing asks for nothing');
};
const cases = fc.record({
  dtype: fc.constantFrom('float32' as const, 'float64' as const),
  /** The summed axes and the columns, and their order in memory. */
  sums: fc.array(fc.oneof(fc.integer({ min: 2, max: 9 }), fc.constant(17)), { maxLength: 3 }),
  columns: fc.integer({ min: 1, max: 40 }),
  order: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4, maxLength: 4 }),
  asItComes: fc.boolean(),
  vectors: fc.integer({ min: 1, max: 3 }),
  lead: fc.nat(3),
  parallel: fc.boolean(),
  machine: anyMachine,
});

test('panels of arrays that lie in any way hold their columns step by step', () => {
  const ways = new Set<string>();
  check(
    fc.property(cases, ({ dtype, sums, columns, order, asItComes, vectors, lead, parallel, machine }) => {
      const lanes = Math.max(1, machine.vectorBytes / (dtype === 'float64' ? 8 : 4));
      const shape = [...sums, columns];
      const axes = asItComes ? shape.map((_, i) => i) : order.filter((axis) => axis < shape.length);
      const memory = rowMajor(axes.map((axis) => shape[axis]));
      const strides = shape.map((_, axis) => memory[axes.indexOf(axis)]);
      const inputs = new Inputs();
      const x = inputs.view(dtype, [lead + elements(shape)], quarters(1));
      const inner = sums.map((size, i) => ({ size, row: 0, column: strides[i] }));
      const axis = { number: 0, size: columns, row: 0, column: strides[sums.length], outputs: [] };
      const layout = {
        row: x,
        column: { ...x, offset: lead },
        columns: axis,
        inner: true,
        rows: { ...axis, size: 1 },
        outer: [],
        sums: inner,
      };
      const plan = { layout, machine, dtype, tile: { rows: 1, vectors }, lanes, packed: true, cut: uncut };
      const source: ir.Buffer = { name: 'source', dtype, length: inputs.data[0].length };
      const buffers = {
        of: () => source,
        scratch: unexpected,
        own: unexpected,
        status: unexpected,
        checkNumber: unexpected,
      };
      const t = new Tiling(plan as unknown as TilePlan, buffers);
      const depth = elements(sums);
      const width = Math.ceil(columns / lanes) * lanes;
      const target: ir.Buffer = { name: 'target', dtype, length: width * depth };
      const block: PackedBlock = {
        groups: [],
        outside: [],
        inner,
        count: columns,
        partialSums: undefined,
        depth,
        packed: target,
      };
      const arrays = new Map([
        [source, inputs.data[0]],
        [target, allocate(dtype, target.length).fill(77)],
      ]);
      for (const panel of t.panels(columns)) {
        const body = pack(t, block, panel, target, parallel ? 'parallel' : 'serial');
        const kernel = { name: 'pack', body, flops: 0, bytes: 0 };
        verifyKernel(kernel, machine);
        interpret(kernel, arrays);
        ways.add(panel.size < panel.vectors * lanes ? 'narrow' : packingWay(axis.column, inner.at(-1)?.column));
      }
      const steps: number[] = [];
      const walk = (at: number, index: number): void => {
        if (at === sums.length) steps.push(index);
        else for (let i = 0; i < sums[at]; i++) walk(at + 1, index + i * strides[at]);
      };
      walk(0, lead);
      const wanted = t.panels(columns).flatMap(({ begin, size, vectors: high }) => {
        const wide = high * lanes;
        return Array.from({ length: Math.ceil(size / wide) }, (_, n) =>
          steps.map((at) =>
            Array.from({ length: wide }, (_, c) => {
              const column = begin + n * wide + c;
              return column < columns ? inputs.data[0][at + column * axis.column] : 0;
            }),
          ),
        ).flat(2);
      });
      expect(Array.from(arrays.get(target) ?? [])).toEqual(wanted);
    }),
    120,
  );
  expect(Array.from(ways).sort()).toEqual(['elements', 'narrow', 'turned', 'vectors']);
});

test('a block among others begins where the loops around it have come', () => {
  const dtype = 'float32';
  const machine = machines[1];
  const x = p.feed(0, dtype, [6, 16]);
  const sum = { size: 6, row: 0, column: 16 };
  const columns = { number: 0, size: 16, row: 0, column: 1, outputs: [] };
  const layout = { row: x, column: x, columns, inner: true, rows: columns, outer: [], sums: [sum] };
  const plan = { layout, machine, dtype, tile: { rows: 1, vectors: 2 }, lanes: 4, packed: true, cut: uncut };
  const source: ir.Buffer = { name: 'source', dtype, length: 96 };
  const target: ir.Buffer = { name: 'target', dtype, length: 16 };
  const buffers = {
    of: () => source,
    scratch: unexpected,
    own: unexpected,
    status: unexpected,
    checkNumber: unexpected,
  };
  // Rows 2 and 3 of the last eight columns.
  const block: PackedBlock = {
    groups: [axisLoop(columns, 'g', { begin: 8, extent: 8, step: 8 })],
    outside: [axisLoop(sum, 'block', { begin: 2, extent: 2, step: 2 })],
    inner: [{ ...sum, size: 2 }],
    count: 8,
    partialSums: undefined,
    depth: 2,
    packed: target,
  };
  const t = new Tiling(plan as unknown as TilePlan, buffers);
  const [panel] = t.panels(8);
  const body = pack(t, block, panel, target, 'serial');
  const arrays = new Map([
    [source, Float32Array.from({ length: 96 }, (_, i) => i)],
    [target, new Float32Array(16)],
  ]);
  interpret({ name: 'pack', body, flops: 0, bytes: 0 }, arrays);
  expect(Array.from(arrays.get(target) ?? [])).toEqual(
    [2, 3].flatMap((r) => Array.from({ length: 8 }, (_, c) => r * 16 + 8 + c)),
  );
});
