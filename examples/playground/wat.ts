// WebAssembly as text: a disassembler for what millrace emits, which is functions of numbers over one imported memory.
import { atomic, plain, saturating, vector } from './instructions.ts';

/** A function: how many parameters it takes, under which name it is exported, which functions it calls, and its text. */
export interface WasmFunction {
  readonly parameters: number;
  readonly exported: string | undefined;
  readonly calls: readonly number[];
  readonly text: string;
}

const section = { types: 1, functions: 3, exports: 7, code: 10 };
const prefixes: Readonly<Record<number, readonly string[]>> = { 252: saturating, 253: vector, 254: atomic };
const typeNames: Readonly<Record<number, string>> = {
  127: 'i32',
  126: 'i64',
  125: 'f32',
  124: 'f64',
  123: 'v128',
};

class Reader {
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get end(): boolean {
    return this.at >= this.#view.byteLength;
  }

  byte(): number {
    return this.#view.getUint8(this.at++);
  }

  /** LEB128. */
  unsigned(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  signed(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return byte & 0x40 ? value - (1n << (shift + 7n)) : value;
    }
  }

  float(bytes: 4 | 8): number {
    const value = bytes === 4 ? this.#view.getFloat32(this.at, true) : this.#view.getFloat64(this.at, true);
    this.at += bytes;
    return value;
  }

  take(count: number): number[] {
    return Array.from({ length: count }, () => this.byte());
  }

  list<T>(item: (index: number) => T): T[] {
    return Array.from({ length: this.unsigned() }, (_, index) => item(index));
  }

  name(): string {
    return new TextDecoder().decode(Uint8Array.from(this.take(this.unsigned())));
  }
}

/** The functions of a module, by their numbers. @throws Error for what millrace does not emit. */
export function disassemble(module: Uint8Array): WasmFunction[] {
  const reader = new Reader(module);
  reader.at = 8;
  let types: { parameters: string[]; results: string[] }[] = [];
  let typeOf: number[] = [];
  const exported = new Map<number, string>();
  let functions: WasmFunction[] = [];
  while (!reader.end) {
    const [id, size] = [reader.byte(), reader.unsigned()];
    const next = reader.at + size;
    if (id === section.types) types = reader.list(() => typeAt(reader));
    else if (id === section.functions) typeOf = reader.list(() => reader.unsigned());
    else if (id === section.exports) {
      reader.list(() => {
        const name = reader.name();
        const isFunction = reader.byte() === 0;
        const number = reader.unsigned();
        if (isFunction) exported.set(number, name);
      });
    } else if (id === section.code) {
      functions = reader.list((number) => functionAt(reader, number, types[typeOf[number]], exported.get(number)));
    }
    reader.at = next;
  }
  return functions;
}

const typeName = (code: number) => typeNames[code] ?? `type ${code}`;
function typeAt(reader: Reader) {
  reader.byte();
  const names = () => reader.list(() => typeName(reader.byte()));
  return { parameters: names(), results: names() };
}

function functionAt(
  reader: Reader,
  number: number,
  { parameters, results }: { parameters: readonly string[]; results: readonly string[] },
  exported: string | undefined,
): WasmFunction {
  const size = reader.unsigned();
  const end = reader.at + size;
  const locals = reader.list(() => `${reader.unsigned()} × ${typeName(reader.byte())}`);
  const head = [
    `(func $${number}`,
    ...(exported ? [`(export "${exported}")`] : []),
    ...(parameters.length > 0 ? [`(param ${parameters.join(' ')})`] : []),
    ...(results.length > 0 ? [`(result ${results.join(' ')})`] : []),
  ];
  const lines = [head.join(' '), ...(locals.length > 0 ? [`  ;; locals: ${locals.join(', ')}`] : [])];
  const calls: number[] = [];
  let depth = 1;
  while (reader.at < end) {
    const name = instructionAt(reader);
    const text = `${name}${immediatesOf(reader, name, calls)}`;
    if (name === 'end' || name === 'else') depth--;
    // The last end closes the function.
    lines.push(depth === 0 ? ')' : `${'  '.repeat(depth)}${text}`);
    if (/^(block|loop|if|else)$/.test(name)) depth++;
  }
  return { parameters: parameters.length, exported, calls, text: lines.join('\n') };
}

function instructionAt(reader: Reader): string {
  const code = reader.byte();
  const names = prefixes[code];
  const name = names ? names[reader.unsigned()] : plain[code];
  if (name === undefined || name === '-') throw new Error(`There is no instruction ${code} at byte ${reader.at}.`);
  return name;
}

/** What stands behind the name of an instruction. */
function immediatesOf(reader: Reader, name: string, calls: number[]): string {
  if (/\.(load|store|atomic)|^memory\.atomic/.test(name)) {
    const align = 2 ** reader.unsigned();
    const offset = reader.unsigned();
    return ` offset=${offset} align=${align}${name.endsWith('_lane') ? ` ${reader.byte()}` : ''}`;
  }
  if (/_lane(_[su])?$/.test(name)) return ` ${reader.byte()}`;
  if (/^(local|global)\.|^br$|^br_if$/.test(name)) return ` ${reader.unsigned()}`;
  switch (name) {
    case 'call':
      calls.push(reader.unsigned());
      return ` $${calls.at(-1)}`;
    case 'i32.const':
    case 'i64.const':
      return ` ${reader.signed()}`;
    case 'f32.const':
      return ` ${reader.float(4)}`;
    case 'f64.const':
      return ` ${reader.float(8)}`;
    case 'v128.const':
    case 'i8x16.shuffle':
      return ` ${reader.take(16).join(' ')}`;
    case 'block':
    case 'loop':
    case 'if':
      return blockType(reader.byte());
    case 'memory.size':
    case 'memory.grow':
    case 'memory.fill':
      reader.byte();
      return '';
    case 'memory.copy':
      reader.take(2);
      return '';
    default:
      return '';
  }
}

const blockType = (code: number) => (code === 0x40 ? '' : ` (result ${typeName(code)})`);
