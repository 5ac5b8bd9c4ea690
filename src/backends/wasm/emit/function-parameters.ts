// The parameters of the functions of a module, and what addresses count from in them.
import type { AddressBase, BaseLocals, BlockBase } from '../../emit/addresses.ts';
import type { FunctionBody } from './encode.ts';

/**
 * Of a kernel: `arena`, the address of the run's arena; `own`, that of the thread's own space; `start`, the first item
 * of the block if the kernel is repeated; `thread`, its number, and `threads`, how many there are.
 */
export const kernelParameters = ['arena', 'own', 'start', 'thread', 'threads'] as const;
/**
 * Those that come first in every function. Addresses that a function is given come after these, or after all those of a
 * kernel; in one that is an iteration of loops, the numbers of these come last.
 */
export const commonParameters = [0, 1, 2] as const;
const [arena, own, start] = commonParameters;
export const thread = kernelParameters.indexOf('thread');
export const threads = kernelParameters.indexOf('threads');

/** Sets up the bases that move with the block, and tells in which locals bases are; addresses are given from `given` on. */
export function emitBases(body: FunctionBody, used: readonly AddressBase[], given: number): BaseLocals {
  const locals = new Map<AddressBase, number>([
    ['arena', arena],
    ['thread', own],
  ]);
  for (const base of used) if (base.startsWith('given')) locals.set(base, given + Number(base.split(' ')[1]));
  const movesWithBlock = (base: AddressBase): base is BlockBase => /^(arena|absolute) /.test(base);
  for (const base of new Set(used.filter(movesWithBlock))) {
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
