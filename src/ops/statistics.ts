// Spread and logarithmic sums over axes: reduceVariance, reduceStd, reduceLogsumexp, and both moments.
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { AxisError, Reduce } from '../tensor/axis-rules.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { anything, text, trueOrFalse } from '../tensor/kinds.ts';
import type { Shape } from '../tensor/shape.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import { mul, neg, sub } from './arithmetic.ts';
import { type AnyTensor, type Axes, apply, defineOp, floats, integers, requireDType, tensor } from './define.ts';
import { sumLike } from './like.ts';
import { exp, sqrt } from './math.ts';
import { defineReduce, meanOf, type ReduceFunction, reciprocalCount, reduceFunction, reduceMean } from './reduce.ts';

/** What was reduced over some axes, with these as axes of size 1. */
const beside = (reduced: p.View, x: p.View, axes: readonly number[]): p.View =>
  p.reshape(
    reduced,
    x.shape.map((d, i) => (axes.includes(i) ? 1 : d)),
  );

/** Inputs: d, x, mean. d·(x − mean), in one step: the difference is computed where it is needed, never stored. */
const CentredProductOp = defineOp({
  name: 'CentredProduct',
  infer: ([, x]) => x,
  gradient: ({ inputs: [d, x, mean] }, [dz]) => {
    if (!dz) return [null, null, null];
    const dx = mul(dz, d);
    return [sumLike(centredProduct(dz, x, mean), d), sumLike(dx, x), sumLike(neg(dx), mean)];
  },
  lower: ([d, x, mean]) => p.map([d, x, mean], (e, v, m) => s.mul(e, s.sub(v, m))),
});
/** @internal d·(x − mean). */
export const centredProduct = (d: AnyTensor, x: AnyTensor, mean: AnyTensor): AnyTensor =>
  apply(CentredProductOp, [d, x, mean], {});

// d(var x) = 2/n · Σ (x − mean)·dx
const VarianceOp = defineReduce(
  'reduceVariance',
  floats,
  // In two passes: Σx² − (Σx)²/n would lose all digits where the mean is large.
  (x, axes) => {
    const mean = beside(meanOf(x, axes), x, axes);
    const squares = p.map([x, mean], (v, m) => {
      const d = s.sub(v, m);
      return s.mul(d, d);
    });
    return meanOf(squares, axes);
  },
  (x, _y, dy, spread, axis) => {
    const mean = reduceMean(x, axis, { keepDims: true }) as AnyTensor;
    return centredProduct(spread(mul(dy, mul(reciprocalCount(x, dy), 2))), x, mean);
  },
);
/** The mean of (x − mean x)² over the given axes, or all of them; NaN of nothing. */
export const reduceVariance: ReduceFunction<'reduceVariance', FloatDType> = reduceFunction(VarianceOp);

const stdForm = signature(
  'tf.reduceStd',
  { x: tensor },
  { axis: anything<Axes>('an axis, or an array of them'), keepDims: trueOrFalse, name: text },
  ['axis', 'keepDims', 'name'],
);
const standardDeviation = (...given: unknown[]): AnyTensor => {
  const { x, axis, keepDims = false, name = 'reduceStd' } = stdForm.take(given);
  requireDType('reduceStd', x, floats);
  return sqrt(reduceVariance(x, axis, { keepDims }) as AnyTensor, name);
};
/** The root of `reduceVariance`. Its gradient is not finite where the variance is 0. */
export const reduceStd = standardDeviation as ReduceFunction<'reduceStd', FloatDType>;

// d(ln Σ eˣ) = Σ e^(x − y)·dx
const LogSumExpOp = defineReduce(
  'reduceLogsumexp',
  floats,
  (x, axes) => {
    // An infinite element is the answer: nothing is taken off it.
    const most = p.map([p.reduce('max', x, axes)], (v) => s.select(s.equal(s.sub(v, v), 0), v, 0));
    const sum = p.reduce(
      'sum',
      p.map([x, beside(most, x, axes)], (v, m) => s.exp(s.sub(v, m))),
      axes,
    );
    return p.map([sum, most], (v, m) => s.add(s.log(v), m));
  },
  (x, y, dy, spread) => mul(spread(dy), exp(sub(x, spread(y)))),
);
/**
 * ln Σ eˣ over the given axes, or all of them: the largest element is taken off first, so that nothing overflows. Of
 * nothing it is −∞.
 */
export const reduceLogsumexp: ReduceFunction<'reduceLogsumexp', FloatDType> = reduceFunction(LogSumExpOp);

const momentsForm = signature(
  'tf.nn.moments',
  { x: tensor, axes: anything<Axes>('an axis, or an array of them') },
  { keepDims: trueOrFalse, name: text },
);
/**
 * Mean and variance over some axes, as a pair. The variance is the mean of (x − mean)², in a pass of its own, so it is
 * exact also where the mean is large.
 *
 * @param axes [0] for a dense layer, [0, 1, 2] for images: one mean for each channel.
 * @param options.keepDims keeps the reduced axes with size 1.
 * @throws ShapeMismatchError for an axis that x does not have.
 *
 * ```ts
 * const [mean, variance] = tf.nn.moments(x, [0, 1, 2]);      // [null, 28, 28, 32] → [32] each
 * ```
 */
export function moments<
  T extends FloatDType = any,
  A extends Shape = any,
  const Ax extends number | readonly number[] = number | readonly number[],
  K extends boolean = false,
>(
  x: Tensor<T, A> & ShapeError<AxisError<A, Ax, 'moments'>>,
  axes: Ax,
  options?: { readonly keepDims?: K; readonly name?: string },
): [mean: Tensor<T, Reduce<A, Ax, K>>, variance: Tensor<T, Reduce<A, Ax, K>>];
export function moments(...given: unknown[]): [AnyTensor, AnyTensor] {
  const { x, axes, keepDims = false, name = 'moments' } = momentsForm.take(given);
  requireDType('moments', x, floats);
  const axis = typeof axes === 'number' ? axes : integers('moments', 'the axes', axes);
  const part = (op: typeof reduceMean, of: string): AnyTensor => op(x, axis, { keepDims, name: `${name}/${of}` });
  return [part(reduceMean, 'mean'), part(reduceVariance as typeof reduceMean, 'variance')];
}
