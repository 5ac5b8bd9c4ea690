// Merge: the kernels of a chain as one: block after block of the items, in parallel, and what lies between stays in the cache.

import { InternalError } from '../../base/errors.ts';
import type { Sliced } from '../../base/turns.ts';
import * as ir from '../../loops/ir.ts';
import { type Affine, type Buffer, type Expression, isParallel, type Kernel, type Statement } from '../../loops/ir.ts';
import { forwardStores } from '../../loops/passes/forward.ts';
import { fuseLoops } from '../../loops/passes/fuse-loops.ts';
import { rewriter, rewriting } from '../../loops/substitute.ts';
import { touching } from '../../loops/touching.ts';

/** What the buffers of a chain's kernels are, as the kernels see them: those for one block. */
export interface ChainBuffers {
  /** A window of an array that is there for all items, and how many elements a block is. */
  readonly windowOf: (buffer: Buffer) => { readonly whole: Buffer; readonly step: number } | undefined;
  /** Is it an array of the chain's own, for a block only? */
  readonly isWithin: (buffer: Buffer) => boolean;
  /** Is it space that only one task uses? */
  readonly isScratch: (buffer: Buffer) => boolean;
}

/**
 * The kernels that are the same for all blocks (they pack what all items share), then the others as one; where their
 * loops over items are `alike`, those that pass over the same are one loop, too. `replaced` tells which buffers have
 * become private, or nothing where all that was stored in one is read from registers.
 */
export function* mergeKernels(
  kernels: readonly Kernel[],
  blocks: number,
  buffers: ChainBuffers,
  alike: boolean,
): Sliced<{ kernels: Kernel[]; replaced: ReadonlyMap<Buffer, Buffer | undefined> }> {
  const inside: Kernel[] = [];
  const before: Kernel[] = [];
  // What a kernel of the blocks writes is different for each of them.
  const ofBlocks = new Set<Buffer>();
  const replaced = new Map<Buffer, Buffer>();
  for (const k of kernels) {
    const { read, written } = yield* touching(k.body);
    const differs = (b: Buffer) => ofBlocks.has(b) || buffers.isWithin(b) || buffers.windowOf(b) !== undefined;
    if (![...read, ...written].some(differs)) {
      before.push(k);
      continue;
    }
    inside.push(k);
    for (const b of written) {
      ofBlocks.add(b);
      const own = buffers.isWithin(b) || buffers.isScratch(b);
      if (own && !b.private && !replaced.has(b)) replaced.set(b, { ...b, private: true });
    }
  }
  const v: ir.LoopVariable = { name: 'block', extent: blocks, step: 1 };
  const moved = (buffer: Buffer, index: Affine): { buffer: Buffer; index: Affine } => {
    const window = buffers.windowOf(buffer);
    if (!window) return { buffer: replaced.get(buffer) ?? buffer, index };
    return { buffer: window.whole, index: ir.at(index.constant, ...index.terms, [v, window.step]) };
  };
  // Lists are a thread's own from the start, and what they lead to is shared by all items.
  const computedTarget = (buffer: Buffer): Buffer => {
    if (buffers.windowOf(buffer) || replaced.has(buffer)) {
      throw new InternalError('a chain uses a computed index of an item');
    }
    return buffer;
  };
  const expression = rewriter((e): Expression => {
    if (e.kind === 'load') return { ...e, ...moved(e.buffer, e.index) };
    return e.kind === 'loadAt' ? { ...e, buffer: computedTarget(e.buffer) } : e;
  });
  const change = { expression, target: moved, computedTarget };
  const own = new Set(replaced.values());
  const moving: Statement[] = [];
  for (const k of inside) moving.push(...(yield* rewriting(k.body.map(serial), change)));
  const statements = alike ? yield* forwardStores(yield* fuseLoops(moving), (b) => own.has(b)) : moving;
  const total = (of: (k: Kernel) => number) => blocks * inside.reduce((sum, k) => sum + of(k), 0);
  const { read, written } = yield* touching(statements);
  const merged: Kernel = {
    name: inside.map((k) => k.name).join(', '),
    body: blocks === 1 ? statements : [{ kind: 'loop', variable: v, loop: 'parallel', body: statements }],
    flops: total((k) => k.flops),
    bytes: total((k) => k.bytes),
    buffers: [...new Set([...read, ...written])],
  };
  const left = [...replaced].map(
    ([b, fresh]) => [b, read.has(fresh) || written.has(fresh) ? fresh : undefined] as const,
  );
  return { kernels: [...before, merged], replaced: new Map(left) };
}

/** In a block everything is done by one thread. */
const serial = (s: Statement): Statement => (s.kind === 'loop' && isParallel(s) ? { ...s, loop: 'serial' } : s);
