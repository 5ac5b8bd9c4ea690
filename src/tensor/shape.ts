// Shapes as values: sizes, strides, broadcasting. The same rules as types are in shape-rules.ts and axis-rules.ts.

/** A size: a number, or `null` when it is not known until the graph runs. */
export type Dim = number | null;
/** Sizes from the outermost axis to the innermost; as a type, `Dim[]` or `number[]` when even the rank is unknown. */
export type Shape = readonly Dim[];

/** The most axes that a shape may have: more than any model, few enough for what walks along them. */
export const mostAxes = 64;
/** The most elements that are made one by one on the calling thread; larger arrays come as typed arrays. */
export const mostElements = 1e8;

/** The number of elements of a fully known shape. */
export function elements(shape: readonly number[]): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i];
  return n;
}

/** Row-major strides, in elements. */
export function rowMajor(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let n = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = n;
    n *= shape[i];
  }
  return strides;
}

export const isKnown = (shape: Shape | undefined): shape is readonly number[] =>
  shape?.every((d) => d !== null) ?? false;

/** Can its elements be counted? Numbers are exact up to 2⁵³. Unknown sizes are checked when they are known. */
export function isCountable(shape: Shape): boolean {
  let n = 1;
  for (const d of shape) {
    if (d !== null && !Number.isSafeInteger(d)) return false;
    n *= d ?? 1;
  }
  return n <= Number.MAX_SAFE_INTEGER;
}

/** `[null, 784]`, or `unknown` for a shape of unknown rank. */
export const showShape = (shape: Shape | undefined): string =>
  shape === undefined ? 'unknown' : `[${shape.map((d) => (d === null ? 'null' : d)).join(', ')}]`;

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

/** Could both describe the same array? Unknown sizes and unknown ranks match everything. */
export function compatible(a: Shape | undefined, b: Shape | undefined): boolean {
  if (a === undefined || b === undefined) return true;
  if (a.length !== b.length) return false;
  // With each feed of each run: `every` takes ten times as long for arrays that are frozen, as shapes are.
  for (let i = 0; i < a.length; i++) if (a[i] !== null && b[i] !== null && a[i] !== b[i]) return false;
  return true;
}

/**
 * The shape of an elementwise operation on `a` and `b`: aligned at the right, sizes equal or one of them 1.
 * Returns null when they do not broadcast, undefined when a rank is unknown.
 */
export function broadcast(a: Shape | undefined, b: Shape | undefined): Shape | undefined | null {
  if (a === undefined || b === undefined) return undefined;
  const rank = Math.max(a.length, b.length);
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const x = i < rank - a.length ? 1 : a[i - rank + a.length];
    const y = i < rank - b.length ? 1 : b[i - rank + b.length];
    if (x === y) out.push(x);
    else if (x === 1) out.push(y);
    else if (y === 1) out.push(x);
    else if (x === null) out.push(y);
    else if (y === null) out.push(x);
    else return null;
  }
  return out;
}

/** An axis counted from either end, as an index into a shape of that rank; undefined when out of range. */
export function axisIndex(axis: number, rank: number): number | undefined {
  return Number.isInteger(axis) && axis >= -rank && axis < rank ? (axis + rank) % rank : undefined;
}
