// The loop IR: what kernels build and backends print as machine code. Loops with constant bounds, loads and stores at
// affine indices, and typed scalar or vector expressions; see verify.ts for what holds of a well-formed kernel.
import type { DType } from '../tensor/dtype.ts';

/** Storage that kernels read and write; where it lies is decided by the memory plan. */
export interface Buffer {
  readonly name: string;
  readonly dtype: DType;
  /** In elements. */
  readonly length: number;
  /** Has every thread one of its own? Then nothing outlives an iteration of a parallel loop in it. */
  readonly private?: boolean;
}

/** A loop variable; its identity is the object. Takes the values 0, step, 2·step … below `extent`. */
export interface LoopVariable {
  readonly name: string;
  readonly extent: number;
  readonly step: number;
}

/** `constant + Σ coefficient · variable`, in elements. At most one term a variable, no coefficient 0. */
export interface Affine {
  readonly constant: number;
  readonly terms: readonly (readonly [LoopVariable, number])[];
}

/**
 * The type of a value: `int32` also holds loaded uint8 (0…255, stored by its low byte). `bool` with lanes is a mask as
 * wide as the vector it came from (all bits set or none), a scalar bool is 0 or 1; in memory a bool is one byte 0 or 1.
 * Lanes: 1 for a scalar; else vectorBytes / 4 for float32, int32 and bool; vectorBytes / 8 for float64 and its masks.
 */
export interface ValueType {
  readonly dtype: 'float32' | 'float64' | 'int32' | 'bool';
  readonly lanes: number;
}

export type UnaryOp = 'neg' | 'abs' | 'sqrt' | 'floor' | 'nearest' | 'not';
/**
 * On integers: `div` truncates (the divisor is never 0, never −1 with the smallest integer: the builder guards it),
 * `mulHigh` is the upper half of the unsigned 64-bit product, shifts take a scalar amount. `min`/`max` propagate NaN;
 * `minFast(a, b)` is `b < a ? b : a` and `maxFast(a, b)` is `a < b ? b : a`. `and`, `or`, `xor` on int32 or bool.
 * `remainder`, on floats, is a − trunc(a / b)·b without any rounding, with the sign of a, also where it is 0 (C's fmod).
 */
export type BinaryOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'min'
  | 'max'
  | 'minFast'
  | 'maxFast'
  | 'remainder'
  | 'and'
  | 'or'
  | 'xor'
  | 'mulHigh'
  | 'shiftLeft'
  | 'shiftRight'
  | 'shiftRightUnsigned';
/** Give bool, with the lanes of their operands. Unsigned comparison is not needed. */
export type CompareOp = 'equal' | 'notEqual' | 'less' | 'lessEqual';

/** Values. Every node has a `type`; operands of one operation have the same lanes. */
export type Expression =
  | { readonly kind: 'constant'; readonly type: ValueType; readonly value: number }
  /** An affine index as int32; lane l of a vector adds l · laneStep. */
  | { readonly kind: 'index'; readonly type: ValueType; readonly index: Affine; readonly laneStep: number }
  /**
   * Lane l reads element index + l · laneStride: 1 is a vector load, 0 a broadcast, anything else is gathered. With a
   * `count`, which only machines with `partialVectors` have, lanes from that one on read nothing and are 0.
   */
  | {
      readonly kind: 'load';
      readonly type: ValueType;
      readonly buffer: Buffer;
      readonly index: Affine;
      readonly laneStride: number;
      readonly count?: number;
    }
  /** Load at a computed index (int32, from 0): lane l reads element index + offset + l, which the kernel has made sure is in range. */
  | {
      readonly kind: 'loadAt';
      readonly type: ValueType;
      readonly buffer: Buffer;
      readonly index: Expression;
      readonly offset: number;
    }
  | { readonly kind: 'local'; readonly type: ValueType; readonly local: Local }
  | { readonly kind: 'unary'; readonly type: ValueType; readonly op: UnaryOp; readonly a: Expression }
  | {
      readonly kind: 'binary';
      readonly type: ValueType;
      readonly op: BinaryOp;
      readonly a: Expression;
      readonly b: Expression;
    }
  | {
      readonly kind: 'compare';
      readonly type: ValueType;
      readonly op: CompareOp;
      readonly a: Expression;
      readonly b: Expression;
    }
  /** a · b + c, rounded once where the machine says so. */
  | {
      readonly kind: 'multiplyAdd';
      readonly type: ValueType;
      readonly a: Expression;
      readonly b: Expression;
      readonly c: Expression;
    }
  | {
      readonly kind: 'select';
      readonly type: ValueType;
      readonly condition: Expression;
      readonly a: Expression;
      readonly b: Expression;
    }
  /** Number conversion with equal lanes; float → int32 truncates and saturates (NaN gives 0); bool → 0 or 1. float32 ↔ float64, and float64 ↔ int32, are scalar only. */
  | { readonly kind: 'convert'; readonly type: ValueType; readonly a: Expression }
  /** The same bits as float32 ↔ int32. */
  | { readonly kind: 'bitcast'; readonly type: ValueType; readonly a: Expression }
  /** Upper or lower half of the bits of a float64 scalar as int32, and a float64 from its two halves. */
  | { readonly kind: 'half'; readonly type: ValueType; readonly a: Expression; readonly upper: boolean }
  | { readonly kind: 'join'; readonly type: ValueType; readonly low: Expression; readonly high: Expression }
  | { readonly kind: 'splat'; readonly type: ValueType; readonly a: Expression }
  /** Lanes of two vectors: each by its number in the first, or from the number of lanes on in the second. */
  | {
      readonly kind: 'shuffle';
      readonly type: ValueType;
      readonly a: Expression;
      readonly b: Expression;
      readonly lanes: readonly number[];
    }
  /** One lane of a vector as a scalar. */
  | { readonly kind: 'lane'; readonly type: ValueType; readonly a: Expression; readonly lane: number };

