// What the verifier of runs in primitives refuses, each with what it says; and that it accepts what lowering makes.
import { describe, expect, test } from 'vitest';
import { InternalError } from '../../src/base/errors.ts';
import * as tf from '../../src/index.ts';
import type { Check, Primitive, View } from '../../src/primitives/primitives.ts';
import * as p from '../../src/primitives/primitives.ts';
import type { Scalar } from '../../src/primitives/scalar.ts';
import * as s from '../../src/primitives/scalar.ts';
import { verifyLowered } from '../../src/primitives/verify-lowered.ts';
import { lower } from '../compiler/compile.ts';
import { lowered, values, type Wanted } from './lowered.ts';

const verify = (wanted: Wanted) => verifyLowered(lowered(wanted));
const x = values('float32', [0, 1, 2, 3, 4, 5], [2, 3]);
const row = values('float32', [1, 2, 3]);
const whole = values('int32', [0, 1]);

/** The primitive with some fields changed, as a pass with a mistake in it might make it. */
const changed = (v: View, fields: object): View => p.whole({ ...v.node, ...fields } as Primitive);

describe('accepts', () => {
  test.each<[string, View]>([
    ['windows that overlap', p.map([p.strided(x, [2, 3], [1, 1], 2)], s.neg)],
    ['reversed views', p.map([p.reverse(x, [0, 1])], s.neg)],
    ['empty views, wherever they begin', p.map([p.slice(x, [2, 0], [0, 3])], s.neg)],
    ['broadcasts', p.map([x, row], s.add)],
    ['constants of one element', p.map([p.constant(Float32Array.of(1), 'float32', [5, 5])], s.neg)],
    ['reductions of inner axes', p.reduce('sum', x, [0])],
    ['gathers', p.gather(x, whole, 1)],
    ['scatters', p.scatter(p.slice(x, [0, 0], [2, 2]), whole, 1, 4)],
    ['pads with steps', p.pad(x, [1, 0], [0, 2], 9, [2, 3])],
    ['concats', p.concat([x, p.slice(x, [0, 0], [2, 1])], 1)],
  ])('%s', (_, v) => verify({ fetches: [v] }));

  const models: Record<string, () => tf.Operation> = {
    'a perceptron trained by Adam': () => {
      const images = tf.placeholder('float32', [4, 6]);
      const W = tf.variable(tf.truncatedNormal([6, 3]));
      const b = tf.variable(tf.zeros([3]));
      const loss = tf.reduceSum(tf.log(tf.nn.softmax(tf.add(tf.matmul(images, W), b))));
      return new tf.train.AdamOptimizer(0.1).minimize(loss);
    },
    'a convolutional net with dropout and sparse labels': () => {
      const images = tf.placeholder('float32', [2, 7, 7, 1]);
      const labels = tf.placeholder('int32', [2]);
      const filter = tf.variable(tf.truncatedNormal([3, 3, 1, 4]));
      const h = tf.nn.relu(tf.nn.conv2d(images, filter, { strides: [1, 2, 2, 1], padding: 'SAME' }));
      const pooled = tf.nn.maxPool(h, { ksize: [1, 3, 3, 1], strides: [1, 2, 2, 1], padding: 'SAME' });
      const logits = tf.matmul(tf.nn.dropout(tf.reshape(pooled, [2, 16]), 0.5), tf.variable(tf.zeros([16, 3])));
      const loss = tf.reduceSum(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits }));
      return new tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss);
    },
  };
  test.each(Object.keys(models))('%s, with and without sharing', (name) => {
    const graph = new tf.Graph();
    const [train, init] = graph.asDefault(() => [models[name](), tf.initializeAllVariables()] as const);
    const placeholders = graph.operations.filter((o) => o.type === 'Placeholder').map((o) => o.outputs[0]);
    for (const target of [train, init]) {
      const feeds = placeholders.map((tensor) => [tensor, tensor.shape as number[]] as const);
      for (const shareNodes of [true, false]) {
        const run = lower({ targets: [target], feeds }, shareNodes);
        expect(run.updates.length).toBeGreaterThan(0);
        verifyLowered(run);
      }
    }
  });
});

describe('views', () => {
  test.each<[string, View, RegExp]>([
    ['beyond the end', p.strided(x, [2, 3], [3, 1], 1), /reaches elements 1 to 6 of 6/],
    ['before the beginning', p.strided(x, [3], [-1], 1), /reaches elements -1 to 1 of 6/],
    ['with a stride too few', p.strided(x, [2, 3], [3]), /has 2 sizes and 1 strides/],
    ['of broken sizes', p.strided(x, [1.5], [1]), /has a size that is not a whole number/],
    ['of negative sizes', p.strided(x, [-1], [1]), /has a size that is not a whole number/],
    ['with broken strides', p.strided(x, [2], [0.5]), /has a stride that is not whole/],
  ])('%s are refused in operands, fetches and updates', (_, v, message) => {
    const variable = { key: 1, name: 'v', dtype: 'float32', shape: v.shape } as const;
    const operand = changed(p.map([row], s.neg), { inputs: [v], shape: v.shape });
    expect(() => verify({ fetches: [operand] })).toThrow(message);
    expect(() => verify({ fetches: [v] })).toThrow(message);
    expect(() => verify({ updates: [{ variable, value: v }] })).toThrow(message);
  });
});

