// Where the arrays of a program lie: recomputed from what its kernels load and store, and from nothing that the planner
// says but the places themselves.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Plan } from '../../../src/compiler/compile.ts';
import type { Tensor } from '../../../src/index.ts';
import { type Buffer, children, type Expression, type Statement } from '../../../src/loops/ir.ts';
import type { Place, Program } from '../../../src/loops/program.ts';
import { sizeOf } from '../../../src/tensor/dtype.ts';
import { deepModel, type Model, softmaxModel } from '../../models.ts';
import { compile } from '../compile.ts';
import { buildProgram, everyStep, recipes } from '../random-programs.ts';

type Any = Tensor<any, any>;

/** Bytes of one space, from the first kernel that touches them to the last. */
interface Span {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  begin: number;
  end: number;
}

interface Touched {
  readonly reads: Set<Buffer>;
  readonly writes: Set<Buffer>;
}

function touched(statements: readonly Statement[], found: Touched = { reads: new Set(), writes: new Set() }): Touched {
  const seen = new Set<Expression>();
  const visit = (e: Expression): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === 'load' || e.kind === 'loadAt') found.reads.add(e.buffer);
    children(e).forEach(visit);
  };
  for (const s of statements) {
    if (s.kind === 'loop') touched(s.body, found);
    else if (s.kind === 'if') {
      visit(s.condition);
      touched(s.body, found);
    } else if (s.kind !== 'prefetch') {
      visit(s.value);
      if (s.kind === 'storeAt') visit(s.index);
      if (s.kind !== 'set') found.writes.add(s.buffer);
    }
  }
  return found;
}

const bytesOf = (b: Buffer) => b.length * sizeOf(b.dtype);

/**
 * What is wrong with the places of a program, and when which bytes of the arena are needed. Time is counted in kernels:
 * −1 is before the first one, when feeds are filled in, and after the last one fetches are read.
 */
function examine(program: Program): { faults: string[]; spans: readonly Span[] } {
  const { kernels, places, repeats, feeds, fetches, counters, status, arenaBytes, threadBytes } = program;
  const faults: string[] = [];
  const after = kernels.length;
  const arena = new Map<Place, Span>();
  const filled = new Set<Place>();
  /** A window is a part of its whole: the same place. */
  const wholeOf = (b: Buffer): Place => {
    const place = places.get(b);
    if (!place) throw new Error(`${b.name} has no place`);
    return place.kind === 'window' ? place.of : place;
  };
  const named = new Map<Place, Buffer>();
  for (const [b, place] of places) if (place.kind !== 'window') named.set(place, b);
  const use = (b: Buffer, begin: number, end: number): void => {
    const place = wholeOf(b);
    if (place.kind !== 'arena') return;
    const span = arena.get(place);
    if (span) {
      span.begin = Math.min(span.begin, begin);
      span.end = Math.max(span.end, end);
      return;
    }
    const whole = named.get(place) as Buffer;
    arena.set(place, { name: whole.name, from: place.offset, to: place.offset + bytesOf(whole), begin, end });
  };
  const fill = (b: Buffer): void => {
    use(b, -1, -1);
    filled.add(wholeOf(b));
  };
  for (const port of feeds) if (port) fill(port.buffer);
  for (const { buffer } of counters) fill(buffer);
  if (status) {
    fill(status);
    use(status, after, after);
  }
  const all = kernels.map((kernel) => touched(kernel.body));
  for (const [k, { reads, writes }] of all.entries()) {
    const repeat = repeats.find((r) => k >= r.first && k < r.end);
    const own: Span[] = [];
    for (const b of new Set([...reads, ...writes])) {
      const place = wholeOf(b);
      if (place.kind === 'thread') {
        own.push({ name: b.name, from: place.offset, to: place.offset + bytesOf(b), begin: k, end: k });
        if (!b.private) faults.push(`${b.name} is not private, but lies in the space of a thread`);
        continue;
      }
      if (b.private) faults.push(`${b.name} is private, but all threads share it`);
      const lasts = place.kind === 'variable' || place.kind === 'constant';
      if (writes.has(b)) filled.add(place);
      else if (!lasts && !filled.has(place)) faults.push(`${b.name} is read by kernel ${k} before anything is there`);
      // In a repeat, what is not made and used up within one round must last for all of its rounds.
      const window = places.get(b)?.kind === 'window';
      const outside = repeat && (window || !all.slice(repeat.first, k + 1).some((t) => t.writes.has(b)));
      use(b, outside ? Math.min(k, repeat.first) : k, outside ? repeat.end - 1 : k);
    }
    for (const [i, a] of own.entries()) {
      if (a.from < 0 || a.to > threadBytes) faults.push(`${a.name} lies outside the space of a thread`);
      for (const b of own.slice(i + 1)) {
        if (a.from < b.to && b.from < a.to) faults.push(`kernel ${k}: ${a.name} and ${b.name} share bytes of a thread`);
      }
    }
  }
  for (const { buffer } of fetches) use(buffer, after, after);
  const spans = [...arena.values()];
  for (const [i, a] of spans.entries()) {
    if (a.from < 0 || a.to > arenaBytes) faults.push(`${a.name} lies outside the arena`);
    for (const b of spans.slice(i + 1)) {
      const together = a.begin <= b.end && b.begin <= a.end;
      if (together && a.from < b.to && b.from < a.to) {
        faults.push(`${a.name} (kernels ${a.begin} to ${a.end}) and ${b.name} (${b.begin} to ${b.end}) share bytes`);
      }
    }
  }
  return { faults, spans };
}