/** A register: written by `set`, read by `local` expressions. Shared subexpressions are put in one. */
export interface Local {
  readonly name: string;
  readonly type: ValueType;
}

export type LoopKind = 'serial' | 'parallel';
export type Statement =
  /** A loop has two iterations at least: what is done once is no loop. */
  | {
      readonly kind: 'loop';
      readonly variable: LoopVariable;
      readonly loop: LoopKind;
      /** How many iterations of a serial loop are run (int32, from 0), which the kernel has made sure are not too many. Of such a loop one may be the most. */
      readonly count?: Expression;
      readonly body: readonly Statement[];
    }
  /** `ahead` is a load that the loop after it was freed of: whoever runs the loop sets it before the first iteration. */
  | { readonly kind: 'set'; readonly local: Local; readonly value: Expression; readonly ahead?: true }
  /** Lane l writes element index + l; with a `count`, as of a load, only so many lanes do. */
  | {
      readonly kind: 'store';
      readonly buffer: Buffer;
      readonly index: Affine;
      readonly value: Expression;
      readonly count?: number;
    }
  /** Store at a computed element index (int32), of neighbours if it is a vector, which the kernel has made sure is in range. */
  | { readonly kind: 'storeAt'; readonly buffer: Buffer; readonly index: Expression; readonly value: Expression }
  /** A hint: the element will be read soon, if there is one. Only where the machine says that it `prefetches`. */
  | { readonly kind: 'prefetch'; readonly buffer: Buffer; readonly index: Affine }
  /** The condition is a scalar bool. */
  | { readonly kind: 'if'; readonly condition: Expression; readonly body: readonly Statement[] };

/** Statements in order: the inside of a loop, or of a kernel. */
export type Body = readonly Statement[];
export type Loop = Statement & { readonly kind: 'loop' };

/** How often a loop's body runs. */
export const iterations = ({ variable }: Loop): number => Math.ceil(variable.extent / variable.step);

/**
 * One loop nest. Only the outermost loops of `body` may be parallel: their iterations are divided among the threads.
 * Each thread sets what is set ahead of such a loop; everything else is done by the first of them (see threads.ts). Threads
 * wait for each other between kernels, not inside one: what a parallel loop touches is not
 * changed by the rest of its kernel. Two buffers of a kernel never share bytes.
 */
export interface Kernel {
  readonly name: string;
  readonly body: readonly Statement[];
  /** What it touches, in the order in which emitters number it; where it is missing, that of its statements. */
  readonly buffers?: readonly Buffer[];
  /** Where kernels differ in nothing but buffers: one of them, and what its buffers are in this one. */
  readonly shared?: { readonly pattern: Kernel; readonly buffers: ReadonlyMap<Buffer, Buffer> };
  /** Arithmetic operations and bytes moved, as estimated when it was chosen. */
  readonly flops: number;
  readonly bytes: number;
}

// ---------------------------------------------------------------- indices
export const at = (constant: number, ...terms: (readonly [LoopVariable, number])[]): Affine => ({
  constant,
  terms: terms.filter((t) => t[1] !== 0 && t[0].extent > t[0].step),
});

export function plus(a: Affine, constant: number): Affine {
  return constant === 0 ? a : { constant: a.constant + constant, terms: a.terms };
}

/** The smallest and the largest value that an index takes. */
export function range(a: Affine): [number, number] {
  let low = a.constant;
  let high = a.constant;
  for (const [v, n] of a.terms) {
    const last = n * Math.floor((v.extent - 1) / v.step) * v.step;
    if (last < 0) low += last;
    else high += last;
  }
  return [low, high];
}

