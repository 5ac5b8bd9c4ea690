// Expressions of the loop IR as instructions that leave their value on the stack.
import { type Expression, forEachOperand, type Local, type ValueType } from '../../../loops/ir.ts';
import { sizeOf } from '../../../tensor/dtype.ts';
import type { AddressBase, Addresses } from '../../emit/addresses.ts';
import { load, pushPointer } from './access.ts';
import {
  binaryOnStack,
  compareOnStack,
  convertOnStack,
  halfOnStack,
  laneOnStack,
  pushConstant,
  shuffleOnStack,
  splatOnStack,
  unaryOnStack,
  wasmType,
} from './arithmetic.ts';
import type { FunctionBody, WasmType } from './encode.ts';
import { remainderOnStack } from './remainder.ts';

/** Writes expressions. What is used more than once in a statement is computed once. */
export class ExpressionEmitter {
  readonly #body: FunctionBody;
  readonly #addresses: Addresses;
  readonly #fused: boolean;
  readonly #locals = new Map<Local, number>();
  readonly #uses = new Map<Expression, number>();
  readonly #known = new Map<Expression, number>();
  readonly #free: Record<WasmType, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  readonly #taken: [WasmType, number][] = [];

  constructor(body: FunctionBody, addresses: Addresses, fusedMultiplyAdd: boolean) {
    this.#body = body;
    this.#addresses = addresses;
    this.#fused = fusedMultiplyAdd;
  }

  localOf(l: Local): number {
    let number = this.#locals.get(l);
    if (number === undefined) this.#locals.set(l, (number = this.#body.local(wasmType(l.type))));
    return number;
  }

  /** Begins a statement that computes these expressions. */
  begin(...roots: Expression[]): void {
    for (const [type, local] of this.#taken) this.#free[type].push(local);
    this.#taken.length = 0;
    this.#known.clear();
    this.#uses.clear();
    const count = (e: Expression): void => {
      const uses = this.#uses.get(e) ?? 0;
      this.#uses.set(e, uses + 1);
      if (uses === 0) forEachOperand(e, count);
    };
    roots.forEach(count);
  }

  emit(e: Expression): void {
    const known = this.#known.get(e);
    if (known !== undefined) {
      this.#body.get(known);
      return;
    }
    this.#compute(e);
    if (this.#uses.get(e)! > 1 && e.kind !== 'constant' && e.kind !== 'local') {
      const local = this.#temporary(wasmType(e.type));
      this.#known.set(e, local);
      this.#body.tee(local);
    }
  }

  /** Pushes the address, less the buffer's offset, of an element whose number is computed. */
  computedAddress(index: Expression, base: AddressBase, size: number): void {
    const body = this.#body;
    this.emit(index);
    if (size > 1) {
      body.i32(Math.log2(size));
      body.op('i32.shl');
    }
    const from = this.#addresses.localOf(base);
    if (from !== undefined) {
      body.get(from);
      body.op('i32.add');
    }
  }

  /** A local that is free until the statement ends. */
  #temporary(type: WasmType): number {
    const local = this.#free[type].pop() ?? this.#body.local(type);
    this.#taken.push([type, local]);
    return local;
  }

