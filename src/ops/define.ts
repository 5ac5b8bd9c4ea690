// How an op is defined, and how public functions make operations of it.

import { DTypeError, InvalidArgumentError, type MillraceError, ShapeMismatchError } from '../base/errors.ts';
import { captureSite, lineOf } from '../base/stack.ts';
import { getDefaultGraph } from '../graph/graph.ts';
import type { OpDefinition as GraphOpDefinition, Operation } from '../graph/operation.ts';
import { Tensor, Variable } from '../graph/tensor.ts';
import type { Check, View } from '../primitives/primitives.ts';
import { describe as describeValue } from '../tensor/describe.ts';
import type { DType, TypedArray } from '../tensor/dtype.ts';
import { anything, kind, text } from '../tensor/kinds.ts';
import { axisIndex, broadcast, type Dim, type Shape, showShape } from '../tensor/shape.ts';
import { type Kind, signature } from '../tensor/signature.ts';
import { checkCountable, describeList, listOf, readList } from '../tensor/sizes.ts';

/** Element type and shape, as far as they are known. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape | undefined;
  /** Where a run is compiled, of inputs that give sizes: the numbers, row-major. See sizes.ts. */
  readonly value?: () => readonly number[];
}

/** Inside the rules of ops, where types are known only when they run. */
export type AnyTensor = Tensor<any, any>;

/** What a session prints after a run. */
export interface Printed {
  readonly views: readonly View[];
  /** The text, of their values. */
  readonly write: (values: readonly TypedArray[]) => string;
  /** In how many runs. */
  readonly firstN: number;
}

/** What a lowering may use besides its inputs. */
export interface LowerContext<A extends object = object> {
  readonly attributes: A;
  /** Types of the outputs, now with known sizes. */
  readonly outputs: readonly { readonly dtype: DType; readonly shape: readonly number[] }[];
  /** The unique name of the operation. */
  readonly name: string;
  /** The seed of the session. */
  readonly seed: number;
  /** The numbers of an input that gives sizes. */
  readonly value: (input: number) => readonly number[];
  /** Adds a check that must hold before any variable changes. */
  readonly require: (check: Check) => void;
  /** Has something printed when the run has succeeded. */
  readonly print: (printed: Printed) => void;
}

/** The node whose gradient is asked for. */
export interface GradientContext<A extends object = object> {
  readonly inputs: readonly AnyTensor[];
  readonly outputs: readonly AnyTensor[];
  readonly attributes: A;
}

/** An op: its rule for types, its gradient and its meaning in primitives, in one place. */
export interface OpDefinition<A extends object = object> extends GraphOpDefinition {
  /** Types of the outputs from those of the inputs. Throws for inputs that cannot be. Called again with known sizes. */
  readonly infer: (inputs: readonly TensorType[], attributes: A) => TensorType | readonly TensorType[];
  /**
   * Gradients for the inputs from gradients for the outputs (`null` where an output has none); `null` for an input
   * through which no gradient flows. Absent: no gradient flows through this op at all.
   */
  readonly gradient?: (
    node: GradientContext<A>,
    outputGradients: readonly (AnyTensor | null)[],
  ) => readonly (AnyTensor | null)[];
  /** The outputs in primitives. */
  readonly lower: (inputs: readonly View[], context: LowerContext<A>) => View | readonly View[];
  /** Must be computed anew for each operation, never shared between equal ones. */
  readonly random?: boolean;
  /** Has something printed, so equal ones are not one. */
  readonly prints?: boolean;
  /** Inputs give sizes: their numbers are needed when a run is compiled. */
  readonly takesSizes?: boolean;
  /** Depends on the shapes of its inputs alone, not on their numbers. */
  readonly readsShapes?: boolean;
  /** The numbers of an int32 result, row-major, as far as they are known when the graph is built, for sizes. */
  readonly value?: (inputs: readonly AnyTensor[], attributes: A, output: number) => readonly Dim[] | undefined;
}

/** Names an op; the record is the whole of it. */
export const defineOp = <A extends object = object>(definition: OpDefinition<A>): OpDefinition<A> => definition;

