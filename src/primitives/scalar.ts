// Scalar expressions: what a `map` computes for one element. Built by the lowerings of ops, read by every backend.
import type { DType } from '../tensor/dtype.ts';
import { isFloat } from '../tensor/dtype.ts';

export type UnaryOp =
  | 'neg'
  | 'abs'
  | 'sign'
  | 'floor'
  | 'round'
  | 'sqrt'
  | 'exp'
  | 'expm1'
  | 'log'
  | 'log1p'
  | 'tanh'
  | 'sin'
  | 'cos'
  | 'erf'
  | 'not';
export type BinaryOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'floorDiv'
  | 'mod'
  | 'pow'
  | 'min'
  | 'max'
  | 'equal'
  | 'less'
  | 'lessEqual'
  | 'and'
  | 'or'
  | 'xor'
  | 'shiftRight';

/**
 * One node of a scalar expression. Integers wrap at their width. What each `op` means:
 * - `input`: element of operand number `value`; `index`: position along axis `value` of the map, int32; `constant`.
 * - `div` on integers truncates toward zero, `floorDiv` rounds down, `mod` has the sign of the divisor, also where it
 *   is 0; an integer divided by zero gives 0 (a `check` has refused it before). On floats, both are of the exact
 *   quotient, but a floorDiv beyond 2²⁴ (float64: 2⁵³) is the quotient, rounded.
 * - `round` is the nearest whole number, halves to even.
 * - `expm1` is eˣ − 1 and `log1p` is ln(1 + x), exact near 0 too; `erf` is the error function.
 * - `exp` gives 0 for what is below the smallest normal number of its type. `pow` on floats is IEEE 754's.
 * - `min`, `max` give NaN when either operand is NaN, and take −0 for less than 0: IEEE 754-2019's minimum and maximum.
 *   `equal`, `less`, `lessEqual` give bool.
 * - `and`, `or`, `xor`, `not` are logical on bool, bitwise on int32; `shiftRight` is unsigned, on int32.
 * - `select`: args (condition, then, else). `cast`: float → integer truncates toward zero and saturates (NaN gives
 *   0), uint8 keeps the low 8 bits of an integer; to bool is `x != 0`.
 * - `philox`: args (element, draw, run) int32 → 32 random bits as int32: the first word of Philox-4x32-10 with the
 *   counter (element, draw, run, 0) and the key `key`.
 */
export interface Scalar {
  readonly op: UnaryOp | BinaryOp | 'constant' | 'input' | 'index' | 'select' | 'cast' | 'philox';
  readonly dtype: DType;
  readonly args: readonly Scalar[];
  /** The constant; the operand number of `input`; the axis of `index`. */
  readonly value: number;
  readonly key?: readonly [number, number];
}

const none: readonly Scalar[] = [];
type Operand = Scalar | number;

export const constant = (value: number, dtype: DType): Scalar => ({ op: 'constant', dtype, args: none, value });
export const input = (number: number, dtype: DType): Scalar => ({ op: 'input', dtype, args: none, value: number });
/** The position along an axis of the map's shape. */
export const index = (axis: number): Scalar => ({ op: 'index', dtype: 'int32', args: none, value: axis });

const unary = (op: UnaryOp, a: Scalar): Scalar => ({ op, dtype: a.dtype, args: [a], value: 0 });

/** Numbers take the element type of the other operand. */
function binary(op: BinaryOp, a: Operand, b: Operand, dtype?: DType): Scalar {
  const x = typeof a === 'number' ? constant(a, (b as Scalar).dtype) : a;
  const y = typeof b === 'number' ? constant(b, x.dtype) : b;
  return { op, dtype: dtype ?? x.dtype, args: [x, y], value: 0 };
}

export const neg = (a: Scalar) => unary('neg', a);
export const abs = (a: Scalar) => unary('abs', a);
export const sign = (a: Scalar) => unary('sign', a);
export const floor = (a: Scalar) => unary('floor', a);
export const round = (a: Scalar) => unary('round', a);
export const sqrt = (a: Scalar) => unary('sqrt', a);
export const exp = (a: Scalar) => unary('exp', a);
export const expm1 = (a: Scalar) => unary('expm1', a);
export const log = (a: Scalar) => unary('log', a);
export const log1p = (a: Scalar) => unary('log1p', a);
export const tanh = (a: Scalar) => unary('tanh', a);
export const sin = (a: Scalar) => unary('sin', a);
export const cos = (a: Scalar) => unary('cos', a);
export const erf = (a: Scalar) => unary('erf', a);
export const not = (a: Scalar) => unary('not', a);
export const add = (a: Operand, b: Operand) => binary('add', a, b);
export const sub = (a: Operand, b: Operand) => binary('sub', a, b);
export const mul = (a: Operand, b: Operand) => binary('mul', a, b);
export const div = (a: Operand, b: Operand) => binary('div', a, b);
export const floorDiv = (a: Operand, b: Operand) => binary('floorDiv', a, b);
export const mod = (a: Operand, b: Operand) => binary('mod', a, b);
export const pow = (a: Operand, b: Operand) => binary('pow', a, b);
export const min = (a: Operand, b: Operand) => binary('min', a, b);
export const max = (a: Operand, b: Operand) => binary('max', a, b);
export const equal = (a: Operand, b: Operand) => binary('equal', a, b, 'bool');
export const less = (a: Operand, b: Operand) => binary('less', a, b, 'bool');
export const lessEqual = (a: Operand, b: Operand) => binary('lessEqual', a, b, 'bool');
export const and = (a: Scalar, b: Scalar) => binary('and', a, b);
export const or = (a: Scalar, b: Scalar) => binary('or', a, b);
export const xor = (a: Operand, b: Operand) => binary('xor', a, b);
export const shiftRight = (a: Scalar, bits: number) => binary('shiftRight', a, bits);

