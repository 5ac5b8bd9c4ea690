// The archives of .npz files.
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromNpy, fromNpz, toNpy, toNpz } from '../../src/checkpoint/numpy.ts';
import { unzip, zip } from '../../src/checkpoint/zip.ts';
import * as tf from '../../src/index.ts';
import { expectRefused, file } from './files.ts';

test.each(['stored.npz', 'deflated.npz'])('%s of NumPy is read', async (name) => {
  const { bytes, values } = file(name);
  const { W, b } = await fromNpz(bytes, name);
  expect([W.shape, [...W.data]]).toEqual([[2, 3, 4], values]);
  expect([b.dtype, [...b.data]]).toEqual(['int32', [0, 1, 2, 3, 4]]);
});

test('arrays are written by their names, and what is none is refused', async () => {
  const arrays = { 'layer/W': tf.array([[1, 2], [3, 4]]), __proto__x: tf.array([true]) }; // biome-ignore format: one line
  const read = await fromNpz(toNpz(arrays));
  expect(Object.keys(read)).toEqual(['layer/W', '__proto__x']);
  expect(read['layer/W'].toArray()).toEqual([[1, 2], [3, 4]]); // biome-ignore format: one line
  expect(fromNpy(toNpy(read.__proto__x)).toArray()).toEqual([true]);
  expect(() => toNpz({ W: [1, 2] as never })).toThrow(tf.InvalidArgumentError);
  expect(() => fromNpy('W.npy' as never)).toThrow(/the bytes of a file, as a Uint8Array, but/);
  await expect(fromNpz(zip(new Map([['W', new Uint8Array(8)]])))).rejects.toThrow(/has a file W; expected names/);
});

test('what is written is read again', async () => {
  const files = fc.uniqueArray(fc.tuple(fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 300 })), {
    selector: ([name]) => name,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(files, async (given) => {
      expect([...(await unzip(zip(new Map(given)), 'F'))]).toEqual(given);
    }),
    { numRuns: 100 },
  );
});

test.each([1, 300, 2 ** 16 - 1])('a comment of %i bytes may follow', async (length) => {
  const archive = zip(new Map([['a', Uint8Array.of(1, 2)]]));
  const bytes = new Uint8Array(archive.length + length).fill(0x20);
  bytes.set(archive);
  expect([...(await unzip(bytes, 'F'))]).toEqual([['a', Uint8Array.of(1, 2)]]);
});

describe('is refused', () => {
  const body = new Uint8Array(1000).map((_, i) => i);
  const good = () => zip(new Map([['a', body]]));
  const [begin, end] = [31, good().length - 22];
  const directory = 31 + 1000;
  /** The archive with some bytes changed. */
  function changed(edit: (view: DataView) => void, bytes = good()): Uint8Array {
    edit(new DataView(bytes.buffer));
    return bytes;
  }
  /** A file that unpacks to so many bytes and says that it has `size`. */
  function deflated(real: number, size: number): Uint8Array {
    const packed = new Uint8Array(deflateRawSync(new Uint8Array(real)));
    return changed(
      (view) => {
        const at = 31 + packed.length;
        view.setUint16(at + 10, 8, true);
        view.setUint32(at + 24, size, true);
      },
      zip(new Map([['a', packed]])),
    );
  }
  const cases: Record<string, [() => Uint8Array, at: number, RegExp]> = {
    'an empty file': [() => new Uint8Array(), 0, /record of its end is missing/],
    'half of an archive': [() => good().subarray(0, 500), 500, /record of its end is missing/],
    'a directory beyond the file': [() => changed((v) => v.setUint32(end + 16, 1e6, true)), 1e6, /entry 0/],
    'more entries than there are': [() => changed((v) => v.setUint16(end + 10, 2, true)), end, /entry 1/],
    'an encrypted file': [() => changed((v) => v.setUint16(directory + 8, 1, true)), directory + 8, /encrypted/],
    'another method': [() => changed((v) => v.setUint16(directory + 10, 99, true)), directory + 10, /method 99/],
    Zip64: [() => changed((v) => v.setUint32(directory + 24, 0xffffffff, true)), directory, /4 GiB/],
    'Zip64 with many files': [() => changed((v) => v.setUint16(end + 10, 0xffff, true)), end, /Zip64/],
    'a file that is elsewhere': [() => changed((v) => v.setUint32(directory + 42, 5, true)), 5, /no header there/],
    'a file beyond the archive': [
      () => changed((v) => v.setUint32(directory + 20, 5000, true)),
      begin,
      /5000 bytes, but/,
    ],
    'a size that is not that of the file': [
      () => changed((v) => v.setUint32(directory + 24, 999, true)),
      begin,
      /does not unpack to the 999/,
    ],
    'a bit that has changed': [() => changed((v) => v.setUint8(begin + 500, 1)), begin, /checksum/],
    'a bomb that says what it is': [() => deflated(1e6, 2 ** 31 + 1), 0, /2147483649 bytes are announced/],
    'a bomb that says it is small': [() => deflated(5e7, 100), begin, /does not unpack to the 100/],
    'what is not deflated': [() => changed((v) => v.setUint16(directory + 10, 8, true)), begin, /does not unpack/],
    'a name that stands twice': [
      () =>
        changed(
          (v) => v.setUint8(31 + 1000 + 31 - 1, 0x61),
          zip(
            new Map([
              ['a', body],
              ['b', body],
            ]),
          ),
        ),
      1031,
      /a is there for the second time/,
    ],
  };

  test.each(Object.entries(cases))('%s', async (name, [make, at, message]) => {
    const bytes = make();
    if (name === 'a name that stands twice') bytes[bytes.length - 22 - 1] = 0x61;
    await expectRefused(() => unzip(bytes, 'F'), at, message);
  });
});
