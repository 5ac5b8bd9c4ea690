// The registers that statements use.
import { atOnce } from '../base/turns.ts';
import type { Expression, Local, Statement } from './ir.ts';
import { expressionsIn } from './touching.ts';

/** The registers that statements set, and those that they read. */
export function localsOf(statements: readonly Statement[]): {
  readonly assigned: ReadonlySet<Local>;
  readonly read: ReadonlySet<Local>;
} {
  const assigned = new Set<Local>();
  const read = new Set<Local>();
  const used = (e: Expression) => {
    if (e.kind === 'local') read.add(e.local);
  };
  const set = (s: Statement) => {
    if (s.kind === 'set') assigned.add(s.local);
  };
  atOnce(expressionsIn(statements, used, set));
  return { assigned, read };
}
