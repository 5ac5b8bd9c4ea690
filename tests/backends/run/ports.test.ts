// What a run is given and what it gives.
import { expect, test } from 'vitest';
import { collect, collecting, fill, filling, type ViewOf } from '../../../src/backends/run/ports.ts';
import { FeedError, InvalidArgumentError } from '../../../src/base/errors.ts';
import { atOnce } from '../../../src/base/turns.ts';
import type { Buffer } from '../../../src/loops/ir.ts';
import type { Port, Program } from '../../../src/loops/program.ts';
import { allocate, type DType, type TypedArray } from '../../../src/tensor/dtype.ts';
import { buffer } from '../../loops/build.ts';

const port = (name: string, dtype: DType, length: number): Port => ({
  buffer: buffer(name, dtype, length),
  dtype,
  shape: [length],
});

function start(parts: Partial<Program>) {
  const program: Program = {
    ...{ kernels: [], checks: 0, repeats: [], places: new Map(), arenaBytes: 0, threadBytes: 0 },
    ...{ feeds: [], fetches: [], counters: [], status: undefined, messages: [], variables: [] },
    ...parts,
  };
  const memory = new Map<Buffer, TypedArray>();
  const view: ViewOf = (b) => {
    let array = memory.get(b);
    if (!array) memory.set(b, (array = allocate(b.dtype, b.length)));
    return array;
  };
  return { program, view };
}

test('feeds are copied to their buffers, unless they are not used or read where they lie', () => {
  const [a, b] = [port('a', 'float32', 2), port('b', 'int32', 1)];
  const { program, view } = start({ feeds: [a, undefined, b] });
  const feeds = [new Float32Array([1, 2]), new Float32Array([8]), new Int32Array([3])];
  fill(program, view, feeds, []);
  expect([...view(a.buffer), ...view(b.buffer)]).toEqual([1, 2, 3]);
  fill(program, view, [new Float32Array([5, 6]), feeds[1], new Int32Array([7])], [], (feed) => feed === 0);
  expect([...view(a.buffer), ...view(b.buffer)]).toEqual([1, 2, 7]);
});

test('counters are in the order of the program, and the status of the run before is cleared', () => {
  const status = buffer('status', 'float64', 3);
  const counters = ['x', 'y'].map((name) => ({ name, buffer: buffer(name, 'int32', 1) }));
  const { program, view } = start({ counters, status });
  view(status).set([2, 5, 1]);
  fill(program, view, [], [10, 20]);
  expect(counters.map((c) => view(c.buffer)[0])).toEqual([10, 20]);
  expect([...view(status)]).toEqual([0, 0, 0]);
});

test('large feeds and fetches are copied in pieces of at most half a megabyte', () => {
  const length = 2 ** 19;
  const a = port('a', 'float32', length);
  const { program, view } = start({ feeds: [a], fetches: [a] });
  const fed = Float32Array.from({ length }, (_, i) => i + 1);
  /** In order: what is still 0 comes last. */
  const there = () => (view(a.buffer).indexOf(0) + length + 1) % (length + 1);
  const bytesOf = (data: TypedArray) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  let before = 0;
  const copying = filling(program, view, [fed], []);
  while (!copying.next().done) {
    expect(4 * (there() - before)).toBeLessThanOrEqual(2 ** 19);
    before = there();
  }
  expect(bytesOf(view(a.buffer)).equals(bytesOf(fed))).toBe(true);
  let pieces = 0;
  const fetching = collecting(program, view, 0);
  let step = fetching.next();
  for (; !step.done; step = fetching.next()) pieces++;
  expect(pieces).toBeGreaterThanOrEqual(4);
  expect(bytesOf((step.value as TypedArray[])[0]).equals(bytesOf(fed))).toBe(true);
  expect(() => atOnce(filling(program, view, [fed.subarray(1)], []))).toThrow(FeedError);
});

test('fetches are copies', () => {
  const a = port('a', 'float32', 2);
  const { program, view } = start({ fetches: [a, a] });
  view(a.buffer).set([1, 2]);
  const [first, second] = collect(program, view, 0);
  first.fill(9);
  view(a.buffer).fill(8);
  expect([...second]).toEqual([1, 2]);
});

test('the check that failed is said with the value that it found', () => {
  const status = buffer('status', 'float64', 3);
  const messages = ['one {value}', 'the index is {value}, not below 3\n    at gather'];
  const { program, view } = start({ status, messages });
  view(status).set([2, 4, 17]);
  expect(() => collect(program, view, 1)).toThrow(InvalidArgumentError);
  expect(() => collect(program, view, 1)).toThrow('the index is 17, not below 3\n    at gather');
});
