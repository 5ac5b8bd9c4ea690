// Squares turned in registers: every lane in its place, in as few shuffles as there can be.
import { expect, test } from 'vitest';
import { transpose } from '../../../../src/kernels/cpu/tile/transpose.ts';
import { verifyKernel } from '../../../../src/loops/check/verify.ts';
import * as ir from '../../../../src/loops/ir.ts';
import { interpret } from '../../../loops/interpret.ts';

test.each([
  ['float32', 2, 8],
  ['float32', 4, 16],
  ['int32', 4, 16],
  ['float64', 2, 16],
  ['float32', 8, 32],
  ['float64', 4, 32],
  ['float32', 16, 64],
  ['float64', 8, 64],
] as const)('%s × %i', (dtype, lanes, vectorBytes) => {
  const size = lanes * lanes;
  const from: ir.Buffer = { name: 'from', dtype, length: size };
  const to: ir.Buffer = { name: 'to', dtype, length: size };
  const type = ir.valueType(dtype, lanes);
  const rows = Array.from({ length: lanes }, (_, i) => ir.load(from, ir.at(i * lanes), type));
  const { statements, values } = transpose(rows, 'x');
  const body = [...statements, ...values.map((value, i) => ir.store(to, ir.at(i * lanes), value))];
  const kernel = { name: 'transpose', body, flops: 0, bytes: 0 };
  verifyKernel(kernel, { vectorBytes, partialVectors: false, prefetches: false });
  const data = Float64Array.from({ length: size }, (_, i) => i + 1);
  const result = new Float64Array(size);
  interpret(
    kernel,
    new Map([
      [from, data],
      [to, result],
    ]),
  );
  for (let i = 0; i < lanes; i++) for (let j = 0; j < lanes; j++) expect(result[i * lanes + j]).toBe(j * lanes + i + 1);
  const shuffles = statements.filter((s) => s.kind === 'set' && s.value.kind === 'shuffle').length;
  expect(shuffles).toBe(lanes * Math.log2(lanes));
});
