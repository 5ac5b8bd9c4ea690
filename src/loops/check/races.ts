// Whether iterations of a parallel loop could meet in memory: a search for two that touch the same byte.

import { addTo } from '../../base/multimap.ts';
import { sizeOf } from '../../tensor/dtype.ts';
import {
  type Affine,
  type Buffer,
  bodyOf,
  children,
  type Expression,
  expressionsOf,
  type Loop,
  type LoopVariable,
  plus,
  type Statement,
  touched,
} from '../ir.ts';
import { touchedBy } from '../touching.ts';

/** Where a buffer lies: buffers of one storage may share bytes. */
export interface Location {
  readonly storage: unknown;
  readonly offset: number;
}

/** Bytes that one access touches: terms in bytes, and the constants between which they begin and end. */
interface Touch {
  readonly buffer: Buffer;
  readonly write: boolean;
  /** The same text for the same terms. */
  readonly key: string;
  readonly terms: readonly (readonly [LoopVariable, number])[];
  readonly low: number;
  /** The last byte. */
  high: number;
}

/**
 * coefficient · t with a whole t between low and high. Where t belongs to the parallel loop: it is how far the two
 * iterations are apart, so never 0, or the number of one of them, which is not that of the other.
 */
interface Summand {
  readonly coefficient: number;
  readonly low: number;
  readonly high: number;
  readonly of: 'distance' | 'iteration' | 'other';
}

/** Steps of a search after which it gives up and fears a race. */
const patience = 20_000;

/** What two iterations of the loop could both touch, one of them writing it; undefined if there is no such thing. */
export function findRace(loop: Loop, locate: (buffer: Buffer) => Location): string | undefined {
  const all = collect(loop.body, { locate, numbers: new Map() });
  return findMeeting(all, all, { locate, parallel: loop.variable });
}

/** What two statements could both touch, one of them writing it; undefined if there is no such thing. */
export function findClash(a: Statement, b: Statement, locate: (buffer: Buffer) => Location): string | undefined {
  const how = { locate, numbers: new Map() };
  return findMeeting(collect([a], how), collect([b], how), { locate, parallel: undefined });
}

/**
 * Could statements of one thread not change places? They may touch the same, one of them writing it; with a loop, in
 * two different iterations of it, of which both are bodies. Loops around them are where they are for both.
 */
export function mayMeet(a: readonly Statement[], b: readonly Statement[], loop?: LoopVariable): boolean {
  const only = writtenAndTouched(touchedBy(a), touchedBy(b));
  if (only.size === 0) return false;
  const locate = (buffer: Buffer): Location => ({ storage: buffer, offset: 0 });
  const inside = boundIn([...a, ...b]);
  if (loop) inside.add(loop);
  const how = { locate, numbers: new Map(), only };
  return findMeeting(collect(a, how), collect(b, how), { locate, parallel: loop, inside }) !== undefined;
}

/** The buffers that one writes and the other touches: bodies are asked for so often that all others are left out. */
function writtenAndTouched(a: ReturnType<typeof touchedBy>, b: ReturnType<typeof touchedBy>): ReadonlySet<Buffer> {
  const found = new Set<Buffer>();
  for (const [x, y] of [
    [a, b],
    [b, a],
  ]) {
    for (const buffer of x.written) if (y.written.has(buffer) || y.read.has(buffer)) found.add(buffer);
  }
  return found;
}

/** The variables of the loops in some statements. */
function boundIn(statements: readonly Statement[], found = new Set<LoopVariable>()): Set<LoopVariable> {
  for (const s of statements) {
    if (s.kind === 'loop') found.add(s.variable);
    boundIn(bodyOf(s), found);
  }
  return found;
}

/** All that statements touch, by default in buffers that are not private. */
interface Touched {
  readonly accesses: readonly Touch[];
  readonly computed: readonly { readonly buffer: Buffer; readonly write: boolean }[];
}

/** In which iterations two accesses may meet. */
interface Meeting {
  readonly locate: (buffer: Buffer) => Location;
  /** In two different iterations of this loop. */
  readonly parallel: LoopVariable | undefined;
  /** In any iterations of these loops, and the same one of others; all are such loops if there is none. */
  readonly inside?: ReadonlySet<LoopVariable>;
}

