// Slots: the variables that optimizers keep beside those that they train.
import { controlDependencies } from '../graph/graph.ts';
import type { Variable } from '../graph/tensor.ts';
import { fill } from '../ops/fill.ts';
import { variable } from '../ops/variable.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import type { Shape } from '../tensor/shape.ts';

/** A variable of zeros of the shape of another. */
export const slot = (v: Variable<FloatDType, any>, name: string): Variable<'float32', any> =>
  slotVariable(v.shape as Shape, 0, v.dtype, `${v.operation.name}/${name}`);

/** A scalar variable. */
export const scalarSlot = (dtype: FloatDType, value: number, name: string): Variable<'float32', []> =>
  slotVariable([], value, dtype, name);

/** Whatever a step depends on: its slots are initialized without it. */
const slotVariable = (shape: Shape, value: number, dtype: FloatDType, name: string): Variable<any, any> =>
  controlDependencies(null, () => variable(fill(shape, value, dtype), { name, trainable: false }));
