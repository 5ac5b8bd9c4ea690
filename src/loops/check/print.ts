// Kernels and programs as text, for dumps, golden tests and the messages of the verifier.
import {
  type Affine,
  type BinaryOp,
  bodyOf,
  children,
  type Expression,
  expressionsOf,
  type Kernel,
  type Statement,
  touched,
  type ValueType,
} from '../ir.ts';
import type { Place, Program } from '../program.ts';

const symbols: Partial<Record<BinaryOp | 'equal' | 'notEqual' | 'less' | 'lessEqual', string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  and: '&',
  or: '|',
  xor: '^',
  shiftLeft: '<<',
  shiftRight: '>>',
  shiftRightUnsigned: '>>>',
  equal: '==',
  notEqual: '!=',
  less: '<',
  lessEqual: '<=',
};

/** `float32x4`, or `float32` for a scalar. */
export const printType = ({ dtype, lanes }: ValueType): string => (lanes === 1 ? dtype : `${dtype}x${lanes}`);

/** `12 + 4*i - j`. */
export function printIndex({ constant, terms }: Affine): string {
  const parts = terms.map(([v, n]) => (n === 1 ? v.name : n === -1 ? `-${v.name}` : `${n}*${v.name}`));
  if (constant !== 0 || parts.length === 0) parts.unshift(String(constant));
  return parts.join(' + ').replaceAll('+ -', '- ');
}

/** Names for what a statement uses more than once, each with the text of its value. */
class SharedNames {
  readonly lines: string[] = [];
  readonly #uses = new Map<Expression, number>();
  readonly #names = new Map<Expression, string>();

  constructor(roots: readonly Expression[]) {
    const count = (e: Expression): void => {
      const uses = this.#uses.get(e) ?? 0;
      this.#uses.set(e, uses + 1);
      if (uses === 0) for (const child of children(e)) count(child);
    };
    roots.forEach(count);
  }

  print(e: Expression): string {
    const known = this.#names.get(e);
    if (known) return known;
    const text = this.#text(e);
    if (this.#uses.get(e) === 1 || e.kind === 'constant' || e.kind === 'local') return text;
    const name = `$${this.#names.size}`;
    this.#names.set(e, name);
    this.lines.push(`let ${name}: ${printType(e.type)} = ${text}`);
    return name;
  }

  #text(e: Expression): string {
    const operands = () => children(e).map((x) => this.print(x));
    switch (e.kind) {
      case 'constant':
        return e.type.dtype === 'bool' ? String(e.value !== 0) : Object.is(e.value, -0) ? '-0' : String(e.value);
      case 'local':
        return e.local.name;
      case 'index':
        return `(${printIndex(e.index)}${e.type.lanes > 1 ? ` + ${e.laneStep}*lane` : ''})`;
      case 'load': {
        const lanes = touched(e, e.type.lanes);
        const step = e.type.lanes === 1 ? '' : e.laneStride === 1 ? ` x${lanes}` : ` x${lanes} by ${e.laneStride}`;
        return `${e.buffer.name}[${printIndex(e.index)}${step}]`;
      }
      case 'loadAt':
        return `${e.buffer.name}[at ${this.print(e.index)}${e.offset > 0 ? ` + ${e.offset}` : ''}${e.type.lanes > 1 ? ` x${e.type.lanes}` : ''}]`;
      case 'binary':
      case 'compare': {
        const [a, b] = operands();
        const symbol = symbols[e.op];
        return symbol ? `(${a} ${symbol} ${b})` : `${e.op}(${a}, ${b})`;
      }
      case 'unary':
        return `${e.op}(${operands().join(', ')})`;
      case 'half':
        return `${e.upper ? 'upper' : 'lower'}(${operands().join(', ')})`;
      case 'shuffle':
        return `${operands().join(' | ')} at ${e.lanes.join(' ')}`;
      case 'lane':
        return `${this.print(e.a)}.${e.lane}`;
      case 'convert':
      case 'bitcast':
        return `${e.kind === 'bitcast' ? 'bits' : 'to'} ${e.type.dtype}(${operands().join(', ')})`;
      default:
        return `${e.kind}(${operands().join(', ')})`;
    }
  }
}

/** A statement line by line; of a loop or condition only the head. */
export function printHead(s: Statement): string[] {
  const roots = expressionsOf(s);
  const sharing = new SharedNames(roots);
  const [first, second] = roots.map((e) => sharing.print(e));
  const lines = sharing.lines;
  if (s.kind === 'loop') {
    const { name, extent, step } = s.variable;
    const kind = s.loop === 'serial' ? '' : `${s.loop} `;
    const steps = step === 1 ? '' : ` step ${step}`;
    lines.push(`${kind}for ${name} < ${extent}${steps}${first ? `, ${first} times` : ''}`);
  } else if (s.kind === 'prefetch') lines.push(`prefetch ${s.buffer.name}[${printIndex(s.index)}]`);
  else if (s.kind === 'if') lines.push(`if ${first}`);
  else if (s.kind === 'set') lines.push(`${s.local.name}: ${printType(s.local.type)} = ${first}`);
  else if (s.kind === 'storeAt') lines.push(`${s.buffer.name}[at ${first}] = ${second}`);
  else {
    const { lanes } = s.value.type;
    lines.push(`${s.buffer.name}[${printIndex(s.index)}${lanes === 1 ? '' : ` x${touched(s, lanes)}`}] = ${first}`);
  }
  return lines;
}

function printBody(statements: readonly Statement[], indent: string, lines: string[]): void {
  for (const s of statements) {
    for (const line of printHead(s)) lines.push(indent + line);
    printBody(bodyOf(s), `${indent}  `, lines);
  }
}

/** A kernel with its loops indented. */
export function printKernel(kernel: Kernel): string {
  const lines = [`kernel ${kernel.name} (${kernel.flops} flops, ${kernel.bytes} bytes)`];
  printBody(kernel.body, '  ', lines);
  return lines.join('\n');
}

function printPlace(place: Place): string {
  if (place.kind === 'window') return `${printPlace(place.of)} + start * ${place.itemBytes}`;
  if (place.kind === 'arena' || place.kind === 'thread') return `${place.kind} + ${place.offset}`;
  return place.kind === 'variable' ? `variable ${place.key}` : 'constant';
}

/** A program: where its buffers lie, then its kernels in order. */
export function printProgram(program: Program): string {
  const lines = [`program, arena of ${program.arenaBytes} bytes`];
  for (const [b, place] of program.places) lines.push(`  ${b.name}: ${b.dtype}[${b.length}] at ${printPlace(place)}`);
  program.kernels.forEach((kernel, number) => {
    if (number === program.checks && number > 0) lines.push('stop if a check failed');
    const repeat = program.repeats.find((r) => r.first === number);
    if (repeat) {
      const { items, block, end } = repeat;
      lines.push(`for each ${block} of ${items} items: ${end - number} kernels`);
    }
    lines.push(printKernel(kernel));
  });
  return lines.join('\n');
}
