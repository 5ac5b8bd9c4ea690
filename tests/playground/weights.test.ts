// Weights of files whose variables have other names: the playground finds them by the order of their shapes.

import * as tf from 'millrace';
import { expect, test } from 'vitest';
import { builders, optimizers } from '../../examples/playground/models/builders.ts';
import { type ModelName, modelNames, type OptimizerName } from '../../examples/playground/models/catalog.ts';
import { namesIn, shapesIn } from '../../examples/playground/weights.ts';

const shapes = (of: Record<string, number[]>) => new Map(Object.entries(of));
const own = shapes({
  Variable: [5, 10],
  Variable_1: [10],
  beta1_power: [],
  'Variable/Adam': [5, 10],
  'Variable_1/Adam': [10],
});

test('a model that was built after another one in the same graph', () => {
  const file = shapes({
    beta1_power: [],
    'Variable_10/Adam': [5, 10],
    'Variable_11/Adam': [10],
    Variable: [3, 3],
    Variable_10: [5, 10],
    Variable_11: [10],
    Variable_9: [10],
  });
  expect(Object.fromEntries(namesIn(new Map([...file].sort(byName)), own)!)).toEqual({
    Variable: 'Variable_10',
    Variable_1: 'Variable_11',
    beta1_power: 'beta1_power',
    'Variable/Adam': 'Variable_10/Adam',
    'Variable_1/Adam': 'Variable_11/Adam',
  });
});
const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) =>
  a.localeCompare(b, 'en', { numeric: true });

/** The shapes of a file of these models, built one after another in a graph. */
function saved(...built: readonly (readonly [ModelName, OptimizerName])[]) {
  const graph = new tf.Graph();
  graph.asDefault(() => {
    for (const [model, optimizer] of built) builders[model](optimizers[optimizer](0.1));
  });
  const variables = graph.variables.map((v) => [v.operation.name, v.shape as readonly number[]] as const);
  const header = Object.fromEntries(variables.map(([name, shape]) => [name, { shape }]));
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return { own: new Map(variables), file: shapesIn(bytes) };
}
const names = Object.keys(optimizers) as OptimizerName[];

test.each(names)('what each model has saved with %s fits it, slots and all, and not the other one', (optimizer) => {
  const [one, other] = modelNames.map((model) => saved([model, optimizer]));
  for (const { own, file } of [one, other]) {
    expect(Object.fromEntries(namesIn(file, own)!)).toEqual(Object.fromEntries([...own.keys()].map((n) => [n, n])));
  }
  expect(namesIn(one.file, other.own)).toBeUndefined();
  expect(namesIn(other.file, one.own)).toBeUndefined();
});

test('what npm run mnist saves, two models in one graph, fits both', () => {
  const { file } = saved(['softmax', 'GradientDescent'], ['convolution', 'Adam']);
  const first = namesIn(file, saved(['softmax', 'GradientDescent']).own)!;
  expect([...first]).toEqual([['Variable', 'Variable'], ['Variable_1', 'Variable_1']]); // biome-ignore format: one line
  const { own } = saved(['convolution', 'Adam']);
  const second = namesIn(file, own)!;
  expect(second.size).toBe(own.size);
  expect([second.get('Variable'), second.get('Variable_7/Adam_1')]).toEqual(['Variable_2', 'Variable_9/Adam_1']);
});

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
