// One kernel as a WebAssembly function: its statements, its loops, and the pointers that move with them.
import { hoistLoads } from '../../loops/hoist.ts';
import {
  type Buffer,
  children,
  type Expression,
  isParallel,
  type Kernel,
  type Local,
  type Statement,
} from '../../loops/ir.ts';
import { unroll } from '../../loops/rewrite.ts';
import { sizeOf } from '../../tensor/dtype.ts';
import {
  Addresses,
  type Base,
  type BaseLocals,
  type Moving,
  type Origin,
  type Pointer,
  type Scope,
} from './addresses.ts';
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

/** The parameters of a kernel's function, and of the function that is one iteration of a long loop. */
export const kernelParameters = ['arena', 'own', 'start', 'thread', 'threads'] as const;
const iterationParameters = ['arena', 'own', 'start', 'iteration'] as const;
/** Those that come first in both. */
const [arena, own, start] = kernelParameters.keys();
const thread = kernelParameters.indexOf('thread');
const threads = kernelParameters.indexOf('threads');

/**
 * The body of a function with the parameters `arena`, the address of the run's arena; `own`, that of the thread's own
 * space; `start`, the first item of the block if the kernel is repeated; `thread`, its number, and `threads`, how many there are. The bodies of its long loops are functions of their
 * own, given to `outline`, which returns their numbers: an engine that optimizes a function while it runs can use the
 * better code only from the next call on, so a long run must be made of many calls.
 */
export function emitKernel(
  kernel: Kernel,
  target: KernelTarget,
  outline: (body: FunctionBody, parameters: number) => number,
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
  const body = new FunctionBody(kernelParameters.length);
  const emit = (statements: readonly Statement[], into: FunctionBody, oneIteration: boolean) => {
    const bases = emitBases(
      into,
      [...buffersOf(statements)].map((b) => target.originOf(b).base),
    );
    const addresses = new Addresses(target.originOf, bases, () => into.local('i32'));
    const scope = addresses.analyse(statements);
    const emitter = new KernelEmitter(into, addresses, new ExpressionEmitter(into, addresses, target.fusedMultiplyAdd));
    addresses.enter(scope);
    if (oneIteration) emitter.iteration(statements[0] as Loop, scope.loops[0]);
    else emitter.statements(statements, scope);
    addresses.leave();
  };
  // Statements between the long loops stay together, in order.
  const emitAll = (statements: readonly Statement[]) => {
    let together: Statement[] = [];
    const flush = () => {
      if (together.length > 0) emit(hoistLoads(together, vectorRegisters, overlap), body, false);
      together = [];
    };
    for (const statement of statements) {
      if (!isLong(statement) || sharesLocals(statement, unrolled)) {
        together.push(statement);
        continue;
      }
      flush();
      const inner = new FunctionBody(iterationParameters.length);
      emit([{ ...statement, body: hoistLoads(statement.body, vectorRegisters, overlap) }], inner, true);
      callForEach(body, statement, outline(inner, iterationParameters.length));
    }
    flush();
  };
  for (const { parallel, statements } of runsOf(unrolled)) {
    if (parallel) emitAll(statements);
    else {
      body.get(thread);
      body.op('i32.eqz');
      body.open('if');
      emitAll(statements);
      body.op('end');
    }
  }
  return body;
}

/** All buffers that statements touch. */
function buffersOf(statements: readonly Statement[], found = new Set<Buffer>()): Set<Buffer> {
  const seen = new Set<Expression>();
  const visit = (e: Expression): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === 'load' || e.kind === 'loadAt') found.add(e.buffer);
    for (const child of children(e)) visit(child);
  };
  for (const s of statements) {
    if (s.kind === 'loop') buffersOf(s.body, found);
    else if (s.kind === 'if') {
      visit(s.condition);
      buffersOf(s.body, found);
    } else {
      if (s.kind !== 'set') found.add(s.buffer);
      if (s.kind === 'storeAt') visit(s.index);
      visit(s.value);
    }
  }
  return found;
}

/** Sets up the bases that move with the block, and tells in which locals bases are. */
function emitBases(body: FunctionBody, used: readonly Base[]): BaseLocals {
  const locals = new Map<Base, number>([
    ['arena', arena],
    ['thread', own],
  ]);
  const isMoving = (base: Base): base is Moving => base.includes(' ');
  for (const base of new Set(used.filter(isMoving))) {
    const [whole, itemBytes] = base.split(' ');
    const local = body.local('i32');
    body.get(start);
    body.i32(Number(itemBytes));
    body.op('i32.mul');
    if (whole === 'arena') {
      body.get(arena);
      body.op('i32.add');
    }
    body.set(local);
    locals.set(base, local);
  }
  return locals;
}