/** The name of the public function of an op: `reduceSum` for `ReduceSum`. */
export const functionName = (op: string): string => op[0].toLowerCase() + op.slice(1);

/** The definition with which an operation was made. */
export const definitionOf = (operation: Operation): OpDefinition => operation.definition as OpDefinition;

const list = (types: TensorType | readonly TensorType[]): readonly TensorType[] =>
  Array.isArray(types) ? types : [types as TensorType];

/** The types that an op's outputs have; errors of the rule say which op it is, and on which line. */
export function inferTypes<A extends object>(
  definition: OpDefinition<A>,
  inputs: readonly TensorType[],
  attributes: A,
  name: string = definition.name,
  line: () => string = () => lineOf(captureSite()),
): readonly TensorType[] {
  try {
    const types = list(definition.infer(inputs, attributes));
    for (const { shape } of types) if (shape) checkCountable(name, shape);
    return types;
  } catch (error) {
    const known = [ShapeMismatchError, DTypeError, InvalidArgumentError].some((c) => error instanceof c);
    if (known) (error as MillraceError).message += `\n    at ${name}, made at ${line()}`;
    throw error;
  }
}

/** Adds an operation and returns all of its outputs. */
export function applyAll<A extends object>(
  definition: OpDefinition<A>,
  inputs: readonly Tensor[],
  attributes: A,
  options: { name?: string | undefined; outputClass?: typeof Tensor } = {},
): readonly Tensor[] {
  const outputs = inferTypes(definition, inputs, attributes);
  const graph = inputs[0]?.graph ?? getDefaultGraph();
  // Control dependencies and scopes belong to the default graph; mixing graphs is refused by add().
  return graph.add({ definition, inputs, attributes, outputs, ...options }).outputs;
}

/** Adds an operation with one output. The type of the result is the caller's promise, kept by the shape rule. */
export function apply<T extends DType = any, S extends Shape = any, A extends object = object>(
  definition: OpDefinition<A>,
  inputs: readonly Tensor[],
  attributes: NoInfer<A>,
  name?: string,
): Tensor<T, S> {
  return applyAll(definition, inputs, attributes, { name })[0] as Tensor<T, S>;
}

// ---------------------------------------------------------------- arguments
/** The name of an operation, as a text or as an option: by default that of the op. It is made unique in its graph. */
export type Named = string | { readonly name?: string };

const made = (value: unknown) => (Array.isArray(value) ? 'make it a tensor with tf.constant' : undefined);
/** An argument that must be a tensor. */
export const tensor: Kind<AnyTensor> = { ...kind('a tensor', (v) => v instanceof Tensor), advice: made };
/** An argument that must be a variable. */
export const variableKind: Kind<Variable<any, any>> = {
  ...kind('a variable', (v) => v instanceof Variable),
  advice: () => 'make it with tf.variable',
};
/** A tensor or a JavaScript value that becomes a constant. */
export type Operand = AnyTensor | number | boolean;
export const operand: Kind<Operand> = {
  ...kind('a tensor or a number', (v) => v instanceof Tensor || typeof v === 'number' || typeof v === 'boolean'),
  advice: made,
};
/** Looked at by `tensors`. */
export const tensorList = anything<readonly AnyTensor[]>('an array of tensors');
/** Looked at by `integers`. */
export const integerList = anything<readonly number[]>('an array of whole numbers');

/** Makes the public function of an op of one operand. */
export function unaryFunction<F>(definition: OpDefinition, call = `tf.${functionName(definition.name)}`): F {
  const form = signature(call, { x: tensor }, { name: text }, ['name']);
  const unary = (...given: unknown[]): Tensor => {
    const { x, name } = form.take(given);
    return apply(definition, [x], {}, name);
  };
  return unary as F;
}
/** An elementwise function of one tensor. */
export type UnaryFunction<D extends DType> = <T extends D = any, S extends Shape = any>(
  x: Tensor<T, S>,
  name?: Named,
) => Tensor<T, S>;

/** How a value that should have been a tensor reads in a message. */
export function describe(value: unknown): string {
  const what = describeValue(value);
  return what === 'an array' ? `${what} (make it a tensor with tf.constant)` : what;
}