describe('primitives', () => {
  const ints = values('int32', [1, 2, 3, 4, 5, 6], [2, 3]);
  const sum = p.map([x, row], s.add);
  const flat = p.reduce('sum', x, [1]);
  const product = p.contract(x, x, 1);
  const padded = p.pad(x, [1, 0], [0, 0]);
  const joined = p.concat([x, x], 0);
  const taken = p.gather(x, whole, 0);
  const put = p.scatter(x, whole, 0, 4);
  const state = { key: 1, name: 'v', dtype: 'float32', shape: [2] } as const;
  test.each<[string, View, RegExp]>([
    ['a constant of another length', p.constant(new Float32Array(5), 'float32', [2, 3]), /it has 5 of 6 elements/],
    ['a negative size', p.constant(new Float32Array(1), 'float32', [-1]), /its shape \[-1\] has a size/],
    ['a read of another shape', changed(p.read(state), { shape: [3] }), /the variable has the shape \[2\], not \[3\]/],
    ['a read of another type', changed(p.read(state), { dtype: 'int32' }), /the variable is float32, not int32/],
    ['a counter that is no scalar', changed(p.counter('c'), { shape: [2] }), /a counter has the shape \[2\]/],
    ['a counter of floats', changed(p.counter('c'), { dtype: 'float32' }), /a counter is float32, not int32/],
    ['a map of inputs of two shapes', changed(sum, { inputs: [x, row] }), /input 1 has the shape \[3\], not \[2,3\]/],
    ['a map of another type', changed(sum, { dtype: 'float64' }), /the body is float32, not float64/],
    ['a sum into another type', changed(flat, { dtype: 'float64' }), /its operand is float32, not float64/],
    ['a sum into another shape', changed(flat, { shape: [3] }), /operand has the shape \[2\], not \[3\]/],
    ['any of floats', changed(flat, { op: 'any' }), /any does not work on float32/],
    ['a sum of bool', p.reduce('sum', values('bool', [1, 0]), [0]), /sum does not work on bool/],
    [
      'an argmax of floats',
      changed(p.argReduce('max', x, [1]), { dtype: 'float32' }),
      /its result is float32, not int32/,
    ],
    ['factors of two shapes', changed(product, { b: row }), /second operand has the shape \[3\], not \[2,3\]/],
    ['factors of two types', changed(product, { b: ints }), /second operand is int32, not float32/],
    ['a first factor of another type', changed(product, { dtype: 'float64' }), /first operand is float32, not float64/],
    ['a product of another shape', changed(product, { shape: [3] }), /operand has the shape \[2\], not \[3\]/],
    ['a pad that crops', changed(padded, { low: [-1, 0] }), /low -1,0 is not made of whole numbers from 0/],
    ['a pad without room', changed(padded, { shape: [2, 3] }), /axis 0 has the size 2, and its operand needs 3/],
    ['a pad by step 0', changed(padded, { step: [0, 1] }), /step 0,1 is not made of whole numbers from 1/],
    ['a pad of another rank', changed(padded, { low: [0] }), /need 2 entries each/],
    ['a fraction around integers', p.pad(ints, [1, 0], [0, 0], 0.5), /the value 0.5 is not int32/],
    ['parts that do not add up', changed(joined, { inputs: [x] }), /its inputs have 2 of 4 along axis 0/],
    ['parts that differ elsewhere', changed(joined, { shape: [4, 2] }), /input 0 has the shape \[2,3\], not \[2,2\]/],
    ['parts of two types', changed(joined, { inputs: [x, ints] }), /input 1 is int32, not float32/],
    ['a concat along no axis', changed(joined, { axis: 2 }), /there is no axis 2/],
    ['a gather of another shape', changed(taken, { shape: [3, 3] }), /its result has the shape \[3,3\], not \[2,3\]/],
    ['a gather by floats', changed(taken, { indices: row }), /the operand of indices is float32, not int32/],
    ['a gather along no axis', changed(taken, { axis: -1 }), /there is no axis -1/],
    ['a scatter of another shape', changed(put, { x: joined }), /its operand has the shape \[4,3\], not \[2,3\]/],
  ])('%s: refused', (_, v, message) => {
    expect(() => verify({ fetches: [v] })).toThrow(InternalError);
    expect(() => verify({ fetches: [v] })).toThrow(message);
  });
});