function findMeeting(first: Touched, second: Touched, meeting: Meeting): string | undefined {
  const { locate } = meeting;
  const share = sharing(locate);
  const touches = (t: Touched, b: Buffer, writesOnly: boolean) =>
    [...t.accesses, ...t.computed].some((x) => (x.write || !writesOnly) && share(x.buffer, b));
  for (const [one, other] of [
    [first, second],
    [second, first],
  ]) {
    for (const c of one.computed) {
      if (c.write && touches(other, c.buffer, false)) return `${c.buffer.name}, which is stored to at computed indices`;
      if (touches(other, c.buffer, true)) return `${c.buffer.name}, which is loaded at computed indices and stored to`;
    }
  }
  const written = new Set([...first.accesses, ...second.accesses].filter((a) => a.write).map((a) => a.buffer));
  const isStored = memoized((b: Buffer) => [...written].some((w) => share(w, b)));
  const ofSecond = joinNeighbours(second.accesses.filter((a) => isStored(a.buffer)));
  const checked = new Set<string>();
  for (const a of joinNeighbours(first.accesses.filter((x) => isStored(x.buffer)))) {
    for (const b of ofSecond) {
      if (!(a.write || b.write) || !share(a.buffer, b.buffer)) continue;
      const low = b.low - a.high;
      const high = b.high - a.low;
      const key = `${a.key}|${b.key}|${low}|${high}`;
      if (checked.has(key)) continue;
      checked.add(key);
      if (couldMeet(differences(a, b, meeting), low, high)) return a.write ? a.buffer.name : b.buffer.name;
    }
  }
  return undefined;
}

function memoized<K, V>(f: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined) known.set(key, (value = f(key)));
    return value;
  };
}

/** Tells which buffers have bytes in common. */
function sharing(locate: (buffer: Buffer) => Location): (a: Buffer, b: Buffer) => boolean {
  const of = memoized((a: Buffer) => memoized((b: Buffer) => shareBytes(a, b, locate)));
  return (a, b) => of(a)(b);
}

/** Do two buffers have bytes in common? */
export function shareBytes(a: Buffer, b: Buffer, locate: (buffer: Buffer) => Location): boolean {
  if (a === b) return true;
  const x = locate(a);
  const y = locate(b);
  const meet = x.offset < y.offset + b.length * sizeOf(b.dtype) && y.offset < x.offset + a.length * sizeOf(a.dtype);
  return x.storage === y.storage && meet;
}

/** How accesses are collected. */
interface Collecting {
  readonly locate: (buffer: Buffer) => Location;
  readonly numbers: Map<object, number>;
  /** In these buffers; by default in all but those that every thread has for itself, which are nobody else's business. */
  readonly only?: ReadonlySet<Buffer>;
}

function collect(statements: readonly Statement[], how: Collecting): Touched {
  const accesses: Touch[] = [];
  const computed: { buffer: Buffer; write: boolean }[] = [];
  collectInto(accesses, computed, statements, how);
  return { accesses, computed };
}

function collectInto(
  found: Touch[],
  computed: { buffer: Buffer; write: boolean }[],
  statements: readonly Statement[],
  how: Collecting,
): void {
  const { locate, numbers, only } = how;
  const seen = new Set<Expression>();
  const skipped = (buffer: Buffer) => (only ? !only.has(buffer) : buffer.private);
  const access = (buffer: Buffer, index: Affine, count: number, write: boolean) => {
    if (skipped(buffer)) return;
    const size = sizeOf(buffer.dtype);
    const terms = index.terms.map(([v, n]) => [v, n * size] as const);
    const low = locate(buffer).offset + index.constant * size;
    found.push({ buffer, write, key: termsKey(terms, numbers), terms, low, high: low + count * size - 1 });
  };
  const visit = (e: Expression): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === 'load') {
      const lanes = touched(e, e.type.lanes);
      if (e.laneStride === 1) access(e.buffer, e.index, lanes, false);
      else for (let l = 0; l < lanes; l++) access(e.buffer, plus(e.index, l * e.laneStride), 1, false);
    }
    if (e.kind === 'loadAt' && !skipped(e.buffer)) computed.push({ buffer: e.buffer, write: false });
    children(e).forEach(visit);
  };
  for (const s of statements) {
    expressionsOf(s).forEach(visit);
    if (s.kind === 'store') access(s.buffer, s.index, touched(s, s.value.type.lanes), true);
    if (s.kind === 'storeAt' && !skipped(s.buffer)) computed.push({ buffer: s.buffer, write: true });
    collectInto(found, computed, bodyOf(s), how);
  }
}

/** Accesses that differ by a constant and follow each other without a gap become one. */
function joinNeighbours(accesses: readonly Touch[]): Touch[] {
  const groups = new Map<Buffer, Map<string, Touch[]>>();
  for (const a of accesses) {
    let ofBuffer = groups.get(a.buffer);
    if (!ofBuffer) groups.set(a.buffer, (ofBuffer = new Map()));
    addTo(ofBuffer, `${a.write} ${a.key}`, a);
  }
  const joined: Touch[] = [];
  for (const group of [...groups.values()].flatMap((g) => [...g.values()])) {
    let last: Touch | undefined;
    for (const a of group.sort((x, y) => x.low - y.low)) {
      if (last && a.low <= last.high + 1) last.high = Math.max(last.high, a.high);
      else joined.push((last = { ...a }));
    }
  }
  return joined;
}

