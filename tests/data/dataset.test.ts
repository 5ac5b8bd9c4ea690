// Batches: every example once an epoch, in an order of its own, whatever the sizes are.
import { describe, expect, test } from 'vitest';
import { InvalidArgumentError } from '../../src/base/errors.ts';
import { dataSetsFromFiles } from '../../src/data/mnist.ts';
import { small } from './examples.ts';

const sets = (train = 20, options = {}) => dataSetsFromFiles(small(train), { validationSize: 5, seed: 1, ...options });

test('the first images are for validation, the rest to train on', () => {
  const { train, validation, test: judged } = sets();
  expect([train.numExamples, validation.numExamples, judged.numExamples]).toEqual([15, 5, 6]);
  expect(
    Array.from(
      validation.images.data.filter((_, i) => i % 784 === 0),
      (v) => Math.round(v * 255),
    ),
  ).toEqual([0, 1, 2, 3, 4]);
  expect(judged.images.data[0]).toBe(Math.fround(51 / 255));
  expect(train.labels.dtype).toBe('uint8');
  expect(train.images.shape).toEqual([15, 784]);
});

test('every epoch hands out each example once, in another order; a batch may span two', () => {
  const { train } = sets();
  const numbers = () =>
    Array.from(
      train.nextBatch(6).images.data.filter((_, i) => i % 784 === 0),
      (v) => Math.round(v * 255),
    );
  const seen = [...numbers(), ...numbers(), ...numbers(), ...numbers(), ...numbers()];
  expect(train.epochsCompleted).toBe(1);
  const all = Array.from({ length: 15 }, (_, i) => i + 5);
  expect([...seen.slice(0, 15)].sort((a, b) => a - b)).toEqual(all);
  expect([...seen.slice(15)].sort((a, b) => a - b)).toEqual(all);
  expect(seen.slice(0, 15)).not.toEqual(seen.slice(15));
  train.nextBatch(1);
  expect(train.epochsCompleted).toBe(2);
});

test('labels belong to their images, one-hot or as numbers', () => {
  const { train } = sets(20, { oneHot: true });
  const { images, labels } = train.nextBatch(7);
  expect(labels.shape).toEqual([7, 10]);
  for (let i = 0; i < 7; i++) {
    const number = Math.round(images.data[i * 784] * 255);
    expect(Array.from(labels.data.slice(i * 10, i * 10 + 10))).toEqual(
      Array.from({ length: 10 }, (_, k) => Number(k === number % 10)),
    );
  }
});

test('a batch never changes afterwards, and changing it changes nothing else', () => {
  const { train } = sets();
  const first = train.nextBatch(5);
  const copy = first.images.data.slice();
  for (let i = 0; i < 20; i++) train.nextBatch(5).images.data.fill(7);
  expect(first.images.data).toEqual(copy);
  expect(Math.max(...train.images.data)).toBeLessThanOrEqual(1);
});

test('the same seed gives the same batches; images need not be flattened', () => {
  const [a, b, c] = [sets(20), sets(20), sets(20, { seed: 2 })].map((s) => s.train.nextBatch(10).images.data);
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);
  expect(sets(20, { reshape: false }).train.nextBatch(3).images.shape).toEqual([3, 28, 28, 1]);
});

test.each([0, -1, 1.5, 16, Number.NaN])('a batch of %s is refused', (size) => {
  expect(() => sets().train.nextBatch(size)).toThrow(InvalidArgumentError);
  expect(() => sets().train.nextBatch(size)).toThrow(`size must be a whole number from 1 to 15, but ${size} came`);
});

/** The number of each image of a batch. */
const numbersOf = ({ images }: { readonly images: { readonly data: Float32Array } }) =>
  Array.from(
    images.data.filter((_, i) => i % 784 === 0),
    (v) => Math.round(v * 255),
  );

test.each([1, 2, 3, 4, 5, 7, 11, 14, 15])(
  'in batches of %i every epoch is complete, and is counted when the next begins',
  (size) => {
    const { train } = sets();
    const all = Array.from({ length: 15 }, (_, i) => i + 5);
    const seen: number[] = [];
    while (seen.length < 60) {
      const batch = numbersOf(train.nextBatch(size));
      expect(batch).toHaveLength(size);
      seen.push(...batch);
      // An epoch that is just over is counted when more is wanted.
      expect(train.epochsCompleted).toBe(Math.ceil(seen.length / 15) - 1);
    }
    const epochs = [0, 15, 30, 45].map((begin) => seen.slice(begin, begin + 15));
    for (const epoch of epochs) expect([...epoch].sort((a, b) => a - b)).toEqual(all);
    expect(new Set(epochs.map((epoch) => epoch.join())).size).toBe(4);
    expect(epochs[0]).not.toEqual(all);
  },
);

test('all images and labels are in the order of the file, computed once', () => {
  const { train, validation } = sets();
  expect(numbersOf(train)).toEqual(Array.from({ length: 15 }, (_, i) => i + 5));
  expect(Array.from(train.labels.data)).toEqual(Array.from({ length: 15 }, (_, i) => (i + 5) % 10));
  expect(numbersOf(validation)).toEqual([0, 1, 2, 3, 4]);
  train.nextBatch(7);
  expect(train.images).toBe(train.images);
  expect(numbersOf(train)[0]).toBe(5);
});

