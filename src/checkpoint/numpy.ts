// import … from 'millrace/numpy': NumPy's files of one array, .npy, and of several, .npz.
import { DataError, InvalidArgumentError } from '../base/errors.ts';
import { describe } from '../tensor/describe.ts';
import { HostArray, type NDArray } from '../tensor/ndarray.ts';
import { parseNpy, printNpy } from './npy.ts';
import { unzip, zip } from './zip.ts';

function checkBytes(what: string, bytes: unknown): void {
  if (bytes instanceof Uint8Array) return;
  throw new InvalidArgumentError(
    `${what}: expected the bytes of a file, as a Uint8Array, but ${describe(bytes)} came.`,
  );
}

/**
 * The array of an .npy file, row-major, whatever its order there. Whole numbers become int32 (uint8 stays), float16
 * becomes float32; either byte order is read.
 *
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { fromNpy } from 'millrace/numpy';
 * const images = fromNpy(await readFile('images.npy'), 'images.npy');
 * ```
 *
 * @param name of the file, for messages.
 * @throws DataError that names file and byte, for a file that is none or is not whole, for objects, texts, complex
 * numbers and dates, and for whole numbers beyond int32.
 */
export function fromNpy(bytes: Uint8Array, name = 'The .npy file'): NDArray {
  checkBytes('fromNpy', bytes);
  return parseNpy(bytes, name);
}

/**
 * The bytes of an .npy file of an array, as NumPy writes it (version 1, row-major, little-endian).
 *
 * ```ts
 * await writeFile('W.npy', toNpy(await sess.run(W)));      // numpy.load('W.npy')
 * ```
 *
 * @throws InvalidArgumentError for what is no array of tf.array or of a fetch.
 */
export function toNpy(array: NDArray): Uint8Array {
  if (!HostArray.is(array))
    throw new InvalidArgumentError(`toNpy: expected an array of tf.array or of a fetch, but ${describe(array)} came.`);
  return printNpy(array);
}

/**
 * The arrays of an .npz file by their names, stored or compressed.
 *
 * ```ts
 * const { W, b } = await fromNpz(await readFile('weights.npz'), 'weights.npz');
 * ```
 *
 * @param name of the file, for messages.
 * @throws DataError that names file and byte, as `fromNpy` does (as a rejection).
 */
export async function fromNpz(bytes: Uint8Array, name = 'The .npz file'): Promise<Record<string, NDArray>> {
  checkBytes('fromNpz', bytes);
  const arrays: [string, NDArray][] = [];
  for (const [member, content] of await unzip(bytes, name)) {
    if (!member.endsWith('.npy')) throw new DataError(`${name} has a file ${member}; expected names that end in .npy.`);
    arrays.push([member.slice(0, -'.npy'.length), parseNpy(content, `${member} in ${name}`)]);
  }
  // As own properties, whatever their names.
  return Object.fromEntries(arrays);
}

/**
 * The bytes of an .npz file of arrays by their names, not compressed, as numpy.savez writes it.
 *
 * ```ts
 * await writeFile('weights.npz', toNpz({ W: await sess.run(W), b: await sess.run(b) }));
 * ```
 *
 * @throws InvalidArgumentError as `toNpy` does.
 */
export function toNpz(arrays: Readonly<Record<string, NDArray>>): Uint8Array {
  return zip(new Map(Object.entries(arrays).map(([name, array]) => [`${name}.npy`, toNpy(array)])));
}
