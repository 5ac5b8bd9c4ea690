// Softmax and the losses made of it, over the last axis or another. All are safe for logits of any size.

import { ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { Reduce } from '../tensor/axis-rules.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { needed, text, wholeNumber } from '../tensor/kinds.ts';
import { compatible, type Shape, showShape } from '../tensor/shape.ts';
import type { Broadcast, BroadcastError } from '../tensor/shape-rules.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import { mul, neg, sub } from './arithmetic.ts';
import {
  type AnyTensor,
  apply,
  axisOf,
  defineOp,
  floats,
  indexTypes,
  type Named,
  type OpDefinition,
  requireDType,
  type TensorType,
  tensor,
} from './define.ts';
import { onesLike } from './fill.ts';
import { wideIndices } from './gather.ts';
import { exp } from './math.ts';
import { reduceSum } from './reduce.ts';
import { expandDims } from './shape.ts';

interface RowAttributes {
  /** The axis along which a row lies. */
  readonly axis: number;
}
const last: RowAttributes = { axis: -1 };

function inferRows(op: string, x: TensorType, { axis }: RowAttributes = last): TensorType {
  requireDType(op, x, floats);
  if (x.shape?.length === 0) throw new ShapeMismatchError(`${op}: needs at least one axis, but a scalar came.`);
  if (x.shape) axisOf(op, axis, x.shape);
  return x;
}

/** @internal A reduction along the rows, as a column beside x. */
export function perRow(op: p.ReduceOp, x: p.View, { axis }: RowAttributes = last): p.View {
  const i = axisOf('softmax', axis, x.shape);
  return p.reshape(
    p.reduce(op, x, [i]),
    x.shape.map((size, k) => (k === i ? 1 : size)),
  );
}

/** The sums along the rows, as a column beside x: of tensors, for gradients. */
const rowSums = (x: AnyTensor, { axis }: RowAttributes): AnyTensor => reduceSum(x, axis, { keepDims: true });

/** x less the largest of its row: at most 0, so that no exponential overflows. */
const shifted = (x: p.View, row?: RowAttributes): p.View => p.map([x, perRow('max', x, row)], s.sub);

/** @internal Inputs p, dp: dx = p·(dp − Σ dp·p) */
export const SoftmaxGradOp: OpDefinition<RowAttributes> = defineOp({
  name: 'SoftmaxGrad',
  infer: ([probabilities]) => probabilities,
  gradient: ({ inputs: [y, dy], attributes }, [dz]) => {
    if (!dz) return [null, null];
    // z = y·(dy − Σ dy·y)
    const inner = rowSums(mul(dy, y), attributes);
    const crossed = rowSums(mul(dz, y), attributes);
    return [sub(mul(dz, sub(dy, inner)), mul(crossed, dy)), mul(y, sub(dz, crossed))];
  },
  lower: ([y, dy], { attributes }) => {
    const sum = perRow('sum', p.map([y, dy], s.mul), attributes);
    return p.map([y, dy, sum], (a, d, total) => s.mul(a, s.sub(d, total)));
  },
});
/** @internal */
export const SoftmaxOp: OpDefinition<RowAttributes> = defineOp({
  name: 'Softmax',
  infer: ([x], attributes) => inferRows('softmax', x, attributes),
  gradient: ({ outputs: [y], attributes }, [dy]) => [dy && apply(SoftmaxGradOp, [y, dy], attributes)],
  lower: ([x], { attributes }) => {
    const e = p.map([shifted(x, attributes)], s.exp);
    return p.map([e, perRow('sum', e, attributes)], s.div);
  },
});

/** A function of the rows along an axis. */
export type RowFunction = <T extends FloatDType = any, S extends Shape = any>(
  x: Tensor<T, S>,
  axis?: number | { readonly axis?: number; readonly name?: string },
  name?: Named,
) => Tensor<T, S>;
function rowFunction(op: string, definition: OpDefinition<RowAttributes>): RowFunction {
  const form = signature(`tf.nn.${op}`, { x: tensor }, { axis: wholeNumber, name: text }, ['axis', 'name']);
  return (...given: unknown[]): AnyTensor => {
    const { x, axis = -1, name } = form.take(given);
    return apply(definition, [x], { axis }, name);
  };
}
/**
 * eˣⁱ / Σ eˣʲ over an axis (default: the last).
 *
 * ```ts
 * tf.nn.softmax(x, { axis: 0 });       // or tf.nn.softmax(x, 0), as in TensorFlow
 * ```
 */
export const softmax: RowFunction = rowFunction('softmax', SoftmaxOp);

/** @internal dx = dy − eʸ·Σ dy */
export const LogSoftmaxOp: OpDefinition<RowAttributes> = defineOp({
  name: 'LogSoftmax',
  infer: ([x], attributes) => inferRows('logSoftmax', x, attributes),
  gradient: ({ outputs: [y], attributes }, [dy]) => {
    if (!dy) return [null];
    return [sub(dy, mul(exp(y), rowSums(dy, attributes)))];
  },
  lower: ([x], { attributes }) => {
    const z = shifted(x, attributes);
    // The logarithm is one for each row.
    const logSum = p.map([perRow('sum', p.map([z], s.exp), attributes)], s.log);
    return p.map([z, logSum], s.sub);
  },
});
/** ln softmax: xᵢ − ln Σ eˣʲ over an axis (default: the last). */
export const logSoftmax: RowFunction = rowFunction('logSoftmax', LogSoftmaxOp);

const given = { labels: needed(tensor), logits: needed(tensor), name: text };
const lossForm = signature('tf.nn.softmaxCrossEntropyWithLogits', {}, given);
/**
 * The cross-entropy −Σ labels·ln softmax(logits) of each row. Labels are probabilities; they need not sum to 1.
 *
 * ```ts
 * const loss = tf.reduceMean(tf.nn.softmaxCrossEntropyWithLogits({ labels: y_, logits }));
 * ```
 */
export function softmaxCrossEntropyWithLogits<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
>(options: {
  labels: Tensor<T, A>;
  logits: Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'softmaxCrossEntropyWithLogits'>>;
  name?: string;
}): Tensor<T, Reduce<Broadcast<A, B>, -1>>;
export function softmaxCrossEntropyWithLogits(...options: unknown[]): AnyTensor {
  const { labels, logits, name } = lossForm.take(options);
  requireDType('softmaxCrossEntropyWithLogits', logits, floats);
  return neg(reduceSum(mul(labels, logSoftmax(logits)), -1), name);
}

const SparseCrossEntropyOp: OpDefinition = defineOp({
  name: 'SparseSoftmaxCrossEntropy',
  infer: ([labels, logits]) => {
    requireDType('sparseSoftmaxCrossEntropyWithLogits labels', labels, indexTypes);
    const { dtype, shape } = inferRows('sparseSoftmaxCrossEntropyWithLogits', logits);
    const rows = shape?.slice(0, -1);
    if (!compatible(labels.shape, rows)) {
      throw new ShapeMismatchError(
        `sparseSoftmaxCrossEntropyWithLogits: labels ${showShape(labels.shape)} must have the shape of the logits ${showShape(shape)} without their last axis.`,
      );
    }
    return { dtype, shape: rows ?? labels.shape };
  },
  gradient: ({ inputs: [labels, logits] }, [dy]) => [
    null,
    dy && apply(SparseCrossEntropyGradOp, [labels, logits, dy], {}),
  ],
  lower: ([labels, logits], { require, name }) => {
    const last = logits.shape.length - 1;
    const classes = logits.shape[last];
    const known = classes === 0 ? 'there are no classes' : `there are ${classes} classes, 0 to ${classes - 1}`;
    const message = `sparseSoftmaxCrossEntropyWithLogits: label {value} is out of range in ${name}: ${known}.`;
    require(p.check([labels], (v) => s.and(s.lessEqual(s.constant(0, 'int32'), v), s.less(v, classes)), message));
    const z = shifted(logits);
    const column = p.reshape(labels, [...labels.shape, 1]);
    const chosen = p.map([z, column], (v, label) => s.select(s.equal(s.index(last), label), v, 0));
    const total = p.reduce('sum', p.map([z], s.exp), [last]);
    return p.map([total, p.reduce('sum', chosen, [last])], (sum, x) => s.sub(s.log(sum), x));
  },
});
/** dlogits = (softmax(logits) − oneHot(labels))·dy */
const SparseCrossEntropyGradOp: OpDefinition = defineOp({
  name: 'SparseSoftmaxCrossEntropyGrad',
  infer: ([, logits]) => logits,
  gradient: ({ inputs: [labels, logits, dy] }, [dz]) => {
    if (!dz) return [null, null, null];
    const column = expandDims(dy, -1) as AnyTensor;
    const each = apply(SparseCrossEntropyGradOp, [labels, logits, onesLike(dy)], {}) as AnyTensor;
    const dlogits = apply(SoftmaxGradOp, [softmax(logits as Tensor<FloatDType>), mul(dz, column)], last);
    return [null, dlogits, reduceSum(mul(dz, each), -1)];
  },
  lower: ([labels, logits, dy]) => {
    const last = logits.shape.length - 1;
    const e = p.map([shifted(logits)], s.exp);
    const column = (v: p.View) => p.reshape(v, [...v.shape, 1]);
    return p.map([e, perRow('sum', e), column(labels), column(dy)], (x, sum, label, d) => {
      const probability = s.div(x, sum);
      return s.mul(s.sub(probability, s.select(s.equal(s.index(last), label), s.constant(1, x.dtype), 0)), d);
    });
  },
});
const sparseLossForm = signature('tf.nn.sparseSoftmaxCrossEntropyWithLogits', {}, given);
/**
 * The cross-entropy −ln softmax(logits)[label] of each row, for labels given as class numbers (int32 or uint8).
 * A run with a label out of range fails with an InvalidArgumentError before anything changes.
 */
export function sparseSoftmaxCrossEntropyWithLogits<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
>(options: { labels: Tensor<'int32' | 'uint8', A>; logits: Tensor<T, B>; name?: string }): Tensor<T, Reduce<B, -1>>;
export function sparseSoftmaxCrossEntropyWithLogits(...options: unknown[]): AnyTensor {
  const { labels, logits, name } = sparseLossForm.take(options);
  return apply(SparseCrossEntropyOp, [wideIndices(labels), logits], {}, name);
}
