// Files that are whole or not there, whenever the process or the machine stops: written under another name, brought to
// the disk, renamed, and the name brought to the disk too.
import { builtin } from '../base/builtin.ts';
import { DataError } from '../base/errors.ts';

const fileSystem = () => builtin<typeof import('node:fs/promises')>('fs/promises');
const paths = () => builtin<typeof import('node:path')>('path');

/** What an unfinished file is called; whoever finds an old one may remove it. */
export const unfinished = /\.\d+\.unfinished$/;
let written = 0;

/**
 * Makes a file of these pieces, in place of one of that name.
 *
 * @throws DataError when it cannot: what was there before is then still there, whole.
 */
export async function writeDurably(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const fs = fileSystem();
  const temporary = `${path}.${process.pid}${written++}.unfinished`;
  try {
    const file = await fs.open(temporary, 'w');
    try {
      for (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(temporary, path);
    await syncFolder(paths().dirname(path));
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => {});
    throw notWritten(path, error);
  }
}

/** Brings the names in a folder to the disk; Windows does that by itself, and cannot be asked to. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await fileSystem().open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const advice: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist; make it first',
  ENOTDIR: 'a part of its path is a file, not a folder',
  EISDIR: 'there is a folder of that name',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'you may not write there',
  EPERM: 'you may not write there',
  EROFS: 'the file system is read-only',
  EFBIG: 'the file system does not take files of that size',
};

function notWritten(path: string, error: unknown): DataError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const why = advice[code] ? `${advice[code]} (${code})` : message;
  return new DataError(`${path} could not be written: ${why}. Nothing has changed; what was there before is whole.`, {
    cause: error,
  });
}
