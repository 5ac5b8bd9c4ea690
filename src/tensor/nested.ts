// Nested arrays of numbers or booleans as typed arrays. How deep they are, and how many elements there should be, is
// known before memory is asked for; every element is looked at once, and the first that does not belong is named.
import { describe } from './describe.ts';
import { allocate, type DType, type TypedArray } from './dtype.ts';
import { refuse, refuseValue } from './problem.ts';
import { elements, mostAxes, mostElements, showShape } from './shape.ts';

/** Rows of one length, as elements of `wanted`; without it numbers become float32, booleans bool. */
export function fromNested(
  value: unknown,
  wanted: DType | undefined,
): { dtype: DType; shape: readonly number[]; data: TypedArray } {
  const { shape, firsts } = outline(value);
  const dtype = wanted ?? (typeof (firsts.at(-1) ?? value) === 'boolean' ? 'bool' : 'float32');
  const data = allocate(dtype, elements(shape));
  const last = shape.length - 1;
  const path: number[] = [];
  let count = 0;
  const walk = (row: readonly unknown[], axis: number, isFirst: boolean): void => {
    const size = shape[axis];
    if (row.length !== size) ragged(path.slice(0, axis), `an array of length ${row.length}`, shape);
    for (let i = 0; i < size; i++) {
      const known = isFirst && i === 0;
      const e = known ? firsts[axis] : row[i];
      if (axis === last && fits(e, dtype)) data[count++] = Number(e);
      else {
        path[axis] = i;
        if (e === undefined && !(i in row)) missing(path.slice(0, axis + 1));
        if (axis === last || !Array.isArray(e)) refuseElement(e, path.slice(0, axis + 1), shape, dtype);
        walk(e, axis + 1, known);
      }
    }
  };
  if (Array.isArray(value)) walk(value, 0, true);
  else if (fits(value, dtype)) data[0] = Number(value);
  else refuseElement(value, path, shape, dtype);
  return { dtype, shape, data };
}

/** The lengths along the first elements, and these: so much there is if all rows are alike. */
function outline(value: unknown): { shape: number[]; firsts: unknown[] } {
  const shape: number[] = [];
  const firsts: unknown[] = [];
  let count = 1;
  for (let first = value; Array.isArray(first); first = firsts.at(-1)) {
    const { length } = first;
    shape.push(length);
    count *= length;
    if (shape.length > mostAxes) {
      refuse({ kind: 'value', came: `an array nested more than ${mostAxes} deep`, advice: 'it may contain itself' });
    }
    // A proxy may say anything.
    if (!Number.isSafeInteger(length) || length < 0 || count > mostElements) {
      const detail = `its first rows have the lengths ${showShape(shape)}, and at most ${mostElements} elements are taken`;
      refuse({
        kind: 'value',
        came: 'too large an array',
        detail,
        advice: 'give a typed array: tf.array(data, shape)',
      });
    }
    firsts.push(length > 0 ? first[0] : undefined);
  }
  return { shape, firsts };
}

/** Can it be an element of that type as it is? */
export function fits(v: unknown, dtype: DType): boolean {
  if (typeof v !== 'number') return typeof v === 'boolean' && dtype === 'bool';
  if (dtype === 'int32') return (v | 0) === v;
  if (dtype === 'uint8') return (v & 255) === v;
  return dtype !== 'bool';
}

/** `[1][0]` */
const placeOf = (path: readonly number[]): string => path.map((i) => `[${i}]`).join('');

function missing(path: readonly number[]): never {
  const advice = 'new Array(n) has no elements, new Array(n).fill(0) has';
  return refuse({ kind: 'value', came: 'a sparse array', detail: `element ${placeOf(path)} is missing`, advice });
}

function ragged(path: readonly number[], is: string, shape: readonly number[]): never {
  const where = path.length < shape.length ? `arrays of length ${shape[path.length]}` : 'numbers';
  const detail = `element ${placeOf(path)} is ${is}, others are ${where}`;
  return refuse({ kind: 'shape', came: 'a ragged array', detail });
}

function refuseElement(v: unknown, path: readonly number[], shape: readonly number[], dtype: DType): never {
  const isNumber = typeof v === 'number' || typeof v === 'boolean';
  if (isNumber && path.length === shape.length) return refuseMisfit(v, dtype, placeOf(path));
  if (isNumber || Array.isArray(v)) return ragged(path, describe(v), shape);
  return refuseValue(v, placeOf(path));
}

const advice: Readonly<Record<DType, string>> = {
  float32: 'write 1 for true',
  float64: 'write 1 for true',
  int32: 'it holds whole numbers from -2147483648 to 2147483647: round it first, or use a float dtype',
  uint8: 'it holds whole numbers from 0 to 255: round it first, or use int32 or a float dtype',
  bool: 'it holds true and false',
};

/** A number or a boolean that cannot be an element of that type. */
export function refuseMisfit(v: number | boolean, dtype: DType, place = ''): never {
  const which = place === '' ? '' : ` (element ${place})`;
  const todo = typeof v === 'boolean' ? advice.float32 : advice[dtype];
  return refuse({ kind: 'dtype', came: `${v}${which} does not fit dtype ${dtype}`, advice: todo });
}
