// A square of as many vectors as they have lanes, turned over its diagonal in registers.
import type { Expression, Local, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import type { Body } from '../../body/nest.ts';

/** Lanes that processors shuffle in one step wherever they go: those of 16 bytes. */
const groupBytes = 16;

/**
 * Lane l of vector i becomes lane i of vector l. First pairs of vectors exchange lanes inside groups of 16 bytes, which
 * is the cheapest there is, then whole groups: log2(lanes) steps, each a shuffle for every vector.
 */
export function transpose(
  vectors: readonly Expression[],
  name: string,
): { readonly statements: Body; readonly values: readonly Expression[] } {
  const { type } = vectors[0];
  const { lanes } = type;
  const group = Math.min(lanes, groupBytes / (type.dtype === 'float64' ? 8 : 4));
  const statements: Statement[] = [];
  let step = 0;
  const set = (i: number, value: Expression): Expression => {
    const local: Local = { name: `${name}${step}_${i}`, type };
    statements.push({ kind: 'set', local, value });
    return ir.local(local);
  };
  /** Vectors `distance` apart give two: the lanes that `first` and `second` say. */
  const exchange = (values: readonly Expression[], distance: number, first: number[], second: number[]) => {
    step++;
    const result = [...values];
    for (let i = 0; i < lanes; i++) {
      if ((i & distance) !== 0) continue;
      const [a, b] = [values[i], values[i + distance]];
      result[i] = set(i, ir.shuffle(a, b, first));
      result[i + distance] = set(i + distance, ir.shuffle(a, b, second));
    }
    return result;
  };
  let values: readonly Expression[] = vectors.map((v, i) => set(i, v));
  // Units of as many lanes, taken in turn from the lower or the upper halves of the groups of both.
  for (let unit = 1; unit < group; unit *= 2) {
    const order = (half: number) =>
      Array.from({ length: lanes }, (_, l) => {
        const number = Math.floor((l % group) / unit);
        const from = (half * group) / 2 + Math.floor(number / 2) * unit;
        return l - (l % group) + from + (l % unit) + (number % 2) * lanes;
      });
    values = exchange(values, unit, order(0), order(1));
  }
  for (let width = group; width < lanes; width *= 2) {
    // The even groups of both, and the odd ones.
    const order = (odd: number) =>
      Array.from({ length: lanes }, (_, l) => {
        const number = Math.floor((l % (lanes / 2)) / group) * 2 + odd;
        return number * group + (l % group) + (l < lanes / 2 ? 0 : lanes);
      });
    values = exchange(values, width, order(0), order(1));
  }
  // Halves were taken with the lowest bit of a vector's number first.
  const reversed = (i: number) => {
    let n = 0;
    for (let bit = 1; bit < group; bit *= 2) n = n * 2 + (i & bit ? 1 : 0);
    return n;
  };
  return { statements, values: values.map((_, i) => values[i - (i % group) + reversed(i % group)]) };
}
