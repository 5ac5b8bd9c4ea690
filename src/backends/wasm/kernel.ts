// One kernel as a WebAssembly function: its statements, its loops, and the pointers that move with them.
import { hoistLoads } from '../../loops/hoist.ts';
import {
  type Buffer,
  children,
  type Expression,
  type Kernel,
  type Local,
  type LoopVariable,
  type Statement,
} from '../../loops/ir.ts';
import { unroll } from '../../loops/rewrite.ts';
import { sizeOf } from '../../tensor/dtype.ts';
import { Addresses, type Origin, type Pointer, type Scope } from './addresses.ts';
import { FunctionBody } from './encode.ts';
import { ExpressionEmitter } from './expression.ts';
import { pushPointer, storeScalar, storeVector } from './memory.ts';

/** What a kernel is emitted for. */
export interface KernelTarget {
  /** Where buffers begin. */
  readonly originOf: (buffer: Buffer) => Origin;
  /** Is `multiplyAdd` the relaxed instruction, which rounds once? */
  readonly fusedMultiplyAdd: boolean;
}

/** Vector registers of the processors that V8 compiles for; one of them it keeps for itself. */
const vectorRegisters = 15;

/**
 * The body of a function with the parameter `arena`, the address of the run's arena. The bodies of its long loops are
 * functions of their own, given to `outline`, which returns their numbers: an engine that optimizes a function while it
 * runs can use the better code only from the next call on, so a long run must be made of many calls.
 */
export function emitKernel(
  kernel: Kernel,
  target: KernelTarget,
  outline: (body: FunctionBody) => number,
): FunctionBody {
  const extent = (b: Buffer) => {
    const { base, offset } = target.originOf(b);
    return { base, begin: offset, end: offset + b.length * sizeOf(b.dtype) };
  };
  const overlap = (a: Buffer, b: Buffer): boolean => {
    const x = extent(a);
    const y = extent(b);
    return x.base === y.base && x.begin < y.end && y.begin < x.end;
  };
  const unrolled = unroll(kernel.body);
  const body = new FunctionBody(1);
  const emit = (statements: readonly Statement[], into: FunctionBody, oneIteration: boolean) => {
    const addresses = new Addresses(target.originOf, () => into.local('i32'));
    const scope = addresses.analyse(statements);
    const emitter = new KernelEmitter(into, addresses, new ExpressionEmitter(into, addresses, target.fusedMultiplyAdd));
    addresses.enter(scope);
    if (oneIteration) emitter.iteration(statements[0] as Loop, scope.loops[0]);
    else emitter.statements(statements, scope);
    addresses.leave();
  };
  // Statements between the long loops stay together, in order.
  let together: Statement[] = [];
  const flush = () => {
    if (together.length > 0) emit(hoistLoads(together, vectorRegisters, overlap), body, false);
    together = [];
  };
  for (const statement of unrolled) {
    if (!isLong(statement) || sharesLocals(statement, unrolled)) {
      together.push(statement);
      continue;
    }
    flush();
    const inner = new FunctionBody(2);
    emit([{ ...statement, body: hoistLoads(statement.body, vectorRegisters, overlap) }], inner, true);
    callForEach(body, statement.variable, outline(inner));
  }
  flush();
  return body;
}

type Loop = Statement & { kind: 'loop' };

/** From about so many stores and assignments on, an iteration is worth a call. */
const longIteration = 2000;

function isLong(s: Statement): s is Loop {
  return s.kind === 'loop' && s.variable.extent > s.variable.step && work(s.body) >= longIteration;
}

/** How many stores and assignments are executed. */
function work(statements: readonly Statement[]): number {
  return statements.reduce((sum, s) => {
    if (s.kind === 'loop') return sum + Math.ceil(s.variable.extent / s.variable.step) * work(s.body);
    return sum + (s.kind === 'if' ? work(s.body) : 1);
  }, 0);
}

/** Does the loop use a register that the rest of the kernel uses too? */
function sharesLocals(loop: Loop, all: readonly Statement[]): boolean {
  const inside = localsOf([loop]);
  const outside = localsOf(all.filter((s) => s !== loop));
  return [...inside].some((local) => outside.has(local));
}

function localsOf(statements: readonly Statement[], found = new Set<Local>()): Set<Local> {
  const seen = new Set<Expression>();
  const visit = (e: Expression): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === 'local') found.add(e.local);
    for (const child of children(e)) visit(child);
  };
  for (const s of statements) {
    if (s.kind === 'loop') localsOf(s.body, found);
    else if (s.kind === 'if') {
      visit(s.condition);
      localsOf(s.body, found);
    } else {
      visit(s.value);
      if (s.kind === 'set') found.add(s.local);
      if (s.kind === 'storeAt') visit(s.index);
    }
  }
  return found;
}

