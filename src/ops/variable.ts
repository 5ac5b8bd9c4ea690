// Variables: values that stay in a session, and the operations that change them.

import { DTypeError, InternalError, InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import { controlDependencies, getDefaultGraph } from '../graph/graph.ts';
import type { Operation } from '../graph/operation.ts';
import { Tensor, Variable } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { DType, Elem, NumericDType } from '../tensor/dtype.ts';
import { anything, text, trueOrFalse } from '../tensor/kinds.ts';
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
  defineOp,
  definitionOf,
  functionName,
  type Named,
  type OpDefinition,
  type TensorType,
  variableKind,
} from './define.ts';
import { group } from './group.ts';
import { PlaceholderOp } from './placeholder.ts';

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
const defineAssign = (name: string, body: (old: s.Scalar, x: s.Scalar) => s.Scalar): OpDefinition =>
  defineOp({
    name,
    infer: ([variable, value]: readonly TensorType[]) => {
      const op = functionName(name);
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
const AssignAddOp = defineAssign('AssignAdd', s.add);
const AssignSubOp = defineAssign('AssignSub', s.sub);
const assignments: ReadonlySet<object> = new Set([AssignOp, AssignAddOp, AssignSubOp]);

/** @internal Does the operation give a variable (its first input) a new value (its output)? */
export const isAssign = (operation: Operation): boolean => assignments.has(operation.definition);

const initialValue = anything('a tensor, numbers or booleans');
const form = signature('tf.variable', { initial: initialValue }, { trainable: trueOrFalse, name: text });
/**
 * A value that stays in a session from run to run and that training changes.
 *
 * Every variable must be initialized in a session before it is read: `sess.run(tf.initializeAllVariables())`.
 * Made inside `tf.controlDependencies` it is initialized outside of them.
 *
 * @param initial the initial value: a tensor of fully known shape, a host array, a typed array, or numbers.
 * @param options.trainable whether optimizers change it (default true).
 * @throws ShapeMismatchError when the shape of the initial value is not fully known.
 *
 * ```ts
 * const W = tf.variable(tf.zeros([784, 10]), { name: 'W' });
 * const step = tf.variable(0, { trainable: false });
 * ```
 */
export function variable<T extends DType = any, S extends Shape = any>(
  initial: Tensor<T, S>,
  options?: { readonly name?: string; readonly trainable?: boolean },
): Variable<T, S>;
export function variable<const V>(
  initial: V,
  options?: { readonly name?: string; readonly trainable?: boolean },
): Variable<DTypeOfGiven<V>, ShapeOfGiven<V>>;
export function variable(...given: unknown[]): Variable {
  const { initial, trainable = true, name } = form.take(given);
  const graph = initial instanceof Tensor ? initial.graph : getDefaultGraph();
  const { controls } = graph;
  const build = () => {
    const value = initial instanceof Tensor ? lifted(initial, controls) : (constant(initial) as Tensor);
    const { dtype, shape } = value;
    if (!isKnown(shape)) {
      throw new ShapeMismatchError(
        `variable: the initial value must have a fully known shape, but ${value.name} has ${showShape(shape)}; use tf.reshape to fix it.`,
      );
    }
    const [v] = applyAll(VariableOp, [], { dtype, shape }, { name, outputClass: Variable });
    const initializer = apply(AssignOp, [v, value], {}, `${v.operation.name}/Assign`).operation;
    return Object.assign(v as Variable, { initializer, trainable });
  };
  const made = graph.asDefault(() => controlDependencies(null, build));
  graph.variables.push(made);
  return made;
}

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

const globalVariablesForm = signature('tf.globalVariables', {}, {});
/** The variables of the default graph, in the order in which they were made. */
export function globalVariables(): readonly Variable[];
export function globalVariables(...given: unknown[]): readonly Variable[] {
  globalVariablesForm.take(given);
  return getDefaultGraph().variables;
}
const trainableVariablesForm = signature('tf.trainableVariables', {}, {});
/** Those that optimizers change. */
export function trainableVariables(): readonly Variable[];
export function trainableVariables(...given: unknown[]): readonly Variable[] {
  trainableVariablesForm.take(given);
  return globalVariables().filter((v) => v.trainable);
}

const initializeForm = signature('tf.initializeAllVariables', {}, { name: text }, ['name']);
/**
 * An operation that gives every variable of the default graph that exists now its initial value. Initial values that
 * are made from other variables get these variables' initial values.
 *
 * Call it after `minimize`: optimizers make variables too.
 *
 * ```ts
 * await sess.run(tf.initializeAllVariables());
 * ```
 */
export function initializeAllVariables(name?: Named): Operation;
export function initializeAllVariables(...given: unknown[]): Operation {
  const { name = 'group' } = initializeForm.take(given);
  const graph = getDefaultGraph();
  const initialized = new Map<Tensor, Tensor>();
  const initialize = (v: Variable): Tensor => {
    const known = initialized.get(v);
    if (known) return known;
    const value = v.initializer.inputs[1];
    const fresh = onInitialValues(value, initialize);
    const result =
      fresh === value ? v.initializer.outputs[0] : apply(AssignOp, [v, fresh], {}, `${v.operation.name}/Assign`);
    initialized.set(v, result);
    return result;
  };
  const all = [...graph.variables].map((v) => initialize(v).operation);
  return group(...all, { name });
}

/** The same computation on the initial values of the variables that it reads; itself if it reads none. */
const onInitialValues = (value: Tensor, initialValue: (v: Variable) => Tensor): Tensor =>
  rebuilt(value, {
    instead: (operation) => {
      if (isAssign(operation)) {
        throw new InvalidArgumentError(
          `initializeAllVariables: an initial value is computed by the assignment ${operation.name}, made at ${operation.line}; give the variable a value of its own, and assign when all are initialized.`,
        );
      }
      return operation.definition === VariableOp ? [initialValue(operation.outputs[0] as Variable)] : undefined;
    },
    controls: (operation) => operation.controlInputs,
  });

/** The same computation without the given control dependencies; itself if none of it has them. */
const lifted = (value: Tensor, controls: readonly Operation[]): Tensor =>
  rebuilt(value, {
    // What is fed must stay itself, and an assignment happens once.
    instead: (operation) =>
      isAssign(operation) || operation.definition === PlaceholderOp ? operation.outputs : undefined,
    controls: (operation) => operation.controlInputs.filter((c) => !controls.includes(c)),
  });

interface Rebuild {
  /** What stands for the outputs of an operation. */
  readonly instead: (operation: Operation) => readonly Tensor[] | undefined;
  /** The control dependencies that it has, beside those around. */
  readonly controls: (operation: Operation) => readonly Operation[];
}

/** A tensor computed anew, as far as anything of it differs. */
function rebuilt(root: Tensor, { instead, controls }: Rebuild): Tensor {
  const done = new Map<Operation, readonly Tensor[]>();
  const visit = (operation: Operation): readonly Tensor[] => {
    const known = done.get(operation) ?? instead(operation);
    if (known) {
      done.set(operation, known);
      return known;
    }
    const inputs = operation.inputs.map((t) => visit(t.operation)[t.index]);
    const after = controls(operation);
    const isSame = after.length === operation.controlInputs.length && inputs.every((t, i) => t === operation.inputs[i]);
    const { attributes, name } = operation;
    const outputs = isSame
      ? operation.outputs
      : operation.graph.withControls(after, () => applyAll(definitionOf(operation), inputs, attributes, { name }));
    done.set(operation, outputs);
    return outputs;
  };
  return visit(root.operation)[root.index];
}
