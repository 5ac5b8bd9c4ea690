// Whether iterations of a parallel loop could meet in memory: a search for two that touch the same byte.
import { sizeOf } from '../tensor/dtype.ts';
import { type Affine, type Buffer, children, type Expression, type LoopVariable, plus, type Statement } from './ir.ts';

/** Where a buffer lies: buffers of one storage may share bytes. */
export interface Location {
  readonly storage: unknown;
  readonly offset: number;
}

/** Bytes that one access touches: terms in bytes, and the constants between which they begin and end. */
interface Access {
  readonly buffer: Buffer;
  readonly write: boolean;
  /** The same text for the same terms. */
  readonly key: string;
  readonly terms: readonly (readonly [LoopVariable, number])[];
  readonly low: number;
  /** The last byte. */
  high: number;
}

/** coefficient · t with a whole t between low and high, which is not 0 if it is the parallel loop's. */
interface Term {
  readonly coefficient: number;
  readonly low: number;
  readonly high: number;
  readonly apart: boolean;
}

/** Steps of a search after which it gives up and fears a race. */
const patience = 20_000;

/** What two iterations of the loop could both touch, one of them writing it; undefined if there is no such thing. */
export function findRace(loop: Statement & { kind: 'loop' }, locate: (buffer: Buffer) => Location): string | undefined {
  const found: Access[] = [];
  const computed: { buffer: Buffer; write: boolean }[] = [];
  collect(loop.body, locate, found, computed, new Map());
  const written = found.filter((a) => a.write);
  const stored = new Set(written.map((a) => a.buffer));
  const shared = new Map<Buffer, boolean>();
  const isStored = (b: Buffer): boolean => {
    let known = shared.get(b);
    if (known === undefined) shared.set(b, (known = [...stored].some((s) => shareBytes(s, b, locate))));
    return known;
  };
  for (const c of computed) {
    if (c.write) return `${c.buffer.name}, which is stored to at computed indices`;
    if (isStored(c.buffer)) return `${c.buffer.name}, which is loaded at computed indices and stored to`;
  }
  const accesses = joinNeighbours(found.filter((a) => isStored(a.buffer)));
  const checked = new Set<string>();
  for (const [i, a] of accesses.entries()) {
    for (let j = i; j < accesses.length; j++) {
      const b = accesses[j];
      if (!(a.write || b.write) || !shareBytes(a.buffer, b.buffer, locate)) continue;
      const low = b.low - a.high;
      const high = b.high - a.low;
      const key = `${a.key}|${b.key}|${low}|${high}`;
      if (checked.has(key)) continue;
      checked.add(key);
      if (couldMeet(differences(a, b, loop.variable), low, high)) return a.write ? a.buffer.name : b.buffer.name;
    }
  }
  return undefined;
}

function shareBytes(a: Buffer, b: Buffer, locate: (buffer: Buffer) => Location): boolean {
  if (a === b) return true;
  const x = locate(a);
  const y = locate(b);
  const meet = x.offset < y.offset + b.length * sizeOf(b.dtype) && y.offset < x.offset + a.length * sizeOf(a.dtype);
  return x.storage === y.storage && meet;
}

function collect(
  statements: readonly Statement[],
  locate: (buffer: Buffer) => Location,
  found: Access[],
  computed: { buffer: Buffer; write: boolean }[],
  numbers: Map<object, number>,
): void {
  const seen = new Set<Expression>();
  const access = (buffer: Buffer, index: Affine, count: number, write: boolean) => {
    const size = sizeOf(buffer.dtype);
    const terms = index.terms.map(([v, n]) => [v, n * size] as const);
    const low = locate(buffer).offset + index.constant * size;
    found.push({ buffer, write, key: termsKey(terms, numbers), terms, low, high: low + count * size - 1 });
  };
  const visit = (e: Expression): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === 'load') {
      const { lanes } = e.type;
      if (e.laneStride === 1) access(e.buffer, e.index, lanes, false);
      else for (let l = 0; l < lanes; l++) access(e.buffer, plus(e.index, l * e.laneStride), 1, false);
    }
    if (e.kind === 'loadAt') computed.push({ buffer: e.buffer, write: false });
    children(e).forEach(visit);
  };
  for (const s of statements) {
    if (s.kind === 'loop') {
      collect(s.body, locate, found, computed, numbers);
    } else if (s.kind === 'if') {
      visit(s.condition);
      collect(s.body, locate, found, computed, numbers);
    } else {
      visit(s.value);
      if (s.kind === 'store') access(s.buffer, s.index, s.value.type.lanes, true);
      if (s.kind === 'storeAt') {
        visit(s.index);
        computed.push({ buffer: s.buffer, write: true });
      }
    }
  }
}

