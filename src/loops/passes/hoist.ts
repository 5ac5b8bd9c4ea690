// Moves loads out of innermost loops in which neither their address nor what they read changes.

import type { Sliced } from '../../base/turns.ts';
import type { Buffer, Expression, Kernel, Local, Loop, Statement } from '../ir.ts';
import * as ir from '../ir.ts';
import type { Machine } from '../machine.ts';
import { patternOf, withBuffers } from '../patterns.ts';
import { rewriter, rewriting } from '../substitute.ts';
import { statementsAtOnce } from '../touching.ts';

/** Vector registers that hoisted loads leave to what is computed in the loop. */
const spare = 4;

/** The same kernels with such loads before their loops; kernels of one structure are rewritten once. */
export function* hoist(kernels: readonly Kernel[], { registers }: Pick<Machine, 'registers'>): Sliced<Kernel[]> {
  const done = new Map<Kernel, Kernel>();
  const result: Kernel[] = [];
  for (const kernel of kernels) {
    const pattern = patternOf(kernel);
    let hoisted = done.get(pattern);
    if (!hoisted) done.set(pattern, (hoisted = { ...pattern, body: yield* hoistLoads(pattern.body, registers) }));
    result.push(kernel.shared ? withBuffers(hoisted, kernel.shared.buffers) : hoisted);
    yield;
  }
  return result;
}

/**
 * The same statements with invariant loads of innermost loops set in registers before the loop, as long as those for
 * vectors last. No other buffer shares bytes with the one that is loaded: the loop changes it only by a store to it.
 */
export function* hoistLoads(statements: readonly Statement[], registers: number): Sliced<Statement[]> {
  const result: Statement[] = [];
  for (const [i, s] of statements.entries()) {
    if (s.kind === 'if' || (s.kind === 'loop' && containsLoop(s.body))) {
      result.push({ ...s, body: yield* hoistLoads(s.body, registers) });
    } else if (s.kind === 'loop') result.push(...(yield* hoistFrom(s, registers)));
    else result.push(s);
    if (i % statementsAtOnce === 0) yield;
  }
  return result;
}

const containsLoop = (statements: readonly Statement[]): boolean =>
  statements.some((s) => s.kind === 'loop' || (s.kind === 'if' && containsLoop(s.body)));

function* hoistFrom(loop: Loop, registers: number): Sliced<Statement[]> {
  const stored = new Set<Buffer>();
  const vectors = new Set<Local>();
  const visit = (s: Statement): void => {
    if (s.kind === 'store' || s.kind === 'storeAt') stored.add(s.buffer);
    if (s.kind === 'set' && s.local.type.lanes > 1) vectors.add(s.local);
    if (s.kind === 'if') s.body.forEach(visit);
  };
  loop.body.forEach(visit);
  const before: Statement[] = [];
  const hoisted = new Map<string, Local>();
  const numbers = new Map<object, number>();
  let room = registers - spare - vectors.size;
  const expression = rewriter((e): Expression => {
    if (e.kind !== 'load' || e.index.terms.some(([v]) => v === loop.variable) || stored.has(e.buffer)) return e;
    const key = keyOf(e, numbers);
    let local = hoisted.get(key);
    if (!local) {
      if (e.type.lanes > 1 && room-- <= 0) return e;
      local = { name: `hoisted${hoisted.size}`, type: e.type };
      hoisted.set(key, local);
      before.push({ kind: 'set', local, value: e, ahead: true });
    }
    return ir.local(local);
  });
  const body = yield* rewriting(loop.body, { expression, target: (buffer, index) => ({ buffer, index }) });
  return before.length === 0 ? [loop] : [...before, { ...loop, body }];
}

/** The same text for loads of the same elements; a load's variables are those of the loops around it. */
function keyOf(e: Expression & { kind: 'load' }, numbers: Map<object, number>): string {
  const number = (o: object): number => {
    let known = numbers.get(o);
    if (known === undefined) numbers.set(o, (known = numbers.size));
    return known;
  };
  const terms = e.index.terms.map(([v, n]) => `${number(v)}*${n}`).sort();
  return [number(e.buffer), e.index.constant, e.type.lanes, e.laneStride, e.count, ...terms].join(' ');
}
