// A folder of checkpoints: how files are called, which is the latest, and which may go.
import { builtin } from '../base/builtin.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import { describe } from '../tensor/describe.ts';
import { removeAbandoned, writeDurably } from './durable.ts';

const fileSystem = () => builtin<typeof import('node:fs/promises')>('fs/promises');
const paths = () => builtin<typeof import('node:path')>('path');
const extension = '.safetensors';
/** TensorFlow's name of the file that tells which checkpoint is the latest. */
const stateFile = 'checkpoint';
/** `run/model` and 200: `run/model-200.safetensors`. */
export function fileNamed(path: string, step: number | undefined): string {
  const prefix = path.endsWith(extension) ? path.slice(0, -extension.length) : path;
  return `${prefix}${step === undefined ? '' : `-${step}`}${extension}`;
}

/** The file of a checkpoint: given with or without its ending, or by its folder. */
export async function checkpointFile(what: string, path: string): Promise<string> {
  if (typeof path !== 'string' || path === '') {
    throw new InvalidArgumentError(
      `${what}: expected the path of a checkpoint, such as 'run/model-200.safetensors', but ${describe(path)} came.`,
    );
  }
  const stats = await fileSystem()
    .stat(path)
    .catch(() => undefined);
  if (stats?.isDirectory()) return (await latestIn(path)) ?? path;
  return stats || path.endsWith(extension) ? path : `${path}${extension}`;
}

/** Bytes that are not ASCII, as TensorFlow writes them in its text files: `\303\251`. */
const octal = (text: string) =>
  Uint8Array.from(text.match(/\\?\d{3}/g) ?? [], (code) => Number.parseInt(code.slice(1), 8));
const unquoted = (text: string): string =>
  JSON.parse(text.replace(/(\\[0-7]{3})+/g, (bytes) => new TextDecoder().decode(octal(bytes))));

/** The newest checkpoint in a folder, as its file `checkpoint` tells. */
export async function latestIn(folder: string): Promise<string | undefined> {
  const fs = fileSystem();
  const text = await fs.readFile(paths().join(folder, stateFile), 'utf8').catch(() => '');
  const names = [...text.matchAll(/^(all_)?model_checkpoint_paths?:\s*("(?:[^"\\]|\\.)*")\s*$/gm)];
  // The latest is named first, and the others from the oldest on.
  const latest = names.filter(([, all]) => !all).map(([, , name]) => unquoted(name));
  const others = names.filter(([, all]) => all).map(([, , name]) => unquoted(name));
  for (const name of [...latest, ...others.reverse()]) {
    const path = paths().resolve(folder, name) === name ? name : paths().join(folder, name);
    for (const file of [path, `${path}${extension}`]) {
      if (!(await fs.stat(file).catch(() => undefined))?.isFile()) continue;
      if (name !== latest[0])
        console.warn(
          `millrace: ${folder}: the latest checkpoint, ${latest[0]}, is not there any more; ${name} is taken.`,
        );
      return file;
    }
  }
  return undefined;
}

/** How many checkpoints stay. */
export interface Keep {
  readonly maxToKeep: number;
  readonly keepCheckpointEveryNHours: number | undefined;
}

/** Writes down that a checkpoint is the latest, then removes those of its prefix that need not be kept. */
export async function settle(file: string, path: string, keep: Keep): Promise<void> {
  const fs = fileSystem();
  const { dirname, basename, join } = paths();
  const folder = dirname(file);
  const prefix = basename(fileNamed(path, undefined)).slice(0, -extension.length);
  const own = new RegExp(`^${prefix.replace(/[^\w]/g, '\\$&')}(-\\d+)?\\${extension}$`);
  const found: { name: string; time: number }[] = [];
  const names = await fs.readdir(folder);
  for (const name of names.filter((name) => own.test(name))) {
    const time = (await fs.stat(join(folder, name)).catch(() => undefined))?.mtimeMs;
    if (time !== undefined) found.push({ name, time });
  }
  await removeAbandoned(folder, names, (name) => name === stateFile || own.test(name));
  const newest = basename(file);
  found.sort((a, b) => Number(a.name === newest) - Number(b.name === newest) || a.time - b.time);
  const superfluous = surplus(found, keep);
  const kept = found.filter(({ name }) => !superfluous.has(name)).map(({ name }) => name);
  const lines = [`model_checkpoint_path: ${JSON.stringify(newest)}`];
  lines.push(...kept.map((name) => `all_model_checkpoint_paths: ${JSON.stringify(name)}`));
  await writeDurably(join(folder, stateFile), [new TextEncoder().encode(`${lines.join('\n')}\n`)]);
  for (const name of superfluous) await fs.rm(join(folder, name), { force: true });
}

/** The files, given from the oldest on, that are more than may stay. */
function surplus(found: readonly { name: string; time: number }[], keep: Keep): ReadonlySet<string> {
  const { maxToKeep, keepCheckpointEveryNHours: hours } = keep;
  if (maxToKeep === 0) return new Set();
  const stays = new Set(found.slice(-maxToKeep).map(({ name }) => name));
  const spans = new Set<number>();
  for (const { name, time } of found) {
    // The first of each span of so many hours stays for ever.
    const span = hours === undefined ? undefined : Math.floor(time / (hours * 3_600_000));
    if (span === undefined || spans.has(span)) continue;
    spans.add(span);
    stays.add(name);
  }
  return new Set(found.filter(({ name }) => !stays.has(name)).map(({ name }) => name));
}
