// A long kernel as calls of functions for its parts. Compilers take more than twice as long for functions twice as long,
// and a chain of many tasks has many that are alike: they are one function.

import type { Sliced } from '../../../base/turns.ts';
import {
  type Expression,
  iterations,
  type Local,
  type Loop,
  type LoopVariable,
  type Statement,
} from '../../../loops/ir.ts';
import { segmentsOf } from '../../../loops/threads.ts';
import { expressionsIn, statementsAtOnce } from '../../../loops/touching.ts';
import { boundsOf, type KernelTarget, parameters } from './kernel.ts';
import { type Functions, givenText, partOf } from './part.ts';

/** So many stores and assignments are executed in a part at least, that the call is nothing beside it. */
const leastWork = 256;
/** A part has no more statements and operations than about so many, unless they need each other's registers. */
const mostSize = 1000;

/** The text of a kernel's function behind its name; its parts are among `functions`. */
export const writeLongKernel = (
  body: readonly Statement[],
  target: KernelTarget,
  functions: Functions,
): Sliced<string> => new LongKernelWriter(target, functions).write(body);

class LongKernelWriter {
  readonly #target: KernelTarget;
  readonly #functions: Functions;
  readonly #lines: string[] = [];
  /** The loops around, with the variables in which C counts them. */
  readonly #around = new Map<LoopVariable, string>();

  constructor(target: KernelTarget, functions: Functions) {
    this.#target = target;
    this.#functions = functions;
  }

  *write(body: readonly Statement[]): Sliced<string> {
    for (const { parallel, statements } of segmentsOf(body)) {
      if (!parallel) this.#lines.push('if (thread == 0) {');
      yield* this.#sequence(statements, parallel ? 'thread, threads' : '0, 1');
      if (!parallel) this.#lines.push('}');
    }
    return [`(${parameters}) {`, ...this.#lines, '}', ''].join('\n');
  }

  /** `threads`: which of how many the parts are called as. */
  *#sequence(statements: readonly Statement[], threads: string): Sliced<void> {
    for (const { together, loop } of yield* this.#parts(statements)) {
      yield* loop ? this.#loop(loop) : this.#call(together, threads);
    }
  }

  *#call(statements: readonly Statement[], threads: string): Sliced<void> {
    const { text, given } = yield* partOf(statements, this.#target.machine, this.#around);
    const name = this.#functions.of(text);
    const addresses = givenText(given, this.#target.originOf, this.#around);
    this.#lines.push(`${name}(call, own, start, ${threads}, ${addresses});`);
  }

  *#loop(loop: Loop): Sliced<void> {
    const { variable } = loop;
    const i = `at${this.#around.size}`;
    const [begin, end] = boundsOf(loop);
    this.#lines.push(`for (i64 ${i} = ${begin}, end_${i} = ${end}; ${i} < end_${i}; ${i}++) {`);
    this.#around.set(variable, variable.step === 1 ? i : `${i} * ${variable.step}`);
    yield* this.#sequence(loop.body, '0, 1');
    this.#around.delete(variable);
    this.#lines.push('}');
  }

  /** Neighbours that need none of each other's registers, each together with others until they are worth a call. */
  *#parts(statements: readonly Statement[]): Sliced<Pieces[]> {
    const parts: Pieces[] = [];
    let together: Statement[] = [];
    let [done, size] = [0, 0];
    const flush = (loop?: Loop) => {
      if (together.length > 0) parts.push({ together, loop });
      together = [];
      [done, size] = [0, 0];
    };
    for (const piece of yield* apart(statements)) {
      const more = yield* sizeOf(piece);
      const loop = piece.length === 1 && more > mostSize ? yield* longLoop(piece[0]) : undefined;
      if (loop || size + more > mostSize) flush();
      together.push(...piece);
      done += work(piece);
      size += more;
      if (loop || done >= leastWork) flush(loop);
      yield;
    }
    flush();
    return parts;
  }
}

/** What becomes a call, or, where a loop is named, that loop around calls. */
interface Pieces {
  readonly together: readonly Statement[];
  readonly loop: Loop | undefined;
}

/** A loop whose body can be cut too. */
function* longLoop(s: Statement): Sliced<Loop | undefined> {
  if (s.kind !== 'loop' || s.count || (yield* countsIn(s.body, s.variable))) return undefined;
  return (yield* apart(s.body)).length > 1 ? s : undefined;
}

/** Statements in groups that follow each other and have no registers in common. */
function* apart(statements: readonly Statement[]): Sliced<Statement[][]> {
  const last = new Map<Local, number>();
  const used: ReadonlySet<Local>[] = [];
  for (const [i, s] of statements.entries()) {
    const locals = new Set<Local>();
    const read = (e: Expression) => {
      if (e.kind === 'local') locals.add(e.local);
    };
    const assigned = (inner: Statement) => {
      if (inner.kind === 'set') locals.add(inner.local);
    };
    yield* expressionsIn([s], read, assigned);
    for (const local of locals) last.set(local, i);
    used.push(locals);
    if (i % statementsAtOnce === 0) yield;
  }
  const groups: Statement[][] = [];
  let reach = -1;
  for (const [i, s] of statements.entries()) {
    if (i > reach) groups.push([s]);
    else (groups.at(-1) as Statement[]).push(s);
    for (const local of used[i]) reach = Math.max(reach, last.get(local) as number);
  }
  return groups;
}

/** Of how many statements and operations they are made. */
export function* sizeOf(statements: readonly Statement[]): Sliced<number> {
  let size = 0;
  const count = () => {
    size++;
  };
  yield* expressionsIn(statements, count, count);
  return size;
}

/** How many stores and assignments are executed. */
function work(statements: readonly Statement[]): number {
  return statements.reduce((sum, s) => {
    if (s.kind === 'loop') return sum + iterations(s) * work(s.body);
    return sum + (s.kind === 'if' ? work(s.body) : 1);
  }, 0);
}

/** Is the variable's value computed with, besides in addresses? */
function* countsIn(statements: readonly Statement[], variable: LoopVariable): Sliced<boolean> {
  let found = false;
  yield* expressionsIn(statements, (e) => {
    if (e.kind === 'index') found ||= e.index.terms.some(([v]) => v === variable);
  });
  return found;
}
