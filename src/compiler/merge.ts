// Kernels of a chain as one: block after block of the items, in parallel, and what lies between stays in the cache.

import * as ir from '../loops/ir.ts';
import { type Affine, type Buffer, children, type Expression, type Kernel, type Statement } from '../loops/ir.ts';
import { rewriter } from '../loops/rewrite.ts';
import { InternalError } from '../tensor/errors.ts';

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
 * The kernels that are the same for all blocks (they pack what all items share), then the others as one. `replaced`
 * tells which buffers have become private.
 */
export function mergeKernels(
  kernels: readonly Kernel[],
  blocks: number,
  buffers: ChainBuffers,
): { kernels: Kernel[]; replaced: ReadonlyMap<Buffer, Buffer> } {
  const inside: Kernel[] = [];
  const before: Kernel[] = [];
  // What a kernel of the blocks writes is different for each of them.
  const ofBlocks = new Set<Buffer>();
  const replaced = new Map<Buffer, Buffer>();
  for (const k of kernels) {
    const { read, written } = touchedBy(k.body);
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
  const inBlock = (statements: readonly Statement[]): Statement[] => {
    const expression = rewriter((e): Expression => {
      if (e.kind === 'load') return { ...e, ...moved(e.buffer, e.index) };
      if (e.kind !== 'loadAt') return e;
      return { ...e, buffer: moved(e.buffer, ir.at(0)).buffer };
    });
    const change = (s: Statement): Statement => {
      switch (s.kind) {
        case 'loop':
          return {
            ...s,
            loop: s.loop === 'parallel' ? 'serial' : s.loop,
            ...(s.count && { count: expression(s.count) }),
            body: inBlock(s.body),
          };
        case 'if':
          return { ...s, condition: expression(s.condition), body: inBlock(s.body) };
        case 'set':
          return { ...s, value: expression(s.value) };
        case 'store':
          return { ...s, ...moved(s.buffer, s.index), value: expression(s.value) };
        case 'storeAt':
          if (buffers.windowOf(s.buffer)) throw new InternalError('a chain stores at a computed index of an item');
          return { ...s, ...moved(s.buffer, ir.at(0)), index: expression(s.index), value: expression(s.value) };
      }
    };
    return statements.map(change);
  };
  const statements = inside.flatMap((k) => inBlock(k.body));
  const total = (of: (k: Kernel) => number) => blocks * inside.reduce((sum, k) => sum + of(k), 0);
  const merged: Kernel = {
    name: inside.map((k) => k.name).join(', '),
    body: blocks === 1 ? statements : [{ kind: 'loop', variable: v, loop: 'parallel', body: statements }],
    flops: total((k) => k.flops),
    bytes: total((k) => k.bytes),
  };
  return { kernels: [...before, merged], replaced };
}

/** The buffers that statements read and write. */
function touchedBy(
  statements: readonly Statement[],
  found = { read: new Set<Buffer>(), written: new Set<Buffer>() },
): { readonly read: Set<Buffer>; readonly written: Set<Buffer> } {
  const seen = new Set<Expression>();
  const visit = (e: Expression): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === 'load' || e.kind === 'loadAt') found.read.add(e.buffer);
    for (const child of children(e)) visit(child);
  };
  for (const s of statements) {
    if (s.kind === 'loop' || s.kind === 'if') {
      if (s.kind === 'if') visit(s.condition);
      else if (s.count) visit(s.count);
      touchedBy(s.body, found);
      continue;
    }
    if (s.kind !== 'set') found.written.add(s.buffer);
    if (s.kind === 'storeAt') visit(s.index);
    visit(s.value);
  }
  return found;
}
