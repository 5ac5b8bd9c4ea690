// What can be wrong with a value that a user gives. Found where it is read; what it was given for makes the error.

import { DTypeError, InvalidArgumentError, type MillraceError, ShapeMismatchError } from '../base/errors.ts';
import { describe } from './describe.ts';
import { dtypeOfArray, kindOf } from './typed-array.ts';

/** What came, as a noun, or for `dtype` as what does not fit; what is wrong with it; and what to do. */
export interface Problem {
  readonly kind: 'value' | 'shape' | 'dtype';
  readonly came: string;
  readonly detail?: string | undefined;
  readonly advice?: string | undefined;
  readonly cause?: unknown;
}

/** Makes the error that is thrown. */
export type Refuse = (problem: Problem) => MillraceError;

/** Thrown on the way to whoever knows what the value was for. */
export class Refused {
  readonly problem: Problem;

  constructor(problem: Problem) {
    this.problem = problem;
  }
}

export function refuse(problem: Problem): never {
  throw new Refused(problem);
}

const errors = { value: InvalidArgumentError, shape: ShapeMismatchError, dtype: DTypeError };

/** The errors of a function that takes a value. */
export const refusalOf =
  (op: string): Refuse =>
  ({ kind, came, detail, advice, cause }) => {
    const wanted = 'a number, a boolean, a typed array, or nested arrays with rows of one length';
    const text = kind === 'dtype' ? came : `expected ${wanted}, but ${came} came`;
    return new errors[kind](`${op}: ${text}${detail ? `: ${detail}` : ''}${advice ? `; ${advice}` : ''}.`, { cause });
  };

/** A value that is no number and no array of numbers; as an element of an array, if there is a place. */
export function refuseValue(value: unknown, place = ''): never {
  const what = describe(value);
  const advice = adviceFor(value, place !== '');
  if (place === '') return refuse({ kind: 'value', came: what, advice });
  return refuse({ kind: 'value', came: 'a mixed array', detail: `element ${place} is ${what}`, advice });
}

function adviceFor(value: unknown, isElement: boolean): string | undefined {
  const kind = kindOf(value);
  if (kind !== undefined) {
    if (dtypeOfArray(value) !== undefined && isElement)
      return 'put the rows into one typed array: tf.array(data, shape)';
    if (kind.startsWith('Big')) return 'there is no 64-bit integer dtype: convert it, Int32Array.from(data, Number)';
    return 'there is no such dtype: convert it, Int32Array.from(data)';
  }
  if (typeof value === 'bigint') return 'make it a number: Number(value)';
  if (ArrayBuffer.isView(value)) return 'give its bytes: new Uint8Array(view.buffer, view.byteOffset, view.byteLength)';
  if (typeof (value as { then?: unknown } | undefined | null)?.then === 'function')
    return 'it has no value yet: await it';
  if (Object.prototype.toString.call(value).endsWith('ArrayBuffer]'))
    return 'say what is in it: new Float32Array(buffer), or Uint8Array';
  return undefined;
}
