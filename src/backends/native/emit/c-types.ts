// How values of the loop IR are written in C: the names of their types, and constants.
import type { ValueType } from '../../../loops/ir.ts';

/**
 * The C type of a value: `f32`, `f64` and `i32` for scalars (a bool too is an i32, 0 or 1), `vf`, `vd` and `vi` for
 * vectors; a mask is a `vi`, or a `vl` of 64-bit lanes where it belongs to float64.
 */
export type CType = 'f32' | 'f64' | 'i32' | 'vf' | 'vd' | 'vi' | 'vl';

export function cType({ dtype, lanes }: ValueType, vectorBytes: number): CType {
  if (lanes === 1) return dtype === 'float32' ? 'f32' : dtype === 'float64' ? 'f64' : 'i32';
  if (dtype === 'float32') return 'vf';
  if (dtype === 'float64') return 'vd';
  return lanes * 8 === vectorBytes && dtype === 'bool' ? 'vl' : 'vi';
}

/** The type of one lane. */
export const laneType = { vf: 'f32', vd: 'f64', vi: 'i32', vl: 'i64' } as const;

/** A constant in all lanes; true is 1 in a scalar, all bits in a mask. */
export function cConstant(type: ValueType, value: number, vectorBytes: number): string {
  const c = cType(type, vectorBytes);
  const mask = type.dtype === 'bool' && type.lanes > 1;
  const scalar = scalarConstant(type.dtype, mask ? -value : value);
  return type.lanes === 1 ? scalar : `splat_${c}(${scalar})`;
}

function scalarConstant(dtype: ValueType['dtype'], value: number): string {
  if (dtype === 'int32' || dtype === 'bool') return value === -(2 ** 31) ? '(-2147483647 - 1)' : `(${value | 0})`;
  const suffix = dtype === 'float32' ? 'f' : '';
  if (Number.isNaN(value)) return `__builtin_nan${suffix}("")`;
  const x = dtype === 'float32' ? Math.fround(value) : value;
  if (!Number.isFinite(x)) return `(${x < 0 ? '-' : ''}__builtin_inf${suffix}())`;
  // The shortest decimal that is this double is nearer to it than to any other float.
  const digits = Object.is(x, -0) ? '-0' : String(x);
  return `(${/[.e]/.test(digits) ? digits : `${digits}.0`}${suffix})`;
}
