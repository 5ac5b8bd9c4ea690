// Who does what: the parts of a kernel that all threads do together, and those that the first one does alone.
import { isParallel, type Statement } from './ir.ts';

/** Statements that follow each other, for all threads or for the first one. */
export interface Segment {
  readonly parallel: boolean;
  readonly statements: readonly Statement[];
}

/**
 * The outermost statements of a kernel in order, cut where others do them. Every thread has registers of its own: what is
 * set ahead of a parallel loop, all threads set.
 */
export function segmentsOf(all: readonly Statement[]): Segment[] {
  const segments: { parallel: boolean; statements: Statement[] }[] = [];
  let next: Statement[] = [];
  for (const [i, s] of all.entries()) {
    next.push(s);
    if (s.kind === 'set' && s.ahead && i + 1 < all.length) continue;
    const last = segments.at(-1);
    if (last?.parallel === isParallel(s)) last.statements.push(...next);
    else segments.push({ parallel: isParallel(s), statements: next });
    next = [];
  }
  return segments;
}
