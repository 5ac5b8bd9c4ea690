// Products of matrices.

import { ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import type { NumericDType } from '../tensor/dtype.ts';
import { text, trueOrFalse } from '../tensor/kinds.ts';
import { broadcast, isKnown, type Shape, sameShape, showShape } from '../tensor/shape.ts';
import type { MatMul, MatMulError } from '../tensor/shape-rules.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import {
  type AnyTensor,
  apply,
  defineOp,
  dtypesOf,
  type OpDefinition,
  requireDType,
  sameDType,
  tensor,
} from './define.ts';

interface MatMulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}
const allowed = dtypesOf(['float32', 'float64', 'int32'], 'sums of products would soon wrap in 8 bits');

// C = A·B: dA = dC·Bᵀ, dB = Aᵀ·dC, and so on for transposed operands
const MatMulOp: OpDefinition<MatMulAttributes> = defineOp({
  name: 'MatMul',
  infer: ([a, b], { transposeA, transposeB }) => {
    const dtype = sameDType('matmul', [a, b]);
    requireDType('matmul', a, allowed);
    for (const [which, t] of [
      ['first', a],
      ['second', b],
    ] as const) {
      if (t.shape && t.shape.length < 2) {
        throw new ShapeMismatchError(
          `matmul: the ${which} argument must have at least 2 dimensions, but its shape is ${showShape(t.shape)}; use tf.reshape or tf.expandDims.`,
        );
      }
    }
    if (!a.shape || !b.shape) return { dtype, shape: undefined };
    const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
    if (!batch) {
      throw new ShapeMismatchError(
        `matmul: the batch dimensions of ${showShape(a.shape)} and ${showShape(b.shape)}, all but the last two, do not broadcast: aligned at the right, sizes must be equal or one of them 1.`,
      );
    }
    const [m, k] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
    const [l, n] = transposeB ? [b.shape.at(-1)!, b.shape.at(-2)!] : [b.shape.at(-2)!, b.shape.at(-1)!];
    if (k !== null && l !== null && k !== l) {
      const turned = (t: boolean) => (t ? ' (transposed)' : '');
      throw new ShapeMismatchError(
        `matmul: inner dimensions ${k} and ${l} differ: ${showShape(a.shape)}${turned(transposeA)} · ${showShape(b.shape)}${turned(transposeB)}.`,
      );
    }
    return { dtype, shape: [...batch, m, n] };
  },
  gradient: ({ inputs: [a, b], attributes: { transposeA: ta, transposeB: tb } }, [dc]) => {
    if (!dc) return [null, null];
    const da = ta ? productLike(a, b, dc, [tb, true]) : productLike(a, dc, b, [false, !tb]);
    const db = tb ? productLike(b, dc, a, [true, ta]) : productLike(b, a, dc, [!ta, false]);
    return [da, db];
  },
  lower: ([a, b], { attributes, outputs: [{ shape }] }) => product(a, b, shape, attributes),
});

/**
 * The product as a contraction to the shape of the result. Batch dimensions that the result lacks, or has with size 1,
 * are summed with the inner dimension; those that an operand lacks it repeats.
 */
function product(a: p.View, b: p.View, shape: readonly number[], { transposeA, transposeB }: MatMulAttributes): p.View {
  const [left, right] = [transposeA ? turned(a) : a, transposeB ? turned(b) : b];
  const all = broadcast(left.shape.slice(0, -2), right.shape.slice(0, -2)) as number[];
  const kept = shape.slice(0, -2);
  const lead = all.length - kept.length;
  const isSummed = all.map((d, i) => i < lead || (kept[i - lead] === 1 && d !== 1));
  // Both with all of the batch, rows, columns and the inner dimension.
  const inner = left.shape.at(-1) as number;
  const space = [...all, shape.at(-2) as number, shape.at(-1) as number, inner];
  const strides = (v: p.View, row: number, column: number, k: number) => {
    const full = p.broadcastTo(v, [...all, ...v.shape.slice(-2)]).strides;
    return [...full.slice(0, -2), row, column, k];
  };
  const [l1, l2] = left.strides.slice(-2);
  const [r1, r2] = right.strides.slice(-2);
  const views = [p.strided(left, space, strides(left, l1, 0, l2)), p.strided(right, space, strides(right, 0, r2, r1))];
  const axes = space.map((_, i) => i);
  const summed = axes.filter((i) => isSummed[i]);
  const order = [...axes.filter((i) => !isSummed[i] && i < space.length - 1), ...summed, space.length - 1];
  const [x, y] = views.map((v) => p.transpose(v, order));
  return p.reshape(p.contract(x, y, order.length - 1 - summed.length), shape);
}
const turned = (v: p.View): p.View => {
  const axes = v.shape.map((_, i) => i);
  const last = axes.length - 1;
  return p.transpose(v, [...axes.slice(0, -2), last, last - 1]);
};

