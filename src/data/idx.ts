// IDX, the format of MNIST's files: a magic number that names type and rank, big-endian sizes, then the elements.
import { DataError } from '../base/errors.ts';
import { elements, showShape } from '../tensor/shape.ts';

/** A file of bytes, and the shape that its header gives. */
export interface IdxFile {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/**
 * The contents of an IDX file of unsigned bytes.
 *
 * @throws DataError when it is not one, has another rank, or is too short or too long: says which file and what to do.
 */
export function parseIdx(bytes: Uint8Array, rank: number, name: string): IdxFile {
  const remedy = 'Delete it to have it downloaded again, or put the right file in its place.';
  const header = 4 + 4 * rank;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = 0x800 + rank;
  if (bytes.length < 4 || view.getUint32(0) !== magic) {
    const found = bytes.length < 4 ? `only ${bytes.length} bytes` : `the magic number ${view.getUint32(0)}`;
    throw new DataError(
      `${name} is not an IDX file of ${rank} dimensions: expected the magic number ${magic}, found ${found}. ${remedy}`,
    );
  }
  if (bytes.length < header) throw new DataError(`${name} ends inside its header (${bytes.length} bytes). ${remedy}`);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const expected = header + elements(shape);
  if (bytes.length !== expected) {
    throw new DataError(
      `${name} should have ${expected} bytes for ${showShape(shape)}, but has ${bytes.length}. ${remedy}`,
    );
  }
  return { shape, data: bytes.subarray(header) };
}
