// Products of matrices.

import { ShapeMismatchError } from '../base/errors.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import type { DType, NumericDType } from '../tensor/dtype.ts';
import { text, trueOrFalse } from '../tensor/kinds.ts';
import { type Shape, showShape } from '../tensor/shape.ts';
import type { MatMul, MatMulError } from '../tensor/shape-rules.ts';
import type { ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import { type AnyTensor, apply, defineOp, type OpDefinition, requireDType, sameDType, tensor } from './define.ts';

interface MatMulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}
const allowed: readonly DType[] = ['float32', 'float64', 'int32'];

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
    if (
      a.shape.length !== b.shape.length ||
      a.shape.slice(0, -2).some((d, i) => d !== null && b.shape![i] !== null && d !== b.shape![i])
    ) {
      throw new ShapeMismatchError(
        `matmul: shapes ${showShape(a.shape)} and ${showShape(b.shape)} must have the same batch dimensions (all but the last two).`,
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
    const batch = a.shape.slice(0, -2).map((d, i) => d ?? b.shape![i]);
    return { dtype, shape: [...batch, m, n] };
  },
  gradient: ({ inputs: [a, b], attributes: { transposeA: ta, transposeB: tb } }, [dc]) => {
    if (!dc) return [null, null];
    const product = (x: Tensor, y: Tensor, transposeA: boolean, transposeB: boolean) =>
      apply(MatMulOp, [x, y], { transposeA, transposeB });
    const da = ta ? product(b, dc, tb, true) : product(dc, b, false, !tb);
    const db = tb ? product(dc, a, true, ta) : product(a, dc, !ta, false);
    return [da, db];
  },
  lower: ([a, b], { attributes: { transposeA, transposeB }, outputs: [{ shape }] }) => {
    const rank = shape.length;
    const [m, n] = [shape[rank - 2], shape[rank - 1]];
    const k = transposeA ? a.shape[rank - 2] : a.shape[rank - 1];
    const batch = shape.slice(0, -2);
    const [am, ak] = transposeA ? [rank - 1, rank - 2] : [rank - 2, rank - 1];
    const [bk, bn] = transposeB ? [rank - 1, rank - 2] : [rank - 2, rank - 1];
    const space = [...batch, m, n, k];
    const left = p.strided(a, space, [...a.strides.slice(0, -2), a.strides[am], 0, a.strides[ak]]);
    const right = p.strided(b, space, [...b.strides.slice(0, -2), 0, b.strides[bn], b.strides[bk]]);
    return p.contract(left, right, rank);
  },
});

const form = signature(
  'tf.matmul',
  { a: tensor, b: tensor },
  { transposeA: trueOrFalse, transposeB: trueOrFalse, name: text },
  ['transposeA', 'transposeB'],
);
/**
 * The matrix product: C[i, j] = Σₖ A[i, k]·B[k, j]. Leading dimensions are a batch of products and must be equal.
 *
 * @param options.transposeA use Aᵀ. @param options.transposeB use Bᵀ.
 * @throws ShapeMismatchError when the inner dimensions differ, naming both; DTypeError when the dtypes do.
 *
 * ```ts
 * tf.matmul(x, W);                            // [null, 784] · [784, 10] → [null, 10]
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
