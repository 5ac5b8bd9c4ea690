// The one door for values that users give: feeds, constants, initial values, host arrays. What comes out is data of the
// engine's own kinds, as long as its shape says, whatever the given object does when it is read.

import { DTypeError, MillraceError } from '../base/errors.ts';
import { describe, describeThrown } from './describe.ts';
import { allocate, copyOf, type DType, isDType, isFloat, type TypedArray } from './dtype.ts';
import { HostArray } from './ndarray.ts';
import { fits, fromNested, refuseMisfit } from './nested.ts';
import { type Refuse, Refused, refuse } from './problem.ts';
import { elements, showShape } from './shape.ts';
import { booleans, dtypeOfArray, isGone, kindOf, lengthOf } from './typed-array.ts';

/** A value that was taken in. */
export interface Taken {
  /** `nested`: a number, or arrays of them, now in a new array; else the data are the caller's. */
  readonly from: 'nested' | 'typed array' | 'host array';
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/**
 * Takes a value in. Memory of the caller's is not copied, but measured: it has as many elements as the shape. Nested
 * arrays become elements of `wanted`; without it numbers become float32, booleans bool.
 */
export function take(value: unknown, error: Refuse, wanted?: DType): Taken {
  return guarded(error, () => takeHostArray(value) ?? takeTypedArray(value) ?? takeNested(value, wanted));
}

/** What was taken as new data of an element type. */
export function ownData({ from, dtype, data }: Taken, target: DType, error: Refuse): TypedArray {
  if (from === 'nested') return data;
  if (target === 'bool' && (dtype === 'bool' || dtype === 'uint8')) return booleans(data);
  if (target === dtype || isFloat(target)) return copyOf(target, dtype === 'bool' ? booleans(data) : data);
  return guarded(error, () => converted(data, target));
}

/** Whatever happens while a value is read becomes the caller's error. */
function guarded<R>(error: Refuse, read: () => R): R {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof Refused) throw error(thrown.problem);
    if (thrown instanceof MillraceError) throw thrown;
    const detail = describeThrown(thrown);
    throw error({ kind: 'value', came: 'a value that cannot be read', detail, cause: thrown });
  }
}

function takeHostArray(value: unknown): Taken | undefined {
  if (!HostArray.is(value)) return undefined;
  const { dtype, shape, data } = value;
  if (isGone(data)) refuseGone('a host array');
  const count = lengthOf(data);
  if (count !== elements(shape)) {
    const detail = `its shape is ${showShape(shape)}, but its data have ${count} elements now`;
    refuse({
      kind: 'shape',
      came: 'a host array',
      detail,
      advice: 'its buffer was resized: make it anew with tf.array',
    });
  }
  return { from: 'host array', dtype, shape, data };
}

function takeTypedArray(value: unknown): Taken | undefined {
  const dtype = dtypeOfArray(value);
  if (dtype === undefined) return undefined;
  const data = value as TypedArray;
  if (isGone(data)) refuseGone(`an array of class ${kindOf(data)}`);
  return { from: 'typed array', dtype, shape: [lengthOf(data)], data };
}

function refuseGone(what: string): never {
  const detail = 'its buffer was transferred or has shrunk, or is that of a WebAssembly memory that grew';
  return refuse({ kind: 'value', came: what, detail, advice: 'make it anew' });
}

const takeNested = (value: unknown, wanted: DType | undefined): Taken => ({
  from: 'nested',
  ...fromNested(value, wanted),
});

function converted(data: TypedArray, dtype: DType): TypedArray {
  const out = allocate(dtype, lengthOf(data));
  for (let i = 0; i < out.length; i++) {
    const v = data[i];
    if (!fits(v, dtype)) refuseMisfit(v, dtype, `[${i}]`);
    out[i] = v;
  }
  return out;
}

/** @throws DTypeError for what is no element type. */
export function checkDType(op: string, dtype: unknown): void {
  if (isDType(dtype)) return;
  throw new DTypeError(
    `${op}: there is no dtype ${describe(dtype)}; use 'float32', 'float64', 'int32', 'uint8' or 'bool'.`,
  );
}
