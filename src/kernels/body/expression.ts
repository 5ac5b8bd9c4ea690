// Scalar expressions of tasks as typed expressions of the loop IR, for one element or for a vector of them.

import { InternalError } from '../../base/errors.ts';
import type { Expression, Local, Statement, ValueType } from '../../loops/ir.ts';
import * as ir from '../../loops/ir.ts';
import { lanesOf, type Machine } from '../../loops/machine.ts';
import { withOperands } from '../../loops/substitute.ts';
import type { Scalar } from '../../primitives/scalar.ts';
import { walk } from '../../primitives/scalar.ts';
import { type DType, isFloat } from '../../tensor/dtype.ts';
import { erf } from './error-function.ts';
import * as math from './math.ts';
import { pow } from './power.ts';
import { cos, sin } from './trigonometry.ts';

/** What the leaves of a scalar expression are where it is computed. */
export interface LeafExpressions {
  readonly input: (number: number) => Expression;
  readonly index: (axis: number) => Expression;
}

/**
 * How many elements a vector holds of everything that is computed: 1 when the types or operations do not fit one width.
 * `stored` are the element types of the arrays that are read and written.
 */
export function lanesFor(machine: Machine, bodies: readonly Scalar[], stored: readonly DType[]): number {
  const computed = new Set<DType>();
  let scalar = false;
  for (const body of bodies) {
    walk(body, (e) => {
      computed.add(e.dtype);
      for (const a of e.args) computed.add(a.dtype);
      const integer = !isFloat(e.dtype);
      if (e.op === 'pow' || (integer && (e.op === 'div' || e.op === 'floorDiv' || e.op === 'mod'))) scalar = true;
      if (e.dtype === 'float64' && isElementary(e.op)) scalar = true;
    });
  }
  if (scalar) return 1;
  const wide = [...computed, ...stored].some((t) => t === 'float64');
  if (!wide) return lanesOf(machine, 'float32');
  const others = [...computed].some((t) => t !== 'float64' && t !== 'bool') || stored.some((t) => t !== 'float64');
  return others ? 1 : lanesOf(machine, 'float64');
}

/** They take float64 apart, which vectors cannot. */
const elementary = {
  exp: math.exp,
  expm1: math.expm1,
  log: math.log,
  log1p: math.log1p,
  tanh: math.tanh,
  sin,
  cos,
  erf,
};
const isElementary = (op: string): op is keyof typeof elementary => Object.hasOwn(elementary, op);

/** Translates scalar expressions; what they share is translated once. */
export class Translator {
  readonly #lanes: number;
  readonly #leaves: LeafExpressions;
  readonly #known = new Map<Scalar, Expression>();

  constructor(lanes: number, leaves: LeafExpressions) {
    this.#lanes = lanes;
    this.#leaves = leaves;
  }

  translate(s: Scalar): Expression {
    const known = this.#known.get(s);
    if (known) return known;
    const e = this.#make(s);
    this.#known.set(s, e);
    return e;
  }

  #make(s: Scalar): Expression {
    const type = ir.valueType(s.dtype, this.#lanes);
    if (s.op === 'constant') return ir.constant(s.value, type);
    if (s.op === 'input') return this.#leaves.input(s.value);
    if (s.op === 'index') return this.#leaves.index(s.value);
    const args = s.args.map((a) => this.translate(a));
    const result = operation(s, args, type);
    // uint8 is computed as int32: what can leave 0…255 is brought back.
    const wraps = s.dtype === 'uint8' && s.op !== 'select' && s.op !== 'min' && s.op !== 'max';
    return wraps ? ir.binary('and', result, ir.constant(255, type)) : result;
  }
}

function operation(s: Scalar, args: readonly Expression[], type: ValueType): Expression {
  const [a, b, c] = args;
  const float = isFloat(s.args[0].dtype);
  const zero = (e: Expression) => ir.constant(0, e.type);
  if (isElementary(s.op)) return elementary[s.op](a);
  switch (s.op) {
    case 'neg':
      return float ? ir.unary('neg', a) : ir.binary('sub', zero(a), a);
    case 'abs':
      return float ? ir.unary('abs', a) : ir.select(ir.compare('less', a, zero(a)), ir.binary('sub', zero(a), a), a);
    case 'sign': {
      const up = ir.select(ir.compare('less', zero(a), a), ir.constant(1, type), a);
      return ir.select(ir.compare('less', a, zero(a)), ir.constant(-1, type), up);
    }
    case 'floor':
      return float ? ir.unary('floor', a) : a;
    case 'round':
      return float ? ir.unary('nearest', a) : a;
    case 'sqrt':
      return ir.unary('sqrt', a);
    case 'not':
      return s.dtype === 'bool' ? ir.unary('not', a) : ir.binary('xor', a, ir.constant(-1, type));
    case 'pow':
      return pow(a, b);
    case 'max':
      return extreme('max', a, b, s);
    case 'min':
      return extreme('min', a, b, s);
    case 'div':
      return float ? ir.binary('div', a, b) : integerDivide(a, b);
    case 'floorDiv':
      return float ? math.floorDivide(a, b) : floorDivide(a, b);
    case 'mod':
      return float ? math.modulo(a, b) : modulo(a, b);
    case 'equal':
    case 'less':
    case 'lessEqual':
      return ir.compare(s.op, a, b);
    case 'shiftRight':
      return ir.binary('shiftRightUnsigned', a, ir.constant(s.args[1].value, { dtype: 'int32', lanes: 1 }));
    case 'select':
      return ir.select(a, b, c);
    case 'cast':
      return cast(a, s);
    case 'philox':
      return math.philox(a, b, c, s.key as readonly [number, number]);
    case 'add':
    case 'sub':
    case 'mul':
    case 'and':
    case 'or':
    case 'xor':
      return ir.binary(s.op, a, b);
    default:
      throw new InternalError(`no translation for ${s.op}`);
  }
}

