// A square of as many vectors as they have lanes, turned over its diagonal in registers.
import type { Body, Expression, Local, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';

/** Lanes that processors shuffle in one step wherever they go: those of 16 bytes. */
const groupBytes = 16;

/**
 * Lane l of vector i becomes lane i of vector l. First pairs of vectors exchange lanes inside groups of 16 bytes, which
 * is the cheapest there is, then whole groups: log2(lanes) steps, each a shuffle for every vector. Four vectors of four
 * lanes, whose rows are a, b, c and d:
 *
 *     a₀ a₁ a₂ a₃      a₀ b₀ a₁ b₁      a₀ b₀ c₀ d₀
 *     b₀ b₁ b₂ b₃  →   a₂ b₂ a₃ b₃  →   a₂ b₂ c₂ d₂  →  the second and third change places
 *     c₀ c₁ c₂ c₃      c₀ d₀ c₁ d₁      a₁ b₁ c₁ d₁
 *     d₀ d₁ d₂ d₃      c₂ d₂ c₃ d₃      a₃ b₃ c₃ d₃
 */
export function transpose(
  vectors: readonly Expression[],
  name: string,
): { readonly statements: Body; readonly values: readonly Expression[] } {
  const { dtype, lanes } = vectors[0].type;
  const group = Math.min(lanes, groupBytes / (dtype === 'float64' ? 8 : 4));
  const exchange = new LaneExchange(name);
  let values = exchange.kept(vectors);
  for (let unit = 1; unit < group; unit *= 2) {
    values = exchange.between(values, unit, unitOrder(lanes, group, unit, 0), unitOrder(lanes, group, unit, 1));
  }
  for (let width = group; width < lanes; width *= 2) {
    values = exchange.between(values, width, groupOrder(lanes, group, 0), groupOrder(lanes, group, 1));
  }
  // Halves were taken with the lowest bit of a vector's number first.
  const places = values.map((_, i) => i - (i % group) + reversed(i % group, group));
  return { statements: exchange.statements, values: places.map((i) => values[i]) };
}

/** Lanes of two vectors in units of so many, in turn from the lower, or the upper, half of each group of both. */
const unitOrder = (lanes: number, group: number, unit: number, half: 0 | 1): number[] =>
  Array.from({ length: lanes }, (_, l) => {
    const number = Math.floor((l % group) / unit);
    const from = (half * group) / 2 + Math.floor(number / 2) * unit;
    return l - (l % group) + from + (l % unit) + (number % 2) * lanes;
  });

/** The even groups of both vectors, or the odd ones. */
const groupOrder = (lanes: number, group: number, odd: 0 | 1): number[] =>
  Array.from({ length: lanes }, (_, l) => {
    const number = Math.floor((l % (lanes / 2)) / group) * 2 + odd;
    return number * group + (l % group) + (l < lanes / 2 ? 0 : lanes);
  });

/** The bits of a number below `count`, a power of two, in the opposite order. */
function reversed(i: number, count: number): number {
  let n = 0;
  for (let bit = 1; bit < count; bit *= 2) n = n * 2 + (i & bit ? 1 : 0);
  return n;
}

/** Steps in which pairs of vectors exchange lanes; every step has registers of its own. */
class LaneExchange {
  readonly statements: Statement[] = [];
  readonly #name: string;
  #step = 0;

  constructor(name: string) {
    this.#name = name;
  }

  kept(values: readonly Expression[]): readonly Expression[] {
    return values.map((value, i) => this.#set(i, value));
  }

  /** Vectors `distance` apart give two: the lanes that `first` and `second` say. */
  between(values: readonly Expression[], distance: number, first: number[], second: number[]): readonly Expression[] {
    this.#step++;
    const result = [...values];
    for (const [i, a] of values.entries()) {
      if ((i & distance) !== 0) continue;
      const b = values[i + distance];
      result[i] = this.#set(i, ir.shuffle(a, b, first));
      result[i + distance] = this.#set(i + distance, ir.shuffle(a, b, second));
    }
    return result;
  }

  #set(i: number, value: Expression): Expression {
    const local: Local = { name: `${this.#name}${this.#step}_${i}`, type: value.type };
    this.statements.push({ kind: 'set', local, value });
    return ir.local(local);
  }
}
