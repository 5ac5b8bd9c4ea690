// Neighbouring loops as one: what passes over the same rows, or over the same elements of a row, passes once.

import type { Sliced } from '../../base/turns.ts';
import { mayMeet } from '../check/races.ts';
import {
  type Affine,
  type Body,
  type Buffer,
  bodyOf,
  type Local,
  type Loop,
  type LoopVariable,
  type Statement,
} from '../ir.ts';
import { localsOf } from '../locals.ts';
import { rewriter, rewriteStatements, substitute } from '../substitute.ts';
import { touchedBy } from '../touching.ts';

/** Loops over elements that touch more arrays would only fight for pointers and registers. */
const mostBuffers = 16;
/** Registers that they may carry from one iteration to the next. */
const mostCarried = 12;
/** So many iterations of a loop are written out to fit one of a loop with larger steps. */
const mostCopies = 4;

/**
 * The same statements, with a serial loop moved into an earlier one where no iteration meets another one in memory, and
 * nothing between the two is in the way. Inside the loops that come of it, the same again.
 */
export function* fuseLoops(statements: Body): Sliced<Statement[]> {
  const result: Statement[] = [];
  const waiting = [...statements].reverse();
  for (let s = waiting.pop(); s; s = waiting.pop()) {
    if (s.kind === 'loop') yield* place(result, waiting, s);
    else result.push(s);
    yield;
  }
  return result;
}

/**
 * Puts a loop into the first one that takes it, with the statements before it that it needs; behind all, if there is
 * none. In the first one, because others wait for what it computes.
 */
function* place(result: Statement[], waiting: Statement[], loop: Loop): Sliced<void> {
  const needed: Statement[] = [];
  let put = () => void result.push(loop);
  for (let i = result.length - 1; i >= 0; i--) {
    const before = result[i];
    const free = independent([before], needed);
    const joined = before.kind === 'loop' && free && (yield* join(before, loop));
    if (joined) {
      const moved = [...needed];
      put = () => {
        const between = result.slice(i + 1).filter((s) => !moved.includes(s));
        result.splice(i, result.length, ...moved, joined.loop, ...joined.restOfFirst, ...between);
        waiting.push(...[...joined.restOfSecond].reverse());
      };
    }
    if (free && independent([before], [loop])) continue;
    if (before.kind !== 'set' && before.kind !== 'store') break;
    needed.unshift(before);
  }
  put();
}

interface Joined {
  readonly loop: Loop;
  /** The iterations of each that the other one lacks. */
  readonly restOfFirst: Body;
  readonly restOfSecond: Body;
}

function* join(first: Loop, second: Loop): Sliced<Joined | undefined> {
  if (first.loop !== 'serial' || second.loop !== 'serial' || first.count || second.count) return undefined;
  const [a, b] = [first.variable, second.variable];
  if (a.step === b.step) return a.extent === b.extent ? yield* joinEqual(first, second, [], []) : undefined;
  if (a.step < b.step) {
    const cut = widened(first, b) ?? inRuns(first, second);
    return cut && (yield* joinEqual(cut.loop, second, cut.rest, []));
  }
  const cut = widened(second, a) ?? inRuns(second, first);
  return cut && (yield* joinEqual(first, cut.loop, [], cut.rest));
}

function* joinEqual(first: Loop, second: Loop, restOfFirst: Body, restOfSecond: Body): Sliced<Joined | undefined> {
  yield;
  const { variable } = first;
  const other = substitute(second.body, second.variable, 0, variable);
  if (!independentLocals(first.body, other) || mayMeet(first.body, other, variable)) return undefined;
  if (restOfFirst.length > 0 && !independent(restOfFirst, [second])) return undefined;
  const together = [...first.body, ...other];
  if (isInnermost(together) && (buffersOf(together) > mostBuffers || carriedIn(together).size > mostCarried)) {
    return undefined;
  }
  return { loop: { ...first, body: yield* fuseLoops(together) }, restOfFirst, restOfSecond };
}

