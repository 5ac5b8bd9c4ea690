// Automatic differentiation: gradients as nodes of the graph, from the rules that each op brings with it.

import { DTypeError, GraphError, InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import { addTo } from '../base/multimap.ts';
import type { Operation } from '../graph/operation.ts';
import { Tensor } from '../graph/tensor.ts';
import { addN } from '../ops/arithmetic.ts';
import { toTensor } from '../ops/constant.ts';
import {
  apply,
  defineOp,
  definitionOf,
  type Named,
  type OpDefinition,
  type TensorType,
  tensors,
} from '../ops/define.ts';
import { onesLike } from '../ops/fill.ts';
import { describe } from '../tensor/describe.ts';
import { type DType, type FloatDType, isFloat } from '../tensor/dtype.ts';
import { anything, text } from '../tensor/kinds.ts';
import { compatible, isKnown, type Shape, showShape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { readList } from '../tensor/sizes.ts';

/** The gradient of each x: a tensor of its type, or null where no path of differentiable ops leads to it. */
export type Gradients<X extends readonly Tensor[]> = {
  -readonly [I in keyof X]: X[I] extends Tensor<infer T, infer S> ? Tensor<T, S> | null : never;
};

/** What flows into a y: a tensor of its type, a number for a scalar, or null for ones. */
export type GivenGradient = Tensor<any, any> | number | null;
/** How `tf.gradients` begins, and where it ends. */
export interface GradientsOptions {
  /** The gradients of the ys to begin with, one for each: null for ones, which all are without it. */
  readonly gradYs?: GivenGradient | readonly GivenGradient[] | undefined;
  /** Tensors that count as constants: no gradient flows through them, though it may be asked for as that of an x. */
  readonly stopGradients?: Tensor<any, any> | readonly Tensor<any, any>[] | undefined;
  /** The name of the scope in which the gradients are made. */
  readonly name?: string | undefined;
}

const tensorsKind = anything<readonly Tensor[]>('an array of tensors');
const form = signature(
  'tf.gradients',
  { ys: anything<Tensor | readonly Tensor[]>('a tensor'), xs: tensorsKind },
  {
    gradYs: anything<unknown>('an array of tensors'),
    stopGradients: anything<unknown>('an array of tensors'),
    name: text,
  },
  ['gradYs', 'name'],
);
/**
 * Adds nodes that compute d(Σ ys)/dx for each x, by reverse accumulation; with `gradYs` d(Σ gradY·y)/dx.
 *
 * A gradient is null when x does not influence the ys through differentiable ops (through `argmax`, a comparison or a
 * cast to an integer, say). Gradients are ordinary tensors: gradients of gradients work.
 *
 * @param options.gradYs for each y a tensor of its shape and dtype by which its elements are weighted, or null for ones.
 * @param options.stopGradients tensors that count as constants, as if `tf.stopGradient` had been put around each of them.
 * @throws DTypeError when a y is not a float tensor, or the gradient given for it has another dtype.
 * @throws ShapeMismatchError when a gradient has not the shape of its y; where that is known only when the graph runs, the
 * run fails.
 * @throws InvalidArgumentError when there are more or fewer gradients than ys.
 *
 * ```ts
 * const x = tf.placeholder('float32', []);
 * const [dx] = tf.gradients(tf.square(x), [x]);       // 2·x
 *
 * const [product] = tf.gradients(y, [x], { gradYs: [v] });                    // vᵀ · dy/dx
 * const b = x.mul(2);
 * tf.gradients(x.add(b), [x, b], { stopGradients: [x, b] });                  // 1 and 1: partial derivatives
 * ```
 */
export function gradients<const X extends readonly Tensor<DType, Shape>[]>(
  ys: Tensor | readonly Tensor[],
  xs: X,
  gradYs: GivenGradient | readonly GivenGradient[],
  name?: Named,
): Gradients<X>;
export function gradients<const X extends readonly Tensor<DType, Shape>[]>(
  ys: Tensor | readonly Tensor[],
  xs: X,
  options?: GradientsOptions,
): Gradients<X>;
export function gradients(...given: unknown[]): (Tensor | null)[] {
  const { ys, xs, gradYs, stopGradients = [], name = 'gradients' } = form.take(given);
  const roots = tensors('gradients', Array.isArray(ys) ? ys : [ys]) as readonly Tensor[];
  if (!Array.isArray(xs)) refuseSources(xs);
  const sources = readList(xs, (x) => (x instanceof Tensor ? x : refuseSources(x)));
  const stops = stopsOf(stopGradients);
  for (const y of roots) {
    if (!isFloat(y.dtype)) {
      throw new DTypeError(
        `gradients: ${y.name} has dtype ${y.dtype}; only float32 and float64 have gradients (tf.cast it).`,
      );
    }
  }
  const { graph } = roots[0];
  const weights = weightsOf(gradYs, roots);
  const begins = weights.filter((w) => w instanceof Tensor);
  if ([...roots, ...sources, ...stops, ...begins].some((t) => t.graph !== graph)) {
    throw new GraphError('gradients: all tensors must belong to one graph.');
  }
  return graph.asDefault(() =>
    graph.withScope(name, () =>
      backpropagate(
        roots.map((y, i) => rootOf(y, weights[i])),
        sources,
        stops,
      ),
    ),
  );
}

function refuseSources(came: unknown): never {
  throw new InvalidArgumentError(
    `gradients: the second argument must be an array of tensors, but ${describe(came)} came; write \`const [dx] = tf.gradients(y, [x])\`.`,
  );
}

function stopsOf(given: unknown): ReadonlySet<Tensor> {
  const refuse = (came: unknown): never => {
    throw new InvalidArgumentError(
      `gradients: stopGradients must be an array of tensors, but ${describe(came)} came; write { stopGradients: [b] }.`,
    );
  };
  const list: unknown = given instanceof Tensor ? [given] : given;
  return new Set(Array.isArray(list) ? readList(list, (t) => (t instanceof Tensor ? t : refuse(t))) : refuse(list));
}

/** What was given for the ys; null for ones. */
function weightsOf(gradYs: unknown, ys: readonly Tensor[]): readonly (Tensor | number | null)[] {
  if (gradYs === undefined) return ys.map(() => null);
  const list: readonly unknown[] = Array.isArray(gradYs) ? gradYs : [gradYs];
  if (list.length !== ys.length) {
    throw new InvalidArgumentError(
      `gradients: gradYs must have a gradient for each y, but ${list.length} came for ${ys.length} ys; null stands for ones.`,
    );
  }
  return readList(list, (weight, i) => {
    if (weight === null) return null;
    if (typeof weight === 'number') {
      checkWeight(ys[i], { dtype: ys[i].dtype, shape: [] }, ys[i].name);
      return weight;
    }
    if (!(weight instanceof Tensor)) {
      throw new InvalidArgumentError(
        `gradients: gradYs has tensors, numbers and null, but ${describe(weight)} came for ${ys[i].name}.`,
      );
    }
    checkWeight(ys[i], weight, ys[i].name);
    return weight;
  });
}

/** @throws DTypeError, ShapeMismatchError */
function checkWeight(y: TensorType, weight: TensorType, name: string): void {
  if (weight.dtype !== y.dtype) {
    throw new DTypeError(
      `gradients: ${name} has dtype ${y.dtype}, but the gradient given for it has dtype ${weight.dtype}; use tf.cast.`,
    );
  }
  if (!compatible(y.shape, weight.shape)) {
    throw new ShapeMismatchError(
      `gradients: ${name} has shape ${showShape(y.shape)}, but the gradient given for it has shape ${showShape(weight.shape)}; they must be equal.`,
    );
  }
}

/** A given gradient of a y whose sizes were not known when the graph was built. Inputs: y and it. */
const GivenGradientOp: OpDefinition<{ y: string }> = defineOp<{ y: string }>({
  name: 'GivenGradient',
  infer: ([y, weight], { y: name }) => {
    checkWeight(y, weight, name);
    return y;
  },
  gradient: (_, [d]) => [null, d],
  lower: ([, weight]) => weight,
});

/** A y with the gradient that flows into it. */
interface Root {
  readonly y: Tensor;
  readonly gradient: Tensor;
}

function rootOf(y: Tensor, weight: Tensor | number | null): Root {
  if (weight === null) return { y, gradient: onesLike(y) };
  const gradient = typeof weight === 'number' ? toTensor('gradients', weight, y.dtype) : weight;
  const isSure = isKnown(y.shape) && isKnown(gradient.shape);
  return { y, gradient: isSure ? gradient : apply(GivenGradientOp, [y, gradient], { y: y.name }) };
}

function backpropagate(roots: readonly Root[], xs: readonly Tensor[], stops: ReadonlySet<Tensor>): (Tensor | null)[] {
  const between = operationsBetween(
    roots.map(({ y }) => y),
    xs,
    stops,
  );
  const parts = new Map<Tensor, Tensor[]>();
  const total = (t: Tensor): Tensor | null => {
    const all = parts.get(t);
    if (!all) return null;
    const sum = all.length === 1 ? all[0] : addN(all as Tensor<FloatDType>[]);
    parts.set(t, [sum]);
    return sum;
  };
  for (const { y, gradient } of roots) addTo(parts, y, gradient);
  // Inputs are older than the operations that use them, so from young to old every use comes first.
  for (const operation of [...between].sort((a, b) => b.id - a.id)) {
    const gradient = definitionOf(operation).gradient;
    const outputGradients = operation.outputs.map((t) => (stops.has(t) ? null : total(t)));
    if (!gradient || operation.inputs.length === 0 || outputGradients.every((g) => g === null)) continue;
    const { attributes, inputs, outputs } = operation;
    gradient({ inputs, outputs, attributes }, outputGradients).forEach((g, i) => {
      const input = inputs[i];
      if (g && isFloat(input.dtype) && (between.has(input.operation) || xs.includes(input))) addTo(parts, input, g);
    });
  }
  return xs.map(total);
}

/** The operations on a path from an x to a y that goes through none of the stops, without that which makes the x. */
function operationsBetween(
  roots: readonly Tensor[],
  xs: readonly Tensor[],
  stops: ReadonlySet<Tensor>,
): Set<Operation> {
  const above = new Set<Operation>(roots.map((y) => y.operation));
  for (const operation of above) for (const t of operation.inputs) if (!stops.has(t)) above.add(t.operation);
  const reached = new Set<Tensor>(xs);
  const between = new Set<Operation>();
  for (const operation of [...above].sort((a, b) => a.id - b.id)) {
    if (!operation.inputs.some((t) => reached.has(t))) continue;
    between.add(operation);
    for (const t of operation.outputs) if (!stops.has(t)) reached.add(t);
  }
  return between;
}
