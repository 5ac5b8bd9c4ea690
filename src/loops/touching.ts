// Walks over statements, those inside of others too: which buffers they read and write.
import { atOnce, type Sliced } from '../base/turns.ts';
import { type Buffer, bodyOf, type Expression, expressionsOf, forEachOperand, type Statement } from './ir.ts';

/** So many statements take some 100 µs. */
export const statementsAtOnce = 16;

/** Shows all statements, each before those inside of it. */
export function* walking(statements: readonly Statement[], show: (s: Statement) => void): Sliced<void> {
  const open = [...statements].reverse();
  let shown = 0;
  for (let s = open.pop(); s; s = open.pop()) {
    show(s);
    const inside = bodyOf(s);
    for (let i = inside.length - 1; i >= 0; i--) open.push(inside[i]);
    if (++shown % statementsAtOnce === 0) yield;
  }
}

/** Shows each expression of statements once, those inside of others too; and each statement after its own expressions. */
export function* expressionsIn(
  statements: readonly Statement[],
  show: (e: Expression) => void,
  showStatement?: (s: Statement) => void,
): Sliced<void> {
  const seen = new Set<Expression>();
  const visit = (e: Expression): void => {
    if (seen.has(e)) return;
    seen.add(e);
    show(e);
    forEachOperand(e, visit);
  };
  yield* walking(statements, (s) => {
    expressionsOf(s).forEach(visit);
    showStatement?.(s);
  });
}

/** The buffers that statements read and write. */
export interface Touched {
  readonly read: ReadonlySet<Buffer>;
  readonly written: ReadonlySet<Buffer>;
}
export const touchedBy = (statements: readonly Statement[]): Touched => atOnce(touching(statements));

/** The same, in slices. */
export function* touching(statements: readonly Statement[]): Sliced<Touched> {
  const read = new Set<Buffer>();
  const written = new Set<Buffer>();
  const loaded = (e: Expression) => {
    if (e.kind === 'load' || e.kind === 'loadAt') read.add(e.buffer);
  };
  yield* expressionsIn(statements, loaded, (s) => {
    if (s.kind === 'store' || s.kind === 'storeAt') written.add(s.buffer);
    if (s.kind === 'prefetch') read.add(s.buffer);
  });
  return { read, written };
}
