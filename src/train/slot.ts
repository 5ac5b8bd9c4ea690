// Slots: the variables that optimizers keep beside those that they train.
import type { Variable } from '../graph/tensor.ts';
import { fill } from '../ops/fill.ts';
import { variable } from '../ops/variable.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import type { Shape } from '../tensor/shape.ts';

/** A variable of zeros of the shape of another. */
export const slot = (v: Variable<FloatDType, any>, name: string): Variable<'float32', any> =>
  variable(fill(v.shape as Shape, 0, v.dtype), { name: `${v.operation.name}/${name}`, trainable: false }) as Variable<
    any,
    any
  >;

/** A scalar variable. */
export const scalarSlot = (dtype: FloatDType, value: number, name: string): Variable<'float32', []> =>
  variable(fill([], value, dtype), { name, trainable: false }) as Variable<any, any>;