test('pixels are from 0 to 1, both included', () => {
  const contents = small(3);
  contents.trainImages.set([0, 1, 254, 255], 16);
  const { train } = dataSetsFromFiles(contents, { validationSize: 0 });
  expect(Array.from(train.images.data.subarray(0, 4))).toEqual([0, 1 / 255, 254 / 255, 1].map(Math.fround));
});

test('labels of 0 and 9 are labels, and have rows of their own', () => {
  const { train } = sets(20, { oneHot: true });
  const row = (n: number) => Array.from(train.labels.data.subarray(n * 10, n * 10 + 10));
  // The images 10 and 9.
  expect(row(5)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(row(4)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
});

test('all or none may be for validation; the parts are shuffled differently', () => {
  const none = sets(20, { validationSize: 0 });
  expect([none.train.numExamples, none.validation.numExamples]).toEqual([20, 0]);
  expect(() => none.validation.nextBatch(1)).toThrow('a whole number from 1 to 0');
  const all = sets(20, { validationSize: 20 });
  expect([all.train.numExamples, all.validation.numExamples]).toEqual([0, 20]);
  expect(() => sets(20, { validationSize: 21 })).toThrow('validationSize is 21, but there are only 20');
  const half = sets(40, { validationSize: 20 });
  const orders = [half.train, half.validation].map((part) => numbersOf(part.nextBatch(20)).map((n) => n % 20));
  expect(orders[0]).not.toEqual(orders[1]);
});

test('without a seed the order is another each time', () => {
  const [a, b] = [0, 1].map(() => numbersOf(sets(40, { seed: undefined }).train.nextBatch(35)));
  expect(a).not.toEqual(b);
});

test.each([
  [{ validationSize: -1 }, 'validationSize must be a whole number of at least 0, but -1 came'],
  [{ validationSize: 1.5 }, 'validationSize must be a whole number of at least 0, but 1.5 came'],
  [{ seed: 0.5 }, 'seed must be a whole number, but 0.5 came'],
  [{ seed: Number.NaN }, 'seed must be a whole number, but NaN came'],
])('options that cannot be are refused: %o', (options, text) => {
  expect(() => sets(20, options)).toThrow(InvalidArgumentError);
  expect(() => sets(20, options)).toThrow(text);
});

describe('a state', () => {
  test.each([0, 1, 7, 14, 15, 16, 29, 30, 31])('after %d examples goes on with the same batches', (taken) => {
    const first = sets().train;
    for (let i = 0; i < taken; i++) first.nextBatch(1);
    const state = first.state();
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    const wanted = [first.nextBatch(4), first.nextBatch(15)].map(numbersOf);
    // Another seed, and other batches before, do not matter.
    const second = sets(20, { seed: 2 }).train;
    second.nextBatch(3);
    second.restore(state);
    expect(second.state()).toEqual(state);
    expect([second.nextBatch(4), second.nextBatch(15)].map(numbersOf)).toEqual(wanted);
    expect(second.epochsCompleted).toBe(first.epochsCompleted);
  });

  test('at both ends of an epoch is taken, and nothing beyond', () => {
    const { train } = sets();
    const state = train.state();
    for (const position of [0, 15]) {
      train.restore({ ...state, position });
      expect(train.state().position).toBe(position);
    }
    train.restore({ ...state, epochs: 3 });
    expect(train.epochsCompleted).toBe(3);
    const before = train.state();
    const wrong = [
      ...[-1, 16, 0.5, Number.NaN, '3', undefined].map((position) => ({ ...state, position })),
      ...[-1, 0.5, Number.POSITIVE_INFINITY, null].map((epochs) => ({ ...state, epochs })),
      ...[0.5, '1', undefined].map((seed) => ({ ...state, seed })),
      ...[{ ...state, numExamples: undefined }, {}, null, 3, 'state', []],
    ];
    for (const given of wrong) {
      expect(() => train.restore(given), JSON.stringify(given)).toThrow(InvalidArgumentError);
      expect(() => train.restore(given)).toThrow('restore: expected what `state` of a data set returned.');
    }
    expect(() => train.restore({ ...state, numExamples: 16 })).toThrow(
      'the state is that of a data set of 16 examples, but this one has 15',
    );
    expect(train.state()).toEqual(before);
  });
});

test.each([
  ['a list', [1, 2]],
  ['other bytes', new Uint8ClampedArray(16)],
  ['a buffer', new ArrayBuffer(16)],
  ['nothing', undefined],
])('contents of a file that are %s are refused by its name', (_, bytes) => {
  const call = () => dataSetsFromFiles({ ...small(), testLabels: bytes as any });
  expect(call).toThrow(InvalidArgumentError);
  expect(call).toThrow('testLabels must be the bytes of t10k-labels-idx1-ubyte as a Uint8Array, but');
});
