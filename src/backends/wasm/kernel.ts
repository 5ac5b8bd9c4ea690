// One kernel as a WebAssembly function: its statements, its loops, and the pointers that move with them.
import { hoistLoads } from '../../loops/hoist.ts';
import type { Buffer, Kernel, Statement } from '../../loops/ir.ts';
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

/** The body of a function with the parameter `arena`, the address of the run's arena. */
export function emitKernel(kernel: Kernel, target: KernelTarget): FunctionBody {
  const extent = (b: Buffer) => {
    const { base, offset } = target.originOf(b);
    return { base, begin: offset, end: offset + b.length * sizeOf(b.dtype) };
  };
  const overlap = (a: Buffer, b: Buffer): boolean => {
    const x = extent(a);
    const y = extent(b);
    return x.base === y.base && x.begin < y.end && y.begin < x.end;
  };
  const statements = hoistLoads(unroll(kernel.body), vectorRegisters, overlap);
  const body = new FunctionBody(1);
  const addresses = new Addresses(target.originOf, () => body.local('i32'));
  const scope = addresses.analyse(statements);
  const emitter = new KernelEmitter(body, addresses, new ExpressionEmitter(body, addresses, target.fusedMultiplyAdd));
  addresses.enter(scope);
  emitter.statements(statements, scope);
  addresses.leave();
  return body;
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

  /** Runs the body, moves the pointers, and goes on until one of them has reached its end; at least two iterations. */
  #loop({ variable, body: statements }: Statement & { kind: 'loop' }, scope: Scope): void {
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
