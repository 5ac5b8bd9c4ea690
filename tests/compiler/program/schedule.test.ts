// The order of tasks, and which variables are overwritten where they lie: everything that reads an old value has run by
// then, and every check.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { atOnce } from '../../../src/base/turns.ts';
import { readsOf, type Schedule, schedule } from '../../../src/compiler/program/schedule.ts';
import { fuse } from '../../../src/compiler/tasks/fuse.ts';
import * as tf from '../../../src/index.ts';
import { lower, type Wanted } from '../compile.ts';
import { buildProgram, smallRecipes } from '../random-programs.ts';
import { buildUpdates, updateRecipes } from '../random-updates.ts';
import { Arrays, expectClose, givenFor, valuesOf } from '../run-tasks.ts';

type Any = tf.Tensor<any, any>;

/** The schedule of a run without feeds. Tasks that wait for each other are an error here, not a test without an end. */
function scheduleOf(fetches: readonly Any[], targets: readonly tf.Operation[] = []): Schedule {
  const steps = schedule(atOnce(fuse(lower({ fetches, targets }))));
  for (let i = 0; i < 10_000; i++) {
    const { done, value } = steps.next();
    if (done) return value;
  }
  throw new Error('the schedule has no end');
}

/** What a task finds wrong when it runs: an old value that has been overwritten, or a result that is not there yet. */
function mistakes({ tasks, checks, inPlace }: Schedule): string[] {
  const found: string[] = [];
  const done = new Set<unknown>();
  const overwritten = new Set<number>();
  const made = new Set<unknown>(tasks.flatMap((t) => t.outputs.map((o) => o.node)));
  for (const [i, task] of tasks.entries()) {
    for (const { node } of readsOf(task)) {
      if (node.kind === 'read' && overwritten.has(node.variable.key)) found.push(`task ${i} reads what is overwritten`);
      if (made.has(node) && !done.has(node)) found.push(`task ${i} reads what comes later`);
    }
    if (task.root?.kind === 'check' && i >= checks) found.push(`check ${i} comes late`);
    for (const { node } of task.outputs) {
      done.add(node);
      const key = inPlace.get(node);
      if (key === undefined) continue;
      overwritten.add(key);
      if (i < checks) found.push(`task ${i} overwrites before the checks`);
    }
  }
  return found;
}

/** A graph with a variable of the numbers 1 to 9, what is made of it, and a session in which it is initialized. */
async function prepare<T>(build: (v: tf.Variable<any, any>) => T): Promise<{ v: Any; made: T; session: tf.Session }> {
  const graph = new tf.Graph();
  const { v, made, init } = graph.asDefault(() => {
    const numbers = Float32Array.from({ length: 9 }, (_, i) => i + 1);
    const variable: tf.Variable<any, any> = tf.variable(tf.constant(numbers, { shape: [3, 3] }) as Any);
    return { v: variable as Any, made: build(variable), init: tf.initializeAllVariables() };
  });
  const session = new tf.Session({ graph });
  await session.run(init);
  return { v, made, session };
}
const ones = () => tf.ones([3, 3]) as Any;
const list = (x: unknown): number[] => Array.from((x as tf.NDArray).data as Float32Array);
const numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9];

test('a variable is overwritten in place after the tasks that read its old value', async () => {
  const { v, made, session } = await prepare((variable) => ({
    added: tf.assignAdd(variable, ones() as any) as Any,
    // Made after the update, but no path leads from the update to them.
    turned: tf.matmul(variable, tf.transpose(variable) as any) as Any,
    sums: tf.reduceSum(tf.transpose(variable) as any, 1) as Any,
  }));
  const all = [made.added, made.turned, made.sums];
  for (const fetches of [all, [...all].reverse()]) {
    const scheduled = scheduleOf(fetches);
    expect(mistakes(scheduled)).toEqual([]);
    expect([...scheduled.inPlace.values()]).toHaveLength(1);
    expect(scheduled.commits).toEqual([]);
  }
  const [added, turned, sums] = (await session.run(all)) as any[];
  expect(list(added)).toEqual(numbers.map((n) => n + 1));
  expect(list(turned)).toEqual([14, 32, 50, 32, 77, 122, 50, 122, 194]);
  expect(list(sums)).toEqual([12, 15, 18]);
  expect(list(await session.run(v))).toEqual(numbers.map((n) => n + 1));
  await session.close();
});

