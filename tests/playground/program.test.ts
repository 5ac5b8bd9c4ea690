/// <reference path="../../examples/playground/raw.d.ts" />
// The playground's listing is the models' own text, and lights up what a run needs.
import { expect, test } from 'vitest';
import { linesOf, listingOf } from '../../examples/playground/program.ts';

const names = (model: 'softmax' | 'convolution', run: 'train' | 'evaluate' | 'predict') => {
  const lines = listingOf(model);
  const lit = [...linesOf(lines, run)].sort((a, b) => a - b).map((i) => /const (\w+)/.exec(lines[i])?.[1]);
  return lit.filter((name) => name !== undefined);
};

test('softmax: a training step needs all of the model, a prediction the forward part', () => {
  const all = ['x', 'y_', 'W', 'b', 'y', 'crossEntropy', 'trainStep', 'correctPrediction', 'accuracy'];
  expect(names('softmax', 'train')).toEqual([...all, 'train', 'feeds', 'kept']);
  const without = (...left: string[]) => all.filter((name) => !left.includes(name));
  expect(names('softmax', 'evaluate')).toEqual([...without('crossEntropy', 'trainStep'), 'evaluate', 'feeds', 'kept']);
  expect(names('softmax', 'predict')).toEqual(['x', 'W', 'b', 'y', 'predict', 'kept']);
});

test('the convolutional network: helpers light up too, and lines that go on below', () => {
  const predict = names('convolution', 'predict');
  expect(predict).toEqual(expect.arrayContaining(['conv2d', 'maxPool2x2', 'weightVariable', 'hConv1', 'yConv']));
  expect(predict).not.toContain('crossEntropy');
  expect(predict).not.toContain('y_');
  const lines = listingOf('convolution');
  const lit = linesOf(lines, 'predict');
  expect(lit.has(lines.findIndex((line) => line.includes('tf.nn.maxPool(')))).toBe(true);
});

test('what the page alone needs is not shown', () => {
  for (const model of ['softmax', 'convolution'] as const) {
    const text = listingOf(model).join('\n');
    expect(text).toMatch(/^const /);
    expect(text).not.toMatch(/layers|import|^return/m);
    expect(text).toContain('const trainStep = optimizer.minimize(crossEntropy);');
  }
});
