// One kernel as WebAssembly functions: itself, and one for each iteration of its long loops.

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
import { buffersOf } from '../../../loops/patterns.ts';
import { segmentsOf } from '../../../loops/threads.ts';
import { touching, walking } from '../../../loops/touching.ts';
import { Addresses, type BaseLocals, type Origin } from '../../emit/addresses.ts';
import { FunctionBody } from './encode.ts';
import { ExpressionEmitter } from './expression.ts';
import { commonParameters, emitBases, kernelParameters, thread } from './function-parameters.ts';
import { pushShare, StatementEmitter } from './statements.ts';

/** What a kernel is emitted for. */
export interface KernelTarget {
  /** Where buffers begin. */
  readonly originOf: (buffer: Buffer) => Origin;
  /** How many addresses its functions are given. */
  readonly given: number;
  /** Is `multiplyAdd` the relaxed instruction, which rounds once? */
  readonly fusedMultiplyAdd: boolean;
}

/** Adds a function with so many parameters to the module and returns its number. */
export type Outline = (body: FunctionBody, parameters: number) => number;

/** From about so many stores and assignments on, an iteration of an outermost loop is worth a call; and one of a loop inside. */
const longIteration = 2000;
const longInnerIteration = 20_000;

/**
 * The body of a function with the parameters of a kernel, and those addresses that it is given. The iterations of its long loops are functions of their own,
 * given to `outline`: an engine that optimizes a function while it runs can use the better code only from the next call
 * on, so a long run must be made of many calls.
 */
export function* emitKernel(kernel: Kernel, target: KernelTarget, outline: Outline): Sliced<FunctionBody> {
  return yield* new KernelWriter(kernel, target, outline, yield* usesOfLocals(kernel.body)).write();
}

/** A function that is being written. */
interface Frame {
  readonly body: FunctionBody;
  readonly bases: BaseLocals;
  /** The parameters that an iteration of its loops needs too. */
  readonly carried: readonly number[];
  /** The loops of which it is one iteration. */
  readonly path: readonly Loop[];
}

class KernelWriter {
  readonly #kernel: Kernel;
  readonly #target: KernelTarget;
  readonly #outline: Outline;
  readonly #uses: ReadonlyMap<Local, number>;

  constructor(kernel: Kernel, target: KernelTarget, outline: Outline, uses: ReadonlyMap<Local, number>) {
    this.#kernel = kernel;
    this.#target = target;
    this.#outline = outline;
    this.#uses = uses;
  }

  *write(): Sliced<FunctionBody> {
    const { given } = this.#target;
    const first = kernelParameters.length;
    const body = new FunctionBody(first + given);
    const bases = this.#bases(body, buffersOf(this.#kernel), first);
    const carried = [...commonParameters, ...Array.from({ length: given }, (_, i) => first + i)];
    const outer: Frame = { body, bases, carried, path: [] };
    for (const { parallel, statements } of segmentsOf(this.#kernel.body)) {
      if (parallel) yield* this.#sequence(outer, statements);
      else {
        body.get(thread);
        body.op('i32.eqz');
        body.open('if');
        yield* this.#sequence(outer, statements);
        body.op('end');
      }
    }
    return body;
  }

  /** Statements inside some loops, of each of which the function is one iteration. What is between long loops stays together. */
  *#sequence(frame: Frame, statements: readonly Statement[]): Sliced<void> {
    const { body, carried, path } = frame;
    let together: Statement[] = [];
    const flush = function* (writer: KernelWriter): Sliced<void> {
      if (together.length > 0) yield* writer.#emit(frame, together);
      together = [];
    };
    for (const s of statements) {
      const loop = yield* this.#longLoop(s, path.length === 0 ? longIteration : longInnerIteration);
      if (!loop) {
        together.push(s);
        continue;
      }
      yield* flush(this);
      const parameters = carried.length + 1;
      const inner = new FunctionBody(parameters);
      const { read, written } = yield* touching(loop.body);
      const bases = this.#bases(inner, [...new Set([...read, ...written])], commonParameters.length);
      const all = Array.from({ length: parameters }, (_, i) => i);
      yield* this.#sequence({ body: inner, bases, carried: all, path: [...path, loop] }, loop.body);
      callForEach(body, carried, loop, this.#outline(inner, parameters));
    }
    yield* flush(this);
  }

  *#emit({ body, bases, path }: Frame, statements: readonly Statement[]): Sliced<void> {
    const whole = path.reduceRight<readonly Statement[]>((inside, s) => [{ ...s, body: inside }], statements);
    const addresses = new Addresses(this.#target.originOf, bases, () => body.local('i32'));
    const scope = yield* addresses.analyse(whole);
    const expressions = new ExpressionEmitter(body, addresses, this.#target.fusedMultiplyAdd);
    addresses.enter(scope);
    const numbers = commonParameters.length + this.#target.given;
    yield* new StatementEmitter(body, addresses, expressions).inside(path.length, whole, scope, numbers);
    addresses.leave();
  }

  #bases(body: FunctionBody, buffers: readonly Buffer[], given: number): BaseLocals {
    const used = buffers.map((b) => this.#target.originOf(b).base);
    return emitBases(body, used, given);
  }

  /** The statement as a loop whose iterations take long, and use no register that other statements use too. */
  *#longLoop(s: Statement, least: number): Sliced<Loop | undefined> {
    if (s.kind !== 'loop' || s.count || work(s.body) < least) return undefined;
    const uses = yield* usesOfLocals([s]);
    return [...uses].every(([local, count]) => this.#uses.get(local) === count) ? s : undefined;
  }
}

/** How many stores and assignments are executed; loads ahead of a loop are nothing beside it. */
function work(statements: readonly Statement[]): number {
  return statements.reduce((sum, s) => {
    if (s.kind === 'set' && s.ahead) return sum;
    if (s.kind === 'loop') return sum + Math.ceil(s.variable.extent / s.variable.step) * work(s.body);
    return sum + (s.kind === 'if' ? work(s.body) : 1);
  }, 0);
}

/** How often each register is written or read. */
function* usesOfLocals(statements: readonly Statement[]): Sliced<Map<Local, number>> {
  const uses = new Map<Local, number>();
  const seen = new Set<Expression>();
  const use = (l: Local) => uses.set(l, (uses.get(l) ?? 0) + 1);
  const visit = (e: Expression): void => {
    if (e.kind === 'local') use(e.local);
    if (seen.has(e)) return;
    seen.add(e);
    forEachOperand(e, visit);
  };
  yield* walking(statements, (s) => {
    seen.clear();
    expressionsOf(s).forEach(visit);
    if (s.kind === 'set') use(s.local);
  });
  return uses;
}

/** Calls a function with some parameters and the number of each iteration, those of this thread if the loop is parallel. */
function callForEach(body: FunctionBody, carried: readonly number[], loop: Loop, number: number): void {
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
  for (const parameter of carried) body.get(parameter);
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
