// What is asked of typed arrays is asked of the engine.
import { expect, test } from 'vitest';
import { FeedError } from '../../src/base/errors.ts';
import { copyInto, dtypeOfArray, isGone, kindOf, lengthOf, staysPut } from '../../src/tensor/typed-array.ts';
import { givenArrays, givenBytes } from '../given-arrays.ts';

const values = Float32Array.from({ length: 12 }, (_, i) => i);
/** Memory that may shrink, vanish or be written to by another thread while a run reads it. */
const moves = (name: string) => /shared|a buffer that (shrinks|grows)/.test(name);

test.each(Object.entries(givenArrays))('%s: kind, length, and whether it may be read where it lies', (name, make) => {
  const { data, spoil } = make(values);
  expect([kindOf(data), dtypeOfArray(data), lengthOf(data)]).toEqual(['Float32Array', 'float32', 12]);
  // Arrays of another realm are copied, too: to know their buffers takes longer.
  expect(staysPut(data)).toBe(!moves(name) && name !== 'of another realm');
  expect(isGone(data)).toBe(false);
  const target = new Float32Array(12);
  copyInto(target, data);
  expect(target).toEqual(values);
  spoil();
  const there = lengthOf(data);
  if (there !== 12) expect(() => copyInto(target, data)).toThrow(FeedError);
  expect(isGone(data)).toBe(there === 0);
  expect(target).toEqual(values);
});

test.each(Object.entries(givenBytes))('%s: bytes', (_, make) => {
  const { data } = make(new Uint8Array([1, 2, 3]));
  expect([dtypeOfArray(data), lengthOf(data as Uint8Array)]).toEqual(['uint8', 3]);
});

test('what is no typed array, and empty ones', () => {
  for (const value of [undefined, null, 1, 'a', [], {}, new DataView(new ArrayBuffer(1)), new ArrayBuffer(1)]) {
    expect(kindOf(value)).toBe(undefined);
  }
  expect(kindOf(new Proxy(new Float32Array(1), {}))).toBe(undefined);
  expect(dtypeOfArray(new Int8Array(1))).toBe(undefined);
  expect(isGone(new Float32Array(0))).toBe(false);
});