describe('scalar expressions', () => {
  const float = s.input(0, 'float32');
  const int = s.constant(1, 'int32');
  const yes = s.constant(1, 'bool');
  const word = s.philox(int, 0, int, [1, 2]);
  test.each<[string, Scalar, string]>([
    ['an input that is not there', s.input(3, 'float32'), 'in in3 there are 1 inputs, and no number 3'],
    ['an input of another type', s.input(0, 'int32'), 'in in0 the result is int32, not float32'],
    ['an axis that is not there', s.cast(s.index(2), 'float32'), 'in i2 there are 2 axes, and no axis 2'],
    ['two types in one sum', s.add(float, int), 'in add(in0, 1) the operands are float32 and int32'],
    ['a root of an integer', s.sqrt(int), 'in sqrt(1) the operands are int32, for which it is not defined'],
    ['a sum of booleans', s.add(yes, yes), 'for which it is not defined'],
    ['bits of a float', s.xor(float, 1), 'for which it is not defined'],
    ['a shift of a boolean', s.shiftRight(yes, 1), 'for which it is not defined'],
    ['an order of booleans', s.less(yes, yes), 'for which it is not defined'],
    ['a comparison that is no bool', { ...s.equal(float, 1), dtype: 'float32' }, 'the result is float32, not bool'],
    ['a result of another type', { ...s.neg(float), dtype: 'int32' }, 'the result is int32, not float32'],
    ['a missing operand', { ...s.add(float, 1), args: [float] }, 'there are 1 operands, not 2'],
    ['a number as the condition', s.select(int, float, 0), 'the condition is int32, not bool'],
    ['branches of two types', s.select(yes, float, int), 'the operands are float32 and int32'],
    ['a constant out of range', s.constant(256, 'uint8'), '256 is not a number of uint8'],
    ['a fraction as integer', s.constant(0.5, 'int32'), '0.5 is not a number of int32'],
    ['a boolean beyond 1', s.constant(2, 'bool'), '2 is not a number of bool'],
    ['bits drawn for a float', { ...word, args: [float, int, int] }, 'the operands are float32 and int32'],
    ['bits without a key', { op: 'philox', dtype: 'int32', args: [int, int, int], value: 0 }, 'there is no key'],
  ])('%s: refused, with the part that is wrong', (_, body, message) => {
    expect(() => verify({ fetches: [p.map([x], () => body)] })).toThrow(message);
  });
});

describe('the run', () => {
  const y = p.map([x], s.neg);
  const run = lowered({ fetches: [y] });
  test('a refusal quotes the primitive', () => {
    const bad = p.map([p.strided(x, [2, 3], [3, 1], 1)], s.neg);
    expect(() => verify({ fetches: [bad] })).toThrow(/^Primitive "%id\d+ = map float32\[2,3\] neg\(in0\) \(.*\)": %id/);
  });
  test('primitives come before their use, once', () => {
    expect(() => verifyLowered({ ...run, nodes: [...run.nodes].reverse() })).toThrow(/is used before it is computed/);
    expect(() => verifyLowered({ ...run, nodes: [...run.nodes, y.node] })).toThrow(/it is listed twice/);
    expect(() => verifyLowered({ ...run, nodes: [x.node] })).toThrow(/^Fetch .* is used before it is computed/);
  });
  test('feeds are listed by their number', () => {
    const fed = lowered({ fetches: [p.feed(0, 'float32', [1])] });
    verifyLowered(fed);
    expect(() => verifyLowered({ ...fed, feeds: [] })).toThrow(/Feed 0: it is not in the list of feeds/);
    const other = p.feed(2, 'int32', []).node as p.Feed;
    expect(() => verifyLowered({ ...fed, feeds: [...fed.feeds, other] })).toThrow(/Feed 2: it stands at position 1/);
  });
  test('variables are updated once, with their own type', () => {
    const variable = { key: 7, name: 'v', dtype: 'float32', shape: [2, 3] } as const;
    const update = { variable, value: y };
    verify({ updates: [update] });
    expect(() => verify({ updates: [update, update] })).toThrow(/The update of v to .*: the variable is updated twice/);
    const scalar = { ...variable, shape: [] };
    expect(() => verify({ updates: [{ variable: scalar, value: y }] })).toThrow(/has the shape \[2,3\], not \[\]/);
    const double = { ...variable, dtype: 'float64' } as const;
    expect(() => verify({ updates: [{ variable: double, value: y }] })).toThrow(/is float32, not float64/);
  });
  test('checks are bool, listed, and read by nobody', () => {
    const check = p.check([x], (v) => s.less(v, 9), 'less than 9');
    const checked = lowered({ checks: [check] });
    verifyLowered(checked);
    expect(() => verifyLowered({ ...checked, checks: [] })).toThrow(/is not in the list of checks/);
    expect(() => verifyLowered({ ...run, checks: [check] })).toThrow(/is not among the primitives/);
    expect(() => verify({ fetches: [p.whole(check)], checks: [check] })).toThrow(/reads a check, which has no result/);
    const loose: Check = { ...check, body: s.input(0, 'float32') };
    expect(() => verify({ checks: [loose] })).toThrow(/the body is float32, not bool/);
  });
});
