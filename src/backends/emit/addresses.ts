// Pointers: how the addresses of a kernel follow its loops. Accesses whose addresses differ by a constant share a
// pointer, which is set up before its loop from a pointer of an enclosing one and then only added to.
import type { Sliced } from '../../base/turns.ts';
import {
  type Affine,
  type Buffer,
  type Expression,
  expressionsOf,
  forEachOperand,
  type LoopVariable,
  type Statement,
  touched,
} from '../../loops/ir.ts';
import { statementsAtOnce } from '../../loops/touching.ts';
import { sizeOf } from '../../tensor/dtype.ts';

/**
 * What addresses count from: the thread's own space, something whole, that and a block's place in it, an address that
 * is a parameter of the function, or nothing: the value of an index.
 */
export type AddressBase = FixedBase | BlockBase | GivenBase | 'thread' | 'index';
/** The arena of the run; address 0; or what a slot of the program's table points to. */
export type FixedBase = 'arena' | 'absolute' | `slot${number}`;
/** The address of a number among the function's parameters. */
export type GivenBase = `given ${number}`;
/** So many bytes further for each item before the block. */
export type BlockBase = `${FixedBase} ${number}`;
/** The locals of a function that hold a base; the others are 0. */
export type BaseLocals = ReadonlyMap<AddressBase, number>;

/** Where a buffer begins. */
export interface Origin {
  readonly base: AddressBase;
  readonly offset: number;
}

/** A register that holds an address (or an index) and moves with a loop. */
export interface Pointer {
  readonly base: AddressBase;
  /** The pointer that it starts from; undefined for the base itself. */
  readonly parent: Pointer | undefined;
  /** Added after every iteration. */
  readonly bump: number;
  /** The smallest constant among its accesses, which the pointer includes. */
  folded: number | undefined;
  /** The local variable in which it is kept. */
  readonly local: number;
}

/** The inside of one loop, or of the whole kernel (without a variable). */
export interface Scope {
  readonly variable: LoopVariable | undefined;
  readonly pointers: Map<string, Pointer>;
  /** The loops inside, in the order of the statements. */
  readonly loops: Scope[];
}

/** An address as an instruction takes it. */
export interface Address {
  readonly pointer: Pointer | undefined;
  readonly offset: number;
}

const indexOrigin: Origin = { base: 'index', offset: 0 };

/** Knows the pointers of one kernel. First `analyse` finds them all, then the emitter walks the same loops again. */
export class Addresses {
  readonly #originOf: (buffer: Buffer) => Origin;
  readonly #bases: BaseLocals;
  readonly #newLocal: () => number;
  readonly #stack: Scope[] = [];
  readonly #depths = new Map<LoopVariable, number>();

  constructor(originOf: (buffer: Buffer) => Origin, bases: BaseLocals, newLocal: () => number) {
    this.#originOf = originOf;
    this.#bases = bases;
    this.#newLocal = newLocal;
  }

  /** Finds the pointers that statements need, loop by loop; the result is the scope of the whole. */
  *analyse(statements: readonly Statement[]): Sliced<Scope> {
    const root: Scope = { variable: undefined, pointers: new Map(), loops: [] };
    this.enter(root);
    yield* this.#visit(statements, root);
    this.leave();
    return root;
  }

  enter(scope: Scope): void {
    if (scope.variable) this.#depths.set(scope.variable, this.#stack.length);
    this.#stack.push(scope);
  }

  leave(): void {
    const scope = this.#stack.pop();
    if (scope?.variable) this.#depths.delete(scope.variable);
  }

  /** The local that holds what addresses count from; undefined for 0. */
  localOf(base: AddressBase): number | undefined {
    return this.#bases.get(base);
  }

  originOf(buffer: Buffer): Origin {
    return this.#originOf(buffer);
  }

  /** The address of an element. */
  element(buffer: Buffer, index: Affine): Address {
    return this.#resolve(this.#originOf(buffer), index, sizeOf(buffer.dtype));
  }

  /** The value of an index, as a pointer and a constant. */
  index(index: Affine): Address {
    return this.#resolve(indexOrigin, index, 1);
  }

  #resolve(origin: Origin, index: Affine, size: number): Address {
    const pointer = this.#pointer(origin.base, index, size);
    return { pointer, offset: origin.offset + index.constant * size - (pointer?.folded ?? 0) };
  }

  *#visit(statements: readonly Statement[], scope: Scope): Sliced<void> {
    const seen = new Set<Expression>();
    const collect = (e: Expression): void => {
      if (seen.has(e)) return;
      seen.add(e);
      if (e.kind === 'load') this.#note(e.buffer, e.index, (touched(e, e.type.lanes) - 1) * e.laneStride);
      else if (e.kind === 'index') this.#fold(this.#pointer('index', e.index, 1), e.index.constant);
      else forEachOperand(e, collect);
    };
    for (const [i, s] of statements.entries()) {
      if (s.kind === 'store' || s.kind === 'prefetch') this.#note(s.buffer, s.index, 0);
      expressionsOf(s).forEach(collect);
      if (s.kind === 'loop') {
        const inner: Scope = { variable: s.variable, pointers: new Map(), loops: [] };
        scope.loops.push(inner);
        this.enter(inner);
        yield* this.#visit(s.body, inner);
        this.leave();
      } else if (s.kind === 'if') yield* this.#visit(s.body, scope);
      if (i % statementsAtOnce === 0) yield;
    }
  }

  /** Notes an access that reaches from its index `reach` elements further, up or down. */
  #note(buffer: Buffer, index: Affine, reach: number): void {
    const { base, offset } = this.#originOf(buffer);
    const size = sizeOf(buffer.dtype);
    const pointer = this.#pointer(base, index, size);
    this.#fold(pointer, offset + (index.constant + Math.min(0, reach)) * size);
  }

  #fold(pointer: Pointer | undefined, constant: number): void {
    if (pointer) pointer.folded = Math.min(pointer.folded ?? constant, constant);
  }

  /** The pointer for the terms of an index, created where it is missing; undefined where there are none. */
  #pointer(base: AddressBase, index: Affine, size: number): Pointer | undefined {
    const terms: PointerTerm[] = [];
    for (const term of index.terms) {
      const variable = term[0];
      if (term[1] === 0 || variable.extent <= variable.step) continue;
      const depth = this.#depths.get(variable)!;
      // Outer loops first; there are few terms, and many indices.
      let at = terms.length;
      for (; at > 0 && terms[at - 1].depth > depth; at--) terms[at] = terms[at - 1];
      terms[at] = { depth, coefficient: term[1] * size };
    }
    return this.#pointerFor(base, terms, terms.length);
  }

  #pointerFor(base: AddressBase, terms: readonly PointerTerm[], count: number): Pointer | undefined {
    if (count === 0) return undefined;
    const { depth, coefficient } = terms[count - 1];
    const scope = this.#stack[depth];
    let key: string = base;
    for (let i = 0; i < count; i++) key += ` ${terms[i].depth}*${terms[i].coefficient}`;
    let pointer = scope.pointers.get(key);
    if (!pointer) {
      const parent = this.#pointerFor(base, terms, count - 1);
      const bump = coefficient * scope.variable!.step;
      pointer = { base, parent, bump, folded: undefined, local: this.#newLocal() };
      scope.pointers.set(key, pointer);
    }
    return pointer;
  }
}

interface PointerTerm {
  readonly depth: number;
  /** In bytes, or in units of an index. */
  readonly coefficient: number;
}
