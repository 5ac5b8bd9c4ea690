// Collections, and the variables in them: which are initialized, trained and saved.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as tf from '../src/index.ts';

let graph: tf.Graph;
let session: tf.Session;
beforeEach(() => {
  graph = new tf.Graph();
  session = new tf.Session({ graph, backend: 'reference' });
});
afterEach(() => session.close());
const inGraph = <R>(build: () => R): R => graph.asDefault(build);
const names = (items: readonly { readonly name: string }[]) => items.map(({ name }) => name);
const { GraphKeys } = tf;

/** `a`, trainable; `b`, global only; `c`, local; `d`, nowhere. */
const fourVariables = () =>
  inGraph(() => ({
    a: tf.variable(1, { name: 'a' }),
    b: tf.variable(2, { name: 'b', trainable: false }),
    c: tf.variable(3, { name: 'c', trainable: false, collections: [GraphKeys.LOCAL_VARIABLES] }),
    d: tf.variable(4, { name: 'd', trainable: false, collections: [] }),
  }));

describe('lists by name', () => {
  test('have what was added, in that order, some things twice, as copies', () => {
    inGraph(() => {
      tf.addToCollection('mine', 1);
      graph.addToCollection('mine', 'two');
      tf.addToCollection('mine', 1);
      tf.addToCollections(['mine', 'yours', 'yours'], null);
      expect(tf.getCollection('mine')).toEqual([1, 'two', 1, null]);
      expect(graph.getCollection('yours')).toEqual([null]);
      expect(tf.getCollection('no such')).toEqual([]);
      tf.getCollection('mine').push(5);
      expect(tf.getCollection('mine')).toHaveLength(4);
    });
    expect(tf.getCollection('mine')).toEqual([]);
  });

  test.each<[string | undefined, string[]]>([
    [undefined, ['layer1/w:0', 'layer10/w:0', 'other/w:0', 'other/layer1:0']],
    ['', ['layer1/w:0', 'layer10/w:0', 'other/w:0', 'other/layer1:0']],
    ['layer1', ['layer1/w:0', 'layer10/w:0']],
    ['layer1/', ['layer1/w:0']],
    ['layer1:0', []],
    // A regular expression, from the beginning: an alternative too.
    ['layer1/|other', ['layer1/w:0', 'other/w:0', 'other/layer1:0']],
    ['.*layer1/', ['layer1/w:0']],
    ['l.yer\\d+/w', ['layer1/w:0', 'layer10/w:0']],
    ['w', []],
  ])('of the scope %j have only what has a name that begins so', (scope, found) => {
    inGraph(() => {
      for (const name of ['layer1/w', 'layer10/w', 'other/w', 'other/layer1']) tf.variable(1, { name });
      tf.addToCollection('mixed', 'layer1/w');
      tf.addToCollection('mixed', tf.noOp('layer1/op'));
      expect(names(tf.globalVariables(scope))).toEqual(found);
      expect(names(graph.getCollection('variables', scope))).toEqual(found);
      expect(names(tf.trainableVariables(scope))).toEqual(found);
      expect(tf.localVariables(scope)).toEqual([]);
      expect(names(tf.getCollection<tf.Operation>('mixed', 'layer1/'))).toEqual(['layer1/op']);
    });
  });

  test.each(['layer[1', '(', '*', 'layer\\A'])('the scope %j is an error, as no regular expression', (scope) => {
    expect(() => inGraph(() => tf.globalVariables(scope))).toThrow(
      `globalVariables: the scope ${JSON.stringify(scope)} is no regular expression`,
    );
  });

  test('of GraphKeys hold what they are for, all or none of them', () => {
    const other = new tf.Graph().asDefault(() => tf.variable(1, { name: 'foreign' }));
    inGraph(() => {
      const t = tf.constant(1);
      expect(() => tf.addToCollection('variables', t as never)).toThrow(
        "addToCollection: the collection 'variables' holds variables, but an object of class Tensor came.",
      );
      expect(() => tf.addToCollections(['mine', 'losses'], 5 as never)).toThrow(
        "addToCollections: the collection 'losses' holds tensors, but the number 5 came.",
      );
      expect(tf.getCollection('mine')).toEqual([]);
      expect(() => graph.addToCollection('update_ops', 'x' as never)).toThrow('holds operations and tensors');
      expect(() => tf.addToCollection('mine', other)).toThrow(tf.GraphError);
      expect(() => tf.addToCollections('mine' as never, 1 as never)).toThrow('expected an array of names');
      expect(() => tf.variable(1, { collections: [''] })).toThrow(
        'variable: expected an array of names of collections, but one with the text "" came.',
      );
      expect(graph.operations).toEqual([t.operation]);
      tf.addToCollection(GraphKeys.UPDATE_OPS, tf.noOp());
      tf.addToCollection(GraphKeys.UPDATE_OPS, t);
    });
    graph.finalize();
    expect(() => graph.addToCollection('mine', 1)).toThrow(
      'addToCollection: the graph is finalized, so nothing can be added to its collections.',
    );
  });

  test('have the names that TensorFlow has', () => {
    expect(GraphKeys).toEqual({
      GLOBAL_VARIABLES: 'variables',
      LOCAL_VARIABLES: 'local_variables',
      METRIC_VARIABLES: 'metric_variables',
      TRAINABLE_VARIABLES: 'trainable_variables',
      MOVING_AVERAGE_VARIABLES: 'moving_average_variables',
      GLOBAL_STEP: 'global_step',
      SUMMARIES: 'summaries',
      UPDATE_OPS: 'update_ops',
      LOSSES: 'losses',
      REGULARIZATION_LOSSES: 'regularization_losses',
    });
  });
});

