// The variable that counts steps: found by its collection, counted by a step, noted by a Saver.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as tf from '../../src/index.ts';

const { createGlobalStep, getGlobalStep, getOrCreateGlobalStep } = tf.train;

test('it is an int32 scalar of that name, whatever is around, in its collections, and one', () => {
  const graph = new tf.Graph();
  graph.asDefault(() => {
    expect(getGlobalStep()).toBe(null);
    const step = tf.nameScope('model', () => tf.controlDependencies([tf.noOp()], () => getOrCreateGlobalStep()));
    expect([step.operation.name, step.dtype, step.shape, step.trainable]).toEqual(['global_step', 'int32', [], false]);
    expect(step.initializer.controlInputs).toEqual([]);
    expect(getOrCreateGlobalStep()).toBe(step);
    expect(getGlobalStep()).toBe(step);
    expect([graph.variables, tf.getCollection('global_step')]).toEqual([[step], [step]]);
    expect(() => createGlobalStep()).toThrow(
      /createGlobalStep: the graph has global_step, made at .*global-step\.test\.ts.*; tf\.train\.getOrCreateGlobalStep\(\) takes it\./,
    );
    tf.addToCollection(tf.GraphKeys.GLOBAL_STEP, tf.variable(0, { dtype: 'int32', name: 'other' }));
    expect(() => getGlobalStep()).toThrow(
      /the collection 'global_step' has more than one variable:\n {2}global_step, .*\n {2}other, /,
    );
  });
  expect(getGlobalStep(new tf.Graph())).toBe(null);
  expect(createGlobalStep(new tf.Graph()).operation.name).toBe('global_step');
});

test('a Saver notes it, though only an option puts it into the name of the file', async () => {
  const graph = new tf.Graph();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-step-'));
  await using session = new tf.Session({ graph, backend: 'reference' });
  try {
    const { step, w, next, init } = graph.asDefault(() => {
      const step = getOrCreateGlobalStep();
      const w = tf.variable(1, { name: 'w' });
      return { step, w, next: tf.assignAdd(step, 1), init: tf.globalVariablesInitializer() };
    });
    await session.run(init);
    await session.run(next);
    await session.run(next);
    const saver = new tf.train.Saver();
    const path = await saver.save(session, join(folder, 'model'));
    await session.run(next);
    expect(await saver.save(session, join(folder, 'model'), { globalStep: step })).toMatch(/model-3\.safetensors$/);
    expect(await saver.restore(session, path)).toMatchObject({ step: 2, restored: ['global_step', 'w'] });
    expect(await session.run(step)).toBe(2);
    // What is not saved is not noted, and need not be initialized.
    const weights = new tf.train.Saver({ varList: [w] });
    await using other = new tf.Session({ graph, backend: 'reference' });
    await w.load(5, other);
    const only = await weights.save(other, join(folder, 'weights'));
    expect((await weights.restore(other, only)).step).toBe(undefined);
    expect(readdirSync(folder).filter((f) => f.endsWith('.safetensors'))).toHaveLength(3);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
