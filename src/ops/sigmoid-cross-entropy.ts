// Cross-entropies of independent yes or no: stable for logits of any size.
import { ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { needed, text } from '../tensor/kinds.ts';
import { compatible, type Shape, showShape } from '../tensor/shape.ts';
import type { SameShapeError } from '../tensor/shape-rules.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import { softplus } from './activations.ts';
import { add, mul, neg, sub } from './arithmetic.ts';
import { toTensor } from './constant.ts';
import { type AnyTensor, apply, defineOp, floats, operand, requireDType, sameDType, tensor } from './define.ts';
import { sigmoid } from './math.ts';

/** One label for each logit: [n] beside [n, 1] would silently be n × n losses. */
function requireSameShape(op: string, labels: Shape | undefined, logits: Shape | undefined): void {
  if (compatible(labels, logits)) return;
  throw new ShapeMismatchError(
    `${op}: labels ${showShape(labels)} and logits ${showShape(logits)} must have the same shape; use tf.reshape.`,
  );
}

/** Inputs: labels z, logits x. dx = (sigmoid(x) − z)·dy, dz = −x·dy */
const SigmoidCrossEntropyOp = defineOp({
  name: 'SigmoidCrossEntropy',
  infer: ([labels, logits]) => {
    const op = 'sigmoidCrossEntropyWithLogits';
    const dtype = sameDType(op, [labels, logits]);
    requireDType(op, logits, floats);
    requireSameShape(op, labels.shape, logits.shape);
    return { dtype, shape: logits.shape?.map((d, i) => d ?? labels.shape?.[i] ?? null) ?? labels.shape };
  },
  gradient: ({ inputs: [labels, logits] }, [dy]) => [
    dy && neg(mul(logits, dy)),
    dy && mul(sub(sigmoid(logits), labels), dy),
  ],
  lower: ([labels, logits]) =>
    p.map([labels, logits], (z, x) => s.add(s.sub(s.max(x, 0), s.mul(x, z)), s.log1p(s.exp(s.neg(s.abs(x)))))),
});

const given = { labels: needed(tensor), logits: needed(tensor) };
const lossForm = signature('tf.nn.sigmoidCrossEntropyWithLogits', {}, { ...given, name: text });
/**
 * The cross-entropy of each label, a probability z, with sigmoid(x) of its logit x, −z·ln σ(x) − (1 − z)·ln(1 − σ(x)).
 * It is computed as max(x, 0) − x·z + ln(1 + e^−|x|), so it is finite for logits of any size.
 *
 * @throws ShapeMismatchError when labels and logits differ in shape; DTypeError when they do in dtype.
 *
 * ```ts
 * const loss = tf.reduceMean(tf.nn.sigmoidCrossEntropyWithLogits({ labels, logits }));
 * ```
 */
export function sigmoidCrossEntropyWithLogits<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
>(options: {
  labels: Tensor<T, A>;
  logits: Tensor<NoInfer<T>, B> & ShapeError<SameShapeError<A, B, 'sigmoidCrossEntropyWithLogits', 'labels', 'logits'>>;
  name?: string;
}): Tensor<T, B>;
export function sigmoidCrossEntropyWithLogits(...options: unknown[]): AnyTensor {
  const { labels, logits, name } = lossForm.take(options);
  return apply(SigmoidCrossEntropyOp, [labels, logits], {}, name);
}

const weightedForm = signature(
  'tf.nn.weightedCrossEntropyWithLogits',
  {},
  {
    ...given,
    posWeight: needed(operand),
    name: text,
  },
);
/**
 * `sigmoidCrossEntropyWithLogits` with the positive part of the loss times a weight q:
 * −q·z·ln σ(x) − (1 − z)·ln(1 − σ(x)). A weight above 1 raises recall, one below 1 precision.
 *
 * @param options.posWeight q: a number, or a tensor that broadcasts to the logits.
 * @throws ShapeMismatchError when labels and logits differ in shape; DTypeError when they do in dtype.
 */
export function weightedCrossEntropyWithLogits<
  T extends FloatDType = any,
  A extends Shape = any,
  B extends Shape = any,
>(options: {
  labels: Tensor<T, A>;
  logits: Tensor<NoInfer<T>, B> &
    ShapeError<SameShapeError<A, B, 'weightedCrossEntropyWithLogits', 'labels', 'logits'>>;
  posWeight: Tensor<NoInfer<T>, any> | number;
  name?: string;
}): Tensor<T, B>;
export function weightedCrossEntropyWithLogits(...options: unknown[]): AnyTensor {
  const op = 'weightedCrossEntropyWithLogits';
  const { labels, logits, posWeight, name = op } = weightedForm.take(options);
  requireDType(op, logits, floats);
  requireSameShape(op, labels.shape, logits.shape);
  const weight = add(mul(sub(toTensor(op, posWeight, logits.dtype) as AnyTensor, 1), labels), 1);
  return add(mul(sub(1, labels), logits), mul(weight, softplus(neg(logits))), name);
}
