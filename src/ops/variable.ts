// Variables: values that stay in a session, and the operations that change them.

import { DTypeError, InternalError, ShapeMismatchError } from '../base/errors.ts';
import { controlDependencies, getDefaultGraph } from '../graph/graph.ts';
import { GraphKeys, keysOf } from '../graph/graph-keys.ts';
import type { Operation } from '../graph/operation.ts';
import { Tensor, Variable } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { DType, Elem, NumericDType } from '../tensor/dtype.ts';
import { anything, dtype as dtypeKind, text, trueOrFalse } from '../tensor/kinds.ts';
import type { DTypeOfGiven, FeedValue, ShapeOfGiven } from '../tensor/ndarray.ts';
import { refusalOf } from '../tensor/problem.ts';
import { compatible, elements, isKnown, type Shape, showShape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { ownData, take } from '../tensor/values.ts';
import { constant, constantOf, toTensor } from './constant.ts';
import {
  type AnyTensor,
  apply,
  applyAll,
  type DTypes,
  defineOp,
  functionName,
  numeric,
  type OpDefinition,
  requireDType,
  type TensorType,
  variableKind,
} from './define.ts';
import { PlaceholderOp } from './placeholder.ts';
import { rebuilt } from './rebuild.ts';

/** @internal The compiler recognises it: a read of the session's state, never lowered. */
export const VariableOp = defineOp<{ dtype: DType; shape: readonly number[] }>({
  name: 'Variable',
  infer: (_, type) => type,
  gradient: () => [],
  lower: () => {
    throw new InternalError('a variable is read, not lowered');
  },
});

/** Inputs: the variable's value so far, and the operand. Output: its new value. */
const defineAssign = (name: string, body: (old: s.Scalar, x: s.Scalar) => s.Scalar, allowed?: DTypes): OpDefinition =>
  defineOp({
    name,
    infer: ([variable, value]: readonly TensorType[]) => {
      const op = functionName(name);
      if (allowed) requireDType(op, variable, allowed);
      if (variable.dtype !== value.dtype) {
        throw new DTypeError(
          `${op}: the variable has dtype ${variable.dtype}, the value ${value.dtype}; use tf.cast(value, '${variable.dtype}').`,
        );
      }
      if (!compatible(variable.shape, value.shape)) {
        throw new ShapeMismatchError(
          `${op}: the variable has shape ${showShape(variable.shape)}, the value ${showShape(value.shape)}; they must be equal.`,
        );
      }
      return variable;
    },
    lower: ([old, value]) => p.map([old, value], body, old.shape),
  });

const AssignOp: OpDefinition = { ...defineAssign('Assign', (_, x) => x), lower: ([, value]) => value };
const AssignAddOp = defineAssign('AssignAdd', s.add, numeric);
const AssignSubOp = defineAssign('AssignSub', s.sub, numeric);
const assignments: ReadonlySet<object> = new Set([AssignOp, AssignAddOp, AssignSubOp]);

/** @internal Gives a variable a value. */
export const assigned = (v: Variable, value: Tensor): Tensor =>
  apply(AssignOp, [v, value], {}, `${v.operation.name}/Assign`);

/** @internal Does the operation give a variable (its first input) a new value (its output)? */
export const isAssign = (operation: Operation): boolean => assignments.has(operation.definition);

/** What a variable is made with, besides its initial value. */
export interface VariableOptions<T extends DType> {
  /**
   * The element type: a tensor has it already; numbers become elements of it, or are a DTypeError where it does not hold
   * them.
   */
  readonly dtype?: T | undefined;
  /** Do optimizers change it unless told otherwise? It is then in `tf.GraphKeys.TRAINABLE_VARIABLES` too. Default true. */
  readonly trainable?: boolean | undefined;
  /** The collections that it is in; default `[tf.GraphKeys.GLOBAL_VARIABLES]`. */
  readonly collections?: readonly string[] | undefined;
  readonly name?: string | undefined;
}

const initialValue = anything('a tensor, numbers or booleans');
const collectionKeys = anything<readonly string[]>('an array of texts');
const form = signature(
  'tf.variable',
  { initial: initialValue },
  { dtype: dtypeKind, trainable: trueOrFalse, collections: collectionKeys, name: text },
);
/**
 * A value that stays in a session from run to run and that training changes.
 *
 * Every variable must be initialized in a session before it is read: `sess.run(tf.globalVariablesInitializer())`, and
 * those made with `collections: [tf.GraphKeys.LOCAL_VARIABLES]`, which no checkpoint holds, by
 * `tf.localVariablesInitializer()`. Made inside `tf.controlDependencies` it is initialized outside of them.
 *
 * @param initial the initial value: a tensor of fully known shape, a host array, a typed array, or numbers.
 * @param options.dtype the element type. Numbers are rounded to the nearest one of a float type.
 * @param options.trainable whether optimizers change it (default true).
 * @param options.collections names of collections, such as those of `tf.GraphKeys`.
 * @throws ShapeMismatchError when the shape of the initial value is not fully known.
 * @throws DTypeError for a tensor of another element type, a fraction for an integer type.
 *
 * ```ts
 * const W = tf.variable(tf.zeros([784, 10]), { name: 'W' });
 * const step = tf.variable(0, { dtype: 'int32', trainable: false });
 * const seen = tf.variable(0, { trainable: false, collections: [tf.GraphKeys.LOCAL_VARIABLES] });
 * ```
 */
export function variable<T extends DType = any, S extends Shape = any>(
  initial: Tensor<T, S>,
  options?: VariableOptions<NoInfer<T>>,
): Variable<T, S>;
export function variable<const V, T extends DType = DTypeOfGiven<V>>(
  initial: V,
  options?: VariableOptions<V extends Tensor<any, any> ? never : T>,
): Variable<NoInfer<T>, ShapeOfGiven<V>>;
export function variable(...given: unknown[]): Variable {
  const { initial, dtype: wanted, trainable = true, collections, name } = form.take(given);
  const keys = new Set(collections === undefined ? [GraphKeys.GLOBAL_VARIABLES] : keysOf('variable', collections));
  if (trainable) keys.add(GraphKeys.TRAINABLE_VARIABLES);
  const graph = initial instanceof Tensor ? initial.graph : getDefaultGraph();
  const { controls } = graph;
  const build = () => {
    const value = initialOf(initial, wanted, controls);
    const { dtype, shape } = value;
    if (!isKnown(shape)) {
      throw new ShapeMismatchError(
        `variable: the initial value must have a fully known shape, but ${value.name} has ${showShape(shape)}; use tf.reshape to fix it.`,
      );
    }
    const [v] = applyAll(VariableOp, [], { dtype, shape }, { name, outputClass: Variable });
    const made = v as Variable;
    return Object.assign(made, { initializer: assigned(made, value).operation });
  };
  const made = graph.asDefault(() => controlDependencies(null, build));
  graph.collect('variable', [...keys], made);
  return made;
}

function initialOf(initial: unknown, wanted: DType | undefined, controls: readonly Operation[]): Tensor {
  if (!(initial instanceof Tensor)) {
    const refuse = refusalOf('variable');
    const taken = take(initial, refuse, wanted);
    const dtype = wanted ?? taken.dtype;
    return constantOf(dtype, taken.shape, ownData(taken, dtype, refuse));
  }
  if (wanted !== undefined && wanted !== initial.dtype) {
    throw new DTypeError(
      `variable: the initial value ${initial.name} has dtype ${initial.dtype}, but dtype ${wanted} is asked for; convert it with tf.cast(x, '${wanted}').`,
    );
  }
  return lifted(initial, controls);
}

/** The same computation without the given control dependencies; itself if none of it has them. */
const lifted = (value: Tensor, controls: readonly Operation[]): Tensor =>
  rebuilt(value, {
    // What is fed must stay itself, and an assignment happens once.
    instead: (operation) =>
      isAssign(operation) || operation.definition === PlaceholderOp ? operation.outputs : undefined,
    controls: (operation) => operation.controlInputs.filter((c) => !controls.includes(c)),
  });

/** Looked at by `operandFor`. */
const newValue = anything<unknown>('a tensor or values');
const formOfAssign = (op: string) => signature(`tf.${op}`, { variable: variableKind, value: newValue }, { name: text });

/** What a variable may be given: a tensor of its shape, a value for each element, or one for all. */
export type Assigned<T extends DType, S extends Shape> = Tensor<T, S> | FeedValue<T, S> | Elem<T>;

const assignForm = formOfAssign('assign');
/**
 * Sets the variable; the result is its new value. Other reads in the same run see the old one unless they depend on this.
 *
 * @param value a tensor of the variable's shape and dtype, a number for all elements, or what may be fed for it.
 *
 * ```ts
 * tf.assign(v, [4, 5, 6]);      // or v.assign([4, 5, 6])
 * ```
 */
export function assign<T extends DType = any, S extends Shape = any>(
  v: Variable<T, S>,
  value: Assigned<NoInfer<T>, NoInfer<S>>,
  options?: { readonly name?: string },
): Tensor<T, S>;
export function assign(...given: unknown[]): AnyTensor {
  const { variable: v, value, name } = assignForm.take(given);
  return apply(AssignOp, [v, operandFor('assign', v, value)], {}, name);
}

const assignAddForm = formOfAssign('assignAdd');
/** Adds to the variable; the result is its new value. */
export function assignAdd<T extends NumericDType = any, S extends Shape = any>(
  v: Variable<T, S>,
  value: Assigned<NoInfer<T>, NoInfer<S>>,
  options?: { readonly name?: string },
): Tensor<T, S>;
export function assignAdd(...given: unknown[]): AnyTensor {
  const { variable: v, value, name } = assignAddForm.take(given);
  return apply(AssignAddOp, [v, operandFor('assignAdd', v, value)], {}, name);
}

const assignSubForm = formOfAssign('assignSub');
/** Subtracts from the variable; the result is its new value. */
export function assignSub<T extends NumericDType = any, S extends Shape = any>(
  v: Variable<T, S>,
  value: Assigned<NoInfer<T>, NoInfer<S>>,
  options?: { readonly name?: string },
): Tensor<T, S>;
export function assignSub(...given: unknown[]): AnyTensor {
  const { variable: v, value, name } = assignSubForm.take(given);
  return apply(AssignSubOp, [v, operandFor('assignSub', v, value)], {}, name);
}

/** A tensor of the variable's dtype; one number is for every element, and a flat typed array has the variable's shape. */
function operandFor(op: string, v: Variable, value: unknown): Tensor {
  const { dtype, shape } = v as { dtype: DType; shape: readonly number[] };
  if (value instanceof Tensor) return value;
  if (typeof value === 'number' || typeof value === 'boolean') {
    return constant(value, { dtype: toTensor(op, value, dtype).dtype, shape }) as AnyTensor;
  }
  const refuse = refusalOf(op);
  const taken = take(value, refuse, dtype);
  const own = dtype === 'bool' && taken.dtype === 'uint8' ? dtype : taken.dtype;
  const fills = taken.from === 'typed array' && taken.shape[0] === elements(shape);
  return constantOf(own, fills ? shape : taken.shape, ownData(taken, own, refuse));
}
