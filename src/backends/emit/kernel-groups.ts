// Kernels of one structure that become one function, which is called with the addresses in which they differ.

import { addTo } from '../../base/multimap.ts';
import type { Sliced } from '../../base/turns.ts';
import type { Buffer, Kernel } from '../../loops/ir.ts';
import { buffersOf, ownBuffer, patternOf } from '../../loops/patterns.ts';
import type { Origin } from './addresses.ts';

/** From how many kernels on a function is worth sharing, and how many addresses it may be given. */
export interface Sharing {
  readonly fewest: number;
  readonly mostGiven: number;
}

/** What a shared function is made from. */
export interface KernelGroup {
  readonly pattern: Kernel;
  /** The buffers, as the pattern knows them, whose addresses are given, in order. */
  readonly given: readonly Buffer[];
  readonly originOf: (buffer: Buffer) => Origin;
}

/** The group of each kernel that shares a function with others. */
export function* groupsOf(
  kernels: readonly Kernel[],
  originOf: (buffer: Buffer) => Origin,
  { fewest, mostGiven }: Sharing,
): Sliced<ReadonlyMap<Kernel, KernelGroup>> {
  const alike = new Map<Kernel, Kernel[]>();
  for (const kernel of kernels) addTo(alike, patternOf(kernel), kernel);
  const groups = new Map<Kernel, KernelGroup>();
  for (const [pattern, members] of alike) {
    if (members.length < fewest) continue;
    const group = yield* groupOf(pattern, members, originOf);
    if (group.given.length <= mostGiven) for (const kernel of members) groups.set(kernel, group);
  }
  return groups;
}

function* groupOf(
  pattern: Kernel,
  kernels: readonly Kernel[],
  originOf: (buffer: Buffer) => Origin,
): Sliced<KernelGroup> {
  const given = new Map<Buffer, Origin>();
  for (const buffer of buffersOf(pattern)) {
    // What lies at one place for all of them needs no parameter.
    const first = originOf(ownBuffer(kernels[0], buffer));
    const same = kernels.every((k) => sameOrigin(originOf(ownBuffer(k, buffer)), first));
    if (!same) given.set(buffer, { base: `given ${given.size}`, offset: 0 });
    yield;
  }
  return {
    pattern,
    given: [...given.keys()],
    originOf: (b) => given.get(b) ?? originOf(ownBuffer(kernels[0], b)),
  };
}

const sameOrigin = (a: Origin, b: Origin): boolean => a.base === b.base && a.offset === b.offset;
