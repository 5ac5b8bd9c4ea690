// A graph that grows before each of more than twenty runs is warned about, once; one that only grows now and then is not.
import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest';
import * as tf from '../../src/index.ts';
import { GrowthWatch } from '../../src/session/growth.ts';

let warn: MockInstance<typeof console.warn>;
beforeEach(() => {
  warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

function watched() {
  const graph = new tf.Graph();
  const watch = new GrowthWatch(graph);
  /** So many runs, before each of which the graph grows or not. */
  return (count: number, grows: boolean) => {
    for (let i = 0; i < count; i++) {
      if (grows) graph.asDefault(() => tf.constant(i));
      watch.check();
    }
  };
}

test('the run after twenty is told, with the newest operation and its line, and no later one', () => {
  const run = watched();
  run(20, true);
  expect(warn).not.toHaveBeenCalled();
  run(1, true);
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls[0][0]).toMatch(
    /the graph grew before each of the last 21 runs.*The newest operation is Const_20, made at .*growth\.test\.ts:\d+/s,
  );
  run(100, true);
  expect(warn).toHaveBeenCalledTimes(1);
});

test('a run before which nothing was added begins the count anew', () => {
  const run = watched();
  for (let i = 0; i < 5; i++) {
    run(20, true);
    run(1, false);
  }
  expect(warn).not.toHaveBeenCalled();
  run(21, true);
  expect(warn).toHaveBeenCalledTimes(1);
});
