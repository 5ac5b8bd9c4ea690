// Loads and stores: elements in memory to values and back, for every element type and width.
import type { ValueType } from '../../../loops/ir.ts';
import { type DType, sizeOf } from '../../../tensor/dtype.ts';
import type { Address } from '../../emit/addresses.ts';
import type { FunctionBody } from './encode.ts';
import type { OpName } from './opcodes.ts';

const scalarLoads: Record<DType, OpName> = {
  float32: 'f32.load',
  float64: 'f64.load',
  int32: 'i32.load',
  uint8: 'i32.load8_u',
  bool: 'i32.load8_u',
};
const scalarStores: Record<DType, OpName> = {
  float32: 'f32.store',
  float64: 'f64.store',
  int32: 'i32.store',
  uint8: 'i32.store8',
  bool: 'i32.store8',
};

/** Pushes what an address counts from: a pointer, the local of a base, or 0. */
export function pushPointer(body: FunctionBody, { pointer }: Address, base: number | undefined): void {
  const from = pointer?.local ?? base;
  if (from !== undefined) body.get(from);
  else body.i32(0);
}

/** Stores the value on the stack at the address below it. */
export function storeScalar(body: FunctionBody, dtype: DType, offset: number): void {
  body.memory(scalarStores[dtype], offset);
}

/** A load of an element, or of several that become a vector. */
export interface Load {
  readonly dtype: DType;
  readonly lanes: number;
  /** Pushes the pointer to which the offsets are added. */
  readonly push: () => void;
  readonly offset: number;
  /** Elements from one lane to the next. */
  readonly laneStride: number;
}

export function load(body: FunctionBody, what: Load): void {
  const { dtype, lanes, push, offset } = what;
  if (lanes > 1) {
    if (dtype === 'bool' || dtype === 'uint8') loadByteVector(body, what);
    else loadVector(body, what);
  } else {
    push();
    body.memory(scalarLoads[dtype], offset);
  }
}

function loadVector(body: FunctionBody, { dtype, lanes, push, offset, laneStride }: Load): void {
  const bytes = laneStride * sizeOf(dtype);
  push();
  if (laneStride === 1) {
    body.simdMemory('v128.load', offset);
  } else if (laneStride === 0) {
    body.simdMemory(dtype === 'float64' ? 'v128.load64_splat' : 'v128.load32_splat', offset);
  } else {
    // The pointers lie below the vector on the stack, the last lane's lowest.
    for (let lane = 1; lane < lanes; lane++) push();
    const wide = dtype === 'float64';
    body.simdMemory(wide ? 'v128.load64_zero' : 'v128.load32_zero', offset);
    for (let lane = 1; lane < lanes; lane++) {
      body.simdMemory(wide ? 'v128.load64_lane' : 'v128.load32_lane', offset + lane * bytes);
      body.lane(lane);
    }
  }
}

function loadByteVector(body: FunctionBody, { dtype, lanes, push, offset, laneStride }: Load): void {
  if (lanes === 2) {
    for (let lane = 0; lane < 2; lane++) {
      push();
      body.memory('i32.load8_u', offset + lane * laneStride);
      body.op('i64.extend_i32_u');
      if (lane === 0) body.simd('i64x2.splat');
    }
    body.simd('i64x2.replace_lane');
    body.lane(1);
    body.i64(0);
    body.simd('i64x2.splat');
    body.simd('i64x2.ne');
    return;
  }
  push();
  if (laneStride === 1) {
    body.simdMemory('v128.load32_zero', offset);
    body.simd('i16x8.extend_low_i8x16_u');
    body.simd('i32x4.extend_low_i16x8_u');
  } else {
    body.memory('i32.load8_u', offset);
    body.simd('i32x4.splat');
    for (let lane = 1; lane < lanes && laneStride !== 0; lane++) {
      push();
      body.memory('i32.load8_u', offset + lane * laneStride);
      body.simd('i32x4.replace_lane');
      body.lane(lane);
    }
  }
  // 1 becomes a lane of ones.
  if (dtype === 'bool') body.simd('i32x4.neg');
}

/** Stores the vector on the stack at the pointer below it. */
export function storeVector(body: FunctionBody, dtype: DType, type: ValueType, offset: number): void {
  if (dtype !== 'bool' && dtype !== 'uint8') {
    body.simdMemory('v128.store', offset);
    return;
  }
  // The low byte of every lane, taken from the lower bytes; the rest is not stored.
  const width = 16 / type.lanes;
  if (dtype === 'bool') {
    body.v128(new Uint8Array(16).fill(1));
    body.simd('v128.and');
  }
  const first = Array.from({ length: 16 }, (_, i) => (i % type.lanes) * width);
  body.v128(new Uint8Array(16));
  body.shuffle(first);
  body.simdMemory(type.lanes === 2 ? 'v128.store16_lane' : 'v128.store32_lane', offset);
  body.lane(0);
}
