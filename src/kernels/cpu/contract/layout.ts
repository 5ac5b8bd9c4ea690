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
 * does not), `rows` one along which only the row operand varies, `outer` the remaining ones. Of a product of matrices
 * c[i, j] = Σ a[i, k] · b[k, j] the columns are j, the rows i, the sum is over k, and nothing is left; of a convolution
 * y[n, p, q, o] = Σ x[n, p + r, q + s, c] · f[r, s, c, o] the columns are o, the rows q, and n and p are left.
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

/**
 * The ways to see a contraction's task as tiles: with the vectors along the innermost axis, so that they are stored as
 * they are, or along another one, element by element, which can be worth it when much is summed for each.
 */
export function layoutsOf(task: Task): Layout[] {
  const axes = axesOf(task);
  return axes.flatMap((_, position) => layoutAt(task, axes, position) ?? []);
}

/** The axes of the result that are longer than 1, merged where they can be, with the first operand as that of rows. */
function axesOf(task: Task): OutAxis[] {
  const rank = task.shape.length;
  const operands = task.operands.map((v): StridedAccess => ({ strides: v.strides.slice(0, rank), offset: 0 }));
  const { shape, strides } = iterationSpace(task, [...operands, ...outputAccesses(task)]);
  const axes = shape.map((size, number) => {
    const [row, column, ...outputs] = strides.map((x) => x[number]);
    return { number, size, row, column, outputs };
  });
  return axes.filter((x) => x.size !== 1);
}

/** The layout whose columns are the axis at that position; undefined if both operands vary along it, or it makes none. */
function layoutAt(task: Task, axes: readonly OutAxis[], position: number): Layout | undefined {
  const [a, b] = task.operands;
  const chosen = axes[position];
  if (chosen.row !== 0 && chosen.column !== 0) return undefined;
  // The operand that varies along the columns is the column operand.
  const [row, column] = chosen.row === 0 ? [a, b] : [b, a];
  const seen = chosen.row === 0 ? axes : axes.map((x) => ({ ...x, row: x.column, column: x.row }));
  const columns = seen[position];
  const others = seen.filter((x) => x !== columns);
  const inner = position === axes.length - 1;
  if (!inner && columns.column === 0) return undefined;
  const rows = others.filter((x) => x.column === 0 && x.row !== 0).at(-1);
  const rank = task.shape.length;
  const sums = a.shape.slice(rank).map((size, i): SumAxis => {
    return { size, row: row.strides[rank + i], column: column.strides[rank + i] };
  });
  return {
    row,
    column,
    columns,
    inner,
    rows: rows ?? { number: -1, size: 1, row: 0, column: 0, outputs: outputAccesses(task).map(() => 0) },
    outer: others.filter((x) => x !== rows),
    sums: sums.filter((x) => x.size !== 1),
  };
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
