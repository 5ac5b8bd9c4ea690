// Refuses kernels and programs that are not well formed, before a backend turns them into code that cannot check.

import { InternalError } from '../../base/errors.ts';
import { sizeOf } from '../../tensor/dtype.ts';
import {
  type Affine,
  type Buffer,
  children,
  type Expression,
  type Kernel,
  type Local,
  type Loop,
  type LoopVariable,
  range,
  type Statement,
  touched,
  valueType,
} from '../ir.ts';
import { localsOf } from '../locals.ts';
import type { Machine } from '../machine.ts';
import { buffersOf } from '../patterns.ts';
import type { Place, Program } from '../program.ts';
import { segmentsOf } from '../threads.ts';
import { touchedBy } from '../touching.ts';
import { expressionFault, typeFault } from './expression-types.ts';
import { printHead, printIndex, printType } from './print.ts';
import { findClash, findRace, type Location, shareBytes } from './races.ts';

/**
 * Throws InternalError unless in that kernel every index stays in its buffer, types and lanes agree, locals are set
 * before they are read, and iterations of parallel loops keep apart. `locate` tells which buffers share storage (by
 * default none do), and throws for a buffer that has none.
 */
export function verifyKernel(
  kernel: Kernel,
  machine: Pick<Machine, 'vectorBytes' | 'partialVectors' | 'prefetches'>,
  locate: (buffer: Buffer) => Location = (buffer) => ({ storage: buffer, offset: 0 }),
): void {
  const refuse = (problem: string): never => {
    throw new InternalError(`Kernel "${kernel.name}": ${problem}.`);
  };
  const listed = new Set(buffersOf(kernel));
  for (const b of buffersOf({ body: kernel.body })) if (!listed.has(b)) refuse(`it does not list ${b.name}`);
  new Verifier(kernel, machine, locate).kernel();
  const parts = segmentsOf(kernel.body).flatMap((s) => s.statements.map((statement) => ({ ...s, statement })));
  for (const [i, a] of parts.entries()) {
    for (const b of parts.slice(i + 1)) {
      const clash = (a.parallel || b.parallel) && findClash(a.statement, b.statement, locate);
      if (clash) refuse(`a parallel loop and another statement both touch ${clash}`);
    }
  }
}

const refuseProgram = (problem: string): never => {
  throw new InternalError(`The program is not well formed: ${problem}.`);
};

/** Verifies the kernels of a program, where its buffers lie, and that checks come before variables are written. */
export function verifyProgram(
  program: Program,
  machine: Pick<Machine, 'vectorBytes' | 'partialVectors' | 'prefetches'>,
): void {
  const { places, kernels, checks } = program;
  for (const [b, place] of places) verifyPlace(b, place, program);
  const locate = (buffer: Buffer): Location => {
    const own = places.get(buffer);
    if (!own) return refuseProgram(`${buffer.name} is used but has no place`);
    const place = own.kind === 'window' ? own.of : own;
    if (place.kind === 'arena' || place.kind === 'thread') return { storage: place.kind, offset: place.offset };
    return { storage: place.kind === 'variable' ? place.key : place.data, offset: 0 };
  };
  if (checks > kernels.length) refuseProgram(`${checks} of ${kernels.length} kernels come before the checks' end`);
  if (checks > 0 && !program.status) refuseProgram('it has checks and no status buffer');
  kernels.forEach((kernel, number) => {
    verifyKernel(kernel, machine, locate);
    verifyStores(kernel, program, number < checks, locate);
  });
}

/** What a kernel stores to may be stored to, and shares no byte with anything else that it touches. */
function verifyStores(
  kernel: Kernel,
  { places }: Program,
  beforeChecks: boolean,
  locate: (buffer: Buffer) => Location,
): void {
  for (const b of touchedBy(kernel.body).written) {
    const kind = places.get(b)?.kind;
    if (kind === 'constant') refuseProgram(`kernel ${kernel.name} stores to the constant ${b.name}`);
    if (kind === 'variable' && beforeChecks)
      refuseProgram(`kernel ${kernel.name} stores to ${b.name} before the checks`);
    const other = buffersOf(kernel).find((a) => a !== b && shareBytes(a, b, locate));
    if (other) refuseProgram(`in kernel ${kernel.name} ${b.name} and ${other.name} share bytes`);
  }
}

