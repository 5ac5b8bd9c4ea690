// What layers share: a scope of their own, variables in it, a function at the end.
import { InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import { GraphKeys } from '../graph/graph-keys.ts';
import { Tensor, type Variable } from '../graph/tensor.ts';
import { type AnyTensor, floats, requireDType } from '../ops/define.ts';
import { reshape, transpose } from '../ops/shape.ts';
import { cameAs, describe } from '../tensor/describe.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { anything, kind, oneOf, text, trueOrFalse } from '../tensor/kinds.ts';
import type { LayerFormat, LayerPadding, PairOfSizes } from '../tensor/layer-rules.ts';
import { type Dim, type Shape, showShape } from '../tensor/shape.ts';
import { listOf } from '../tensor/sizes.ts';
import type { Padding } from '../tensor/window-rules.ts';
import { getVariable } from '../variables/get-variable.ts';
import { type Initializer, zeros } from '../variables/initializers.ts';
import { functionOf, type Regularizer, type Reuse, reuseKind, variableScope } from '../variables/scope.ts';

/** What all layers take. */
export interface LayerOptions {
  /** The scope of its variables and operations; by default that of the layer: `dense`, `dense_1`. */
  readonly name?: string | undefined;
  /** true: the variables of this name are taken, `tf.AUTO_REUSE`: or made; default that of the scope around. */
  readonly reuse?: Reuse | undefined;
}
/** What layers take that have variables. */
export interface TrainableOptions extends LayerOptions {
  /** Do optimizers change its variables? Default true. */
  readonly trainable?: boolean | undefined;
}
/** What is applied to the result of a layer, such as `tf.nn.relu`; it keeps the shape. */
export type Activation<T extends FloatDType, S extends Shape> = (x: Tensor<T, S>) => Tensor<T, S>;
/** What layers take that have a kernel and a bias. */
export interface KernelOptions<T extends FloatDType, S extends Shape> extends TrainableOptions {
  /** Applied to the result; default none. */
  readonly activation?: Activation<T, S> | null | undefined;
  /** Default true. */
  readonly useBias?: boolean | undefined;
  /** Default: that of the scope around, else `tf.initializers.glorotUniform()`. */
  readonly kernelInitializer?: Initializer | undefined;
  /** Default zeros. */
  readonly biasInitializer?: Initializer | undefined;
  /** Its penalty, such as that of `tf.layers.l2Regularizer(1e-4)`, goes to `tf.GraphKeys.REGULARIZATION_LOSSES`. */
  readonly kernelRegularizer?: Regularizer | null | undefined;
  readonly biasRegularizer?: Regularizer | null | undefined;
  /** A penalty for the result, once for each call. */
  readonly activityRegularizer?: Regularizer | null | undefined;
}

export const initializerKind = functionOf<Initializer>();
export const regularizerKind = kind<Regularizer | null>(
  'a function or null',
  (v) => v === null || functionOf().fits(v),
);
const activationKind = kind<((x: AnyTensor) => unknown) | null>(
  'a function such as tf.nn.relu, or null',
  (v) => v === null || functionOf().fits(v),
);
export const layerKinds = { name: text, reuse: reuseKind };
export const trainableKinds = { ...layerKinds, trainable: trueOrFalse };
export const kernelKinds = {
  activation: activationKind,
  useBias: trueOrFalse,
  kernelInitializer: initializerKind,
  biasInitializer: initializerKind,
  kernelRegularizer: regularizerKind,
  biasRegularizer: regularizerKind,
  activityRegularizer: regularizerKind,
  ...trainableKinds,
};
/** Looked at by `pairOf`. */
export const pairKind = anything<PairOfSizes>('a whole number of at least 1, or two of them');
export const paddingKind = kind<LayerPadding>(
  "'same' or 'valid'",
  (v) => typeof v === 'string' && /^(same|valid)$/i.test(v),
);
export const paddingOf = (padding: LayerPadding): Padding => padding.toUpperCase() as Padding;
export const formatKind = oneOf(['channels_last', 'channels_first']);

/** The axes of what comes into a layer of windows over so many axes of space. */
export function axesOf(format: LayerFormat, space: readonly string[]): readonly string[] {
  return format === 'channels_last' ? ['batch', ...space, 'channels'] : ['batch', 'channels', ...space];
}

/** Computes on what has its channels last, wherever x has them: transposing costs nothing by itself. */
export function channelsLast(x: AnyTensor, format: LayerFormat, compute: (x: AnyTensor) => AnyTensor): AnyTensor {
  if (format === 'channels_last') return compute(x);
  const space = (x.shape as Shape).slice(2).map((_, i) => i);
  const y = compute(transpose(x, [0, ...space.map((i) => i + 2), 1]) as AnyTensor);
  return transpose(y, [0, space.length + 1, ...space.map((i) => i + 1)]) as AnyTensor;
}

/** Does a layer train: true or false, or a scalar that each run has. */
export type Training = boolean | Tensor<'bool', any>;
export const trainingKind = kind<Training>(
  'true, false or a bool tensor',
  (v) => typeof v === 'boolean' || (v instanceof Tensor && v.dtype === 'bool'),
);
/** As a scalar, where it is a tensor. */
export const trainingOf = (training: Training): boolean | AnyTensor =>
  typeof training === 'boolean' || training.shape?.length === 0
    ? training
    : (reshape(training as AnyTensor, []) as AnyTensor);

/** Height and width. */
export function pairOf(op: string, what: string, given: PairOfSizes): [number, number] {
  const [height, width, ...more] = typeof given === 'number' ? [given, given] : (listOf(given) ?? []);
  if (more.length === 0 && [height, width].every((n) => Number.isSafeInteger(n) && (n as number) >= 1))
    return [height as number, width as number];
  const came = Array.isArray(given) ? `[${given.map(cameAs).slice(0, 5)}]` : cameAs(given);
  throw new InvalidArgumentError(
    `${op}: ${what} must be a whole number of at least 1, or two of them, but ${came} came.`,
  );
}

/** A whole number of at least 1, such as a number of units. */
export const countKind = kind<number>(
  'a whole number of at least 1',
  (v) => Number.isSafeInteger(v) && (v as number) >= 1,
);

/** Checks what comes into a layer: floats, of that rank. */
export function requireRank(op: string, { dtype, shape }: AnyTensor, axes: readonly string[]): Shape {
  requireDType(op, { dtype, shape }, floats);
  if (shape?.length === axes.length) return shape;
  throw new ShapeMismatchError(
    `${op}: input must be [${axes.join(', ')}], but its shape is ${showShape(shape)}; use tf.reshape.`,
  );
}

/** The size of the axis along which a layer has weights. */
export function knownSize(op: string, shape: Shape, axis: number): number {
  const size: Dim | undefined = shape.at(axis);
  if (typeof size === 'number') return size;
  throw new ShapeMismatchError(
    `${op}: the size of axis ${axis} must be known, as variables have it, but the shape is ${showShape(shape)}; use tf.reshape.`,
  );
}

/** Builds a layer in a scope of its own. */
export function inLayer(
  base: string,
  inputs: Tensor<any, any>,
  { name, reuse }: LayerOptions,
  build: () => AnyTensor,
): AnyTensor {
  // A name that is to be reused is the first one.
  const own = name ?? (reuse === true ? base : null);
  return inputs.graph.asDefault(() => variableScope(own, { defaultName: base, reuse }, build));
}

type Taken = {
  readonly [N in keyof typeof kernelKinds]: (typeof kernelKinds)[N] extends { readonly type?: infer V } ? V : never;
};
/** What a layer with a kernel was given. */
export type KernelTaken = Partial<{ readonly [N in keyof Taken]: Taken[N] | undefined }>;

/** A variable of a layer. */
export const weight = (
  name: string,
  shape: Shape,
  {
    dtype,
    ...options
  }: {
    readonly dtype: FloatDType;
    readonly initializer?: Initializer | undefined;
    readonly regularizer?: Regularizer | null | undefined;
    readonly trainable?: boolean | undefined;
  },
): Variable<any, any> => getVariable(name, shape as readonly number[], { ...options, dtype });

export const kernelOf = (
  shape: Shape,
  dtype: FloatDType,
  { kernelInitializer, kernelRegularizer, trainable }: KernelTaken,
): AnyTensor =>
  weight('kernel', shape, { initializer: kernelInitializer, regularizer: kernelRegularizer, trainable, dtype });

/** Adds the bias, which lies along the last axis. */
export function biased(
  op: string,
  y: AnyTensor,
  add: (y: AnyTensor, bias: AnyTensor) => AnyTensor,
  { useBias = true, biasInitializer = zeros(), biasRegularizer, trainable }: KernelTaken,
): AnyTensor {
  if (!useBias) return y;
  const size = knownSize(op, y.shape as Shape, -1);
  const own = { initializer: biasInitializer, regularizer: biasRegularizer, trainable, dtype: y.dtype };
  return add(y, weight('bias', [size], own));
}

/** Applies the function, and notes the penalty for the result. */
export function activated(op: string, y: AnyTensor, { activation, activityRegularizer }: KernelTaken): AnyTensor {
  const result = activation ? activation(y) : y;
  if (!(result instanceof Tensor)) {
    throw new InvalidArgumentError(`${op}: the activation must return a tensor, but ${describe(result)} came.`);
  }
  if (activityRegularizer) {
    const penalty: unknown = activityRegularizer(result);
    if (penalty !== null) result.graph.collect(op, [GraphKeys.REGULARIZATION_LOSSES], penalty);
  }
  return result;
}
