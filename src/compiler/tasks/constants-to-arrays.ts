// Constants to arrays: numbers in which many tasks of otherwise equal structure differ become arrays of one element, so
// that these tasks can share their kernels.

import { addTo } from '../../base/multimap.ts';
import type { Sliced } from '../../base/turns.ts';
import { constant, type View } from '../../primitives/primitives.ts';
import type { Scalar } from '../../primitives/scalar.ts';
import * as s from '../../primitives/scalar.ts';
import type { Task } from '../../primitives/task.ts';
import { allocate, isFloat } from '../../tensor/dtype.ts';
import { type Structure, structureOf } from './structure.ts';

/** So many tasks are worth it: a number in an instruction is faster than one in memory. */
const many = 8;

/** Operations whose translation depends on a number among their operands. */
const peculiar: ReadonlySet<Scalar['op']> = new Set([
  'min',
  'max',
  'pow',
  'mod',
  'floorDiv',
  'shiftRight',
  'philox',
  'cast',
]);

/** A task, and the numbers in it that could as well be read from memory. */
interface Candidate {
  readonly index: number;
  readonly free: readonly Scalar[];
}

/** The same tasks, some of them with such numbers read from memory. */
export function* constantsToArrays(tasks: readonly Task[]): Sliced<readonly Task[]> {
  const result = [...tasks];
  // Most numbers are the same everywhere: structures are compared only where some are not.
  const similar = new Map<string, Candidate[]>();
  for (const [index, task] of tasks.entries()) {
    const free = freeConstants(task);
    if (free.length > 0) addTo(similar, `${task.root?.kind} ${task.shape} ${free.length}`, { index, free });
    yield;
  }
  const groups = new Map<string, Candidate[]>();
  for (const members of similar.values()) {
    yield;
    if (members.length < many || !differences(members).includes(true)) continue;
    for (const member of members) {
      const { text } = structureOf(tasks[member.index], member.free) as Structure;
      addTo(groups, text, member);
      yield;
    }
  }
  for (const members of groups.values()) {
    if (members.length < many) continue;
    const differs = differences(members);
    yield;
    if (!differs.includes(true)) continue;
    for (const { index, free } of members) {
      result[index] = withInputs(
        tasks[index],
        free.filter((_, i) => differs[i]),
      );
      yield;
    }
  }
  return result;
}

/** Of each number in its place whether it is not the same in all of some tasks. */
function differences(members: readonly Candidate[]): boolean[] {
  const [{ free: first }] = members;
  return first.map(({ value }, i) => members.some(({ free }) => !Object.is(free[i].value, value)));
}

/** The numbers that could as well be read from memory: the bits of the results would be the same. */
function freeConstants({ root, operandBody, outputs }: Task): Scalar[] {
  if (root?.kind === 'check') return [];
  const free = new Set<Scalar>();
  const bound = new Set<Scalar>();
  const seen = new Set<Scalar>();
  const visit = (x: Scalar): void => {
    for (const a of x.args) if (a.op === 'constant') (peculiar.has(x.op) || !isFloat(a.dtype) ? bound : free).add(a);
  };
  for (const { body } of outputs) s.walk(body, visit, seen);
  if (operandBody) s.walk(operandBody, visit, seen);
  return [...free].filter((c) => !bound.has(c));
}

/** The task with these numbers read from memory. */
function withInputs(task: Task, free: readonly Scalar[]): Task {
  const inputs = [...task.inputs];
  const operands = [...task.operands];
  const reading = (views: View[], shape: readonly number[]) => {
    const known = new Map<Scalar, Scalar>();
    return (x: Scalar): Scalar => {
      if (!free.includes(x)) return x;
      let input = known.get(x);
      if (!input) {
        const data = allocate(x.dtype, 1);
        data[0] = x.value;
        const { node } = constant(data, x.dtype, []);
        const view = { node, shape, strides: shape.map(() => 0), offset: 0 };
        known.set(x, (input = s.input(views.push(view) - 1, x.dtype)));
      }
      return input;
    };
  };
  const inOutputs = reading(inputs, task.shape);
  const inOperands = reading(operands, task.root && 'x' in task.root ? task.root.x.shape : task.shape);
  return {
    ...task,
    operandBody: task.operandBody && s.substitute(task.operandBody, inOperands),
    outputs: task.outputs.map((o) => ({ ...o, body: s.substitute(o.body, inOutputs) })),
    inputs,
    operands,
  };
}
