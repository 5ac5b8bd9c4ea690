// Files that are whole or not there, whenever the process or the machine stops: written under another name, brought to
// the disk, renamed, and the name brought to the disk too.
import { builtin } from '../base/builtin.ts';
import { DataError } from '../base/errors.ts';
import { isAlive } from '../base/processes.ts';

const fileSystem = () => builtin<typeof import('node:fs/promises')>('fs/promises');
const paths = () => builtin<typeof import('node:path')>('path');

/** What an unfinished file is called, after the file that it is to be: by whom it is written, and a number. */
const unfinished = /^(.*)\.(\w+)-(\d+)-\d+\.unfinished$/;
let written = 0;
/** Those that this process writes now. */
const writing = new Set<string>();
/** Where we cannot ask for a process: one that has not written for so long was stopped. */
const abandonedMs = 10 * 60_000;

const hostName = () => builtin<typeof import('node:os')>('os').hostname().replace(/\W/g, '_');

/** Removes what processes that were stopped have left unfinished in a folder, of the files that are `own`. */
export async function removeAbandoned(folder: string, names: readonly string[], own: (name: string) => boolean) {
  const fs = fileSystem();
  for (const name of names) {
    const [, of, host, pid] = unfinished.exec(name) ?? [];
    if (of === undefined || !own(of) || writing.has(paths().resolve(folder, name))) continue;
    const path = paths().join(folder, name);
    // A worker thread has our number too, and so may have a process that was stopped, in a container.
    const canAsk = host === hostName() && Number(pid) !== process.pid;
    if (canAsk ? !isAlive(Number(pid)) : await isOld(path)) await fs.rm(path, { force: true });
  }
}

async function isOld(path: string): Promise<boolean> {
  const stats = await fileSystem()
    .stat(path)
    .catch(() => undefined);
  return stats !== undefined && Date.now() - stats.mtimeMs > abandonedMs;
}

/**
 * Makes a file of these pieces, in place of one of that name.
 *
 * @throws DataError when it cannot: what was there before is then still there, whole.
 */
export async function writeDurably(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const fs = fileSystem();
  const temporary = `${path}.${hostName()}-${process.pid}-${written++}.unfinished`;
  const name = paths().resolve(temporary);
  writing.add(name);
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
  } finally {
    writing.delete(name);
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
