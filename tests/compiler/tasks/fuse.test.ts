// Which primitives become one task, and that tasks compute what the primitives do.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { atOnce } from '../../../src/base/turns.ts';
import { schedule } from '../../../src/compiler/program/schedule.ts';
import { fuse } from '../../../src/compiler/tasks/fuse.ts';
import { mostCost } from '../../../src/compiler/tasks/inline.ts';
import * as tf from '../../../src/index.ts';
import { taskCost } from '../../../src/kernels/body/cost.ts';
import { apply, defineOp } from '../../../src/ops/define.ts';
import * as p from '../../../src/primitives/primitives.ts';
import * as s from '../../../src/primitives/scalar.ts';
import { verifyTask } from '../../../src/primitives/verify-task.ts';
import { tutorialModel } from '../../tutorial-model.ts';
import { compile, lower } from '../compile.ts';
import { buildProgram, smallRecipes } from '../random-programs.ts';
import { Arrays, expectResults, givenFor } from '../run-tasks.ts';

type Any = tf.Tensor<any, any>;
const inGraph = <R>(build: () => R): R => new tf.Graph().asDefault(build);

test('a chain of elementwise operations is one task, bias and activation join what produces them', () => {
  const { tasks } = inGraph(() => {
    const x = tf.placeholder('float32', [null, 8]) as Any;
    const h = tf.nn.relu(
      tf.add(
        tf.matmul(x, tf.constant(new Float32Array(128), { shape: [8, 16] }) as Any),
        tf.constant(new Float32Array(16)) as Any,
      ) as Any,
    ) as Any;
    return compile({ fetches: [tf.square(tf.exp(tf.neg(h)))], feeds: [[x, [5, 8]]] });
  });
  expect(tasks.map((t) => t.root?.kind ?? 'map')).toEqual(['contract']);
  expect(tasks[0].outputs).toHaveLength(1);
});

test('a chain of costly operations is cut, also where each of them is read again: no body grows without end', () => {
  const { tasks } = inGraph(() => {
    const x = tf.placeholder('float32', [8]) as Any;
    let y = x;
    for (let i = 0; i < 60; i++) y = tf.tanh(y) as Any;
    return compile({ fetches: [y, ...tf.gradients(y, [x])] as Any[], feeds: [[x, [8]]] });
  });
  const costs = tasks.map(({ outputs }) => taskCost(outputs.map((o) => o.body)));
  expect(Math.max(...costs)).toBeLessThan(2 * mostCost);
  expect(Math.max(...costs)).toBeGreaterThan(mostCost / 2);
});

test('what depends on the place of an element joins what has the same axes, and nothing else', () => {
  // x[i, j] + 10·i + j: what a reshape would number otherwise
  const numbered = defineOp({
    name: 'Numbered',
    infer: ([x]) => x,
    lower: ([x]) =>
      p.map([x], (v) => s.add(v, s.cast(s.add(s.mul(s.index(0), 10), s.index(x.shape.length - 1)), 'float32'))),
  });
  const kinds = (shape: readonly number[]) =>
    inGraph(() => {
      const x = tf.placeholder('float32', [5, 8]) as Any;
      const product = tf.matmul(x, tf.ones([8, 16]) as Any) as Any;
      const { tasks } = compile({ fetches: [apply(numbered, [tf.reshape(product, shape)], {})], feeds: [[x, [5, 8]]] });
      return tasks.map((t) => t.root?.kind ?? 'map');
    });
  expect(kinds([5, 16])).toEqual(['contract']);
  for (const shape of [[80], [16, 5], [5, 16, 1], [5, 4, 4]]) expect(kinds(shape)).toEqual(['contract', 'map']);
});

test("Adam's update of a parameter is one task with three results, in the task of the gradient where it can be", () => {
  const { tasks } = inGraph(() => {
    const { x, y_, keepProb, step } = tutorialModel(tf);
    return compile({
      targets: [step],
      feeds: [
        [x, [2, 784]],
        [y_, [2, 10]],
        [keepProb, []],
      ],
    });
  });
  expect(tasks.filter((t) => t.root?.kind === 'contract' && t.outputs.length === 3)).toHaveLength(4);
});

test("Adam's update by a gradient that is there already is one task, which reads it once", () => {
  const { tasks } = inGraph(() => {
    const [variable, gradient] = [tf.variable(tf.ones([100])), tf.variable(tf.ones([100]))];
    return compile({ targets: [new tf.train.AdamOptimizer().applyGradients([[gradient, variable]])] });
  });
  const large = tasks.filter((t) => t.shape.length > 0);
  expect(large.map((t) => t.outputs.length)).toEqual([3]);
  expect(large[0].inputs.filter((v) => v.strides[0] > 0)).toHaveLength(4);
});

test('a result joins one that reads the same array, but not before something that waits for it', () => {
  const { tasks } = inGraph(() => {
    const [a, b] = [tf.variable(tf.ones([100, 100])), tf.variable(tf.ones([100, 100]))];
    const twice = tf.mul(a, 2);
    const steps = [tf.assign(b, twice), tf.matmul(twice, a), tf.assign(a, tf.mul(a, 0.5))];
    return compile({ fetches: [steps[1]], targets: [steps[0].operation, steps[2].operation] });
  });
  expect(tasks.map((t) => [t.root?.kind ?? 'map', t.outputs.length])).toEqual([
    ['map', 1],
    ['contract', 1],
    ['map', 1],
  ]);
});

test('what no one needs is not computed: no gradient for the images', () => {
  const { tasks } = inGraph(() => {
    const { x, y_, keepProb, step } = tutorialModel(tf);
    return compile({
      targets: [step],
      feeds: [
        [x, [2, 784]],
        [y_, [2, 10]],
        [keepProb, []],
      ],
    });
  });
  // conv1, conv2, fc1, fc2 forward; their weights' gradients; the inputs' gradients of conv2, fc1 and fc2.
  expect(tasks.filter((t) => t.root?.kind === 'contract')).toHaveLength(4 + 4 + 3);
});

test('the tasks of random programs compute what the primitives do, each fetch and update in an array of its own', () => {
  const seen = { primitives: 0, tasks: 0 };
  fc.assert(
    fc.property(smallRecipes, (recipe) => {
      const { fetches, step, shapes } = buildProgram(recipe);
      const lowered = lower({ fetches, targets: [step], feeds: shapes });
      const fused = atOnce(fuse(lowered));
      fused.tasks.forEach(verifyTask);
      seen.primitives += lowered.nodes.length;
      seen.tasks += fused.tasks.length;
      const given = givenFor(lowered);
      const arrays = new Arrays(given);
      // Tasks come in any order; schedule puts them in one in which they can run.
      arrays.run(atOnce(schedule(fused)).tasks);
      expectResults(arrays, fused, lowered, given);
      const updated = fused.updates.map((u) => u.value.node);
      expect(new Set(updated).size).toBe(updated.length);
    }),
    { numRuns: 60 },
  );
  expect(seen.tasks).toBeLessThan(seen.primitives / 2);
});
