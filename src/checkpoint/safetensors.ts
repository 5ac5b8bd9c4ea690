// The format of checkpoints: safetensors. Eight bytes with the length of a header, the header in JSON (names, dtypes,
// shapes, where the data lie, and texts about the file), then the data, one tensor directly after another.
//
// Reference: https://github.com/huggingface/safetensors, safetensors/src/tensor.rs. What it refuses is refused here.
import { DataError } from '../base/errors.ts';
import type { DType, TypedArray } from '../tensor/dtype.ts';
import { showShape } from '../tensor/shape.ts';
import { bitsOf, type ElementType, isElementType } from './elements.ts';
import { JsonReader } from './json.ts';

/** A tensor in a file: its elements are the bytes from `begin` to `end`. */
export interface StoredTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}
/** What a file says of itself. */
export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their bytes. */
  readonly tensors: readonly StoredTensor[];
}

/** Bytes before the header. */
export const prefixBytes = 8;
const mostHeaderBytes = 100_000_000;

const failIn = (file: string) => (at: number, what: string) =>
  new DataError(`${file} is not a whole safetensors file: at byte ${at}, ${what}.`);

/** Where the data begin, from the first bytes of a file of `size` bytes. @throws DataError */
export function dataOffset(bytes: Uint8Array, size: number, file: string): number {
  const fail = failIn(file);
  if (size < prefixBytes)
    throw fail(size, `it ends, before the ${prefixBytes} bytes that tell the length of its header`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > mostHeaderBytes)
    throw fail(0, `a header of ${length} bytes is announced; there may be ${mostHeaderBytes}`);
  if (Number(length) > size - prefixBytes) {
    throw fail(0, `a header of ${length} bytes is announced, but ${size - prefixBytes} follow`);
  }
  return prefixBytes + Number(length);
}

/** Reads what precedes the data: `bytes` go to `dataOffset`. @throws DataError that names file and byte. */
export function parseHeader(bytes: Uint8Array, size: number, file: string): SafetensorsHeader {
  const fail = failIn(file);
  if (bytes[prefixBytes] !== 0x7b) throw fail(prefixBytes, "the header does not begin with '{'");
  const reader = new JsonReader(bytes, prefixBytes, fail);
  const metadata = new Map<string, string>();
  const tensors: (StoredTensor & { readonly at: number })[] = [];
  reader.object((name, at) => {
    if (name === '__metadata__') reader.object((key) => metadata.set(key, reader.string()));
    else tensors.push({ name, at, ...readTensor(reader, fail, at, bytes.length) });
  });
  reader.end();
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let reached = bytes.length;
  for (const { name, begin, end, at } of tensors) {
    if (begin !== reached) {
      const what = begin < reached ? 'overlap those before' : 'leave a gap behind those before';
      throw fail(at, `the data of ${JSON.stringify(name)} ${what}: they begin at ${begin}, not at ${reached}`);
    }
    reached = end;
  }
  if (reached !== size) throw fail(Math.min(reached, size), `${size} bytes are there, but the data end at ${reached}`);
  return { metadata, tensors: tensors.map(({ at: _, ...tensor }) => tensor) };
}

/** A tensor's entry: `{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}`. */
function readTensor(reader: JsonReader, fail: ReturnType<typeof failIn>, at: number, from: number) {
  let type: ElementType | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  const counts = (): number[] => {
    const list: number[] = [];
    reader.array(() => list.push(reader.count()));
    return list;
  };
  reader.object((field, where) => {
    if (field === 'dtype') {
      const text = reader.string();
      if (!isElementType(text)) throw fail(where, `there is no dtype ${JSON.stringify(text)}`);
      type = text;
    } else if (field === 'shape') shape = counts();
    else if (field === 'data_offsets') offsets = counts();
    else reader.skip();
  });
  if (!type || !shape || offsets?.length !== 2) throw fail(at, 'dtype, shape and two data_offsets are not all there');
  const [begin, end] = offsets;
  const bits = shape.reduce((a, b) => a * BigInt(b), BigInt(bitsOf[type]));
  if (end < begin || BigInt(end - begin) * 8n !== bits) {
    throw fail(at, `${type} of ${showShape(shape)} does not fill the bytes from ${begin} to ${end}`);
  }
  return { type, shape, begin: from + begin, end: from + end };
}

/** A tensor to be written. */
export interface TensorToStore {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}
const storedTypes: Readonly<Record<DType, ElementType>> = {
  float64: 'F64',
  float32: 'F32',
  int32: 'I32',
  uint8: 'U8',
  bool: 'BOOL',
};
const order = Object.keys(storedTypes);
const utf8 = new TextEncoder();

/**
 * A file in pieces: what precedes the data, then the data of each tensor, not copied. As the reference orders them,
 * wider elements first and then by name, so that all data are aligned.
 */
export function toSafetensors(
  tensors: readonly TensorToStore[],
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array[] {
  const named = tensors.map((tensor) => ({ ...tensor, key: utf8.encode(tensor.name) }));
  named.sort((a, b) => order.indexOf(a.dtype) - order.indexOf(b.dtype) || compareBytes(a.key, b.key));
  let end = 0;
  const entries = named.map(({ name, dtype, shape, data }) => {
    const offsets = [end, (end += data.byteLength)];
    return [name, { dtype: storedTypes[dtype], shape, data_offsets: offsets }] as const;
  });
  // By hand: an object would put names that are numbers first.
  const members = entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`);
  if (metadata.size > 0) {
    const texts = [...metadata].map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`);
    members.unshift(`"__metadata__":{${texts.join(',')}}`);
  }
  const json = utf8.encode(`{${members.join(',')}}`);
  const length = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(prefixBytes + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, prefixBytes);
  return [header, ...named.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? a.length - b.length : a[at] - (b[at] ?? -1);
}
