// The binary format of WebAssembly, as far as the emitter needs it: numbers, function bodies and the sections of a module.
import type { Sliced } from '../../../base/turns.ts';
import { type AtomicName, atomicOpcodes, type OpName, opcodes, type SimdName, simdOpcodes } from './opcodes.ts';

export type WasmType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

const typeCodes: Record<WasmType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** Bytes that grow. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** @param expected How many bytes there will be, if that is known. */
  constructor(expected = 256) {
    this.#bytes = new Uint8Array(expected);
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  bytes(values: ArrayLike<number>): void {
    this.#reserve(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  /** An unsigned number below 2³² in LEB128. */
  unsigned(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  /** A signed 32-bit number in LEB128. */
  signed(value: number): void {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  name(text: string): void {
    const encoded = new TextEncoder().encode(text);
    this.unsigned(encoded.length);
    this.bytes(encoded);
  }

  /** What was written; nothing may be written after it. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** The code of one function whose parameters are all i32. */
export class FunctionBody {
  readonly #code = new ByteWriter();
  readonly #locals: WasmType[] = [];
  readonly #parameters: number;

  constructor(parameters: number) {
    this.#parameters = parameters;
  }

  /** A new local variable. */
  local(type: WasmType): number {
    this.#locals.push(type);
    return this.#parameters + this.#locals.length - 1;
  }

  op(name: OpName): void {
    this.#code.byte(opcodes[name]);
  }

  /** An instruction with the prefix 0xFC: the saturating truncations. */
  truncate(from: 'f32' | 'f64'): void {
    this.#code.byte(0xfc);
    this.#code.unsigned(from === 'f32' ? 0 : 2);
  }

  simd(name: SimdName): void {
    this.#code.byte(0xfd);
    this.#code.unsigned(simdOpcodes[name]);
  }

  get(local: number): void {
    this.#variable('local.get', local);
  }

  set(local: number): void {
    this.#variable('local.set', local);
  }

  tee(local: number): void {
    this.#variable('local.tee', local);
  }

  i32(value: number): void {
    this.op('i32.const');
    this.#code.signed(value);
  }

  /** A 64-bit constant that fits 32 signed bits. */
  i64(value: number): void {
    this.op('i64.const');
    this.#code.signed(value);
  }

  f32(value: number): void {
    this.op('f32.const');
    this.#code.bytes(new Uint8Array(Float32Array.of(value).buffer));
  }

  f64(value: number): void {
    this.op('f64.const');
    this.#code.bytes(new Uint8Array(Float64Array.of(value).buffer));
  }

  v128(bytes: Uint8Array): void {
    this.simd('v128.const');
    this.#code.bytes(bytes);
  }

  /** Byte i of the result is byte `lanes[i]` of the two operands. */
  shuffle(lanes: readonly number[]): void {
    this.simd('i8x16.shuffle');
    this.#code.bytes(lanes);
  }

  /** Adds the lane number to the instruction just written. */
  lane(number: number): void {
    this.#code.byte(number);
  }

  /** A load or store at the address on the stack plus `offset`. The natural alignment is only a hint: none is claimed. */
  memory(name: OpName, offset: number): void {
    this.op(name);
    this.#code.byte(0);
    this.#code.unsigned(offset);
  }

  simdMemory(name: SimdName, offset: number): void {
    this.simd(name);
    this.#code.byte(0);
    this.#code.unsigned(offset);
  }

  /** An atomic access to the word at the address on the stack plus `offset`, which is aligned. */
  atomic(name: AtomicName, offset: number): void {
    this.#code.byte(0xfe);
    this.#code.unsigned(atomicOpcodes[name]);
    this.#code.byte(2);
    this.#code.unsigned(offset);
  }

  call(functionNumber: number): void {
    this.op('call');
    this.#code.unsigned(functionNumber);
  }

  /** Opens a loop or an if without a result; `end` closes it. */
  open(kind: 'loop' | 'if'): void {
    this.op(kind);
    this.#code.byte(0x40);
  }

  branch(depth: number): void {
    this.op('br');
    this.#code.unsigned(depth);
  }

  branchIf(depth: number): void {
    this.op('br_if');
    this.#code.unsigned(depth);
  }

  /** The body with its size and locals, as it stands in the code section. */
  finish(): Uint8Array {
    const runs: [WasmType, number][] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.[0] === type) last[1]++;
      else runs.push([type, 1]);
    }
    const locals = new ByteWriter(16);
    locals.unsigned(runs.length);
    for (const [type, count] of runs) {
      locals.unsigned(count);
      locals.byte(typeCodes[type]);
    }
    const size = locals.length + this.#code.length + 1;
    const result = new ByteWriter(size + 5);
    result.unsigned(size);
    result.bytes(locals.finish());
    result.bytes(this.#code.finish());
    result.byte(opcodes.end);
    return result.finish();
  }

  #variable(name: OpName, local: number): void {
    this.op(name);
    this.#code.unsigned(local);
  }
}

/** The memory that a module imports, in pages of 64 KiB. */
export interface MemoryLimits {
  readonly shared: boolean;
  readonly minimum: number;
  readonly maximum: number;
}

export interface WasmFunction {
  /** How many i32 parameters it has. */
  readonly parameters: number;
  /** How many i32 results it has. */
  readonly results: number;
  readonly body: FunctionBody;
  /** The name under which it is exported. */
  readonly exported: string | undefined;
}

/** A module that imports its memory as `m.memory` and nothing else, step by step. */
export function* encodeModule(
  memory: MemoryLimits,
  functions: readonly WasmFunction[],
): Sliced<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)];
  const section = function* (id: number, fill: (w: ByteWriter) => void, rest: Uint8Array[] = []): Sliced<void> {
    const content = new ByteWriter();
    fill(content);
    const head = new ByteWriter(6);
    head.byte(id);
    head.unsigned(content.length + rest.reduce((sum, piece) => sum + piece.length, 0));
    pieces.push(head.finish(), content.finish());
    for (const piece of rest) pieces.push(piece);
    yield;
  };
  // What functions take and return, each kind once.
  const kindOf = (f: WasmFunction) => `${f.parameters} ${f.results}`;
  const types = new Map(functions.map((f) => [kindOf(f), f]));
  const typeNumbers = new Map([...types.keys()].map((kind, number) => [kind, number]));
  yield* section(1, (w) => {
    w.unsigned(types.size);
    for (const f of types.values()) {
      w.byte(0x60);
      for (const count of [f.parameters, f.results]) {
        w.unsigned(count);
        w.bytes(Array.from({ length: count }, () => typeCodes.i32));
      }
    }
  });
  yield* section(2, (w) => {
    w.unsigned(1);
    w.name('m');
    w.name('memory');
    w.byte(2);
    w.byte(memory.shared ? 3 : 1);
    w.unsigned(memory.minimum);
    w.unsigned(memory.maximum);
  });
  yield* section(3, (w) => {
    w.unsigned(functions.length);
    for (const f of functions) w.unsigned(typeNumbers.get(kindOf(f)) as number);
  });
  yield* section(7, (w) => {
    w.unsigned(functions.filter((f) => f.exported !== undefined).length);
    for (const [number, f] of functions.entries()) {
      if (f.exported === undefined) continue;
      w.name(f.exported);
      w.byte(0);
      w.unsigned(number);
    }
  });
  const bodies: Uint8Array[] = [];
  for (const f of functions) {
    bodies.push(f.body.finish());
    yield;
  }
  yield* section(10, (w) => w.unsigned(functions.length), bodies);
  const module = new ByteWriter(pieces.reduce((sum, piece) => sum + piece.length, 0));
  for (const piece of pieces) {
    module.bytes(piece);
    yield;
  }
  return module.finish();
}