test('it is not where a task needs the old value and the new one, directly or not', async () => {
  const { v, made, session } = await prepare((variable) => {
    const old = tf.transpose(variable) as Any;
    const added = tf.assignAdd(variable, ones() as any) as Any;
    const direct = tf.matmul(old, added as any) as Any;
    return { direct, through: tf.matmul(old, tf.matmul(added, ones() as any) as any) as Any };
  });
  for (const fetch of [made.direct, made.through]) {
    const scheduled = scheduleOf([fetch]);
    expect(mistakes(scheduled)).toEqual([]);
    expect(scheduled.inPlace.size).toBe(0);
    expect(scheduled.commits).toHaveLength(1);
  }
  // vᵀ·(v + 1)
  expect(list(await session.run(made.direct))).toEqual([78, 90, 102, 93, 108, 123, 108, 126, 144]);
  expect(list(await session.run(v))).toEqual(numbers.map((n) => n + 1));
  await session.close();
});

test('nor where a check looks at the new value: a run that fails leaves the old one', async () => {
  const { v, made, session } = await prepare((variable) => {
    const places = tf.cast(tf.assignAdd(variable, ones() as any), 'int32') as Any;
    return tf.gather(tf.constant([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), places as any) as Any;
  });
  const scheduled = scheduleOf([made]);
  expect(mistakes(scheduled)).toEqual([]);
  expect(scheduled.inPlace.size).toBe(0);
  expect(list(await session.run(made))).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1]);
  await expect(session.run(made)).rejects.toThrow(/index 11 is out of range/);
  expect(list(await session.run(v))).toEqual(numbers.map((n) => n + 1));
  await session.close();
});

test('two updates, each of which reads what the other overwrites: one is in place, and nothing waits for itself', async () => {
  const { v, made, session } = await prepare((variable) => {
    const other = tf.variable(tf.constant([9, 8, 7, 6, 5, 4, 3, 2, 1], { shape: [3, 3] }) as Any) as any;
    const [x, y] = [tf.transpose(variable) as Any, tf.transpose(other) as Any];
    return { other: other as Any, swap: [tf.assign(variable, y as any), tf.assign(other, x as any)] as Any[] };
  });
  const scheduled = scheduleOf(made.swap);
  expect(mistakes(scheduled)).toEqual([]);
  expect([scheduled.inPlace.size, scheduled.commits.length]).toEqual([1, 1]);
  await session.run(made.swap);
  expect(list(await session.run(v))).toEqual([9, 6, 3, 8, 5, 2, 7, 4, 1]);
  expect(list(await session.run(made.other))).toEqual([1, 4, 7, 2, 5, 8, 3, 6, 9]);
  await session.close();
});

const steps = smallRecipes.map((recipe): Wanted => {
  const { fetches, step, shapes } = buildProgram(recipe);
  return { fetches, targets: [step], feeds: shapes };
});
const updates = updateRecipes.map((recipe): Wanted => {
  const { values } = buildUpdates(recipe);
  return { fetches: recipe.runs.flat().map((n) => values[n % values.length]) };
});

test('random programs: run in that order and in place, tasks leave the values of the reference', () => {
  const seen = { inPlace: 0, commits: 0 };
  fc.assert(
    fc.property(fc.oneof(steps, updates, updates), (wanted) => {
      const lowered = lower(wanted);
      const fused = atOnce(fuse(lowered));
      const scheduled = atOnce(schedule(fused));
      expect(mistakes(scheduled)).toEqual([]);
      expect(new Set(scheduled.tasks)).toEqual(new Set(fused.tasks));
      seen.inPlace += scheduled.inPlace.size;
      seen.commits += scheduled.commits.length;
      const given = givenFor(lowered);
      const arrays = new Arrays(given, scheduled.inPlace);
      arrays.run(scheduled.tasks);
      const values = valuesOf(lowered, given);
      for (const [i, { node }] of fused.fetches.entries()) expectClose(arrays.of(node), values[i], 1e-5);
      // The copies come when nothing needs an old value any more.
      arrays.run(scheduled.commits);
      for (const [i, { variable }] of fused.updates.entries())
        expectClose(arrays.variable(variable.key), values[fused.fetches.length + i], 1e-5);
    }),
    { numRuns: 150 },
  );
  expect(Math.min(seen.inPlace, seen.commits)).toBeGreaterThan(10);
});