// ---------------------------------------------------------------- building expressions
export const constant = (value: number, type: ValueType): Expression => ({ kind: 'constant', type, value });
export const index = (a: Affine, type: ValueType, laneStep = 0): Expression => ({
  kind: 'index',
  type,
  index: a,
  laneStep,
});
export const load = (buffer: Buffer, a: Affine, type: ValueType, laneStride = 1, count?: number): Expression => ({
  kind: 'load',
  type,
  buffer,
  index: a,
  laneStride,
  ...(count !== undefined && laneStride !== 0 && { count }),
});
export const store = (buffer: Buffer, a: Affine, value: Expression, count?: number): Statement => ({
  kind: 'store',
  buffer,
  index: a,
  value,
  ...(count !== undefined && { count }),
});
export const loadAt = (buffer: Buffer, a: Expression, type: ValueType, offset = 0): Expression => ({
  kind: 'loadAt',
  type,
  buffer,
  index: a,
  offset,
});
export const local = (l: Local): Expression => ({ kind: 'local', type: l.type, local: l });
export const unary = (op: UnaryOp, a: Expression): Expression => ({ kind: 'unary', type: a.type, op, a });
export const binary = (op: BinaryOp, a: Expression, b: Expression): Expression => ({
  kind: 'binary',
  type: a.type,
  op,
  a,
  b,
});
export const compare = (op: CompareOp, a: Expression, b: Expression): Expression => ({
  kind: 'compare',
  type: { dtype: 'bool', lanes: a.type.lanes },
  op,
  a,
  b,
});
export const multiplyAdd = (a: Expression, b: Expression, c: Expression): Expression => ({
  kind: 'multiplyAdd',
  type: c.type,
  a,
  b,
  c,
});
export const select = (condition: Expression, a: Expression, b: Expression): Expression => ({
  kind: 'select',
  type: a.type,
  condition,
  a,
  b,
});
export const convert = (a: Expression, dtype: ValueType['dtype']): Expression =>
  a.type.dtype === dtype ? a : { kind: 'convert', type: { dtype, lanes: a.type.lanes }, a };
export const bitcast = (a: Expression, dtype: 'float32' | 'int32'): Expression => ({
  kind: 'bitcast',
  type: { dtype, lanes: a.type.lanes },
  a,
});
export const half = (a: Expression, upper: boolean): Expression => ({
  kind: 'half',
  type: { dtype: 'int32', lanes: 1 },
  a,
  upper,
});
export const join = (low: Expression, high: Expression): Expression => ({
  kind: 'join',
  type: { dtype: 'float64', lanes: 1 },
  low,
  high,
});
export const splat = (a: Expression, lanes: number): Expression =>
  lanes === 1 ? a : { kind: 'splat', type: { dtype: a.type.dtype, lanes }, a };
export const shuffle = (a: Expression, b: Expression, lanes: readonly number[]): Expression => ({
  kind: 'shuffle',
  type: a.type,
  a,
  b,
  lanes,
});
export const lane = (a: Expression, number: number): Expression => ({
  kind: 'lane',
  type: { dtype: a.type.dtype, lanes: 1 },
  a,
  lane: number,
});

/** How many elements a load or a store of so many lanes touches. */
export const touched = ({ count }: { readonly count?: number }, lanes: number): number => count ?? lanes;

/** The type in which elements of that dtype are computed with. */
export const valueType = (dtype: DType, lanes: number): ValueType => ({
  dtype: dtype === 'uint8' ? 'int32' : dtype,
  lanes,
});

// ---------------------------------------------------------------- walking
/** Is it work for more than one thread? */
export const isParallel = (s: Statement): boolean => s.kind === 'loop' && s.loop === 'parallel';

/** The expressions of a statement itself, in the order in which they are computed. */
export function expressionsOf(s: Statement): readonly Expression[] {
  switch (s.kind) {
    case 'loop':
      return s.count ? [s.count] : [];
    case 'if':
      return [s.condition];
    case 'storeAt':
      return [s.index, s.value];
    case 'prefetch':
      return [];
    default:
      return [s.value];
  }
}

/** The statements inside a loop or a condition. */
export const bodyOf = (s: Statement): readonly Statement[] => (s.kind === 'loop' || s.kind === 'if' ? s.body : []);

/** Calls a function with each direct operand of an expression; programs are walked so often that lists of them cost. */
export function forEachOperand(e: Expression, visit: (operand: Expression) => void): void {
  switch (e.kind) {
    case 'unary':
    case 'convert':
    case 'bitcast':
    case 'half':
    case 'splat':
    case 'lane':
      visit(e.a);
      break;
    case 'binary':
    case 'compare':
    case 'shuffle':
      visit(e.a);
      visit(e.b);
      break;
    case 'multiplyAdd':
      visit(e.a);
      visit(e.b);
      visit(e.c);
      break;
    case 'select':
      visit(e.condition);
      visit(e.a);
      visit(e.b);
      break;
    case 'join':
      visit(e.low);
      visit(e.high);
      break;
    case 'loadAt':
      visit(e.index);
      break;
    default:
  }
}

/** The direct operands of an expression. */
export function children(e: Expression): readonly Expression[] {
  const found: Expression[] = [];
  forEachOperand(e, (operand) => found.push(operand));
  return found;
}