function termsKey(terms: Touch['terms'], numbers: Map<object, number>): string {
  const number = (v: LoopVariable): number => {
    let known = numbers.get(v);
    if (known === undefined) numbers.set(v, (known = numbers.size));
    return known;
  };
  const texts = terms.map(([v, n]) => `${number(v)}*${n}`);
  return texts.sort().join(' ');
}

/**
 * The address of `a` less the address of `b`, in two different iterations of the parallel loop. Other loops are
 * wherever they like; without a parallel loop all of them.
 */
function differences(a: Touch, b: Touch, { parallel, inside }: Meeting): Summand[] {
  const last = (v: LoopVariable) => Math.ceil(v.extent / v.step) - 1;
  const ofB = new Map(b.terms);
  const terms: Summand[] = [];
  const own = (v: LoopVariable, n: number) =>
    terms.push({ coefficient: n * v.step, low: 0, high: last(v), of: v === parallel ? 'iteration' : 'other' });
  const coefficients = new Map(a.terms);
  if (parallel) {
    const n = coefficients.get(parallel) ?? 0;
    const m = ofB.get(parallel) ?? 0;
    if (n === m) {
      terms.push({ coefficient: n * parallel.step, low: -last(parallel), high: last(parallel), of: 'distance' });
    } else {
      // An access that does not move with the loop is made in every iteration, so also in another one.
      if (n !== 0) own(parallel, n);
      if (m !== 0) own(parallel, -m);
    }
  }
  for (const [v, m] of a.terms) {
    if (v === parallel) continue;
    if (inside && !inside.has(v)) {
      const difference = m - (ofB.get(v) ?? 0);
      if (difference !== 0) own(v, difference);
    } else if (ofB.get(v) === m) {
      terms.push({ coefficient: m * v.step, low: -last(v), high: last(v), of: 'other' });
    } else {
      own(v, m);
    }
  }
  for (const [v, m] of b.terms) {
    if (v === parallel || coefficients.get(v) === m) continue;
    // What both share is in the terms of the first already.
    if (!inside || inside.has(v) || !coefficients.has(v)) own(v, -m);
  }
  return terms;
}

/**
 * Can the sum of the terms lie between low and high? Coefficients are tried from the largest down.
 *
 * @example
 * parallel for i < 4
 *   for j < 3
 *     x[8*i + 2*j x2] = …       stored: bytes 0 to 7 from 32·i + 8·j on, floats being of 4 bytes
 *     … = x[5 + 8*i + 2*j]      loaded: bytes 20 to 23 from 32·i' + 8·j' on, in another iteration i' of the parallel loop
 *
 * They share a byte if 32·(i − i') + 8·(j − j') is between 20 − 7 = 13 and 23 − 0 = 23. The terms are 32·d, where d is one
 * of −3 … 3 but not 0, and 8·e, where e is one of −2 … 2. As 8·e is between −16 and 16, 32·d must be between −3 and 39:
 * d = 1. Then 8·e must be between 13 − 32 = −19 and 23 − 32 = −9: e = −2. So there is a race: the store of i = 1, j = 0
 * touches bytes 32 to 39, and the load of i' = 0, j' = 2 bytes 36 to 39. With j < 2 there were none: 8·e would be between
 * −8 and 8, 32·d between 5 and 31, and no d is left.
 */
function couldMeet(terms: readonly Summand[], low: number, high: number): boolean {
  const sorted = [...terms].sort((x, y) => Math.abs(y.coefficient) - Math.abs(x.coefficient));
  // What the terms from each on can add up to.
  const least: number[] = [0];
  const most: number[] = [0];
  for (const t of [...sorted].reverse()) {
    const [x, y] = [t.coefficient * t.low, t.coefficient * t.high];
    least.unshift(least[0] + Math.min(x, y));
    most.unshift(most[0] + Math.max(x, y));
  }
  let steps = 0;
  /** `iteration` is the number of one of the two, where it has been chosen. */
  const search = (k: number, from: number, to: number, iteration?: number): boolean => {
    if (steps++ > patience) return true;
    if (to < least[k] || from > most[k]) return false;
    if (k === sorted.length) return true;
    const { coefficient, low: first, high: last, of } = sorted[k];
    if (coefficient === 0) return (of !== 'distance' || last > 0) && search(k + 1, from, to, iteration);
    const [x, y] = [(from - most[k + 1]) / coefficient, (to - least[k + 1]) / coefficient];
    const begin = Math.max(first, Math.ceil(Math.min(x, y)));
    const end = Math.min(last, Math.floor(Math.max(x, y)));
    for (let t = begin; t <= end; t++) {
      if ((of === 'distance' && t === 0) || (of === 'iteration' && t === iteration)) continue;
      const chosen = of === 'iteration' ? t : iteration;
      if (search(k + 1, from - coefficient * t, to - coefficient * t, chosen)) return true;
    }
    return false;
  };
  return search(0, low, high);
}
