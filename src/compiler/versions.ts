// Which value of a variable an operation sees: the newest of the assignments from which a path leads to it, else the
// value from before the run. Assignments of one variable happen in the order in which they were made.
import type { Operation } from '../graph/operation.ts';
import type { Tensor } from '../graph/tensor.ts';
import { isAssign } from '../ops/variable.ts';
import type { Steps } from '../tensor/turns.ts';

/** Variable → the last assignment that comes before. Shared between operations, hence never changed once made. */
type Past = ReadonlyMap<Tensor, Operation>;
const nothing: Past = new Map();

/** For each operation of a pruned list, the assignments that come before it. */
export function* assignmentsBefore(
  operations: readonly Operation[],
): Steps<(operation: Operation, variable: Tensor) => Operation | undefined> {
  const after = new Map<Operation, Past>();
  const before = new Map<Operation, Past>();
  for (const operation of operations) {
    let past = nothing;
    const join = (source: Operation) => {
      const other = after.get(source) ?? nothing;
      if (other === past || other.size === 0) return;
      past = past.size === 0 ? other : merge(past, other);
    };
    for (const t of operation.inputs) join(t.operation);
    for (const control of operation.controlInputs) join(control);
    before.set(operation, past);
    after.set(operation, isAssign(operation) ? new Map(past).set(operation.inputs[0], operation) : past);
    yield;
  }
  return (operation, variable) => before.get(operation)?.get(variable);
}

function merge(a: Past, b: Past): Past {
  const both = new Map(a);
  for (const [variable, assignment] of b) {
    const known = both.get(variable);
    if (!known || known.id < assignment.id) both.set(variable, assignment);
  }
  return both;
}
