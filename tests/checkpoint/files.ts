// Files of other systems (tests/fixtures/make-files.py), and how hostile ones must end.
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { DataError } from '../../src/index.ts';

interface Fixture {
  readonly base64: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly (number | string)[];
}
const url = new URL('../fixtures/files.json', import.meta.url);
const fixtures: Record<string, Fixture> = JSON.parse(readFileSync(url, 'utf8'));
export const names = Object.keys(fixtures);

export function file(name: string) {
  const { base64, dtype, shape, values } = fixtures[name];
  return { bytes: new Uint8Array(Buffer.from(base64, 'base64')), dtype, shape, values: values.map(parsed) };
}
const parsed = (value: number | string): number =>
  typeof value === 'number'
    ? value
    : value.endsWith('inf')
      ? value.startsWith('-')
        ? -Infinity
        : Infinity
      : Number.NaN;

/** A DataError that names the byte, soon and without much memory. */
export async function expectRefused(read: () => unknown, at: number, message: RegExp): Promise<void> {
  const before = process.memoryUsage();
  const began = performance.now();
  let error: unknown;
  try {
    await read();
  } catch (thrown) {
    error = thrown;
  }
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  expect(error).toBeInstanceOf(DataError);
  expect((error as Error).message).toMatch(message);
  expect((error as Error).message).toContain(`at byte ${at},`);
  expect(arrayBuffers + heapUsed - before.arrayBuffers - before.heapUsed).toBeLessThan(50e6);
  // On an idle machine it is below 100 ms.
  expect(performance.now() - began).toBeLessThan(2000);
}
