// What holds of a well-formed task: run between the passes in tests.
import { InternalError } from '../base/errors.ts';
import { elements, sameShape } from '../tensor/shape.ts';
import type { Primitive, View } from './primitives.ts';
import { printTask } from './print.ts';
import { type Scalar, walk } from './scalar.ts';
import type { Task } from './task.ts';

/** @throws InternalError, with the task as text, for the first thing that is wrong. */
export function verifyTask(task: Task): void {
  const refuse = (what: string): never => {
    throw new InternalError(`malformed task: ${what}\n${printTask(task)}`);
  };
  const { shape, root, operands, operandBody, inputs, outputs } = task;
  for (const v of [...operands, ...inputs]) if (!inside(v, v.node)) refuse('a view leaves its array');
  for (const v of inputs) if (!sameShape(v.shape, shape)) refuse(`an input has the shape [${v.shape}]`);
  const reduces = root?.kind === 'reduce' || root?.kind === 'argReduce' || root?.kind === 'contract';
  for (const v of operands) {
    if (reduces && !sameShape(v.shape.slice(0, shape.length), shape)) refuse(`an operand has the shape [${v.shape}]`);
  }
  if (
    (root?.kind === 'reduce' || root?.kind === 'argReduce') !== (operandBody !== undefined) &&
    root?.kind !== 'check'
  ) {
    refuse('what is reduced is missing, or is there without a reduction');
  }
  if (operandBody) checkInputs(operandBody, 0, operands.length, refuse);
  for (const o of outputs) {
    if (root?.kind === 'check') checkInputs(o.body, 0, operands.length, refuse);
    else {
      checkInputs(o.body, root ? -1 : 0, inputs.length, refuse);
      const target = { shape, strides: o.strides, offset: o.offset };
      if (o.strides.length !== shape.length || !inside(target, o.node)) refuse('an output leaves its array');
    }
  }
}

function checkInputs(body: Scalar, first: number, count: number, refuse: (what: string) => never): void {
  walk(body, (e) => {
    if (e.op === 'input' && (e.value < first || e.value >= count)) refuse(`there is no input ${e.value}`);
  });
}

/** Do all elements lie in the node's array? */
function inside({ shape, strides, offset }: Omit<View, 'node'>, node: Primitive): boolean {
  if (elements(shape) === 0) return true;
  let low = offset;
  let high = offset;
  for (const [i, stride] of strides.entries()) {
    const last = stride * (shape[i] - 1);
    if (last < 0) low += last;
    else high += last;
  }
  return low >= 0 && high < elements(node.shape);
}
