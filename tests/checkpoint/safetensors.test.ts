// The format of checkpoints: what the reference writes and reads, and what it refuses.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { elementsFrom } from '../../src/checkpoint/elements.ts';
import { dataOffset, parseHeader, toSafetensors } from '../../src/checkpoint/safetensors.ts';
import { DataError } from '../../src/index.ts';
import { allocate, type DType, dtypes } from '../../src/tensor/dtype.ts';
import { elements } from '../../src/tensor/shape.ts';
import { expectRefused, file } from './files.ts';

const utf8 = new TextEncoder();
const joined = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const read = (bytes: Uint8Array) =>
  parseHeader(bytes.subarray(0, dataOffset(bytes, bytes.length, 'F')), bytes.length, 'F');

/** A file with such a header before so many bytes of data. */
function withHeader(header: string | Uint8Array, data = 0, announced?: bigint): Uint8Array {
  const text = typeof header === 'string' ? utf8.encode(header) : header;
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, announced ?? BigInt(text.length), true);
  return joined([prefix, text, new Uint8Array(data)]);
}
const entry = (begin: number, end: number, shape = `[${(end - begin) / 4}]`, dtype = 'F32') =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

describe('the reference writes', () => {
  const data = Float32Array.of(0, 1, 2, 3, 4, 5);

  test.each([
    ['attn.0', [1, 2, 3], '{"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}}', 64],
    ['attn0', [1, 1, 2, 3], '{"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}}       ', 72],
  ])('%s as its own tests have it', (name, shape, header, length) => {
    const bytes = joined(toSafetensors([{ name, dtype: 'float32', shape, data }]));
    expect(header.length).toBe(length);
    expect(bytes).toEqual(joined([withHeader(header), new Uint8Array(data.buffer)]));
  });

  test('wide elements first, then by the bytes of names', () => {
    const of = (name: string, dtype: DType) => ({ name, dtype, shape: [1], data: allocate(dtype, 1) });
    const made = [of('b', 'bool'), of('10', 'float32'), of('9', 'float32'), of('\u{1f600}', 'float32')];
    const more = [of('\uffee', 'float32'), of('i', 'int32'), of('d', 'float64'), of('u', 'uint8')];
    const names = read(joined(toSafetensors([...made, ...more]))).tensors.map(({ name }) => name);
    expect(names).toEqual(['d', '10', '9', '\uffee', '\u{1f600}', 'i', 'u', 'b']);
  });
});

test('a file of another program is read, its halves as float32 and its long integers as int32', () => {
  const { bytes } = file('python.safetensors');
  const { metadata, tensors } = read(bytes);
  expect([...metadata]).toEqual([
    ['step', '200'],
    ['Größe', 'né'],
  ]);
  const values = tensors.map(({ name, type, shape, begin, end }) => {
    const { dtype, data } = elementsFrom(bytes.subarray(begin, end), type, name);
    return [name, dtype, shape, [...data].slice(0, 4)];
  });
  expect(values).toEqual([
    ['steps', 'int32', [2], [7, -7]],
    ['W', 'float32', [2, 3, 4], [0, 1, 2, 3]],
    ['brain', 'float32', [4], [1.5, -2, Infinity, Math.fround(2.938735877055719e-39)]],
    ['half', 'float32', [2, 1], [0.5, 65504]],
    ['mask', 'bool', [3], [1, 0, 1]],
  ]);
});

test('what is written is read again, bit for bit', () => {
  const tensors = fc.uniqueArray(
    fc.record({
      name: fc.string({ unit: 'grapheme' }).filter((name) => name !== '__metadata__'),
      dtype: fc.constantFrom(...dtypes),
      shape: fc.array(fc.nat(4), { maxLength: 4 }),
      seed: fc.nat(255),
    }),
    { selector: (t) => t.name, maxLength: 8 },
  );
  const metadata = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }));
  fc.assert(
    fc.property(tensors, metadata, (given, texts) => {
      const made = given.map(({ seed, ...t }) => {
        const data = allocate(t.dtype, elements(t.shape));
        return { ...t, data: data.map((_: number, i: number) => (t.dtype === 'bool' ? (i + seed) % 2 : i * seed)) };
      });
      const bytes = joined(toSafetensors(made, new Map(Object.entries(texts))));
      const header = read(bytes);
      expect(new Map(header.metadata)).toEqual(new Map(Object.entries(texts)));
      expect(header.tensors.length).toBe(made.length);
      for (const { name, type, shape, begin, end } of header.tensors) {
        const wanted = made.find((t) => t.name === name);
        const { dtype, data } = elementsFrom(bytes.subarray(begin, end), type, name);
        expect({ name, dtype, shape, data }).toEqual(wanted);
        // Data that are aligned can be used where they lie.
        expect(begin % data.BYTES_PER_ELEMENT).toBe(0);
      }
    }),
    { numRuns: 200 },
  );
});

