// What the verifier of tasks refuses.
import { expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { verifyTask } from '../../src/primitives/verify-task.ts';
import { compile } from '../compiler/compile.ts';

type Any = tf.Tensor<any, any>;
const inGraph = <R>(build: () => R): R => new tf.Graph().asDefault(build);

test('a malformed task is refused with its text', () => {
  const { tasks } = inGraph(() => {
    const x = tf.placeholder('float32', [4]);
    return compile({ fetches: [tf.exp(x)] as Any[], feeds: [[x, [4]]] });
  });
  const [task] = tasks;
  expect(() => verifyTask({ ...task, shape: [5] })).toThrow(/malformed task: an input has the shape \[4\]\nmap \[5\]/);
  expect(() => verifyTask({ ...task, inputs: [] })).toThrow(/there is no input 0/);
  const outputs = task.outputs.map((o) => ({ ...o, offset: 1 }));
  expect(() => verifyTask({ ...task, outputs })).toThrow(/an output leaves its array/);
});
