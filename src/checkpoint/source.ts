// What a checkpoint is read from, a part at a time: a file, or bytes.
import { builtin } from '../base/builtin.ts';
import { DataError } from '../base/errors.ts';
import { inSlices } from '../base/turns.ts';
import { copying } from '../tensor/copying.ts';

/** Bytes that can be read anywhere. */
export interface Source {
  /** For messages. */
  readonly name: string;
  readonly size: number;
  /** In memory of its own, from its beginning on. */
  read(begin: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export const bytesSource = (bytes: Uint8Array, name: string): Source => ({
  name,
  size: bytes.length,
  read: (begin, end) => inSlices(copying('uint8', bytes.subarray(begin, end))) as Promise<Uint8Array>,
  close: async () => {},
});

/** @throws DataError when it is missing, or no file, or may not be read. */
export async function openFile(path: string): Promise<Source> {
  const fs = builtin<typeof import('node:fs/promises')>('fs/promises');
  try {
    const file = await fs.open(path, 'r');
    const stats = await file.stat();
    if (!stats.isFile()) {
      await file.close();
      throw Object.assign(new Error('it is no file'), { code: 'EISDIR' });
    }
    const read = async (begin: number, end: number) => {
      const bytes = new Uint8Array(Math.max(0, end - begin));
      let at = 0;
      while (at < bytes.length) {
        const { bytesRead } = await file.read(bytes, at, bytes.length - at, begin + at);
        if (bytesRead === 0) throw new DataError(`${path} became shorter while it was read.`);
        at += bytesRead;
      }
      return bytes;
    };
    return { name: path, size: stats.size, read, close: () => file.close() };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is none of that name' : code === 'EISDIR' ? 'it is no file' : message;
    throw new DataError(`The checkpoint ${path} cannot be read: ${why}.`, { cause: error });
  }
}