describe('is refused', () => {
  const deep = (n: number) => `{"x":{"extra":${'['.repeat(n)}${']'.repeat(n)},${entry(0, 4).slice(1)}}`;
  const cases: Record<string, [Uint8Array, at: number, RegExp]> = {
    'an empty file': [new Uint8Array(), 0, /ends, before the 8 bytes/],
    'a file of 7 bytes': [new Uint8Array(7), 7, /ends, before/],
    'a header that goes beyond the file': [withHeader('{}', 0, 3n), 0, /3 bytes is announced, but 2 follow/],
    'a header of 2⁶³ bytes': [
      withHeader('{}', 0, 2n ** 63n),
      0,
      /9223372036854775808 bytes is announced; there may be/,
    ],
    'a header of 2⁶⁴ − 1 bytes': [withHeader('{}', 0, 2n ** 64n - 1n), 0, /is announced/],
    'a header one byte too long': [withHeader('{}', 0, 100_000_001n), 0, /there may be 100000000/],
    'an empty header': [withHeader(''), 8, /does not begin with/],
    'a header that begins with a space': [withHeader(' {}'), 8, /does not begin with/],
    'a list': [withHeader('[]'), 8, /does not begin with/],
    'no JSON': [withHeader('{x}'), 9, /expected '"', found 'x'/],
    'half of a header': [
      withHeader(`{"x":${entry(0, 4)}`, 4),
      8 + entry(0, 4).length + 5,
      /expected '}', found the end/,
    ],
    'something behind the header': [withHeader(`{"x":${entry(0, 4)}}x`, 4), 8 + entry(0, 4).length + 6, /found 'x'/],
    'a name that is not UTF-8': [withHeader(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x7d)), 9, /not UTF-8/],
    'half of a surrogate': [withHeader(`{"\\ud800":${entry(0, 4)}}`, 4), 9, /not UTF-8, or has an escape/],
    'a text without an end': [withHeader('{"x'), 9, /no end/],
    'a name that stands twice': [
      withHeader(`{"x":${entry(0, 4)},"x":${entry(4, 8)}}`, 8),
      10 + entry(0, 4).length + 4,
      /"x" stands there for the second time/,
    ],
    'a field that stands twice': [
      withHeader(`{"x":{"shape":[1],${entry(0, 4).slice(1)}}`, 4),
      40,
      /"shape" stands there for the second time/,
    ],
    'metadata that are no texts': [withHeader('{"__metadata__":{"step":1}}'), 32, /expected '"', found '1'/],
    'an unknown dtype': [withHeader(`{"x":${entry(0, 4, '[1]', 'F31')}}`, 4), 22, /there is no dtype "F31"/],
    'a dtype of the prototype': [
      withHeader(`{"x":${entry(0, 4, '[1]', 'toString')}}`, 4),
      22,
      /there is no dtype "toString"/,
    ],
    'no offsets': [withHeader('{"x":{"dtype":"F32","shape":[1]}}', 4), 13, /are not all there/],
    'three offsets': [withHeader(`{"x":${entry(0, 4).replace('0,4', '0,4,8')}}`, 4), 13, /are not all there/],
    'a size that is negative': [withHeader(`{"x":${entry(0, 4, '[-1]')}}`, 4), 37, /expected a whole number/],
    'a size that is a fraction': [withHeader(`{"x":${entry(0, 4, '[1.0]')}}`, 4), 37, /expected a whole number/],
    'a size beyond 2⁵³': [withHeader(`{"x":${entry(0, 4, '[9007199254740993]')}}`, 4), 37, /larger than 2⁵³/],
    'a size of a thousand digits': [
      withHeader(`{"x":${entry(0, 4, `[${'9'.repeat(1000)}]`)}}`, 4),
      37,
      /expected a whole|larger than/,
    ],
    'sizes whose product wraps to what is there': [
      withHeader(`{"x":${entry(0, 4, '[4294967296,4294967296,1]')}}`, 4),
      13,
      /does not fill/,
    ],
    'offsets that go back': [withHeader(`{"x":${entry(4, 0, '[1]')}}`, 4), 13, /does not fill/],
    'fewer bytes than the shape': [
      withHeader(`{"x":${entry(0, 4, '[2]')}}`, 4),
      13,
      /does not fill the bytes from 0 to 4/,
    ],
    'data that overlap': [
      withHeader(`{"x":${entry(0, 8)},"y":${entry(4, 12)}}`, 12),
      10 + entry(0, 8).length + 8,
      /overlap/,
    ],
    'a gap between data': [
      withHeader(`{"x":${entry(0, 4)},"y":${entry(8, 12)}}`, 12),
      10 + entry(0, 4).length + 8,
      /leave a gap/,
    ],
    'a gap before data': [withHeader(`{"x":${entry(4, 8)}}`, 8), 13, /leave a gap/],
    'data that go beyond the file': [
      withHeader(`{"x":${entry(0, 8)}}`, 4),
      9 + 5 + entry(0, 8).length + 4,
      /the data end at/,
    ],
    'bytes behind the data': [withHeader(`{"x":${entry(0, 4)}}`, 5), 9 + 5 + entry(0, 4).length + 4, /the data end at/],
    'bytes without a tensor': [withHeader('{}', 5), 10, /the data end at 10/],
    'values 200 deep': [withHeader(deep(200), 4), 22 + 129, /nested more than 128 deep/],
    'values a million deep': [withHeader(deep(1e6), 4), 22 + 129, /nested more than 128 deep/],
    'a value that is none': [withHeader(`{"x":{"extra":nul,${entry(0, 4).slice(1)}}`, 4), 22, /expected a value/],
  };

  test.each(Object.entries(cases))('%s', async (_, [bytes, at, message]) => {
    await expectRefused(() => read(bytes), at, message);
  });

  test.each(['__proto__', 'constructor', '0', ''])('no name, such as %o', (name) => {
    expect(read(withHeader(`{${JSON.stringify(name)}:${entry(0, 4)}}`, 4)).tensors[0].name).toBe(name);
  });

  test('long integers that an int32 cannot hold, and elements that are none of ours', () => {
    const long = new Uint8Array(BigInt64Array.of(1n, 2n ** 31n).buffer);
    expect(() => elementsFrom(long, 'I64', 'steps')).toThrow(
      /steps: element 1 is 2147483648, which an int32 cannot hold/,
    );
    expect(() => elementsFrom(new Uint8Array(1), 'F8_E4M3', 'W')).toThrow(DataError);
  });
});
