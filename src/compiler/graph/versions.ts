// Versions: which value of a variable an operation sees: the newest of the assignments from which a path leads to it, else the
// value from before the run. Assignments of one variable happen in the order in which they were made.

import type { Sliced } from '../../base/turns.ts';
import type { Operation } from '../../graph/operation.ts';
import type { Tensor } from '../../graph/tensor.ts';
import { isAssign } from '../../ops/variable.ts';

/** Variable → the last assignment that comes before. Shared between operations, hence never changed once made. */
type Past = ReadonlyMap<Tensor, Operation>;
const nothing: Past = new Map();

/** The last assignment of a variable that comes before an operation; undefined for the value from before the run. */
export type VersionOf = (operation: Operation, variable: Tensor) => Operation | undefined;

/** What each operation of a pruned list sees. */
export function* versions(operations: readonly Operation[]): Sliced<VersionOf> {
  const after = new Map<Operation, Past>();
  const before = new Map<Operation, Past>();
  for (const operation of operations) {
    let past = nothing;
    let own: Map<Tensor, Operation> | undefined;
    const join = (source: Operation) => {
      const other = after.get(source) ?? nothing;
      if (other === past || other.size === 0) return;
      if (past.size === 0) past = other;
      else {
        own ??= new Map(past);
        addNewer(own, other);
        past = own;
      }
    };
    for (const t of operation.inputs) join(t.operation);
    for (const control of operation.controlInputs) join(control);
    before.set(operation, past);
    after.set(operation, isAssign(operation) ? new Map(past).set(operation.inputs[0], operation) : past);
    yield;
  }
  return (operation, variable) => before.get(operation)?.get(variable);
}

function addNewer(to: Map<Tensor, Operation>, from: Past): void {
  for (const [variable, assignment] of from) {
    const known = to.get(variable);
    if (!known || known.id < assignment.id) to.set(variable, assignment);
  }
}
