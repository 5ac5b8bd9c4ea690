// Compiled programs on disk, so that the second start of a program does not wait for a compiler.
import { builtin } from '../../../base/builtin.ts';

const fs = () => builtin<typeof import('node:fs')>('fs');
const os = () => builtin<typeof import('node:os')>('os');
const path = () => builtin<typeof import('node:path')>('path');

/** When the entries are more bytes than this, the oldest go until a quarter is free. */
const defaultLimit = 256 * 2 ** 20;
/** Between two looks at the size. */
const writesPerLook = 32;
/** What a compiler left behind in this long a time belongs to a process that has died, in milliseconds. */
const abandoned = 3_600_000;

/** The hash of some texts, as file names need it. */
export function hashOf(...parts: (string | Uint8Array)[]): string {
  const hash = builtin<typeof import('node:crypto')>('crypto').createHash('sha256');
  for (const part of parts) hash.update(String(part.length)).update(' ').update(part);
  return hash.digest('hex').slice(0, 32);
}

/** The folder in which the user's caches lie. */
function userFolder(): string {
  const { env, platform } = process;
  if (env.MILLRACE_CACHE) return path().resolve(env.MILLRACE_CACHE);
  if (env.XDG_CACHE_HOME) return path().join(env.XDG_CACHE_HOME, 'millrace');
  return path().join(os().homedir(), platform === 'darwin' ? 'Library/Caches' : '.cache', 'millrace');
}

/** With the folders around it. Node's own way to do that never ends where a file system allows no folders. */
function makeFolder(folder: string): void {
  if (fs().existsSync(folder)) return;
  const around = path().dirname(folder);
  if (around !== folder) makeFolder(around);
  try {
    fs().mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have been faster.
    if (!fs().existsSync(folder)) throw error;
  }
}

const said = new Set<string>();

/**
 * A folder of files that are named after what they were made from and what they contain: an entry whose content has
 * another hash than its name is damaged, and is not there. Files are written elsewhere and renamed, so any number of
 * processes may use the folder at once.
 */
export class DiskCache {
  readonly folder: string;
  readonly #limit: number;
  #writes = 0;

  /** A temporary folder is used, and that is said once, where the given one cannot be written to. */
  constructor(folder: string, limit = defaultLimit) {
    this.#limit = limit;
    this.folder = folder;
    try {
      this.#tryToWrite(folder);
    } catch (error) {
      this.folder = temporaryFolder();
      if (!said.has(folder)) {
        said.add(folder);
        console.warn(
          `millrace: the cache folder ${folder} cannot be written to (${(error as Error).message}); compiled programs go to a ` +
            'temporary folder and are compiled again next time. MILLRACE_CACHE names another folder.',
        );
      }
    }
  }

  #tryToWrite(folder: string): void {
    const { writeFileSync, rmSync } = fs();
    makeFolder(folder);
    const probe = path().join(folder, `probe-${process.pid}-${Math.random().toString(36).slice(2)}`);
    writeFileSync(probe, 'x');
    rmSync(probe);
  }

  /** The file of an entry, if it is there and whole. */
  find(key: string, suffix: string): string | undefined {
    const { readdirSync, readFileSync, rmSync, utimesSync } = fs();
    const folder = path().join(this.folder, key.slice(0, 2));
    let names: string[];
    try {
      names = readdirSync(folder);
    } catch {
      return undefined;
    }
    for (const name of names) {
      if (!name.startsWith(`${key}-`) || !name.endsWith(suffix)) continue;
      const file = path().join(folder, name);
      try {
        if (name === `${key}-${hashOf(readFileSync(file))}${suffix}`) {
          const now = new Date();
          utimesSync(file, now, now);
          return file;
        }
        rmSync(file, { force: true });
      } catch {
        // Another process has removed it, or it may be read by nobody: it is not there.
      }
    }
    return undefined;
  }

  /** Makes a file an entry: it is moved. @returns where it is now. */
  add(key: string, suffix: string, file: string): string {
    const { readFileSync, renameSync } = fs();
    const folder = path().join(this.folder, key.slice(0, 2));
    makeFolder(folder);
    const entry = path().join(folder, `${key}-${hashOf(readFileSync(file))}${suffix}`);
    renameSync(file, entry);
    if (this.#writes++ % writesPerLook === 0) this.#bound(entry);
    return entry;
  }

  /** A new folder for a compiler to work in. */
  workFolder(): string {
    return fs().mkdtempSync(path().join(this.folder, 'work-'));
  }

  /** Removes the entries that were not used for longest, but not the one that has just been made. */
  #bound(latest: string): void {
    const { readdirSync, rmSync, statSync } = fs();
    const files: { file: string; time: number; size: number }[] = [];
    for (const name of readdirSync(this.folder)) {
      const inside = path().join(this.folder, name);
      try {
        const work = name.startsWith('work-');
        if (work && Date.now() - statSync(inside).mtimeMs > abandoned) rmSync(inside, { recursive: true, force: true });
        if (work || !statSync(inside).isDirectory()) continue;
        for (const entry of readdirSync(inside)) {
          const file = path().join(inside, entry);
          const { mtimeMs, size } = statSync(file);
          if (file !== latest) files.push({ file, time: mtimeMs, size });
        }
      } catch {
        // Another process was faster.
      }
    }
    let bytes = files.reduce((sum, { size }) => sum + size, 0);
    if (bytes <= this.#limit) return;
    for (const { file, size } of files.sort((a, b) => a.time - b.time)) {
      if (bytes <= this.#limit * 0.75) return;
      rmSync(file, { force: true });
      bytes -= size;
    }
  }
}

let temporary: string | undefined;
/** One a process, which goes when the process ends. */
function temporaryFolder(): string {
  if (temporary) return temporary;
  const folder = fs().mkdtempSync(path().join(os().tmpdir(), 'millrace-'));
  process.on('exit', () => fs().rmSync(folder, { recursive: true, force: true }));
  temporary = folder;
  return folder;
}

const caches = new Map<string, DiskCache>();
/** The cache of this user. */
export function userCache(): DiskCache {
  const folder = userFolder();
  let cache = caches.get(folder);
  if (!cache) caches.set(folder, (cache = new DiskCache(folder)));
  return cache;
}
