// Operations that compute nothing and only run others.

import { InvalidArgumentError } from '../base/errors.ts';
import { controlDependencies, getDefaultGraph } from '../graph/graph.ts';
import { Operation } from '../graph/operation.ts';
import { Tensor } from '../graph/tensor.ts';
import { describe } from '../tensor/describe.ts';
import { text } from '../tensor/kinds.ts';
import { signature } from '../tensor/signature.ts';
import { defineOp, type Named } from './define.ts';

const NoOp = defineOp({ name: 'NoOp', infer: () => [], lower: () => [] });

const noOpForm = signature('tf.noOp', {}, { name: text }, ['name']);
/** An operation that does nothing; under control dependencies it runs these. */
export function noOp(name?: Named): Operation;
export function noOp(...given: unknown[]): Operation {
  const { name } = noOpForm.take(given);
  return getDefaultGraph().add({ definition: NoOp, inputs: [], attributes: {}, outputs: [], name });
}

type Member = Operation | Tensor;
const groupForm = signature('tf.group', {}, { name: text });
/**
 * One operation that runs all of the given ones.
 *
 * ```ts
 * const both = tf.group(step, update, { name: 'both' });
 * ```
 */
export function group(...members: readonly Member[]): Operation;
export function group(...membersAndOptions: [...Member[], { readonly name?: string }]): Operation;
export function group(...given: unknown[]): Operation {
  const { list, options } = groupForm.takeAll(given);
  const operations = list.map(operationOf);
  const graph = operations.length === 0 ? getDefaultGraph() : operations[0].graph;
  return graph.asDefault(() => controlDependencies(operations, () => noOp(options.name ?? 'group')));
}

function operationOf(member: unknown): Operation {
  if (member instanceof Tensor) return member.operation;
  if (member instanceof Operation) return member;
  throw new InvalidArgumentError(
    `group: expected operations and tensors, but ${describe(member)} came. Write tf.group(a, b, { name }).`,
  );
}
