// A tensor surrounded by its own reflection.
import { ShapeMismatchError } from '../base/errors.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import { showShape } from '../tensor/shape.ts';
import { apply, defineOp, type OpDefinition } from './define.ts';

/** @internal */
export interface MirrorAttributes {
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** 1 where the outermost element is not repeated (REFLECT), 0 where it is (SYMMETRIC). */
  readonly skip: 0 | 1;
}

/** So many elements from `begin` on along an axis, turned. */
function turnedPart(v: p.View, axis: number, begin: number, count: number): p.View {
  const at = (value: number, other: readonly number[]) => other.map((n, i) => (i === axis ? value : n));
  const from = at(
    begin,
    v.shape.map(() => 0),
  );
  return p.reverse(p.slice(v, from, at(count, v.shape)), [axis]);
}

/** @internal */
export const MirrorPadOp: OpDefinition<MirrorAttributes> = defineOp({
  name: 'MirrorPad',
  infer: ([x], { low, high, skip }) => {
    if (!x.shape) return x;
    const { shape } = x;
    const most = shape.map((d) => (d === null ? Number.POSITIVE_INFINITY : Math.max(0, d - skip)));
    const fits = (sizes: readonly number[]) => sizes.every((n, i) => Number.isInteger(n) && n >= 0 && n <= most[i]);
    if (low.length !== shape.length || !fits(low) || !fits(high)) {
      throw new ShapeMismatchError(
        `pad: there must be a pair [before, after] for each axis of ${showShape(shape)}, of at most ${skip ? 'the size less 1, for REFLECT' : 'the size, for SYMMETRIC'}; but before is ${showShape(low)}, after ${showShape(high)}.`,
      );
    }
    return { dtype: x.dtype, shape: shape.map((d, i) => (d === null ? null : d + low[i] + high[i])) };
  },
  gradient: ({ inputs: [x], attributes }, [dy]) => [dy && apply(MirrorPadGradOp, [dy, x], attributes)],
  lower: ([x], { attributes: { low, high, skip } }) =>
    x.shape.reduce((v, size, axis) => {
      const before = low[axis] > 0 ? [turnedPart(v, axis, skip, low[axis])] : [];
      const after = high[axis] > 0 ? [turnedPart(v, axis, size - skip - high[axis], high[axis])] : [];
      return p.concat([...before, v, ...after], axis);
    }, x),
});

/** Inputs: dy, and x for its shape. Each element of dy is added to the one that it repeats. */
const MirrorPadGradOp: OpDefinition<MirrorAttributes> = defineOp({
  name: 'MirrorPadGrad',
  infer: ([dy, x]) => ({ dtype: dy.dtype, shape: x.shape }),
  gradient: ({ attributes }, [dz]) => [dz && apply(MirrorPadOp, [dz], attributes), null],
  lower: ([dy, x], { attributes: { low, high, skip } }) =>
    x.shape.reduceRight((v, size, axis) => {
      if (low[axis] === 0 && high[axis] === 0) return v;
      const along = (value: number, other: readonly number[]) => other.map((n, i) => (i === axis ? value : n));
      const none = v.shape.map(() => 0);
      const middle = p.slice(v, along(low[axis], none), along(size, v.shape));
      const put = (begin: number, count: number, at: number) =>
        p.pad(turnedPart(v, axis, begin, count), along(at, none), along(size - at - count, none));
      const before = low[axis] > 0 ? [put(0, low[axis], skip)] : [];
      const after = high[axis] > 0 ? [put(low[axis] + size, high[axis], size - skip - high[axis])] : [];
      return p.map([middle, ...before, ...after], (...parts) => parts.reduce((a, b) => s.add(a, b)));
    }, dy),
});
