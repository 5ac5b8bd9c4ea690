// Contractions that slide one array over another in two dimensions, with step 1: convolutions and both their adjoints.
import type { View } from '../../../primitives/primitives.ts';
import type { Task } from '../../../primitives/task.ts';
import { outputAccesses } from '../../body/outputs.ts';

/** An axis: its size, its stride in the two operands, and in each input and output of the task if it is kept. */
export interface SlidAxis {
  /** Its number among the axes of the task. */
  readonly number: number;
  readonly size: number;
  readonly x: number;
  readonly w: number;
  readonly outputs: readonly number[];
}

/** y[a, i, j, o] = Σ over b, k, l of x[a, b, i + k, j + l] · w[b, k, l, o] */
export interface Correlation {
  readonly x: View;
  readonly w: View;
  /** i and j. */
  readonly kept: readonly [SlidAxis, SlidAxis];
  /** k and l. */
  readonly summed: readonly [SlidAxis, SlidAxis];
  /** a: the images of a convolution, the channels of its filter's gradient. */
  readonly keptOther: SlidAxis;
  /** b: the other way round. */
  readonly summedOther: SlidAxis;
  /** o, the innermost axis of the result. */
  readonly out: SlidAxis;
}

const noAxis: SlidAxis = { number: -1, size: 1, x: 0, w: 0, outputs: [] };

/** The contraction as a correlation in two dimensions, if it is one. */
export function correlationOf(task: Task): Correlation | undefined {
  if (task.root?.kind !== 'contract') return undefined;
  const [a, b] = task.operands;
  return correlationBetween(task, a, b) ?? correlationBetween(task, b, a);
}

function correlationBetween(task: Task, x: View, w: View): Correlation | undefined {
  const rank = task.shape.length;
  const accesses = outputAccesses(task);
  const axes = x.shape.map((size, i): SlidAxis => {
    const outputs = i < rank ? accesses.map((access) => access.strides[i]) : [];
    return { number: i, size, x: x.strides[i], w: w.strides[i], outputs };
  });
  const wide = (axis: SlidAxis) => axis.size > 1;
  const kept = axes.slice(0, rank).filter(wide);
  const summed = axes.slice(rank).filter(wide);
  const pairs = kept.flatMap((k) => {
    const partner = k.x !== 0 && k.w === 0 ? summed.find((s) => s.x === k.x && s.w !== 0) : undefined;
    return partner ? [[k, partner] as const] : [];
  });
  if (pairs.length !== 2) return undefined;
  const [[i, k], [j, l]] = pairs;
  const keptRest = kept.filter((axis) => axis !== i && axis !== j);
  const summedRest = summed.filter((axis) => axis !== k && axis !== l);
  const out = keptRest.pop();
  const [keptOther = { ...noAxis, outputs: accesses.map(() => 0) }] = keptRest;
  const [summedOther = noAxis] = summedRest;
  const fits =
    out !== undefined &&
    axes[rank - 1] === out &&
    out.x === 0 &&
    out.w !== 0 &&
    keptRest.length <= 1 &&
    keptOther.w === 0 &&
    summedRest.length <= 1;
  return fits ? { x, w, kept: [i, j], summed: [k, l], keptOther, summedOther, out } : undefined;
}
