// Automatic differentiation: gradients as nodes of the graph, from the rules that each op brings with it.

import { DTypeError, GraphError, InvalidArgumentError } from '../base/errors.ts';
import { addTo } from '../base/multimap.ts';
import type { Operation } from '../graph/operation.ts';
import { Tensor } from '../graph/tensor.ts';
import { addN } from '../ops/arithmetic.ts';
import { definitionOf, tensors } from '../ops/define.ts';
import { onesLike } from '../ops/fill.ts';
import { describe } from '../tensor/describe.ts';
import { type DType, type FloatDType, isFloat } from '../tensor/dtype.ts';
import { anything } from '../tensor/kinds.ts';
import type { Shape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { readList } from '../tensor/sizes.ts';

/** The gradient of each x: a tensor of its type, or null where no path of differentiable ops leads to it. */
export type Gradients<X extends readonly Tensor[]> = {
  -readonly [I in keyof X]: X[I] extends Tensor<infer T, infer S> ? Tensor<T, S> | null : never;
};

const tensorsKind = anything<readonly Tensor[]>('an array of tensors');
const form = signature('tf.gradients', { ys: anything<Tensor | readonly Tensor[]>('a tensor'), xs: tensorsKind }, {});
/**
 * Adds nodes that compute d(Σ ys)/dx for each x, by reverse accumulation.
 *
 * A gradient is null when x does not influence the ys through differentiable ops (through `argmax`, a comparison or a
 * cast to an integer, say). Gradients are ordinary tensors: gradients of gradients work.
 *
 * @throws DTypeError when a y is not a float tensor.
 *
 * ```ts
 * const x = tf.placeholder('float32', []);
 * const [dx] = tf.gradients(tf.square(x), [x]);       // 2·x
 * ```
 */
export function gradients<const X extends readonly Tensor<DType, Shape>[]>(
  ys: Tensor | readonly Tensor[],
  xs: X,
): Gradients<X>;
export function gradients(...given: unknown[]): (Tensor | null)[] {
  const { ys, xs } = form.take(given);
  const roots = tensors('gradients', Array.isArray(ys) ? ys : [ys]) as readonly Tensor[];
  if (!Array.isArray(xs)) refuseSources(xs);
  const sources = readList(xs, (x) => (x instanceof Tensor ? x : refuseSources(x)));
  for (const y of roots) {
    if (!isFloat(y.dtype)) {
      throw new DTypeError(
        `gradients: ${y.name} has dtype ${y.dtype}; only float32 and float64 have gradients (tf.cast it).`,
      );
    }
  }
  const { graph } = roots[0];
  if ([...roots, ...sources].some((t) => t.graph !== graph)) {
    throw new GraphError('gradients: all tensors must belong to one graph.');
  }
  return graph.asDefault(() => graph.withScope('gradients', () => backpropagate(roots, sources)));
}

function refuseSources(came: unknown): never {
  throw new InvalidArgumentError(
    `gradients: the second argument must be an array of tensors, but ${describe(came)} came; write \`const [dx] = tf.gradients(y, [x])\`.`,
  );
}

function backpropagate(roots: readonly Tensor[], xs: readonly Tensor[]): (Tensor | null)[] {
  const between = operationsBetween(roots, xs);
  const parts = new Map<Tensor, Tensor[]>();
  const total = (t: Tensor): Tensor | null => {
    const all = parts.get(t);
    if (!all) return null;
    const sum = all.length === 1 ? all[0] : addN(all as Tensor<FloatDType>[]);
    parts.set(t, [sum]);
    return sum;
  };
  for (const y of roots) addTo(parts, y, onesLike(y));
  // Inputs are older than the operations that use them, so from young to old every use comes first.
  for (const operation of [...between].sort((a, b) => b.id - a.id)) {
    const gradient = definitionOf(operation).gradient;
    const outputGradients = operation.outputs.map(total);
    if (!gradient || operation.inputs.length === 0 || outputGradients.every((g) => g === null)) continue;
    const { attributes, inputs, outputs } = operation;
    gradient({ inputs, outputs, attributes }, outputGradients).forEach((g, i) => {
      const input = inputs[i];
      if (g && isFloat(input.dtype) && (between.has(input.operation) || xs.includes(input))) addTo(parts, input, g);
    });
  }
  return xs.map(total);
}

/** The operations on a path from an x to a y, without that which makes the x. */
function operationsBetween(roots: readonly Tensor[], xs: readonly Tensor[]): Set<Operation> {
  const above = new Set<Operation>(roots.map((y) => y.operation));
  for (const operation of above) for (const t of operation.inputs) above.add(t.operation);
  const reached = new Set<Tensor>(xs);
  const between = new Set<Operation>();
  for (const operation of [...above].sort((a, b) => a.id - b.id)) {
    if (!operation.inputs.some((t) => reached.has(t))) continue;
    between.add(operation);
    for (const t of operation.outputs) reached.add(t);
  }
  return between;
}
