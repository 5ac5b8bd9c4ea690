// The contract of docs/numbers.md as data: how far from the exact result an op may be, and on which backends that holds.

import { readFileSync } from 'node:fs';
import * as tf from '../../src/index.ts';
import { allocate, sizeOf } from '../../src/tensor/dtype.ts';
import { nativeMissing } from '../backends.ts';

export type Any = tf.Tensor<any, any>;
export type Float = 'float32' | 'float64';

/** In units of the last place; 0.5 is the nearest number that there is. */
export const bounds: Record<string, Record<Float, number>> = {
  neg: { float32: 0.5, float64: 0.5 },
  abs: { float32: 0.5, float64: 0.5 },
  sign: { float32: 0.5, float64: 0.5 },
  relu: { float32: 0.5, float64: 0.5 },
  square: { float32: 0.5, float64: 0.5 },
  floor: { float32: 0.5, float64: 0.5 },
  ceil: { float32: 0.5, float64: 0.5 },
  round: { float32: 0.5, float64: 0.5 },
  sqrt: { float32: 0.5, float64: 0.5 },
  rsqrt: { float32: 1.5, float64: 1.5 },
  exp: { float32: 1, float64: 1 },
  expm1: { float32: 2, float64: 2 },
  log: { float32: 1, float64: 1 },
  log1p: { float32: 1.5, float64: 1.5 },
  tanh: { float32: 1.5, float64: 2.5 },
  sigmoid: { float32: 2.5, float64: 2.5 },
  sin: { float32: 1, float64: 1 },
  cos: { float32: 1, float64: 1 },
  erf: { float32: 1.5, float64: 1.5 },
  add: { float32: 0.5, float64: 0.5 },
  sub: { float32: 0.5, float64: 0.5 },
  mul: { float32: 0.5, float64: 0.5 },
  div: { float32: 0.5, float64: 0.5 },
  maximum: { float32: 0.5, float64: 0.5 },
  minimum: { float32: 0.5, float64: 0.5 },
  mod: { float32: 0.5, float64: 0.5 },
  floorDiv: { float32: 0.5, float64: 0.5 },
  pow: { float32: 0.51, float64: 1 },
};

/** Every backend, and those with fused multiply-add also without it. */
export const variants: readonly [string, tf.SessionOptions][] = [
  ['reference', { backend: 'reference' }],
  ['wasm', { backend: 'wasm' }],
  ['wasm, portable', { backend: 'wasm', portable: true }],
  ...(nativeMissing === undefined
    ? ([
        ['native', { backend: 'native' }],
        ['native, portable', { backend: 'native', portable: true }],
      ] as [string, tf.SessionOptions][])
    : []),
];

/** Little-endian numbers in base64. */
type Packed = string;
export interface Special {
  readonly x: Packed;
  readonly a: Packed;
  readonly b: Packed;
  readonly unary: Record<string, Packed>;
  readonly binary: Record<string, Packed>;
  readonly compare: Record<string, Packed>;
  readonly cast: Record<string, Packed>;
}
export interface RandomGroup {
  readonly args: readonly Packed[];
  readonly results: Record<string, { readonly y: Packed; readonly rest?: Packed }>;
}
/** What tests/fixtures/make-numbers.py has computed. */
export const numbers: {
  readonly special: Record<string, Special>;
  readonly random: Record<string, readonly RandomGroup[]>;
} = JSON.parse(readFileSync(new URL('../fixtures/numbers.json', import.meta.url), 'utf8'));

export function unpack(dtype: tf.DType, data: Packed): tf.TypedArray {
  const bytes = Buffer.from(data, 'base64');
  const values = allocate(dtype, bytes.length / sizeOf(dtype));
  new Uint8Array(values.buffer).set(bytes);
  return values;
}
export const unpackBytes = (data: Packed): Int8Array => new Int8Array(Buffer.from(data, 'base64'));

const api = { ...tf, ...tf.nn } as unknown as Record<string, (...args: any[]) => Any>;
/** An op by its name. */
export const op = (name: string) => api[name];

/** The distance of neighbouring numbers at y. */
function ulp(y: number, dtype: Float): number {
  const [digits, least] = dtype === 'float32' ? [23, -149] : [52, -1074];
  const size = Math.abs(y);
  let exponent = Math.floor(Math.log2(size));
  if (2 ** exponent > size) exponent--;
  return 2 ** Math.max(exponent - digits, least);
}

/** How far `found` is from y + rest·ulp, in ulps; Infinity where no number, infinity or the sign of 0 is wrong. */
export function errorOf(found: number, y: number, rest: number, dtype: Float): number {
  if (Object.is(found, y)) return Math.abs(rest);
  if (!Number.isFinite(y) || !Number.isFinite(found) || (y === 0 && rest === 0)) return Number.POSITIVE_INFINITY;
  if (found === 0 && Math.sign(1 / found) !== (Object.is(y, -0) ? -1 : Math.sign(1 / y)))
    return Number.POSITIVE_INFINITY;
  return Math.abs((found - y) / ulp(y, dtype) - rest);
}

/** How far `exact` is above the float32 that is nearest to it, in ulps. */
export const signedError = (nearest: number, exact: number): number =>
  nearest === exact ? 0 : (exact - nearest) / ulp(nearest, 'float32');

/** What is no normal number may be 0 as a result of these, because exp leaves it out. */
const flushing: ReadonlySet<string> = new Set(['sigmoid']);
export const isFlushed = (name: string, found: number, y: number, dtype: Float): boolean =>
  flushing.has(name) && found === 0 && Math.abs(y) < (dtype === 'float32' ? 2 ** -126 : 2 ** -1022);

/** A session that is closed afterwards. */
export async function using<T>(options: tf.SessionOptions, body: (session: tf.Session) => Promise<T>): Promise<T> {
  const session = new tf.Session(options);
  try {
    return await body(session);
  } finally {
    await session.close();
  }
}
