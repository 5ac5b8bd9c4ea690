// How a contraction is seen as tiles: which axis lies along the vectors, which along the rows, and the loops around.
import type { View } from '../../../primitives/primitives.ts';
import type { Task } from '../../../primitives/task.ts';
import type { StridedAccess } from '../../body/nest.ts';
import { iterationSpace, outputAccesses } from '../../body/outputs.ts';

/** An axis of the result: its size and its stride in the row operand, the column operand and each output access. */
export interface OutAxis {
  /** Its number among the task's axes, where positions matter and axes are therefore not merged. */
  readonly number: number;
  readonly size: number;
  readonly row: number;
  readonly column: number;
  readonly outputs: readonly number[];
}
export interface SumAxis {
  readonly size: number;
  readonly row: number;
  readonly column: number;
}

/**
 * A contraction seen as tiles: `columns` is the axis along the vectors (the column operand varies, the row operand
 * does not), `rows` one along which only the row operand varies, `outer` the remaining ones.
 */
export interface Layout {
  readonly row: View;
  readonly column: View;
  readonly columns: OutAxis;
  /** Are the columns the innermost axis of the result? */
  readonly inner: boolean;
  readonly rows: OutAxis;
  readonly outer: readonly OutAxis[];
  readonly sums: readonly SumAxis[];
}

const single: Omit<OutAxis, 'outputs'> = { number: -1, size: 1, row: 0, column: 0 };

/**
 * The ways to see a contraction's task as tiles: with the vectors along the innermost axis, so that they are stored as
 * they are, or along another one, element by element, which can be worth it when much is summed for each.
 */
export function layoutsOf(task: Task): Layout[] {
  const rank = task.shape.length;
  const [a, b] = task.operands;
  const accesses = outputAccesses(task);
  const all: StridedAccess[] = [a, b].map((v) => ({ strides: v.strides.slice(0, rank), offset: 0 }));
  const space = iterationSpace(task, [...all, ...accesses]);
  const every = space.shape.map((size, number) => ({
    number,
    size,
    a: space.strides[0][number],
    b: space.strides[1][number],
    outputs: space.strides.slice(2).map((x) => x[number]),
  }));
  const axes = every.filter((x) => x.size !== 1);
  return axes.flatMap((chosen, position) => {
    const inner = position === axes.length - 1;
    if (chosen.a !== 0 && chosen.b !== 0) return [];
    const swap = chosen.a !== 0;
    const [row, column] = swap ? [b, a] : [a, b];
    const turned = axes.map(
      ({ number, size, outputs, ...x }): OutAxis => ({
        number,
        size,
        row: swap ? x.b : x.a,
        column: swap ? x.a : x.b,
        outputs,
      }),
    );
    const [columns] = turned.splice(position, 1);
    if (!inner && columns.column === 0) return [];
    const rows = turned.filter((x) => x.column === 0 && x.row !== 0).at(-1);
    const sums = a.shape
      .slice(rank)
      .map((size, i) => ({ size, row: row.strides[rank + i], column: column.strides[rank + i] }));
    return {
      row,
      column,
      columns,
      inner,
      rows: rows ?? { ...single, outputs: accesses.map(() => 0) },
      outer: turned.filter((x) => x !== rows),
      sums: sums.filter((x) => x.size !== 1),
    };
  });
}

/** Summed axes walked as one where the row operand allows it (and the column operand, unless it is packed anyway). */
export function mergeSums(sums: readonly SumAxis[], both: boolean): SumAxis[] {
  const merged: SumAxis[] = [];
  for (const x of sums) {
    const last = merged.at(-1);
    const joins = last && last.row === x.row * x.size && (!both || last.column === x.column * x.size);
    if (joins) merged[merged.length - 1] = { size: last.size * x.size, row: x.row, column: x.column };
    else merged.push(x);
  }
  return merged;
}