/** A loop over elements with the larger steps of another one, as far as that goes, and the iterations that are left. */
function widened(loop: Loop, wide: LoopVariable): { loop: Loop; rest: Body } | undefined {
  const { extent, step, name } = loop.variable;
  const copies = wide.step / step;
  if (!Number.isInteger(copies) || copies > mostCopies || !isInnermost(loop.body)) return undefined;
  if (wide.extent % wide.step !== 0 || wide.extent > extent || extent - wide.extent >= wide.step) return undefined;
  const v: LoopVariable = { name, extent: wide.extent, step: wide.step };
  const body = Array.from({ length: copies }, (_, u) => {
    const copy = substitute(loop.body, loop.variable, u * step, v);
    return u === copies - 1 ? copy : withOwnLocals(copy, u);
  }).flat();
  return { loop: { ...loop, variable: v, body }, rest: restOf(loop, wide.extent) };
}

/** A loop over elements in runs, as another one goes over them that sums each of its runs by itself. */
function inRuns(loop: Loop, { variable: outer, body }: Loop): { loop: Loop; rest: Body } | undefined {
  const run = body.find((s) => s.kind === 'loop' && s.variable.extent === outer.step);
  if (run?.kind !== 'loop' || !isInnermost(loop.body)) return undefined;
  const { extent, step, name } = loop.variable;
  const inner = run.variable;
  if (inner.step !== step) {
    const wide = widened(loop, { ...inner, extent: Math.floor(extent / inner.step) * inner.step });
    const cut = wide && inRuns(wide.loop, { kind: 'loop', loop: 'serial', variable: outer, body });
    return cut && { loop: cut.loop, rest: [...cut.rest, ...wide.rest] };
  }
  if (outer.extent % outer.step !== 0 || outer.extent > extent || extent - outer.extent >= outer.step) return undefined;
  const around: LoopVariable = { ...outer, name: `${name}_run` };
  const inside: LoopVariable = { ...inner, name };
  const one: Loop = { ...loop, variable: inside, body: substitute(loop.body, loop.variable, 0, around, inside) };
  return { loop: { ...loop, variable: around, body: [one] }, rest: restOf(loop, outer.extent) };
}

/** The iterations of a loop from one on. */
function restOf(loop: Loop, begin: number): Body {
  const { extent, step, name } = loop.variable;
  if (begin >= extent) return [];
  if (extent - begin <= step) return substitute(loop.body, loop.variable, begin);
  const variable: LoopVariable = { name: `${name}_rest`, extent: extent - begin, step };
  return [{ ...loop, variable, body: substitute(loop.body, loop.variable, begin, variable) }];
}

/** The same statements with registers of their own for what they set before they read it. */
function withOwnLocals(body: Body, number: number): Statement[] {
  const own = new Map<Local, Local>();
  const carried = carriedIn(body);
  for (const l of localsOf(body).assigned) if (!carried.has(l)) own.set(l, { ...l, name: `${l.name}_${number}` });
  const change = {
    expression: rewriter((e) => (e.kind === 'local' ? { ...e, local: own.get(e.local) ?? e.local } : e)),
    target: (buffer: Buffer, index: Affine) => ({ buffer, index }),
  };
  const rename = (s: Statement): Statement =>
    s.kind === 'set'
      ? { ...s, local: own.get(s.local) ?? s.local }
      : s.kind === 'if'
        ? { ...s, body: s.body.map(rename) }
        : s;
  return rewriteStatements(body, change).map(rename);
}

const isInnermost = (body: Body): boolean => body.every((s) => s.kind !== 'loop' && isInnermost(bodyOf(s)));

/** The registers that are read before they are set, and set. */
function carriedIn(body: Body): Set<Local> {
  const set = new Set<Local>();
  const carried = new Set<Local>();
  const { assigned } = localsOf(body);
  for (const s of body) {
    const own = localsOf([s]);
    for (const l of own.read) if (assigned.has(l) && !set.has(l)) carried.add(l);
    // What a condition sets may be left as it was.
    if (s.kind === 'set') set.add(s.local);
    else for (const l of own.assigned) if (!set.has(l)) carried.add(l);
  }
  return carried;
}

function buffersOf(body: Body): number {
  const { read, written } = touchedBy(body);
  return new Set([...read, ...written]).size;
}

/** Can they change places? */
const independent = (a: Body, b: Body): boolean => independentLocals(a, b) && !mayMeet(a, b);

function independentLocals(a: Body, b: Body): boolean {
  const [x, y] = [localsOf(a), localsOf(b)];
  const apart = (p: ReadonlySet<Local>, q: ReadonlySet<Local>) => [...p].every((l) => !q.has(l));
  return apart(x.assigned, y.assigned) && apart(x.assigned, y.read) && apart(x.read, y.assigned);
}
