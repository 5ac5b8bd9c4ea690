// Memory: lifetimes → offsets in one arena. Events in order of time; freed space is merged and reused,
// the best fitting piece first.

import { alignedSize, FreeSpace } from '../../base/free-space.ts';
import { addTo } from '../../base/multimap.ts';
import type { Sliced } from '../../base/turns.ts';
import type { Buffer } from '../../loops/ir.ts';
import { sizeOf } from '../../tensor/dtype.ts';

/** A buffer is needed from step `begin` to step `end`, both included. */
export interface Lifetime {
  readonly buffer: Buffer;
  readonly begin: number;
  readonly end: number;
}

export interface MemoryPlan {
  readonly offsets: ReadonlyMap<Buffer, number>;
  /** Size of the arena. */
  readonly bytes: number;
  /** The largest number of bytes that are needed at one time: no plan can be smaller. */
  readonly lowerBound: number;
}

const sizeFor = (b: Buffer) => alignedSize(b.length * sizeOf(b.dtype));

/** By their steps, larger ones first. */
function* inOrder(lifetimes: readonly Lifetime[], stepOf: (l: Lifetime) => number): Sliced<Lifetime[]> {
  const ofStep = new Map<number, Lifetime[]>();
  for (const l of lifetimes) {
    addTo(ofStep, stepOf(l), l);
    yield;
  }
  const result: Lifetime[] = [];
  for (const step of [...ofStep.keys()].sort((a, b) => a - b)) {
    const together = ofStep.get(step) ?? [];
    result.push(...together.sort((a, b) => sizeFor(b.buffer) - sizeFor(a.buffer)));
    yield;
  }
  return result;
}

export function* planMemory(lifetimes: readonly Lifetime[]): Sliced<MemoryPlan> {
  const offsets = new Map<Buffer, number>();
  const space = new FreeSpace();
  const begins = yield* inOrder(lifetimes, ({ begin }) => begin);
  const ends = yield* inOrder(lifetimes, ({ end }) => end);
  let ended = 0;
  let live = 0;
  let lowerBound = 0;
  for (const { buffer, begin } of begins) {
    for (; ended < ends.length && ends[ended].end < begin; ended++) {
      const old = ends[ended].buffer;
      space.free(offsets.get(old) as number, sizeFor(old));
      live -= sizeFor(old);
    }
    const size = sizeFor(buffer);
    offsets.set(buffer, space.take(size));
    live += size;
    lowerBound = Math.max(lowerBound, live);
    yield;
  }
  return { offsets, bytes: space.end, lowerBound };
}