/** Accesses that differ by a constant and follow each other without a gap become one. */
function joinNeighbours(accesses: readonly Access[]): Access[] {
  const groups = new Map<Buffer, Map<string, Access[]>>();
  for (const a of accesses) {
    let ofBuffer = groups.get(a.buffer);
    if (!ofBuffer) groups.set(a.buffer, (ofBuffer = new Map()));
    const key = `${a.write} ${a.key}`;
    const group = ofBuffer.get(key);
    if (group) group.push(a);
    else ofBuffer.set(key, [a]);
  }
  const joined: Access[] = [];
  for (const group of [...groups.values()].flatMap((g) => [...g.values()])) {
    let last: Access | undefined;
    for (const a of group.sort((x, y) => x.low - y.low)) {
      if (last && a.low <= last.high + 1) last.high = Math.max(last.high, a.high);
      else joined.push((last = { ...a }));
    }
  }
  return joined;
}

function termsKey(terms: Access['terms'], numbers: Map<object, number>): string {
  const number = (v: LoopVariable): number => {
    let known = numbers.get(v);
    if (known === undefined) numbers.set(v, (known = numbers.size));
    return known;
  };
  const texts = terms.map(([v, n]) => `${number(v)}*${n}`);
  return texts.sort().join(' ');
}

/** The address of `a` less the address of `b`, in two different iterations. Other loops are wherever they like. */
function differences(a: Access, b: Access, parallel: LoopVariable): Term[] {
  const last = (v: LoopVariable) => Math.ceil(v.extent / v.step) - 1;
  const ofB = new Map(b.terms);
  const terms: Term[] = [];
  const own = (v: LoopVariable, n: number) =>
    terms.push({ coefficient: n * v.step, low: 0, high: last(v), apart: false });
  const coefficients = new Map(a.terms);
  const difference = (coefficients.get(parallel) ?? 0) - (ofB.get(parallel) ?? 0);
  const n = coefficients.get(parallel) ?? 0;
  // a at v + t less b at v is a.n·t + (a.n − b.n)·v.
  terms.push({ coefficient: n * parallel.step, low: -last(parallel), high: last(parallel), apart: true });
  if (difference !== 0) own(parallel, difference);
  for (const [v, m] of a.terms) {
    if (v === parallel) continue;
    if (ofB.get(v) === m) {
      terms.push({ coefficient: m * v.step, low: -last(v), high: last(v), apart: false });
    } else {
      own(v, m);
    }
  }
  for (const [v, m] of b.terms) if (v !== parallel && coefficients.get(v) !== m) own(v, -m);
  return terms;
}

/** Can the sum of the terms lie between low and high? Coefficients are tried from the largest down. */
function couldMeet(terms: readonly Term[], low: number, high: number): boolean {
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
  const search = (k: number, from: number, to: number): boolean => {
    if (steps++ > patience) return true;
    if (to < least[k] || from > most[k]) return false;
    if (k === sorted.length) return true;
    const { coefficient, low: first, high: last, apart } = sorted[k];
    if (coefficient === 0) return (!apart || last > 0) && search(k + 1, from, to);
    const [x, y] = [(from - most[k + 1]) / coefficient, (to - least[k + 1]) / coefficient];
    const begin = Math.max(first, Math.ceil(Math.min(x, y)));
    const end = Math.min(last, Math.floor(Math.max(x, y)));
    for (let t = begin; t <= end; t++) {
      if (apart && t === 0) continue;
      if (search(k + 1, from - coefficient * t, to - coefficient * t)) return true;
    }
    return false;
  };
  return search(0, low, high);
}