/** One instruction where an operand is a constant other than NaN: the fast form then propagates NaN too. */
function extreme(kind: 'max' | 'min', a: Expression, b: Expression, s: Scalar): Expression {
  if (s.dtype === 'bool') return ir.binary(kind === 'max' ? 'or' : 'and', a, b);
  if (!isFloat(s.dtype)) return ir.binary(kind, a, b);
  const bound = [b, a].find((e) => e.kind === 'constant' && !Number.isNaN(e.value));
  if (bound?.kind !== 'constant') return ir.binary(kind, a, b);
  const x = bound === b ? a : b;
  // Of equal operands the fast form gives x, which may be the wrong zero.
  if (kind === 'max' && Object.is(bound.value, 0)) return ir.binary('add', ir.binary('maxFast', x, bound), bound);
  if (kind === 'min' && Object.is(bound.value, -0)) return ir.binary('min', x, bound);
  return ir.binary(kind === 'max' ? 'maxFast' : 'minFast', x, bound);
}

/** Truncates; 0 for a divisor of 0, and wraps where the quotient does not fit. */
function integerDivide(a: Expression, b: Expression): Expression {
  const zero = ir.constant(0, b.type);
  const none = ir.compare('equal', b, zero);
  const minusOne = ir.compare('equal', b, ir.constant(-1, b.type));
  const safe = ir.select(ir.binary('or', none, minusOne), ir.constant(1, b.type), b);
  const quotient = ir.select(minusOne, ir.binary('sub', zero, a), ir.binary('div', a, safe));
  return ir.select(none, zero, quotient);
}

function floorDivide(a: Expression, b: Expression): Expression {
  const quotient = integerDivide(a, b);
  const zero = ir.constant(0, b.type);
  const rest = ir.binary('sub', a, ir.binary('mul', quotient, b));
  const apart = ir.compare('less', ir.binary('xor', rest, b), zero);
  const down = ir.binary('and', ir.compare('notEqual', rest, zero), apart);
  const lower = ir.select(down, ir.binary('sub', quotient, ir.constant(1, b.type)), quotient);
  return ir.select(ir.compare('equal', b, zero), zero, lower);
}

function modulo(a: Expression, b: Expression): Expression {
  const zero = ir.constant(0, b.type);
  const rest = ir.binary('sub', a, ir.binary('mul', floorDivide(a, b), b));
  return ir.select(ir.compare('equal', b, zero), zero, rest);
}

function cast(a: Expression, s: Scalar): Expression {
  const from = s.args[0].dtype;
  if (s.dtype === 'bool') return ir.compare('notEqual', a, ir.constant(0, a.type));
  const to = ir.valueType(s.dtype, 1).dtype;
  return from === s.dtype ? a : ir.convert(a, to);
}

/**
 * Statements that put every part that is used more than once in a register, and then the given values; the returned
 * expressions read them. Nothing is stored before all is computed, so a result may overwrite what it was made from.
 */
export function share(roots: readonly Expression[], prefix = 't'): { statements: Statement[]; values: Expression[] } {
  const uses = new Map<Expression, number>();
  const count = (e: Expression) => {
    const n = uses.get(e) ?? 0;
    uses.set(e, n + 1);
    if (n === 0) ir.forEachOperand(e, count);
  };
  for (const r of roots) count(r);
  const statements: Statement[] = [];
  const done = new Map<Expression, Expression>();
  const keep = (e: Expression, value: Expression): Expression => {
    const local: Local = { name: `${prefix}${statements.length}`, type: e.type };
    statements.push({ kind: 'set', local, value });
    return ir.local(local);
  };
  const rebuild = (e: Expression): Expression => {
    if (e.kind === 'constant' || e.kind === 'local') return e;
    const known = done.get(e);
    if (known) return known;
    const value = withOperands(e, rebuild);
    const result = (uses.get(e) ?? 0) > 1 ? keep(e, value) : value;
    done.set(e, result);
    return result;
  };
  const values = roots.map((r) => rebuild(r));
  if (roots.length === 1) return { statements, values };
  return { statements, values: values.map((v) => (v.kind === 'local' || v.kind === 'constant' ? v : keep(v, v))) };
}
