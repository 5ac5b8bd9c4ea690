// Evaluates kernels of the loop IR statement by statement: slow and obvious, what emitters are compared with.
import type { Affine, Buffer, Expression, Kernel, Local, LoopVariable, Statement } from '../../src/loops/ir.ts';
import type { TypedArray } from '../../src/tensor/dtype.ts';

export type Memory = ReadonlyMap<Buffer, TypedArray>;

interface State {
  readonly memory: Memory;
  readonly variables: Map<LoopVariable, number>;
  readonly locals: Map<Local, number[]>;
}

/** Runs a kernel on arrays that hold its buffers. Booleans are 0 and 1, in vectors too. */
export function interpret(kernel: Kernel, memory: Memory): void {
  run(kernel.body, { memory, variables: new Map(), locals: new Map() });
}

function run(statements: readonly Statement[], state: State): void {
  for (const s of statements) {
    switch (s.kind) {
      case 'loop':
        {
          const { extent, step } = s.variable;
          const count = s.count ? evaluate(s.count, state)[0] : Math.ceil(extent / step);
          for (let i = 0; i < count * step; i += step) {
            state.variables.set(s.variable, i);
            run(s.body, state);
          }
        }
        break;
      case 'set':
        state.locals.set(s.local, evaluate(s.value, state));
        break;
      case 'store': {
        const index = position(s.index, state);
        const values = evaluate(s.value, state).slice(0, s.count);
        for (const [lane, x] of values.entries()) write(state, s.buffer, index + lane, x);
        break;
      }
      case 'prefetch':
        break;
      case 'storeAt':
        for (const [lane, value] of evaluate(s.value, state).entries()) {
          write(state, s.buffer, evaluate(s.index, state)[0] + lane, value);
        }
        break;
      case 'if':
        if (evaluate(s.condition, state)[0]) run(s.body, state);
        break;
    }
  }
}

function position(index: Affine, { variables }: State): number {
  let sum = index.constant;
  for (const [v, n] of index.terms) sum += n * (variables.get(v) ?? Number.NaN);
  return sum;
}

function arrayOf(state: State, buffer: Buffer, index: number): TypedArray {
  const array = state.memory.get(buffer);
  if (!array) throw new Error(`no memory for ${buffer.name}`);
  if (!(index >= 0 && index < buffer.length)) throw new Error(`${buffer.name}[${index}] is out of bounds`);
  return array;
}

function write(state: State, buffer: Buffer, index: number, value: number): void {
  arrayOf(state, buffer, index)[index] = value;
}

function round(e: Expression, value: number): number {
  if (e.type.dtype === 'float32') return Math.fround(value);
  if (e.type.dtype === 'float64') return value;
  return e.type.dtype === 'int32' ? value | 0 : Number(value !== 0);
}

/** The numbers of so many lanes: made once. */
const lanesOf: number[][] = [];

