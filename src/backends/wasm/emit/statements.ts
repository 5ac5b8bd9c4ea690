// Statements as instructions: loops, and the pointers that move with them.
import type { Sliced } from '../../../base/turns.ts';
import { isParallel, iterations, type Loop, type Statement } from '../../../loops/ir.ts';
import { statementsAtOnce } from '../../../loops/touching.ts';
import { sizeOf } from '../../../tensor/dtype.ts';
import type { Addresses, Pointer, Scope } from '../../emit/addresses.ts';
import { pushPointer, storeScalar, storeVector } from './access.ts';
import type { FunctionBody } from './encode.ts';
import type { ExpressionEmitter } from './expression.ts';
import { thread, threads } from './function-parameters.ts';

/** Pushes the first iteration of a thread: the iterations are divided evenly, the first threads taking one of the rest each. */
export function pushShare(body: FunctionBody, count: number, after: 0 | 1): void {
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

/** Writes statements into a function. */
export class StatementEmitter {
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

  *statements(statements: readonly Statement[], scope: Scope): Sliced<void> {
    for (const [i, s] of statements.entries()) {
      if (s.kind === 'loop') yield* this.#nextLoop(s, scope);
      else if (s.kind === 'if') yield* this.#if(s, scope);
      else this.#statement(s);
      if (i % statementsAtOnce === 0) yield;
    }
  }

  *#if(s: Statement & { kind: 'if' }, scope: Scope): Sliced<void> {
    this.#expressions.begin(s.condition);
    this.#expressions.emit(s.condition);
    this.#body.open('if');
    yield* this.statements(s.body, scope);
    this.#body.op('end');
  }

  *#nextLoop(s: Loop, scope: Scope): Sliced<void> {
    const number = this.#emitted.get(scope) ?? 0;
    this.#emitted.set(scope, number + 1);
    yield* this.#loop(s, scope.loops[number]);
  }

  /** A statement with none inside. */
  #statement(s: Exclude<Statement, { kind: 'loop' | 'if' }>): void {
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
        this.#storeTo(s, offset);
        break;
      }
      // There is no instruction for it, and the machine says so.
      case 'prefetch':
        break;
    }
  }

  #store(s: Statement & { kind: 'store' }): void {
    const body = this.#body;
    this.#expressions.begin(s.value);
    const address = this.#addresses.element(s.buffer, s.index);
    pushPointer(body, address, this.#addresses.localOf(this.#addresses.originOf(s.buffer).base));
    this.#expressions.emit(s.value);
    this.#storeTo(s, address.offset);
  }

  /** What is on the stack, to the address below it. */
  #storeTo({ buffer, value }: Statement & { kind: 'store' | 'storeAt' }, offset: number): void {
    if (value.type.lanes === 1) storeScalar(this.#body, buffer.dtype, offset);
    else storeVector(this.#body, buffer.dtype, value.type, offset);
  }

  /** What is inside some loops, once: the numbers of their iterations are parameters from `parameter` on. */
  *inside(loops: number, statements: readonly Statement[], scope: Scope, parameter: number): Sliced<void> {
    if (loops === 0) {
      yield* this.statements(statements, scope);
      return;
    }
    const [inner] = scope.loops;
    for (const p of inner.pointers.values()) {
      this.#start(p);
      this.#advance(p, parameter);
    }
    this.#addresses.enter(inner);
    yield* this.inside(loops - 1, (statements[0] as Loop).body, inner, parameter + 1);
    this.#addresses.leave();
  }

  /** Runs the body, moves the pointers, and goes on until one of them has reached its end. */
  *#loop(loop: Loop, scope: Scope): Sliced<void> {
    const body = this.#body;
    const pointers = [...scope.pointers.values()];
    if (loop.count) {
      const count = body.local('i32');
      this.#expressions.begin(loop.count);
      this.#expressions.emit(loop.count);
      body.tee(count);
      body.open('if');
      for (const p of pointers) this.#start(p);
      yield* this.#iterate(loop, scope, () => body.get(count));
      body.op('end');
      return;
    }
    for (const p of pointers) this.#start(p);
    if (!isParallel(loop)) {
      yield* this.#iterate(loop, scope, () => body.i32(iterations(loop)));
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
    yield* this.#iterate(loop, scope, () => body.get(count));
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

  *#iterate({ body: statements }: Loop, scope: Scope, pushCount: () => void): Sliced<void> {
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
    yield* this.statements(statements, scope);
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
