// Comparisons: elementwise, with broadcasting, giving bool. No gradient flows through them.
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { DType, Elem } from '../tensor/dtype.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Broadcast, BroadcastError } from '../tensor/shape-rules.ts';
import type { Given, ShapeError } from '../tensor/shape-types.ts';
import { binaryFunction, inferBinary } from './arithmetic.ts';
import { type DTypes, defineOp, dtypesOf, functionName, type Named, numeric } from './define.ts';

/** Two tensors of one dtype that broadcast, or a tensor and a value, in either order. E is `any` where the operand is. */
export interface ComparisonFunction<Op extends string, D extends DType = DType> {
  <T extends D = any, B extends Shape = any, E extends Elem<T> = Elem<T>>(
    a: E,
    b: Tensor<T, B>,
    name?: Named,
  ): Tensor<'bool', Given<E, B>>;
  <T extends D = any, A extends Shape = any, B extends Shape = [], E extends Elem<T> = Elem<T>>(
    a: Tensor<T, A>,
    b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, Op>>) | E,
    name?: Named,
  ): Tensor<'bool', Given<E, Broadcast<A, B>>>;
}

const anyType = dtypesOf([...numeric, 'bool'], 'all are taken');
const ordered = dtypesOf(numeric, 'truth values have no order');

function comparison(name: string, allowed: DTypes, body: (a: s.Scalar, b: s.Scalar) => s.Scalar) {
  const infer = inferBinary(functionName(name), allowed);
  return defineOp({
    name,
    infer: (inputs) => ({ dtype: 'bool', shape: infer(inputs).shape }),
    lower: ([a, b]) => p.map([a, b], body),
  });
}

/** a = b. NaN equals nothing. */
export const equal: ComparisonFunction<'equal'> = binaryFunction(comparison('Equal', anyType, s.equal));
/** a ≠ b. */
export const notEqual: ComparisonFunction<'notEqual'> = binaryFunction(
  comparison('NotEqual', anyType, (a, b) => s.not(s.equal(a, b))),
);
/** a < b. */
export const less: ComparisonFunction<'less'> = binaryFunction(comparison('Less', ordered, s.less));
/** a ≤ b. */
export const lessEqual: ComparisonFunction<'lessEqual'> = binaryFunction(comparison('LessEqual', ordered, s.lessEqual));
/** a > b. */
export const greater: ComparisonFunction<'greater'> = binaryFunction(
  comparison('Greater', ordered, (a, b) => s.less(b, a)),
);
/** a ≥ b. */
export const greaterEqual: ComparisonFunction<'greaterEqual'> = binaryFunction(
  comparison('GreaterEqual', ordered, (a, b) => s.lessEqual(b, a)),
);