function evaluate(e: Expression, state: State): number[] {
  const lanes = (lanesOf[e.type.lanes] ??= Array.from({ length: e.type.lanes }, (_, lane) => lane));
  const all = (x: Expression): number[] => evaluate(x, state);
  switch (e.kind) {
    case 'constant':
      return lanes.map(() => round(e, e.value));
    case 'index':
      return lanes.map((lane) => (position(e.index, state) + lane * e.laneStep) | 0);
    case 'load':
      return lanes.map((lane) => {
        if (lane >= (e.count ?? lanes.length)) return 0;
        const index = position(e.index, state) + lane * e.laneStride;
        return arrayOf(state, e.buffer, index)[index];
      });
    case 'loadAt': {
      const [index] = all(e.index);
      return lanes.map((lane) => arrayOf(state, e.buffer, index + e.offset + lane)[index + e.offset + lane]);
    }
    case 'local': {
      const value = state.locals.get(e.local);
      if (!value) throw new Error(`${e.local.name} is not set`);
      return value;
    }
    case 'unary':
      return all(e.a).map((x) => round(e, unary(e.op, x)));
    case 'binary': {
      const a = all(e.a);
      const b = all(e.b);
      const integer = e.type.dtype === 'int32' || e.type.dtype === 'bool';
      return lanes.map((lane) => round(e, (integer ? integers : floats)(e.op, a[lane], b[b.length === 1 ? 0 : lane])));
    }
    case 'compare': {
      const a = all(e.a);
      const b = all(e.b);
      const test = comparisons[e.op];
      return lanes.map((lane) => Number(test(a[lane], b[lane])));
    }
    case 'multiplyAdd': {
      const [a, b, c] = [all(e.a), all(e.b), all(e.c)];
      if (e.type.dtype === 'int32') return lanes.map((lane) => (Math.imul(a[lane], b[lane]) + c[lane]) | 0);
      return lanes.map((lane) => round(e, round(e, a[lane] * b[lane]) + c[lane]));
    }
    case 'select': {
      const [condition, a, b] = [all(e.condition), all(e.a), all(e.b)];
      return lanes.map((lane) => (condition[lane] ? a[lane] : b[lane]));
    }
    case 'convert':
      return all(e.a).map((x) => (e.type.dtype === 'int32' ? saturate(x) : round(e, x)));
    case 'bitcast':
      return all(e.a).map((x) =>
        e.type.dtype === 'int32' ? bits('Float32', x, 'Int32') : bits('Int32', x, 'Float32'),
      );
    case 'half': {
      const view = new DataView(new ArrayBuffer(8));
      view.setFloat64(0, all(e.a)[0], true);
      return [view.getInt32(e.upper ? 4 : 0, true)];
    }
    case 'join': {
      const view = new DataView(new ArrayBuffer(8));
      view.setInt32(0, all(e.low)[0], true);
      view.setInt32(4, all(e.high)[0], true);
      return [view.getFloat64(0, true)];
    }
    case 'splat':
      return lanes.map(() => all(e.a)[0]);
    case 'shuffle': {
      const both = [...all(e.a), ...all(e.b)];
      return e.lanes.map((l) => both[l]);
    }
    case 'lane':
      return [all(e.a)[e.lane]];
  }
}

const comparisons = {
  equal: (x: number, y: number) => x === y,
  notEqual: (x: number, y: number) => x !== y,
  less: (x: number, y: number) => x < y,
  lessEqual: (x: number, y: number) => x <= y,
};

function bits(from: 'Float32' | 'Int32', value: number, to: 'Float32' | 'Int32'): number {
  const view = new DataView(new ArrayBuffer(4));
  view[`set${from}`](0, value);
  return view[`get${to}`](0);
}

function saturate(x: number): number {
  return Number.isNaN(x) ? 0 : Math.trunc(Math.min(Math.max(x, -(2 ** 31)), 2 ** 31 - 1));
}

function unary(op: string, x: number): number {
  switch (op) {
    case 'neg':
      return -x;
    case 'abs':
      return Math.abs(x);
    case 'sqrt':
      return Math.sqrt(x);
    case 'floor':
      return Math.floor(x);
    case 'not':
      return Number(!x);
    case 'nearest': {
      const down = Math.floor(x);
      const rest = x - down;
      const up = rest > 0.5 || (rest === 0.5 && down % 2 !== 0);
      return !Number.isFinite(x) || rest === 0
        ? x
        : Object.is(Math.sign(x), -1) && up && down === -1
          ? -0
          : down + Number(up);
    }
    default:
      throw new Error(op);
  }
}

function extreme(op: string, a: number, b: number): number | undefined {
  if (op === 'min') return Math.min(a, b);
  if (op === 'max') return Math.max(a, b);
  // Not Math.min: NaN and zeros of either sign count.
  const swapped = op === 'minFast' ? b < a : a < b;
  if (op === 'minFast' || op === 'maxFast') return swapped ? b : a;
  return undefined;
}

function floats(op: string, a: number, b: number): number {
  if (op === 'add') return a + b;
  if (op === 'sub') return a - b;
  if (op === 'mul') return a * b;
  if (op === 'div') return a / b;
  if (op === 'remainder') return a % b;
  return extreme(op, a, b) as number;
}

function integers(op: string, a: number, b: number): number {
  switch (op) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return Math.imul(a, b);
    case 'div':
      return Math.trunc(a / b);
    case 'and':
      return a & b;
    case 'or':
      return a | b;
    case 'xor':
      return a ^ b;
    case 'mulHigh':
      return Number((BigInt(a >>> 0) * BigInt(b >>> 0)) >> 32n);
    case 'shiftLeft':
      return a << b;
    case 'shiftRight':
      return a >> b;
    case 'shiftRightUnsigned':
      return a >>> b;
    default:
      return extreme(op, a, b) as number;
  }
}
