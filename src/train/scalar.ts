// Scalars that a schedule is made of: numbers, or tensors that the graph computes.
import { getDefaultGraph } from '../graph/graph.ts';
import { Tensor } from '../graph/tensor.ts';
import { constant } from '../ops/constant.ts';
import type { AnyTensor } from '../ops/define.ts';
import { cast } from '../ops/logic.ts';
import { type FloatDType, isFloat, type NumericDType } from '../tensor/dtype.ts';
import { kind } from '../tensor/kinds.ts';
import { showShape } from '../tensor/shape.ts';
import type { Kind } from '../tensor/signature.ts';

/** A number, or a scalar tensor such as the variable that counts steps. */
export type ScalarValue = number | Tensor<NumericDType, []>;
/** The scalar that a decay of this rate gives: float32 unless the rate is a tensor of floats. */
export type Decayed<R> = R extends Tensor<infer T extends FloatDType, any> ? Tensor<T, []> : Tensor<'float32', []>;

const isScalar = (t: Tensor) => t.dtype !== 'bool' && t.shape?.length === 0;
export const scalarOf = (what: string, fits: (v: number) => boolean): Kind<ScalarValue> => ({
  ...kind<ScalarValue>(`${what} or a scalar tensor`, (v) =>
    v instanceof Tensor ? isScalar(v) : Number.isFinite(v) && fits(v as number),
  ),
  advice: (v) =>
    v instanceof Tensor
      ? `${v.name} has dtype ${v.dtype} and shape ${showShape(v.shape)}; tf.reshape(x, []) makes a scalar of one element, tf.cast(x, 'float32') a number of a bool`
      : undefined,
});
export const scalar = scalarOf('a finite number', () => true);
/** Numbers of steps by which is divided. */
export const above0 = scalarOf('a finite number above 0', (v) => v > 0);
export const from1 = scalarOf('a finite number of at least 1', (v) => v >= 1);
/** How much of an average stays. */
export const fraction = scalarOf('a number from 0 to 1', (v) => v >= 0 && v <= 1);

/** A scalar in a dtype. */
export function inDType(value: ScalarValue, dtype: FloatDType): AnyTensor {
  if (!(value instanceof Tensor)) return constant(value, dtype);
  return value.dtype === dtype ? value : cast(value, dtype);
}

/** Makes the operations of a schedule in a scope, from scalars of the rate's dtype; the first is the rate. */
export function scheduled(
  name: string,
  scalars: readonly ScalarValue[],
  build: (scalars: readonly AnyTensor[]) => AnyTensor,
): AnyTensor {
  const [rate] = scalars;
  const dtype = rate instanceof Tensor && isFloat(rate.dtype) ? rate.dtype : 'float32';
  const graph = scalars.find((x) => x instanceof Tensor)?.graph ?? getDefaultGraph();
  return graph.asDefault(() => graph.withScope(name, () => build(scalars.map((x) => inDType(x, dtype)))));
}
