// The registers that statements use.
import { bodyOf, type Expression, expressionsOf, forEachOperand, type Local, type Statement } from './ir.ts';

/** The registers that statements set, and those that they read. */
export function localsOf(statements: readonly Statement[]): {
  readonly assigned: ReadonlySet<Local>;
  readonly read: ReadonlySet<Local>;
} {
  const assigned = new Set<Local>();
  const read = new Set<Local>();
  const seen = new Set<Expression>();
  const visit = (e: Expression): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === 'local') read.add(e.local);
    forEachOperand(e, visit);
  };
  const walk = (s: Statement): void => {
    expressionsOf(s).forEach(visit);
    if (s.kind === 'set') assigned.add(s.local);
    bodyOf(s).forEach(walk);
  };
  statements.forEach(walk);
  return { assigned, read };
}
