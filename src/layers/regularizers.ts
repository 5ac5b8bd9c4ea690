// Penalties for the values of variables.
import { add, mul } from '../ops/arithmetic.ts';
import type { AnyTensor } from '../ops/define.ts';
import { abs } from '../ops/math.ts';
import { l2Loss } from '../ops/nn.ts';
import { reduceSum } from '../ops/reduce.ts';
import { kind } from '../tensor/kinds.ts';
import { signature } from '../tensor/signature.ts';
import type { Regularizer } from '../variables/scope.ts';

const scaleKind = kind<number>('a finite number of at least 0', (v) => Number.isFinite(v) && (v as number) >= 0);
type Scalar = ReturnType<Regularizer>;
const penaltyOfSize = (scale: number, w: AnyTensor) =>
  mul(reduceSum(abs(w) as AnyTensor), scale, { name: 'l1_regularizer' }) as AnyTensor;
const penaltyOfSquares = (scale: number, w: AnyTensor) =>
  mul(l2Loss(w), scale, { name: 'l2_regularizer' }) as AnyTensor;

const l1Form = signature('tf.layers.l1Regularizer', { scale: scaleKind }, {});
/** scale · Σ |w|: makes many weights 0. With scale 0, no penalty at all. */
export function l1Regularizer(scale: number): Regularizer;
export function l1Regularizer(...given: unknown[]): Regularizer {
  const { scale } = l1Form.take(given);
  return (w) => (scale === 0 ? null : (penaltyOfSize(scale, w) as Scalar));
}

const l2Form = signature('tf.layers.l2Regularizer', { scale: scaleKind }, {});
/**
 * scale · Σ w² / 2: keeps weights small. With scale 0, no penalty at all.
 *
 * ```ts
 * tf.layers.dense(x, 10, { kernelRegularizer: tf.layers.l2Regularizer(1e-4) });
 * const loss = tf.losses.getTotalLoss();      // with the penalties
 * ```
 *
 * Reference: tf.contrib.layers.l2_regularizer of TensorFlow 1.
 */
export function l2Regularizer(scale: number): Regularizer;
export function l2Regularizer(...given: unknown[]): Regularizer {
  const { scale } = l2Form.take(given);
  return (w) => (scale === 0 ? null : (penaltyOfSquares(scale, w) as Scalar));
}

const l1L2Form = signature('tf.layers.l1L2Regularizer', { scaleL1: scaleKind, scaleL2: scaleKind }, {});
/** scaleL1 · Σ |w| + scaleL2 · Σ w² / 2. */
export function l1L2Regularizer(scaleL1: number, scaleL2: number): Regularizer;
export function l1L2Regularizer(...given: unknown[]): Regularizer {
  const { scaleL1, scaleL2 } = l1L2Form.take(given);
  return (w) => {
    const parts = [
      ...(scaleL1 === 0 ? [] : [penaltyOfSize(scaleL1, w)]),
      ...(scaleL2 === 0 ? [] : [penaltyOfSquares(scaleL2, w)]),
    ];
    if (parts.length < 2) return (parts[0] ?? null) as Scalar;
    return add(parts[0], parts[1], { name: 'l1_l2_regularizer' }) as Scalar;
  };
}
