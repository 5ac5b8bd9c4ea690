// Variables by name: made once, and taken again where they are shared.
import { DTypeError, InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import { captureSite, lineOf } from '../base/stack.ts';
import { controlDependencies, type Graph, getDefaultGraph } from '../graph/graph.ts';
import { GraphKeys } from '../graph/graph-keys.ts';
import { Tensor, type Variable } from '../graph/tensor.ts';
import { type VariableOptions, variable } from '../ops/variable.ts';
import { describe } from '../tensor/describe.ts';
import { type DType, isFloat } from '../tensor/dtype.ts';
import { anything, dtype as dtypeKind, kind, sizes, text, trueOrFalse } from '../tensor/kinds.ts';
import type { DTypeOfGiven, ShapeOfGiven } from '../tensor/ndarray.ts';
import { compatible, type Shape, showShape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { takeSizes } from '../tensor/sizes.ts';
import { glorotUniform, type Initializer, zeros } from './initializers.ts';
import { checkName, functionOf, type Regularizer, storeOf, type VariableScope } from './scope.ts';

/** What a variable is made with, besides its name and shape. */
export interface GetVariableOptions<T extends DType> extends Omit<VariableOptions<T>, 'name'> {
  /**
   * Gives the initial value; default that of the scope, else `tf.initializers.glorotUniform()`, and zeros for what is
   * no float.
   */
  readonly initializer?: Initializer | undefined;
  /** Its penalty goes to `tf.GraphKeys.REGULARIZATION_LOSSES`; default that of the scope, null for none. */
  readonly regularizer?: Regularizer | null | undefined;
}

const form = signature(
  'tf.getVariable',
  { name: text },
  {
    shape: sizes,
    dtype: dtypeKind,
    initializer: anything<unknown>('a function such as tf.initializers.zeros(), or a value'),
    regularizer: kind<Regularizer | null>('a function or null', (v) => v === null || functionOf().fits(v)),
    trainable: trueOrFalse,
    collections: anything<readonly string[]>('an array of texts'),
  },
  ['shape', 'dtype'],
);
/**
 * The variable of this name in the scope of variables that is open (see `tf.variableScope`). It is made where the scope
 * makes variables, and is the one that there is where it reuses them.
 *
 * Its initial value depends on its own name, and on the seeds of graph and session, not on what else there is in the
 * graph. Control dependencies and name scopes around it do not count.
 *
 * @param name what it is called in the scope: `tf.variableScope('layer1', () => tf.getVariable('W', …))` is `layer1/W`.
 * @param shape may be left out where `initializer` is a value, or where the variable is reused.
 * @param options.initializer a function such as `tf.initializers.truncatedNormal(0, 0.1)`, or the value itself.
 * @throws InvalidArgumentError when there is such a variable and the scope does not reuse it, or there is none and the
 * scope does not make one. ShapeMismatchError and DTypeError when the one that there is has another shape or element
 * type: both lines are named.
 *
 * ```ts
 * const W = tf.getVariable('W', [784, 10]);
 * const b = tf.getVariable('b', [10], { initializer: tf.initializers.zeros() });
 * const scale = tf.getVariable('scale', { initializer: 0.5 });
 * ```
 *
 * Reference: tf.get_variable of TensorFlow 1.
 */
export function getVariable<const S extends Shape, T extends DType = 'float32'>(
  name: string,
  shape: S,
  dtype: T,
  options?: Omit<GetVariableOptions<NoInfer<T>>, 'dtype'>,
): Variable<NoInfer<T>, [...S]>;
export function getVariable<const S extends Shape, T extends DType = 'float32'>(
  name: string,
  shape: S,
  options?: GetVariableOptions<T>,
): Variable<NoInfer<T>, [...S]>;
export function getVariable<T extends DType = any, S extends Shape = any>(
  name: string,
  options: Omit<GetVariableOptions<NoInfer<T>>, 'initializer'> & { readonly initializer: Tensor<T, S> },
): Variable<T, S>;
export function getVariable<
  const V extends number | boolean | readonly unknown[] | ArrayBufferView,
  T extends DType = DTypeOfGiven<V>,
>(
  name: string,
  options: Omit<GetVariableOptions<T>, 'initializer'> & { readonly initializer: V },
): Variable<NoInfer<T>, ShapeOfGiven<V>>;
export function getVariable(name: string): Variable;
export function getVariable(...given: unknown[]): Variable<any, any> {
  const { name, ...options } = form.take(given);
  checkName('getVariable', name);
  const graph = getDefaultGraph();
  const store = storeOf(graph);
  const { scope } = store;
  const whole = scope.name === '' ? name : `${scope.name}/${name}`;
  const wanted = { ...options, shape: options.shape && takeSizes('getVariable', options.shape) };
  const found = store.variables.get(whole);
  if (found) return shared(whole, found, { ...wanted, scope });
  if (scope.reuse === true) {
    throw new InvalidArgumentError(
      `getVariable: there is no variable ${whole}, or it was not made with tf.getVariable, and its scope makes none: reuse is true. ` +
        'Open the scope with { reuse: tf.AUTO_REUSE }, or make the variable before.',
    );
  }
  const made = graph.withScope('', () => controlDependencies(null, () => create(graph, whole, { ...wanted, scope })));
  store.variables.set(whole, made);
  const { regularizer = scope.regularizer } = options;
  if (regularizer) penalize(graph, whole, made, regularizer);
  return made;
}

interface Wanted {
  readonly scope: VariableScope;
  readonly shape: readonly number[] | undefined;
  readonly dtype: DType | undefined;
  readonly initializer: unknown;
  readonly trainable: boolean | undefined;
  readonly collections: readonly string[] | undefined;
}

/** The variable that there is, where it may be taken, and is what is wanted. */
function shared(
  whole: string,
  found: Variable<any, any>,
  { scope, shape, dtype = scope.dtype }: Omit<Wanted, 'initializer' | 'trainable' | 'collections'>,
): Variable<any, any> {
  const here = () =>
    `\n    ${whole} was made at ${found.operation.line}\n    and is asked for at ${lineOf(captureSite())}`;
  if (scope.reuse === false) {
    throw new InvalidArgumentError(
      `getVariable: there is a variable ${whole} already. To share it, open its scope with { reuse: true } or { reuse: tf.AUTO_REUSE }; ` +
        `to have another, take another name or scope.${here()}`,
    );
  }
  if (shape && !compatible(found.shape as Shape, shape)) {
    throw new ShapeMismatchError(
      `getVariable: the variable ${whole} has shape ${showShape(found.shape as Shape)}, but ${showShape(shape)} is asked for.${here()}`,
    );
  }
  if (dtype && found.dtype !== dtype) {
    throw new DTypeError(
      `getVariable: the variable ${whole} has dtype ${found.dtype}, but ${dtype} is asked for.${here()}`,
    );
  }
  return found;
}

function create(graph: Graph, whole: string, wanted: Wanted): Variable<any, any> {
  const { trainable, collections } = wanted;
  const { value, dtype } = graph.withScope(`${whole}/Initializer/`, () => initialValue(whole, wanted));
  return variable(value, {
    name: whole,
    ...(dtype && { dtype }),
    ...(trainable !== undefined && { trainable }),
    ...(collections && { collections }),
  }) as Variable<any, any>;
}

function initialValue(
  whole: string,
  { scope, shape, dtype, initializer }: Wanted,
): { value: any; dtype?: DType | undefined } {
  const given = initializer ?? scope.initializer;
  if (given !== undefined && typeof given !== 'function') return valueGiven(whole, { shape, dtype, value: given });
  if (!shape) {
    throw new InvalidArgumentError(
      `getVariable: the shape of ${whole} is missing. Write tf.getVariable('${whole}', [2, 3]), or give a value as its initializer.`,
    );
  }
  const type = dtype ?? scope.dtype ?? 'float32';
  const initialize = (given ?? (isFloat(type) ? glorotUniform() : zeros())) as Initializer;
  const value: unknown = initialize(shape, type);
  if (!(value instanceof Tensor)) {
    throw new InvalidArgumentError(
      `getVariable: the initializer of ${whole} must return a tensor, but ${describe(value)} came.`,
    );
  }
  if (value.dtype !== type) {
    throw new DTypeError(
      `getVariable: the initializer of ${whole} was asked for ${type}, but returned ${value.dtype}; use tf.cast(x, '${type}').`,
    );
  }
  if (!compatible(value.shape, shape)) {
    throw new ShapeMismatchError(
      `getVariable: the initializer of ${whole} was asked for shape ${showShape(shape)}, but returned ${showShape(value.shape)}.`,
    );
  }
  return { value };
}

/** An initializer that is the initial value itself. */
function valueGiven(
  whole: string,
  { shape, dtype, value }: { shape: readonly number[] | undefined; dtype: DType | undefined; value: unknown },
): { value: any; dtype?: DType | undefined } {
  if (shape) {
    const what = value instanceof Tensor ? `shape ${showShape(value.shape)}` : 'a shape of its own';
    const same = value instanceof Tensor && compatible(value.shape, shape);
    if (!same) {
      throw new ShapeMismatchError(
        `getVariable: ${whole} is asked for with shape ${showShape(shape)}, but its initializer is a value, which has ${what}; leave out the shape, ` +
          'or write tf.initializers.constant(value).',
      );
    }
  }
  return { value, dtype };
}

function penalize(graph: Graph, whole: string, made: Variable<any, any>, regularizer: Regularizer): void {
  const penalty: unknown = controlDependencies(null, () =>
    graph.withScope(`${whole}/Regularizer/`, () => regularizer(made)),
  );
  if (penalty === null) return;
  if (!(penalty instanceof Tensor) || penalty.shape?.length !== 0) {
    const came = penalty instanceof Tensor ? `a tensor of shape ${showShape(penalty.shape)}` : describe(penalty);
    throw new InvalidArgumentError(
      `getVariable: the regularizer of ${whole} must return a scalar tensor or null, but ${came} came.`,
    );
  }
  graph.collect('getVariable', [GraphKeys.REGULARIZATION_LOSSES], penalty);
}
