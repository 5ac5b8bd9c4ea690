// Which buffers statements read and write.
import { atOnce, type Sliced } from '../base/turns.ts';
import { type Buffer, bodyOf, type Expression, expressionsOf, forEachOperand, type Statement } from './ir.ts';

/** The buffers that statements read and write. */
export const touchedBy = (statements: readonly Statement[]): Touched => atOnce(touching(statements));

export interface Touched {
  readonly read: ReadonlySet<Buffer>;
  readonly written: ReadonlySet<Buffer>;
}

/** The same, in slices. */
export function* touching(statements: readonly Statement[]): Sliced<Touched> {
  const read = new Set<Buffer>();
  const written = new Set<Buffer>();
  const seen = new Set<Expression>();
  const visit = (e: Expression): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === 'load' || e.kind === 'loadAt') read.add(e.buffer);
    forEachOperand(e, visit);
  };
  const walk = function* (s: Statement): Sliced<void> {
    expressionsOf(s).forEach(visit);
    if (s.kind === 'store' || s.kind === 'storeAt') written.add(s.buffer);
    if (s.kind === 'prefetch') read.add(s.buffer);
    yield;
    for (const inner of bodyOf(s)) yield* walk(inner);
  };
  for (const s of statements) yield* walk(s);
  return { read, written };
}
