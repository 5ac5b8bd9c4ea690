// IDX files: as long as their header says, to the byte, and of the rank that is asked for.
import { describe, expect, test } from 'vitest';
import { DataError } from '../../src/base/errors.ts';
import { parseIdx } from '../../src/data/idx.ts';
import { idx } from './examples.ts';

const shapes = [[0], [1], [7], [2, 3], [2, 3, 4], [1, 0, 5], [300, 2]];

describe.each(shapes.map((shape) => ({ shape })))('a file of $shape', ({ shape }) => {
  const bytes = idx(shape, (i) => (i * 7 + 3) % 256);
  const header = 4 + 4 * shape.length;
  const parse = (some: Uint8Array, rank = shape.length) => parseIdx(some, rank, 'numbers');

  test('is read with its shape and all its bytes, wherever it lies in memory', () => {
    const { shape: found, data } = parse(bytes);
    expect(found).toEqual(shape);
    expect(Array.from(data)).toEqual(Array.from(bytes.subarray(header)));
    const within = new Uint8Array(bytes.length + 8).fill(255);
    within.set(bytes, 5);
    expect(parse(within.subarray(5, 5 + bytes.length))).toEqual({ shape: found, data });
  });

  test('with a byte too many, or too few, is refused, saying how many there should be', () => {
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    const expected = new RegExp(
      `numbers should have ${bytes.length} bytes for .*, but has ${bytes.length + 1}\\. Delete it`,
    );
    expect(() => parse(longer)).toThrow(DataError);
    expect(() => parse(longer)).toThrow(expected);
    for (let length = 0; length < bytes.length; length += length < header + 2 ? 1 : 5) {
      const text = length < 4 ? /found only \d bytes/ : length < header ? /ends inside its header/ : /but has \d+/;
      expect(() => parse(bytes.subarray(0, length))).toThrow(DataError);
      expect(() => parse(bytes.subarray(0, length))).toThrow(text);
    }
  });

  test('is not one of another rank, or of other elements', () => {
    for (const rank of [shape.length - 1, shape.length + 1])
      expect(() => parse(bytes, rank)).toThrow(
        `numbers is not an IDX file of ${rank} dimensions: expected the magic number ${0x800 + rank}, ` +
          `found the magic number ${0x800 + shape.length}`,
      );
    const floats = bytes.slice();
    floats[2] = 0x0d;
    expect(() => parse(floats)).toThrow(DataError);
    expect(() => parse(floats.subarray(0, 4))).toThrow(`found the magic number ${0xd00 + shape.length}`);
    const tailed = bytes.slice();
    tailed[0] = 1;
    expect(() => parse(tailed)).toThrow(DataError);
  });
});