/** Calls a function with the arena and the number of each iteration. */
function callForEach(body: FunctionBody, variable: LoopVariable, number: number): void {
  const at = body.local('i32');
  body.i32(0);
  body.set(at);
  body.open('loop');
  body.get(0);
  body.get(at);
  body.call(number);
  body.get(at);
  body.i32(1);
  body.op('i32.add');
  body.tee(at);
  body.i32(Math.ceil(variable.extent / variable.step));
  body.op('i32.ne');
  body.branchIf(0);
  body.op('end');
}

class KernelEmitter {
  readonly #body: FunctionBody;
  readonly #addresses: Addresses;
  readonly #expressions: ExpressionEmitter;
  /** How many loops of each scope have been emitted. */
  readonly #emitted = new Map<Scope, number>();

  constructor(body: FunctionBody, addresses: Addresses, expressions: ExpressionEmitter) {
    this.#body = body;
    this.#addresses = addresses;
    this.#expressions = expressions;
  }

  statements(statements: readonly Statement[], scope: Scope): void {
    for (const s of statements) this.#statement(s, scope);
  }

  #statement(s: Statement, scope: Scope): void {
    const body = this.#body;
    const expressions = this.#expressions;
    switch (s.kind) {
      case 'set':
        expressions.begin(s.value);
        expressions.emit(s.value);
        body.set(expressions.localOf(s.local));
        break;
      case 'store':
        this.#store(s);
        break;
      case 'storeAt': {
        expressions.begin(s.index, s.value);
        const { base, offset } = this.#addresses.originOf(s.buffer);
        expressions.computedAddress(s.index, base === 'arena', sizeOf(s.buffer.dtype));
        expressions.emit(s.value);
        storeScalar(body, s.buffer.dtype, offset);
        break;
      }
      case 'if':
        expressions.begin(s.condition);
        expressions.emit(s.condition);
        body.open('if');
        this.statements(s.body, scope);
        body.op('end');
        break;
      case 'loop': {
        const number = this.#emitted.get(scope) ?? 0;
        this.#emitted.set(scope, number + 1);
        this.#loop(s, scope.loops[number]);
        break;
      }
    }
  }

  #store(s: Statement & { kind: 'store' }): void {
    const body = this.#body;
    this.#expressions.begin(s.value);
    const address = this.#addresses.element(s.buffer, s.index);
    pushPointer(body, address, this.#addresses.originOf(s.buffer).base);
    this.#expressions.emit(s.value);
    if (s.value.type.lanes === 1) storeScalar(body, s.buffer.dtype, address.offset);
    else storeVector(body, s.buffer.dtype, s.value.type, address.offset);
  }

  /** The body once, for the iteration whose number is parameter 1. */
  iteration({ body: statements }: Loop, scope: Scope): void {
    const body = this.#body;
    for (const p of scope.pointers.values()) {
      this.#start(p);
      body.get(p.local);
      body.get(1);
      body.i32(p.bump);
      body.op('i32.mul');
      body.op('i32.add');
      body.set(p.local);
    }
    this.#addresses.enter(scope);
    this.statements(statements, scope);
    this.#addresses.leave();
  }

  /** Runs the body, moves the pointers, and goes on until one of them has reached its end; at least two iterations. */
  #loop({ variable, body: statements }: Loop, scope: Scope): void {
    const body = this.#body;
    const count = Math.ceil(variable.extent / variable.step);
    const pointers = [...scope.pointers.values()];
    for (const p of pointers) this.#start(p);
    const [control] = pointers;
    const limit = body.local('i32');
    if (control) {
      body.get(control.local);
      body.i32(control.bump * count);
      body.op('i32.add');
    } else {
      body.i32(count);
    }
    body.set(limit);
    body.open('loop');
    this.#addresses.enter(scope);
    this.statements(statements, scope);
    this.#addresses.leave();
    for (const p of pointers) {
      body.get(p.local);
      body.i32(p.bump);
      body.op('i32.add');
      body.set(p.local);
    }
    if (control) {
      body.get(control.local);
      body.get(limit);
      body.op('i32.ne');
    } else {
      body.get(limit);
      body.i32(1);
      body.op('i32.sub');
      body.tee(limit);
    }
    body.branchIf(0);
    body.op('end');
  }

  /** Sets a pointer to its value in the first iteration. */
  #start({ base, parent, folded = 0, local }: Pointer): void {
    const body = this.#body;
    const more = folded - (parent?.folded ?? 0);
    if (parent) body.get(parent.local);
    else if (base === 'arena') body.get(0);
    if (!parent && base !== 'arena') {
      body.i32(more);
    } else if (more !== 0) {
      body.i32(more);
      body.op('i32.add');
    }
    body.set(local);
  }
}