function verifyPlace(b: Buffer, place: Place, { arenaBytes, threadBytes, variables }: Program): void {
  if (place.kind === 'window') return;
  if ((place.kind === 'thread') !== (b.private === true))
    refuseProgram(`${b.name} is private, or its place is, not both`);
  if (place.kind === 'arena' || place.kind === 'thread') {
    const bytes = place.kind === 'arena' ? arenaBytes : threadBytes;
    const aligned = place.offset >= 0 && place.offset % sizeOf(b.dtype) === 0;
    const inside = place.offset + b.length * sizeOf(b.dtype) <= bytes;
    if (!aligned || !inside) refuseProgram(`${b.name} lies at ${place.offset} of an arena of ${bytes} bytes`);
  } else if (place.kind === 'constant') {
    if (place.data.length < b.length)
      refuseProgram(`the constant ${b.name} has ${place.data.length} of ${b.length} elements`);
  } else if ((variables.find((v) => v.key === place.key)?.length ?? -1) < b.length) {
    refuseProgram(`${b.name} needs ${b.length} elements of variable ${place.key}, which has fewer or is not listed`);
  }
}

class Verifier {
  readonly #kernel: Kernel;
  readonly #machine: Pick<Machine, 'vectorBytes' | 'partialVectors' | 'prefetches'>;
  readonly #locate: (buffer: Buffer) => Location;
  readonly #bound = new Set<LoopVariable>();

  constructor(
    kernel: Kernel,
    machine: Pick<Machine, 'vectorBytes' | 'partialVectors' | 'prefetches'>,
    locate: (buffer: Buffer) => Location,
  ) {
    this.#kernel = kernel;
    this.#machine = machine;
    this.#locate = locate;
  }

  /** The whole kernel. What the first thread does alone, the others see nothing of, in their own registers. */
  kernel(): void {
    const assigned = new Set<Local>();
    for (const { parallel, statements } of segmentsOf(this.#kernel.body)) {
      if (!parallel) {
        this.#statements(statements, assigned, true);
        continue;
      }
      const everywhere = new Set<Local>();
      this.#statements(statements, everywhere, true);
      for (const l of localsOf(statements).assigned) assigned.delete(l);
      for (const l of everywhere) assigned.add(l);
    }
  }

  /** Adds to `assigned` the locals that are certain to be set afterwards. */
  #statements(statements: readonly Statement[], assigned: Set<Local>, outermost: boolean): void {
    for (const [i, s] of statements.entries()) {
      if (s.kind === 'set' && s.ahead) {
        const next = statements.slice(i + 1).find((x) => x.kind !== 'set' || !x.ahead);
        if (s.value.kind !== 'load' || next?.kind !== 'loop') this.#refuse(s, 'it is no load ahead of a loop');
      }
      this.#statement(s, assigned, outermost);
    }
  }

  #statement(s: Statement, assigned: Set<Local>, outermost: boolean): void {
    const seen = new Set<Expression>();
    switch (s.kind) {
      case 'loop':
        this.#loop(s, assigned, outermost);
        break;
      case 'if':
        this.#expression(s.condition, s, assigned, seen);
        if (s.condition.type.dtype !== 'bool' || s.condition.type.lanes !== 1) {
          this.#refuse(s, `the condition is ${printType(s.condition.type)}, not a bool scalar`);
        }
        this.#statements(s.body, new Set(assigned), false);
        break;
      case 'set':
        this.#expression(s.value, s, assigned, seen);
        this.#expectType(s, s.local.name, s.local.type, s.value);
        assigned.add(s.local);
        break;
      case 'store':
        this.#expression(s.value, s, assigned, seen);
        this.#expectType(s, s.buffer.name, valueType(s.buffer.dtype, s.value.type.lanes), s.value);
        this.#count(s, s.count, s.value.type.lanes);
        this.#index(s, s.buffer, s.index, touched(s, s.value.type.lanes) - 1);
        break;
      case 'prefetch':
        if (!this.#machine.prefetches) this.#refuse(s, 'this machine does not prefetch');
        this.#terms(s, s.index);
        this.#locate(s.buffer);
        break;
      case 'storeAt':
        this.#expression(s.index, s, assigned, seen);
        this.#expression(s.value, s, assigned, seen);
        this.#locate(s.buffer);
        this.#expectType(s, 'a computed index', valueType('int32', 1), s.index);
        this.#expectType(s, s.buffer.name, valueType(s.buffer.dtype, s.value.type.lanes), s.value);
        break;
    }
  }