/** The most bytes of the arena that hold something in one step; `stepOf` says to which step a kernel belongs. */
function mostBytes(spans: readonly Span[], steps: number, stepOf: (kernel: number) => number): number {
  const needed = Array.from({ length: steps + 2 }, (_, i) =>
    spans.filter((s) => stepOf(s.begin) <= i - 1 && i - 1 <= stepOf(s.end)).reduce((sum, s) => sum + s.to - s.from, 0),
  );
  return Math.max(...needed);
}

test('in random programs nothing that is needed shares bytes with anything else, in the arena or of a thread', () => {
  const seen = { kernels: 0, shared: 0, own: 0 };
  fc.assert(
    fc.property(recipes, (recipe) => {
      const { fetches, step, shapes } = buildProgram(recipe);
      const program = compile({ fetches, targets: [step], feeds: shapes }).program;
      expect(examine(program).faults).toEqual([]);
      seen.kernels += program.kernels.length;
      const inArena = [...program.places].filter(([, p]) => p.kind === 'arena');
      seen.shared += inArena.reduce((sum, [b]) => sum + bytesOf(b), 0) > program.arenaBytes ? 1 : 0;
      seen.own += program.threadBytes > 0 ? 1 : 0;
    }),
    { numRuns: 40 + everyStep.length, examples: everyStep.map((recipe) => [recipe]) },
  );
  // Bytes were used again in most of them, and threads had space of their own in some.
  expect(seen.kernels).toBeGreaterThan(800);
  expect(seen.shared).toBeGreaterThan(25);
  expect(seen.own).toBeGreaterThan(5);
});

test('the checker sees two arrays on one place, one outside, and one that is read too early', () => {
  const { fetches, step, shapes } = buildProgram(everyStep[0]);
  const program = compile({ fetches, targets: [step], feeds: shapes }).program;
  const moved = (change: (buffer: Buffer, place: Place) => Place): Program => ({
    ...program,
    places: new Map([...program.places].map(([b, place]) => [b, change(b, place)])),
  });
  const inArena = (place: Place) => place.kind === 'arena';
  expect(examine(moved((_, p) => ({ ...p }))).faults).toEqual([]);
  const stacked = examine(moved((_, p) => (inArena(p) ? { kind: 'arena', offset: 0 } : p)));
  expect(stacked.faults.join()).toMatch(/share bytes/);
  const shifted = examine(moved((_, p) => (p.kind === 'arena' ? { ...p, offset: p.offset + program.arenaBytes } : p)));
  expect(shifted.faults.join()).toMatch(/lies outside the arena/);
  expect(examine({ ...program, feeds: [] }).faults.join()).toMatch(/is read by kernel \d+ before anything is there/);
});

describe('both tutorial models', () => {
  const of = (model: Model, size: number, what: 'train' | 'evaluate'): Plan => {
    const feeds = model.batch(size) as readonly (readonly [Any, ArrayLike<number> | number])[];
    const shaped = feeds.map(([t, v]) => [t, typeof v === 'number' ? [] : [size, v.length / size]] as const);
    return what === 'train'
      ? compile({ targets: [model.step], feeds: shaped }).program
      : compile({ fetches: [model.accuracy], feeds: shaped }).program;
  };
  test.each<[string, () => Model, number, 'train' | 'evaluate']>([
    ['softmax, a step of 50', softmaxModel, 50, 'train'],
    ['softmax, evaluation of 10,000', softmaxModel, 10_000, 'evaluate'],
    ['the second model, a step of 50', deepModel, 50, 'train'],
    ['the second model, evaluation of 1,000 in blocks', deepModel, 1000, 'evaluate'],
    ['the second model, evaluation of 10,000 in blocks', deepModel, 10_000, 'evaluate'],
  ])('%s: no overlap, and an arena of at most 1.3 times what is needed in one task', (name, build, size, what) => {
    const program = of(build(), size, what);
    const { faults, spans } = examine(program);
    const { tasks, kernels, arenaBytes } = program;
    const taskOf = (k: number) =>
      k < 0 ? -1 : k >= kernels.length ? tasks.length : tasks.findIndex((t) => k < t.kernels[1]);
    const ratio = arenaBytes / mostBytes(spans, tasks.length, taskOf);
    const byKernels = arenaBytes / mostBytes(spans, kernels.length, (k) => k);
    console.log(
      `${name}: arena ${arenaBytes.toLocaleString('en')} bytes, ${ratio.toFixed(3)} times what is needed in one task, ` +
        `${byKernels.toFixed(3)} times what is needed in one kernel`,
    );
    expect(faults).toEqual([]);
    expect(program.repeats.length > 0).toBe(name.endsWith('in blocks'));
    expect(ratio).toBeGreaterThanOrEqual(1);
    expect(ratio).toBeLessThanOrEqual(1.3);
  });
});
