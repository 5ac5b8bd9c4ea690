// The variables that optimizers keep: TensorFlow's names for them, and how long they stay.
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';

describe('names', () => {
  const namesOf = (make: () => tf.train.Optimizer, scope?: string) =>
    new tf.Graph().asDefault(() => {
      const W = tf.variable(tf.ones([2]), { name: 'W' });
      const before = new Set(tf.globalVariables());
      const minimize = () => make().minimize(tf.square(W));
      const step = scope === undefined ? minimize() : tf.nameScope(scope, minimize);
      const made = tf.globalVariables().filter((v) => !before.has(v));
      return [step.name, ...made.map((v) => v.operation.name)];
    });
  const t = tf.train;
  test.each<[() => tf.train.Optimizer, string[]]>([
    [() => new t.GradientDescentOptimizer(1), ['GradientDescent']],
    [() => new t.MomentumOptimizer(1, 0), ['Momentum', 'W/Momentum']],
    [() => new t.AdagradOptimizer(1), ['Adagrad', 'W/Adagrad']],
    [() => new t.AdadeltaOptimizer(1), ['Adadelta', 'W/Adadelta', 'W/Adadelta_1']],
    [() => new t.RMSPropOptimizer(1), ['RMSProp', 'W/RMSProp', 'W/RMSProp_1']],
    [() => new t.RMSPropOptimizer(1, { centered: true }), ['RMSProp', 'W/RMSProp', 'W/RMSProp_1', 'W/RMSProp_2']],
    [() => new t.AdamOptimizer(), ['Adam', 'beta1_power', 'beta2_power', 'W/Adam', 'W/Adam_1']],
    [() => new t.AdamOptimizer({ name: 'Mine' }), ['Mine', 'beta1_power', 'beta2_power', 'W/Mine', 'W/Mine_1']],
    [() => new t.AdamWOptimizer(), ['AdamW', 'beta1_power', 'beta2_power', 'W/AdamW', 'W/AdamW_1']],
    [() => new t.LionOptimizer(), ['Lion', 'W/Lion']],
    [() => new t.FtrlOptimizer(1), ['Ftrl', 'W/Ftrl', 'W/Ftrl_1']],
    [() => new t.ProximalGradientDescentOptimizer(1), ['ProximalGradientDescent']],
    [() => new t.ProximalAdagradOptimizer(1), ['ProximalAdagrad', 'W/ProximalAdagrad']],
  ])('slots are called as in TensorFlow: %#', (make, names) => {
    expect(namesOf(make)).toEqual(names);
  });
  test('the slots of AdagradDA; a scope around is that of scalars and the step, and not of slots', () => {
    const da = () => new t.AdagradDAOptimizer(1, tf.variable(0, { trainable: false, name: 'count' }));
    expect(namesOf(da)).toEqual(['AdagradDA', 'count', 'W/AdagradDA', 'W/AdagradDA_1']);
    expect(namesOf(() => new t.AdamOptimizer(), 'train')).toEqual([
      'train/Adam',
      'train/beta1_power',
      'train/beta2_power',
      'W/Adam',
      'W/Adam_1',
    ]);
  });
  test('a second optimizer has slots of its own, and one that is applied twice keeps its', () => {
    new tf.Graph().asDefault(() => {
      const W = tf.variable(tf.ones([2]), { name: 'W' });
      const b = tf.variable(tf.ones([2]), { name: 'b', trainable: false });
      const adam = new t.AdamOptimizer();
      expect(adam.getSlot(W, 'm')).toBe(null);
      expect([adam.getName(), adam.getSlotNames(), adam.variables()]).toEqual(['Adam', [], []]);
      const steps = [
        adam.minimize(tf.square(W)),
        adam.minimize(tf.square(W).mul(b), { varList: [W, b], name: 'both' }),
      ];
      const other = new t.AdamOptimizer();
      steps.push(other.minimize(tf.square(W)));
      expect(steps.map((s) => s.name)).toEqual(['Adam', 'both', 'Adam_1']);
      const names = (o: tf.train.Optimizer) => o.variables().map((v) => v.operation.name);
      expect(names(adam)).toEqual(['W/Adam', 'W/Adam_1', 'b/Adam', 'b/Adam_1', 'beta1_power', 'beta2_power']);
      expect(names(other)).toEqual(['W/Adam_2', 'W/Adam_3', 'beta1_power_1', 'beta2_power_1']);
      expect(adam.getSlotNames()).toEqual(['m', 'v']);
      expect(adam.getSlot(b, 'v')?.operation.name).toBe('b/Adam_1');
      expect(adam.getSlot(b, 'nothing')).toBe(null);
      expect(new tf.Graph().asDefault(() => adam.variables())).toEqual([]);
    });
  });
});
