// Sizes that the graph computes: where a shape is given, some of its sizes, or all of them, may be tensors. They are
// inputs of the op; their values are taken when a run is compiled, by the shapes and values of its feeds.

import { DTypeError, InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import type { Operation } from '../graph/operation.ts';
import { Placeholder, Tensor, Variable } from '../graph/tensor.ts';
import { isFloat } from '../tensor/dtype.ts';
import { anything } from '../tensor/kinds.ts';
import { type Dim, mostAxes, type Shape, showShape } from '../tensor/shape.ts';
import { describeList, listOf, takeSizes } from '../tensor/sizes.ts';
import { type AnyTensor, definitionOf, type TensorType } from './define.ts';

/** A size, or all of them, that the graph computes. */
export type SizeTensor = Tensor<'int32', any>;
/** The sizes of a shape: numbers and scalar tensors, or one tensor that holds all. */
export type Sizes = readonly (Dim | SizeTensor)[] | SizeTensor;
/** The shape that sizes give: `null` for those that tensors give. */
export type ShapeOfSizes<B> = B extends readonly unknown[]
  ? { -readonly [I in keyof B]: B[I] extends Dim ? B[I] : B[I] extends SizeTensor ? null : Dim }
  : Dim[];

/** Sizes as attributes of an op: `null` for each that the next input gives; undefined where one input gives all. */
export type GivenSizes = readonly Dim[] | undefined;

/**
 * Sizes given by the user, with the tensors among them. What is a number is looked at by the op.
 *
 * @throws DTypeError for tensors other than int32, ShapeMismatchError for those of another rank, InvalidArgumentError
 * for what is neither, and for what cannot be known when a run is compiled: variables and random numbers.
 */
export function takeSizeTensors(op: string, what: string, given: unknown): { sizes: GivenSizes; inputs: AnyTensor[] } {
  if (given instanceof Tensor) return { sizes: undefined, inputs: [checkSize(op, what, given, 1)] };
  const list = listOf(given);
  if (!list?.every((d) => d instanceof Tensor || Number.isSafeInteger(d))) {
    throw new InvalidArgumentError(
      `${op}: ${what} must be an array of whole numbers and int32 scalars, or an int32 tensor of them, but ${describeList(list ?? given)} came.${adviceFor(list)}`,
    );
  }
  return {
    sizes: list.map((d) => (d instanceof Tensor ? null : (d as number))),
    inputs: list.filter((d) => d instanceof Tensor).map((d) => checkSize(op, what, d, 0)),
  };
}

/** What to write where a size is not there: it came from `x.shape`, or from an index after `tf.shape(x)`. */
const adviceFor = (given: unknown): string =>
  listOf(given)?.some((d) => d === null || d === undefined)
    ? ' What is not known yet the graph computes: const [batch] = tf.unstack(tf.shape(x)).'
    : '';

/** An argument that `takeSizeTensors` looks at. */
export const sizeList = anything<Sizes>('a shape');

/** The same for a shape, whose numbers are looked at here. @throws ShapeMismatchError for sizes that cannot be. */
export function takeShapeTensors(op: string, given: unknown): { sizes: GivenSizes; inputs: AnyTensor[] } {
  if (given instanceof Tensor) return takeSizeTensors(op, 'the shape', given);
  // What the user gives is read once.
  const list = listOf(given) ?? given;
  return hasTensor(list)
    ? takeSizeTensors(op, 'the shape', list)
    : { sizes: takeSizes(op, list, adviceFor(list)), inputs: [] };
}

/** Is one of the sizes a tensor? */
export const hasTensor = (given: unknown): boolean =>
  given instanceof Tensor || (Array.isArray(given) && (listOf(given)?.some((d) => d instanceof Tensor) ?? false));

function checkSize(op: string, what: string, t: AnyTensor, rank: number): AnyTensor {
  const where = `${t.name} (${t.dtype}, ${showShape(t.shape)}), made at ${t.operation.line}`;
  if (t.dtype !== 'int32') {
    throw new DTypeError(
      `${op}: ${what} must be int32, but ${where}, is not; sizes are what tf.shape gives, whole numbers, and what is computed of them.`,
    );
  }
  if (t.shape && t.shape.length !== rank) {
    const wanted = rank === 0 ? 'a size among others is a scalar' : 'the sizes as one tensor are a vector';
    throw new ShapeMismatchError(`${op}: ${what}: ${wanted}, but ${where}, came.`);
  }
  const cause = unknowable(t.operation);
  if (cause) throw new InvalidArgumentError(`${op}: ${what} depends on ${cause}`);
  return t;
}

/** How a size depends on what is known only when the graph runs, if it does. */
function unknowable(from: Operation): string | undefined {
  const seen = new Set([from]);
  for (const operation of seen) {
    const cause = causeOf(operation.name, operation.line);
    if (operation.outputs[0] instanceof Variable) return cause('the variable');
    const definition = definitionOf(operation);
    if (definition.random) return cause('the random numbers');
    if (operation.outputs[0] instanceof Placeholder && isFloat(operation.outputs[0].dtype))
      return noSizes(operation.outputs[0]);
    if (!definition.readsShapes) for (const t of operation.inputs) seen.add(t.operation);
  }
  return undefined;
}

/** Why fractions that are fed are no sizes. */
export const noSizes = ({ name, dtype, operation }: Tensor): string =>
  `${name}, made at ${operation.line}, whose dtype is ${dtype}: sizes come from shapes, constants and fed int32 scalars and vectors.`;

/** What a size cannot depend on, for messages. */
export const causeOf =
  (name: string, line: string) =>
  (kind: string): string =>
    `${kind} ${name}, made at ${line}: its value is known only when the graph runs, sizes when it is compiled. ` +
    'Sizes come from shapes, constants and fed int32 scalars and vectors.';

/** The numbers of a tensor as far as they are known where an op's types are inferred; undefined: not even how many. */
export function valueOf(t: TensorType): readonly Dim[] | undefined {
  if (t.value) return t.value();
  if (!(t instanceof Tensor)) return undefined;
  const count = t.shape?.length === 0 ? 1 : t.shape?.[0];
  if (typeof count === 'number' && count > mostAxes) return undefined;
  const { operation, index } = t;
  const known = definitionOf(operation).value?.(operation.inputs, operation.attributes, index);
  return known ?? (typeof count === 'number' ? new Array<Dim>(count).fill(null) : undefined);
}

/** The sizes as far as they are known: of a graph that is built in part, of a run that is compiled all of them. */
export function knownSizes(sizes: GivenSizes, inputs: readonly TensorType[]): Shape | undefined {
  if (!sizes) return valueOf(inputs[0]);
  let next = 0;
  return sizes.map((d) => (d === null ? (valueOf(inputs[next++])?.[0] ?? null) : d));
}

/** The same for a shape. @throws ShapeMismatchError for a negative size. */
export function knownShape(sizes: GivenSizes, inputs: readonly TensorType[]): Shape | undefined {
  const shape = knownSizes(sizes, inputs);
  if (shape?.some((d) => d !== null && d < 0)) {
    throw new ShapeMismatchError(
      `every size must be a whole number of at least 0, but the shape is ${showShape(shape)}.`,
    );
  }
  return shape;
}
