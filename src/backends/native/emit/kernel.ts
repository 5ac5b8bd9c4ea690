// One kernel as a C function.

import type { Sliced } from '../../../base/turns.ts';
import {
  type Buffer,
  type Expression,
  expressionsOf,
  forEachOperand,
  isParallel,
  iterations,
  type Kernel,
  type Local,
  type Loop,
  type Statement,
} from '../../../loops/ir.ts';
import type { Machine } from '../../../loops/machine.ts';
import { buffersOf } from '../../../loops/patterns.ts';
import { segmentsOf } from '../../../loops/threads.ts';
import { statementsAtOnce, walking } from '../../../loops/touching.ts';
import { type DType, sizeOf } from '../../../tensor/dtype.ts';
import { type AddressBase, Addresses, type Origin, type Pointer, type Scope } from '../../emit/addresses.ts';
import { addressText, ExpressionWriter, pointerName } from './expression.ts';

/** What a kernel is written for. */
export interface KernelTarget {
  /** Where buffers begin. */
  readonly originOf: (buffer: Buffer) => Origin;
  readonly machine: Pick<Machine, 'vectorBytes'>;
}

/** The parameters of every kernel; the last are the addresses that a shared one is given. */
export const parameters = 'const struct call *call, char *own, i64 start, i64 thread, i64 threads, char *const *given';

/** A function with what stands behind its name. */
export const functionText = (name: string, text: string): string => `static KERNEL void ${name}${text}`;

/** The first iteration of a thread, and the one after its last. */
export function boundsOf(loop: Loop): [begin: string, end: string] {
  const count = iterations(loop);
  if (!isParallel(loop)) return ['0', String(count)];
  return [`share(${count}, thread, threads)`, `share(${count}, thread + 1, threads)`];
}

/** The text of a kernel's function behind its name. */
export function* writeKernel(kernel: Pick<Kernel, 'body' | 'buffers'>, target: KernelTarget): Sliced<string> {
  return yield* new KernelWriter(kernel, target, yield* readMoreThanOnce(kernel.body)).write();
}

class KernelWriter {
  readonly #statements: readonly Statement[];
  readonly #lines: string[] = [];
  readonly #locals = new Map<Local, string>();
  readonly #bases = new Map<AddressBase, number>();
  readonly #reused: ReadonlySet<Local>;
  readonly #addresses: Addresses;
  readonly #expressions: ExpressionWriter;
  #pointers = 0;
  #loops = 0;

  constructor(kernel: Pick<Kernel, 'body' | 'buffers'>, target: KernelTarget, reused: ReadonlySet<Local>) {
    this.#statements = kernel.body;
    this.#reused = reused;
    for (const b of buffersOf(kernel)) {
      const { base } = target.originOf(b);
      if (!this.#bases.has(base)) this.#bases.set(base, this.#pointers++);
    }
    this.#addresses = new Addresses(target.originOf, this.#bases, () => this.#pointers++);
    this.#expressions = new ExpressionWriter(this.#addresses, target.machine.vectorBytes, this.#locals);
  }

  *write(): Sliced<string> {
    for (const { parallel, statements } of segmentsOf(this.#statements)) {
      if (!parallel) this.#lines.push('if (thread == 0) {');
      yield* this.#segment(statements);
      if (!parallel) this.#lines.push('}');
    }
    const bases = [...this.#bases].map(([base, number]) => `char *const ${pointerName(number)} = ${baseText(base)};`);
    const locals = [...this.#locals].map(([{ type }, local]) => `${this.#expressions.typeOf(type)} ${local};`);
    return [`(${parameters}) {`, ...bases, ...locals, ...this.#lines, '}', ''].join('\n');
  }

  *#segment(statements: readonly Statement[]): Sliced<void> {
    const scope = yield* this.#addresses.analyse(statements);
    this.#addresses.enter(scope);
    yield* this.#body(statements, scope);
    this.#addresses.leave();
  }

  /** `loops` of the scope have been written before. Returns how many have been after it. */
  *#body(statements: readonly Statement[], scope: Scope, before = 0): Sliced<number> {
    let loops = before;
    for (const [i, s] of statements.entries()) {
      if (s.kind === 'loop') yield* this.#loop(s, scope.loops[loops++]);
      else if (s.kind === 'if') loops = yield* this.#if(s, scope, loops);
      else this.#statement(s);
      if (i % statementsAtOnce === 0) yield;
    }
    return loops;
  }

  *#if(s: Statement & { kind: 'if' }, scope: Scope, before: number): Sliced<number> {
    const { lines, texts } = this.#expressions.write(s.condition);
    this.#lines.push(...lines, `if (${texts[0]}) {`);
    const loops = yield* this.#body(s.body, scope, before);
    this.#lines.push('}');
    return loops;
  }

  /** Writes a statement with none inside. */
  #statement(s: Exclude<Statement, { kind: 'loop' | 'if' }>): void {
    const adds = isAccumulation(s);
    const { lines, texts } = this.#expressions.write(...(adds ? [s.value.a, s.value.b] : expressionsOf(s)));
    // Their names are new ones, so they need no block of their own.
    this.#lines.push(...lines);
    const [first, second] = texts;
    switch (s.kind) {
      case 'set': {
        const local = this.#expressions.localOf(s.local);
        if (adds) {
          this.#lines.push(`ACCUMULATE_${this.#expressions.typeOf(s.value.type)}(${local}, ${first}, ${second})`);
          return;
        }
        this.#lines.push(`${local} = ${first};`);
        if (this.#reused.has(s.local)) {
          if (isVectorLoad(s.value)) this.#lines.push(`PIN(${local})`);
          else if (isComputedInteger(s.value)) this.#lines.push(`${s.value.type.lanes > 1 ? 'PIN' : 'KEEP'}(${local})`);
        }
        return;
      }
      case 'store': {
        const at = this.#expressions.elementAddress(s.buffer, s.index);
        const type = this.#expressions.typeOf(s.value.type);
        this.#lines.push(
          s.count === undefined
            ? storeText(s.buffer.dtype, type, at, first)
            : partialStoreText(s.buffer.dtype, type, at, first, s.count),
        );
        return;
      }
      case 'prefetch': {
        const at = this.#expressions.elementAddress(s.buffer, s.index);
        this.#lines.push(`__builtin_prefetch(${at}, 0, 2);`);
        return;
      }
      case 'storeAt': {
        const at = this.#expressions.computedAddress(s.buffer, first, 0);
        this.#lines.push(storeText(s.buffer.dtype, this.#expressions.typeOf(s.value.type), at, second));
        return;
      }
    }
  }