/** Inputs: a, b, and a tensor for its shape: a·b, summed over the batch dimensions that this tensor does not have. */
const MatMulLikeOp: OpDefinition<MatMulAttributes> = defineOp({
  name: 'MatMulLike',
  infer: ([a, , like]) => ({ dtype: a.dtype, shape: like.shape }),
  gradient: ({ inputs: [a, b], attributes: { transposeA: ta, transposeB: tb } }, [dc]) => {
    if (!dc) return [null, null, null];
    const da = ta ? productLike(a, b, dc, [tb, true]) : productLike(a, dc, b, [false, !tb]);
    const db = tb ? productLike(b, dc, a, [true, ta]) : productLike(b, a, dc, [!ta, false]);
    return [da, db, null];
  },
  lower: ([a, b], { attributes, outputs: [{ shape }] }) => product(a, b, shape, attributes),
});

/** a·b in the shape of a tensor, each transposed or not: a plain product where no batch is repeated. */
function productLike(
  like: AnyTensor,
  a: AnyTensor,
  b: AnyTensor,
  [transposeA, transposeB]: [boolean, boolean],
): AnyTensor {
  const ranks = [like, a, b].map((t) => t.shape?.length);
  const batches = [like, a, b].map((t) => (isKnown(t.shape) ? t.shape.slice(0, -2) : undefined));
  const isPlain =
    ranks.every((rank) => rank === 2) ||
    batches.every((batch) => batch !== undefined && sameShape(batch, batches[0] as readonly number[]));
  const attributes = { transposeA, transposeB };
  return isPlain ? apply(MatMulOp, [a, b], attributes) : apply(MatMulLikeOp, [a, b, like], attributes);
}

const form = signature(
  'tf.matmul',
  { a: tensor, b: tensor },
  { transposeA: trueOrFalse, transposeB: trueOrFalse, name: text },
  ['transposeA', 'transposeB'],
);
/**
 * The matrix product: C[i, j] = Σₖ A[i, k]·B[k, j]. Leading dimensions are a batch of products; they broadcast, so that a
 * matrix may stand beside a batch of them.
 *
 * @param options.transposeA use Aᵀ. @param options.transposeB use Bᵀ.
 * @throws ShapeMismatchError when the inner dimensions differ or the batches do not broadcast, naming both; DTypeError when the dtypes do.
 *
 * ```ts
 * tf.matmul(x, W);                            // [null, 784] · [784, 10] → [null, 10]
 * tf.matmul(h, W);                            // [null, 64, 128] · [128, 10] → [null, 64, 10]
 * ```
 */
export function matmul<
  T extends NumericDType = any,
  A extends Shape = any,
  B extends Shape = any,
  TA extends boolean = false,
  TB extends boolean = false,
>(
  a: Tensor<T, A>,
  b: Tensor<NoInfer<T>, B> & ShapeError<MatMulError<A, B, TA, TB>>,
  transposeA: TA,
  transposeB?: TB,
  options?: { readonly name?: string },
): Tensor<T, MatMul<A, B, TA, TB>>;
export function matmul<
  T extends NumericDType = any,
  A extends Shape = any,
  B extends Shape = any,
  TA extends boolean = false,
  TB extends boolean = false,
>(
  a: Tensor<T, A>,
  b: Tensor<NoInfer<T>, B> & ShapeError<MatMulError<A, B, TA, TB>>,
  options?: { readonly transposeA?: TA; readonly transposeB?: TB; readonly name?: string },
): Tensor<T, MatMul<A, B, TA, TB>>;
export function matmul(...given: unknown[]): AnyTensor {
  const { a, b, transposeA = false, transposeB = false, name } = form.take(given);
  return apply(MatMulOp, [a, b], { transposeA, transposeB }, name);
}
