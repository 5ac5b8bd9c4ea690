// Runs of ever new sizes are told of once, with the sizes; those of few sizes, or of other fetches, are not.
import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest';
import * as tf from '../../src/index.ts';

let warn: MockInstance<typeof console.warn>;
beforeEach(() => {
  warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

function watched() {
  const graph = new tf.Graph();
  const made = graph.asDefault(() => {
    const x = tf.placeholder('float32', [null, 2], { name: 'x' });
    const rate = tf.placeholder('float32', [], { name: 'rate' });
    return { x, rate, twice: x.mul(2), scaled: x.mul(rate) };
  });
  const session = new tf.Session({ graph, backend: 'reference' });
  const run = (fetch: 'twice' | 'scaled', rows: number) =>
    session.run(made[fetch], [
      [made.x, tf.array(new Float32Array(2 * rows), [rows, 2])],
      [made.rate, 2],
    ] as any);
  return { run, session };
}

test('after the sixteenth size, with the latest ones and what to do, and never again', async () => {
  const { run, session } = watched();
  for (let rows = 1; rows <= 15; rows++) {
    await run('scaled', rows);
    await run('scaled', rows);
  }
  expect(warn).not.toHaveBeenCalled();
  await run('scaled', 16);
  expect(warn).toHaveBeenCalledOnce();
  expect(warn.mock.calls[0][0]).toMatch(
    /^millrace: Mul_1:0 has been compiled for 16 different sizes of its feeds \(lately x:0 came as \[13, 2\], \[14, 2\], \[15, 2\], \[16, 2\]\): .*fill up the last one\.$/,
  );
  for (let rows = 17; rows < 40; rows++) await run('scaled', rows);
  expect(warn).toHaveBeenCalledOnce();
  await session.close();
});

test('a few sizes of several fetches are not told of', async () => {
  const { run, session } = watched();
  for (let round = 0; round < 3; round++) {
    for (let rows = 1; rows <= 10; rows++) {
      await run('scaled', rows);
      await run('twice', rows);
    }
  }
  expect(warn).not.toHaveBeenCalled();
  await session.close();
});

test('64 sets of fetches and feeds are watched, those that were compiled last', async () => {
  const graph = new tf.Graph();
  const { x, fetches } = graph.asDefault(() => {
    const x = tf.placeholder('float32', [null]);
    return { x, fetches: Array.from({ length: 65 }, (_, i) => x.mul(i)) };
  });
  for (const sets of [64, 65]) {
    warn.mockClear();
    const session = new tf.Session({ graph, backend: 'reference' });
    const run = (i: number, length: number) => session.run(fetches[i], [[x, new Float32Array(length)]] as any);
    for (let length = 1; length <= 15; length++) await run(0, length);
    for (let i = 1; i < sets; i++) await run(i, 1);
    await run(0, 16);
    expect(warn).toHaveBeenCalledTimes(sets === 64 ? 1 : 0);
    await session.close();
  }
});
