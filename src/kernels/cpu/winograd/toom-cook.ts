// The matrices of Winograd's algorithm: how many sums of products of a small filter become products of polynomials'
// values. S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, Fast Algorithms for
// Convolutional Neural Networks, 2015.

/** A matrix, row by row. */
export type Matrix = readonly (readonly number[])[];

/**
 * For y[i] = Σ over k of x[i + k]·w[k], with `outputs` outputs and `taps` taps, y = Aᵀ[(G w) ⊙ (Bᵀ x)].
 */
export interface ToomCook {
  /** Points × points: of the inputs. */
  readonly input: Matrix;
  /** Points × taps: of the filter. */
  readonly filter: Matrix;
  /** Outputs × points. */
  readonly output: Matrix;
}

/** The points at which the polynomials are evaluated, one at infinity besides: in pairs, and small, for accuracy. */
const finite = [0, 1, -1, 2, -2, 0.5, -0.5];
/** As many points as there are. */
export const mostPoints = finite.length + 1;

export function toomCook(outputs: number, taps: number): ToomCook {
  const count = outputs + taps - 1;
  const points = finite.slice(0, count - 1);
  const powers = (a: number, n: number) => Array.from({ length: n }, (_, k) => a ** k);
  const atInfinity = (n: number) => Array.from({ length: n }, (_, k) => (k === n - 1 ? 1 : 0));
  const others = (a: number) => points.filter((b) => b !== a);
  const norm = (a: number) => others(a).reduce((product, b) => product * (a - b), 1);
  const rows = [...points.map((a) => powers(a, outputs)), atInfinity(outputs)];
  return {
    // The coefficients of Π (x − b) over the other points.
    input: [...points.map((a) => [...coefficients(others(a)), 0]), coefficients(points)],
    filter: [...points.map((a) => powers(a, taps).map((v) => v / norm(a))), atInfinity(taps)],
    output: Array.from({ length: outputs }, (_, i) => rows.map((row) => row[i])),
  };
}

/** Of the polynomial with these roots, the constant first. */
function coefficients(roots: readonly number[]): number[] {
  let p = [1];
  for (const root of roots) {
    const before = p;
    p = Array.from({ length: before.length + 1 }, (_, i) => (before[i - 1] ?? 0) - root * (before[i] ?? 0));
  }
  return p;
}