  *#loop(loop: Loop, scope: Scope): Sliced<void> {
    const i = `at${this.#loops++}`;
    let [begin, end] = boundsOf(loop);
    if (loop.count) {
      const { lines, texts } = this.#expressions.write(loop.count);
      this.#lines.push(...lines);
      [begin, end] = ['0', texts[0]];
    }
    // The pointers are moved by hand: GCC 12, when it finds out by itself how they move, expresses one by another and
    // then takes the kernel for one that stores nothing (which is why it must not, see compiler.ts).
    const pointers = [...scope.pointers.values()];
    if (begin !== '0') this.#lines.push(`const i64 begin_${i} = ${begin};`);
    for (const p of pointers) this.#lines.push(this.#start(p, begin === '0' ? '' : ` + begin_${i} * ${p.bump}`));
    this.#lines.push(
      `for (i64 ${i} = ${begin === '0' ? begin : `begin_${i}`}, end_${i} = ${end}; ${i} < end_${i}; ${i}++) {`,
    );
    this.#addresses.enter(scope);
    yield* this.#body(loop.body, scope);
    this.#addresses.leave();
    for (const { local, bump } of pointers) this.#lines.push(`${pointerName(local)} += ${bump};`);
    this.#lines.push('}');
  }

  /** Where accesses of the first iteration begin. */
  #start({ base, parent, folded = 0, local }: Pointer, further: string): string {
    const from = parent?.local ?? this.#addresses.localOf(base);
    const begin = addressText({ pointer: undefined, offset: folded - (parent?.folded ?? 0) }, from);
    return `${base === 'index' ? 'i64 ' : 'char *'}${pointerName(local)} = ${begin}${further};`;
  }
}

/** What a base is in a kernel, or where a kernel is called. */
export function baseText(base: AddressBase): string {
  if (base === 'thread') return 'own';
  const [whole, itemBytes] = base.split(' ') as [string, string | undefined];
  if (whole === 'given') return `given[${itemBytes}]`;
  const from = whole === 'arena' ? 'call->arena' : `call->table[${whole.slice('slot'.length)}]`;
  return itemBytes === undefined ? from : `${from} + start * ${itemBytes}`;
}

/** Types with names of two letters are those of vectors. */
function storeText(dtype: DType, type: string, at: string, value: string): string {
  if (dtype !== 'bool' && dtype !== 'uint8') return `TO(${type.length === 2 ? `u${type}` : type}, ${at}) = ${value};`;
  // The low byte of every lane; a lane of ones becomes 1.
  if (type === 'i32') return `TO(u8, ${at}) = (u8)${value};`;
  const bytes = type === 'vl' ? 'wb' : 'nb';
  return `TO(u${bytes}, ${at}) = __builtin_convertvector(${dtype === 'bool' ? `-${value}` : value}, ${bytes});`;
}

/** The first lanes of a vector; of bytes, one by one. */
function partialStoreText(dtype: DType, type: string, at: string, value: string, count: number): string {
  if (dtype !== 'bool' && dtype !== 'uint8') return `put_first_${type}(${at}, ${count}, ${value});`;
  const lane = (l: number) => `TO(u8, ${at} + ${l}) = (u8)${dtype === 'bool' ? '-' : ''}part[${l}];`;
  return `{ const ${type} part = ${value}; ${Array.from({ length: count }, (_, l) => lane(l)).join(' ')} }`;
}

/** Is a product added to a register in its place? Clang would move such sums from register to register, and to memory. */
const isAccumulation = (s: Statement): s is Statement & { kind: 'set'; value: { kind: 'multiplyAdd' } } =>
  s.kind === 'set' &&
  s.value.kind === 'multiplyAdd' &&
  s.value.type.lanes > 1 &&
  s.value.type.dtype !== 'int32' &&
  s.value.c.kind === 'local' &&
  s.value.c.local === s.local;

const isVectorLoad = (e: Expression): boolean =>
  (e.kind === 'loadAt' || (e.kind === 'load' && e.laneStride === 1)) && e.type.lanes > 1 && sizeOf(e.buffer.dtype) > 1;

/** GCC follows integers from register to register, and each again for every use: in a chain of squares, for ever. */
const isComputedInteger = (e: Expression): boolean =>
  e.type.dtype === 'int32' && (e.kind === 'binary' || e.kind === 'select' || e.kind === 'multiplyAdd');

/** The registers that more than one expression of a kernel reads. */
function* readMoreThanOnce(statements: readonly Statement[]): Sliced<Set<Local>> {
  const once = new Set<Local>();
  const more = new Set<Local>();
  const visit = (e: Expression): void => {
    if (e.kind === 'local') (once.has(e.local) ? more : once).add(e.local);
    forEachOperand(e, visit);
  };
  yield* walking(statements, (s) => expressionsOf(s).forEach(visit));
  return more;
}
