// The parameters of the functions of a module, and what addresses count from in them.
import { type Buffer, children, type Expression, type Statement } from '../../loops/ir.ts';
import type { Base, BaseLocals, Moving } from './addresses.ts';
import type { FunctionBody } from './encode.ts';

/**
 * Of a kernel: `arena`, the address of the run's arena; `own`, that of the thread's own space; `start`, the first item
 * of the block if the kernel is repeated; `thread`, its number, and `threads`, how many there are.
 */
export const kernelParameters = ['arena', 'own', 'start', 'thread', 'threads'] as const;
/** Those that come first in every function; in one that is an iteration of loops, the numbers of these come after. */
export const commonParameters = [0, 1, 2] as const;
const [arena, own, start] = commonParameters;
export const thread = kernelParameters.indexOf('thread');
export const threads = kernelParameters.indexOf('threads');

/** All buffers that statements touch. */
export function buffersOf(statements: readonly Statement[], found = new Set<Buffer>()): Set<Buffer> {
  const seen = new Set<Expression>();
  const visit = (e: Expression): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === 'load' || e.kind === 'loadAt') found.add(e.buffer);
    for (const child of children(e)) visit(child);
  };
  for (const s of statements) {
    if (s.kind === 'loop') {
      if (s.count) visit(s.count);
      buffersOf(s.body, found);
    } else if (s.kind === 'if') {
      visit(s.condition);
      buffersOf(s.body, found);
    } else {
      if (s.kind !== 'set') found.add(s.buffer);
      if (s.kind === 'storeAt') visit(s.index);
      visit(s.value);
    }
  }
  return found;
}

/** Sets up the bases that move with the block, and tells in which locals bases are. */
export function emitBases(body: FunctionBody, used: readonly Base[]): BaseLocals {
  const locals = new Map<Base, number>([
    ['arena', arena],
    ['thread', own],
  ]);
  const isMoving = (base: Base): base is Moving => base.includes(' ');
  for (const base of new Set(used.filter(isMoving))) {
    const [whole, itemBytes] = base.split(' ');
    const local = body.local('i32');
    body.get(start);
    body.i32(Number(itemBytes));
    body.op('i32.mul');
    if (whole === 'arena') {
      body.get(arena);
      body.op('i32.add');
    }
    body.set(local);
    locals.set(base, local);
  }
  return locals;
}
