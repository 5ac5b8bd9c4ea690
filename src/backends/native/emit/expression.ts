// Expressions of the loop IR as C expressions.
import {
  type Affine,
  type BinaryOp,
  type Buffer,
  type Expression,
  forEachOperand,
  type Local,
  type ValueType,
} from '../../../loops/ir.ts';
import { sizeOf } from '../../../tensor/dtype.ts';
import type { Address, Addresses } from '../../emit/addresses.ts';
import { type CType, cConstant, cType, laneType } from './c-types.ts';

/** Deeper expressions are cut in two: compilers have limits. */
const deepest = 24;

const signs: Partial<Record<BinaryOp, string>> = { add: '+', sub: '-', mul: '*', div: '/' };
const bitwise: Partial<Record<BinaryOp, string>> = { and: '&', or: '|', xor: '^' };
const functions: Partial<Record<BinaryOp, string>> = {
  min: 'min',
  max: 'max',
  minFast: 'min_fast',
  maxFast: 'max_fast',
  remainder: 'remainder',
  mulHigh: 'mul_high',
};
const comparisons = { equal: '==', notEqual: '!=', less: '<', lessEqual: '<=' } as const;
/** The unsigned type in which integers wrap. */
const unsigned = { i32: 'u32', vi: 'vu' } as const;

/** What an address begins with, as C text; nothing for indices. */
export const pointerName = (local: number): string => `p${local}`;

/** `p3 + 16` of an address. */
export function addressText({ pointer, offset }: Address, base: number | undefined): string {
  const from = pointer?.local ?? base;
  if (from === undefined) return String(offset);
  return offset === 0 ? pointerName(from) : `${pointerName(from)} + ${offset}`;
}

/** Writes expressions. What is used more than once in a statement is computed once, in a line before it. */
export class ExpressionWriter {
  readonly #addresses: Addresses;
  readonly #vectorBytes: number;
  readonly #locals: Map<Local, string>;
  readonly #uses = new Map<Expression, number>();
  readonly #known = new Map<Expression, string>();
  #lines: string[] = [];
  #temporaries = 0;

  constructor(addresses: Addresses, vectorBytes: number, locals: Map<Local, string>) {
    this.#addresses = addresses;
    this.#vectorBytes = vectorBytes;
    this.#locals = locals;
  }

