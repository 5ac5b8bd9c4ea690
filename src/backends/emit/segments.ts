// What emitters of loop nests have in common: the parts of a kernel that one thread does or all of them, and loops.
import { isParallel, type Statement } from '../../loops/ir.ts';

export type Loop = Statement & { kind: 'loop' };

export const iterations = ({ variable }: Loop): number => Math.ceil(variable.extent / variable.step);

/** The statements in order, those for one thread and those for all of them apart. */
export function segmentsOf(all: readonly Statement[]): { parallel: boolean; statements: Statement[] }[] {
  const runs: { parallel: boolean; statements: Statement[] }[] = [];
  for (const s of all) {
    const last = runs.at(-1);
    if (last?.parallel === isParallel(s)) last.statements.push(s);
    else runs.push({ parallel: isParallel(s), statements: [s] });
  }
  return runs;
}
