// A run with a clock: the same calls as without, each timed, until a check fails.
import { expect, test } from 'vitest';
import type { Action } from '../../../../src/backends/emit/steps.ts';
import { byOwnClock, profiledRun } from '../../../../src/backends/wasm/run/profile.ts';

const actions: Action[] = [[0, 0], 'barrier', 'failed', [1, 0], [2, 0], [1, 64], 'barrier'];
const part = { arena: 1000, own: 5000, thread: 1, threads: 3 };

function run(code: number) {
  const calls: unknown[] = [];
  const noted =
    (name: string, result = 0) =>
    (...parameters: number[]) => {
      calls.push([name, ...parameters]);
      return result;
    };
  const exports = {
    ...{ k0: noted('k0'), k1: noted('k1'), k2: noted('k2') },
    barrier: noted('barrier'),
    failed: noted('failed', code),
  };
  return { timing: profiledRun(exports, actions, part), calls };
}

test('every call in order, with the item at which its block begins', () => {
  const { timing, calls } = run(0);
  expect(calls).toEqual([
    ['k0', 1000, 5000, 0, 1, 3],
    ['barrier', 3],
    ['failed', 1000, 5000, 1, 3],
    ['k1', 1000, 5000, 0, 1, 3],
    ['k2', 1000, 5000, 0, 1, 3],
    ['k1', 1000, 5000, 64, 1, 3],
    ['barrier', 3],
  ]);
  expect(timing.code).toBe(0);
  expect(timing.times.length).toBe(8);
  expect([...timing.times]).toEqual([...timing.times].sort((a, b) => a - b));
});

test('nothing after a check that fails', () => {
  const { timing, calls } = run(1);
  expect(calls.length).toBe(3);
  expect(timing).toMatchObject({ code: 1 });
  expect(timing.times.length).toBe(2);
});

test('times of another thread are told by this one’s clock', () => {
  const times = Float64Array.of(1, 2.5);
  const began = performance.timeOrigin + 100;
  const [first, second] = byOwnClock({ code: 0, origin: began, times });
  expect(first).toBeCloseTo(101, 3);
  expect(second).toBeCloseTo(102.5, 3);
});
