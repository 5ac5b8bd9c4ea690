// Running sums. In blocks: sums within a block, and those of the blocks before it, found the same way. So a run of n takes
// log n tasks, of which each goes over the elements once for each of a block.
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { NumericDType } from '../tensor/dtype.ts';
import { text, trueOrFalse, wholeNumber } from '../tensor/kinds.ts';
import { elements, type Shape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import {
  type AnyTensor,
  apply,
  axisOf,
  defineOp,
  type Named,
  numeric,
  type OpDefinition,
  requireDType,
  tensor,
} from './define.ts';

interface Scan {
  readonly exclusive: boolean;
  readonly reverse: boolean;
}
const block = 16;

/** Of rows [rows, n]: for each element the sum of those before it (or after it), with itself or without. */
function scan(x: p.View, how: Scan): p.View {
  const [rows, n] = x.shape;
  if (n <= 2 * block) return within(x, how);
  const blocks = Math.ceil(n / block);
  const filled = p.reshape(p.pad(x, [0, 0], [0, blocks * block - n]), [rows, blocks, block]);
  const before = scan(p.reduce('sum', filled, [2]), { ...how, exclusive: true });
  const inside = within(filled, how);
  const sums = p.map([inside, p.reshape(before, [rows, blocks, 1])], s.add);
  return p.slice(p.reshape(sums, [rows, blocks * block]), [0, 0], [rows, n]);
}

/** Along the last axis, each sum by itself: what does not belong to it is not looked at, NaN and infinities either. */
function within(x: p.View, { exclusive, reverse }: Scan): p.View {
  const last = x.shape.length - 1;
  const n = x.shape[last];
  const pairs = p.strided(x, [...x.shape, n], [...x.strides.slice(0, -1), 0, x.strides[last]]);
  const [i, j] = [s.index(last), s.index(last + 1)];
  const [from, to] = reverse ? [i, j] : [j, i];
  const counts = exclusive ? s.less(from, to) : s.lessEqual(from, to);
  return p.reduce(
    'sum',
    p.map([pairs], (v) => s.select(counts, v, 0)),
    [last + 1],
  );
}

const CumsumOp: OpDefinition<Scan & { readonly axis: number }> = defineOp({
  name: 'Cumsum',
  infer: ([x], { axis }) => {
    requireDType('cumsum', x, numeric);
    if (x.shape) axisOf('cumsum', axis, x.shape);
    return x;
  },
  gradient: ({ attributes }, [dy]) => [dy && apply(CumsumOp, [dy], { ...attributes, reverse: !attributes.reverse })],
  lower: ([x], { attributes: { axis, ...how } }) => {
    const i = axisOf('cumsum', axis, x.shape);
    const order = [...x.shape.map((_, k) => k).filter((k) => k !== i), i];
    const turned = p.transpose(x, order);
    const n = x.shape[i];
    const rows = elements(turned.shape.slice(0, -1));
    const sums = p.reshape(scan(p.reshape(turned, [rows, n]), how), turned.shape);
    return p.transpose(
      sums,
      order.map((_, k) => order.indexOf(k)),
    );
  },
});

const form = signature(
  'tf.cumsum',
  { x: tensor },
  { axis: wholeNumber, exclusive: trueOrFalse, reverse: trueOrFalse, name: text },
  ['axis', 'exclusive', 'reverse', 'name'],
);
/**
 * Running sums along an axis (default 0): out[i] = Σ x[j] over j ≤ i. Integers wrap.
 *
 * @param options.exclusive over j < i, so that the first is 0. @param options.reverse over j ≥ i, or j > i.
 *
 * ```ts
 * tf.cumsum(tf.constant([1, 2, 3]));                         // [1, 3, 6]
 * tf.cumsum(tf.constant([1, 2, 3]), { exclusive: true });    // [0, 1, 3]
 * ```
 */
export function cumsum<T extends NumericDType = any, A extends Shape = any>(
  x: Tensor<T, A>,
  options: { readonly axis?: number; readonly exclusive?: boolean; readonly reverse?: boolean; readonly name?: string },
): Tensor<T, A>;
export function cumsum<T extends NumericDType = any, A extends Shape = any>(
  x: Tensor<T, A>,
  axis?: number,
  exclusive?: boolean,
  reverse?: boolean,
  name?: Named,
): Tensor<T, A>;
export function cumsum(...given: unknown[]): AnyTensor {
  const { x, axis = 0, exclusive = false, reverse = false, name } = form.take(given);
  return apply(CumsumOp, [x], { axis, exclusive, reverse }, name);
}
