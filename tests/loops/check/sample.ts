// A small machine and small kernels, for the tests of what is checked.
import { verifyKernel } from '../../../src/loops/check/verify.ts';
import type { Buffer, Kernel, Statement, ValueType } from '../../../src/loops/ir.ts';
import * as ir from '../../../src/loops/ir.ts';
import { variable } from '../build.ts';

export const machine = { vectorBytes: 16, partialVectors: true, prefetches: false };
export const f32: ValueType = { dtype: 'float32', lanes: 1 };
export const f32x4: ValueType = { dtype: 'float32', lanes: 4 };
export const int: ValueType = { dtype: 'int32', lanes: 1 };
export const a: Buffer = { name: 'a', dtype: 'float32', length: 64 };
export const b: Buffer = { name: 'b', dtype: 'float32', length: 64 };
export const kernel = (...body: Statement[]): Kernel => ({ name: 'sample', body, flops: 0, bytes: 0 });
export const verify = (...body: Statement[]) => verifyKernel(kernel(...body), machine);
export const zero = ir.constant(0, f32);
export const zeros = ir.constant(0, f32x4);
export const i = variable('i', 16);