/** `condition ? a : b`; numbers take the element type of the other branch. */
export function select(condition: Scalar, a: Operand, b: Operand): Scalar {
  const dtype = (typeof a === 'number' ? (b as Scalar) : a).dtype;
  const x = typeof a === 'number' ? constant(a, dtype) : a;
  const y = typeof b === 'number' ? constant(b, dtype) : b;
  return { op: 'select', dtype, args: [condition, x, y], value: 0 };
}

export const cast = (a: Scalar, dtype: DType): Scalar =>
  a.dtype === dtype ? a : { op: 'cast', dtype, args: [a], value: 0 };

/** 32 random bits for an element, the number of its draw, and the number of the run. */
export const philox = (element: Scalar, draw: number, run: Scalar, key: readonly [number, number]): Scalar => ({
  op: 'philox',
  dtype: 'int32',
  args: [element, constant(draw, 'int32'), run],
  value: 0,
  key,
});

/** The same expression with every leaf (input, index, constant) replaced, constants folded. Shared nodes stay shared. */
export function substitute(root: Scalar, leaf: (s: Scalar) => Scalar, memo = new Map<Scalar, Scalar>()): Scalar {
  const known = memo.get(root);
  if (known) return known;
  let result: Scalar;
  if (root.args.length === 0) result = leaf(root);
  else {
    const args = root.args.map((a) => substitute(a, leaf, memo));
    result = args.every((a, i) => a === root.args[i]) ? root : folded({ ...root, args });
  }
  memo.set(root, result);
  return result;
}

/** Arithmetic of which each step is rounded to the nearest number, as processors do it. */
const foldable: Partial<Record<Scalar['op'], (a: number, b: number) => number>> = {
  neg: (a) => -a,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
};

/** An operation on floating-point constants as a constant, and a product with 1 as the other factor: the same bits. */
function folded(s: Scalar): Scalar {
  const compute = isFloat(s.dtype) && foldable[s.op];
  if (!compute) return s;
  const [a, b] = s.args;
  const isConstant = (e: Scalar | undefined) => e === undefined || e.op === 'constant';
  if (isConstant(a) && isConstant(b)) {
    const round = s.dtype === 'float32' ? Math.fround : Number;
    return constant(round(compute(round(a.value), round(b?.value ?? 0))), s.dtype);
  }
  const isFactorOne = (e: Scalar) => s.op === 'mul' && e.op === 'constant' && e.value === 1;
  return isFactorOne(a) ? b : isFactorOne(b) ? a : s;
}

/** Calls `visit` once for every node, arguments first. */
export function walk(root: Scalar, visit: (s: Scalar) => void, seen = new Set<Scalar>()): void {
  if (seen.has(root)) return;
  seen.add(root);
  for (const a of root.args) walk(a, visit, seen);
  visit(root);
}

/** Asked again and again of the same expressions, and of those in which they are parts. */
const indexed = new WeakMap<Scalar, boolean>();

/** Does the value depend on the position in the map itself? */
export function usesIndex(body: Scalar): boolean {
  let found = indexed.get(body);
  if (found === undefined) indexed.set(body, (found = body.op === 'index' || body.args.some(usesIndex)));
  return found;
}

/** `max(in0, 0)`: how an expression reads in dumps. */
export function printScalar(s: Scalar): string {
  switch (s.op) {
    case 'constant':
      return isFloat(s.dtype) && Number.isInteger(s.value) ? `${s.value}.` : String(s.value);
    case 'input':
      return `in${s.value}`;
    case 'index':
      return `i${s.value}`;
    case 'cast':
      return `${s.dtype}(${printScalar(s.args[0])})`;
    default:
      return `${s.op}(${s.args.map(printScalar).join(', ')})`;
  }
}
