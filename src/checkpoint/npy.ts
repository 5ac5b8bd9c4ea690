// NumPy's file of one array: a magic text, a version, a header that is a Python dict of three entries, the elements.
//
// Reference: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
import { DataError } from '../base/errors.ts';
import type { DType, TypedArray } from '../tensor/dtype.ts';
import { hostArray, type NDArray } from '../tensor/ndarray.ts';
import { mostAxes, rowMajor, showShape } from '../tensor/shape.ts';
import { bitsOf, type ElementType, elementsFrom } from './elements.ts';

const magic = '\x93NUMPY';
/** NumPy's letter for the kind of an element, with its bytes. */
const types: Readonly<Record<string, ElementType>> = {
  b1: 'BOOL',
  u1: 'U8',
  i1: 'I8',
  u2: 'U16',
  i2: 'I16',
  u4: 'U32',
  i4: 'I32',
  u8: 'U64',
  i8: 'I64',
  f2: 'F16',
  f4: 'F32',
  f8: 'F64',
};
const descrs: Readonly<Record<DType, string>> = {
  bool: '|b1',
  uint8: '|u1',
  int32: '<i4',
  float32: '<f4',
  float64: '<f8',
};
/** Longer headers are of arrays with fields, which cannot be read. */
const mostHeaderBytes = 65_536;

/** What stands before the elements. */
interface NpyHeader {
  readonly type: ElementType;
  readonly bigEndian: boolean;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the elements begin. */
  readonly offset: number;
}

/**
 * The array of an .npy file, row-major, whatever its order there. Whole numbers become int32 (uint8 stays), float16
 * becomes float32.
 *
 * @throws DataError that names file and byte, for a file that is none or is not whole, for objects, texts, complex
 * numbers and dates, and for whole numbers beyond int32.
 */
export function parseNpy(bytes: Uint8Array, file: string): NDArray {
  const { type, bigEndian, fortranOrder, shape, offset } = parseHeader(bytes, file);
  const size = bitsOf[type] / 8;
  const expected = shape.reduce((a, b) => a * BigInt(b), BigInt(size));
  const there = bytes.length - offset;
  if (expected !== BigInt(there)) {
    throw new DataError(
      `${file}: at byte ${offset}, ${there} bytes follow, but ${showShape(shape)} of ${type} has ${expected}.`,
    );
  }
  const raw = bytes.subarray(offset);
  const { dtype, data } = elementsFrom(bigEndian ? reversed(raw, size) : raw.slice(), type, file);
  return hostArray(dtype, [...shape], fortranOrder ? fromColumnMajor(data, shape) : data);
}

function parseHeader(bytes: Uint8Array, file: string): NpyHeader {
  const fail = (at: number, what: string) => new DataError(`${file} is not a whole .npy file: at byte ${at}, ${what}.`);
  if (bytes.length < 10 || String.fromCharCode(...bytes.subarray(0, 6)) !== magic)
    throw fail(0, "it does not begin with '\\x93NUMPY'");
  const [major] = bytes.subarray(6);
  if (major < 1 || major > 3) throw fail(6, `there is version ${major}; 1, 2 and 3 can be read`);
  const begin = major === 1 ? 10 : 12;
  if (bytes.length < begin) throw fail(bytes.length, 'it ends inside its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > bytes.length - begin)
    throw fail(8, `a header of ${length} bytes is announced, but ${bytes.length - begin} follow`);
  if (length > mostHeaderBytes)
    throw fail(8, `a header of ${length} bytes is announced; there may be ${mostHeaderBytes}`);
  const text = new TextDecoder('latin1').decode(bytes.subarray(begin, begin + length));
  return { ...parseDict(text, (what) => fail(begin, what)), offset: begin + length };
}

/** `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`, the entries in any order. */
function parseDict(text: string, fail: (what: string) => Error): Omit<NpyHeader, 'offset'> {
  const value = (name: string, pattern: string): RegExpMatchArray => {
    const found = text.match(new RegExp(`(?<=[{,]\\s*)(?:'${name}'|"${name}")\\s*:\\s*${pattern}\\s*(?=[,}])`));
    if (!found) throw fail(`the header has no ${name} that can be read: ${text.slice(0, 100).trim()}`);
    return found;
  };
  if (!/^\s*\{[^{}]*\}\s*$/.test(text)) throw fail('the header is no dict');
  const [, order, kind] = value('descr', `['"]([<>|=]?)(\\w+)['"]`);
  if (!Object.hasOwn(types, kind)) {
    throw fail(`the elements are of '${order}${kind}'; these can be read: ${Object.keys(types).join(', ')}`);
  }
  const [, fortranOrder] = value('fortran_order', '(True|False)');
  const [, list] = value('shape', '\\(((?:\\s*\\d+\\s*,)*\\s*\\d*\\s*)\\)');
  const shape = list.split(',').flatMap((size) => (size.trim() ? [Number(size)] : []));
  if (shape.length > mostAxes || !shape.every(Number.isSafeInteger))
    throw fail(`the shape (${list.slice(0, 100)}) is too large`);
  return { type: types[kind], bigEndian: order === '>', fortranOrder: fortranOrder === 'True', shape };
}

/** The bytes of every element in the other order. */
function reversed(bytes: Uint8Array, size: number): Uint8Array {
  const out = bytes.slice();
  for (let at = 0; at < out.length; at += size) out.subarray(at, at + size).reverse();
  return out;
}

/** Elements that are stored with the first axis running fastest, row-major. */
function fromColumnMajor(data: TypedArray, shape: readonly number[]): TypedArray {
  const out = data.slice();
  const strides = rowMajor(shape);
  const index = shape.map(() => 0);
  let to = 0;
  for (const value of data) {
    out[to] = value;
    for (let axis = 0; axis < shape.length; axis++) {
      to += strides[axis];
      if (++index[axis] < shape[axis]) break;
      to -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}

/** An .npy file of an array, as NumPy writes it: version 1, its data aligned to 64 bytes. */
export function printNpy({ dtype, shape, data }: NDArray): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${descrs[dtype]}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const offset = Math.ceil((10 + dict.length + 1) / 64) * 64;
  const out = new Uint8Array(offset + data.byteLength).fill(0x20, 0, offset);
  out.set(Uint8Array.from(magic, (c) => c.charCodeAt(0)));
  out.set([1, 0], 6);
  new DataView(out.buffer).setUint16(8, offset - 10, true);
  out.set(new TextEncoder().encode(dict), 10);
  out[offset - 1] = 0x0a;
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
  return out;
}