  #compute(e: Expression): void {
    const body = this.#body;
    switch (e.kind) {
      case 'constant':
        pushConstant(body, e.type, e.value);
        break;
      case 'local':
        body.get(this.localOf(e.local));
        break;
      case 'index':
        this.#index(e);
        break;
      case 'load':
        this.#load(e);
        break;
      case 'loadAt':
        this.#loadAt(e);
        break;
      case 'unary':
        this.#unary(e);
        break;
      case 'binary':
        this.#binary(e);
        break;
      case 'compare':
        this.#compare(e);
        break;
      case 'multiplyAdd':
        this.#multiplyAdd(e);
        break;
      case 'select':
        this.#select(e);
        break;
      case 'convert':
        this.emit(e.a);
        convertOnStack(body, e.a.type, e.type);
        break;
      case 'bitcast':
        this.emit(e.a);
        if (e.type.lanes === 1) body.op(e.type.dtype === 'int32' ? 'i32.reinterpret_f32' : 'f32.reinterpret_i32');
        break;
      case 'half':
        this.emit(e.a);
        halfOnStack(body, e.upper);
        break;
      case 'join':
        this.#join(e);
        break;
      case 'splat':
        this.emit(e.a);
        splatOnStack(body, e.type);
        break;
      case 'shuffle':
        this.emit(e.a);
        this.emit(e.b);
        shuffleOnStack(body, e.type, e.lanes);
        break;
      case 'lane':
        this.emit(e.a);
        laneOnStack(body, e.a.type, e.lane);
        break;
    }
  }

  #index(e: Expression & { kind: 'index' }): void {
    const body = this.#body;
    const { pointer, offset } = this.#addresses.index(e.index);
    const { lanes } = e.type;
    const steps = Int32Array.from({ length: lanes }, (_, l) => l * e.laneStep + (pointer ? 0 : offset));
    if (pointer) {
      body.get(pointer.local);
      if (offset !== 0) {
        body.i32(offset);
        body.op('i32.add');
      }
      if (lanes > 1) body.simd('i32x4.splat');
    } else if (lanes === 1) {
      body.i32(offset);
    }
    if (lanes > 1 && (!pointer || e.laneStep !== 0)) {
      body.v128(new Uint8Array(steps.buffer));
      if (pointer) body.simd('i32x4.add');
    }
  }

  #load({ buffer, index, type, laneStride }: Expression & { kind: 'load' }): void {
    const address = this.#addresses.element(buffer, index);
    const { base } = this.#addresses.originOf(buffer);
    const push = () => pushPointer(this.#body, address, this.#addresses.localOf(base));
    load(this.#body, { dtype: buffer.dtype, lanes: type.lanes, push, offset: address.offset, laneStride });
  }

  #loadAt({ buffer, index, type, offset: further }: Expression & { kind: 'loadAt' }): void {
    const { base, offset } = this.#addresses.originOf(buffer);
    const { dtype } = buffer;
    const size = sizeOf(dtype);
    const push = () => this.computedAddress(index, base, size);
    load(this.#body, { dtype, lanes: type.lanes, push, offset: offset + further * size, laneStride: 1 });
  }

  #compare({ op, a, b }: Expression & { kind: 'compare' }): void {
    this.emit(a);
    this.emit(b);
    compareOnStack(this.#body, op, a.type);
  }

  #select({ type, condition, a, b }: Expression & { kind: 'select' }): void {
    this.emit(a);
    this.emit(b);
    this.emit(condition);
    if (type.lanes > 1) this.#body.simd('v128.bitselect');
    else this.#body.op('select');
  }

  #join({ low, high }: Expression & { kind: 'join' }): void {
    const body = this.#body;
    this.emit(low);
    body.op('i64.extend_i32_u');
    this.emit(high);
    body.op('i64.extend_i32_u');
    body.i64(32);
    body.op('i64.shl');
    body.op('i64.or');
    body.op('f64.reinterpret_i64');
  }

  #unary({ op, a, type }: Expression & { kind: 'unary' }): void {
    const body = this.#body;
    if (type.dtype !== 'int32' || type.lanes > 1) {
      this.emit(a);
      unaryOnStack(body, op, type);
      return;
    }
    body.i32(0);
    this.emit(a);
    if (op === 'neg') {
      body.op('i32.sub');
      return;
    }
    // −a and a are on the stack: a is taken unless it is negative.
    const value = this.#temporary('i32');
    body.tee(value);
    body.op('i32.sub');
    body.get(value);
    body.get(value);
    body.i32(0);
    body.op('i32.lt_s');
    body.op('select');
  }

  #binary({ op, type, a, b }: Expression & { kind: 'binary' }): void {
    const scalar = type.lanes === 1;
    if (op === 'mulHigh') {
      if (scalar) this.#scalarMulHigh(a, b);
      else this.#vectorMulHigh(a, b);
    } else if (scalar && (op === 'minFast' || (op === 'min' && type.dtype === 'int32'))) {
      this.#scalarExtreme(true, type, a, b);
    } else if (scalar && (op === 'maxFast' || (op === 'max' && type.dtype === 'int32'))) {
      this.#scalarExtreme(false, type, a, b);
    } else if (op === 'remainder') {
      this.#remainder(type, a, b);
    } else {
      this.emit(a);
      this.emit(b);
      binaryOnStack(this.#body, op, type);
    }
  }

  /** Scalars are one lane of it. */
  #remainder(type: ValueType, a: Expression, b: Expression): void {
    const scalar = type.lanes === 1;
    const vector = { dtype: type.dtype, lanes: type.dtype === 'float32' ? 4 : 2 };
    for (const operand of [a, b]) {
      this.emit(operand);
      if (scalar) splatOnStack(this.#body, type);
    }
    remainderOnStack(this.#body, vector, () => this.#temporary('v128'));
    if (scalar) laneOnStack(this.#body, vector, 0);
  }

  /** b < a ? b : a, or a < b ? b : a. */
  #scalarExtreme(least: boolean, type: ValueType, a: Expression, b: Expression): void {
    const body = this.#body;
    const first = this.#temporary(wasmType(type));
    const second = this.#temporary(wasmType(type));
    this.emit(a);
    body.set(first);
    this.emit(b);
    body.tee(second);
    body.get(first);
    body.get(least ? second : first);
    body.get(least ? first : second);
    compareOnStack(body, 'less', type);
    body.op('select');
  }

  #scalarMulHigh(a: Expression, b: Expression): void {
    const body = this.#body;
    this.emit(a);
    body.op('i64.extend_i32_u');
    this.emit(b);
    body.op('i64.extend_i32_u');
    body.op('i64.mul');
    body.i64(32);
    body.op('i64.shr_u');
    body.op('i32.wrap_i64');
  }

  #vectorMulHigh(a: Expression, b: Expression): void {
    const body = this.#body;
    const first = this.#temporary('v128');
    const second = this.#temporary('v128');
    this.emit(a);
    body.tee(first);
    this.emit(b);
    body.tee(second);
    body.simd('i64x2.extmul_low_i32x4_u');
    body.get(first);
    body.get(second);
    body.simd('i64x2.extmul_high_i32x4_u');
    // The upper words of the four products.
    body.shuffle([4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31]);
  }

  #multiplyAdd({ type, a, b, c }: Expression & { kind: 'multiplyAdd' }): void {
    const body = this.#body;
    const scalar = type.lanes === 1;
    if (!this.#fused || type.dtype === 'int32') {
      this.emit(a);
      this.emit(b);
      binaryOnStack(body, 'mul', type);
      this.emit(c);
      binaryOnStack(body, 'add', type);
      return;
    }
    // Only vectors have the instruction; scalars use one lane of it, for the same bits.
    const shape = type.dtype === 'float32' ? 'f32x4' : 'f64x2';
    for (const operand of [a, b, c]) {
      this.emit(operand);
      if (scalar) splatOnStack(body, type);
    }
    body.simd(`${shape}.relaxed_madd`);
    if (scalar) laneOnStack(body, type, 0);
  }
}
