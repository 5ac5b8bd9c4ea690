// Short ways to write kernels by hand, and values worth trying.
import type { Buffer, Expression, Local, LoopKind, LoopVariable, Statement, ValueType } from '../../src/loops/ir.ts';
import type { DType } from '../../src/tensor/dtype.ts';

export const buffer = (name: string, dtype: DType, length: number): Buffer => ({ name, dtype, length });
export const variable = (name: string, extent: number, step = 1): LoopVariable => ({ name, extent, step });
export const type = (dtype: ValueType['dtype'], lanes = 1): ValueType => ({ dtype, lanes });
export const loop = (v: LoopVariable, body: Statement[], kind: LoopKind = 'serial'): Statement => ({
  kind: 'loop',
  variable: v,
  loop: kind,
  body,
});
/** A loop as kernels build it: none around what is done once. */
export { loop as around } from '../../src/kernels/body/nest.ts';
export { store } from '../../src/loops/ir.ts';
export const set = (local: Local, value: Expression): Statement => ({ kind: 'set', local, value });
export const when = (condition: Expression, body: Statement[]): Statement => ({ kind: 'if', condition, body });

const large = [3e9, -3e9, 1e30, 2147483520];
const floats = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3.25, 1e-40, NaN, Infinity, -Infinity, 7, -123.75, ...large];
const extremes = [2147483647, -2147483648, 123456789, -987654321];
const integers = [0, 1, -1, 2, 5, -7, 31, 255, 256, 65536, -65537, 40, 3, -3, 1000, 12, ...extremes];
const bytes = [0, 1, 2, 3, 127, 128, 200, 255, 17, 99, 5, 64, 250, 33, 8, 7, 6, 90, 11, 12];
const flags = [0, 1, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 0];
/** Twenty values of each element type, difficult ones among them. */
export const samples: Record<DType, readonly number[]> = {
  float32: floats,
  float64: floats,
  int32: integers,
  uint8: bytes,
  bool: flags,
};
