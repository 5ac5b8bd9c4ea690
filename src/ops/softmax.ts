// Softmax and the losses made of it, over the last axis. All are safe for logits of any size.

import { InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { Reduce } from '../tensor/axis-rules.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { compatible, type Shape, showShape } from '../tensor/shape.ts';
import type { Broadcast, BroadcastError } from '../tensor/shape-rules.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { mul, neg, sub } from './arithmetic.ts';
import { type AnyTensor, apply, defineOp, floats, type OpDefinition, requireDType, type TensorType } from './define.ts';
import { onesLike } from './fill.ts';
import { exp } from './math.ts';
import { reduceSum } from './reduce.ts';
import { expandDims } from './shape.ts';

function inferRows(op: string, x: TensorType): TensorType {
  requireDType(op, x, floats);
  if (x.shape?.length === 0) throw new ShapeMismatchError(`${op}: needs at least one axis, but a scalar came.`);
  return x;
}

/** A reduction over the last axis, as a column beside x. */
function perRow(op: p.ReduceOp, x: p.View): p.View {
  const last = x.shape.length - 1;
  return p.reshape(p.reduce(op, x, [last]), [...x.shape.slice(0, last), 1]);
}

/** The sums over the last axis, as a column beside x: of tensors, for gradients. */
const rowSums = (x: AnyTensor): AnyTensor => expandDims(reduceSum(x, -1), -1);

/** x less the largest of its row: at most 0, so that no exponential overflows. */
const shifted = (x: p.View): p.View => p.map([x, perRow('max', x)], s.sub);

/** @internal Inputs p, dp: dx = p·(dp − Σ dp·p) */
export const SoftmaxGradOp: OpDefinition = defineOp({
  name: 'SoftmaxGrad',
  infer: ([probabilities]) => probabilities,
  gradient: ({ inputs: [y, dy] }, [dz]) => {
    if (!dz) return [null, null];
    // z = y·(dy − Σ dy·y)
    const inner = rowSums(mul(dy, y));
    const crossed = rowSums(mul(dz, y));
    return [sub(mul(dz, sub(dy, inner)), mul(crossed, dy)), mul(y, sub(dz, crossed))];
  },
  lower: ([y, dy]) => {
    const sum = perRow('sum', p.map([y, dy], s.mul));
    return p.map([y, dy, sum], (a, d, total) => s.mul(a, s.sub(d, total)));
  },
});
/** @internal */
export const SoftmaxOp: OpDefinition = defineOp({
  name: 'Softmax',
  infer: ([x]) => inferRows('softmax', x),
  gradient: ({ outputs: [y] }, [dy]) => [dy && apply(SoftmaxGradOp, [y, dy], {})],
  lower: ([x]) => {
    const e = p.map([shifted(x)], s.exp);
    return p.map([e, perRow('sum', e)], s.div);
  },
});
/** eˣⁱ / Σ eˣʲ over the last axis. */
export function softmax<T extends FloatDType, S extends Shape>(x: Tensor<T, S>, name?: string): Tensor<T, S> {
  return apply(SoftmaxOp, [x], {}, name);
}

/** @internal dx = dy − eʸ·Σ dy */
export const LogSoftmaxOp: OpDefinition = defineOp({
  name: 'LogSoftmax',
  infer: ([x]) => inferRows('logSoftmax', x),
  gradient: ({ outputs: [y] }, [dy]) => {
    if (!dy) return [null];
    return [sub(dy, mul(exp(y), rowSums(dy)))];
  },
  lower: ([x]) => {
    const z = shifted(x);
    // The logarithm is one for each row.
    const logSum = p.map([perRow('sum', p.map([z], s.exp))], s.log);
    return p.map([z, logSum], s.sub);
  },
});
/** ln softmax: xᵢ − ln Σ eˣʲ over the last axis. */
export function logSoftmax<T extends FloatDType, S extends Shape>(x: Tensor<T, S>, name?: string): Tensor<T, S> {
  return apply(LogSoftmaxOp, [x], {}, name);
}

function lossOptions(op: string, options: { labels?: unknown; logits?: unknown }) {
  if (options?.labels === undefined || options.logits === undefined) {
    throw new InvalidArgumentError(
      `${op}: labels and logits are given by name; write ${op}({ labels: y_, logits: y }).`,
    );
  }
  return options as { labels: AnyTensor; logits: AnyTensor };
}

/**
 * The cross-entropy −Σ labels·ln softmax(logits) of each row. Labels are probabilities; they need not sum to 1.
 *
 * ```ts
 * const loss = tf.reduceMean(tf.nn.softmaxCrossEntropyWithLogits({ labels: y_, logits }));
 * ```
 */
export function softmaxCrossEntropyWithLogits<T extends FloatDType, A extends Shape, B extends Shape>(options: {
  labels: Tensor<T, A>;
  logits: Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'softmaxCrossEntropyWithLogits'>>;
}): Tensor<T, Reduce<Broadcast<A, B>, -1>> {
  const { labels, logits } = lossOptions('softmaxCrossEntropyWithLogits', options);
  return neg(reduceSum(mul(labels, logSoftmax(logits)), -1)) as Tensor<T, any>;
}

const SparseCrossEntropyOp: OpDefinition = defineOp({
  name: 'SparseSoftmaxCrossEntropy',
  infer: ([labels, logits]) => {
    requireDType('sparseSoftmaxCrossEntropyWithLogits labels', labels, ['int32']);
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
    const dlogits = apply(SoftmaxGradOp, [softmax(logits as Tensor<FloatDType>), mul(dz, column)], {});
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
/**
 * The cross-entropy −ln softmax(logits)[label] of each row, for labels given as class numbers (int32).
 * A run with a label out of range fails with an InvalidArgumentError before anything changes.
 */
export function sparseSoftmaxCrossEntropyWithLogits<T extends FloatDType, A extends Shape, B extends Shape>(options: {
  labels: Tensor<'int32', A>;
  logits: Tensor<T, B>;
}): Tensor<T, Reduce<B, -1>> {
  const { labels, logits } = lossOptions('sparseSoftmaxCrossEntropyWithLogits', options);
  return apply(SparseCrossEntropyOp, [labels, logits], {});
}
