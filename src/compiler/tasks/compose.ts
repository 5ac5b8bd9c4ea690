// Views of views: what lets a map be computed where it is read instead of being stored.
import { isDense, type View } from '../../primitives/primitives.ts';
import { rowMajor } from '../../tensor/shape.ts';

/** The index along one axis of a node as an affine function of a view's axes. */
export interface AxisIndex {
  readonly offset: number;
  readonly coefficients: readonly number[];
}

/**
 * For each axis of the node, its index in terms of the view's axes; undefined where a step along an axis of the view
 * would carry from one axis of the node into another.
 */
export function decompose(view: View, shape: readonly number[] = view.node.shape): AxisIndex[] | undefined {
  const strides = rowMajor(shape);
  const offsets: number[] = [];
  let rest = view.offset;
  for (const [d, stride] of strides.entries()) {
    offsets[d] = shape[d] <= 1 ? 0 : Math.floor(rest / stride);
    rest -= offsets[d] * stride;
  }
  if (rest !== 0) return undefined;
  const coefficients = shape.map(() => new Array<number>(view.shape.length).fill(0));
  for (const [i, step] of view.strides.entries()) {
    if (view.shape[i] <= 1 || step === 0) continue;
    const d = strides.findIndex((n, k) => shape[k] > 1 && Math.abs(step) >= n && step % n === 0);
    if (d < 0) return undefined;
    coefficients[d][i] = step / strides[d];
  }
  for (const [d, size] of shape.entries()) {
    let low = offsets[d];
    let high = offsets[d];
    for (const [i, c] of coefficients[d].entries()) {
      if (c < 0) low += c * (view.shape[i] - 1);
      else high += c * (view.shape[i] - 1);
    }
    if (low < 0 || high >= size) return undefined;
  }
  return offsets.map((offset, d) => ({ offset, coefficients: coefficients[d] }));
}

/** `inner`, a view over the shape of `outer`'s node, read at the places that `outer` reads; undefined if not affine. */
export function compose(outer: View, inner: View): View | undefined {
  const { shape } = outer;
  if (inner.strides.every((n, i) => n === 0 || inner.shape[i] === 1)) {
    return { node: inner.node, shape, strides: shape.map(() => 0), offset: inner.offset };
  }
  if (isDense(inner)) {
    return { node: inner.node, shape, strides: outer.strides, offset: inner.offset + outer.offset };
  }
  const axes = decompose(outer, inner.shape);
  if (!axes) return undefined;
  const strides = shape.map((_, i) => axes.reduce((sum, a, d) => sum + a.coefficients[i] * inner.strides[d], 0));
  const offset = axes.reduce((sum, a, d) => sum + a.offset * inner.strides[d], inner.offset);
  return { node: inner.node, shape, strides, offset };
}
