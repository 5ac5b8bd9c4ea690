// Kernels with parts replaced: the same statements with other expressions, buffers or indices.
import type { Sliced } from '../base/turns.ts';
import { type Affine, at, type Buffer, type Expression, type LoopVariable, type Statement } from './ir.ts';
import { statementsAtOnce } from './touching.ts';

/** The same operation on other operands; the expression itself if none changed. */
export function withOperands(e: Expression, change: (operand: Expression) => Expression): Expression {
  switch (e.kind) {
    case 'unary':
    case 'convert':
    case 'bitcast':
    case 'half':
    case 'splat':
    case 'lane': {
      const a = change(e.a);
      return a === e.a ? e : { ...e, a };
    }
    case 'binary':
    case 'compare':
    case 'shuffle': {
      const a = change(e.a);
      const b = change(e.b);
      return a === e.a && b === e.b ? e : { ...e, a, b };
    }
    case 'multiplyAdd': {
      const a = change(e.a);
      const b = change(e.b);
      const c = change(e.c);
      return a === e.a && b === e.b && c === e.c ? e : { ...e, a, b, c };
    }
    case 'select': {
      const condition = change(e.condition);
      const a = change(e.a);
      const b = change(e.b);
      return condition === e.condition && a === e.a && b === e.b ? e : { ...e, condition, a, b };
    }
    case 'join': {
      const low = change(e.low);
      const high = change(e.high);
      return low === e.low && high === e.high ? e : { ...e, low, high };
    }
    case 'loadAt': {
      const index = change(e.index);
      return index === e.index ? e : { ...e, index };
    }
    default:
      return e;
  }
}

/** Rewrites an expression from its leaves up; what is shared stays shared. */
export function rewriter(change: (e: Expression) => Expression): (e: Expression) => Expression {
  const done = new Map<Expression, Expression>();
  const rewrite = (e: Expression): Expression => {
    const known = done.get(e);
    if (known) return known;
    const result = change(withOperands(e, rewrite));
    done.set(e, result);
    return result;
  };
  return rewrite;
}

/** What the parts of statements become. */
export interface StatementChange {
  readonly expression: (e: Expression) => Expression;
  /** Where a store goes, and one at a computed index. */
  readonly target: (buffer: Buffer, index: Affine) => { readonly buffer: Buffer; readonly index: Affine };
  readonly computedTarget?: (buffer: Buffer) => Buffer;
}

/** The same statements with every expression, and the target of every store, rewritten. */
export function rewriteStatements(statements: readonly Statement[], change: StatementChange): Statement[] {
  return statements.map((s) => {
    const outside = rewriteOutside(s, change);
    return s.kind === 'loop' || s.kind === 'if' ? withBody(outside, rewriteStatements(s.body, change)) : outside;
  });
}

/** The same, in slices. */
export function* rewriting(statements: readonly Statement[], change: StatementChange): Sliced<Statement[]> {
  const result: Statement[] = [];
  for (const [i, s] of statements.entries()) {
    const outside = rewriteOutside(s, change);
    const inner = s.kind === 'loop' || s.kind === 'if';
    result.push(inner ? withBody(outside, yield* rewriting(s.body, change)) : outside);
    if (i % statementsAtOnce === 0) yield;
  }
  return result;
}

const withBody = (s: Statement, body: Statement[]): Statement =>
  s.kind === 'loop' || s.kind === 'if' ? { ...s, body } : s;

/** The same, but for the statements inside of it. */
export function rewriteOutside(s: Statement, change: StatementChange): Statement {
  const { expression, target } = change;
  switch (s.kind) {
    case 'set':
      return { ...s, value: expression(s.value) };
    case 'store':
      return { ...s, ...target(s.buffer, s.index), value: expression(s.value) };
    case 'storeAt': {
      const buffer = change.computedTarget?.(s.buffer) ?? s.buffer;
      return { ...s, buffer, index: expression(s.index), value: expression(s.value) };
    }
    case 'prefetch':
      return { ...s, ...target(s.buffer, s.index) };
    case 'if':
      return { ...s, condition: expression(s.condition) };
    case 'loop':
      return s.count ? { ...s, count: expression(s.count) } : s;
  }
}

/** The same statements where a variable is a constant, with other variables if there are some. */
export function substitute(
  statements: readonly Statement[],
  variable: LoopVariable,
  value: number,
  ...others: readonly LoopVariable[]
): Statement[] {
  const index = (a: Affine): Affine => {
    const term = a.terms.find(([v]) => v === variable);
    if (!term) return a;
    const rest = a.terms.filter((t) => t !== term);
    return at(a.constant + term[1] * value, ...rest, ...others.map((v) => [v, term[1]] as const));
  };
  const expression = rewriter((e) => {
    if (e.kind !== 'load' && e.kind !== 'index') return e;
    const changed = index(e.index);
    return changed === e.index ? e : { ...e, index: changed };
  });
  return rewriteStatements(statements, { expression, target: (buffer, a) => ({ buffer, index: index(a) }) });
}
