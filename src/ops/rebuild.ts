// A computation made anew with some of its parts replaced.
import type { Operation } from '../graph/operation.ts';
import type { Tensor } from '../graph/tensor.ts';
import { applyAll, definitionOf } from './define.ts';

interface Rebuild {
  /** What stands for the outputs of an operation. */
  readonly instead: (operation: Operation) => readonly Tensor[] | undefined;
  /** The control dependencies that it has, beside those around. */
  readonly controls: (operation: Operation) => readonly Operation[];
}

/** A tensor computed anew, as far as anything of it differs. */
export function rebuilt(root: Tensor, { instead, controls }: Rebuild): Tensor {
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
