// Whose a file or folder is: compiled code is run, so nobody else may have been able to write it.
import { builtin } from '../../../base/builtin.ts';

const fs = () => builtin<typeof import('node:fs')>('fs');

/** More than any compiled program, and more than should be read to find out that it is none. */
const mostBytes = 2 ** 28;
/** Group and others may write. */
const writableByOthers = 0o022;

interface Owned {
  readonly uid: number;
  readonly mode: number;
}

const isOwn = ({ uid }: Owned): boolean => process.geteuid === undefined || uid === process.geteuid();
const isClosed = ({ mode }: Owned): boolean => process.platform === 'win32' || (mode & writableByOthers) === 0;

/** Why what lies in a folder may not be trusted: undefined if it may, or if the folder is not there. */
export function whyNotOwn(folder: string): string | undefined {
  const stat = fs().lstatSync(folder, { throwIfNoEntry: false });
  if (!stat) return undefined;
  if (stat.isSymbolicLink()) return 'it is a link';
  if (!stat.isDirectory()) return 'it is not a folder';
  if (!isOwn(stat)) return 'it belongs to another user';
  return isClosed(stat) ? undefined : 'other users may write to it';
}

/**
 * What a file of this user contains. Undefined for what is not a plain file, may have been written by others, or is larger
 * than any program: no link is followed, and nothing is waited for.
 */
export function readOwn(file: string): Uint8Array | undefined {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs().constants;
  const handle = fs().openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stat = fs().fstatSync(handle);
    if (!stat.isFile() || !isOwn(stat) || !isClosed(stat) || stat.size > mostBytes) return undefined;
    return fs().readFileSync(handle);
  } finally {
    fs().closeSync(handle);
  }
}
