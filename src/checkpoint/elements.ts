// The element types of files, which are more than those of tensors: what their bytes are here.
import { DataError } from '../base/errors.ts';
import { allocate, type DType, type TypedArray, viewOf } from '../tensor/dtype.ts';

/** Bits of an element of each type that the format has. */
export const bitsOf = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;
/** An element type of a file. */
export type ElementType = keyof typeof bitsOf;
export const isElementType = (text: string): text is ElementType => Object.hasOwn(bitsOf, text);

/** How an element is read, and what it becomes. */
interface Conversion {
  readonly dtype: DType;
  readonly read: (view: DataView, at: number) => number | bigint;
}
const conversions: Partial<Record<ElementType, Conversion>> = {
  BOOL: { dtype: 'bool', read: (view, at) => (view.getUint8(at) === 0 ? 0 : 1) },
  U8: { dtype: 'uint8', read: (view, at) => view.getUint8(at) },
  I8: { dtype: 'int32', read: (view, at) => view.getInt8(at) },
  I16: { dtype: 'int32', read: (view, at) => view.getInt16(at, true) },
  U16: { dtype: 'int32', read: (view, at) => view.getUint16(at, true) },
  I32: { dtype: 'int32', read: (view, at) => view.getInt32(at, true) },
  U32: { dtype: 'int32', read: (view, at) => view.getUint32(at, true) },
  I64: { dtype: 'int32', read: (view, at) => view.getBigInt64(at, true) },
  U64: { dtype: 'int32', read: (view, at) => view.getBigUint64(at, true) },
  F16: { dtype: 'float32', read: (view, at) => half(view.getUint16(at, true)) },
  BF16: { dtype: 'float32', read: (view, at) => widened(view.getUint16(at, true)) },
  F32: { dtype: 'float32', read: (view, at) => view.getFloat32(at, true) },
  F64: { dtype: 'float64', read: (view, at) => view.getFloat64(at, true) },
};
/** Types whose bytes are those of typed arrays, where those are little-endian. */
const plain: readonly ElementType[] = ['U8', 'I32', 'F32', 'F64'];
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The element type of a tensor that takes such elements; undefined where none does. */
export const dtypeFor = (type: ElementType): DType | undefined => conversions[type]?.dtype;

/**
 * Bytes of a file, which nobody else has, as elements of a tensor: F16 and BF16 become float32, whole numbers of every width int32.
 *
 * @throws DataError for whole numbers beyond int32, and for types that have no like here.
 */
export function elementsFrom(bytes: Uint8Array, type: ElementType, what: string): { dtype: DType; data: TypedArray } {
  const conversion = conversions[type];
  if (!conversion) {
    const known = Object.keys(conversions).join(', ');
    throw new DataError(`${what} has elements of ${type}, which cannot be read here; these can: ${known}.`);
  }
  const { dtype, read } = conversion;
  const size = bitsOf[type] / 8;
  const isAligned = bytes.byteOffset % size === 0;
  if (littleEndian && isAligned && plain.includes(type)) {
    return { dtype, data: viewOf(dtype, bytes.buffer, bytes.byteOffset, bytes.length / size) };
  }
  const out = allocate(dtype, bytes.length / size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < out.length; i++) {
    const value = Number(read(view, i * size));
    out[i] = value;
    if (dtype === 'int32' && out[i] !== value) {
      throw new DataError(`${what}: element ${i} is ${read(view, i * size)}, which an int32 cannot hold.`);
    }
  }
  return { dtype, data: out };
}

const bits = new DataView(new ArrayBuffer(4));

/** The upper half of a float32. */
function widened(upper: number): number {
  bits.setUint32(0, upper * 2 ** 16);
  return bits.getFloat32(0);
}

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. */
function half(word: number): number {
  const sign = word & 0x8000 ? -1 : 1;
  const exponent = (word >> 10) & 31;
  const fraction = word & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
