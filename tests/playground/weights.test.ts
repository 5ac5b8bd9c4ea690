// Weights of files whose variables have other names: the playground finds them by the order of their shapes.
import { expect, test } from 'vitest';
import { namesIn, shapesIn } from '../../examples/playground/weights.ts';
import * as tf from '../../src/index.ts';

const shapes = (of: Record<string, number[]>) => new Map(Object.entries(of));
const own = shapes({
  Variable: [5, 10],
  Variable_1: [10],
  'Adam/beta1Power': [],
  'Adam/Variable/m': [5, 10],
  'Adam/Variable_1/m': [10],
});

test('a model that was built after another one in the same graph', () => {
  const file = shapes({
    'Adam/beta1Power': [],
    'Adam/Variable_10/m': [5, 10],
    'Adam/Variable_11/m': [10],
    Variable: [3, 3],
    Variable_10: [5, 10],
    Variable_11: [10],
    Variable_9: [10],
  });
  expect(Object.fromEntries(namesIn(new Map([...file].sort(byName)), own)!)).toEqual({
    Variable: 'Variable_10',
    Variable_1: 'Variable_11',
    'Adam/beta1Power': 'Adam/beta1Power',
    'Adam/Variable/m': 'Adam/Variable_10/m',
    'Adam/Variable_1/m': 'Adam/Variable_11/m',
  });
});
const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) =>
  a.localeCompare(b, 'en', { numeric: true });

test('slots that are not there stay as they are; other shapes are another model', () => {
  const file = shapes({ Variable: [5, 10], Variable_1: [10] });
  expect([...namesIn(file, own)!.keys()]).toEqual(['Variable', 'Variable_1']);
  expect(namesIn(shapes({ Variable: [10], Variable_1: [5, 10] }), own)).toBeUndefined();
});

test('the shapes of a file that was saved here, in the order of their names', async () => {
  const graph = new tf.Graph();
  const init = graph.asDefault(() => {
    for (let i = 0; i < 12; i++) tf.variable(tf.zeros([i + 1]));
    return tf.initializeAllVariables();
  });
  const sess = new tf.Session({ graph });
  await sess.run(init);
  const found = shapesIn(await new tf.train.Saver().toBytes(sess));
  await sess.close();
  expect([...found.values()]).toEqual(Array.from({ length: 12 }, (_, i) => [i + 1]));
  expect([...found.keys()].at(-1)).toBe('Variable_11');
});

test.each([
  ['nothing', []],
  ['what is too short', [1, 2, 3]],
  ['a length beyond the end', [255, 255, 0, 0, 0, 0, 0, 0, 123]],
  ['no JSON', [2, 0, 0, 0, 0, 0, 0, 0, 65, 66]],
])('%s is refused', (_, bytes) => {
  expect(() => shapesIn(Uint8Array.from(bytes))).toThrow(/^This is no safetensors file/);
});