  typeOf(type: ValueType): CType {
    return cType(type, this.#vectorBytes);
  }

  localOf(l: Local): string {
    let name = this.#locals.get(l);
    if (name === undefined) this.#locals.set(l, (name = `r${this.#locals.size}`));
    return name;
  }

  /** The texts of what a statement computes, and the lines that must come before it. */
  write(...roots: Expression[]): { lines: string[]; texts: string[] } {
    this.#lines = [];
    this.#known.clear();
    this.#uses.clear();
    const count = (e: Expression): void => {
      const uses = this.#uses.get(e) ?? 0;
      this.#uses.set(e, uses + 1);
      if (uses === 0) forEachOperand(e, count);
    };
    roots.forEach(count);
    const texts = roots.map((e) => this.#text(e, 0));
    return { lines: this.#lines, texts };
  }

  #text(e: Expression, depth: number): string {
    const known = this.#known.get(e);
    if (known !== undefined) return known;
    const once = this.#uses.get(e) === 1;
    const leaf = e.kind === 'constant' || e.kind === 'local';
    const text = this.#compute(e, once && depth < deepest ? depth + 1 : 0);
    if (leaf || (once && depth < deepest)) return text;
    const name = `t${this.#temporaries++}`;
    this.#known.set(e, name);
    this.#lines.push(`const ${this.typeOf(e.type)} ${name} = ${text};`);
    return name;
  }

  #compute(e: Expression, depth: number): string {
    const c = this.typeOf(e.type);
    const text = (x: Expression) => this.#text(x, depth);
    switch (e.kind) {
      case 'constant':
        return cConstant(e.type, e.value, this.#vectorBytes);
      case 'local':
        return this.localOf(e.local);
      case 'index':
        return this.#index(e);
      case 'load': {
        return this.#load(e.buffer.dtype, e.type, this.elementAddress(e.buffer, e.index), e.laneStride, e.count);
      }
      case 'loadAt': {
        const at = this.computedAddress(e.buffer, text(e.index), e.offset);
        return this.#load(e.buffer.dtype, e.type, at, 1);
      }
      case 'unary':
        return this.#unary(e, text(e.a));
      case 'binary':
        return this.#binary(e, text(e.a), text(e.b));
      case 'compare': {
        const [a, b] = [text(e.a), text(e.b)];
        // Masks hold −1 for true, so their order is the other way round.
        const swapped = e.a.type.dtype === 'bool' && e.type.lanes > 1;
        return `((${c})(${swapped ? b : a} ${comparisons[e.op]} ${swapped ? a : b}))`;
      }
      case 'multiplyAdd': {
        const [x, y, z] = [text(e.a), text(e.b), text(e.c)];
        if (c === 'i32' || c === 'vi') {
          const u = unsigned[c];
          return `((${c})((${u})${x} * (${u})${y} + (${u})${z}))`;
        }
        return `fma_${c}(${x}, ${y}, ${z})`;
      }
      case 'select': {
        const [condition, a, b] = [text(e.condition), text(e.a), text(e.b)];
        return e.type.lanes === 1 ? `(${condition} ? ${a} : ${b})` : `select_${c}(${condition}, ${a}, ${b})`;
      }
      case 'convert':
        return this.#convert(e.a.type, e.type, text(e.a));
      case 'bitcast':
        return e.type.lanes === 1 ? `bits_${c}(${text(e.a)})` : `((${c})${text(e.a)})`;
      case 'half':
        return `half_f64(${text(e.a)}, ${e.upper ? 32 : 0})`;
      case 'join':
        return `join_f64(${text(e.low)}, ${text(e.high)})`;
      case 'splat':
        return `splat_${c}(${e.type.dtype === 'bool' ? '-' : ''}${text(e.a)})`;
      case 'shuffle':
        return `SHUFFLE(${c}, ${text(e.a)}, ${text(e.b)}, ${e.lanes.join(', ')})`;
      case 'lane': {
        const lane = `${text(e.a)}[${e.lane}]`;
        return e.type.dtype === 'bool' ? `((i32)${lane} & 1)` : lane;
      }
    }
  }

  /** The address of an element. */
  elementAddress(buffer: Buffer, index: Affine): string {
    const { base } = this.#addresses.originOf(buffer);
    return addressText(this.#addresses.element(buffer, index), this.#addresses.localOf(base));
  }

  /** The address of an element whose number is computed. */
  computedAddress(buffer: Buffer, index: string, offset: number): string {
    const origin = this.#addresses.originOf(buffer);
    const size = sizeOf(buffer.dtype);
    const address = { pointer: undefined, offset: origin.offset + offset * size };
    return `${addressText(address, this.#addresses.localOf(origin.base))} + (i64)${index} * ${size}`;
  }

  #index(e: Expression & { kind: 'index' }): string {
    const first = `(i32)(${addressText(this.#addresses.index(e.index), undefined)})`;
    const { lanes } = e.type;
    if (lanes === 1) return `(${first})`;
    const steps = Array.from({ length: lanes }, (_, lane) => (lane * e.laneStep) | 0);
    return `((vi)((vu)splat_vi(${first}) + (vu)(vi){${steps.join(', ')}}))`;
  }

  #load(
    dtype: (Expression & { kind: 'load' })['buffer']['dtype'],
    type: ValueType,
    at: string,
    stride: number,
    count = type.lanes,
  ): string {
    const c = this.typeOf(type);
    const bytes = dtype === 'bool' || dtype === 'uint8';
    const element = bytes ? 'u8' : dtype === 'float32' ? 'f32' : dtype === 'float64' ? 'f64' : 'i32';
    if (c === 'f32' || c === 'f64' || c === 'i32') return bytes ? `((i32)AT(u8, ${at}))` : `AT(${element}, ${at})`;
    // 1 becomes a lane of ones.
    const sign = dtype === 'bool' ? '-' : '';
    const lane = (l: number) => `AT(${element}, ${at} + ${l * stride * sizeOf(dtype)})`;
    if (stride === 0) return `splat_${c}(${sign}${bytes ? '(i32)' : ''}AT(${element}, ${at}))`;
    if (stride !== 1 || (bytes && count < type.lanes)) {
      const value = (l: number) => `${sign}${bytes ? `(${laneType[c]})` : ''}${lane(l)}`;
      const lanes = Array.from({ length: type.lanes }, (_, l) => (l < count ? value(l) : '0'));
      return `((${c}){${lanes.join(', ')}})`;
    }
    if (count < type.lanes) return `first_${c}(${at}, ${count})`;
    if (!bytes) return `((${c})AT(u${c}, ${at}))`;
    return `(${sign}__builtin_convertvector(AT(${c === 'vl' ? 'uwb' : 'unb'}, ${at}), ${c}))`;
  }

  #unary({ op, type }: Expression & { kind: 'unary' }, a: string): string {
    const c = this.typeOf(type);
    if (op === 'not') return type.lanes === 1 ? `(!${a})` : `(~${a})`;
    if (op === 'neg') {
      if (c === 'i32') return `((i32)(0u - (u32)${a}))`;
      if (c === 'vi') return `((vi)((vu)splat_vi(0) - (vu)${a}))`;
      return type.lanes === 1 ? `(-${a})` : `neg_${c}(${a})`;
    }
    if (type.lanes > 1 || c === 'i32') return `${op}_${c}(${a})`;
    const name = { abs: 'fabs', sqrt: 'sqrt', floor: 'floor', nearest: 'rint' }[op];
    return `__builtin_${name}${c === 'f32' ? 'f' : ''}(${a})`;
  }

