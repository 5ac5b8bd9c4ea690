// Operations that compute nothing and only run others.
import { controlDependencies, getDefaultGraph } from '../graph/graph.ts';
import type { Operation } from '../graph/operation.ts';
import { Tensor } from '../graph/tensor.ts';
import { defineOp } from './define.ts';

const NoOp = defineOp({ name: 'NoOp', infer: () => [], lower: () => [] });

/** An operation that does nothing; under control dependencies it runs these. */
export function noOp(name?: string): Operation {
  return getDefaultGraph().add({ definition: NoOp, inputs: [], attributes: {}, outputs: [], name });
}

/** One operation that runs all of the given ones. */
export function group(...members: readonly (Operation | Tensor)[]): Operation {
  const first = members[0];
  const graph = first === undefined ? getDefaultGraph() : first.graph;
  return graph.asDefault(() =>
    controlDependencies(
      members.map((m) => (m instanceof Tensor ? m.operation : m)),
      () => noOp('group'),
    ),
  );
}
