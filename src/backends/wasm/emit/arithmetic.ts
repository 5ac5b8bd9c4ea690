// Instructions for operations whose operands are on the stack already, chosen by the type of the values.

import { InternalError } from '../../../base/errors.ts';
import type { BinaryOp, CompareOp, UnaryOp, ValueType } from '../../../loops/ir.ts';
import type { FunctionBody, WasmType } from './encode.ts';

/** The type of a local that holds a value. */
export function wasmType(type: ValueType): WasmType {
  if (type.lanes > 1) return 'v128';
  return type.dtype === 'float32' ? 'f32' : type.dtype === 'float64' ? 'f64' : 'i32';
}

const comparisons = { equal: 'eq', notEqual: 'ne', less: 'lt', lessEqual: 'le' } as const;
/** Masks hold −1 for true, so their order is the other way round. */
const maskComparisons = { equal: 'eq', notEqual: 'ne', less: 'gt_s', lessEqual: 'ge_s' } as const;
const integerComparisons = { equal: 'eq', notEqual: 'ne', less: 'lt_s', lessEqual: 'le_s' } as const;
const shifts = { shiftLeft: 'shl', shiftRight: 'shr_s', shiftRightUnsigned: 'shr_u' } as const;
const scalarIntegers = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  div: 'div_s',
  and: 'and',
  or: 'or',
  xor: 'xor',
  ...shifts,
} as const;
const extremes = { min: 'min_s', max: 'max_s', minFast: 'min_s', maxFast: 'max_s' } as const;
const vectorIntegers = { add: 'add', sub: 'sub', mul: 'mul', ...extremes, ...shifts } as const;
const scalarFloats = { add: 'add', sub: 'sub', mul: 'mul', div: 'div', min: 'min', max: 'max' } as const;
const vectorFloats = { ...scalarFloats, minFast: 'pmin', maxFast: 'pmax' } as const;

function named<T extends string>(table: Readonly<Partial<Record<BinaryOp, T>>>, op: BinaryOp, type: ValueType): T {
  const name = table[op];
  if (!name)
    throw new InternalError(`WebAssembly has no instruction for ${op} of ${type.dtype} with ${type.lanes} lanes.`);
  return name;
}

/** An operation for which there is one instruction. */
export function binaryOnStack(body: FunctionBody, op: BinaryOp, type: ValueType): void {
  const { dtype, lanes } = type;
  if (lanes > 1 && (op === 'and' || op === 'or' || op === 'xor')) body.simd(`v128.${op}`);
  else if (dtype === 'int32' || dtype === 'bool') {
    if (lanes > 1) body.simd(`i32x4.${named(vectorIntegers, op, type)}`);
    else body.op(`i32.${named(scalarIntegers, op, type)}`);
  } else if (lanes > 1) {
    body.simd(`${dtype === 'float32' ? 'f32x4' : 'f64x2'}.${named(vectorFloats, op, type)}`);
  } else {
    body.op(`${dtype === 'float32' ? 'f32' : 'f64'}.${named(scalarFloats, op, type)}`);
  }
}

/** Any unary operation but those of scalar integers. */
export function unaryOnStack(body: FunctionBody, op: UnaryOp, type: ValueType): void {
  const { dtype, lanes } = type;
  if (op === 'not') {
    if (lanes > 1) body.simd('v128.not');
    else body.op('i32.eqz');
  } else if (dtype === 'int32') {
    body.simd(op === 'neg' ? 'i32x4.neg' : 'i32x4.abs');
  } else if (lanes > 1) {
    body.simd(`${dtype === 'float32' ? 'f32x4' : 'f64x2'}.${op}`);
  } else {
    body.op(`${dtype === 'float32' ? 'f32' : 'f64'}.${op}`);
  }
}

/** Compares two values of that type. */
export function compareOnStack(body: FunctionBody, op: CompareOp, { dtype, lanes }: ValueType): void {
  const float = comparisons[op];
  if (lanes === 1) {
    if (dtype === 'float32') body.op(`f32.${float}`);
    else if (dtype === 'float64') body.op(`f64.${float}`);
    else body.op(`i32.${integerComparisons[op]}`);
  } else if (dtype === 'float32') body.simd(`f32x4.${float}`);
  else if (dtype === 'float64') body.simd(`f64x2.${float}`);
  else if (dtype === 'int32') body.simd(`i32x4.${integerComparisons[op]}`);
  else body.simd(`${lanes === 2 ? 'i64x2' : 'i32x4'}.${maskComparisons[op]}`);
}

export function pushConstant(body: FunctionBody, { dtype, lanes }: ValueType, value: number): void {
  if (lanes === 1) {
    if (dtype === 'float32') body.f32(value);
    else if (dtype === 'float64') body.f64(value);
    else body.i32(value);
  } else if (dtype === 'bool') {
    body.v128(new Uint8Array(16).fill(value === 0 ? 0 : 255));
  } else {
    const array = dtype === 'float32' ? Float32Array : dtype === 'float64' ? Float64Array : Int32Array;
    body.v128(new Uint8Array(new array(lanes).fill(value).buffer));
  }
}

export function convertOnStack(body: FunctionBody, from: ValueType, to: ValueType): void {
  if (to.lanes > 1) {
    if (from.dtype === 'float32') body.simd('i32x4.trunc_sat_f32x4_s');
    else if (from.dtype === 'int32') body.simd('f32x4.convert_i32x4_s');
    else if (to.dtype === 'int32') body.simd('i32x4.neg');
    else {
      // A mask of ones leaves the bits of 1.
      pushConstant(body, to, 1);
      body.simd('v128.and');
    }
  } else if (to.dtype === 'int32') {
    if (from.dtype !== 'bool') body.truncate(from.dtype === 'float32' ? 'f32' : 'f64');
  } else if (to.dtype === 'float32') {
    body.op(from.dtype === 'float64' ? 'f32.demote_f64' : 'f32.convert_i32_s');
  } else {
    body.op(from.dtype === 'float32' ? 'f64.promote_f32' : 'f64.convert_i32_s');
  }
}

/** The lower or upper 32 bits of the float64 on the stack. */
export function halfOnStack(body: FunctionBody, upper: boolean): void {
  body.op('i64.reinterpret_f64');
  if (upper) {
    body.i64(32);
    body.op('i64.shr_u');
  }
  body.op('i32.wrap_i64');
}

/** Makes a vector of lanes of the two on the stack. */
export function shuffleOnStack(body: FunctionBody, type: ValueType, lanes: readonly number[]): void {
  const size = 16 / type.lanes;
  body.shuffle(lanes.flatMap((l) => Array.from({ length: size }, (_, byte) => l * size + byte)));
}

/** Spreads the scalar on the stack over the lanes of a vector. */
export function splatOnStack(body: FunctionBody, { dtype }: ValueType): void {
  if (dtype === 'float32') body.simd('f32x4.splat');
  else if (dtype === 'float64') body.simd('f64x2.splat');
  else body.simd('i32x4.splat');
  if (dtype === 'bool') body.simd('i32x4.neg');
}

/** Takes one lane of the vector on the stack. */
export function laneOnStack(body: FunctionBody, { dtype, lanes }: ValueType, lane: number): void {
  const shape = dtype === 'float32' ? 'f32x4' : dtype === 'float64' ? 'f64x2' : 'i32x4';
  body.simd(`${shape}.extract_lane`);
  body.lane(dtype === 'bool' ? lane * (4 / lanes) : lane);
  if (dtype !== 'bool') return;
  body.i32(1);
  body.op('i32.and');
}
