// Elementwise arithmetic with broadcasting.

import { InvalidArgumentError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { NumericDType } from '../tensor/dtype.ts';
import { isFloat } from '../tensor/dtype.ts';
import { text } from '../tensor/kinds.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Broadcast, BroadcastError } from '../tensor/shape-rules.ts';
import type { Given, ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import { toTensor } from './constant.ts';
import {
  type AnyTensor,
  apply,
  broadcastShapes,
  type DTypes,
  defineOp,
  functionName,
  type Named,
  numeric,
  type OpDefinition,
  operand,
  requireDType,
  sameDType,
  type TensorType,
  tensorList,
  tensors,
  type UnaryFunction,
  unaryFunction,
} from './define.ts';
import { sumLike } from './like.ts';

/** Two tensors that broadcast, or a tensor and a number, in either order. N is `any` where the operand is. */
export interface BinaryFunction<Op extends string> {
  <T extends NumericDType = any, B extends Shape = any, N extends number = number>(
    a: N,
    b: Tensor<T, B>,
    name?: Named,
  ): Tensor<T, Given<N, B>>;
  <T extends NumericDType = any, A extends Shape = any, B extends Shape = [], N extends number = number>(
    a: Tensor<T, A>,
    b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, Op>>) | N,
    name?: Named,
  ): Tensor<T, Given<N, Broadcast<A, B>>>;
}

/** Shape and dtype of an elementwise function of two operands. */
export const inferBinary =
  (op: string, allowed: DTypes = numeric) =>
  ([a, b]: readonly TensorType[]): TensorType => {
    const dtype = sameDType(op, [a, b]);
    requireDType(op, a, allowed);
    return { dtype, shape: broadcastShapes(op, a, b) };
  };

/** Makes the public function of a binary op: numbers take the element type of the tensor beside them. */
export function binaryFunction<F>(definition: OpDefinition, op = functionName(definition.name)): F {
  const form = signature(`tf.${op}`, { a: operand, b: operand }, { name: text }, ['name']);
  const call = (...given: unknown[]): Tensor => {
    const { a, b, name } = form.take(given);
    const beside = typeof a === 'object' ? a : typeof b === 'object' ? b : undefined;
    if (!beside)
      throw new InvalidArgumentError(`${op}: at least one operand must be a tensor; use tf.constant for the other.`);
    const x = toTensor(op, a, beside.dtype);
    return apply(definition, [x, toTensor(op, b, beside.dtype)], {}, name);
  };
  return call as F;
}

type BinaryGradient = (
  x: AnyTensor,
  y: AnyTensor,
  dz: AnyTensor,
  z: AnyTensor,
) => readonly [AnyTensor | null, AnyTensor | null];

/** A binary op from its scalar function and the gradients of its operands (before broadcasting is undone). */
export function defineBinary(name: string, body: (a: s.Scalar, b: s.Scalar) => s.Scalar, gradient?: BinaryGradient) {
  const op = functionName(name);
  return defineOp({
    name,
    infer: inferBinary(op),
    ...(gradient && {
      gradient: ({ inputs: [x, y], outputs: [z] }, [dz]) => {
        if (!dz) return [null, null];
        const [dx, dy] = gradient(x, y, dz, z);
        return [dx && sumLike(dx, x), dy && sumLike(dy, y)];
      },
    }),
    lower: ([a, b], { name: node, require }) => {
      const divides = name === 'Div' || name === 'FloorDiv' || name === 'Mod';
      if (divides && !isFloat(b.node.dtype)) {
        const message = `${op}: integer division by zero in ${node}. Make sure that no divisor is 0, for example with tf.maximum(b, 1).`;
        require(p.check([b], (y) => s.not(s.equal(y, 0)), message));
      }
      return p.map([a, b], body);
    },
  });
}

/** @internal d(x + y) = dx + dy */
export const AddOp = defineBinary('Add', s.add, (_x, _y, dz) => [dz, dz]);
/** @internal d(x − y) = dx − dy */
export const SubOp = defineBinary('Sub', s.sub, (_x, _y, dz) => [dz, neg(dz)]);
/** @internal d(x·y) = y·dx + x·dy */
export const MulOp: OpDefinition = defineBinary('Mul', s.mul, (x, y, dz) => [mul(dz, y), mul(dz, x)]);
/** @internal d(x/y) = dx/y − x/y²·dy */
export const DivOp: OpDefinition = defineBinary('Div', s.div, (_x, y, dz, z) => [div(dz, y), neg(div(mul(dz, z), y))]);
const FloorDivOp = defineBinary('FloorDiv', s.floorDiv);
// d(x mod y) = dx − ⌊x/y⌋·dy
const ModOp = defineBinary('Mod', s.mod, (x, y, dz) => [dz, neg(mul(dz, floorDiv(x, y)))]);

// d((x − y)²) = 2(x − y)·(dx − dy)
const SquaredDifferenceOp = defineBinary(
  'SquaredDifference',
  (x, y) => {
    const d = s.sub(x, y);
    return s.mul(d, d);
  },
  (x, y, dz) => {
    const dx = mul(mul(dz, sub(x, y)), 2);
    return [dx, neg(dx)];
  },
);

/** a + b, elementwise with broadcasting. Integers wrap. */
export const add: BinaryFunction<'add'> = binaryFunction(AddOp);
/** a − b, elementwise with broadcasting. Integers wrap. */
export const sub: BinaryFunction<'sub'> = binaryFunction(SubOp);
/** a · b, elementwise with broadcasting. Integers wrap. */
export const mul: BinaryFunction<'mul'> = binaryFunction(MulOp);
/**
 * a / b, elementwise with broadcasting. Integers are divided truncating toward zero (−7 / 2 is −3).
 * A run in which an integer is divided by zero fails with an InvalidArgumentError.
 */
export const div: BinaryFunction<'div'> = binaryFunction(DivOp);
/**
 * ⌊a / b⌋ of the exact quotient, elementwise with broadcasting (−7 and 2 give −4); beyond 2²⁴ (float64: 2⁵³) the quotient
 * is rounded. Integer division by zero fails the run.
 */
export const floorDiv: BinaryFunction<'floorDiv'> = binaryFunction(FloorDivOp);
/**
 * a − ⌊a / b⌋·b, elementwise with broadcasting: has the sign of b, as TensorFlow's `floormod`. Floats are rounded once,
 * whatever the quotient is. An integer modulo zero fails the run.
 */
export const mod: BinaryFunction<'mod'> = binaryFunction(ModOp);

/** (a − b)², elementwise with broadcasting. Integers wrap. */
export const squaredDifference: BinaryFunction<'squaredDifference'> = binaryFunction(SquaredDifferenceOp);

/** @internal d(−x) = −dx */
export const NegOp = defineOp({
  name: 'Neg',
  infer: ([x]) => ({ ...x, dtype: requireDType('neg', x, numeric) }),
  gradient: (_, [dy]) => [dy && neg(dy)],
  lower: ([x]) => p.map([x], s.neg),
});
/** −x. */
export const neg: UnaryFunction<NumericDType> = unaryFunction(NegOp);

/** Added in pairs, and these again: so expressions of many terms are not deep, and errors of rounding stay small. */
function sumOf(values: readonly s.Scalar[]): s.Scalar {
  let sums = values;
  while (sums.length > 1) {
    const next: s.Scalar[] = [];
    for (let i = 0; i < sums.length; i += 2) next.push(i + 1 < sums.length ? s.add(sums[i], sums[i + 1]) : sums[i]);
    sums = next;
  }
  return sums[0];
}

/** @internal d(Σ xᵢ) = Σ dxᵢ */
export const AddNOp = defineOp({
  name: 'AddN',
  infer: (inputs) => {
    const dtype = sameDType('addN', inputs);
    requireDType('addN', inputs[0], numeric);
    const shape = inputs.reduce<TensorType>(
      (a, b) => ({ dtype, shape: broadcastShapes('addN', a, b) }),
      inputs[0],
    ).shape;
    return { dtype, shape };
  },
  gradient: ({ inputs }, [dy]) => inputs.map((x) => dy && sumLike(dy, x)),
  lower: (xs) => p.map(xs, (...values) => sumOf(values)),
});
const addNForm = signature('tf.addN', { xs: tensorList }, { name: text }, ['name']);
/** The sum of several tensors of one shape. */
export function addN<T extends NumericDType = any, S extends Shape = any>(
  xs: readonly Tensor<T, S>[],
  name?: Named,
): Tensor<T, S>;
export function addN(...given: unknown[]): AnyTensor {
  const { xs, name } = addNForm.take(given);
  return apply(AddNOp, tensors('addN', xs), {}, name);
}
