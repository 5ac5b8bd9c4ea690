// Compiled programs on disk, so that the second start of a program does not wait for a compiler.
import { builtin, environment } from '../../../base/builtin.ts';
import { UnavailableError } from '../../../base/errors.ts';
import { abandonedMs, isAlive, processSpace } from '../../../base/processes.ts';
import { readOwn, whyNotOwn } from './own-files.ts';

const fs = () => builtin<typeof import('node:fs')>('fs');
const os = () => builtin<typeof import('node:os')>('os');
const path = () => builtin<typeof import('node:path')>('path');

/** When the entries are more bytes than this, the oldest go until a quarter is free. */
const defaultLimit = 256 * 2 ** 20;
/** Between two looks at the size. */
const writesPerLook = 32;

/** The hash of some texts, as file names need it. */
export function hashOf(...parts: (string | Uint8Array)[]): string {
  const hash = builtin<typeof import('node:crypto')>('crypto').createHash('sha256');
  for (const part of parts) hash.update(String(part.length)).update(' ').update(part);
  return hash.digest('hex').slice(0, 32);
}

/** The folder in which the user's caches lie; undefined where nothing says which. */
function userFolder(): string | undefined {
  const named = environment('MILLRACE_CACHE');
  if (named) return path().resolve(named);
  // What is relative would be another folder in each working folder, and may be anybody's.
  const caches = environment('XDG_CACHE_HOME') ?? '';
  if (path().isAbsolute(caches)) return path().join(caches, 'millrace');
  const home = os().homedir();
  if (!path().isAbsolute(home)) return undefined;
  return path().join(home, process.platform === 'darwin' ? 'Library/Caches' : '.cache', 'millrace');
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
 * another hash than its name is damaged, and is not there. Nor is one that somebody else may have written. Files are
 * written elsewhere and renamed, so any number of processes may use the folder at once.
 */
export class DiskCache {
  readonly folder: string;
  readonly #limit: number;
  #writes = 0;

  /**
   * A temporary folder is used, and that is said once, where there is no folder, or it cannot be written to, or others
   * may write to it.
   *
   * @throws UnavailableError where there is none of these either.
   */
  constructor(folder: string | undefined, limit = defaultLimit) {
    this.#limit = limit;
    const problem = folder === undefined ? 'the home folder is not known' : this.#whyNot(folder);
    this.folder = folder === undefined || problem ? temporaryFolder() : folder;
    if (problem && !said.has(folder ?? '')) {
      said.add(folder ?? '');
      console.warn(
        `millrace: the cache folder${folder === undefined ? '' : ` ${folder}`} cannot be used (${problem}); compiled programs go to a temporary folder and ` +
          'are compiled again next time. MILLRACE_CACHE names another folder.',
      );
    }
    this.#clearAbandoned();
  }

  #whyNot(folder: string): string | undefined {
    const { writeFileSync, rmSync } = fs();
    try {
      makeFolder(folder);
      const probe = path().join(folder, `probe-${process.pid}-${Math.random().toString(36).slice(2)}`);
      const problem = whyNotOwn(folder);
      if (problem) return problem;
      writeFileSync(probe, 'x', { mode: 0o600 });
      rmSync(probe);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** The file of an entry, if it is there, whole, and this user's. */
  find(key: string, suffix: string): string | undefined {
    const { readdirSync, rmSync, utimesSync } = fs();
    const folder = path().join(this.folder, key.slice(0, 2));
    let names: string[];
    try {
      if (whyNotOwn(this.folder) || whyNotOwn(folder)) return undefined;
      names = readdirSync(folder);
    } catch {
      return undefined;
    }
    for (const name of names) {
      if (!name.startsWith(`${key}-`) || !name.endsWith(suffix)) continue;
      const file = path().join(folder, name);
      try {
        const content = readOwn(file);
        if (content && name === `${key}-${hashOf(content)}${suffix}`) {
          const now = new Date();
          utimesSync(file, now, now);
          return file;
        }
        rmSync(file, { recursive: true, force: true });
      } catch {
        // Another process has removed it, or it is a link, or it may be read by nobody: it is not there.
      }
    }
    return undefined;
  }

  /** What an entry contains, if it is there. */
  read(key: string, suffix: string): string | undefined {
    const file = this.find(key, suffix);
    const content = file === undefined ? undefined : readOwn(file);
    return content && new TextDecoder().decode(content);
  }

  /** Makes a file an entry: it is moved. @returns where it is now. */
  add(key: string, suffix: string, file: string): string {
    const { chmodSync, readFileSync, renameSync, rmSync } = fs();
    const folder = path().join(this.folder, key.slice(0, 2));
    makeFolder(folder);
    // Compilers make files that a lax umask lets others write.
    chmodSync(file, 0o700);
    const entry = path().join(folder, `${key}-${hashOf(readFileSync(file))}${suffix}`);
    rmSync(entry, { recursive: true, force: true });
    renameSync(file, entry);
    if (this.#writes++ % writesPerLook === 0) this.#bound(entry);
    return entry;
  }

  /** Removes an entry that turned out to be of no use. */
  remove(file: string): void {
    fs().rmSync(file, { recursive: true, force: true });
  }

  /** A new folder for a compiler to work in. It is made again where somebody has emptied the cache. */
  workFolder(): string {
    makeFolder(this.folder);
    return fs().mkdtempSync(path().join(this.folder, `work-${processSpace()}-${process.pid}-`));
  }

  /** Keeps what a compiler worked on, for a day: somebody is told to look at it. @returns where it is now. */
  keep(workFolder: string): string {
    const kept = workFolder.replace(/work-(?=[^/\\]*$)/, 'failed-');
    fs().renameSync(workFolder, kept);
    return kept;
  }

  /** Removes what processes that have died were working on. */
  #clearAbandoned(): void {
    const { readdirSync, rmSync, statSync } = fs();
    const own = processSpace();
    for (const name of readdirSync(this.folder)) {
      const [, kind, host, pid] = /^(work|failed)-([^-]*)-(\d+)-/.exec(name) ?? [];
      if (!kind) continue;
      const folder = path().join(this.folder, name);
      try {
        const dead = kind === 'work' && host === own && !isAlive(Number(pid));
        if (dead || Date.now() - statSync(folder).mtimeMs > abandonedMs)
          rmSync(folder, { recursive: true, force: true });
      } catch {
        // Another process was faster.
      }
    }
  }

  /** Removes the entries that were not used for longest, but not the one that has just been made. */
  #bound(latest: string): void {
    const { readdirSync, rmSync, statSync } = fs();
    const files: { file: string; time: number; size: number }[] = [];
    for (const name of readdirSync(this.folder)) {
      const inside = path().join(this.folder, name);
      try {
        if (/^(work|failed)-/.test(name) || !statSync(inside).isDirectory()) continue;
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
/** One a process, which goes when the process ends. @throws UnavailableError where none can be made. */
function temporaryFolder(): string {
  if (temporary) return temporary;
  let folder: string;
  try {
    folder = fs().mkdtempSync(path().join(path().resolve(os().tmpdir()), 'millrace-'));
  } catch (error) {
    throw new UnavailableError(
      `The native backend keeps its programs in files, but neither the cache folder nor a temporary one can be written to ` +
        `(${(error as Error).message}). MILLRACE_CACHE and TMPDIR name other folders.`,
    );
  }
  process.on('exit', () => fs().rmSync(folder, { recursive: true, force: true }));
  temporary = folder;
  return folder;
}

const caches = new Map<string | undefined, DiskCache>();
const cacheIn = (folder: string | undefined): DiskCache => {
  let cache = caches.get(folder);
  if (!cache) caches.set(folder, (cache = new DiskCache(folder)));
  return cache;
};
/** The cache of this user. @throws UnavailableError where nothing can be written. */
export const userCache = (): DiskCache => cacheIn(userFolder());
/** One that lasts as long as the process, for where the user's turns out to be of no use. */
export const temporaryCache = (): DiskCache => cacheIn(temporaryFolder());
