// Shapes as values: shape, size, rank. They are known when a run is compiled, and can be sizes of other tensors.

import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import { text } from '../tensor/kinds.ts';
import { elements, isKnown, type Shape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { unstack } from './concat.ts';
import { type AnyTensor, apply, defineOp, type Named, type OpDefinition, tensor } from './define.ts';
import type { SizeTensor } from './sizes.ts';

const int32 = (numbers: readonly number[], shape: readonly number[]): p.View =>
  p.constant(Int32Array.from(numbers), 'int32', shape);

const ShapeOp: OpDefinition = defineOp({
  name: 'Shape',
  readsShapes: true,
  infer: ([x]) => ({ dtype: 'int32', shape: [x.shape?.length ?? null] }),
  value: ([x]) => x.shape,
  gradient: () => [null],
  lower: ([x]) => int32(x.shape, [x.shape.length]),
});

const SizeOp: OpDefinition = defineOp({
  name: 'Size',
  readsShapes: true,
  infer: () => ({ dtype: 'int32', shape: [] }),
  value: ([x]) => [isKnown(x.shape) ? elements(x.shape) : null],
  gradient: () => [null],
  lower: ([x]) => int32([elements(x.shape)], []),
});

const RankOp: OpDefinition = defineOp({
  name: 'Rank',
  readsShapes: true,
  infer: () => ({ dtype: 'int32', shape: [] }),
  value: ([x]) => [x.shape?.length ?? null],
  gradient: () => [null],
  lower: ([x]) => int32([x.shape.length], []),
});

const shapeForm = signature('tf.shape', { x: tensor }, { name: text }, ['name']);
/**
 * The sizes of x, int32: of a tensor with unknown sizes those that it has in the run. What is computed of them can be
 * given where a shape is given.
 *
 * ```ts
 * const [batch] = tf.unstack(tf.shape(x));            // x: [null, 784]
 * const state = tf.zeros([batch, 128]);               // [null, 128]
 * ```
 */
export function shape<A extends Shape = any>(x: Tensor<any, A>, name?: Named): Tensor<'int32', [A['length']]>;
export function shape(...given: unknown[]): AnyTensor {
  const { x, name } = shapeForm.take(given);
  return apply(ShapeOp, [x], {}, name);
}

/** @internal The sizes of a tensor of known rank: numbers, and scalars that the graph computes where they are not known. */
export function sizesOf(x: AnyTensor): readonly (number | SizeTensor)[] {
  const known = x.shape as Shape;
  if (isKnown(known)) return known;
  const computed = unstack(apply(ShapeOp, [x], {}) as AnyTensor) as readonly AnyTensor[];
  return known.map((d, i) => d ?? computed[i]);
}

const sizeForm = signature('tf.size', { x: tensor }, { name: text }, ['name']);
/** How many elements x has, an int32 scalar: the product of its sizes. */
export function size(x: Tensor<any, any>, name?: Named): Tensor<'int32', []>;
export function size(...given: unknown[]): AnyTensor {
  const { x, name } = sizeForm.take(given);
  return apply(SizeOp, [x], {}, name);
}

const rankForm = signature('tf.rank', { x: tensor }, { name: text }, ['name']);
/** How many axes x has, an int32 scalar. */
export function rank(x: Tensor<any, any>, name?: Named): Tensor<'int32', []>;
export function rank(...given: unknown[]): AnyTensor {
  const { x, name } = rankForm.take(given);
  return apply(RankOp, [x], {}, name);
}