  #binary({ op, type }: Expression & { kind: 'binary' }, a: string, b: string): string {
    const c = this.typeOf(type);
    const bits = bitwise[op];
    if (bits) return `(${a} ${bits} ${b})`;
    const integer = c === 'i32' || c === 'vi';
    const sign = signs[op];
    if (sign && integer && op !== 'div') return `((${c})((${unsigned[c]})${a} ${sign} (${unsigned[c]})${b}))`;
    if (sign) return `(${a} ${sign} ${b})`;
    if (integer && op.startsWith('shift')) {
      // As everywhere in the IR, the lower five bits of the amount count.
      const amount = `(${b} & 31)`;
      if (op === 'shiftRight') return `(${a} >> ${amount})`;
      return `((${c})((${unsigned[c]})${a} ${op === 'shiftLeft' ? '<<' : '>>'} ${amount}))`;
    }
    const name = functions[op] as string;
    return `${integer ? name.replace('_fast', '') : name}_${c}(${a}, ${b})`;
  }

  #convert(from: ValueType, to: ValueType, a: string): string {
    const c = this.typeOf(to);
    if (to.lanes === 1) {
      if (to.dtype !== 'int32') return `((${c})${a})`;
      return from.dtype === 'bool' ? a : `to_i32_${this.typeOf(from)}(${a})`;
    }
    if (from.dtype === 'float32') return `to_vi(${a})`;
    if (from.dtype === 'int32') return `__builtin_convertvector(${a}, vf)`;
    if (to.dtype === 'int32') return `(-${a})`;
    // A mask of ones leaves the bits of 1.
    const mask = this.typeOf(from);
    return `((${c})(${a} & (${mask})${cConstant(to, 1, this.#vectorBytes)}))`;
  }
}