/** The statements in order, those for one thread and those for all of them apart. */
function runsOf(all: readonly Statement[]): { parallel: boolean; statements: Statement[] }[] {
  const runs: { parallel: boolean; statements: Statement[] }[] = [];
  for (const s of all) {
    const last = runs.at(-1);
    if (last?.parallel === isParallel(s)) last.statements.push(s);
    else runs.push({ parallel: isParallel(s), statements: [s] });
  }
  return runs;
}

const iterations = ({ variable }: Loop): number => Math.ceil(variable.extent / variable.step);

/** Pushes the first iteration of a thread: the iterations are divided evenly, the first threads taking one of the rest each. */
function pushShare(body: FunctionBody, count: number, after: 0 | 1): void {
  const mine = () => {
    body.get(thread);
    if (after === 1) {
      body.i32(1);
      body.op('i32.add');
    }
  };
  const rest = () => {
    body.i32(count);
    body.get(threads);
    body.op('i32.rem_u');
  };
  body.i32(count);
  body.get(threads);
  body.op('i32.div_u');
  mine();
  body.op('i32.mul');
  mine();
  rest();
  mine();
  rest();
  body.op('i32.lt_u');
  body.op('select');
  body.op('i32.add');
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

/** Calls a function with the number of each iteration, those of this thread if the loop is parallel. */
function callForEach(body: FunctionBody, loop: Loop, number: number): void {
  const at = body.local('i32');
  const end = body.local('i32');
  const parallel = isParallel(loop);
  const count = iterations(loop);
  if (parallel) pushShare(body, count, 1);
  else body.i32(count);
  body.set(end);
  if (parallel) pushShare(body, count, 0);
  else body.i32(0);
  body.tee(at);
  body.get(end);
  body.op('i32.ne');
  body.open('if');
  body.open('loop');
  for (const base of [arena, own, start]) body.get(base);
  body.get(at);
  body.call(number);
  body.get(at);
  body.i32(1);
  body.op('i32.add');
  body.tee(at);
  body.get(end);
  body.op('i32.ne');
  body.branchIf(0);
  body.op('end');
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
        expressions.computedAddress(s.index, base, sizeOf(s.buffer.dtype));
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
    pushPointer(body, address, this.#addresses.localOf(this.#addresses.originOf(s.buffer).base));
    this.#expressions.emit(s.value);
    if (s.value.type.lanes === 1) storeScalar(body, s.buffer.dtype, address.offset);
    else storeVector(body, s.buffer.dtype, s.value.type, address.offset);
  }

  /** The body once, for the iteration whose number is a parameter. */
  iteration({ body: statements }: Loop, scope: Scope): void {
    for (const p of scope.pointers.values()) {
      this.#start(p);
      this.#advance(p, iterationParameters.indexOf('iteration'));
    }
    this.#addresses.enter(scope);
    this.statements(statements, scope);
    this.#addresses.leave();
  }

  /** Runs the body, moves the pointers, and goes on until one of them has reached its end. */
  #loop(loop: Loop, scope: Scope): void {
    const body = this.#body;
    const pointers = [...scope.pointers.values()];
    for (const p of pointers) this.#start(p);
    if (!isParallel(loop)) {
      this.#iterate(loop, scope, () => body.i32(iterations(loop)));
      return;
    }
    const begin = body.local('i32');
    const count = body.local('i32');
    pushShare(body, iterations(loop), 1);
    pushShare(body, iterations(loop), 0);
    body.tee(begin);
    body.op('i32.sub');
    body.tee(count);
    body.open('if');
    for (const p of pointers) this.#advance(p, begin);
    this.#iterate(loop, scope, () => body.get(count));
    body.op('end');
  }

  /** Moves a pointer on by a number of iterations. */
  #advance({ local, bump }: Pointer, number: number): void {
    const body = this.#body;
    body.get(local);
    body.get(number);
    body.i32(bump);
    body.op('i32.mul');
    body.op('i32.add');
    body.set(local);
  }

  #iterate({ body: statements }: Loop, scope: Scope, pushCount: () => void): void {
    const body = this.#body;
    const pointers = [...scope.pointers.values()];
    const [control] = pointers;
    const limit = body.local('i32');
    pushCount();
    if (control) {
      body.i32(control.bump);
      body.op('i32.mul');
      body.get(control.local);
      body.op('i32.add');
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
    const from = parent?.local ?? this.#addresses.localOf(base);
    if (from !== undefined) body.get(from);
    if (from === undefined) {
      body.i32(more);
    } else if (more !== 0) {
      body.i32(more);
      body.op('i32.add');
    }
    body.set(local);
  }
}
