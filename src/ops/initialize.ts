// Operations that give variables their initial values.
import { InvalidArgumentError } from '../base/errors.ts';
import { globalVariables, localVariables } from '../graph/collections.ts';
import { getDefaultGraph } from '../graph/graph.ts';
import type { Operation } from '../graph/operation.ts';
import { type Tensor, Variable } from '../graph/tensor.ts';
import { describe } from '../tensor/describe.ts';
import { anything, text } from '../tensor/kinds.ts';
import { signature } from '../tensor/signature.ts';
import { readList } from '../tensor/sizes.ts';
import type { Named } from './define.ts';
import { group } from './group.ts';
import { rebuilt } from './rebuild.ts';
import { assigned, isAssign, VariableOp } from './variable.ts';

const listForm = signature(
  'tf.variablesInitializer',
  { varList: anything<readonly Variable[]>('an array of variables') },
  { name: text },
  ['name'],
);
/**
 * An operation that gives each of the variables its initial value. An initial value that is made from others of them is
 * made from their initial values; what it reads of further variables must have a value.
 *
 * @throws InvalidArgumentError when an initial value is computed by an assignment.
 *
 * ```ts
 * await saver.restore(sess, path, { strict: false });
 * await sess.run(tf.variablesInitializer(tf.globalVariables('head/')));
 * ```
 */
export function variablesInitializer(varList: readonly Variable<any, any>[], name?: Named): Operation;
export function variablesInitializer(...given: unknown[]): Operation {
  const { varList, name } = listForm.take(given);
  const refuse = (came: string): never => {
    throw new InvalidArgumentError(`variablesInitializer: varList must be an array of variables, but ${came} came.`);
  };
  if (!Array.isArray(varList)) return refuse(describe(varList));
  const variables = readList(varList, (v) => (v instanceof Variable ? v : refuse(`one with ${describe(v)}`)));
  return initializing('variablesInitializer', variables, name);
}

const formOf = (op: string) => signature(`tf.${op}`, {}, { name: text }, ['name']);
const globalForm = formOf('globalVariablesInitializer');
/**
 * An operation that gives every global variable of the default graph that exists now its initial value. Initial values
 * that are made from other variables get these variables' initial values.
 *
 * Call it after `minimize`: optimizers make variables too.
 *
 * ```ts
 * await sess.run(tf.globalVariablesInitializer());
 * ```
 */
export function globalVariablesInitializer(name?: Named): Operation;
export function globalVariablesInitializer(...given: unknown[]): Operation {
  return initializing(globalForm.op, globalVariables(), globalForm.take(given).name);
}

const allForm = formOf('initializeAllVariables');
/** `globalVariablesInitializer` under the name that it has in TensorFlow's tutorial. */
export function initializeAllVariables(name?: Named): Operation;
export function initializeAllVariables(...given: unknown[]): Operation {
  return initializing(allForm.op, globalVariables(), allForm.take(given).name);
}

const localForm = formOf('localVariablesInitializer');
/** The same for the local variables of the default graph, those of `tf.localVariables()`. */
export function localVariablesInitializer(name?: Named): Operation;
export function localVariablesInitializer(...given: unknown[]): Operation {
  return initializing(localForm.op, localVariables(), localForm.take(given).name);
}

function initializing(op: string, variables: readonly Variable[], name = 'init'): Operation {
  const graph = variables[0]?.graph ?? getDefaultGraph();
  const wanted = new Set<Tensor>(variables);
  const initialized = new Map<Tensor, Tensor>();
  const initialize = (v: Variable): Tensor => {
    const known = initialized.get(v);
    if (known) return known;
    const value = v.initializer.inputs[1];
    const fresh = rebuilt(value, { instead, controls: (operation) => operation.controlInputs });
    const result = fresh === value ? v.initializer.outputs[0] : assigned(v, fresh);
    initialized.set(v, result);
    return result;
  };
  /** What is read of the variables is their initial value. */
  const instead = (operation: Operation): readonly Tensor[] | undefined => {
    if (isAssign(operation)) {
      throw new InvalidArgumentError(
        `${op}: an initial value is computed by the assignment ${operation.name}, made at ${operation.line}; give the variable a value of its own, and assign when all are initialized.`,
      );
    }
    const [output] = operation.outputs;
    if (operation.definition !== VariableOp) return undefined;
    return [wanted.has(output) ? initialize(output as Variable) : output];
  };
  return graph.asDefault(() => group(...variables.map((v) => initialize(v).operation), { name }));
}
