// What was just stored is not loaded again: it is still in a register.

import type { Sliced } from '../../base/turns.ts';
import {
  type Affine,
  type Body,
  type Buffer,
  bodyOf,
  children,
  type Expression,
  type Local,
  local,
  range,
  type Statement,
  splat,
  touched,
} from '../ir.ts';
import { localsOf } from '../locals.ts';
import { rewriteOutside, rewriter } from '../substitute.ts';
import { statementsAtOnce, touching } from '../touching.ts';

/** Elements that lie in memory as a register, or a constant, has them. */
interface Kept {
  readonly index: Affine;
  readonly lanes: number;
  readonly count: number | undefined;
  readonly value: Expression;
}
type KeptIn = Map<Buffer, readonly Kept[]>;

/**
 * The same statements, in which what has been stored is read from registers where that is certain, and nothing is
 * stored that is not loaded again. `isOwn` are buffers that nothing else reads.
 */
export function* forwardStores(statements: Body, isOwn: (buffer: Buffer) => boolean): Sliced<Statement[]> {
  const { read } = yield* touching(statements);
  const forwarded = yield* new Forwarding(read, !storesPadding(statements)).body(statements, new Map());
  const stillRead = (yield* touching(forwarded)).read;
  return withoutUnused(withoutStores(forwarded, (b) => isOwn(b) && !stillRead.has(b)));
}

class Forwarding {
  readonly #read: ReadonlySet<Buffer>;
  readonly #parts: boolean;
  #names = 0;

  /** `parts` tells whether parts of vectors may have something in the lanes that are left out. */
  constructor(read: ReadonlySet<Buffer>, parts: boolean) {
    this.#read = read;
    this.#parts = parts;
  }

  *body(statements: Body, known: KeptIn): Sliced<Statement[]> {
    const result: Statement[] = [];
    for (const [i, s] of statements.entries()) {
      const expression = rewriter((e) => (e.kind === 'load' ? (find(e, known) ?? e) : e));
      const outside = rewriteOutside(s, { expression, target: (buffer, index) => ({ buffer, index }) });
      if (outside.kind === 'loop' || outside.kind === 'if') {
        // Nothing is known of what the body changes, neither in it nor after it.
        forgetChanges(known, outside.body);
        result.push({ ...outside, body: yield* this.body(outside.body, new Map(known)) });
      } else result.push(...this.#statement(outside, known));
      if (i % statementsAtOnce === 0) yield;
    }
    return result;
  }

  #statement(changed: Exclude<Statement, { kind: 'loop' | 'if' }>, known: KeptIn): Statement[] {
    switch (changed.kind) {
      case 'set':
        forgetLocal(known, changed.local);
        return [changed];
      case 'storeAt':
        known.delete(changed.buffer);
        return [changed];
      case 'store':
        return this.#store(changed, known);
      case 'prefetch':
        return [changed];
    }
  }

  #store(s: Statement & { kind: 'store' }, known: KeptIn): Statement[] {
    const { buffer, index, count } = s;
    const { lanes, dtype } = s.value.type;
    const others = (known.get(buffer) ?? []).filter((k) => apart(k, index, touched(s, lanes)));
    known.set(buffer, others);
    // Smaller types do not come back as they were.
    if (count !== undefined && !this.#parts) return [s];
    if (!this.#read.has(buffer) || dtype !== buffer.dtype || dtype === 'bool') return [s];
    const inPlace = s.value.kind === 'local' || s.value.kind === 'constant';
    const kept: Local = { name: `kept${this.#names}`, type: s.value.type };
    const value = inPlace ? s.value : local(kept);
    if (!inPlace) this.#names++;
    known.set(buffer, [...others, { index, lanes, count, value }]);
    return inPlace
      ? [s]
      : [
          { kind: 'set', local: kept, value: s.value },
          { ...s, value },
        ];
  }
}

/** Are the zeros beyond the end of a loaded part of a vector stored, as padding? */
function storesPadding(statements: Body): boolean {
  const padded = new Set<Local>();
  const isPadded = (e: Expression): boolean => {
    if (e.type.lanes === 1) return false;
    if (e.kind === 'local') return padded.has(e.local);
    return (e.kind === 'load' && e.count !== undefined) || children(e).some(isPadded);
  };
  const stores = (body: Body): boolean =>
    body.some((s) => {
      if (s.kind === 'set' && isPadded(s.value)) padded.add(s.local);
      return (s.kind === 'store' && s.count === undefined && isPadded(s.value)) || stores(bodyOf(s));
    });
  // What a loop sets may be read earlier in it.
  return stores(statements) || stores(statements);
}

/** The register that has what is loaded. */
function find(e: Expression & { kind: 'load' }, known: KeptIn): Expression | undefined {
  const { lanes } = e.type;
  const loaded = e.laneStride === 0 ? 1 : lanes;
  if (loaded > 1 && e.laneStride !== 1) return undefined;
  const kept = known.get(e.buffer)?.find((k) => {
    return k.lanes === loaded && k.count === e.count && distance(k.index, e.index) === 0;
  });
  return kept && splat(kept.value, loaded === lanes ? 1 : lanes);
}

/** How far apart two indices always are; undefined if that changes. */
function distance(a: Affine, b: Affine): number | undefined {
  const terms = new Map(a.terms);
  const same = a.terms.length === b.terms.length && b.terms.every(([v, n]) => terms.get(v) === n);
  return same ? b.constant - a.constant : undefined;
}

/** Do a store's elements leave alone what is kept? */
function apart(k: Kept, index: Affine, count: number): boolean {
  const from = distance(k.index, index);
  if (from !== undefined) return from >= k.lanes || from + count <= 0;
  const [a, b] = [range(k.index), range(index)];
  return b[0] > a[1] + k.lanes - 1 || a[0] > b[1] + count - 1;
}

function forgetLocal(known: KeptIn, changed: Local): void {
  for (const [buffer, kept] of known) {
    if (!kept.some(({ value }) => value.kind === 'local' && value.local === changed)) continue;
    known.set(
      buffer,
      kept.filter(({ value }) => value.kind !== 'local' || value.local !== changed),
    );
  }
}

function forgetChanges(known: KeptIn, statements: Body): void {
  for (const s of statements) {
    if (s.kind === 'set') forgetLocal(known, s.local);
    if (s.kind === 'store' || s.kind === 'storeAt') known.delete(s.buffer);
    forgetChanges(known, bodyOf(s));
  }
}

/** The statements less the stores to some buffers. */
function withoutStores(statements: Body, drop: (buffer: Buffer) => boolean): Statement[] {
  return statements.flatMap((s): Statement[] => {
    if (s.kind === 'store' && drop(s.buffer)) return [];
    return s.kind === 'loop' || s.kind === 'if' ? [{ ...s, body: withoutStores(s.body, drop) }] : [s];
  });
}

/** The statements less registers that nothing reads, and less loops in which nothing is left. */
function withoutUnused(statements: Body): Statement[] {
  const { read } = localsOf(statements);
  let dropped = false;
  const without = (body: Body): Statement[] =>
    body.flatMap((s): Statement[] => {
      const inside = s.kind === 'loop' || s.kind === 'if' ? { ...s, body: without(s.body) } : s;
      const unused = s.kind === 'set' ? !read.has(s.local) : isEmpty(inside);
      dropped ||= unused;
      return unused ? [] : [inside];
    });
  const result = without(statements);
  return dropped ? withoutUnused(result) : result;
}

const isEmpty = (s: Statement): boolean => (s.kind === 'loop' || s.kind === 'if') && s.body.length === 0;
