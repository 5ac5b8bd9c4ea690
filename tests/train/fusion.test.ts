// One pass over a parameter and its slots, whatever the optimizer; with clipping by global norm one more over the gradients.
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import type { View } from '../../src/primitives/primitives.ts';
import { compile } from '../compiler/compile.ts';
import { type Make, optimizers } from './all-optimizers.ts';

type Any = any;
const shapes = [[100], [30, 40]];
const isLarge = (v: View) => v.strides.some((stride) => stride > 0);

/** Scaled so that all together are at most 5 long. */
function clipped(gradients: readonly Any[]): readonly Any[] {
  const norm: Any = tf.sqrt(tf.addN(gradients.map((g) => tf.reduceSum(tf.square(g)) as Any)) as Any);
  const scale = tf.div(tf.constant(5), tf.maximum(norm, 5) as Any) as Any;
  return gradients.map((g) => tf.mul(g, scale));
}

/** The tasks over arrays of a step by gradients that are there. */
function tasksOf(make: Make, how: { readonly areTensors?: boolean; readonly clip?: boolean }) {
  return new tf.Graph().asDefault(() => {
    const [variables, there] = [0, 1].map(() => shapes.map((shape) => tf.variable(tf.ones(shape)) as Any));
    const rates = how.areTensors ? [0, 1].map(() => tf.placeholder('float32', []) as Any) : [0.125, 0.5];
    const optimizer = make(rates[0], rates[1]);
    const gradients = how.clip ? clipped(there) : there;
    const globalStep = tf.variable(0, { trainable: false });
    const pairs = gradients.map((g, i) => [g, variables[i]] as const);
    const { tasks } = compile({
      targets: [optimizer.applyGradients(pairs, { globalStep })],
      feeds: how.areTensors ? rates.map((rate) => [rate, []] as const) : [],
    });
    const large = tasks.filter((t) => t.shape.length > 0 || t.root !== undefined);
    return {
      kinds: large.map((t) => t.root?.kind ?? 'map'),
      reads: large.map((t) => t.inputs.filter(isLarge).length),
      writes: large.map((t) => t.outputs.length),
      slots: optimizer.getSlotNames().length,
    };
  });
}

describe.each(optimizers)('%s', (name, make) => {
  // AdagradDA computes the variable anew, from its sums alone.
  const besidesSlots = name === 'AdagradDA' ? 1 : 2;

  test.each([false, true])(
    'gradient, variable and slots are read once and written once (rates are tensors: %s)',
    (areTensors) => {
      const { kinds, reads, writes, slots } = tasksOf(make, { areTensors });
      expect(kinds).toEqual(['map', 'map']);
      expect(reads).toEqual([slots + besidesSlots, slots + besidesSlots]);
      expect(writes).toEqual([slots + 1, slots + 1]);
    },
  );

  test('with clipping by global norm the gradients are passed over twice', () => {
    const { kinds, writes, slots } = tasksOf(make, { clip: true });
    expect(kinds).toEqual(['reduce', 'reduce', 'map', 'map']);
    expect(writes).toEqual([1, 1, slots + 1, slots + 1]);
  });
});