describe('variables', () => {
  test('are in the collections that they are made with, once, and trainable ones in theirs too', () => {
    const { a, b, c } = fourVariables();
    inGraph(() => {
      const e = tf.variable(5, { name: 'e', collections: ['mine', 'mine'] });
      expect(tf.getCollection('mine')).toEqual([e]);
      tf.addToCollection(GraphKeys.GLOBAL_VARIABLES, a);
      expect(tf.globalVariables()).toEqual([a, b]);
      expect(graph.variables).toEqual([a, b]);
      expect(tf.localVariables()).toEqual([c]);
      expect(tf.trainableVariables()).toEqual([a, e]);
      expect([a.trainable, b.trainable, e.trainable]).toEqual([true, false, true]);
      tf.addToCollection(GraphKeys.TRAINABLE_VARIABLES, b);
      expect(b.trainable).toBe(true);
    });
  });

  test('global and local ones are initialized apart, and what was not is told by its kind', async () => {
    const { a, b, c, d } = fourVariables();
    const { global, local, list } = inGraph(() => ({
      global: tf.globalVariablesInitializer(),
      local: tf.localVariablesInitializer('start'),
      list: tf.variablesInitializer([d, b]),
    }));
    expect(names([global, local, list])).toEqual(['init', 'start', 'init_1']);
    const messages = async (fetch: any) => (await session.run(fetch).catch((e) => e)).message as string;
    expect(await messages([a, c])).toMatch(/tf\.globalVariablesInitializer\(\).*\n.*tf\.localVariablesInitializer\(\)/);
    await session.run(global);
    expect(await session.run([a, b])).toEqual([1, 2]);
    expect(await messages(c)).toMatch(/c, made at .*\nRun `await sess\.run\(tf\.localVariablesInitializer\(\)\)`/);
    expect(await messages(c)).not.toContain('global');
    await session.run(local);
    expect(await session.run(c)).toBe(3);
    expect(await messages([d])).toContain('d is neither among the global nor among the local variables');
    await session.run(inGraph(() => tf.assign(b, 7)));
    await session.run(list);
    expect(await session.run([a, b, c, d])).toEqual([1, 2, 3, 4]);
  });

  test('an initial value made from another variable is of its initial value, or of its value if that is not initialized', async () => {
    const { a, b, double, all, one } = inGraph(() => {
      const a = tf.variable(tf.randomNormal([3]));
      const b = tf.variable(tf.constant([1, 2, 3]));
      const double = tf.variable(a.add(b).mul(2));
      return { a, b, double, all: tf.initializeAllVariables(), one: tf.variablesInitializer([b, double]) };
    });
    await session.run(all);
    const values = await session.run([a, b, double]);
    for (const [i, v] of values[0].data.entries()) expect(values[2].data[i]).toBeCloseTo((v + i + 1) * 2, 5);
    await session.run(inGraph(() => tf.group(tf.assign(a, [10, 20, 30]), tf.assign(b, [0, 0, 0]))));
    await session.run(one);
    expect((await session.run(double)).toArray()).toEqual([22, 44, 66]);
  });

  test('optimizers change those of the collection', async () => {
    const { a, b, c } = fourVariables();
    const { step, init } = inGraph(() => {
      const late = tf.variable(8, { trainable: false, collections: [GraphKeys.LOCAL_VARIABLES] });
      tf.addToCollection(GraphKeys.TRAINABLE_VARIABLES, late);
      const loss = a.mul(b).add(late.mul(c));
      const step = new tf.train.MomentumOptimizer(1, 0.5).minimize(loss);
      return { late, step, init: [tf.globalVariablesInitializer(), tf.localVariablesInitializer()] };
    });
    // The slots are global.
    expect(names(graph.variables).slice(0, 2)).toEqual(['a:0', 'b:0']);
    expect(graph.variables).toHaveLength(4);
    expect(names(inGraph(() => tf.trainableVariables()))).toEqual(['a:0', 'Variable:0']);
    for (const op of init) await session.run(op);
    await session.run(step);
    expect(await session.run([a, b, c])).toEqual([-1, 2, 3]);
    expect(await session.run(inGraph(() => tf.getCollection('trainable_variables'))[1])).toBe(5);
  });

  test('a Saver saves the global ones unless told otherwise', async () => {
    const { a, b, c } = fourVariables();
    const init = inGraph(() => tf.group(tf.globalVariablesInitializer(), tf.localVariablesInitializer()));
    const folder = mkdtempSync(join(tmpdir(), 'millrace-collections-'));
    try {
      await session.run(init);
      const path = await new tf.train.Saver().save(session, join(folder, 'model'));
      expect((await tf.train.listVariables(path)).map(({ name }) => name)).toEqual(['a', 'b']);
      const local = await new tf.train.Saver({ varList: [a, c] }).save(session, join(folder, 'other'));
      expect((await tf.train.listVariables(local)).map(({ name }) => name)).toEqual(['a', 'c']);
      await session.run(inGraph(() => tf.group(tf.assign(b, 20), tf.assign(c, 30))));
      await new tf.train.Saver().restore(session, path);
      expect(await session.run([b, c])).toEqual([2, 30]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('have the element type that is asked for, or an error says what does not fit', async () => {
    inGraph(() => {
      expect(tf.variable(0, { dtype: 'int32' }).dtype).toBe('int32');
      expect(tf.variable([1, 2.5], { dtype: 'float64' }).dtype).toBe('float64');
      expect(tf.variable(new Int32Array(2), { dtype: 'float32' }).dtype).toBe('float32');
      expect(tf.variable(tf.array([0, 1], [2], 'uint8'), { dtype: 'bool' }).dtype).toBe('bool');
      expect(tf.variable(tf.zeros([2], 'int32'), { dtype: 'int32' }).dtype).toBe('int32');
      expect(() => tf.variable(0.5, { dtype: 'int32' })).toThrow('variable: 0.5 does not fit dtype int32');
      expect(() => tf.variable(new Float32Array([1, 300]), { dtype: 'uint8' })).toThrow(
        'variable: 300 (element [1]) does not fit dtype uint8',
      );
      expect(() => tf.variable(1, { dtype: 'bool' })).toThrow(tf.DTypeError);
      expect(() => tf.variable(tf.zeros([2]), { dtype: 'int32' as never })).toThrow(
        /variable: the initial value zeros\w*:0 has dtype float32, but dtype int32 is asked for; convert it with tf\.cast\(x, 'int32'\)\./,
      );
      expect(() => tf.variable(0, { dtype: 'float' as never })).toThrow('there is no dtype the text "float"');
    });
    const v = inGraph(() => tf.variable(7, { dtype: 'int32' }));
    await session.run(v.initializer);
    expect(await session.run(v)).toBe(7);
  });
});