  #loop(s: Loop, assigned: Set<Local>, outermost: boolean): void {
    const { variable, loop, body } = s;
    const { extent, step, name } = variable;
    if (!(Number.isInteger(extent) && Number.isInteger(step) && extent >= 1 && step >= 1)) {
      this.#refuse(s, `the extent and the step must be whole numbers from 1`);
    }
    if (!s.count && extent <= step) this.#refuse(s, 'what is done once needs no loop');
    if (this.#bound.has(variable)) this.#refuse(s, `the variable ${name} belongs to a loop around this one already`);
    if (loop === 'parallel' && !outermost) this.#refuse(s, 'only the outermost loops may be parallel');
    if (s.count) {
      this.#expression(s.count, s, assigned, new Set());
      this.#expectType(s, 'the number of iterations', valueType('int32', 1), s.count);
      if (loop !== 'serial') this.#refuse(s, 'only a serial loop may count its iterations');
    }
    this.#bound.add(variable);
    // Perhaps there is no iteration: then nothing is set.
    if (s.count) {
      this.#statements(body, new Set(assigned), false);
      this.#bound.delete(variable);
      return;
    }
    if (loop === 'parallel') {
      // An iteration sees what was set before the loop, but nothing that another iteration sets.
      const own = localsOf(body).assigned;
      this.#statements(body, new Set([...assigned].filter((l) => !own.has(l))), false);
      for (const l of own) assigned.delete(l);
      const race = findRace(s, this.#locate);
      if (race) this.#refuse(s, `two iterations could touch the same element of ${race}`);
    } else {
      this.#statements(body, assigned, false);
    }
    this.#bound.delete(variable);
  }

  #expression(e: Expression, s: Statement, assigned: ReadonlySet<Local>, seen: Set<Expression>): void {
    if (seen.has(e)) return;
    seen.add(e);
    for (const child of children(e)) this.#expression(child, s, assigned, seen);
    const fault = typeFault(e.type, this.#machine) ?? expressionFault(e);
    if (fault) this.#refuse(s, fault);
    if (e.kind === 'load') {
      this.#count(s, e.count, e.type.lanes);
      this.#index(s, e.buffer, e.index, (touched(e, e.type.lanes) - 1) * e.laneStride);
      if (e.count !== undefined && e.laneStride === 0) this.#refuse(s, 'a broadcast has all its lanes');
    }
    if (e.kind === 'loadAt') this.#locate(e.buffer);
    if (e.kind === 'index') this.#terms(s, e.index);
    if (e.kind === 'local' && !assigned.has(e.local))
      this.#refuse(s, `the local ${e.local.name} may not have been set`);
  }

  #expectType(s: Statement, what: string, type: Expression['type'], value: Expression): void {
    const { dtype, lanes } = value.type;
    if (dtype === type.dtype && lanes === type.lanes) return;
    this.#refuse(s, `${what} takes ${printType(type)}, not ${printType(value.type)}`);
  }

  #index(s: Statement, buffer: Buffer, index: Affine, reach: number): void {
    this.#terms(s, index);
    this.#locate(buffer);
    const [first, last] = range(index);
    const low = first + Math.min(0, reach);
    const high = last + Math.max(0, reach);
    if (low >= 0 && high < buffer.length) return;
    this.#refuse(
      s,
      `${buffer.name}[${printIndex(index)}] reaches elements ${low} to ${high}, and there are ${buffer.length}`,
    );
  }

  #count(s: Statement, count: number | undefined, lanes: number): void {
    if (count === undefined) return;
    if (!this.#machine.partialVectors) this.#refuse(s, 'this machine has no parts of vectors');
    if (Number.isInteger(count) && count >= 1 && count < lanes) return;
    this.#refuse(s, `${count} of ${lanes} lanes are not a part of them`);
  }

  #terms(s: Statement, index: Affine): void {
    const seen = new Set<LoopVariable>();
    for (const [v, n] of index.terms) {
      if (!this.#bound.has(v)) this.#refuse(s, `the variable ${v.name} belongs to no loop around it`);
      if (seen.has(v)) this.#refuse(s, `the variable ${v.name} has two terms in ${printIndex(index)}`);
      if (!Number.isInteger(n)) this.#refuse(s, `the coefficient ${n} of ${v.name} is not a whole number`);
      seen.add(v);
    }
    if (!Number.isInteger(index.constant)) this.#refuse(s, `the constant ${index.constant} is not a whole number`);
  }

  #refuse(s: Statement, problem: string): never {
    const text = printHead(s).join('; ');
    const statement = text.length > 300 ? `…${text.slice(-300)}` : text;
    throw new InternalError(`Kernel "${this.#kernel.name}", statement "${statement}": ${problem}.`);
  }
}
