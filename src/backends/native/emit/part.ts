// Statements as a function that is given all its addresses. Its text does not say where anything lies, so statements that
// differ in nothing else have the same text, and are compiled once.

import type { Sliced } from '../../../base/turns.ts';
import { type Affine, at, type Buffer, type Expression, type LoopVariable, type Statement } from '../../../loops/ir.ts';
import { rewriter, rewriting } from '../../../loops/substitute.ts';
import { expressionsIn } from '../../../loops/touching.ts';
import { sizeOf } from '../../../tensor/dtype.ts';
import { baseText, functionText, type KernelTarget, writeKernel } from './kernel.ts';

/** Where an address that is given points to: an element, in an iteration of the loops around the statements. */
export interface Given {
  readonly buffer: Buffer;
  readonly index: Affine;
}

export interface Part {
  /** The text of the function behind its name. */
  readonly text: string;
  /** In the order in which the function takes them. */
  readonly given: readonly Given[];
}

/** Loops around statements, with the variables in which C counts them. */
export type Around = ReadonlyMap<LoopVariable, string>;

/** The statements as a function; of the loops around them they need nothing but addresses. */
export function* partOf(
  statements: readonly Statement[],
  machine: KernelTarget['machine'],
  around: Around = new Map(),
): Sliced<Part> {
  const windows = new Windows(around);
  yield* windows.find(statements);
  const expression = rewriter((e) => {
    if (e.kind === 'load') return { ...e, ...windows.moved(e.buffer, e.index) };
    return e.kind === 'loadAt' ? { ...e, buffer: windows.moved(e.buffer, nowhere).buffer } : e;
  });
  const body = yield* rewriting(statements, {
    expression,
    target: (buffer, index) => windows.moved(buffer, index),
    computedTarget: (buffer) => windows.moved(buffer, nowhere).buffer,
  });
  const originOf = (buffer: Buffer) => ({ base: `given ${windows.numberOf(buffer)}` as const, offset: 0 });
  return { text: yield* writeKernel({ body }, { originOf, machine }), given: windows.given };
}

const nowhere: Affine = at(0);

/** `(char *[]){…}`: the addresses with which a part is called in an iteration of the loops around it. */
export function givenText(
  given: readonly Given[],
  originOf: KernelTarget['originOf'],
  around: Around = new Map(),
): string {
  if (given.length === 0) return '0';
  const addresses = given.map(({ buffer, index }) => {
    const { base, offset } = originOf(buffer);
    const size = sizeOf(buffer.dtype);
    const moves = index.terms.map(([v, n]) => ` + ${around.get(v)} * ${n * size}`);
    return `${baseText(base)} + ${offset + index.constant * size}${moves.join('')}`;
  });
  return `(char *[]){${addresses.join(', ')}}`;
}

/** Functions for parts: equal ones are one. */
export class Functions {
  readonly #names = new Map<string, string>();

  /** The name of the function of that text. */
  of(text: string): string {
    let name = this.#names.get(text);
    if (name === undefined) this.#names.set(text, (name = `part${this.#names.size}`));
    return name;
  }

  /** Their texts. */
  get texts(): string[] {
    return [...this.#names].map(([text, name]) => functionText(name, text));
  }
}

interface Window {
  readonly number: number;
  readonly of: Buffer;
  /** What stands for it inside. */
  readonly inside: Buffer;
  /** How it moves with the loops around. */
  readonly terms: Affine['terms'];
  /** The smallest constant of its indices, with which it begins. */
  least: number;
}

/** Buffers as statements see them that are inside some loops: one for each way in which they move with these. */
class Windows {
  readonly #around: Around;
  readonly #windows = new Map<Buffer, Window[]>();
  readonly #inside = new Map<Buffer, Window>();

  constructor(around: Around) {
    this.#around = around;
  }

  get given(): Given[] {
    return [...this.#inside.values()].map(({ of, terms, least }) => ({ buffer: of, index: at(least, ...terms) }));
  }

  numberOf(inside: Buffer): number {
    return (this.#inside.get(inside) as Window).number;
  }

  /** The same element, seen from inside. */
  moved(buffer: Buffer, index: Affine): Given {
    const window = this.#windowOf(buffer, index);
    const terms = index.terms.filter(([v]) => !this.#around.has(v));
    return { buffer: window.inside, index: { constant: index.constant - window.least, terms } };
  }

  /** Notes all accesses. */
  *find(statements: readonly Statement[]): Sliced<void> {
    const loaded = (e: Expression) => {
      if (e.kind === 'load') this.#note(e.buffer, e.index);
      else if (e.kind === 'loadAt') this.#note(e.buffer, nowhere);
    };
    yield* expressionsIn(statements, loaded, (s) => {
      if (s.kind === 'store' || s.kind === 'prefetch') this.#note(s.buffer, s.index);
      else if (s.kind === 'storeAt') this.#note(s.buffer, nowhere);
    });
  }

  #note(buffer: Buffer, index: Affine): void {
    const window = this.#windowOf(buffer, index);
    window.least = Math.min(window.least, index.constant);
  }

  #windowOf(buffer: Buffer, { constant, terms }: Affine): Window {
    const outer = terms.filter(([v]) => this.#around.has(v));
    let windows = this.#windows.get(buffer);
    if (!windows) this.#windows.set(buffer, (windows = []));
    const known = windows.find((w) => sameTerms(w.terms, outer));
    if (known) return known;
    const number = this.#inside.size;
    const window: Window = { number, of: buffer, inside: { ...buffer }, terms: outer, least: constant };
    windows.push(window);
    this.#inside.set(window.inside, window);
    return window;
  }
}

const sameTerms = (a: Affine['terms'], b: Affine['terms']): boolean =>
  a.length === b.length && a.every(([v, n]) => b.some(([w, m]) => v === w && n === m));
