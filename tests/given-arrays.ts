// Typed arrays as users may have them: honest ones of every kind of memory, and ones that lie about themselves.
import { runInNewContext } from 'node:vm';
import type { GivenArrays } from '../src/tensor/dtype.ts';

/** Not in the types of ES2022. */
const resizable = (bytes: number, most: number): ArrayBuffer =>
  new (ArrayBuffer as any)(bytes, { maxByteLength: most }) as ArrayBuffer;
const growable = (bytes: number, most: number): ArrayBuffer =>
  new (SharedArrayBuffer as any)(bytes, { maxByteLength: most }) as ArrayBuffer;

/** An array with some elements, and what its owner may do to it after it was fed. */
export interface Given<A> {
  readonly data: A;
  readonly spoil: () => void;
}
type Make = (values: Float32Array) => Given<Float32Array>;

const written = (data: Float32Array, values: Float32Array): Float32Array => {
  Float32Array.prototype.set.call(data, values);
  return data;
};
const overwrite = (data: Float32Array) => () => void Float32Array.prototype.fill.call(data, 1e9);
const over = (data: Float32Array, values: Float32Array): Given<Float32Array> => ({
  data: written(data, values),
  spoil: overwrite(data),
});

/** Its answers to whatever may be asked of a typed array are wrong, and its methods do something else. */
class Liar extends Float32Array {
  static get [Symbol.species](): any {
    return Uint8Array;
  }
  override get length(): number {
    return 3 * 2 ** 20;
  }
  override get byteLength(): number {
    return 12 * 2 ** 20;
  }
  override get byteOffset(): number {
    return 4;
  }
  override get buffer(): any {
    return new ArrayBuffer(0);
  }
  override get [Symbol.toStringTag](): any {
    return 'Float64Array';
  }
  override slice(): any {
    return this;
  }
  override subarray(): any {
    return this;
  }
  override set(): void {}
  override every(): boolean {
    return false;
  }
  override *[Symbol.iterator](): any {
    yield 666;
  }
}

export const givenArrays: Readonly<Record<string, Make>> = {
  plain: (values) => over(new Float32Array(values.length), values),
  'part of a buffer': (values) => over(new Float32Array(values.length + 9).subarray(3, 3 + values.length), values),
  shared: (values) => over(new Float32Array(new SharedArrayBuffer(4 * values.length)), values),
  'shared that can grow': (values) => {
    const buffer = growable(4 * values.length, 8 * values.length);
    const data = written(new Float32Array(buffer, 0, values.length), values);
    return {
      data,
      spoil: () => {
        (buffer as any).grow(8 * values.length);
        overwrite(data)();
      },
    };
  },
  'as long as a buffer that shrinks': (values) => {
    const buffer = resizable(4 * values.length, 4 * values.length);
    const data = written(new Float32Array(buffer), values);
    return { data, spoil: () => void (buffer as any).resize(4) };
  },
  'in a buffer that shrinks': (values) => {
    const buffer = resizable(4 * values.length + 64, 4 * values.length + 64);
    const data = written(new Float32Array(buffer, 16, values.length), values);
    return { data, spoil: () => void (buffer as any).resize(32) };
  },
  'as long as a buffer that grows': (values) => {
    const buffer = resizable(4 * values.length, 8 * values.length);
    const data = written(new Float32Array(buffer), values);
    return {
      data,
      spoil: () => {
        (buffer as any).resize(8 * values.length);
        overwrite(data)();
      },
    };
  },
  'transferred later': (values) => {
    const data = written(new Float32Array(values.length), values);
    return { data, spoil: () => void structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] }) };
  },
  'in a WebAssembly memory that grows': (values) => {
    const memory = new WebAssembly.Memory({ initial: Math.ceil((4 * values.length) / 65536), maximum: 1000 });
    const data = written(new Float32Array(memory.buffer, 0, values.length), values);
    return { data, spoil: () => void memory.grow(1) };
  },
  'with a length of its own': (values) => {
    const data = written(new Float32Array(values.length), values);
    Object.defineProperty(data, 'length', { value: 2 * values.length });
    Object.defineProperty(data, 'slice', { value: () => data });
    return { data, spoil: overwrite(data) };
  },
  'a class that lies': (values) => over(new Liar(values.length), values),
  'without a prototype': (values) => {
    const data = written(new Float32Array(values.length), values);
    return { data: Object.setPrototypeOf(data, null), spoil: overwrite(data) };
  },
  'with a constructor that lies': (values) => {
    const data = written(new Float32Array(values.length), values);
    const species = function Fake() {
      return new Uint8Array(1);
    };
    Object.assign(species, { [Symbol.species]: species });
    Object.defineProperty(data, 'constructor', { value: species });
    Object.defineProperty(data.buffer, 'constructor', { value: species });
    Object.defineProperty(data.buffer, 'byteLength', { value: 0 });
    return { data, spoil: overwrite(data) };
  },
  'of another realm': (values) => over(runInNewContext(`new Float32Array(${values.length})`) as Float32Array, values),
  'shared, under another prototype': (values) => {
    const buffer = new SharedArrayBuffer(4 * values.length);
    Object.setPrototypeOf(buffer, ArrayBuffer.prototype);
    return over(new Float32Array(buffer), values);
  },
};

type Bytes = (values: Uint8Array) => Given<GivenArrays['uint8']>;
const overBytes = (data: GivenArrays['uint8'], values: Uint8Array): Given<GivenArrays['uint8']> => {
  Uint8Array.prototype.set.call(data, values);
  return { data, spoil: () => void Uint8Array.prototype.fill.call(data, 99) };
};

export const givenBytes: Readonly<Record<string, Bytes>> = {
  'a Buffer': (values) => overBytes(Buffer.alloc(values.length), values),
  'a small Buffer, in memory with others': (values) => overBytes(Buffer.from(values), values),
  'a part of a Buffer': (values) => overBytes(Buffer.alloc(values.length + 4).subarray(1, 1 + values.length), values),
  clamped: (values) => overBytes(new Uint8ClampedArray(values.length), values),
  'clamped, at an odd offset': (values) => overBytes(new Uint8ClampedArray(values.length + 3).subarray(3), values),
  'clamped, of another realm': (values) =>
    overBytes(runInNewContext(`new Uint8ClampedArray(${values.length})`) as Uint8ClampedArray, values),
};
