// Numbers in which many tasks of one structure differ are read from memory, and nothing else changes.
import { expect, test } from 'vitest';
import { atOnce } from '../../../src/base/turns.ts';
import { constantsToArrays } from '../../../src/compiler/tasks/constants-to-arrays.ts';
import { fuse } from '../../../src/compiler/tasks/fuse.ts';
import { structureOf } from '../../../src/compiler/tasks/structure.ts';
import type { View } from '../../../src/primitives/primitives.ts';
import * as p from '../../../src/primitives/primitives.ts';
import type { Scalar } from '../../../src/primitives/scalar.ts';
import * as s from '../../../src/primitives/scalar.ts';
import type { Task } from '../../../src/primitives/task.ts';
import { verifyTask } from '../../../src/primitives/verify-task.ts';
import { lowered } from '../../primitives/lowered.ts';
import { Arrays, expectResults, givenFor } from '../run-tasks.ts';

const x = p.feed(0, 'float32', [2, 3]);

/** So many tasks, one for each of these views; before and after. */
function tasksOf(views: readonly View[]): { before: readonly Task[]; after: readonly Task[]; constants: number[] } {
  const run = lowered({ fetches: views });
  const fused = atOnce(fuse(run));
  const after = atOnce(constantsToArrays(fused.tasks));
  after.forEach(verifyTask);
  // What is computed is the same.
  const given = givenFor(run);
  const arrays = new Arrays(given);
  arrays.run(after);
  expectResults(arrays, fused, run, given);
  const read = (t: Task) => [...t.inputs, ...t.operands].filter((v) => v.node.kind === 'constant').length;
  return { before: fused.tasks, after, constants: after.map(read) };
}

/** Tasks of their own, as there is one fetch and one reduction for each. */
const sums = (count: number, body: (x: Scalar, i: number) => Scalar): View[] =>
  Array.from({ length: count }, (_, i) => p.map([p.reduce('sum', x, [1])], (e) => body(e, i)));
const structures = (tasks: readonly Task[]) => new Set(tasks.map((t) => structureOf(t)?.text)).size;

test('eight tasks that differ in a number have one structure afterwards; seven are left alone', () => {
  const many = tasksOf(sums(8, (e, i) => s.mul(e, 1.5 + i)));
  expect(structures(many.before)).toBe(8);
  expect(structures(many.after)).toBe(1);
  expect(many.constants).toEqual(Array(8).fill(1));
  const few = tasksOf(sums(7, (e, i) => s.mul(e, 1.5 + i)));
  expect(few.after).toEqual(few.before);
});

test('numbers that are the same everywhere stay in the instructions', () => {
  const { after, constants } = tasksOf(sums(9, (e, i) => s.add(s.mul(e, 1.5 + i), 0.25)));
  expect(constants).toEqual(Array(9).fill(1));
  for (const { outputs } of after) {
    const left: number[] = [];
    s.walk(outputs[0].body, (e) => {
      if (e.op === 'constant') left.push(e.value);
    });
    expect(left).toEqual([0.25]);
  }
  const same = tasksOf(sums(9, (e) => s.mul(e, 1.5)));
  expect(same.after).toEqual(same.before);
});

test('zeros of both signs are different numbers', () => {
  const { constants } = tasksOf(sums(8, (e, i) => s.add(s.mul(e, 2), i % 2 === 0 ? 0 : -0)));
  expect(constants).toEqual(Array(8).fill(1));
});

test('numbers that decide how something is translated, and integers, stay where they are', () => {
  for (const body of [
    (e: Scalar, i: number) => s.max(e, i),
    (e: Scalar, i: number) => s.pow(e, i),
    (e: Scalar, i: number) => s.cast(s.add(s.cast(e, 'int32'), i), 'float32'),
  ]) {
    const { before, after } = tasksOf(sums(9, body));
    expect(after).toEqual(before);
  }
  // Also a number that is used both ways.
  const both = (e: Scalar, i: number) => {
    const c = s.constant(i, 'float32');
    return s.max(s.mul(e, c), c);
  };
  const { before, after } = tasksOf(sums(9, both));
  expect(after).toEqual(before);
});

test('what a reduction sums has numbers too, and a number that is used twice is one array', () => {
  const views = Array.from({ length: 8 }, (_, i) => {
    const c = s.constant(0.5 + i, 'float32');
    return p.reduce(
      'sum',
      p.map([x], (e) => s.add(s.mul(e, c), c)),
      [0],
    );
  });
  const { after, constants } = tasksOf(views);
  expect(constants).toEqual(Array(8).fill(1));
  expect(after.every((t) => t.operands.length === 2)).toBe(true);
  expect(structures(after)).toBe(1);
});
