// Logic, choice, conversion, and what only passes a value on.

import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import { type DType, type Elem, isFloat } from '../tensor/dtype.ts';
import { dtype as dtypeKind, text } from '../tensor/kinds.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Broadcast, BroadcastError } from '../tensor/shape-rules.ts';
import type { DTypeOfValue, Given, ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import { binaryFunction, inferBinary } from './arithmetic.ts';
import type { ComparisonFunction } from './comparison.ts';
import { toTensor } from './constant.ts';
import {
  type AnyTensor,
  apply,
  broadcastShapes,
  defineOp,
  functionName,
  type Named,
  type OpDefinition,
  type Operand,
  operand,
  requireDType,
  sameDType,
  tensor,
  truths,
  type UnaryFunction,
  unaryFunction,
} from './define.ts';
import { zerosLike } from './fill.ts';
import { sumLike } from './like.ts';
import { valueOf } from './sizes.ts';

const logical = (name: string, body: (a: s.Scalar, b: s.Scalar) => s.Scalar) =>
  defineOp({
    name,
    infer: inferBinary(functionName(name), truths),
    lower: ([a, b]) => p.map([a, b], body),
  });

/** a and b, for bool tensors. */
export const logicalAnd: ComparisonFunction<'logicalAnd', 'bool'> = binaryFunction(logical('LogicalAnd', s.and));
/** a or b, for bool tensors. */
export const logicalOr: ComparisonFunction<'logicalOr', 'bool'> = binaryFunction(logical('LogicalOr', s.or));
/** Either a or b, for bool tensors. */
export const logicalXor: ComparisonFunction<'logicalXor', 'bool'> = binaryFunction(logical('LogicalXor', s.xor));

const LogicalNotOp = defineOp({
  name: 'LogicalNot',
  infer: ([x]) => ({ ...x, dtype: requireDType('logicalNot', x, truths) }),
  lower: ([x]) => p.map([x], s.not),
});
/** Not x, for bool tensors. */
export const logicalNot: UnaryFunction<'bool'> = unaryFunction(LogicalNotOp);

const WhereOp = defineOp({
  name: 'Where',
  infer: ([condition, a, b]) => {
    requireDType('where', condition, truths);
    const dtype = sameDType('where', [a, b]);
    return { dtype, shape: broadcastShapes('where', condition, { dtype, shape: broadcastShapes('where', a, b) }) };
  },
  gradient: ({ inputs: [condition, a, b] }, [dy]) => {
    if (!dy) return [null, null, null];
    const zero = zerosLike(dy);
    return [null, sumLike(where(condition, dy, zero), a), sumLike(where(condition, zero, dy), b)];
  },
  lower: ([condition, a, b]) => p.map([condition, a, b], s.select),
});
const whereForm = signature('tf.where', { condition: tensor, a: operand, b: operand }, { name: text }, ['name']);
/**
 * a where the condition holds, else b; all three are broadcast to one shape. Of a and b each may be a number (or a
 * boolean). The gradient goes to what was chosen.
 *
 * @throws DTypeError when the condition is not bool or a and b differ in dtype.
 */
export function where<C extends Shape = any, E extends number | boolean = number | boolean>(
  condition: Tensor<'bool', C>,
  a: E,
  b: E,
  name?: Named,
): Tensor<DTypeOfValue<E>, Given<E, C>>;
export function where<T extends DType = any, C extends Shape = any, B extends Shape = any, E extends Elem<T> = Elem<T>>(
  condition: Tensor<'bool', C>,
  a: E,
  b: Tensor<T, B>,
  name?: Named,
): Tensor<T, Given<E, Broadcast<C, B>>>;
export function where<
  T extends DType = any,
  C extends Shape = any,
  A extends Shape = any,
  B extends Shape = [],
  E extends Elem<T> = Elem<T>,
>(
  condition: Tensor<'bool', C>,
  a: Tensor<T, A>,
  b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'where'>>) | E,
  name?: Named,
): Tensor<T, Given<E, Broadcast<C, Broadcast<A, B>>>>;
export function where(...given: unknown[]): AnyTensor {
  const { condition, a, b, name } = whereForm.take(given);
  const [x, y] = operands('where', a, b);
  return apply(WhereOp, [condition, x, y], {}, name);
}

/** Values beside a tensor take its element type; where both are values, numbers are float32, booleans bool. */
function operands(op: string, a: Operand, b: Operand): [Tensor, Tensor] {
  const beside = [a, b].find((x) => typeof x === 'object');
  const dtype = beside?.dtype ?? (typeof a === 'boolean' ? 'bool' : 'float32');
  return [toTensor(op, a, dtype), toTensor(op, b, dtype)];
}

const CastOp = defineOp<{ dtype: DType }>({
  name: 'Cast',
  infer: ([x], { dtype }) => ({ dtype, shape: x.shape }),
  gradient: ({ inputs: [x], attributes: { dtype } }, [dy]) => [
    dy && isFloat(dtype) && isFloat(x.dtype) ? cast(dy, x.dtype) : null,
  ],
  lower: ([x], { attributes: { dtype } }) => (x.node.dtype === dtype ? x : p.map([x], (v) => s.cast(v, dtype))),
});
const castForm = signature('tf.cast', { x: tensor, dtype: dtypeKind }, { name: text }, ['name']);
/**
 * x in another element type. Float to integer truncates toward zero and saturates (NaN gives 0), to uint8 keeps the
 * low 8 bits; to bool is `x ≠ 0`; true is 1. Gradients flow between float types only.
 */
export function cast<T extends DType = any, S extends Shape = any>(
  x: Tensor<DType, S>,
  dtype: T,
  name?: Named,
): Tensor<T, S>;
export function cast(...given: unknown[]): AnyTensor {
  const { x, dtype, name } = castForm.take(given);
  return apply(CastOp, [x], { dtype }, name);
}

/** @internal */
export const IdentityOp: OpDefinition = defineOp({
  name: 'Identity',
  value: ([x]) => valueOf(x),
  infer: ([x]) => x,
  gradient: (_, [dy]) => [dy],
  lower: ([x]) => x,
});
/** x itself, as a new tensor. Under control dependencies: x as it is after them. */
export const identity: UnaryFunction<DType> = unaryFunction(IdentityOp);

const StopGradientOp = defineOp({ name: 'StopGradient', infer: ([x]) => x, lower: ([x]) => x });
/** x itself, treated as a constant by `tf.gradients`. */
export const stopGradient: UnaryFunction<DType> = unaryFunction(StopGradientOp);
