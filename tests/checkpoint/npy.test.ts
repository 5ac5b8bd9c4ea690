// NumPy's files: what it writes is read, what is written it would read, and what is neither is refused.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseNpy, printNpy } from '../../src/checkpoint/npy.ts';
import * as tf from '../../src/index.ts';
import { allocate, dtypes } from '../../src/tensor/dtype.ts';
import { hostArray } from '../../src/tensor/ndarray.ts';
import { elements } from '../../src/tensor/shape.ts';
import { expectRefused, file, names } from './files.ts';

const latin1 = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
/** A file of version 1 with such a header and so many bytes behind it. */
function withHeader(header: string, data = 0, announced = header.length): Uint8Array {
  const out = latin1(`\x93NUMPY\x01\x00..${header}${'\0'.repeat(data)}`);
  new DataView(out.buffer).setUint16(8, announced, true);
  return out;
}
const dict = (descr: string, shape: string, order = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;

test.each(names.filter((name) => name.endsWith('.npy')))('%s of NumPy is read', (name) => {
  const { bytes, dtype, shape, values } = file(name);
  const array = parseNpy(bytes, name);
  expect([array.dtype, array.shape]).toEqual([dtype, shape]);
  expect([...array.data]).toEqual(values);
});

test('an array is written as NumPy writes it', () => {
  const { bytes, shape, values } = file('float32.npy');
  expect(printNpy(tf.array(Float32Array.from(values), shape))).toEqual(bytes);
  const scalar = file('scalar.npy');
  expect(printNpy(tf.array(Float32Array.from(scalar.values), []))).toEqual(scalar.bytes);
});

test('what is written is read again', () => {
  const arrays = fc.record({ dtype: fc.constantFrom(...dtypes), shape: fc.array(fc.nat(5), { maxLength: 5 }) });
  fc.assert(
    fc.property(arrays, ({ dtype, shape }) => {
      const data = allocate(dtype, elements(shape)).map((_, i) => (dtype === 'bool' ? i % 2 : i * 3));
      const bytes = printNpy(hostArray(dtype, shape, data as never));
      expect((bytes.length - data.byteLength) % 64).toBe(0);
      const read = parseNpy(bytes, 'F');
      expect([read.dtype, read.shape, read.data]).toEqual([dtype, shape, data]);
    }),
    { numRuns: 200 },
  );
});

test.each([2, 3])('version %i has headers of more bytes, 65,536 at most', async (version) => {
  const begin = `\x93NUMPY${String.fromCharCode(version)}\x00....`;
  const make = (length: number) => {
    const out = latin1(`${begin}${dict('|u1', '(1,)').padEnd(length)}\x07`);
    new DataView(out.buffer).setUint32(8, length, true);
    return out;
  };
  for (const length of [100, 65_535, 65_536]) expect(parseNpy(make(length), 'F').toArray()).toEqual([7]);
  await expectRefused(() => parseNpy(make(65_537), 'F'), 8, /65537 bytes is announced; there may be 65536/);
});

describe('is refused', () => {
  const cases: Record<string, [Uint8Array, at: number, RegExp]> = {
    'an empty file': [new Uint8Array(), 0, /does not begin with/],
    'another format': [latin1('PK\x03\x04 and more'), 0, /does not begin with/],
    'a version of the future': [latin1('\x93NUMPY\x04\x00\x00\x00'), 6, /version 4/],
    'version 2 that ends at once': [latin1('\x93NUMPY\x02\x00\x00\x00'), 10, /ends inside/],
    'a header beyond the file': [withHeader('{}', 0, 100), 8, /100 bytes is announced, but 2 follow/],
    'no dict': [withHeader('(1, 2)'), 10, /no dict/],
    'no shape': [withHeader("{'descr': '<f4', 'fortran_order': False, }"), 10, /no shape that can be read/],
    'a negative size': [withHeader(dict('<f4', '(-1,)')), 10, /no shape that can be read/],
    code: [withHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (exit(),), }"), 10, /no shape/],
    'a size beyond 2⁵³': [withHeader(dict('<f4', '(99999999999999999999,)')), 10, /too large/],
    'too many axes': [withHeader(dict('<f4', `(${'1, '.repeat(65)})`)), 10, /too large/],
    'objects, which would be code': [withHeader(dict('|O', '(1,)')), 10, /elements are of '\|O'/],
    texts: [withHeader(dict('<U5', '(1,)')), 10, /elements are of '<U5'/],
    'complex numbers': [withHeader(dict('<c8', '(1,)')), 10, /elements are of '<c8'/],
    'a type of the prototype': [withHeader(dict('<constructor', '(1,)')), 10, /elements are of/],
    fields: [withHeader("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }"), 10, /no descr/],
    'fewer bytes than the shape': [
      withHeader(dict('<f4', '(2,)'), 7),
      10 + dict('<f4', '(2,)').length,
      /7 bytes follow, but \[2\]/,
    ],
    'more bytes than the shape': [
      withHeader(dict('<f4', '()'), 5),
      10 + dict('<f4', '()').length,
      /5 bytes follow, but \[\]/,
    ],
    'sizes whose product wraps': [
      withHeader(dict('<f4', '(4294967296, 4294967296)')),
      10 + dict('<f4', '(4294967296, 4294967296)').length,
      /has 73786976294838206464/,
    ],
  };

  test.each(Object.entries(cases))('%s', async (_, [bytes, at, message]) => {
    await expectRefused(() => parseNpy(bytes, 'F'), at, message);
  });

  test('a long integer that an int32 cannot hold', () => {
    const bytes = withHeader(dict('<u8', '(1,)'), 8).fill(255, -8);
    expect(() => parseNpy(bytes, 'F')).toThrow(/F: element 0 is 18446744073709551615, which an int32 cannot hold/);
  });
});