/** An argument that must be an array of whole numbers, such as sizes or axes. */
export function integers(op: string, what: string, value: unknown): readonly number[] {
  const list = listOf(value);
  if (list?.every((n) => Number.isSafeInteger(n))) return list as number[];
  const came = describeList(list ?? value);
  throw new InvalidArgumentError(`${op}: ${what} must be an array of whole numbers, but ${came} came.`);
}

/** An argument that must be an array of at least one tensor. */
export function tensors(op: string, value: unknown): readonly AnyTensor[] {
  const refuse = (came: string): never => {
    throw new InvalidArgumentError(`${op}: the first argument must be an array of tensors, but ${came} came.`);
  };
  if (!Array.isArray(value)) return refuse(describe(value));
  if (value.length === 0) refuse('an empty one');
  return readList(value, (t, i) =>
    t instanceof Tensor ? t : refuse(`one whose element [${i}] is ${describeValue(t)}`),
  );
}

// ---------------------------------------------------------------- shared rules
/** The shape that inputs broadcast to; throws with both shapes. */
export function broadcastShapes(op: string, a: TensorType, b: TensorType): Shape | undefined {
  const shape = broadcast(a.shape, b.shape);
  if (shape === null) {
    throw new ShapeMismatchError(
      `${op}: shapes ${showShape(a.shape)} and ${showShape(b.shape)} do not broadcast: aligned at the right, sizes ` +
        'must be equal or one of them 1.',
    );
  }
  return shape;
}

/** All inputs must have the same element type. */
export function sameDType(op: string, inputs: readonly TensorType[]): DType {
  const dtype = inputs[0].dtype;
  const other = inputs.find((t) => t.dtype !== dtype);
  if (other) {
    throw new DTypeError(
      `${op}: dtypes ${dtype} and ${other.dtype} differ; convert one of them with tf.cast(x, '${dtype}').`,
    );
  }
  return dtype;
}

/** The element types that an op takes, and why it takes no others: its error says so, and docs/ops.md. */
export interface DTypes extends ReadonlyArray<DType> {
  readonly because: string;
}
export const dtypesOf = (list: readonly DType[], because: string): DTypes => Object.assign([...list], { because });

/** What arithmetic works on. */
export const numeric = dtypesOf(['float32', 'float64', 'int32', 'uint8'], 'truth values are no numbers');
/** What gradients flow through. */
export const floats = dtypesOf(['float32', 'float64'], 'its results are fractions');
/** What networks compute with: images, signals and their kernels. */
export const signals = dtypesOf(floats, 'networks take images and signals as floats');
/** What logic works on. */
export const truths = dtypesOf(['bool'], 'it asks for truth values');
/** What places and classes are counted in. */
export const indexTypes = dtypesOf(['int32', 'uint8'], 'indices and classes are whole numbers');

/** The element type must be one of those listed. */
export function requireDType(op: string, input: TensorType, allowed: DTypes, because = allowed.because): DType {
  if (!allowed.includes(input.dtype)) {
    throw new DTypeError(
      `${op}: needs dtype ${allowed.join(' or ')}, but ${input.dtype} came (${because}); use tf.cast.`,
    );
  }
  return input.dtype;
}

/** An axis as an index into a shape, or into one of another rank. */
export function axisOf(op: string, axis: number, shape: Shape, rank: number = shape.length): number {
  const i = axisIndex(axis, rank);
  if (i === undefined)
    throw new ShapeMismatchError(`${op}: axis ${axis} is out of range for shape ${showShape(shape)}.`);
  return i;
}

/** An axis, several of them, or undefined for all; negative ones count from the end. */
export type Axes = number | readonly number[] | undefined;

/** Axes as sorted indices into a shape. */
export function resolveAxes(op: string, axes: Axes, shape: Shape): number[] {
  if (axes === undefined) return shape.map((_, i) => i);
  const resolved = (typeof axes === 'number' ? [axes] : axes).map((axis) => axisOf(op, axis, shape));
  if (new Set(resolved).size !== resolved.length) {
    throw new ShapeMismatchError(`${op}: axes ${showShape(resolved)} name an axis twice.`);
  }
  return resolved.sort((a, b) => a - b);
}
